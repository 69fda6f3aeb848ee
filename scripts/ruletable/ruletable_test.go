package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func write(t *testing.T, name, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestScore(t *testing.T) {
	labels := write(t, "labels.csv", "a+b/x.py,3,3,T,Password:Key\na+b/x.py,5,5,F,Password\na+b/x.py,7,9,X,Key\n"+strings.Repeat("a+b/y.py,1,1,T,Password\n", 12))
	report := write(t, "r.json", `[{"File":"out/files/a+b/x.py","StartLine":3,"EndLine":3},{"File":"a+b/x.py","StartLine":5,"EndLine":5},
		{"File":"a+b/x.py","StartLine":8,"EndLine":8},{"File":"a+b/x.py","StartLine":40,"EndLine":40}]`)
	var b strings.Builder
	if err := run([]string{"score", "-labels", labels, "one=" + report}, &b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| one | 4 | 1 | 1 | 1 | 1 | 0.500 |", "| Password | 13 | 1 |"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no line %q in\n%s", want, b.String())
		}
	}
}

func TestLeaky(t *testing.T) {
	expected := write(t, "secrets.csv", "# name,risk,informative\na/b,2,1\nc,1,0\nd,0,1\n")
	report := write(t, "r.json", `[{"File":"root/a/b","StartLine":1},{"File":"a/b","StartLine":1},{"File":"a/b","StartLine":2},{"File":"a/b","StartLine":3},{"File":"d","StartLine":1},{"File":"d","StartLine":2}]`)
	var b strings.Builder
	if err := run([]string{"leaky", "-expected", expected, "one=" + report}, &b); err != nil {
		t.Fatal(err)
	}
	if want := "| one | 2 | 1 | 1 |"; !strings.Contains(b.String(), want) {
		t.Errorf("no line %q in\n%s", want, b.String())
	}
}

func TestPartOf(t *testing.T) {
	ids := strings.Split("abcdefg", "")
	for part, want := range map[string]string{"1/2": "abcd", "2/2": "efg", "3/4": "ef", "4/4": "g", "1/1": "abcdefg"} {
		if got, err := partOf(ids, part); err != nil || strings.Join(got, "") != want {
			t.Errorf("%s: %v, %v; want %s", part, got, err, want)
		}
	}
	for _, part := range []string{"", "0/2", "3/2", "half"} {
		if _, err := partOf(ids, part); err == nil {
			t.Errorf("%q: no error", part)
		}
	}
}

func TestBadUse(t *testing.T) {
	for _, args := range [][]string{nil, {"else"}, {"score", "-labels", "none", "a=b"}, {"leaky", "-expected", write(t, "e", ""), "no report"}, {"rebuild", "-metadata", "none"}} {
		if err := run(args, &strings.Builder{}); err == nil {
			t.Errorf("%v: no error", args)
		}
	}
}
