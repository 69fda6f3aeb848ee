package main

import (
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
	"time"

	"github.com/go-chi/chi/v5"

	"revenant/api/control"
	"revenant/api/rest"
	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/ingest/credential"
	"revenant/ingest/scan"
	"revenant/ingest/search"
	"revenant/ingest/settings"
	"revenant/scanners"
)

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
	pages, err := v.pages(ctx)
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
		Session: v.sessions.Actor, Terms: terms(v.set.SignIn), BaseURL: v.set.BaseURL, LookUps: v.set.LookUps.Daily,
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
