package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"revenant/fingerprints/store"
	"revenant/fingerprints/store/sqlstore"
)

// drained is a backlog that was worked off.
type drained struct {
	what string
	took time.Duration
}

// drainage is an installation whose watches are drained by processes.
type drainage struct {
	o       options
	place   string
	home    string
	env     []string
	store   *sqlstore.Store // looked into, never written
	running []*exec.Cmd
}

// drain registers a value when everything is scanned, so that every watch is due
// at once, and waits until none is: with one worker, then with two.
func drain(ctx context.Context, o options, p place) (out []drained, err error) {
	at, err := p.fresh()
	if err != nil {
		return nil, err
	}
	d := &drainage{o: o, place: p.name, home: filepath.Join(o.work, "drain-"+p.name)}
	d.env = append(os.Environ(), "REVENANT_HOME="+d.home, "REVENANT_STORE=", "GOMEMLIMIT=")
	if p.server {
		d.env = append(d.env, "REVENANT_STORE="+at)
	} else {
		at = filepath.Join(d.home, "registry.db")
	}
	defer func() { err = errors.Join(err, d.end()) }()
	if err := d.furnish(ctx); err != nil {
		return nil, err
	}
	if d.store, err = sqlstore.Open(ctx, at, sqlstore.Options{Access: sqlstore.ReadOnly}); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.store.Close()) }()
	if err := d.start("serve", "--no-workers", "--listen", "127.0.0.1:0", "--config", filepath.Join(d.home, "watches.yaml")); err != nil {
		return nil, err
	}
	for workers := 1; workers <= 2; workers++ {
		if err := d.start("worker", "--scans", "1"); err != nil {
			return nil, err
		}
		if err := d.until(ctx, d.idle(workers)); err != nil {
			return nil, err
		}
		if err := d.revenant(ctx, fmt.Sprintf("soaked-%d-Zx7Qw9Lk3Vb8Nm2Rt5", workers), "secret", "add", fmt.Sprint("soak/", workers), "-q"); err != nil {
			return nil, err
		}
		began := time.Now()
		if err := d.until(ctx, d.idle(workers)); err != nil {
			return nil, err
		}
		words := []string{"", "one worker", "two workers"}[workers]
		out = append(out, drained{what: words, took: time.Since(began)})
		fmt.Printf("%s: %d watches drained by %s in %v\n", p.name, o.watches, words, time.Since(began).Round(time.Millisecond))
	}
	return out, nil
}

// furnish makes registry, folders and their watches.
func (d *drainage) furnish(ctx context.Context) error {
	var set strings.Builder
	set.WriteString("watches:\n")
	for n := range d.o.watches {
		dir := filepath.Join(d.o.work, "folders-"+d.place, fmt.Sprintf("service-%05d", n))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		for i := range 5 {
			text := strings.Repeat(fmt.Sprintf("service %d: setting %d = some words that are no secret\n", n, i), 100)
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprint("settings", i, ".yaml")), []byte(text), 0o644); err != nil {
				return err
			}
		}
		fmt.Fprintf(&set, "  - {name: service-%05d, every: never, scan: [dir, %q]}\n", n, dir)
	}
	if err := d.revenant(ctx, "", "init", "-q"); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(d.home, "watches.yaml"), []byte(set.String()), 0o600)
}

func (d *drainage) revenant(ctx context.Context, input string, args ...string) error {
	c := exec.CommandContext(ctx, d.o.bin, args...)
	c.Env, c.Stdin = d.env, strings.NewReader(input)
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("revenant %s: %w: %s", args[0], err, out)
	}
	return nil
}

// start starts a process that stays.
func (d *drainage) start(args ...string) error {
	log, err := os.OpenFile(filepath.Join(d.home, "soak.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	c := exec.Command(d.o.bin, args...)
	c.Env, c.Stderr = d.env, log
	if err := errors.Join(c.Start(), log.Close()); err != nil {
		return err
	}
	d.running = append(d.running, c)
	return nil
}

// end asks all of them to end.
func (d *drainage) end() error {
	var err error
	for _, c := range d.running {
		err = errors.Join(err, c.Process.Signal(syscall.SIGTERM))
	}
	for _, c := range d.running {
		err = errors.Join(err, c.Wait())
	}
	return err
}

// longest is how long a backlog may take.
const longest = 30 * time.Minute

// until waits; there is nothing to wait for but what stands in the store.
func (d *drainage) until(ctx context.Context, done func(context.Context, store.Tx) (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	for {
		is := false
		err := d.store.View(ctx, func(tx store.Tx) (err error) {
			is, err = done(ctx, tx)
			return err
		})
		if err != nil || is {
			return err
		}
		select {
		case <-ctx.Done():
			log, _ := os.ReadFile(filepath.Join(d.home, "soak.log"))
			return fmt.Errorf("%w; the processes say: %s", ctx.Err(), log[max(0, len(log)-2000):])
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// idle: so many workers live, and every watch was scanned with the newest values.
func (d *drainage) idle(workers int) func(context.Context, store.Tx) (bool, error) {
	return func(ctx context.Context, tx store.Tx) (bool, error) {
		live, err := tx.Workers(ctx)
		if err != nil {
			return false, err
		}
		outcomes, err := tx.CountWatches(ctx)
		if err != nil {
			return false, err
		}
		meta, err := tx.Meta(ctx)
		if err != nil {
			return false, err
		}
		behind, err := tx.CountBehind(ctx, meta.FieldRevision)
		return len(live) == workers && outcomes["complete"] == d.o.watches && behind == 0, err
	}
}
