package notify_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/keys"
	"revenant/fingerprints/registration"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
	"revenant/fingerprints/store/sqlstore"
	"revenant/fingerprints/store/storetest"
	"revenant/ingest/credential"
	"revenant/ingest/notify"
)

// kit is a registry with findings, and a clock that only tests move.
type kit struct {
	t     testing.TB
	ctx   context.Context
	store store.Store
	reg   *registry.Registry
	ring  *keys.Ring
	rand  *rand.ChaCha8
	log   bytes.Buffer

	mu  sync.Mutex
	now time.Time
}

func newKit(t testing.TB) *kit {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "registry.db"), sqlstore.Options{Access: sqlstore.CreateIfMissing})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return kitOn(t, s)
}

func kitOn(t testing.TB, s store.Store) *kit {
	t.Helper()
	var seed [32]byte
	copy(seed[:], t.Name())
	k := &kit{t: t, ctx: t.Context(), store: s, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), rand: rand.NewChaCha8(seed)}
	var err error
	if k.ring, err = keys.NewRing(k.rand, k.now); err != nil {
		t.Fatal(err)
	}
	k.reg, err = registry.New(registry.Options{Store: s, Ring: k.ring, Now: k.clock, Rand: k.rand})
	if err == nil {
		_, err = k.reg.Init(k.ctx, me())
	}
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func me() registry.Actor { return registry.Local("tester") }

func (k *kit) clock() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.now
}

func (k *kit) wait(d time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.now = k.now.Add(d)
}

// text draws a strong value.
func (k *kit) text() string {
	const letters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"
	b := make([]byte, 32)
	for i := range b {
		b[i] = letters[k.rand.Uint64()%uint64(len(letters))]
	}
	return string(b)
}

func (k *kit) must(err error) {
	k.t.Helper()
	if err != nil {
		k.t.Fatal(err)
	}
}

func (k *kit) add(name, value string) {
	k.t.Helper()
	_, err := k.reg.Add(k.ctx, me(), registry.AddRequest{
		Name: name, Owner: "team-" + name, Fields: []registry.Field{{Value: fingerprints.NewValue([]byte(value))}},
	})
	k.must(err)
}

func (k *kit) retire(name string, n int) {
	k.t.Helper()
	_, err := k.reg.Retire(k.ctx, me(), fingerprints.VersionRef{Name: name, Number: n}, registry.RetireOptions{NoSuccessor: true})
	k.must(err)
}

func (k *kit) rows(name string) []fingerprints.RowID {
	k.t.Helper()
	return storetest.Rows(k.t, k.store, fingerprints.VersionRef{Name: name, Number: 1})
}

const src = "git:example.org/shop"

// seen is a sighting of a value; of one that is registered with its rows.
func (k *kit) seen(path, value string, rows ...fingerprints.RowID) registry.Observation {
	k.t.Helper()
	return k.seenAt(src, path, value, rows...)
}

func (k *kit) seenAt(source, path, value string, rows ...fingerprints.RowID) registry.Observation {
	k.t.Helper()
	aud, ok := registration.IdentityAudience([]byte(value))
	if !ok {
		k.t.Fatal("the test's value is too weak to have an id")
	}
	key := k.ring.Identity(aud)
	v, p := key.ValueID([]byte(value)), key.PathID([]byte(path))
	rule := ""
	if len(rows) == 0 {
		rule = "generic-api-key"
	}
	return registry.Observation{RawPath: path, Observed: store.Observed{
		FindingID: key.FindingID(v, source, p), Value: v, Rows: rows, SourceID: source, Path: path, PathID: p,
		Sighting: fingerprints.Sighting{
			Start: 10, End: 10 + int64(len(value)), Line: 2, Column: 3, EndLine: 2, EndColumn: 3 + len(value), Form: fingerprints.FormRaw,
			Rule: rule, Presence: fingerprints.PresenceTip, Context: "password=[redacted]", URL: "https://example.org/shop/blob/main/" + path,
		},
	}}
}

func (k *kit) scan(obs ...registry.Observation) { k.t.Helper(); k.scanOf(src, obs...) }

