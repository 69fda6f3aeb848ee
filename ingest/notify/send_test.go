package notify_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
	"revenant/fingerprints/store/postgrestest"
	"revenant/fingerprints/store/sqlstore"
	"revenant/ingest/notify"
)

// errCrash is what a process leaves behind that is killed while it sends.
var errCrash = errors.New("killed")

// crashing is a store whose process dies at one of its writes.
type crashing struct {
	store.Store
	mu     sync.Mutex
	writes int // that still succeed
}

func (c *crashing) Update(ctx context.Context, fn func(store.Tx) error) error {
	c.mu.Lock()
	dead := c.writes <= 0
	c.writes--
	c.mu.Unlock()
	if dead {
		return errCrash
	}
	return c.Store.Update(ctx, fn)
}

// A process that is killed at any of its writes loses nothing: the next one tells
// the rest, and what was sent already comes again under the same id.
func TestKilledAtAnyWrite(t *testing.T) {
	for writes := range 12 {
		t.Run(fmt.Sprint(writes), func(t *testing.T) {
			k := newKit(t)
			b := &inbox{}
			k.round(k.notifier(b))
			var obs []registry.Observation
			for i := range 3 {
				obs = append(obs, k.seen(fmt.Sprintf("%d.env", i), k.text()))
				k.scan(obs...)
			}
			whole := k.store
			k.store = &crashing{Store: whole, writes: writes}
			dying := k.notifier(b)
			if err := errors.Join(dying.Round(k.ctx)); err != nil && !errors.Is(err, errCrash) {
				t.Fatal(err)
			}
			k.wait(31 * time.Second)
			if err := dying.Round(k.ctx); err != nil && !errors.Is(err, errCrash) {
				t.Fatal(err)
			}
			k.store = whole
			n := k.notifier(b)
			k.round(n)
			k.wait(5 * time.Minute) // the lease of the dead one ends
			k.round(n)
			ids := map[string]bool{}
			told := map[string]int{}
			for _, m := range b.take() {
				if ids[m.ID] {
					if m.Attempt < 2 {
						t.Errorf("%s came twice as attempt %d", m.ID, m.Attempt)
					}
					continue
				}
				ids[m.ID] = true
				for _, e := range events([]notify.Message{m}) {
					told[e]++
				}
			}
			for i := range 3 {
				if e := fmt.Sprintf("opened unregistered generic-api-key %d.env", i); told[e] != 1 {
					t.Errorf("told %d times under different ids: %s", told[e], e)
				}
			}
			if back, err := n.Backlog(k.ctx); err != nil || back != (notify.Backlog{}) {
				t.Errorf("left: %+v, %v", back, err)
			}
		})
	}
}

// A receiver that fails is tried less and less often, under the same id, until
// the time of the message is over; then it is listed, and can be sent again.
func TestGivenUp(t *testing.T) {
	k := newKit(t)
	ids := map[string]int{}
	b := &inbox{}
	n := k.with(notify.Config{
		GiveUpAfter: 3 * time.Hour, Receivers: []notify.Receiver{hook(t, "chat")}, Rules: []notify.Rule{everything("chat")},
	}, map[string]notify.Sender{"chat": b})
	k.round(n)
	b.fail = func(m notify.Message) error {
		ids[m.ID]++
		if m.Attempt != ids[m.ID] {
			t.Errorf("attempt %d is called %d", ids[m.ID], m.Attempt)
		}
		return &notify.SendError{Words: "it answered 503"}
	}
	k.scan(k.seen("a.env", k.text()))
	began := k.clock()
	var tries []time.Duration
	for k.clock().Sub(began) < 4*time.Hour {
		before := sum(ids)
		k.must(n.Round(k.ctx))
		if sum(ids) > before {
			tries = append(tries, k.clock().Sub(began))
		}
		k.wait(time.Second)
		if len(tries) > 6 {
			k.wait(4 * time.Minute)
		}
	}
	if len(ids) != 1 || len(tries) < 15 || len(tries) > 40 {
		t.Errorf("%d messages, %d attempts", len(ids), len(tries))
	}
	if first := tries[1] - tries[0]; first < 2*time.Second || first > 7*time.Second {
		t.Errorf("the second attempt came after %s", first)
	}
	back, err := n.Backlog(k.ctx)
	if err != nil || back != (notify.Backlog{Undelivered: 1}) {
		t.Fatalf("%+v, %v", back, err)
	}
	lost, err := n.Deliveries(k.ctx, store.DeliveryFilter{State: store.DeliveryGivenUp})
	if err != nil || len(lost) != 1 || lost[0].Problem != "it answered 503" || lost[0].Receiver != "chat" {
		t.Fatalf("undelivered: %+v, %v", lost, err)
	}
	b.fail = nil
	k.round(n)
	if got := b.take(); len(got) > 0 {
		t.Errorf("sent although it was given up: %v", events(got))
	}
	k.must(n.Retry(k.ctx, lost[0].ID))
	k.round(n)
	if got := b.take(); len(got) != 1 || got[0].ID != lost[0].ID {
		t.Errorf("sent again: %v", events(got))
	}
}

