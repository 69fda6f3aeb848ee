package storetest

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// counted compares what is counted in other ways with what is listed, at the end
// of every test.
func (f *fixture) counted() {
	f.t.Helper()
	if f.t.Failed() {
		return
	}
	for _, now := range []time.Time{hour(5), hour(50), hour(1000)} {
		all := f.findings(now, store.FindingFilter{})
		filters := []store.FindingFilter{{}}
		bySource := map[string]map[fingerprints.Verdict]int{}
		for _, v := range all {
			if bySource[v.SourceID] == nil {
				bySource[v.SourceID] = map[fingerprints.Verdict]int{}
			}
			bySource[v.SourceID][v.Verdict]++
		}
		f.view(func(tx store.Tx) error {
			got, err := tx.VerdictsBySource(f.ctx, now, nil)
			f.diff("VerdictsBySource", bySource, got)
			if err != nil {
				return err
			}
			ids := slices.Sorted(maps.Keys(bySource))
			for _, some := range [][]string{ids[len(ids)/2:], ids[:len(ids)/2], {"dir:/none"}, {}} {
				got, err := tx.VerdictsBySource(f.ctx, now, some)
				if err != nil {
					return err
				}
				want := maps.Clone(bySource)
				maps.DeleteFunc(want, func(id string, _ map[fingerprints.Verdict]int) bool { return !slices.Contains(some, id) })
				f.diff("VerdictsBySource of some", want, got)
			}
			return nil
		})
		for i := 0; i < len(all); i += 1 + len(all)/10 {
			v := all[i]
			filters = append(filters, store.FindingFilter{SourceID: v.SourceID})
			if !v.Value.IsZero() {
				filters = append(filters, store.FindingFilter{Value: v.Value})
			}
			for _, m := range v.Matches {
				filters = append(filters, store.FindingFilter{Secret: m.Version.Secret, Version: m.Version.Number})
			}
		}
		for n := 0; n < len(all); n += 1 + len(all)*2/3 {
			v := all[n]
			more := []store.FindingFilter{
				{}, {Owner: v.Owner}, {Presences: []fingerprints.Presence{v.Presence}}, {PathGlob: "s*/**", SourceID: v.SourceID},
			}
			if len(v.Rules) > 0 {
				more = append(more, store.FindingFilter{Rule: v.Rules[0]})
			}
			filters = append(filters, store.FindingFilter{Presences: fingerprints.Presences()})
			for i, filter := range more {
				all := fingerprints.Statuses()
				for _, filter.Statuses = range [][]fingerprints.Status{nil, all[:1+n%2], all[1:], {v.Status}}[i%2:] {
					filters = append(filters, filter)
				}
			}
		}
		for _, filter := range filters[:min(3, len(filters))] {
			filter.Verdicts = []fingerprints.Verdict{fingerprints.VerdictStale, fingerprints.VerdictUnregistered}
			filters = append(filters, filter)
		}
		for _, filter := range filters {
			want := map[fingerprints.Verdict]int{}
			for _, v := range all {
				if selects(filter, v) {
					want[v.Verdict]++
				}
			}
			f.view(func(tx store.Tx) error {
				got, err := tx.CountVerdicts(f.ctx, now, filter)
				f.diff(fmt.Sprintf("CountVerdicts of %+v and what is listed", filter), want, got)
				return err
			})
		}
	}
}

func selects(f store.FindingFilter, v store.FindingView) bool {
	if len(f.Verdicts) > 0 && !slices.Contains(f.Verdicts, v.Verdict) {
		return false
	}
	if len(f.Statuses) > 0 && !slices.Contains(f.Statuses, v.Status) || len(f.Presences) > 0 && !slices.Contains(f.Presences, v.Presence) {
		return false
	}
	if f.Owner != "" && f.Owner != v.Owner || f.Rule != "" && !slices.Contains(v.Rules, f.Rule) {
		return false
	}
	if f.PathGlob != "" && !doublestar.MatchUnvalidated(f.PathGlob, v.Path) {
		return false
	}
	if f.SourceID != "" && f.SourceID != v.SourceID || !f.Value.IsZero() && f.Value != v.Value {
		return false
	}
	if f.Secret == "" {
		return true
	}
	for _, m := range v.Matches {
		if m.Version.Secret == f.Secret && (f.Version == 0 || m.Version.Number == f.Version) {
			return true
		}
	}
	return false
}

