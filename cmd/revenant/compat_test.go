package main

import (
	"strings"
	"testing"
)

func TestModernArgs(t *testing.T) {
	for from, want := range map[string]string{
		"dir .":                         "dir .",
		"":                              "",
		"detect":                        "git .",
		"detect -v --no-git":            "dir . -v",
		"detect --no-git=false":         "git .",
		"detect --pipe -f json":         "stdin -f json",
		"detect -s ../x -r a.json":      "git ../x -r a.json",
		"detect --source=../x --no-git": "dir ../x",
		"detect --log-opts=a..b":        "git . --log-opts=a..b",
		"protect":                       "git . --pre-commit",
		"protect --staged -v":           "git . --staged -v",
		"git detect":                    "git detect",
	} {
		got, said := modernArgs(strings.Fields(from))
		if strings.Join(got, " ") != want || (said != "") != (strings.HasPrefix(from, "detect") || strings.HasPrefix(from, "protect")) {
			t.Errorf("%s: %s (%s), want %s", from, strings.Join(got, " "), said, want)
		}
	}
}

// A command line of gitleaks' runs as it is.
func TestGitleaksCommandLines(t *testing.T) {
	b := newBox(t)
	repo := b.holding("shop", keyed(70)+keyed(71)[:len(keyed(71))-1]+" # gitleaks:allow\n")
	b.write("shop/large.txt", strings.Repeat("nothing here\n", 200_000))
	count := func(code int, args ...string) int {
		return strings.Count(b.must(code, "", args...).stdout, `"RuleID"`)
	}
	report := []string{"-f", "json", "-r", "-", "--no-banner", "-q"}
	for line, want := range map[string]int{
		"git REPO -v --redact":                                             1,
		"git REPO -l fatal --redact=20 --platform x":                       1,
		"git REPO --ignore-gitleaks-allow":                                 2,
		"dir REPO/app.conf --no-inline-allow":                              2,
		"dir REPO/app.conf --timeout 600":                                  1,
		"dir REPO/app.conf --enable-rule generic-api-key,aws-access-token": 1,
		"detect -s REPO --no-color":                                        1,
		"detect --no-git --source REPO/app.conf":                           1,
	} {
		if got := count(1, append(strings.Fields(strings.ReplaceAll(line, "REPO", repo)), report...)...); got != want {
			t.Errorf("%s: %d findings, want %d", line, got, want)
		}
	}
	r := b.must(0, "", "dir", repo+"/large.txt", "--max-target-megabytes", "1")
	if !strings.Contains(r.stdout, "longer than was asked for") {
		t.Errorf("what is too large is not listed: %s", r.stdout)
	}
	b.must(3, "", "dir", repo+"/large.txt", "--max-target-megabytes", "1", "--fail-on-skipped")
	b.must(2, "", "dir", repo, "--timeout", "-1")
	b.must(0, "", "dir", repo+"/app.conf", "--enable-rule", "aws-access-token")
	if r := b.must(2, "", "dir", repo, "--enable-rule", "none-such"); !strings.Contains(r.stderr, "rules list") {
		t.Errorf("no way out: %s", r.stderr)
	}
	if r := b.must(0, "", "detect", "--no-git", "-s", repo+"/large.txt"); !strings.Contains(r.stderr, "detect is 'revenant dir") {
		t.Errorf("nothing is said of an old command: %s", r.stderr)
	}
}

// A scan that is told to stop reports what it found, and that it is not all.
func TestTimeout(t *testing.T) {
	b := newBox(t)
	for i := range 200 {
		b.write("d/"+strings.Repeat("x", i%7+1)+string(rune('a'+i%26))+"/"+generated(uint64(i))[:6], strings.Repeat(generated(uint64(i))+" = some('text', \"here\")\n", 60_000))
	}
	if r := b.must(3, "", "dir", b.work, "--timeout", "1"); !strings.Contains(r.stdout, "interrupted") {
		t.Errorf("not said: %s", r.stdout)
	}
}
