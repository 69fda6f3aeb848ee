// Package storetest is the conformance suite of package store: every
// implementation runs it, with a function that opens an empty store.
//
// It promises to call nothing but the contract, so that what it finds is what
// the registry's use cases would meet. It refuses to look inside: durability,
// locking and damage are the implementation's own tests.
package storetest

import (
	"context"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// Run runs the suite; open returns a new, empty store each time and sees to
// its closing.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	t.Helper()
	for _, c := range []struct {
		name string
		test func(t *testing.T, s *fixture)
	}{
		{"meta", testMeta},
		{"update is all or nothing", testAtomic},
		{"view cannot write", testViewReadOnly},
		{"view is consistent", testViewConsistent},
		{"secrets", testSecrets},
		{"versions", testVersions},
		{"fields", testFields},
		{"acks", testAcks},
		{"allowed homes", testAllows},
		{"record new", testRecordNew},
		{"record is idempotent", testRecordIdempotent},
		{"record duplicates in a batch", testRecordDuplicates},
		{"record a large batch", testRecordLarge},
		{"record runs", testRecordRuns},
		{"record runs of streams", testStreamRuns},
		{"streams expire", testStreamExpires},
		{"positions", testPositions},
		{"record keeps the strongest presence", testRecordPresence},
		{"record replaces allowed homes", testRecordHomes},
		{"record refuses", testRecordRefuses},
		{"values without an id", testWeakValues},
		{"gone and returned", testGoneReturned},
		{"gone by extent", testGoneExtent},
		{"gone keeps what was skipped", testGoneKeep},
		{"every verdict", testVerdicts},
		{"worst of several", testWorst},
		{"a version's state moves every verdict", testRetire},
		{"link a value", testLinkValue},
		{"homes of whole sources", testWholeHomes},
		{"counts in groups", testGroups},
		{"places", testPlaces},
		{"too common", testTooCommon},
		{"merge", testMerge},
		{"filters", testFilters},
		{"paging", testPaging},
		{"triage", testTriage},
		{"decisions", testDecisions},
		{"every verdict under decisions", testDecidable},
		{"decisions about a rule", testDecidedRules},
		{"sources", testSources},
		{"old scans", testForgetScans},
		{"move a source", testMove},
		{"move a source onto another", testMoveOnto},
		{"seen again at the old source", testMovedAndBack},
		{"forget a source", testForget},
		{"scans", testScans},
		{"complete scans", testCompleteScans},
		{"skips", testSkips},
		{"provenance", testProvenance},
		{"long texts", testLong},
		{"watches", testWatches},
		{"due watches", testDueWatches},
		{"workers", testWorkers},
		{"tokens", testTokens},
		{"requests", testRequests},
		{"look-ups", testLookUps},
		{"days", testDays},
		{"saved views", testViews},
		{"cleared", testCleared},
		{"ages of versions", testAges},
		{"people", testPeople},
		{"teams", testTeams},
		{"sessions", testSessions},
		{"codes", testCodes},
		{"audit", testAudit},
		{"changes", testChanges},
		{"changes of what is tied", testChangesOfLinks},
		{"lapsed", testLapsed},
		{"marks", testMarks},
		{"told", testTold},
		{"notices", testNotices},
		{"deliveries", testDeliveries},
		{"given up", testGivenUp},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := &fixture{t: t, ctx: t.Context(), store: open(t)}
			c.test(t, f)
			f.counted()
		})
	}
}

// epoch is when every test starts.
func epoch() time.Time { return time.Date(2031, 2, 3, 4, 5, 6, 7000, time.UTC) }

func hour(n int) time.Time { return epoch().Add(time.Duration(n) * time.Hour) }

// fixture is a store with short ways to fill it.
type fixture struct {
	t     *testing.T
	ctx   context.Context //nolint:containedctx // of one test
	store store.Store
}

func (f *fixture) update(fn func(tx store.Tx) error) {
	f.t.Helper()
	if err := f.store.Update(f.ctx, fn); err != nil {
		f.t.Fatalf("Update: %v", err)
	}
}

func (f *fixture) view(fn func(tx store.Tx) error) {
	f.t.Helper()
	if err := f.store.View(f.ctx, fn); err != nil {
		f.t.Fatalf("View: %v", err)
	}
}

