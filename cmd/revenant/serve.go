package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/spf13/cobra"

	"revenant/api/control"
	"revenant/api/rest"
	signin "revenant/api/session"
	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
	"revenant/fingerprints/store/sqlstore"
	"revenant/ingest/credential"
	"revenant/ingest/jobs"
	"revenant/ingest/notify"
	"revenant/ingest/notify/receivers"
	"revenant/ingest/scan"
	"revenant/ingest/search"
	"revenant/ingest/settings"
	"revenant/ingest/watch"
	"revenant/scanners"
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

// tokenFile is where the control API's token lies.
func tokenFile(dir string) string { return filepath.Join(dir, "control.token") }

// ownToken reads the token, or makes it.
func (v *server) ownToken(ctx context.Context) (fingerprints.Value, error) {
	if v.set.Token != "" {
		ref, err := credential.Parse(v.set.Token)
		if err != nil {
			return fingerprints.Value{}, err
		}
		return credential.Resolver{}.Resolve(ctx, ref)
	}
	name := tokenFile(v.shared.session.dir)
	if b, err := os.ReadFile(name); err == nil && len(strings.TrimSpace(string(b))) >= 32 {
		return fingerprints.NewValue([]byte(strings.TrimSpace(string(b)))), nil
	}
	var b [24]byte
	if _, err := rand.Read(b[:]); err != nil {
		return fingerprints.Value{}, err
	}
	text := "rvct_" + hex.EncodeToString(b[:])
	tmp := name + ".new"
	err := os.WriteFile(tmp, []byte(text+"\n"), 0o600)
	if err == nil {
		err = os.Rename(tmp, name)
	}
	if err != nil {
		return fingerprints.Value{}, fmt.Errorf("keeping the token of the control API: %w", bare(err))
	}
	return fingerprints.NewValue([]byte(text)), nil
}

// listen takes the address, so that what is wrong with it is the command's error.
func (v *server) listen(ctx context.Context) (net.Listener, error) {
	var err error
	if v.token, err = v.ownToken(ctx); err != nil {
		return nil, err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", v.set.Listen)
	if err != nil {
		return nil, fmt.Errorf("--listen: the address cannot be had (%w): another server may have it, or it is not this machine's", bare(err))
	}
	if strings.HasSuffix(v.set.BaseURL, ":0") { // any port
		v.set.BaseURL = strings.TrimSuffix(v.set.BaseURL, v.set.Listen) + l.Addr().String()
	}
	if v.set.TLS.Certificate != "" {
		cert, err := openCertificate(v.set.TLS, v.a.now, v.log)
		if err != nil {
			_ = l.Close()
			return nil, err
		}
		l = tls.NewListener(l, cert.config())
	}
	return l, nil
}

// answer serves HTTP until the context ends.
func (v *server) answer(ctx context.Context, l net.Listener) error {
	s := v.shared.session
	handler, err := v.handler(ctx)
	if err != nil {
		_ = l.Close()
		return err
	}
	h := &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	v.offerSetup(ctx)
	v.log.InfoContext(ctx, "answering", slog.String("at", v.set.BaseURL), slog.String("token", "in "+tokenFile(s.dir)))
	stopped := context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), settings.Grace)
		defer cancel()
		if h.Shutdown(grace) != nil {
			_ = h.Close()
		}
	})
	defer stopped()
	if err := h.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("answering: %w", bare(err))
	}
	return nil
}

// handler is everything that the server answers.
func (v *server) handler(ctx context.Context) (http.Handler, error) {
	pushes, err := v.pushHandler(ctx)
	if err != nil {
		return nil, err
	}
	if err := v.openSessions(); err != nil {
		return nil, err
	}
	proxies, err := v.proxies()
	if err != nil {
		return nil, err
	}
	pages, err := v.pages()
	if err != nil {
		return nil, err
	}
	return proxies.Handler(control.New(control.Options{
		Ready: v.ready, Metrics: v.metrics.Handler(), Push: pushes, Lost: pages.Lost(), Log: v.log,
		API: func(r chi.Router) { v.guarded(r, v.api, v.sessions.Mount, pages.Mount) },
	})), nil
}

// api adds the API.
func (v *server) api(r chi.Router) {
	s := v.shared.session
	rest.Mount(r, rest.Options{
		Registry: s.reg, Queue: v.queue, Owner: registry.Local("api"), Token: v.token, Spec: v.spec, Refuse: v.refuse, Redact: v.redact, Search: v.searchIndex, Wake: v.tender.Wake, Now: v.a.now, Log: v.log,
		Session: v.sessions.Actor, Terms: terms(v.set.SignIn), BaseURL: v.set.BaseURL,
	})
}

// searchIndex is what is searched with: the store itself, where the index is
// switched off.
func (v *server) searchIndex() *search.Index {
	if v.search == nil {
		return search.Store(v.a.searchOptions(v.shared.session))
	}
	return v.search.index()
}

// refuse refuses texts of a request that hold a registered value.
func (v *server) refuse(ctx context.Context, texts ...string) error {
	err := v.a.refuseValues(ctx, v.shared.session, texts...)
	if errors.Is(err, registry.ErrValueInName) {
		err = registry.ErrValueInName // there is no shell here
	}
	return err
}