// testWholeHomes covers sources, and not what others have there.
func testWholeHomes(t *testing.T, f *fixture) {
	const other = "dir:/other"
	f.source(dir, other)
	f.put("a", version("a", 1, fingerprints.StateActive))
	f.put("b", version("b", 2, fingerprints.StateActive))
	at := func(n int, source string) store.Observed {
		o := registered(n)
		o.SourceID, o.FindingID = source, findingID(n+10*len(source))
		return o
	}
	inA, outA, inB := at(1, dir), at(1, other), at(2, dir)
	f.record(hour(1), inA, outA, inB)
	var home int64
	f.update(func(tx store.Tx) (err error) {
		home, err = tx.AddAllow(f.ctx, store.Allow{Secret: "a", SourceGlob: dir, PathGlob: "**", Until: hour(9), Whole: true})
		return err
	})
	check := func(what string, want ...fingerprints.Verdict) {
		t.Helper()
		var got []fingerprints.Verdict
		for _, o := range []store.Observed{inA, outA, inB} {
			v := f.finding(hour(5), o.FindingID)
			got = append(got, v.Verdict)
			if allowed := v.Verdict == fingerprints.VerdictAllowed; allowed != (len(v.Allowed) == 1 && v.Allowed[0] == home) {
				t.Errorf("%s: %s is %s, with homes %v", what, o.SourceID, v.Verdict, v.Allowed)
			}
		}
		f.diff(what, want, got)
		f.counted()
	}
	covered := func(want int) {
		t.Helper()
		f.view(func(tx store.Tx) error {
			n, err := tx.CountCovered(f.ctx, home)
			if n != want {
				t.Errorf("the home covers %d findings, want %d", n, want)
			}
			list, err2 := tx.Findings(f.ctx, hour(5), store.FindingFilter{Home: home})
			counts, err3 := tx.CountVerdicts(f.ctx, hour(5), store.FindingFilter{Home: home})
			of := 0
			for _, n := range counts {
				of += n
			}
			if len(list) != want || of != want {
				t.Errorf("%d findings of the home are listed and %d counted, want %d", len(list), of, want)
			}
			return errors.Join(err, err2, err3)
		})
	}
	const leaked, allowed = fingerprints.VerdictLeaked, fingerprints.VerdictAllowed
	check("a home without sources", leaked, leaked, leaked)
	covered(0)
	f.update(func(tx store.Tx) error { return tx.CoverSources(f.ctx, home, []string{dir, "dir:/missing"}) })
	check("covered", allowed, leaked, leaked)
	covered(1)
	if v := f.finding(hour(9), inA.FindingID); v.Verdict != leaked {
		t.Errorf("past its end: %s", v.Verdict)
	}
	f.record(hour(2), inA) // a scan that names no home takes nothing away
	check("scanned again", allowed, leaked, leaked)
	f.update(func(tx store.Tx) error { return tx.SetSourceHomes(f.ctx, other, []int64{home, 987654}) })
	check("another source", allowed, allowed, leaked)
	f.view(func(tx store.Tx) error {
		ids, err := tx.Lapsed(f.ctx, hour(8), hour(9), "", 10)
		f.diff("what ends with the home", []fingerprints.FindingID{outA.FindingID, inA.FindingID}, ids)
		return err
	})
	f.update(func(tx store.Tx) error { return tx.SetSourceHomes(f.ctx, dir, nil) })
	f.diff("a home that covers no more", leaked, f.finding(hour(5), inA.FindingID).Verdict)
	f.update(func(tx store.Tx) error { return tx.SetAllowEnd(f.ctx, home, hour(3)) })
	f.diff("a home that ended", leaked, f.finding(hour(5), outA.FindingID).Verdict)
	f.update(func(tx store.Tx) error { return tx.RemoveAllow(f.ctx, home) })
	f.update(func(tx store.Tx) error {
		f.wantErr("SetAllowEnd", tx.SetAllowEnd(f.ctx, home, hour(9)), store.ErrNotFound)
		f.wantErr("SetSourceHomes", tx.SetSourceHomes(f.ctx, "dir:/missing", nil), store.ErrNotFound)
		return nil
	})
}

