package hook_test

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"revenant/fingerprints"
	"revenant/ingest/hook"
)

// TestOverridesKept: what is kept comes back, also beside a line that a crash cut
// off, and when many hooks write at once.
func TestOverridesKept(t *testing.T) {
	dir := t.TempDir()
	if list, n, err := hook.Overrides(dir); len(list) != 0 || n != 0 || err != nil {
		t.Errorf("nothing yet: %v, %d, %v", list, n, err)
	}
	at := time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)
	one := hook.Override{At: at, Hook: "pre-commit", By: "local:x", Reason: "a\nreason", Findings: []hook.OverrideFinding{{ID: "rv1:00", Secret: "db@1", Verdict: fingerprints.VerdictLeaked, Path: "a.txt", Line: 3}}}
	if err := hook.AppendOverride(dir, one); err != nil {
		t.Fatal(err)
	}
	name := hook.OverridesFile(dir)
	f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteString(`{"schema":"revenant.overr`)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			if err := hook.AppendOverride(dir, hook.Override{At: at, Hook: "pre-push", Reason: fmt.Sprint(i)}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	list, unreadable, err := hook.Overrides(dir)
	if len(list) != 21 || unreadable != 1 || err != nil {
		t.Fatalf("%d overrides, %d unreadable, %v", len(list), unreadable, err)
	}
	if o := list[0]; o.Reason != one.Reason || o.Schema != hook.OverrideV1 || len(o.Findings) != 1 || o.Findings[0].Secret != "db@1" {
		t.Errorf("%+v", o)
	}
	info, err := os.Stat(name)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if err := hook.AppendOverride("/dev/null", one); err == nil {
		t.Error("a place that is no folder is taken")
	}
}
