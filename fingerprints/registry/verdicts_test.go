package registry_test

import (
	"context"
	"testing"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
)

// counting is a store that counts how many findings, or places, its transactions
// were asked for, and how many read all fields while nobody else could write.
type counting struct {
	store.Store
	looked, kept int
}

type countingTx struct {
	store.Tx
	s      *counting
	writes bool
}

func (s *counting) View(ctx context.Context, fn func(store.Tx) error) error {
	return s.Store.View(ctx, func(tx store.Tx) error { return fn(countingTx{tx, s, false}) })
}

func (s *counting) Update(ctx context.Context, fn func(store.Tx) error) error {
	return s.Store.Update(ctx, func(tx store.Tx) error { return fn(countingTx{tx, s, true}) })
}

func (t countingTx) Findings(ctx context.Context, now time.Time, f store.FindingFilter) ([]store.FindingView, error) {
	list, err := t.Tx.Findings(ctx, now, f)
	t.s.looked += len(list)
	return list, err
}

func (t countingTx) EachPlace(ctx context.Context, now time.Time, f store.FindingFilter, fn func(store.Place) error) error {
	return t.Tx.EachPlace(ctx, now, f, func(p store.Place) error {
		t.s.looked++
		return fn(p)
	})
}

func (t countingTx) EachField(ctx context.Context, fn func(fingerprints.FieldRow, fingerprints.Version) error) error {
	if t.writes {
		t.s.kept++
	}
	return t.Tx.EachField(ctx, fn)
}

// TestReadAhead: what is registered is read for the first time while others can write.
func TestReadAhead(t *testing.T) {
	k := newKit(t)
	const weak = "swordfish-77"
	k.add("shop/db", weak)
	k.add("shop/mail", k.text(32))
	s := &counting{Store: k.store}
	k.store = s
	for what, do := range map[string]func(){
		"a look-up": func() {
			if known, _, err := k.asking(100, weak); err != nil || len(known) != 1 {
				t.Errorf("%v, %v", known, err)
			}
		},
		"registering": func() { k.add("shop/"+itoa(s.kept), k.text(32)) },
		"a registrar's state": func() {
			if _, err := k.reg.RegistrarState(k.ctx, me()); err != nil {
				t.Error(err)
			}
		},
		"a registrar's rows": func() {
			if _, err := k.reg.KnownRows(k.ctx, me(), nil, "shop/db"); err != nil {
				t.Error(err)
			}
		},
	} {
		k.reg = k.open(k.ring)
		if do(); s.kept > 0 {
			t.Errorf("%s: all fields were read in an update", what)
		}
	}
}

// TestVerdictsAreCounted: commands that change verdicts say how many, and look at
// no finding for it: there may be a million of one value.
func TestVerdictsAreCounted(t *testing.T) {
	const findings = 40
	k := newKit(t)
	value := k.text(32)
	k.add("s", value)
	k.add("pending", k.text(32))
	row := k.rows(ref("s", 1))[0]
	for n := range 2 {
		source := "dir:/" + itoa(n)
		var obs []registry.Observation
		for i := range findings / 2 {
			obs = append(obs, k.seen(source, "p"+itoa(i), value, row))
		}
		k.scan(source, obs...)
	}
	s := &counting{Store: k.store}
	k.store = s
	k.reg = k.open(k.ring)
	allowed := int64(0)
	moved := func(c registry.Changed, err error) ([]registry.VerdictChange, error) { return c.Verdicts, err }
	homed := func(r registry.AllowResult, err error) ([]registry.VerdictChange, error) {
		allowed = r.Home.ID
		return r.Verdicts, err
	}
	for _, c := range []struct {
		what     string
		from, to fingerprints.Verdict
		count    int
		fn       func() ([]registry.VerdictChange, error)
	}{
		{"allow in one source", fingerprints.VerdictLeaked, fingerprints.VerdictAllowed, findings / 2, func() ([]registry.VerdictChange, error) {
			return homed(k.reg.Allow(k.ctx, me(), registry.AllowRequest{Name: "s", Source: "dir:/1", Reason: "r"}))
		}},
		{"unallow", fingerprints.VerdictAllowed, fingerprints.VerdictLeaked, findings / 2, func() ([]registry.VerdictChange, error) {
			return homed(k.reg.Unallow(k.ctx, me(), "s", allowed))
		}},
		{"rotate", fingerprints.VerdictLeaked, fingerprints.VerdictLagging, findings, func() ([]registry.VerdictChange, error) {
			r, err := k.reg.Rotate(k.ctx, me(), registry.RotateRequest{Name: "s", Fields: field(k.text(32)), Window: time.Hour})
			return r.Verdicts, err
		}},
		{"activate", fingerprints.VerdictLagging, fingerprints.VerdictLeaked, findings, func() ([]registry.VerdictChange, error) {
			return moved(k.reg.Activate(k.ctx, me(), ref("s", 1), registry.ActivateOptions{}))
		}},
		{"supersede", fingerprints.VerdictLeaked, fingerprints.VerdictLagging, findings, func() ([]registry.VerdictChange, error) {
			return moved(k.reg.Supersede(k.ctx, me(), ref("s", 1), registry.SupersedeOptions{}))
		}},
		{"retire", fingerprints.VerdictLagging, fingerprints.VerdictStale, findings, func() ([]registry.VerdictChange, error) {
			return moved(k.reg.Retire(k.ctx, me(), ref("s", 1), registry.RetireOptions{NoSuccessor: true}))
		}},
		{"compromise", fingerprints.VerdictStale, fingerprints.VerdictCompromised, findings, func() ([]registry.VerdictChange, error) {
			return moved(k.reg.Compromise(k.ctx, me(), ref("s", 1)))
		}},
	} {
		s.looked = 0
		got, err := c.fn()
		if err != nil {
			t.Fatalf("%s: %v", c.what, err)
		}
		if len(got) != 1 || got[0] != (registry.VerdictChange{From: c.from, To: c.to, Count: c.count}) {
			t.Errorf("%s: %+v, want %d %s that are %s", c.what, got, c.count, c.from, c.to)
		}
		if s.looked > 0 {
			t.Errorf("%s looked at %d findings", c.what, s.looked)
		}
	}
	if _, err := k.reg.Status(k.ctx, me()); err != nil || s.looked > 0 {
		t.Errorf("status looked at %d findings, %v", s.looked, err)
	}
}