func testPlaces(t *testing.T, f *fixture) {
	f.source(dir)
	f.put("a", version("a", 1, fingerprints.StateActive))
	f.record(hour(1), registered(1), observed(2), observed(3))
	for _, c := range []struct {
		name   string
		filter store.FindingFilter
		want   []int
	}{
		{"all", store.FindingFilter{}, []int{1, 2, 3}},
		{"of a secret", store.FindingFilter{Secret: "a"}, []int{1}},
		{"of a value", store.FindingFilter{Value: valueID(3)}, []int{3}},
		{"by verdict", store.FindingFilter{Verdicts: []fingerprints.Verdict{fingerprints.VerdictUnregistered}}, []int{2, 3}},
		{"none", store.FindingFilter{Secret: "b"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := map[store.Place]bool{}
			f.view(func(tx store.Tx) error {
				return tx.EachPlace(f.ctx, hour(2), c.filter, func(p store.Place) error {
					got[p] = true
					return nil
				})
			})
			want := map[store.Place]bool{}
			for _, n := range c.want {
				want[store.Place{Finding: findingID(n), Value: valueID(n), SourceID: dir, Path: "conf/app.env"}] = true
			}
			f.diff("places", want, got)
		})
	}
	stop := errors.New("enough")
	f.view(func(tx store.Tx) error {
		f.wantErr("EachPlace", tx.EachPlace(f.ctx, hour(2), store.FindingFilter{}, func(store.Place) error { return stop }), stop)
		return nil
	})
}

// groupBed is what testGroups plays with.
type groupBed struct {
	*fixture
	r        *rand.Rand
	versions []fingerprints.Version
	homes    []int64
	now      time.Time
	at       int
}

const (
	bedSources  = 4
	bedVersions = 5
)

func bedSource(n int) string { return fmt.Sprint("dir:/", n) }

// testGroups does many things in a seeded order. After each, what is counted must
// be what is listed; and what VerdictGroups says of a change must be what became of
// each single finding.
func testGroups(t *testing.T, f *fixture) {
	b := &groupBed{fixture: f, r: rand.New(rand.NewPCG(5, 5)), now: hour(500)}
	for n := range bedSources {
		f.source(bedSource(n))
	}
	for n := range bedVersions {
		v := version([]string{"a", "b"}[n%2], n+1, fingerprints.StateActive)
		b.versions = append(b.versions, v)
		f.put(v.Secret, v)
	}
	for i := range 6 {
		f.update(func(tx store.Tx) error {
			id, err := tx.AddAllow(f.ctx, store.Allow{Secret: []string{"a", "b"}[i%2], Whole: i%3 == 0})
			b.homes = append(b.homes, id)
			return err
		})
	}
	for range 30 {
		b.at++
		step := []string{"see", "see", "see", "change", "change", "change", "tie", "vanish", "move", "merge", "forget"}[b.r.IntN(11)]
		map[string]func(){"see": b.see, "change": b.change, "tie": b.tie, "vanish": b.vanish, "move": b.move, "merge": b.merge, "forget": b.forget}[step]()
		f.counted()
		if b.at%5 == 0 {
			b.pages()
		}
		if t.Failed() {
			t.Fatalf("after step %d: %s", b.at, step)
		}
	}
}

// pages reads lists in pages, which begin with the values where that is shorter.
func (b *groupBed) pages() {
	filters := []store.FindingFilter{{}, {Secret: "a"}, {Secret: "b", Version: 2}, {Value: valueID(3)}, {Value: valueID(1)}, {SourceID: bedSource(1)}}
	for _, v := range fingerprints.Verdicts() {
		filters = append(filters, store.FindingFilter{Verdicts: []fingerprints.Verdict{v}})
	}
	for _, f := range filters {
		var want, got []fingerprints.FindingID
		for _, v := range b.findings(b.now, store.FindingFilter{}) {
			if selects(f, v) && (len(f.Verdicts) == 0 || f.Verdicts[0] == v.Verdict) {
				want = append(want, v.ID)
			}
		}
		for page := f; ; {
			page.Limit = 2
			list := b.findings(b.now, page)
			for _, v := range list {
				got = append(got, v.ID)
			}
			if len(list) < page.Limit {
				break
			}
			page.After = list[len(list)-1].ID
		}
		b.diff(fmt.Sprintf("pages of %+v", f), want, got)
	}
}

// see records findings of all kinds.
func (b *groupBed) see() {
	var obs []store.Observed
	for range 1 + b.r.IntN(6) {
		value, source, path := b.r.IntN(8), b.r.IntN(bedSources), b.r.IntN(3)
		o := observed(1000*value + 100*source + path)
		o.Value, o.SourceID, o.Path = valueID(value), bedSource(source), fmt.Sprint(path)
		o.Owner = []string{"", "team-a"}[source%2]
		if value > 2 { // some values are of two versions
			o.Rows = []fingerprints.RowID{rowID(value - 2)}
			if value%3 == 0 {
				o.Rows = append(o.Rows, rowID(1))
			}
		}
		if b.r.IntN(2) == 0 {
			o.AllowIDs = []int64{b.homes[b.r.IntN(len(b.homes))]}
		}
		o.Sighting.Presence = []fingerprints.Presence{fingerprints.PresenceTip, fingerprints.PresenceHistory, fingerprints.PresenceExpired, fingerprints.PresenceGone}[b.r.IntN(4)]
		obs = append(obs, o)
	}
	b.record(hour(b.at), obs...)
}

