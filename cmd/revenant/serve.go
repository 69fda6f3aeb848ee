package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"revenant/api/control"
	signin "revenant/api/session"
	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
	"revenant/fingerprints/store/sqlstore"
	"revenant/ingest/jobs"
	"revenant/ingest/notify"
	"revenant/ingest/notify/receivers"
	"revenant/ingest/settings"
	"revenant/ingest/watch"
)

// serveFlags say how a server runs; they go before the configuration.
type serveFlags struct {
	config string
	listen string
	scans  int
	noWork bool
}

func (a *app) serveCommand() *cobra.Command {
	var fl serveFlags
	c := &cobra.Command{
		Use: "serve", GroupID: "watch",
		Short: "Keep scanning what is watched, and answer over HTTP",
		Long: `Scans every watch when it is due, when something was pushed there, and when
values were registered since. The registry is that of REVENANT_HOME, or the
database of REVENANT_STORE; commands and other servers may use it meanwhile, and
what they change counts at once.

It answers at --listen: the dashboard to browsers, /healthz and /readyz for
probes, /metrics for Prometheus, /hooks for pushes, /api/v1 for control with the
token that lies in REVENANT_HOME/control.token. See docs/serve.md.

The first Ctrl-C ends it in order: scans under way are given back, and go on at
the next start. Nothing is lost when it is killed.`,
		Example: "  revenant serve\n  revenant serve --config revenant.yaml",
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return a.serve(c, &fl, true) },
	}
	fl.register(c)
	c.Flags().StringVar(&fl.listen, "listen", "", "HOST:PORT to answer at (default 127.0.0.1:8077)")
	c.Flags().BoolVar(&fl.noWork, "no-workers", false, "scan nothing here: workers elsewhere do")
	return c
}

func (fl *serveFlags) register(c *cobra.Command) {
	c.Flags().StringVar(&fl.config, "config", "", "configuration, in YAML (default: $REVENANT_CONFIG, else none)")
	c.Flags().IntVar(&fl.scans, "scans", 0, "scans at once (default 2); one more for pushes")
}

func (a *app) workerCommand() *cobra.Command {
	var fl serveFlags
	c := &cobra.Command{
		Use: "worker", GroupID: "watch",
		Short: "Scan what is watched, on another machine than the server's",
		Long: `Does what 'revenant serve' does, and answers nobody. Any number of workers may
share the PostgreSQL database that REVENANT_STORE names; each needs the key ring
in its REVENANT_HOME. One that dies has its scans taken over by others.`,
		Example: "  revenant worker --scans 4",
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return a.serve(c, &fl, false) },
	}
	fl.register(c)
	return c
}

// settings reads the configuration, with the flags over it.
func (a *app) settings(fl *serveFlags) (settings.Settings, error) {
	file, what := fl.config, "--config"
	if file == "" {
		file, what = a.env("REVENANT_CONFIG"), "REVENANT_CONFIG"
	}
	if file == "" {
		what = "the environment"
	}
	env := func(name string) string {
		if name == "REVENANT_SERVE_LISTEN" && fl.listen != "" {
			return fl.listen
		}
		return a.env(name)
	}
	s, err := settings.Load(file, env)
	if err != nil {
		return s, usagef("%s: %w", what, err)
	}
	if fl.scans < 0 || fl.scans > 1000 {
		return s, usagef("--scans is from 1 to 1000")
	}
	if fl.scans > 0 {
		s.Workers.Scans = fl.scans
	}
	s.Workers.Off = s.Workers.Off || fl.noWork
	return s, nil
}

// server is a process that keeps scanning.
type server struct {
	a       *app
	set     settings.Settings
	log     *slog.Logger
	shared  *shared
	queue   jobs.Queue
	tender  *watch.Tender
	metrics *control.Metrics
	worker  store.Worker
	token   fingerprints.Value
	// notifier tells what becomes of findings; nil: nobody wants to know.
	notifier *notify.Notifier
	search   *searching // nil: it is switched off
	sessions *signin.Server
	release  func() // lets others know that the worker has ended
}