func sum(counts map[string]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}

func TestRefused(t *testing.T) {
	k := newKit(t)
	b := &inbox{fail: func(notify.Message) error { return &notify.SendError{Words: "it answered 410", Refused: true} }}
	n := k.notifier(b)
	k.round(n)
	k.scan(k.seen("a.env", k.text()))
	k.round(n)
	if back, err := n.Backlog(k.ctx); err != nil || back != (notify.Backlog{Undelivered: 1}) {
		t.Errorf("%+v, %v", back, err)
	}
}

// A receiver that asks to be left alone is, with all of its messages.
func TestRetryAfter(t *testing.T) {
	k := newKit(t)
	calls := 0
	b := &inbox{}
	n := k.notifier(b)
	k.round(n)
	b.fail = func(notify.Message) error {
		if calls++; calls > 1 {
			return nil
		}
		return &notify.SendError{Words: "it answered 429", After: 10 * time.Minute}
	}
	k.scan(k.seen("a.env", k.text()))
	k.round(n)
	k.scan(k.seen("a.env", k.text()), k.seen("b.env", k.text()))
	for range 9 {
		k.must(n.Round(k.ctx))
		k.wait(time.Minute)
	}
	if calls != 1 {
		t.Errorf("%d calls within ten minutes", calls)
	}
	k.wait(time.Minute)
	k.round(n)
	if got := b.take(); len(got) != 2 {
		t.Errorf("afterwards: %v", events(got))
	}
}

// An error that nobody made for people is not shown.
func TestUnknownError(t *testing.T) {
	k := newKit(t)
	const canary = "canary-in-an-error"
	b := &inbox{fail: func(notify.Message) error { return errors.New(canary) }}
	n := k.notifier(b)
	k.round(n)
	k.scan(k.seen("a.env", k.text()))
	k.round(n)
	list, err := n.Deliveries(k.ctx, store.DeliveryFilter{})
	if err != nil || len(list) != 1 || list[0].Problem != "it could not be sent" || strings.Contains(k.log.String(), canary) {
		t.Errorf("%+v, %v, log %s", list, err, k.log.String())
	}
}

// A receiver that was taken out of the configuration: what waits for it is given
// up at its time, and listed.
func TestRemovedReceiver(t *testing.T) {
	k := newKit(t)
	n := k.notifier(&inbox{})
	k.round(n)
	k.scan(k.seen("a.env", k.text()))
	k.must(n.Follow(k.ctx))
	other := k.with(notify.Config{Receivers: []notify.Receiver{hook(t, "mail")}, Rules: []notify.Rule{everything("mail")}}, map[string]notify.Sender{"mail": &inbox{}})
	k.round(other)
	k.wait(25 * time.Hour)
	k.round(other)
	lost, err := other.Deliveries(k.ctx, store.DeliveryFilter{State: store.DeliveryGivenUp})
	if err != nil || len(lost) != 1 || lost[0].Receiver != "chat" || !strings.Contains(lost[0].Problem, "not configured") {
		t.Errorf("%+v, %v", lost, err)
	}
}

// Several processes run at once on one store, and each message is sent once.
func TestManyProcesses(t *testing.T) {
	stores := map[string]func(t *testing.T) func() store.Store{
		"SQLite": func(t *testing.T) func() store.Store {
			path := filepath.Join(t.TempDir(), "registry.db")
			return func() store.Store { return open(t, path) }
		},
		"PostgreSQL": func(t *testing.T) func() store.Store {
			place := postgrestest.Start(t, postgrestest.Options{}).Schema(t)
			return func() store.Store { return open(t, place) }
		},
	}
	for name, opening := range stores {
		t.Run(name, func(t *testing.T) {
			next := opening(t)
			k := kitOn(t, next())
			b := &inbox{rang: make(chan struct{}, 1000)}
			value := k.text() // what is critical does not wait: the clock of the test stands still
			k.add("app", value)
			rows := k.rows("app")
			k.round(k.notifier(b))
			ctx, stop := context.WithCancel(k.ctx)
			var all sync.WaitGroup
			for i := range 3 {
				o := notify.Options{
					Config: notify.Config{Receivers: []notify.Receiver{hook(t, "chat")}, Rules: []notify.Rule{everything("chat")}},
					Store:  next(), Registry: k.reg, Senders: map[string]notify.Sender{"chat": b}, Now: k.clock, Poll: time.Millisecond, Rand: rand.NewChaCha8([32]byte{byte(i)}),
				}
				n, err := notify.New(o)
				k.must(err)
				all.Go(func() {
					if err := n.Run(ctx); err != nil {
						t.Error(err)
					}
				})
			}
			const scans, each = 8, 5
			var obs []registry.Observation
			for i := range scans {
				for j := range each {
					obs = append(obs, k.seen(fmt.Sprintf("%d-%d.env", i, j), value, rows...))
				}
				k.scan(obs...)
			}
			var got []notify.Message
			for deadline := time.After(60 * time.Second); count(got) < scans*each; got = append(got, b.take()...) {
				select {
				case <-b.rang:
					continue
				case <-deadline:
				}
				break
			}
			stop()
			all.Wait()
			got = append(got, b.take()...)
			list := events(got)
			ids := map[string]bool{}
			for _, m := range got {
				if ids[m.ID] {
					t.Errorf("message %s was sent twice", m.ID)
				}
				ids[m.ID] = true
			}
			if n := len(slices.Compact(slices.Clone(list))); count(got) != scans*each || len(list) != n {
				t.Errorf("%d told, want %d; %d events, %d of them once", count(got), scans*each, len(list), n)
			}
		})
	}
}