// change gives a version another state, or a home another end, and compares.
func (b *groupBed) change() {
	i := b.r.IntN(bedVersions)
	v := b.versions[i]
	states := fingerprints.States()
	var ids []fingerprints.VersionID
	for _, x := range b.versions {
		ids = append(ids, x.ID)
	}
	before := b.findings(b.now, store.FindingFilter{})
	want, got := map[[2]fingerprints.Verdict]int{}, map[[2]fingerprints.Verdict]int{}
	b.update(func(tx store.Tx) error {
		was := map[string]fingerprints.Verdict{}
		old, err := tx.VerdictGroups(b.ctx, b.now, ids, []fingerprints.ValueID{valueID(1), {}})
		for _, g := range old {
			was[g.Group] = g.Verdict
		}
		if b.r.IntN(3) == 0 {
			end := []time.Time{{}, hour(1), hour(900)}[b.r.IntN(3)]
			err = errors.Join(err, tx.SetAllowEnd(b.ctx, b.homes[b.r.IntN(len(b.homes))], end))
		} else {
			v.State = states[b.r.IntN(len(states))]
			b.versions[i] = v
			err = errors.Join(err, tx.PutVersion(b.ctx, v))
		}
		groups, err2 := tx.VerdictGroups(b.ctx, b.now, ids, []fingerprints.ValueID{valueID(1), {}})
		if len(groups) != len(old) {
			b.t.Errorf("%d groups became %d", len(old), len(groups))
		}
		for _, g := range groups {
			if was[g.Group] != g.Verdict {
				got[[2]fingerprints.Verdict{was[g.Group], g.Verdict}] += g.Count
			}
		}
		return errors.Join(err, err2)
	})
	for i, x := range b.findings(b.now, store.FindingFilter{}) {
		if x.Verdict != before[i].Verdict {
			want[[2]fingerprints.Verdict{before[i].Verdict, x.Verdict}]++
		}
	}
	b.diff(fmt.Sprint("what changed in step ", b.at), want, got)
}

// tie gives homes to findings and sources that were there before.
func (b *groupBed) tie() {
	home := b.homes[b.r.IntN(len(b.homes))]
	b.update(func(tx store.Tx) error {
		return errors.Join(
			tx.CoverSources(b.ctx, home, []string{bedSource(b.r.IntN(bedSources))}),
			tx.SetSourceHomes(b.ctx, bedSource(b.r.IntN(bedSources)), []int64{b.homes[b.r.IntN(len(b.homes))]}),
		)
	})
}

// vanish has a source scanned in which nothing is left.
func (b *groupBed) vanish() {
	b.update(func(tx store.Tx) error {
		_, err := tx.MarkUnseen(b.ctx, bedSource(b.r.IntN(bedSources)), "", hour(b.at), hour(b.at), nil)
		return err
	})
}

// move takes what a source has to another one.
func (b *groupBed) move() {
	from, to := bedSource(b.r.IntN(bedSources)), bedSource(b.r.IntN(bedSources))
	b.update(func(tx store.Tx) error {
		err := tx.MoveSource(b.ctx, from, to, func(x fingerprints.Finding) fingerprints.FindingID {
			return findingID(int(x.Value[15])*1000 + 900 + b.r.IntN(3)) // so that some meet others
		})
		return errors.Join(err, tx.PutSource(b.ctx, store.Source{ID: from, Kind: fingerprints.KindDir, AddedAt: epoch()}))
	})
}

func (b *groupBed) merge() {
	all := b.findings(b.now, store.FindingFilter{})
	if len(all) < 2 {
		return
	}
	b.update(func(tx store.Tx) error {
		return tx.MergeFinding(b.ctx, hour(b.at), all[b.r.IntN(len(all))].ID, all[b.r.IntN(len(all))].ID)
	})
}

func (b *groupBed) forget() {
	source := bedSource(b.r.IntN(bedSources))
	b.update(func(tx store.Tx) error { return tx.ForgetSource(b.ctx, source) })
	b.source(source)
}