// serve runs until the context ends.
func (a *app) serve(c *cobra.Command, fl *serveFlags, answers bool) (err error) {
	ctx := c.Context()
	set, err := a.settings(fl)
	if err != nil {
		return err
	}
	a.budget(set.Workers)
	v := &server{a: a, set: set, log: a.logger(set.Log)}
	if v.shared, err = a.newShared(ctx, v.log); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.shared.close()) }()
	if err := v.keepWatches(ctx); err != nil {
		return err
	}
	if err := v.openQueue(ctx); err != nil {
		return err
	}
	defer func() {
		v.release()
		err = errors.Join(err, v.queue.Close())
	}()
	var listener net.Listener
	if answers {
		if listener, err = v.listen(ctx); err != nil {
			return err
		}
	}
	var wg sync.WaitGroup
	running, stop := context.WithCancel(ctx)
	defer stop()
	failed := make(chan error, 3)
	wg.Go(func() { v.shared.follow(running) })
	if v.search != nil && answers {
		wg.Go(func() { v.search.run(running) })
	}
	if answers {
		wg.Go(func() { v.keepDays(running) })
	}
	if v.notifier != nil {
		wg.Go(func() { failed <- v.notifier.Run(running) })
	}
	if !set.Workers.Off {
		wg.Go(func() { failed <- v.tender.Run(running, v.queue) })
	}
	if answers {
		wg.Go(func() { failed <- v.answer(running, listener) })
	}
	v.log.InfoContext(ctx, "ready", slog.String("worker", v.worker.ID), slog.Int("scans", v.worker.Slots))
	select {
	case <-ctx.Done():
		v.log.InfoContext(context.WithoutCancel(ctx), "stopping: scans under way are given back")
	case err = <-failed:
	}
	stop()
	wg.Wait()
	close(failed)
	for e := range failed {
		err = errors.Join(err, e)
	}
	return err
}

// logger writes to the error stream.
func (a *app) logger(l settings.Log) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(l.Level)) // it was checked
	o := &slog.HandlerOptions{Level: level}
	if l.Format == "json" {
		return slog.New(newSeldom(slog.NewJSONHandler(a.stderr, o)))
	}
	return slog.New(newSeldom(slog.NewTextHandler(a.stderr, o)))
}

// keepWatches stores the watches of the configuration.
func (v *server) keepWatches(ctx context.Context) error {
	s := v.shared.session
	for _, w := range v.set.Watches {
		schedule := w.Every + w.Cron
		switch schedule {
		case "":
			schedule = usualFor(w.Scan)
		case "never":
			schedule = ""
		}
		spec, err := v.a.watchSpec(w.Name, w.Scan, schedule, w.Credential)
		if err != nil {
			return usagef("watches: %s: %w", printable(w.Name), err)
		}
		if err := v.a.refuseValues(ctx, s, append([]string{w.Name, w.Credential}, w.Scan...)...); err != nil {
			return err
		}
		if err := s.reg.KeepWatch(ctx, s.actor, spec, watch.First(spec.Schedule, v.a.now())); err != nil {
			return fmt.Errorf("watches: %s: %w", printable(w.Name), err)
		}
	}
	return nil
}

