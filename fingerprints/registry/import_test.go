package registry_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
)

func contains(s, sub string) bool { return strings.Contains(s, sub) }

// stream yields records, then io.EOF.
func stream(recs ...registry.ImportRecord) func() (registry.ImportRecord, error) {
	return func() (registry.ImportRecord, error) {
		if len(recs) == 0 {
			return registry.ImportRecord{}, io.EOF
		}
		r := recs[0]
		recs = recs[1:]
		return r, nil
	}
}

func imported(t testing.TB, k *kit, recs ...registry.ImportRecord) registry.Imported {
	t.Helper()
	out, err := k.reg.Import(k.ctx, me(), stream(recs...), registry.ImportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestImport(t *testing.T) {
	k := newKit(t)
	v := func() []registry.Field { return field(k.text(30)) }
	one, two, three := v(), v(), v()
	file := []registry.ImportRecord{
		{Name: "a", Fields: one, Owner: "team", Consumers: []string{"web"}},
		{Name: "b", Fields: two},
		{Name: "a", Fields: three, IssuedTo: ""},
		{Name: "no good name", Fields: v()},
		{Name: "c", Fields: field("")},
		{Name: "d", Fields: field("short")},
		{Name: "e", Fields: v(), State: "nonsense"},
		{Name: "f", Fields: v(), State: fingerprints.StateRetired},
		{Name: "a", Fields: v(), State: fingerprints.StatePending},
	}
	got := imported(t, k, file...)
	if got.Lines != 9 || got.Added != 4 || got.Rotated != 2 || got.Unchanged != 0 || got.Unsearchable != 1 {
		t.Errorf("%+v", got)
	}
	var lines []int
	for _, p := range got.Problems {
		lines = append(lines, p.Line)
	}
	if diff := cmp.Diff([]int{4, 5, 7}, lines); diff != "" {
		t.Errorf("lines with problems:\n%s", diff)
	}
	states := map[string][]fingerprints.State{}
	for _, name := range []string{"a", "b", "f"} {
		s, err := k.reg.Show(k.ctx, me(), name)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range s.Versions {
			states[name] = append(states[name], x.State)
		}
	}
	want := map[string][]fingerprints.State{
		"a": {fingerprints.StateSuperseded, fingerprints.StateActive, fingerprints.StatePending},
		"b": {fingerprints.StateActive},
		"f": {fingerprints.StateRetired},
	}
	if diff := cmp.Diff(want, states); diff != "" {
		t.Error(diff)
	}
	before := k.meta()
	again := imported(t, k, file...)
	if again.Added != 0 || again.Rotated != 0 || again.Unchanged != 6 {
		t.Errorf("repeated: %+v", again)
	}
	if diff := cmp.Diff(before, k.meta()); diff != "" {
		t.Errorf("a repeated import changed the registry:\n%s", diff)
	}
}

func TestImportKnownValueInOtherState(t *testing.T) {
	k := newKit(t)
	value := field(k.text(30))
	imported(t, k, registry.ImportRecord{Name: "a", Fields: value})
	got := imported(t, k, registry.ImportRecord{Name: "a", Fields: value, State: fingerprints.StateRetired})
	if got.Unchanged != 1 || len(got.Notes) != 1 || len(got.Problems) != 0 {
		t.Errorf("%+v, want unchanged with a note", got)
	}
}

func TestImportBrokenLinesAndReader(t *testing.T) {
	k := newKit(t)
	good := registry.ImportRecord{Name: "a", Fields: field(k.text(30))}
	n := 0
	got, err := k.reg.Import(k.ctx, me(), func() (registry.ImportRecord, error) {
		switch n++; n {
		case 1:
			return registry.ImportRecord{}, &registry.LineError{Line: 7, Reason: "not JSON"}
		case 2:
			return good, nil
		}
		return registry.ImportRecord{}, io.EOF
	}, registry.ImportOptions{})
	if err != nil || got.Added != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	if diff := cmp.Diff([]registry.ImportProblem{{Line: 7, Reason: "not JSON"}}, got.Problems); diff != "" {
		t.Error(diff)
	}
	broken := errors.New("the pipe broke")
	_, err = k.reg.Import(k.ctx, me(), func() (registry.ImportRecord, error) { return good, broken }, registry.ImportOptions{})
	if !errors.Is(err, broken) {
		t.Errorf("error %v, want the reader's", err)
	}
}

func TestImportContainingOlderValue(t *testing.T) {
	k := newKit(t)
	value := k.text(30)
	got := imported(t, k,
		registry.ImportRecord{Name: "a", Fields: field(value)},
		registry.ImportRecord{Name: "a", Fields: field("x-" + value)})
	if got.Added != 1 || got.Rotated != 0 || len(got.Problems) != 1 {
		t.Errorf("%+v, want line 2 refused", got)
	}
}

func TestImportManyBatches(t *testing.T) {
	k := newKit(t)
	const n = 2100
	recs := make([]registry.ImportRecord, n)
	for i := range recs {
		recs[i] = registry.ImportRecord{Name: "many/" + itoa(i), Fields: field(k.text(24))}
	}
	if got := imported(t, k, recs...); got.Added != n || len(got.Problems) != 0 {
		t.Fatalf("added %d, %d problems", got.Added, len(got.Problems))
	}
	if got := imported(t, k, recs...); got.Unchanged != n {
		t.Errorf("repeated: unchanged %d", got.Unchanged)
	}
	if rep, err := k.reg.VerifyAudit(k.ctx, me(), nil); err != nil || rep.Records < n {
		t.Errorf("%+v, %v", rep, err)
	}
}