func count(list []notify.Message) (n int) {
	for _, m := range list {
		n += m.Total
	}
	return n
}

func open(t *testing.T, place string) store.Store {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), place, sqlstore.Options{Access: sqlstore.CreateIfMissing})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Groups: one message for each version or rule in each source, with what is open.
func TestGroups(t *testing.T) {
	k := newKit(t)
	b := &inbox{}
	n := k.with(notify.Config{Receivers: []notify.Receiver{issueTracker(t, "issues")}, Rules: []notify.Rule{everything("issues")}}, map[string]notify.Sender{"issues": b})
	k.round(n)
	value, other := k.text(), k.text()
	k.add("app", value)
	rows := k.rows("app")
	a, c, g := k.seen("a.env", value, rows...), k.seen("c.env", value, rows...), k.seen("g.env", other)
	const second = "git:example.org/other"
	k.scan(a, c, g)
	k.scanOf(second, k.seenAt(second, "a.env", value, rows...))
	want := func(what string, want ...string) {
		t.Helper()
		k.round(n)
		var got []string
		for _, m := range b.take() {
			g := m.Group
			if g == nil {
				t.Fatalf("%s: without a group", what)
			}
			got = append(got, fmt.Sprintf("%s@%d %s %s: %d open, %d events", g.Secret, g.Version, g.Rule, g.Source, g.Open, m.Total))
		}
		slices.Sort(got)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", what, d)
		}
	}
	want("new", "@0 generic-api-key "+src+": 1 open, 1 events", "app@1  "+second+": 1 open, 1 events", "app@1  "+src+": 2 open, 2 events")
	k.scan(a, g)
	want("one of two gone", "app@1  "+src+": 1 open, 1 events")
	k.add("shop", other)
	want("registered: the issue of the rule has none left", "@0 generic-api-key "+src+": 0 open, 1 events", "shop@1  "+src+": 1 open, 1 events")
	k.scan()
	want("all gone", "app@1  "+src+": 0 open, 1 events", "shop@1  "+src+": 0 open, 1 events")
	k.must(n.Health(k.ctx, src, "no route"))
	want("failing", "@0  "+src+": 1 open, 1 events")
	k.must(n.Health(k.ctx, src, ""))
	want("recovered", "@0  "+src+": 0 open, 1 events")
}

// Nothing that is told, kept or logged holds a value.
func TestCanary(t *testing.T) {
	k := newKit(t)
	b := &inbox{}
	n := k.notifier(b)
	k.round(n)
	value, generic := k.text(), k.text()
	k.add("app", value)
	k.scan(k.seen("a.env", value, k.rows("app")...), k.seen("g.env", generic), k.seen("odd\x1b[31m\u202e.env", k.text()))
	k.round(n)
	k.retire("app", 1)
	b.fail = func(notify.Message) error { return &notify.SendError{Words: "it answered 500"} }
	k.round(n)
	var all strings.Builder
	for _, m := range b.take() {
		fmt.Fprintf(&all, "%+v\n", m.Notification)
		for _, e := range m.Events {
			fmt.Fprintf(&all, "%+v\n", *e.Finding)
		}
	}
	all.WriteString(k.log.String())
	for _, canary := range []string{value, generic, "password=", "\x1b", "\u202e"} {
		if strings.Contains(all.String(), canary) {
			t.Errorf("what was told or logged holds %q", canary)
		}
	}
	if !strings.Contains(all.String(), "odd?[31m?.env") || !strings.Contains(k.log.String(), "it answered 500") {
		t.Errorf("the test sees too little:\n%s", all.String())
	}
}
