package storetest

import (
	"slices"
	"testing"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

func testFilters(t *testing.T, f *fixture) {
	f.source(dir, "dir:/other")
	f.put("a", version("a", 1, fingerprints.StateActive), version("a", 2, fingerprints.StateRetired))
	f.put("b", version("b", 3, fingerprints.StatePending))
	f.record(hour(1), filterBatch()...)
	f.update(func(tx store.Tx) error {
		fp := fingerprints.Finding{ID: findingID(5), Status: fingerprints.StatusFalsePositive}
		if err := tx.SetTriage(f.ctx, fp, store.HistoryEntry{At: hour(2), What: "dismissed"}); err != nil {
			return err
		}
		return tx.MergeFinding(f.ctx, hour(2), findingID(6), findingID(4))
	})
	for _, c := range []struct {
		name   string
		filter store.FindingFilter
		want   []int
	}{
		{"all", store.FindingFilter{}, []int{1, 2, 3, 4, 5}},
		{"ids", store.FindingFilter{IDs: []fingerprints.FindingID{findingID(5), findingID(1), findingID(9)}}, []int{1, 5}},
		{"ids by alias", store.FindingFilter{IDs: []fingerprints.FindingID{findingID(6), findingID(4)}}, []int{4}},
		{"no ids", store.FindingFilter{IDs: []fingerprints.FindingID{}}, nil},
		{"prefix", store.FindingFilter{IDPrefix: string(findingID(3)[:36])}, []int{3}},
		{"prefix of an alias", store.FindingFilter{IDPrefix: string(findingID(6)[:36])}, []int{4}},
		{"prefix of all", store.FindingFilter{IDPrefix: "rv1:"}, []int{1, 2, 3, 4, 5}},
		{"prefix has no wildcards", store.FindingFilter{IDPrefix: "rv1_"}, nil},
		{"value", store.FindingFilter{Value: valueID(2)}, []int{2}},
		{"secret", store.FindingFilter{Secret: "a"}, []int{1, 2}},
		{"version", store.FindingFilter{Secret: "a", Version: 2}, []int{2}},
		{"unknown secret", store.FindingFilter{Secret: "c"}, nil},
		{"source", store.FindingFilter{SourceID: "dir:/other"}, []int{3}},
		{"path", store.FindingFilter{PathGlob: "src/**/*.go"}, []int{4, 5}},
		{"path with a star", store.FindingFilter{PathGlob: "src/*.go"}, []int{4}},
		{"beginning of a path", store.FindingFilter{PathPrefix: "src/"}, []int{4, 5}},
		{"beginning of a path has no wildcards", store.FindingFilter{PathPrefix: "s%"}, nil},
		{"no path", store.FindingFilter{PathGlob: "*.py"}, nil},
		{"rule", store.FindingFilter{Rule: "aws"}, []int{4}},
		{"rule is exact", store.FindingFilter{Rule: "aw"}, nil},
		{"page of a rule", store.FindingFilter{Rule: "aws", Limit: 9}, []int{4}},
		{"page of a rule, behind it", store.FindingFilter{Rule: "aws", Limit: 9, After: findingID(4)}, nil},
		{"page of a rule and a path", store.FindingFilter{Rule: "aws", PathGlob: "src/*.go", Limit: 9}, []int{4}},
		{"page of a rule and another path", store.FindingFilter{Rule: "aws", PathGlob: "*.py", Limit: 9}, nil},
		{"page of a rule and a status", store.FindingFilter{Rule: "aws", Statuses: []fingerprints.Status{fingerprints.StatusFalsePositive}, Limit: 9}, nil},
		{"page of a rule that none has", store.FindingFilter{Rule: "aw", Limit: 9}, nil},
		{"verdict", store.FindingFilter{Verdicts: []fingerprints.Verdict{fingerprints.VerdictStale, fingerprints.VerdictPremature}}, []int{2, 3}},
		{"unknown verdict", store.FindingFilter{Verdicts: []fingerprints.Verdict{"odd"}}, nil},
		{"status", store.FindingFilter{Statuses: []fingerprints.Status{fingerprints.StatusFalsePositive}}, []int{5}},
		{"presence", store.FindingFilter{Presences: []fingerprints.Presence{fingerprints.PresenceHistory}}, []int{1}},
		{"owner", store.FindingFilter{Owner: "team-a"}, []int{2, 4}},
		{"several", store.FindingFilter{Owner: "team-a", Secret: "a", PathGlob: "**", Limit: 3, Statuses: []fingerprints.Status{fingerprints.StatusOpen}}, []int{2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var want, got []fingerprints.FindingID
			for _, n := range c.want {
				want = append(want, findingID(n))
			}
			total := 0
			for _, v := range f.findings(hour(3), c.filter) {
				got = append(got, v.ID)
			}
			f.diff(c.name, want, got)
			f.view(func(tx store.Tx) error {
				counts, err := tx.CountVerdicts(f.ctx, hour(3), c.filter)
				for _, n := range counts {
					total += n
				}
				return err
			})
			if total != len(c.want) {
				t.Errorf("CountVerdicts: %d, want %d", total, len(c.want))
			}
		})
	}
}

func filterBatch() []store.Observed {
	batch := []store.Observed{registered(1), registered(2), registered(3), observed(4), observed(5), observed(6)}
	batch[0].Sighting.Presence = fingerprints.PresenceHistory
	batch[1].Owner = "team-a"
	batch[2].SourceID = "dir:/other"
	batch[3].Path, batch[3].Owner, batch[3].Sighting.Rule = "src/main.go", "team-a", "aws"
	batch[4].Path, batch[4].Sighting.Rule = "src/deep/down/x.go", "aws-key"
	return batch
}

func testPaging(t *testing.T, f *fixture) {
	f.source(dir)
	const n = 1300 // more than a page inside any implementation
	var batch []store.Observed
	var want []fingerprints.FindingID
	for i := range n {
		o := observed(i)
		if i%3 == 0 {
			o.Path = "a/b.txt"
			want = append(want, o.FindingID)
		}
		batch = append(batch, o)
	}
	f.record(hour(1), batch...)
	filter := store.FindingFilter{PathGlob: "a/*", Limit: 100, Verdicts: []fingerprints.Verdict{fingerprints.VerdictUnregistered}}
	var got []fingerprints.FindingID
	for {
		list := f.findings(hour(1), filter)
		for _, v := range list {
			got = append(got, v.ID)
		}
		if len(list) < filter.Limit {
			break
		}
		filter.After = list[len(list)-1].ID
	}
	f.diff("pages", want, got)

	var ids []fingerprints.FindingID
	for i := range n {
		ids = append(ids, findingID(n-1-i))
	}
	list := f.findings(hour(1), store.FindingFilter{IDs: ids})
	if len(list) != n || !slices.IsSortedFunc(list, func(a, b store.FindingView) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	}) {
		t.Errorf("a long list of ids gave %d findings, want %d in order", len(list), n)
	}
	if list := f.findings(hour(1), store.FindingFilter{IDs: ids, Limit: 5}); len(list) != 5 || list[4].ID != findingID(4) {
		t.Errorf("a long list of ids with a limit gave %d", len(list))
	}
}
