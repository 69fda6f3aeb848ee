package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// The teams of the test: what is theirs says so in all of its texts.
const (
	ours   = "o'ur?s \"$1"
	theirs = "theirs"
	nobody = ""
)

// owned puts a secret, a source, a watch, a finding of the secret's value in it and
// what belongs to that, all with the word in their texts.
func (f *fixture) owned(n int, word, owner string) {
	f.t.Helper()
	name, source := word+"/secret", "dir:/"+word
	f.put(name, version(name, n, fingerprints.StateActive))
	f.source(source)
	o := registered(n)
	o.SourceID, o.Path, o.Owner, o.Sighting.Context = source, word+"/app.env", owner, word+" context"
	f.record(hour(1), o)
	f.update(func(tx store.Tx) error {
		s, err := tx.Secret(f.ctx, name)
		if err != nil {
			return err
		}
		s.Owner, s.Consumers = owner, []string{word + "-consumer"}
		scan, err := tx.StartScan(f.ctx, store.Scan{SourceID: source, StartedAt: hour(1), FinishedAt: hour(2), Complete: true, Through: word, Skips: 1})
		if err != nil {
			return err
		}
		_, err = tx.AddDecision(f.ctx, store.Decision{Rule: word + "-rule", SourceGlob: "**", PathGlob: "**", Status: fingerprints.StatusFalsePositive, Reason: word, Owner: owner})
		if err != nil {
			return err
		}
		_, err = tx.AddAllow(f.ctx, store.Allow{Secret: name, SourceGlob: word + "/**", PathGlob: "nowhere", Reason: word})
		if err != nil {
			return err
		}
		m := delivery(word+"-message", "chat")
		m.Summary = word
		return errors.Join(
			tx.PutSecret(f.ctx, s), tx.AddSkips(f.ctx, scan, []fingerprints.Skip{{Path: word, Reason: fingerprints.SkipTooLarge}}),
			tx.PutWatch(f.ctx, store.Watch{Name: word + "-watch", Kind: "dir", WatchState: store.WatchState{SourceID: source, Outcome: "complete"}}),
			tx.AddDelivery(f.ctx, m, []store.Notice{notice("chat", n, fingerprints.SeverityHigh)}),
			tx.SetTriage(f.ctx, f.findingOf(tx, n), store.HistoryEntry{At: hour(2), Actor: "me", What: "assigned", Detail: word}),
		)
	})
}

func (f *fixture) findingOf(tx store.Tx, n int) fingerprints.Finding {
	f.t.Helper()
	v, err := tx.Finding(f.ctx, hour(2), findingID(n))
	if err != nil {
		f.t.Fatal(err)
	}
	return v.Finding
}

// sees collects what every read of a transaction tells, as text.
func (f *fixture) sees(tx store.Tx) string {
	f.t.Helper()
	var out strings.Builder
	tell := func(v any, err error) {
		f.t.Helper()
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			f.t.Error(err)
		}
		b, jerr := json.Marshal(v)
		if jerr != nil {
			b = fmt.Append(nil, v)
		}
		out.Write(append(b, '\n'))
	}
	list := func(v any, err error) { tell(v, err) }
	list(tx.Secrets(f.ctx, store.SecretFilter{}))
	list(tx.CountSecrets(f.ctx))
	list(tx.CountVersions(f.ctx))
	list(tx.CountFields(f.ctx))
	list(tx.Allows(f.ctx, ""))
	list(tx.Findings(f.ctx, hour(3), store.FindingFilter{}))
	list(tx.Findings(f.ctx, hour(3), store.FindingFilter{Limit: 10, PathGlob: "**"}))
	list(tx.CountVerdicts(f.ctx, hour(3), store.FindingFilter{}))
	list(tx.VerdictsBySource(f.ctx, hour(3), nil))
	list(tx.Decisions(f.ctx))
	list(tx.Sources(f.ctx))
	list(tx.NewestScans(f.ctx))
	list(tx.CompleteScans(f.ctx))
	list(tx.Watches(f.ctx, store.WatchFilter{}))
	list(tx.CountWatches(f.ctx))
	list(tx.Workers(f.ctx))
	list(tx.Changes(f.ctx, 0, 100))
	list(tx.Deliveries(f.ctx, store.DeliveryFilter{}))
	tell(nil, tx.EachField(f.ctx, func(_ fingerprints.FieldRow, v fingerprints.Version) error { tell(v, nil); return nil }))
	for i, word := range []string{"ours", "theirs", "nobodys"} {
		n, name, source := i+1, word+"/secret", "dir:/"+word
		list(tx.Secret(f.ctx, name))
		list(tx.Version(f.ctx, fingerprints.VersionRef{Name: name, Number: n}))
		list(tx.VersionByID(f.ctx, versionID(n)))
		list(tx.Versions(f.ctx, name))
		list(tx.VersionsOf(f.ctx, []string{name}))
		list(tx.Fields(f.ctx, versionID(n)))
		list(tx.FieldByID(f.ctx, rowID(n)))
		list(tx.Allows(f.ctx, name))
		list(tx.Finding(f.ctx, hour(3), findingID(n)))
		list(tx.Findings(f.ctx, hour(3), store.FindingFilter{IDs: []fingerprints.FindingID{findingID(n)}}))
		list(tx.Findings(f.ctx, hour(3), store.FindingFilter{Secret: name, Limit: 3}))
		list(tx.CountVerdicts(f.ctx, hour(3), store.FindingFilter{SourceID: source}))
		list(tx.Sightings(f.ctx, findingID(n), 0))
		list(tx.FirstSightings(f.ctx, []fingerprints.FindingID{findingID(n)}, 3))
		list(tx.History(f.ctx, findingID(n)))
		list(tx.Source(f.ctx, source))
		list(tx.Scans(f.ctx, source, 0))
		list(tx.Watch(f.ctx, word+"-watch"))
		list(tx.Notices(f.ctx, word+"-message", 0))
		list(tx.CountNotices(f.ctx, word+"-message"))
	}
	return out.String()
}