// redact searches stored provenance for what was registered over the network, with a
// pack that has it.
func (v *server) redact(ctx context.Context, a registry.Actor, need registry.Scope) (int, error) {
	if err := v.shared.renew(ctx); err != nil {
		return 0, err
	}
	var e eye
	v.shared.lend(&e)
	defer e.close()
	labels := &oneAtATime{labels: registryLabels{v.shared.session}}
	return v.shared.session.reg.RedactOwed(ctx, a, need, storedTexts{ctx, e.registered, labels})
}

// storedTexts finds registered values in what is stored.
type storedTexts struct {
	ctx    context.Context // of one call
	find   scanners.Matcher
	labels scan.Labels
}

// In implements registry.Texts.
func (t storedTexts) In(text string) bool {
	return len(t.find.AppendHits(nil, scanners.Chunk{Data: []byte(text), Final: true})) > 0
}

// Redact implements registry.Texts.
func (t storedTexts) Redact(text string) (string, bool) {
	shown := scan.Shown(t.ctx, []scanners.Matcher{t.find}, t.labels, text)
	return shown, shown != text
}

// spec reads what a request wants watched.
func (v *server) spec(name string, scan []string, schedule, ref string) (registry.WatchSpec, error) {
	if ref != "" {
		if _, err := credential.Parse(ref); err != nil {
			return registry.WatchSpec{}, fmt.Errorf("credential: %w", err)
		}
	}
	spec, err := v.a.watchSpec(name, scan, schedule, ref)
	if err != nil {
		return spec, err
	}
	named := func(arg string) bool { return filepath.IsAbs(arg) && filepath.Clean(arg) == spec.Location }
	if spec.Kind == "dir" && !slices.ContainsFunc(scan, named) { // the sender's folder is not the server's
		return spec, errors.New("dir: give an absolute path, of the server's machine")
	}
	return spec, v.refuse(context.Background(), append([]string{name, ref}, scan...)...)
}

// ready reports whether the server can do its work.
func (v *server) ready(ctx context.Context) error {
	s := v.shared.session
	if err := s.reg.Check(ctx); err != nil {
		return err
	}
	return v.queue.Check(ctx)
}

func (a *app) configCommand() *cobra.Command {
	c := &cobra.Command{Use: "config", GroupID: "watch", Short: "Check a server's configuration"}
	var fl serveFlags
	check := &cobra.Command{
		Use: "check [FILE]", Short: "Read a configuration as the server would, and say what is wrong",
		Long:    "Reads FILE (default: $REVENANT_CONFIG) and the environment, checks every watch,\nand fetches every credential that they refer to. It stores nothing and prints no\ncredential.",
		Example: "  revenant config check revenant.yaml", Args: argCount(0, 1, "at most one FILE"),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 {
				fl.config = args[0]
			}
			set, err := a.settings(&fl)
			if err != nil {
				return err
			}
			bad, err := a.checkSettings(c.Context(), set)
			if err != nil {
				return err
			}
			if len(bad) > 0 {
				a.code = exitFailure
			}
			if a.asJSON {
				return a.printJSON(map[string]any{"listen": set.Listen, "base_url": set.BaseURL, "watches": len(set.Watches), "problems": nonNil(bad)})
			}
			var b strings.Builder
			fmt.Fprintf(&b, "answers at %s, as %s; %s at once; %s\n", set.Listen, set.BaseURL, plural(set.Workers.Scans, "scan", "scans"), plural(len(set.Watches), "watch", "watches"))
			for _, text := range bad {
				fmt.Fprintf(&b, "problem: %s\n", printable(text))
			}
			if len(bad) == 0 {
				b.WriteString("nothing is wrong with it\n")
			}
			return writeAll(a.stdout, b.String())
		},
	}
	return group(c, check)
}

// checkSettings looks at what only the machine can tell.
func (a *app) checkSettings(ctx context.Context, set settings.Settings) (bad []string, err error) {
	refs := map[string]string{}
	if set.Token != "" {
		refs["token"] = set.Token
	}
	if set.SignIn.OIDC.ClientSecret != "" {
		refs["sign_in.oidc.client_secret"] = set.SignIn.OIDC.ClientSecret
	}
	for _, who := range settings.Senders() {
		for _, ref := range set.Push[who] {
			refs["push."+who] = ref
		}
	}
	for _, w := range set.Watches {
		if _, err := a.watchSpec(w.Name, w.Scan, w.Every+w.Cron, w.Credential); err != nil {
			return nil, usagef("watches: %s: %w", printable(w.Name), err)
		}
		if w.Credential != "" {
			refs["watches: "+w.Name] = w.Credential
		}
	}
	for what, text := range refs {
		ref, err := credential.Parse(text)
		if err == nil {
			_, err = credential.Resolver{}.Resolve(ctx, ref)
		}
		if err != nil {
			bad = append(bad, what+": "+err.Error())
		}
	}
	for _, file := range []string{set.TLS.Certificate, set.TLS.Key} {
		if file != "" && !isRegular(file) {
			bad = append(bad, "tls: a file is not there: certificate and key are PEM files")
			break
		}
	}
	return bad, nil
}
