package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// keyed is a line that a generic rule matches.
func keyed(seed uint64) string { return "api_key = \"" + generated(seed) + "\"\n" }

// baselineLines are the entries of a baseline.
func (b *box) baselineLines(name string) []string {
	b.t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		b.t.Fatal(err)
	}
	return regexp.MustCompile(`(?m)^(?:at|bl1):.*$`).FindAllString(string(data), -1)
}

// A baseline tolerates what was there, whatever the clone is called, until it
// runs out; nothing that is new, and no value is in it.
func TestBaseline(t *testing.T) {
	for name, ring := range map[string]bool{"with a ring": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			value := generated(71)
			if ring {
				b.must(0, "", "init")
				b.must(0, value, "secret", "add", "shop/db")
			}
			repo := b.holding("shop", keyed(70)+"db = "+value+"\n"+strings.Repeat("line\n", 30))
			file := filepath.Join(repo, ".revenant-baseline")
			b.must(1, "", "git", repo)
			b.must(0, "", "git", repo, "--write-baseline", file, "--baseline-owner", "payments team")
			lines := b.baselineLines(file)
			if want := map[bool]int{true: 2, false: 1}[ring]; len(lines) != want || !strings.Contains(lines[0], "owner=payments%20team") || !strings.Contains(lines[0], "until=") {
				t.Fatalf("%d lines, want %d: %q", len(lines), want, lines)
			}
			if data, err := os.ReadFile(file); err != nil || strings.Contains(string(data), value) || strings.Contains(string(data), generated(70)) {
				t.Fatalf("a value is in the baseline, or it cannot be read: %v", err)
			}
			b.gitIn(repo, "add", "-A")
			b.gitIn(repo, "commit", "-q", "-m", "debt")
			if told := b.must(0, "", "git", repo); !strings.Contains(told.stdout, "tolerated by a baseline") || strings.Contains(told.stdout, "app.conf") {
				t.Errorf("what is tolerated is not counted, or listed: %s", told.stdout)
			}
			if told := b.must(0, "", "git", repo, "--show-tolerated"); !strings.Contains(told.stdout, "accepted") || !strings.Contains(told.stdout, "app.conf") {
				t.Errorf("what is tolerated is not shown: %s", told.stdout)
			}
			b.must(1, "", "git", repo, "--no-baseline")

			clone := filepath.Join(b.work, "elsewhere")
			b.gitIn(b.work, "clone", "-q", repo, clone)
			b.write("elsewhere/app.conf", "# moved\n"+keyed(70)+"db = "+value+"\n")
			b.gitIn(clone, "commit", "-q", "-a", "-m", "moved")
			b.must(0, "", "git", clone)
			b.must(0, "", "dir", clone, "--exclude", ".git/**")
			b.write("elsewhere/app.conf", keyed(70)+"db = "+value+"\n"+strings.Replace(keyed(72), "api", "access", 1))
			b.gitIn(clone, "commit", "-q", "-a", "-m", "a new one")
			if r := b.must(1, "", "git", clone); !strings.Contains(r.stdout, "app.conf") {
				t.Errorf("the new one is not told: %s", r.stdout)
			}

			late := filepath.Join(b.work, "late")
			old := strings.ReplaceAll(strings.Join(lines, "\n"), "until=", "until=2020-01-01 was=")
			if err := os.WriteFile(late, []byte(old), 0o600); err != nil {
				t.Fatal(err)
			}
			if r := b.must(1, "", "git", repo, "-b", late); !strings.Contains(r.stdout+r.stderr, "run out") {
				t.Errorf("nobody is told that entries ran out: %s%s", r.stdout, r.stderr)
			}
		})
	}
}

// What matches nothing any more is told, where all was looked at.
func TestBaselineUnused(t *testing.T) {
	b := newBox(t)
	b.write("a.conf", keyed(70))
	gone := b.write("b.conf", keyed(71))
	file := filepath.Join(b.work, ".revenant-baseline")
	b.must(0, "", "dir", b.work, "--write-baseline", file)
	if err := os.Remove(gone); err != nil {
		t.Fatal(err)
	}
	if r := b.must(0, "", "dir", b.work); !strings.Contains(r.stdout, "1 entry of a baseline matches nothing") || !strings.Contains(r.stdout, "b.conf") {
		t.Errorf("not told: %s", r.stdout)
	}
	before := b.baselineLines(file)
	b.must(0, "", "dir", b.work, "--write-baseline", file, "--baseline-until", "never")
	if after := b.baselineLines(file); len(before) != 2 || len(after) != 1 || after[0] != before[0] {
		t.Errorf("an entry that is still needed became %q, was %q", after, before[0])
	}
}

// What gitleaks users have is honoured, and never for registered values.
func TestForeignIgnores(t *testing.T) {
	b := newBox(t)
	b.must(0, "", "init")
	value := generated(73)
	repo := b.holding("shop", "x\n"+keyed(70)+"api_token = \""+value+"\"\n")
	commit := strings.TrimSpace(b.gitIn(repo, "rev-parse", "HEAD"))
	b.write("shop/app.conf", "x\ny\n"+keyed(70)+"api_token = \""+value+"\"\n")
	b.gitIn(repo, "commit", "-q", "-a", "-m", "moved")
	both := fmt.Sprintf("%[1]s:app.conf:generic-api-key:2\n%[1]s:app.conf:generic-api-key:3\n", commit)
	b.write("shop/.gitleaksignore", both)
	b.must(0, "", "git", repo)
	b.must(0, value, "secret", "add", "shop/db")
	if r := b.must(1, "", "git", repo); !strings.Contains(r.stdout, "shop/db") {
		t.Errorf("a registered value is silent: %s", r.stdout)
	}
	b.write("shop/.gitleaksignore", "nonsense\n"+both)
	if r := b.must(1, "", "git", repo); !strings.Contains(r.stdout, "line 1 is neither") {
		t.Errorf("a broken line is not told: %s", r.stdout)
	}
	report := b.write("report.json", fmt.Sprintf(`[{"RuleID":"generic-api-key","File":"app.conf","Secret":%q,"StartLine":9}]`, generated(70)))
	b.must(1, "", "git", repo, "-b", report, "--only", "registered")
	b.must(0, "", "git", repo, "-b", report, "--only", "generic", "-i", filepath.Join(repo, ".gitleaksignore"))
}

func TestBaselineUsage(t *testing.T) {
	b := newBox(t)
	file := b.write("a.conf", "nothing\n")
	for want, args := range map[string][]string{
		"there is no such file":                 {"-b", filepath.Join(b.work, "none")},
		"neither a baseline":                    {"-b", b.write("what", "<xml/>")},
		"a day, as in":                          {"--write-baseline", b.out("x"), "--baseline-until", "soon"},
		"--no-baseline goes with none":          {"--no-baseline", "-b", file},
		"names a folder":                        {"--write-baseline", b.work},
		"line 1 is the mark of a merge":         {"-b", b.write("merged", "<<<<<<< main\n")},
		"--gitleaks-ignore-path: there is no s": {"-i", filepath.Join(b.work, "none")},
	} {
		if r := b.must(2, "", append([]string{"dir", file}, args...)...); !strings.Contains(r.stderr, want) {
			t.Errorf("%q: %s", args, r.stderr)
		}
	}
	if _, err := os.Stat(b.out("x")); err == nil {
		t.Error("a baseline was written for wrong usage")
	}
}