func testTeams(t *testing.T, f *fixture) {
	f.owned(1, "ours", ours)
	f.owned(2, "theirs", theirs)
	f.owned(3, "nobodys", nobody)
	f.update(func(tx store.Tx) error {
		m := delivery("mixed", "chat")
		m.Summary = "theirs, too"
		return errors.Join(
			tx.AddDelivery(f.ctx, m, []store.Notice{notice("chat", 1, fingerprints.SeverityHigh), notice("chat", 2, fingerprints.SeverityHigh)}),
			tx.PutWorker(f.ctx, store.Worker{ID: "w", Host: "h", Scans: []store.WorkerScan{{Watch: "theirs-watch"}}}),
		)
	})
	var all, before, after, mine, both string
	f.view(func(tx store.Tx) error {
		all = f.sees(tx)
		f.diff("of before", []string(nil), tx.Narrow([]string{ours}))
		mine = f.sees(tx)
		f.diff("of before", []string{ours}, tx.Narrow([]string{ours, theirs}))
		both = f.sees(tx)
		tx.Narrow([]string{"') OR ('' = '"})
		before = f.sees(tx)
		tx.Narrow(nil)
		after = f.sees(tx)
		return nil
	})
	f.diff("wide again", all, after)
	for what, c := range map[string]struct {
		seen string
		want map[string]bool
	}{
		"all":      {all, map[string]bool{"ours": true, "theirs": true, "nobodys": true}},
		"ours":     {mine, map[string]bool{"ours": true}},
		"both":     {both, map[string]bool{"ours": true, "theirs": true}},
		"injected": {before, map[string]bool{}},
	} {
		for _, word := range []string{"ours", "theirs", "nobodys"} {
			for _, trace := range []string{
				word + "/secret", `"` + word + `"`, "dir:/" + word, word + "/app.env", word + " context", word + "-rule", word + "-watch", word + "-message", word + "-consumer", word + "/**",
				string(findingID(map[string]int{"ours": 1, "theirs": 2, "nobodys": 3}[word])),
			} {
				if got := strings.Contains(c.seen, trace); got != c.want[word] {
					t.Errorf("%s: %q is seen: %t", what, trace, got)
				}
			}
		}
	}
	if strings.Contains(mine, "theirs, too") || !strings.Contains(both, "theirs, too") {
		t.Error("a message of findings of several teams is seen by one, or not by both")
	}
	f.teamsShare(t)
}

// teamsShare: a finding of one team is a copy of another's secret. Its verdict is the
// same for all, and who may not see the secret does not learn of it.
func (f *fixture) teamsShare(t *testing.T) {
	o := registered(2)
	o.FindingID, o.PathID, o.SourceID, o.Path, o.Owner = findingID(4), pathID(4), "dir:/ours", "shared.env", ours
	f.record(hour(1), o)
	f.update(func(tx store.Tx) error {
		v := version("theirs/secret", 2, fingerprints.StateRetired)
		v.RetiredAt = hour(1)
		return tx.PutVersion(f.ctx, v)
	})
	f.view(func(tx store.Tx) error {
		wide, err := tx.Finding(f.ctx, hour(3), findingID(4))
		if err != nil {
			return err
		}
		tx.Narrow([]string{ours})
		narrow, err := tx.Finding(f.ctx, hour(3), findingID(4))
		if narrow.Verdict != fingerprints.VerdictStale || len(narrow.Matches) != 0 || len(wide.Matches) != 1 {
			t.Errorf("%s, %d matches of %d", narrow.Verdict, len(narrow.Matches), len(wide.Matches))
		}
		wide.Matches, wide.Severity, narrow.Severity = nil, "", ""
		f.diff("but for its matches", wide, narrow)
		n, cerr := tx.CountVerdicts(f.ctx, hour(3), store.FindingFilter{})
		by, berr := tx.VerdictsBySource(f.ctx, hour(3), []string{"dir:/ours", "dir:/theirs"})
		f.diff("counts by source", map[string]map[fingerprints.Verdict]int{"dir:/ours": {fingerprints.VerdictLeaked: 1, fingerprints.VerdictStale: 1}}, by)
		f.diff("counts", map[fingerprints.Verdict]int{fingerprints.VerdictLeaked: 1, fingerprints.VerdictStale: 1}, n)
		list, lerr := tx.Findings(f.ctx, hour(3), store.FindingFilter{Secret: "theirs/secret"})
		f.diff("by a secret that is not seen", 0, len(list))
		return errors.Join(err, cerr, berr, lerr)
	})
}
