package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

// Columns that do not fit a terminal follow on the next line; a pipe gets one
// line for each row.
func TestTableFitsTheTerminal(t *testing.T) {
	headings := []string{"ID", "VERDICT", "WHAT", "PATH", "SOURCE"}
	long := strings.Repeat("directory/", 12) + "file.txt"
	rows := [][]string{
		{"0123456789ab", "leaked", "billing/db-password@1", "short.txt", "dir:/srv"},
		{"ba9876543210", "unregistered", "aws-access-token", long, "dir:/srv/application"},
	}
	for _, limit := range []int{0, 40, 80, 132} {
		var b bytes.Buffer
		writeTable(&b, limit, headings, rows)
		lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
		for _, line := range lines {
			if n := utf8.RuneCountInString(line); limit > 0 && n > limit {
				t.Errorf("limit %d: a line of %d columns", limit, n)
			}
		}
		if limit == 0 && len(lines) != 3 {
			t.Errorf("%d lines without a limit", len(lines))
		}
		for _, want := range []string{"0123456789ab", "unregistered", "short.txt", "file.txt", "dir:/srv"} {
			if !strings.Contains(b.String(), want) {
				t.Errorf("limit %d: %q is missing", limit, want)
			}
		}
	}
}

func TestFindingsOrder(t *testing.T) {
	b := newBox(t)
	b.must(0, "", "init")
	values := []string{generated(1), generated(2), generated(3)}
	for i, v := range values {
		b.must(0, v, "secret", "add", fmt.Sprintf("app/s%d", i))
		b.write(fmt.Sprintf("f%d.txt", i), v)
	}
	b.write("f3.txt", "again "+values[2])
	b.must(0, values[2], "secret", "add", "app/twin")
	b.must(1, "", "dir", b.work)
	b.must(0, "", "secret", "retire", "app/s0@1", "--no-successor")
	b.must(0, "", "secret", "compromise", "app/s1@1")

	type row struct{ Verdict, Path string }
	list := func(args ...string) (got []row) {
		t.Helper()
		r := b.must(0, "", append([]string{"findings", "list", "--json"}, args...)...)
		if err := json.Unmarshal([]byte(r.stdout), &got); err != nil {
			t.Fatal(err)
		}
		return got
	}
	want := []row{{"compromised", "f1.txt"}, {"leaked", "f2.txt"}, {"leaked", "f3.txt"}, {"stale", "f0.txt"}}
	if got := list(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := list("--limit", "2"); fmt.Sprint(got) != fmt.Sprint(want[:2]) {
		t.Errorf("the first two: got %v, want %v", got, want[:2])
	}

	records, err := csv.NewReader(strings.NewReader(b.must(0, "", "findings", "export", "--format", "csv").stdout)).ReadAll()
	if err != nil || len(records) != 5 {
		t.Fatalf("%d lines of CSV, %v", len(records), err)
	}
	if all := fmt.Sprint(records); !strings.Contains(all, "app/s2@1 app/twin@1") && !strings.Contains(all, "app/twin@1 app/s2@1") {
		t.Errorf("a value of two versions: %s", all)
	}
}

func TestLostValueIsTold(t *testing.T) {
	b := newBox(t)
	b.must(0, "", "init")
	full := fullDevice(t)
	c := b.command(t.Context(), "", "secret", "issue", "ci/token")
	var stderr bytes.Buffer
	c.Stdout, c.Stderr = full, &stderr
	_ = c.Run()
	if code := c.ProcessState.ExitCode(); code != exitFailure || !strings.Contains(stderr.String(), "revenant secret rotate ci/token --generate") {
		t.Errorf("exit code %d: %s", code, stderr.String())
	}
}
