package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/pack"
	"revenant/fingerprints/registry"
	"revenant/scanners/registered"
	"revenant/scanners/rules"
)

// packEvery is how often a process that keeps scanning looks whether the
// registry has moved.
const packEvery = time.Second

// shared is what all scans of a process that keeps scanning have in common: the
// registry, the pack, the generic rules.
type shared struct {
	a       *app
	session *session
	log     *slog.Logger

	renewing sync.Mutex
	underWay sync.Map // watch -> *scanFacts

	streams sync.Map // watch -> *followed

	mu    sync.Mutex
	own   []*ownTopic   // that this process writes to
	turn  chan struct{} // closed when there is a newer pack
	pack  *sharedPack
	rules map[string]*rules.Matcher
}

// sharedPack is an open pack. Scans that began with it end with it, also when
// there is a newer one; the last one closes it.
type sharedPack struct {
	file    *os.File
	matcher *registered.Matcher
	header  pack.Header
	key     registry.PackKey
	fields  int
	users   atomic.Int64
}

func (p *sharedPack) release() error {
	if p.users.Add(-1) > 0 {
		return nil
	}
	return p.file.Close()
}

// newShared opens the registry and its pack.
func (a *app) newShared(ctx context.Context, log *slog.Logger) (*shared, error) {
	s, err := a.openSession(ctx)
	if err != nil {
		return nil, err
	}
	s.lasts = true
	v := &shared{a: a, session: s, log: log, rules: map[string]*rules.Matcher{}, turn: make(chan struct{})}
	if err := v.renew(ctx); err != nil {
		return nil, errors.Join(err, v.close())
	}
	return v, nil
}

func (v *shared) close() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	var err error
	if v.pack != nil {
		err = v.pack.release()
		v.pack = nil
	}
	return errors.Join(err, v.session.rememberHead(context.Background()), v.session.store.Close())
}

// renew compiles and opens the pack anew where the registry has moved.
func (v *shared) renew(ctx context.Context) error {
	v.renewing.Lock()
	defer v.renewing.Unlock()
	s := v.session
	key, err := s.reg.PackKey(ctx, s.actor, fingerprints.AudienceCore)
	if err != nil {
		return err
	}
	v.mu.Lock()
	same := v.pack != nil && v.pack.key == key
	v.mu.Unlock()
	if same {
		return nil
	}
	file, err := v.a.cachedPack(ctx, s, fingerprints.AudienceCore)
	if err != nil {
		return fmt.Errorf("compiling the registry: %w", err)
	}
	next, err := openShared(file, s)
	if err != nil {
		return errors.Join(fmt.Errorf("compiling the registry: %w", err), file.Close())
	}
	next.key = key
	v.mu.Lock()
	old := v.pack
	v.pack = next
	close(v.turn)
	v.turn = make(chan struct{})
	v.mu.Unlock()
	v.log.InfoContext(ctx, "registered values are looked for with a new pack", slog.Uint64("revision", next.header.Revision), slog.Int("fields", next.fields))
	if old != nil {
		return old.release()
	}
	return nil
}

func openShared(file *os.File, s *session) (*sharedPack, error) {
	var e eye
	h, err := e.usePack(file, s.ring, pack.Options{})
	if err != nil {
		return nil, err
	}
	p := &sharedPack{file: file, matcher: e.registered, header: h, fields: e.fields}
	p.users.Store(1)
	return p, nil
}

// follow keeps the pack up to date until the context ends.
func (v *shared) follow(ctx context.Context) {
	tick := time.NewTicker(packEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := v.renew(ctx); err != nil && ctx.Err() == nil {
			v.log.WarnContext(ctx, "the registry's newest values are not looked for yet; it is tried again", slog.Any("error", err))
		}
	}
}

// lend gives the pack to an eye, which gives it back when it is closed.
func (v *shared) lend(e *eye) {
	v.mu.Lock()
	p := v.pack
	p.users.Add(1)
	v.mu.Unlock()
	e.closers = append(e.closers, p.release)
	e.registered, e.fields = p.matcher, p.fields
	e.fieldRevision, e.packRevision = p.header.FieldRevision, p.header.Revision
}

// renewed is closed when there is a newer pack than now.
func (v *shared) renewed() <-chan struct{} {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.turn
}

// fieldRevision is that of the pack in use.
func (v *shared) fieldRevision() uint64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.pack.header.FieldRevision
}

// generic opens rules that no file says, once each.
func (v *shared) generic(o rules.Options) (*rules.Matcher, error) {
	key := fmt.Sprintf("%d %d", o.Own, o.DecodeDepth)
	v.mu.Lock()
	defer v.mu.Unlock()
	if m := v.rules[key]; m != nil {
		return m, nil
	}
	m, err := rules.New(o)
	if err == nil {
		v.rules[key] = m
	}
	return m, err
}
