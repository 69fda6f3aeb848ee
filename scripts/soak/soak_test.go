package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestSoak runs all of it on little, with real servers and processes: what a full
// run would fail at after an hour shows here.
func TestSoak(t *testing.T) {
	dir := t.TempDir()
	o := options{
		bin: filepath.Join(dir, "revenant"), work: filepath.Join(dir, "work"), doc: filepath.Join(dir, "scale.md"), stores: "sqlite,postgres",
		sources: 10, sightings: 1000, versions: 50, watches: 10,
	}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", o.bin, "../../cmd/revenant").CombinedOutput(); err != nil {
		t.Fatalf("building: %v: %s", err, out)
	}
	doc := "before\n"
	for _, name := range []string{"sqlite", "postgres"} {
		begin, end := marks(name)
		doc += begin + "outdated\n" + end + "after " + name + "\n"
	}
	if err := os.WriteFile(o.doc, []byte(doc), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	written, err := os.ReadFile(o.doc)
	if err != nil {
		t.Fatal(err)
	}
	text := string(written)
	for _, want := range []string{
		"before\n", "after sqlite\n", "after postgres\n", "SQLite, ", "PostgreSQL, ", "10 sources, 1000 sightings, 50 versions",
		"| a tenth of one value | 1000 |", "| all but 2 % of one value | 1000 |", "`retire`", "(980)", "(100)", "| one worker |", "| two workers |",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the document has no %q", want)
		}
	}
	if strings.Contains(text, "outdated") {
		t.Error("the document has the table that was there before")
	}
	if _, err := os.Stat(o.work); !os.IsNotExist(err) {
		t.Errorf("what was made is still there: %v", err)
	}
}

// TestRefuses: folders and sizes that nothing could be made of.
func TestRefuses(t *testing.T) {
	good := options{work: t.TempDir(), stores: "sqlite", sources: 1, sightings: 10, versions: 20}
	for name, change := range map[string]func(*options){
		"no sources":           func(o *options) { o.sources = 0 },
		"too few sightings":    func(o *options) { o.sightings = 9 },
		"too few versions":     func(o *options) { o.versions = 19 },
		"the root folder":      func(o *options) { o.work = "/" },
		"another database":     func(o *options) { o.stores = "mysql" },
		"a document of others": func(o *options) { o.doc = filepath.Join(o.work, "missing.md") },
	} {
		o := good
		change(&o)
		if err := run(t.Context(), o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