// TestFeedTellsHomes: what a home changes is told by its cause, to the last
// finding, whether it covers sources or paths.
func TestFeedTellsHomes(t *testing.T) {
	for _, path := range []string{"", "p*"} {
		k := newKit(t)
		value := k.text(32)
		k.add("s", value)
		row := k.rows(ref("s", 1))[0]
		k.scan("dir:/srv", k.seen("dir:/srv", "p1", value, row), k.seen("dir:/srv", "p2", value, row), k.seen("dir:/srv", "q", k.text(32)))
		told := func(at registry.FeedPosition) map[fingerprints.Verdict]int {
			t.Helper()
			out := map[fingerprints.Verdict]int{}
			for {
				page, err := k.reg.Changes(k.ctx, me(), at, 1)
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range page.Findings {
					out[f.Verdict]++
				}
				if at = page.Next; !page.More {
					return out
				}
			}
		}
		end := func() registry.FeedPosition {
			t.Helper()
			at, err := k.reg.FeedEnd(k.ctx, me())
			if err != nil {
				t.Fatal(err)
			}
			return at
		}
		at := end()
		out, err := k.reg.Allow(k.ctx, me(), registry.AllowRequest{Name: "s", Path: path, Reason: "r"})
		if err != nil || out.Findings != 2 {
			t.Fatalf("%+v, %v", out, err)
		}
		if got := told(at); len(got) != 1 || got[fingerprints.VerdictAllowed] != 2 {
			t.Errorf("path %q: allowed: told %v", path, got)
		}
		at = end()
		if _, err := k.reg.Unallow(k.ctx, me(), "s", out.Home.ID); err != nil {
			t.Fatal(err)
		}
		if got := told(at); len(got) != 1 || got[fingerprints.VerdictLeaked] != 2 {
			t.Errorf("path %q: allowed no more: told %v", path, got)
		}
	}
}

// TestHomesFollowSources: a home of whole sources covers those that come later,
// and leaves one that moves away.
func TestHomesFollowSources(t *testing.T) {
	k := newKit(t)
	value := k.text(32)
	k.add("s", value)
	row := k.rows(ref("s", 1))[0]
	if _, err := k.reg.Allow(k.ctx, me(), registry.AllowRequest{Name: "s", Source: "dir:/in/*", Reason: "r"}); err != nil {
		t.Fatal(err)
	}
	verdict := func(source string) fingerprints.Verdict {
		t.Helper()
		list, err := k.reg.Findings(k.ctx, me(), store.FindingFilter{SourceID: source})
		if err != nil || len(list) != 1 {
			t.Fatalf("%d findings, %v", len(list), err)
		}
		return list[0].Verdict
	}
	k.scan("dir:/in/a", k.seen("dir:/in/a", "p", value, row))
	if v := verdict("dir:/in/a"); v != fingerprints.VerdictAllowed {
		t.Errorf("in a source that is new: %s", v)
	}
	if _, err := k.reg.MoveSource(k.ctx, me(), "dir:/in/a", "dir:/out/a"); err != nil {
		t.Fatal(err)
	}
	if v := verdict("dir:/out/a"); v != fingerprints.VerdictLeaked {
		t.Errorf("moved away: %s", v)
	}
	if _, err := k.reg.MoveSource(k.ctx, me(), "dir:/out/a", "dir:/in/b"); err != nil {
		t.Fatal(err)
	}
	if v := verdict("dir:/in/b"); v != fingerprints.VerdictAllowed {
		t.Errorf("moved in: %s", v)
	}
}