func (k *kit) scanOf(source string, obs ...registry.Observation) {
	k.t.Helper()
	k.wait(time.Second)
	m, err := k.reg.Meta(k.ctx, me())
	k.must(err)
	run, err := k.reg.BeginScan(k.ctx, me(), registry.ScanStart{
		SourceID: source, Kind: fingerprints.KindGit, Generic: true, FieldRevision: m.FieldRevision, PackRevision: m.PackRevision,
	})
	k.must(err)
	k.wait(time.Second)
	_, err = run.Record(k.ctx, obs)
	k.must(err)
	k.wait(time.Second)
	_, err = run.Finish(k.ctx, registry.Outcome{Complete: true})
	k.must(err)
}

// inbox is a receiver of tests: it keeps what it takes, and fails when told to.
type inbox struct {
	mu   sync.Mutex
	got  []notify.Message
	fail func(m notify.Message) error // nil: it takes everything
	rang chan struct{}                // a token for each that arrived, where a test waits for it
}

func (b *inbox) Send(_ context.Context, m notify.Message) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail != nil {
		if err := b.fail(m); err != nil {
			return err
		}
	}
	b.got = append(b.got, m)
	if b.rang != nil {
		b.rang <- struct{}{}
	}
	return nil
}

// take returns what arrived since it was asked last.
func (b *inbox) take() []notify.Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := b.got
	b.got = nil
	return out
}

// events are what messages tell, as "opened leaked app@1 a.env".
func events(list []notify.Message) []string {
	var out []string
	for _, m := range list {
		if m.Kind == wire.NotifySummary {
			out = append(out, fmt.Sprintf("summary of %d", m.Total))
			continue
		}
		for _, e := range m.Events {
			words := []string{string(e.Event)}
			if e.Was != "" {
				words = append(words, "was", e.Was)
			}
			if e.Source != "" {
				words = append(words, e.Source)
			}
			if e.Finding != nil {
				name := e.Finding.Rule
				if len(e.Finding.Matches) > 0 {
					name = e.Finding.Matches[0].Ref()
				}
				words = append(words, string(e.Verdict), name, e.Finding.Path)
			}
			out = append(out, strings.Join(words, " "))
		}
	}
	slices.Sort(out)
	return out
}

// hook is a receiver that tests need no server for.
func hook(t testing.TB, name string) notify.Receiver {
	t.Helper()
	ref, err := credential.Parse("env:HOOK")
	if err != nil {
		t.Fatal(err)
	}
	return notify.Receiver{Name: name, Webhook: &notify.Webhook{URL: "https://example.org/hook", Secret: ref}}
}

func issueTracker(t testing.TB, name string) notify.Receiver {
	t.Helper()
	ref, err := credential.Parse("env:TOKEN")
	if err != nil {
		t.Fatal(err)
	}
	return notify.Receiver{Name: name, GitHub: &notify.GitHub{Repository: "acme/leaks", Token: ref}}
}

func everything(receivers ...string) notify.Rule {
	return notify.Rule{Name: "everything", Receivers: receivers}
}

// notifier tells one inbox, by the given rules or of everything.
func (k *kit) notifier(b notify.Sender, rules ...notify.Rule) *notify.Notifier {
	k.t.Helper()
	if len(rules) == 0 {
		rules = []notify.Rule{everything("chat")}
	}
	return k.with(notify.Config{URL: "https://revenant.example.org", Receivers: []notify.Receiver{hook(k.t, "chat")}, Rules: rules}, map[string]notify.Sender{"chat": b})
}

func (k *kit) with(c notify.Config, senders map[string]notify.Sender) *notify.Notifier {
	k.t.Helper()
	return k.built(notify.Options{Config: c, Senders: senders})
}

// built is a notifier of the kit's store and clock.
func (k *kit) built(o notify.Options) *notify.Notifier {
	k.t.Helper()
	o.Store, o.Registry, o.Now, o.Rand, o.Poll = k.store, k.reg, k.clock, k.rand, time.Millisecond
	o.Log = slog.New(slog.NewTextHandler(&k.log, nil))
	n, err := notify.New(o)
	k.must(err)
	return n
}

// round waits for every window and does what is due.
func (k *kit) round(n *notify.Notifier) {
	k.t.Helper()
	k.must(n.Round(k.ctx))
	k.wait(31 * time.Second)
	k.must(n.Round(k.ctx))
}