// openQueue opens the queue, and makes who does its jobs.
func (v *server) openQueue(ctx context.Context) error {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	var b [6]byte
	if _, err := rand.Read(b[:]); err != nil {
		return err
	}
	s := v.shared.session
	v.worker = store.Worker{
		ID: fmt.Sprintf("%s-%d-%s", host, os.Getpid(), hex.EncodeToString(b[:])), Host: host, Version: programVersion(), StartedAt: v.a.now(), Slots: v.set.Workers.Scans,
	}
	if v.set.Workers.Off {
		v.worker.Slots = 0
	}
	status := func(ctx context.Context) (control.Status, error) {
		return control.StatusOf(ctx, s.reg, s.actor, v.queue)
	}
	v.metrics = control.NewMetrics(programVersion(), status, v.log)
	v.tender = watch.New(watch.Options{
		Registry: s.reg, Actor: s.actor, Scanner: watchScanner{v.shared}, Worker: v.worker, Now: v.a.now, Log: v.log,
		Observer: watch.Observer{Ended: v.ended}, Gone: v.gone, Deadline: v.set.Workers.Longest(), Room: room, Progress: watchScanner{v.shared}.progress,
		Follower: v.follower(), Streams: v.set.Workers.Streams,
	})
	if err := v.holdWorker(); err != nil {
		return err
	}
	if err := v.openNotifier(); err != nil {
		return err
	}
	if !v.set.Search.Off {
		v.search = v.newSearching()
	}
	place, err := v.a.storePlace(s.dir)
	if err != nil {
		return err
	}
	if !sqlstore.IsURL(place) {
		place = filepath.Join(s.dir, "jobs.db")
	}
	o := jobs.Options{Worker: v.worker.ID, Slots: v.worker.Slots, Log: v.log}
	if !v.set.Workers.Off {
		o.Runner = v.tender
	}
	v.queue, err = jobs.Open(ctx, place, o)
	return err
}

// openNotifier makes who tells of findings.
func (v *server) openNotifier() error {
	if len(v.set.Notify.Rules) == 0 {
		return nil
	}
	senders, err := receivers.New(v.set.Notify, receivers.Deps{Now: v.a.now})
	if err != nil {
		return usagef("notify: %w", err)
	}
	v.shared.writes(v.set.Notify)
	s := v.shared.session
	v.notifier, err = notify.New(notify.Options{Config: v.set.Notify, Store: s.store, Registry: s.reg, Senders: senders, Now: v.a.now, Log: v.log})
	return err
}

// workersDir has a locked file for each worker of this machine.
func (v *server) workersDir() string { return filepath.Join(v.shared.session.dir, "workers") }

// holdWorker says to others of this machine that this worker lives, for as long
// as it does.
func (v *server) holdWorker() error {
	if err := os.MkdirAll(v.workersDir(), 0o700); err != nil {
		return fmt.Errorf("%s: it cannot be made: %w", v.workersDir(), bare(err))
	}
	name := filepath.Join(v.workersDir(), v.worker.ID)
	unlock, err := lockFile(name)
	if err != nil {
		return err
	}
	v.release = func() {
		_ = os.Remove(name)
		unlock()
	}
	return nil
}

// gone reports whether a worker of this machine has ended.
func (v *server) gone(w store.Worker) bool {
	name := filepath.Join(v.workersDir(), w.ID)
	if w.Host != v.worker.Host || !exists(name) {
		return false
	}
	unlock, err := lockFile(name)
	if err != nil {
		return false
	}
	_ = os.Remove(name)
	unlock()
	return true
}

// ended tells how a scan ended.
func (v *server) ended(before store.Watch, why jobs.Reason, r watch.Result, took time.Duration) {
	v.metrics.Ended(before, why, r.Outcome, took)
	if v.notifier != nil {
		problem := ""
		if r.Outcome == registry.WatchFailed {
			problem = r.Problem
		}
		if err := v.notifier.Health(context.Background(), cmp.Or(r.SourceID, before.SourceID, before.Name), problem); err != nil {
			v.log.Warn("nobody can be told how a source does", slog.Any("error", err))
		}
	}
	attrs := []slog.Attr{
		slog.String("watch", before.Name), slog.String("why", string(why)), slog.String("outcome", r.Outcome), slog.Duration("took", took.Round(time.Millisecond)),
	}
	if r.Problem != "" {
		attrs = append(attrs, slog.String("problem", r.Problem))
	}
	if r.Outcome == registry.WatchComplete {
		v.log.LogAttrs(context.Background(), slog.LevelInfo, "scanned", attrs...)
	} else {
		v.log.LogAttrs(context.Background(), slog.LevelWarn, "not scanned to the end", attrs...)
	}
}
