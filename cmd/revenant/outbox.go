package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"revenant/api/client"
	"revenant/api/wire"
)

// outbox holds what hooks found, until the server was told: files that this user
// alone may read, with ids and redacted paths.
type outbox struct {
	a   *app
	dir string // of one server
}

// mostWaiting is how many parts wait for a server at most; those that are older are
// told no more.
const mostWaiting = 1000

// openOutbox opens the outbox of a server.
func (a *app) openOutbox(where serverPlace) (*outbox, error) {
	state, err := a.userDir(a.env("XDG_STATE_HOME"), filepath.Join(".local", "state"))
	if err != nil {
		return nil, err
	}
	return &outbox{a: a, dir: filepath.Join(state, "outbox", placeName(where))}, nil
}

// put notes a part.
func (o *outbox) put(r wire.ScanResults) error {
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(o.dir, 0o700); err != nil {
		return fmt.Errorf("noting what was found: %w", bare(err))
	}
	tmp, err := os.CreateTemp(o.dir, ".part-*") // 0600
	if err != nil {
		return fmt.Errorf("noting what was found: %w", bare(err))
	}
	_, err = tmp.Write(b)
	if err = errors.Join(err, tmp.Close()); err == nil {
		// Parts of a scan are told in order, and scans as they came.
		err = os.Rename(tmp.Name(), filepath.Join(o.dir, fmt.Sprintf("%020d-%s-%06d.json", o.a.now().UnixMicro(), r.ID, r.Part)))
	}
	if err != nil {
		_ = os.Remove(tmp.Name())
		return fmt.Errorf("noting what was found: %w", bare(err))
	}
	return nil
}

// waiting are the parts, the oldest first.
func (o *outbox) waiting() []string {
	list, err := filepath.Glob(filepath.Join(o.dir, "*.json"))
	if err != nil {
		return nil
	}
	return list // sorted
}

// quietFor is for how long a hook says nothing of what waits: it is told behind it.
const quietFor = 10 * time.Minute

// words say that the server does not get what was found.
func (o *outbox) words() string {
	list := o.waiting()
	if len(list) == 0 {
		return ""
	}
	stamp, _, _ := strings.Cut(filepath.Base(list[0]), "-")
	micro, err := strconv.ParseInt(stamp, 10, 64)
	since := o.a.now().Sub(time.UnixMicro(micro))
	if err != nil || since < quietFor {
		return ""
	}
	why := ""
	if b, err := os.ReadFile(filepath.Join(o.dir, "problem")); err == nil && len(b) > 0 {
		why = ": " + printable(strings.TrimSpace(string(b)))
	}
	return fmt.Sprintf("the server has not been told what %s found, since %s%s", plural(len(list), "hook", "hooks"), ago(since), why)
}

// tell tells the server all that waits. What it refuses for good is dropped.
func (o *outbox) tell(ctx context.Context, c *client.Client) error {
	list := o.waiting()
	for len(list) > mostWaiting {
		_ = os.Remove(list[0])
		list = list[1:]
	}
	for _, name := range list {
		b, err := os.ReadFile(name)
		if err != nil {
			return fmt.Errorf("reading what was noted: %w", bare(err))
		}
		var r wire.ScanResults
		if json.Unmarshal(b, &r) != nil {
			_ = os.Remove(name)
			continue
		}
		_, err = c.TellScan(ctx, r)
		if err != nil && !client.IsStatus(err, http.StatusUnprocessableEntity) && !client.IsStatus(err, http.StatusRequestEntityTooLarge) && !client.IsStatus(err, http.StatusConflict) {
			_ = os.WriteFile(filepath.Join(o.dir, "problem"), []byte(asked(err).Error()), 0o600)
			return err
		}
		if err := os.Remove(name); err != nil {
			return fmt.Errorf("forgetting what was told: %w", bare(err))
		}
	}
	_ = os.Remove(filepath.Join(o.dir, "problem"))
	return nil
}

// behindFor is for how long what is done behind a hook may take.
const behindFor = 2 * time.Minute

// hookTell is what a hook starts and does not wait for.
func (a *app) hookTell() *cobra.Command {
	return &cobra.Command{
		Use: "tell", Short: "Tell the server what hooks found, and take its newest pack",
		Long: `Tells the server what hooks of this user noted, and takes its newest edge pack.
A hook starts this behind itself and does not wait for it; where the server does
not answer, the next hook tries again. By hand it waits for one under way.`,
		Example: "  revenant hook tell --server https://revenant.example.com", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			where, err := a.needServer()
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(c.Context(), behindFor)
			defer cancel()
			box, err := a.openOutbox(where)
			if err != nil {
				return err
			}
			if err := os.MkdirAll(box.dir, 0o700); err != nil {
				return fmt.Errorf("telling the server: %w", bare(err))
			}
			for {
				mine, err := box.alone(ctx, !a.quiet, func() error {
					server, err := a.clientOf(ctx, where)
					if err != nil {
						return err
					}
					perr := a.renewPulled(ctx, server, where)
					return errors.Join(asked(box.tell(ctx, server)), perr)
				})
				// A hook that noted something meanwhile saw this one at it and left it to it.
				if err != nil || !mine || len(box.waiting()) == 0 {
					return err
				}
			}
		},
	}
}

// alone tells where no other process of this user is telling that server. What a
// hook starts leaves it to the other; a person's waits, so that its answer is true.
func (o *outbox) alone(ctx context.Context, wait bool, tell func() error) (mine bool, err error) {
	lock := filepath.Join(o.dir, "lock")
	for {
		unlock, err := lockFile(lock)
		switch {
		case err == nil:
			defer unlock()
			return true, tell()
		case !errors.Is(err, errLocked):
			return false, fmt.Errorf("telling the server: %w", bare(err))
		case !wait:
			return false, nil
		}
		select {
		case <-ctx.Done():
			return false, fmt.Errorf("telling the server: another process of yours is still at it (it holds %s): try again later", printable(lock))
		case <-time.After(50 * time.Millisecond):
		}
	}
}
