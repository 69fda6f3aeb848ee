package registry_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
)

const src = "dir:/srv"

func TestVerdictsFollowTheVersion(t *testing.T) {
	k := newKit(t)
	value := k.text(32)
	k.add("s", value)
	k.scan(src, k.seen(src, "a.env", value, k.rows(ref("s", 1))...))
	step := func(want fingerprints.Verdict) {
		t.Helper()
		if got := k.verdicts()["a.env"]; got != want {
			t.Errorf("verdict %s, want %s", got, want)
		}
	}
	step(fingerprints.VerdictLeaked)
	out := k.rotate("s", k.text(32), 24*time.Hour)
	want := []registry.VerdictChange{{From: fingerprints.VerdictLeaked, To: fingerprints.VerdictLagging, Count: 1}}
	if diff := cmp.Diff(want, out.Verdicts); diff != "" {
		t.Error(diff)
	}
	step(fingerprints.VerdictLagging)
	k.wait(24 * time.Hour)
	step(fingerprints.VerdictOverdue)
	got, err := k.reg.Retire(k.ctx, me(), ref("s", 1), registry.RetireOptions{})
	want = []registry.VerdictChange{{From: fingerprints.VerdictOverdue, To: fingerprints.VerdictStale, Count: 1}}
	if diff := cmp.Diff(want, got.Verdicts); diff != "" || err != nil {
		t.Error(diff, err)
	}
	step(fingerprints.VerdictStale)
	k.scan(src)
	step(fingerprints.VerdictCleared)
}

func TestWhatScansMakeGone(t *testing.T) {
	value := func(k *kit) string { k.add("s", k.text(32)); return k.text(32) }
	tests := map[string]struct {
		rescan func(k *kit)
		want   fingerprints.Presence
	}{
		"complete":            {func(k *kit) { k.scan(src) }, fingerprints.PresenceGone},
		"interrupted":         {func(k *kit) { k.finish(k.begin(src, ""), false) }, fingerprints.PresenceTip},
		"died":                {func(k *kit) { k.begin(src, "") }, fingerprints.PresenceTip},
		"of another source":   {func(k *kit) { k.scan("dir:/other") }, fingerprints.PresenceTip},
		"of a part":           {func(k *kit) { k.finish(k.begin(src, "sub"), true) }, fingerprints.PresenceTip},
		"failed elsewhere":    {skipping("other", fingerprints.SkipUnreadable), fingerprints.PresenceTip},
		"skipped this place":  {skipping("box/a.env", fingerprints.SkipTooLarge), fingerprints.PresenceTip},
		"skipped its folder":  {skipping("box", fingerprints.SkipExcluded), fingerprints.PresenceTip},
		"filtered elsewhere":  {skipping("other", fingerprints.SkipExcluded), fingerprints.PresenceTip},
		"skipped other place": {skipping("bo", fingerprints.SkipTooLarge), fingerprints.PresenceGone},
		"vanished":            {skipping("box/a.env", fingerprints.SkipVanished), fingerprints.PresenceGone},
		"registered only": {func(k *kit) {
			run, err := k.reg.BeginScan(k.ctx, me(), registry.ScanStart{SourceID: src, Kind: fingerprints.KindDir, FieldRevision: k.meta().FieldRevision})
			if err != nil {
				k.t.Fatal(err)
			}
			k.finish(run, true)
		}, fingerprints.PresenceTip},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			k := newKit(t)
			o := k.seen(src, "box/a.env", value(k))
			k.scan(src, o)
			k.wait(time.Hour)
			tt.rescan(k)
			f, err := k.reg.Finding(k.ctx, me(), string(o.FindingID))
			if err != nil || f.Presence != tt.want {
				t.Errorf("presence %s, %v; want %s", f.Presence, err, tt.want)
			}
		})
	}
}

func skipping(path string, reason fingerprints.SkipReason) func(*kit) {
	return func(k *kit) {
		run := k.begin(src, "")
		if err := run.Skips(k.ctx, []fingerprints.Skip{{Path: path, Reason: reason}}); err != nil {
			k.t.Fatal(err)
		}
		done := k.finish(run, true)
		if done.Complete == reason.Failure() {
			k.t.Errorf("complete %v with skip %s", done.Complete, reason)
		}
	}
}

