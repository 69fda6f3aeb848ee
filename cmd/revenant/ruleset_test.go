package main

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// ranked are the rules and severities that a scan reports, sorted.
func (b *box) ranked(code int, args ...string) (out []string) {
	b.t.Helper()
	r := b.must(code, "", append(args, "-q", "-f", "json", "-r", "-")...)
	var list []struct{ RuleID, Severity string }
	if err := json.Unmarshal([]byte(r.stdout), &list); err != nil {
		b.t.Fatalf("%v: %s", err, r.stdout)
	}
	for _, f := range list {
		out = append(out, f.RuleID+" "+f.Severity)
	}
	slices.Sort(out)
	return out
}

// TestOwnRules: this program's rules can be left out and widened, and what
// likely does not matter ranks low.
func TestOwnRules(t *testing.T) {
	b := newBox(t)
	name, strong, weak := "pass"+"word", "kR4"+generated(7)[:6], "wel"+"come1"
	b.write("app/settings.py", name+" = '"+strong+"'\n")
	b.write("tests/strong.py", name+" = '"+strong+"x'\n")
	b.write("tests/weak.py", name+" = '"+weak+"'\n")
	const rule = "revenant-pass" + "word-literal "
	if got := b.ranked(1, "dir", b.work); !slices.Equal(got, []string{rule + "low", rule + "medium"}) {
		t.Errorf("by itself: %v", got)
	}
	if got := b.ranked(1, "dir", b.work, "--rules", "wide"); !slices.Equal(got, []string{rule + "low", rule + "low", rule + "medium"}) {
		t.Errorf("wide: %v", got)
	}
	if got := b.ranked(0, "dir", b.work, "--rules", "gitleaks"); len(got) != 0 {
		t.Errorf("gitleaks' alone: %v", got)
	}
	b.ranked(0, "dir", b.work, "--exclude", "app/**", "--fail-on", "medium", "--rules", "wide")
	if r := b.must(2, "", "dir", b.work, "--rules", "mine"); !strings.Contains(r.stderr, "--rules is gitleaks, all or wide") {
		t.Errorf("another word: %s", r.stderr)
	}
	if all := b.must(0, "", "rules", "list").stdout; !strings.Contains(all, rule[:len(rule)-1]) || !strings.Contains(all, "generic-api-key") {
		t.Error("not all rules are listed")
	}
	if theirs := b.must(0, "", "rules", "list", "--rules", "gitleaks").stdout; strings.Contains(theirs, "revenant-") {
		t.Error("ours are listed though they were left out")
	}
	b.write(".gitleaks.toml", "[allowlist]\npaths = ['''app/''', '''tests/''']\n")
	if got := b.ranked(0, "dir", b.work); len(got) != 0 {
		t.Errorf("with an allowlist: %v", got)
	}
}

// TestOwnRulesRemembered: a repository that was found clean by other rules is
// read again.
func TestOwnRulesRemembered(t *testing.T) {
	b := newBox(t)
	b.must(0, "", "init")
	b.write("repo/app.py", "pass"+"word = 'kR4"+generated(8)[:6]+"'\n")
	dir := filepath.Join(b.work, "repo")
	b.gitIn(dir, "init", "-q", "-b", "main")
	b.gitIn(dir, "add", "-A")
	b.gitIn(dir, "commit", "-q", "-m", "one")
	b.must(0, "", "git", dir, "--rules", "gitleaks")
	b.must(0, "", "git", dir, "--rules", "gitleaks")
	if got := b.ranked(1, "git", dir); len(got) != 1 {
		t.Errorf("after a scan with other rules: %v", got)
	}
}
