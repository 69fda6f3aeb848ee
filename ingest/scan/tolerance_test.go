package scan_test

import (
	"slices"
	"strings"
	"testing"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/ingest/scan"
	"revenant/scanners"
)

// tolerance tolerates by the path.
type tolerance struct {
	how  map[string]scan.Tolerated
	late bool
	seen []string
	// rules of all sightings
	rules    []string
	ordinals []uint32
}

func (w *tolerance) Late() bool { return w.late }

func (w *tolerance) Values() bool { return true }

func (w *tolerance) Tolerate(k scan.Known) (wire.Tolerated, scan.Tolerated) {
	w.seen = append(w.seen, k.BaselineID)
	w.ordinals = append(w.ordinals, k.Ordinal)
	w.rules = append(w.rules, k.Rules...)
	return wire.Tolerated{By: "a file"}, w.how[k.Path+"@"+k.Commit]
}

// What is tolerated is reported, and alerts nobody: this copy of it, or the
// finding from here on, or with what came before.
func TestTolerance(t *testing.T) {
	value := random(1, 24)
	for name, c := range map[string]struct {
		how    map[string]scan.Tolerated
		late   bool
		open   int // sightings
		spared int // findings
		exit   int
	}{
		"nothing":              {nil, false, 3, 0, scan.ExitFindings},
		"one copy":             {map[string]scan.Tolerated{"a@1": scan.TolerateSighting}, false, 2, 0, scan.ExitFindings},
		"from there on":        {map[string]scan.Tolerated{"a@1": scan.TolerateFinding}, false, 1, 1, scan.ExitFindings},
		"by the last":          {map[string]scan.Tolerated{"a@2": scan.TolerateFinding}, false, 2, 0, scan.ExitFindings},
		"by the last, later":   {map[string]scan.Tolerated{"a@2": scan.TolerateFinding}, true, 1, 1, scan.ExitFindings},
		"all findings":         {map[string]scan.Tolerated{"a@1": scan.TolerateFinding, "b@1": scan.TolerateSighting}, false, 0, 2, scan.ExitClean},
		"all, and it is later": {map[string]scan.Tolerated{"a@2": scan.TolerateFinding, "b@1": scan.TolerateSighting}, true, 0, 2, scan.ExitClean},
	} {
		t.Run(name, func(t *testing.T) {
			src := &memory{id: "dir:/a"}
			for _, p := range [][]string{{"a", "1"}, {"a", "2"}, {"b", "1"}} {
				it := item("dir:/a", p[0], "x = "+value+"\n")
				it.Locator, it.Origin.Commit = p[1], p[1]
				src.items = append(src.items, it)
			}
			w := &tolerance{how: c.how, late: c.late}
			out := mustRun(t, src, setup{matcher: &literal{generic: []planted{{value: value}}}, change: func(o *scan.Options) { o.Tolerance, o.EmitTolerated = w, true }})
			open := 0
			for _, f := range out.findings {
				if (f.Status == fingerprints.StatusOpen) != (f.Tolerated == nil) {
					t.Errorf("%s is %s, by the word of %v", f.Path, f.Status, f.Tolerated)
				}
				if f.Tolerated == nil {
					open++
				}
			}
			if exit := scan.ExitCode(out.Outcome(), scan.DefaultExitRules()); len(out.findings) != 3 || open != c.open || out.Tolerated != c.spared || exit != c.exit {
				t.Errorf("%d findings, %d open, %d spared, exit %d; want 3, %d, %d, %d", len(out.findings), open, out.Tolerated, exit, c.open, c.spared, c.exit)
			}
			if len(w.seen) != 3 || w.seen[0] == "" || w.seen[0] != w.seen[1] || w.seen[0] == w.seen[2] || !strings.HasPrefix(w.seen[0], "bl1:") {
				t.Errorf("ids: %v", w.seen)
			}
			if want := []uint32{0, 0, 0}; !slices.Equal(w.ordinals, want) {
				t.Errorf("ordinals: %v", w.ordinals)
			}
			if len(w.rules) != 3 || w.rules[0] != "rule-a" {
				t.Errorf("rules: %v", w.rules)
			}
			for _, r := range out.sink.obs {
				if r.Sighting.Finding == "" {
					t.Error("what is tolerated is not recorded")
				}
			}
		})
	}
}

// A value keeps its ordinal in every copy and version of a file; another one
// has the next.
func TestToleranceOrdinals(t *testing.T) {
	one, two := random(1, 24), random(2, 24)
	src := &memory{id: "dir:/a", items: []scanners.Item{
		item("dir:/a", "a", one+" "+two+" "+one), item("dir:/a", "a", two), item("dir:/a", "b", two), item("dir:/a", "a", one),
	}}
	for i := range src.items {
		src.items[i].Locator = string(rune('a' + i))
	}
	w := &tolerance{}
	mustRun(t, src, setup{matcher: &literal{generic: []planted{{value: one}, {value: two}}}, change: func(o *scan.Options) { o.Tolerance, o.EmitTolerated = w, true }})
	if want := []uint32{0, 1, 0, 1, 0, 0}; !slices.Equal(w.ordinals, want) {
		t.Errorf("%v, want %v", w.ordinals, want)
	}
}
