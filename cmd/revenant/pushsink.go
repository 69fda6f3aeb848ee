package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
	"revenant/ingest/credential"
	"revenant/ingest/push"
	"revenant/ingest/settings"
)

// pushHandler takes what other systems send; nil where the configuration has no
// secret of any.
func (v *server) pushHandler(ctx context.Context) (http.Handler, error) {
	secrets := map[push.Provider][]push.Secret{}
	for _, who := range settings.Senders() {
		for _, text := range v.set.Push[who] {
			ref, err := credential.Parse(text)
			if err != nil {
				return nil, fmt.Errorf("push.%s: %w", who, err)
			}
			secrets[push.Provider(who)] = append(secrets[push.Provider(who)], func(ctx context.Context) (fingerprints.Value, error) {
				return credential.Resolver{}.Resolve(ctx, ref)
			})
		}
	}
	if len(secrets) == 0 {
		return nil, nil
	}
	h, err := push.New(push.Options{
		Sink: pushSink{v}, Secrets: secrets, Log: v.log,
		Counters: pushCounters{v.metrics.Counter("revenant_pushes_total", "Posts of other systems, by who and what became of them.", "provider", "outcome")},
	})
	if err != nil {
		return nil, err
	}
	if err := h.Check(ctx); err != nil {
		// The others count; this one is looked up again with each post.
		v.log.WarnContext(ctx, "a secret of webhooks cannot be used", slog.Any("error", err))
	}
	return h, nil
}

type pushCounters struct{ c *prometheus.CounterVec }

// Count implements push.Counters.
func (p pushCounters) Count(who push.Provider, o push.Outcome) {
	p.c.WithLabelValues(string(who), string(o)).Inc()
}

// pushSink has what was pushed scanned.
type pushSink struct{ v *server }

var _ push.Sink = pushSink{}

// Pushed implements push.Sink.
func (k pushSink) Pushed(ctx context.Context, e push.Event) error {
	s := k.v.shared.session
	found := false
	for _, id := range e.Sources {
		names, err := s.reg.WantSource(ctx, s.actor, k.v.shared.shown(ctx, id), registry.WantedPush)
		if err != nil {
			return err
		}
		found = found || len(names) > 0
	}
	if !found && e.Kind == fingerprints.KindImage {
		var err error
		if found, err = k.registries(ctx, e); err != nil {
			return err
		}
	}
	if !found {
		return push.ErrUnknown
	}
	k.v.tender.Wake()
	return nil
}

// registries asks for scans of the registries that an image is in and that are
// watched as a whole.
func (k pushSink) registries(ctx context.Context, e push.Event) (found bool, err error) {
	s := k.v.shared.session
	list, err := s.reg.Watches(ctx, s.actor, store.WatchFilter{})
	if err != nil {
		return false, err
	}
	for _, w := range list {
		if w.Kind != "image" || w.SourceID != "" {
			continue
		}
		for _, id := range e.Sources {
			if sameRegistry(w.Location, id) {
				if err := s.reg.WantScan(ctx, s.actor, w.Name, registry.WantedPush); err != nil {
					return found, err
				}
				found = true
				break
			}
		}
	}
	return found, nil
}

// Text implements push.Sink.
func (k pushSink) Text(ctx context.Context, l push.Log, r io.Reader) (push.Result, error) {
	facts := &scanFacts{}
	a := k.v.shared.quietApp(io.Discard, facts)
	read := &failing{r: r}
	a.stdin = read
	a.run(ctx, []string{"stdin", "--source=" + l.Source})
	switch {
	case read.err != nil:
		return push.Result{}, read.err
	case !facts.ran:
		return push.Result{}, errors.New("the text could not be scanned")
	}
	out := push.Result{Findings: facts.total.Findings}
	for _, n := range facts.total.Skips {
		out.Skipped += int(n)
	}
	return out, nil
}

// failing remembers why a stream did not come to its end.
type failing struct {
	r   io.Reader
	err error
}

// Read implements io.Reader.
func (f *failing) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		f.err = err
	}
	return n, err
}