// A scan whose pack is older than a registered value says nothing of it.
func TestOlderPackMakesNothingGone(t *testing.T) {
	k := newKit(t)
	k.add("first", k.text(32))
	old := k.meta()
	value := k.text(32)
	k.add("s", value)
	o := k.seen(src, "a.env", value, k.rows(ref("s", 1))...)
	k.scan(src, o)
	k.wait(time.Hour)
	run, err := k.reg.BeginScan(k.ctx, me(), registry.ScanStart{
		SourceID: src, Kind: fingerprints.KindDir, Generic: true, FieldRevision: old.FieldRevision,
	})
	if err != nil {
		t.Fatal(err)
	}
	if done := k.finish(run, true); len(done.Gone) != 0 {
		t.Errorf("gone: %v", done.Gone)
	}
}

func TestRecordIsIdempotentAndFillsIn(t *testing.T) {
	k := newKit(t)
	value := k.text(32)
	k.add("s", value)
	run := k.begin(src, "")
	obs := []registry.Observation{k.seen(src, "a.env", value, k.rows(ref("s", 1))...)}
	first, err := run.Record(k.ctx, obs)
	if err != nil || !first[0].New {
		t.Fatalf("%+v, %v", first, err)
	}
	again, err := run.Record(k.ctx, obs)
	if err != nil || again[0].New || again[0].NewPlace {
		t.Errorf("repeated: %+v, %v", again, err)
	}
	f, err := k.reg.Finding(k.ctx, me(), string(obs[0].FindingID))
	if err != nil || f.Owner != "team-s" || f.Places != 1 || len(f.Sightings) != 1 || f.Matches[0].Owner != "team-s" {
		t.Errorf("%+v, %v", f, err)
	}
	k.finish(run, true)
	if _, err := run.Record(k.ctx, obs); !errors.Is(err, registry.ErrScanOver) {
		t.Errorf("after the end: error %v, want ErrScanOver", err)
	}
}

