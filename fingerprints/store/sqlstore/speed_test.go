package sqlstore_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// fill records n sightings, ten of each finding, a tenth of them of the one
// field of leaked@1, and returns that version.
func fill(t testing.TB, s store.Store, n int) fingerprints.Version {
	t.Helper()
	v := fingerprints.Version{ID: fingerprints.VersionID{1}, Secret: "leaked", Number: 1, State: fingerprints.StateActive}
	row := fingerprints.RowID{2}
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		if err := tx.PutSource(ctx, store.Source{ID: "dir:/x"}); err != nil {
			return err
		}
		if err := tx.PutSecret(ctx, fingerprints.Secret{Name: "leaked", Class: fingerprints.ClassApplication}); err != nil {
			return err
		}
		if err := tx.PutVersion(ctx, v); err != nil {
			return err
		}
		return tx.PutField(ctx, fingerprints.FieldRow{ID: row, Version: v.ID, Field: "value"})
	})
	const batch = 5000
	for from := 0; from < n; from += batch {
		var obs []store.Observed
		for i, o := range sample(from/10, batch/10) {
			if i%10 == 0 {
				o.Value = fingerprints.ValueID{9}
				o.Rows = []fingerprints.RowID{row}
			}
			for j := range 10 {
				o.Sighting.Locator = fmt.Sprintf("%040x", j)
				obs = append(obs, o)
			}
		}
		update(t, s, func(ctx context.Context, tx store.Tx) error {
			_, err := tx.Record(ctx, time.Unix(1, 0), obs)
			return err
		})
	}
	return v
}

func update(t testing.TB, s store.Store, fn func(context.Context, store.Tx) error) {
	t.Helper()
	ctx := t.Context()
	if err := s.Update(ctx, func(tx store.Tx) error { return fn(ctx, tx) }); err != nil {
		t.Fatal(err)
	}
}

// retire changes the state and counts what became of the findings.
func retire(t testing.TB, s store.Store, v fingerprints.Version, state fingerprints.State) map[fingerprints.Verdict]int {
	t.Helper()
	v.State = state
	var counts map[fingerprints.Verdict]int
	update(t, s, func(ctx context.Context, tx store.Tx) (err error) {
		if err = tx.PutVersion(ctx, v); err != nil {
			return err
		}
		counts, err = tx.CountVerdicts(ctx, time.Unix(9, 0), store.FindingFilter{Secret: "leaked"})
		return err
	})
	return counts
}

func TestRetireIsQuick(t *testing.T) { retireIsQuick(t, filepath.Join(t.TempDir(), "registry.db")) }

func retireIsQuick(t *testing.T, path string) {
	t.Helper()
	s := create(t, path)
	const n = 10_000
	v := fill(t, s, n)
	began := time.Now()
	counts := retire(t, s, v, fingerprints.StateRetired)
	if took := time.Since(began); took > time.Second {
		t.Errorf("retiring took %v", took)
	}
	if len(counts) != 1 || counts[fingerprints.VerdictStale] != n/100 {
		t.Errorf("verdicts %v, want %d stale", counts, n/100)
	}
}

func BenchmarkRetire(b *testing.B) {
	for _, n := range []int{10_000, 1_000_000} {
		b.Run(fmt.Sprint(n, " sightings"), func(b *testing.B) {
			s := create(b, filepath.Join(b.TempDir(), "registry.db"))
			v := fill(b, s, n)
			states := []fingerprints.State{fingerprints.StateRetired, fingerprints.StateActive}
			for i := 0; b.Loop(); i++ {
				retire(b, s, v, states[i%2])
			}
		})
	}
}

func BenchmarkRecord(b *testing.B) {
	const batch = 5000
	for _, c := range []struct {
		name        string
		perFinding  int
		sameBatches bool
	}{
		{"new findings", 1, false},
		{"new findings, 10 places each", 10, false},
		{"known", 1, true},
	} {
		b.Run(c.name, func(b *testing.B) {
			s := create(b, filepath.Join(b.TempDir(), "registry.db"))
			update(b, s, func(ctx context.Context, tx store.Tx) error { return tx.PutSource(ctx, store.Source{ID: "dir:/x"}) })
			from := 0
			for b.Loop() {
				b.StopTimer()
				var obs []store.Observed
				for _, o := range sample(from, batch/c.perFinding) {
					for j := range c.perFinding {
						o.Sighting.Start = int64(j)
						obs = append(obs, o)
					}
				}
				if !c.sameBatches {
					from += batch
				}
				b.StartTimer()
				update(b, s, func(ctx context.Context, tx store.Tx) error {
					_, err := tx.Record(ctx, time.Unix(1, 0), obs)
					return err
				})
			}
			b.ReportMetric(float64(batch)*float64(b.N)/b.Elapsed().Seconds(), "sightings/s")
		})
	}
}

func BenchmarkCountVerdicts(b *testing.B) {
	s := create(b, filepath.Join(b.TempDir(), "registry.db"))
	fill(b, s, 200_000)
	for b.Loop() {
		err := s.View(b.Context(), func(tx store.Tx) error {
			_, err := tx.CountVerdicts(b.Context(), time.Unix(9, 0), store.FindingFilter{})
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkImport(b *testing.B) {
	const n = 10_000
	for b.Loop() {
		b.StopTimer()
		s := create(b, filepath.Join(b.TempDir(), "registry.db"))
		sealed := make([]byte, 256)
		b.StartTimer()
		update(b, s, func(ctx context.Context, tx store.Tx) error {
			for i := range n {
				id := sample(i, 1)[0].Value
				name := fmt.Sprint("secret/", i)
				if err := tx.PutSecret(ctx, fingerprints.Secret{Name: name}); err != nil {
					return err
				}
				if err := tx.PutVersion(ctx, fingerprints.Version{ID: [16]byte(id), Secret: name, Number: 1, State: fingerprints.StateActive}); err != nil {
					return err
				}
				if err := tx.PutField(ctx, fingerprints.FieldRow{ID: [16]byte(id), Version: [16]byte(id), Field: "value", Sealed: sealed}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "versions/s")
}
