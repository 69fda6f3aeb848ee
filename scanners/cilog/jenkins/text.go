package jenkins

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"revenant/scanners/cilog"
	"revenant/scanners/cilog/rest"
)

// text is a console's progressive text. An answer ends where the log did when it
// was asked for, of a build under way after some thousand lines, and its headers
// say where the next one begins: that is no count of what came, as Jenkins
// leaves out its annotations and writes other line ends.
type text struct {
	ctx   context.Context // Open's
	web   *rest.Client
	ref   string // up to the start
	going bool   // the build is under way
	body  io.ReadCloser
	next  int64 // where the next answer begins
	more  bool  // the log may grow
	came  bool  // something of this answer
	empty int   // answers in a row of which nothing came
	err   error
}

// ask opens the answer that begins at an offset.
func (t *text) ask(start int64) error {
	rc, a, err := t.web.Open(t.ctx, t.ref+strconv.FormatInt(start, 10), 0)
	if err != nil {
		return err
	}
	t.body = rc
	size, err := strconv.ParseInt(strings.TrimSpace(a.Header.Get("X-Text-Size")), 10, 64)
	t.more = strings.EqualFold(strings.TrimSpace(a.Header.Get("X-More-Data")), "true")
	if err != nil || size < 0 { // a proxy took it away: this answer is all
		size, t.more = start, false
	}
	t.next = size
	return nil
}

// Read goes on as long as something comes, and never waits for more.
func (t *text) Read(p []byte) (int, error) {
	for t.err == nil {
		n, err := t.body.Read(p)
		if err != nil {
			t.err = err
			if errors.Is(err, io.EOF) {
				t.err = t.turn()
			}
		}
		if n > 0 {
			t.came, t.empty = true, 0
			return n, nil
		}
		if err == nil && len(p) == 0 {
			return 0, nil
		}
	}
	return 0, t.err
}

// turn asks for what was written meanwhile; nil: there is something.
func (t *text) turn() error {
	if !t.more {
		return io.EOF
	}
	if !t.came {
		t.empty++
	}
	if t.empty > maxStale {
		return fmt.Errorf("%w: its log is said to grow, and does not", cilog.ErrUnreachable)
	}
	start := t.next
	t.came = false
	if err := t.body.Close(); err != nil {
		return err
	}
	if err := t.ask(start); err != nil {
		return err
	}
	switch {
	case t.next < start:
		return fmt.Errorf("%w: the log was begun anew while it was read", cilog.ErrUnreachable)
	case t.next > start:
		return nil
	case t.more && !t.going:
		return fmt.Errorf("%w: the build has ended, but its log has not", cilog.ErrUnreachable)
	case !t.more:
		return nil // the last line, which had no end
	}
	return io.EOF
}

// Close implements io.Closer.
func (t *text) Close() error {
	if t.err == nil {
		t.err = errors.New("read after close")
	}
	return t.body.Close()
}