func (f *fixture) diff(what string, want, got any) {
	f.t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		f.t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func (f *fixture) wantErr(what string, err, want error) {
	f.t.Helper()
	if !errors.Is(err, want) {
		f.t.Errorf("%s: error %v, want %v", what, err, want)
	}
}

// id makes 16 bytes that differ by kind and number.
func id(kind byte, n int) (out [16]byte) {
	out[0] = kind
	binary.BigEndian.PutUint64(out[8:], uint64(n))
	return out
}

func versionID(n int) fingerprints.VersionID { return id('v', n) }
func rowID(n int) fingerprints.RowID         { return id('r', n) }
func valueID(n int) fingerprints.ValueID     { return id('x', n) }
func pathID(n int) fingerprints.PathID       { return id('p', n) }

func findingID(n int) fingerprints.FindingID {
	return fingerprints.FindingID("rv1:" + fingerprints.ValueID(id('f', n)).String())
}

// version is name@n in a state, with the one field rowID(n).
func version(name string, n int, s fingerprints.State) fingerprints.Version {
	return fingerprints.Version{ID: versionID(n), Secret: name, Number: n, State: s, CreatedAt: epoch()}
}

func field(n int) fingerprints.FieldRow {
	return fingerprints.FieldRow{
		ID: rowID(n), Version: versionID(n), Field: "password", Format: 1, Epoch: 1, FilterGen: 1,
		Revision: uint64(n), Strength: fingerprints.StrengthEdge, Sealed: []byte{1, 2, 3, byte(n)},
	}
}

// put stores a secret with versions, each with one field.
func (f *fixture) put(name string, versions ...fingerprints.Version) {
	f.t.Helper()
	f.update(func(tx store.Tx) error {
		err := tx.PutSecret(f.ctx, fingerprints.Secret{Name: name, Class: fingerprints.ClassApplication, Owner: "owner-of-" + name, CreatedAt: epoch()})
		for _, v := range versions {
			row := field(v.Number)
			row.ID, row.Version = fingerprints.RowID(id('r', int(v.ID[15]))), v.ID
			err = errors.Join(err, tx.PutVersion(f.ctx, v), tx.PutField(f.ctx, row))
		}
		return err
	})
}

func (f *fixture) source(ids ...string) {
	f.t.Helper()
	f.update(func(tx store.Tx) error {
		for _, id := range ids {
			if err := tx.PutSource(f.ctx, store.Source{ID: id, Kind: fingerprints.KindDir, AddedAt: epoch()}); err != nil {
				return err
			}
		}
		return nil
	})
}

const dir = "dir:/srv/app"

// observed is the sighting of value n at path n of dir, of row n if registered.
func observed(n int) store.Observed {
	return store.Observed{
		FindingID: findingID(n), Value: valueID(n), SourceID: dir, Path: "conf/app.env", PathID: pathID(n),
		Sighting: fingerprints.Sighting{
			Start: 10, End: 30, Line: 2, Column: 3, EndLine: 2, EndColumn: 23,
			Form: fingerprints.FormRaw, Presence: fingerprints.PresenceTip, Context: "password=[redacted]",
		},
	}
}

func registered(n int) store.Observed {
	o := observed(n)
	o.Rows = []fingerprints.RowID{rowID(n)}
	o.Sighting.Row = rowID(n)
	return o
}

func (f *fixture) record(at time.Time, obs ...store.Observed) []store.Recorded {
	f.t.Helper()
	var out []store.Recorded
	f.update(func(tx store.Tx) (err error) {
		out, err = tx.Record(f.ctx, at, obs)
		return err
	})
	return out
}

func (f *fixture) finding(now time.Time, id fingerprints.FindingID) (v store.FindingView) {
	f.t.Helper()
	f.view(func(tx store.Tx) (err error) {
		v, err = tx.Finding(f.ctx, now, id)
		return err
	})
	return v
}

func (f *fixture) findings(now time.Time, filter store.FindingFilter) (list []store.FindingView) {
	f.t.Helper()
	f.view(func(tx store.Tx) (err error) {
		list, err = tx.Findings(f.ctx, now, filter)
		return err
	})
	return list
}

func (f *fixture) sightings(id fingerprints.FindingID) (list []fingerprints.Sighting) {
	f.t.Helper()
	f.view(func(tx store.Tx) (err error) {
		if list, err = tx.Sightings(f.ctx, id, 0); err != nil {
			return err
		}
		for _, limit := range []int{1, 2, 1 << 20} {
			first, err := tx.FirstSightings(f.ctx, []fingerprints.FindingID{id, findingID(1), findingID(2)}, limit)
			if diff := cmp.Diff(list[:min(limit, len(list))], first[id]); err != nil || len(list) > 0 && list[0].Finding == id && diff != "" {
				f.t.Errorf("the first %d sightings: %v, %s", limit, err, diff)
			}
		}
		return err
	})
	return list
}

func (f *fixture) history(id fingerprints.FindingID) (words []string) {
	f.t.Helper()
	f.view(func(tx store.Tx) error {
		list, err := tx.History(f.ctx, id)
		for _, h := range list {
			words = append(words, h.What)
		}
		return err
	})
	return words
}

func (f *fixture) unseen(extent string, before, at time.Time, keep func(path, locator string) bool) (ids []fingerprints.FindingID) {
	f.t.Helper()
	f.update(func(tx store.Tx) (err error) {
		ids, err = tx.MarkUnseen(f.ctx, dir, extent, before, at, keep)
		return err
	})
	return ids
}