func TestResume(t *testing.T) {
	k := newKit(t)
	first, second := k.seen(src, "a", k.text(32)), k.seen(src, "b", k.text(32))
	run := k.begin(src, "")
	if _, err := run.Record(k.ctx, []registry.Observation{first}); err != nil {
		t.Fatal(err)
	}
	if err := run.SaveCursor(k.ctx, registry.Progress{Cursor: []byte("after a"), Items: 1}); err != nil {
		t.Fatal(err)
	}
	// It dies here.
	k.wait(time.Hour)
	q := registry.ScanStart{SourceID: src, Kind: fingerprints.KindDir, Generic: true, FieldRevision: k.meta().FieldRevision, Resume: true}
	rest, err := k.reg.BeginScan(k.ctx, me(), q)
	if err != nil || string(rest.Cursor()) != "after a" || rest.ID() != run.ID() {
		t.Fatalf("cursor %q, %v", rest.Cursor(), err)
	}
	if _, err := rest.Record(k.ctx, []registry.Observation{second}); err != nil {
		t.Fatal(err)
	}
	if done := k.finish(rest, true); !done.Complete || len(done.Gone) != 0 {
		t.Errorf("%+v: what the first part saw is gone", done)
	}
	if fresh, err := k.reg.BeginScan(k.ctx, me(), q); err != nil || fresh.Cursor() != nil || fresh.ID() == rest.ID() {
		t.Errorf("a finished scan was resumed: %v", err)
	}
	// What was registered since is not in the first part: no resuming.
	k.wait(time.Hour)
	run = k.begin(src, "")
	if err := run.SaveCursor(k.ctx, registry.Progress{Cursor: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	k.add("s", k.text(32))
	q.FieldRevision = k.meta().FieldRevision
	if fresh, err := k.reg.BeginScan(k.ctx, me(), q); err != nil || fresh.Cursor() != nil {
		t.Errorf("resumed over a registration: %v", err)
	}
}

// covered are the ways in which a source can have been scanned for s@1.
func covered() map[string]struct {
	scan func(k *kit)
	want registry.CoverageState
} {
	type row = struct {
		scan func(k *kit)
		want registry.CoverageState
	}
	register := func(k *kit) { k.add("s", k.text(32)) }
	return map[string]row{
		"before registration": {func(k *kit) { k.scan(src); register(k) }, registry.CoveragePending},
		"after registration":  {func(k *kit) { register(k); k.scan(src) }, registry.CoverageComplete},
		"with a skip":         {func(k *kit) { register(k); skipping("fifo", fingerprints.SkipSpecial)(k) }, registry.CoverageSkipped},
		"with a failure":      {func(k *kit) { register(k); skipping("x", fingerprints.SkipUnreadable)(k) }, registry.CoveragePartial},
		"a part only":         {func(k *kit) { register(k); k.finish(k.begin(src, "sub"), true) }, registry.CoveragePartial},
		"not finished":        {func(k *kit) { register(k); k.begin(src, "") }, registry.CoveragePartial},
		"interrupted":         {func(k *kit) { register(k); k.finish(k.begin(src, ""), false) }, registry.CoveragePartial},
		"complete, then interrupted": {func(k *kit) {
			register(k)
			k.scan(src)
			k.finish(k.begin(src, ""), false)
		}, registry.CoverageComplete},
		"complete, then a failure": {func(k *kit) {
			register(k)
			k.scan(src)
			skipping("x", fingerprints.SkipUnreadable)(k)
		}, registry.CoveragePartial},
		"skips, then complete": {func(k *kit) {
			register(k)
			skipping("fifo", fingerprints.SkipSpecial)(k)
			k.scan(src)
		}, registry.CoverageComplete},
		"by a scan that claims the future": {func(k *kit) {
			run, err := k.reg.BeginScan(k.ctx, me(), registry.ScanStart{SourceID: src, Kind: fingerprints.KindDir, FieldRevision: 1 << 40, Generic: true})
			if err != nil {
				k.t.Fatal(err)
			}
			k.finish(run, true)
			register(k)
		}, registry.CoveragePending},
		"piped in":      {func(k *kit) { register(k); k.finish(k.begin(src, store.ExtentStream), true) }, registry.CoverageComplete},
		"piped in, cut": {func(k *kit) { register(k); k.finish(k.begin(src, store.ExtentStream), false) }, registry.CoveragePartial},
		"piped in before as well": {func(k *kit) {
			k.finish(k.begin(src, store.ExtentStream), true)
			register(k)
			k.finish(k.begin(src, store.ExtentStream), true)
		}, registry.CoveragePartial},
		"another secret registered since": {func(k *kit) {
			register(k)
			k.scan(src)
			k.add("other", k.text(32))
		}, registry.CoverageComplete},
	}
}

func TestCoverage(t *testing.T) {
	for name, tt := range covered() {
		t.Run(name, func(t *testing.T) {
			k := newKit(t)
			tt.scan(k)
			got, err := k.reg.Coverage(k.ctx, me(), ref("s", 1))
			if err != nil || len(got.Sources) != 1 {
				t.Fatalf("%+v, %v", got, err)
			}
			if s := got.Sources[0]; s.State != tt.want || got.Complete != (tt.want == registry.CoverageComplete) {
				t.Errorf("%s (complete %v, reason %q), want %s", s.State, got.Complete, s.Reason, tt.want)
			}
		})
	}
	k := newKit(t)
	k.add("s", k.text(32))
	if got, err := k.reg.Coverage(k.ctx, me(), ref("s", 1)); err != nil || got.Complete {
		t.Errorf("without a source: complete %v, %v", got.Complete, err)
	}
	k.add("short", "abc")
	k.scan(src)
	if got, err := k.reg.Coverage(k.ctx, me(), ref("short", 1)); err != nil || got.Complete || len(got.Unsearchable) != 1 {
		t.Errorf("not searchable: %+v, %v", got, err)
	}
}

func TestSources(t *testing.T) {
	k := newKit(t)
	value := k.text(32)
	o := k.seen(src, "a.env", value)
	k.scan(src, o)
	if _, err := k.reg.Accept(k.ctx, me(), string(o.FindingID), k.now.Add(time.Hour), "moving"); err != nil {
		t.Fatal(err)
	}
	moved, err := k.reg.MoveSource(k.ctx, me(), src, "dir:/opt")
	if err != nil || moved.ID != "dir:/opt" {
		t.Fatalf("%+v, %v", moved, err)
	}
	want := k.seen("dir:/opt", "a.env", value).FindingID
	f, err := k.reg.Finding(k.ctx, me(), string(want))
	if err != nil || f.Status != fingerprints.StatusAccepted {
		t.Errorf("the moved finding: %+v, %v", f.FindingView, err)
	}
	k.scan(src)
	if _, err := k.reg.MoveSource(k.ctx, me(), src, "dir:/opt"); !errors.Is(err, registry.ErrSourceExists) {
		t.Errorf("onto a known source: error %v, want ErrSourceExists", err)
	}
	if _, err := k.reg.MoveSource(k.ctx, me(), src, "nowhere"); !errors.Is(err, registry.ErrInput) {
		t.Errorf("error %v, want ErrInput", err)
	}
	if err := k.reg.ForgetSource(k.ctx, me(), "dir:/opt"); err != nil {
		t.Fatal(err)
	}
	if err := k.reg.ForgetSource(k.ctx, me(), "dir:/opt"); !errors.Is(err, registry.ErrUnknownSource) {
		t.Errorf("repeated: error %v, want ErrUnknownSource", err)
	}
	all, err := k.reg.Sources(k.ctx, me())
	if err != nil || len(all) != 1 || all[0].ID != src {
		t.Errorf("%+v, %v", all, err)
	}
	if got := k.verdicts(); len(got) != 0 {
		t.Errorf("findings of a forgotten source: %v", got)
	}
	if v, err := k.reg.Source(k.ctx, me(), src); err != nil || len(v.Scans) != 1 || !v.Scans[0].Complete {
		t.Errorf("%+v, %v", v, err)
	}
}

// TestSourcesAfter: pages have what the whole list has.
func TestSourcesAfter(t *testing.T) {
	k := newKit(t)
	value := k.text(32)
	k.add("s", value)
	row := k.rows(ref("s", 1))[0]
	for n := range 5 {
		obs := []registry.Observation{k.seen("dir:/"+itoa(n), "a", value, row)}
		for i := range n {
			obs = append(obs, k.seen("dir:/"+itoa(n), itoa(i), value, row))
		}
		k.scan("dir:/"+itoa(n), obs...)
	}
	all, err := k.reg.Sources(k.ctx, me())
	if err != nil || len(all) != 5 || all[4].Findings[fingerprints.VerdictLeaked] != 5 {
		t.Fatalf("%+v, %v", all, err)
	}
	for limit := range 7 {
		var got []registry.SourceSummary
		for after := ""; ; after = got[len(got)-1].ID {
			page, err := k.reg.SourcesAfter(k.ctx, me(), after, limit)
			if err != nil {
				t.Fatal(err)
			}
			if got = append(got, page...); len(page) < limit || limit == 0 || len(got) > len(all) {
				break
			}
		}
		if diff := cmp.Diff(all, got); diff != "" {
			t.Errorf("in pages of %d (-want +got):\n%s", limit, diff)
		}
	}
	if list, err := k.reg.SourcesAfter(k.ctx, me(), "dir:/9", 2); err != nil || len(list) != 0 {
		t.Errorf("behind the last: %v, %v", list, err)
	}
}

// A due date that somebody sets goes before the one of the verdict, outlives changes
// of that, and is none of what is cleared.
func TestSetDue(t *testing.T) {
	k := newKit(t)
	v := k.text(32)
	k.add("s", v)
	o := k.seen(src, "a.env", v, k.rows(ref("s", 1))...)
	k.scan(src, o)
	id, set := string(o.FindingID), k.now.Add(10*24*time.Hour)
	due := func(when string, want time.Time, by bool) {
		t.Helper()
		f, err := k.reg.Finding(k.ctx, me(), id)
		if err != nil || f.DueSet != by || (f.Due == nil) != want.IsZero() || f.Due != nil && !f.Due.Equal(want) {
			t.Errorf("%s it is due %v, set: %v (%v); want %v, %v", when, f.Due, f.DueSet, err, want, by)
		}
	}
	seen, err := k.reg.Finding(k.ctx, me(), id)
	if err != nil {
		t.Fatal(err)
	}
	due("at first", seen.FirstSeen.Add(3*24*time.Hour), false)
	head := k.head()
	for range 2 { // the second time changes nothing
		if f, err := k.reg.SetDue(k.ctx, me(), id, set); err != nil || !f.DueSet || !f.Due.Equal(set) {
			t.Fatalf("%+v, %v", f, err)
		}
	}
	if diff := cmp.Diff([]string{"finding.due-set"}, k.actions(head)); diff != "" {
		t.Error(diff)
	}
	due("once it was set", set, true)
	if _, err := k.reg.Compromise(k.ctx, me(), fingerprints.VersionRef{Name: "s", Number: 1}); err != nil {
		t.Fatal(err)
	}
	due("with another verdict", set, true)
	if _, err := k.reg.SetDue(k.ctx, me(), id, k.now); !errors.Is(err, registry.ErrInput) {
		t.Errorf("due now: %v, want ErrInput", err)
	}
	k.wait(time.Hour)
	k.scan(src)
	due("cleared", time.Time{}, false)
	k.wait(time.Hour)
	k.scan(src, o)
	due("back again", set, true)
	if _, err := k.reg.SetDue(k.ctx, me(), id, time.Time{}); err != nil {
		t.Fatal(err)
	}
	s, err := k.reg.Show(k.ctx, me(), "s")
	if err != nil {
		t.Fatal(err)
	}
	due("taken back", s.Versions[0].CompromisedAt.Add(24*time.Hour), false)
	d, err := k.reg.Finding(k.ctx, me(), id)
	var what []string
	for _, h := range d.History {
		what = append(what, h.What)
	}
	if diff := cmp.Diff([]string{"seen", "due-set", "gone", "returned", "due-cleared"}, what); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

func TestTriage(t *testing.T) {
	k := newKit(t)
	o := k.seen(src, "a.env", k.text(32))
	k.scan(src, o)
	id := string(o.FindingID)
	until := k.now.Add(72 * time.Hour)
	status := func() fingerprints.Status {
		f, err := k.reg.Finding(k.ctx, me(), id)
		if err != nil {
			t.Fatal(err)
		}
		return f.Status
	}
	f, err := k.reg.Accept(k.ctx, me(), id, until, "until the migration")
	if err != nil || f.Status != fingerprints.StatusAccepted || f.Reason != "until the migration" {
		t.Fatalf("%+v, %v", f, err)
	}
	head := k.head()
	if _, err := k.reg.Accept(k.ctx, me(), id, until, "until the migration"); err != nil || len(k.actions(head)) != 0 {
		t.Errorf("repeated: %v, %v", err, k.actions(head))
	}
	k.wait(72*time.Hour - time.Second)
	if got := status(); got != fingerprints.StatusAccepted {
		t.Errorf("before the date: %s", got)
	}
	k.wait(time.Second)
	if got := status(); got != fingerprints.StatusOpen {
		t.Errorf("the date has passed and it is %s, want open", got)
	}
	open, err := k.reg.Findings(k.ctx, me(), store.FindingFilter{Statuses: []fingerprints.Status{fingerprints.StatusOpen}})
	if err != nil || len(open) != 1 {
		t.Errorf("%d open findings, %v", len(open), err)
	}
	if f, err := k.reg.Dismiss(k.ctx, me(), id, "a test value"); err != nil || f.Status != fingerprints.StatusFalsePositive {
		t.Errorf("%+v, %v", f, err)
	}
	if f, err := k.reg.Assign(k.ctx, me(), id, "payments@example.com"); err != nil || f.Owner != "payments@example.com" {
		t.Errorf("%+v, %v", f, err)
	}
	if f, err := k.reg.Reopen(k.ctx, me(), id); err != nil || f.Status != fingerprints.StatusOpen {
		t.Errorf("%+v, %v", f, err)
	}
	d, err := k.reg.Finding(k.ctx, me(), id[:10])
	if err != nil {
		t.Fatal(err)
	}
	var what []string
	for _, h := range d.History {
		what = append(what, h.What)
	}
	if diff := cmp.Diff([]string{"seen", "accepted", "dismissed", "assigned", "reopened"}, what); diff != "" {
		t.Error(diff)
	}
	if _, err := k.reg.Accept(k.ctx, me(), id, k.now, "r"); !errors.Is(err, registry.ErrInput) {
		t.Errorf("until now: error %v, want ErrInput", err)
	}
	if _, err := k.reg.Accept(k.ctx, me(), id, until.Add(1e15), " "); !errors.Is(err, registry.ErrInput) {
		t.Errorf("no reason: error %v, want ErrInput", err)
	}
}

func TestRegisteredValueIsNoFalsePositive(t *testing.T) {
	k := newKit(t)
	value := k.text(32)
	k.add("s", value)
	o := k.seen(src, "a.env", value, k.rows(ref("s", 1))...)
	k.scan(src, o)
	if _, err := k.reg.Dismiss(k.ctx, me(), string(o.FindingID), "no"); !errors.Is(err, registry.ErrRegistered) {
		t.Errorf("error %v, want ErrRegistered", err)
	}
}

func TestExport(t *testing.T) {
	k := newKit(t)
	var obs []registry.Observation
	for i := range 620 {
		obs = append(obs, k.seen(src, "f"+itoa(i), k.text(32)))
	}
	k.scan(src, obs...)
	for _, limit := range []int{0, 1, 500, 619, 5000} {
		seen := map[fingerprints.FindingID]bool{}
		err := k.reg.Export(k.ctx, me(), store.FindingFilter{Limit: limit}, func(d registry.FindingDetail) error {
			if len(d.Sightings) != 1 {
				t.Errorf("%d sightings", len(d.Sightings))
			}
			seen[d.ID] = true
			return nil
		})
		want := 620
		if limit > 0 {
			want = min(limit, want)
		}
		if err != nil || len(seen) != want {
			t.Errorf("limit %d: %d findings, %v", limit, len(seen), err)
		}
	}
}

func TestDueDate(t *testing.T) {
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	const day = 24 * time.Hour
	match := func(c fingerprints.Class, v fingerprints.Version) []store.Match {
		return []store.Match{{Class: c, Version: v}}
	}
	app, key := fingerprints.ClassApplication, fingerprints.ClassCryptographic
	for name, tt := range map[string]struct {
		verdict fingerprints.Verdict
		matches []store.Match
		want    time.Time
	}{
		"leaked":               {fingerprints.VerdictLeaked, match(app, fingerprints.Version{}), at.Add(3 * day)},
		"leaked key":           {fingerprints.VerdictLeaked, match(key, fingerprints.Version{}), at.Add(day)},
		"compromised later":    {fingerprints.VerdictCompromised, match(app, fingerprints.Version{CompromisedAt: at.Add(day)}), at.Add(2 * day)},
		"stale since":          {fingerprints.VerdictStale, match(app, fingerprints.Version{RetiredAt: at.Add(day)}), at.Add(31 * day)},
		"lagging in a window":  {fingerprints.VerdictLagging, match(app, fingerprints.Version{WindowEnds: at.Add(day)}), at.Add(day)},
		"lagging for ever":     {fingerprints.VerdictLagging, match(app, fingerprints.Version{}), at.Add(30 * day)},
		"overdue since window": {fingerprints.VerdictOverdue, match(key, fingerprints.Version{WindowEnds: at.Add(day)}), at.Add(4 * day)},
		"unregistered":         {fingerprints.VerdictUnregistered, nil, at.Add(30 * day)},
		"allowed":              {fingerprints.VerdictAllowed, match(app, fingerprints.Version{}), time.Time{}},
		"cleared":              {fingerprints.VerdictCleared, nil, time.Time{}},
	} {
		f := store.FindingView{Verdict: tt.verdict, Matches: tt.matches}
		f.FirstSeen = at
		if got := registry.DueDate(f); !got.Equal(tt.want) {
			t.Errorf("%s: due %s, want %s", name, got, tt.want)
		}
	}
}

// A value registered later may be a part of what a generic rule reported: the
// generic finding becomes an alias of the registered one.
func TestGenericFindingIsMerged(t *testing.T) {
	k := newKit(t)
	value := k.text(32)
	wide := k.seen(src, "a.env", "password="+value)
	elsewhere := k.seen(src, "b.env", "password="+value)
	after := k.seen(src, "a.env", k.text(32))
	after.Sighting.Start, after.Sighting.End = 900, 932
	k.scan(src, wide, elsewhere, after)
	if _, err := k.reg.Accept(k.ctx, me(), string(wide.FindingID), k.now.Add(time.Hour), "known"); err != nil {
		t.Fatal(err)
	}
	k.add("s", value)
	exact := k.seen(src, "a.env", value, k.rows(ref("s", 1))...)
	exact.Sighting.Start += 9
	exact.Sighting.End += 9
	k.scan(src, exact, elsewhere, after)
	f, err := k.reg.Finding(k.ctx, me(), string(wide.FindingID))
	if err != nil || f.ID != exact.FindingID || f.Verdict != fingerprints.VerdictLeaked {
		t.Fatalf("%+v, %v", f.FindingView, err)
	}
	if diff := cmp.Diff([]fingerprints.FindingID{wide.FindingID}, f.Aliases); diff != "" {
		t.Error(diff)
	}
	all, err := k.reg.Findings(k.ctx, me(), store.FindingFilter{})
	if err != nil || len(all) != 3 {
		t.Errorf("%d findings, %v; want 3", len(all), err)
	}
}
