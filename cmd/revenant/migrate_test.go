package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What another tool left counts after a migration, and a second one adds
// nothing.
func TestMigrate(t *testing.T) {
	b := newBox(t)
	b.write("app.conf", keyed(70))
	b.write("docs/a.md", keyed(71))
	b.write(".gitguardian.yaml", "version: 2\nsecret:\n  ignored_paths: ['docs/']\n")
	b.write("Makefile", "check:\n\tgitleaks detect --no-git\n")
	b.must(1, "", "dir", b.work)
	r := b.must(0, "", "migrate", b.work)
	for _, want := range []string{"Becomes", "an allowlist", "To be replaced by you", "Makefile:2, gitleaks detect", "revenant dir .", "--write puts it there", "[[allowlists]]"} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("not told: %s\n%s", want, r.stdout)
		}
	}
	config := filepath.Join(b.work, ".gitleaks.toml")
	if _, err := os.Stat(config); err == nil {
		t.Fatal("it was written without being asked for")
	}
	for range 2 {
		b.must(0, "", "migrate", b.work, "--write")
	}
	made, err := os.ReadFile(config)
	if err != nil || strings.Count(string(made), "[[allowlists]]") != 1 {
		t.Errorf("%v: %s", err, made)
	}
	if r := b.must(1, "", "dir", b.work, "-f", "json", "-r", "-", "-q"); strings.Contains(r.stdout, "docs/a.md") || !strings.Contains(r.stdout, "app.conf") {
		t.Errorf("the allowlist does not count: %s", r.stdout)
	}
	var plan struct{ Steps []struct{ Tool string } }
	if r := b.must(0, "", "migrate", b.work, "--json"); json.Unmarshal([]byte(r.stdout), &plan) != nil || len(plan.Steps) != 3 {
		t.Errorf("JSON: %s", r.stdout)
	}
	b.write(".gitleaks.toml", "title = [")
	b.must(2, "", "migrate", b.work, "--write")
	b.must(2, "", "migrate", filepath.Join(b.work, "none"))
	if r := b.must(0, "", "migrate", b.dir); !strings.Contains(r.stdout, "need no setup") {
		t.Errorf("nothing found: %s", r.stdout)
	}
}
