package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const oneMutation = `
# a comment
why:  sums are wrong
file: sum/sum.go
-     return a + b
+     return a - b
test: ./sum
run:  ^TestAdd$
`

// TestListFits: the code still has every line that the list changes.
func TestListFits(t *testing.T) {
	root := filepath.Join("..", "..")
	list, err := os.ReadFile(filepath.Join(root, "testdata", "mutations", "list.txt"))
	if err != nil {
		t.Fatal(err)
	}
	all, err := Parse(string(list))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		code, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(m.File)))
		if err != nil {
			t.Errorf("%s: %v", m.Why, err)
			continue
		}
		if _, err := m.Apply(string(code)); err != nil {
			t.Errorf("%s: %s: %v", m.File, m.Why, err)
		}
	}
}

func TestParse(t *testing.T) {
	got, err := Parse(oneMutation + "\n" + oneMutation)
	if err != nil {
		t.Fatal(err)
	}
	m := Mutation{
		Why: "sums are wrong", File: "sum/sum.go", Old: "return a + b", New: "return a - b",
		Test: []string{"./sum"}, Run: "^TestAdd$", Line: 3,
	}
	second := m
	second.Line = 12
	if diff := cmp.Diff([]Mutation{m, second}, got); diff != "" {
		t.Errorf("list (-want +got):\n%s", diff)
	}
	for _, bad := range []string{"why: x", "nonsense", strings.Replace(oneMutation, "test: ./sum", "", 1), strings.Replace(oneMutation, "a - b", "a + b", 1)} {
		if _, err := Parse(bad); !errors.Is(err, ErrList) {
			t.Errorf("%q was read: %v", bad, err)
		}
	}
}

func TestApply(t *testing.T) {
	const text = "func f() {\n\tx++\n}\n\nfunc g() {\n\tx++\n\ty--\n}\n"
	for name, c := range map[string]struct {
		m    Mutation
		want string
		err  error
	}{
		"replaced":  {Mutation{Old: "y--", New: "y++"}, strings.Replace(text, "\ty--", "y++", 1), nil},
		"removed":   {Mutation{Old: "y--"}, strings.Replace(text, "\ty--", "", 1), nil},
		"twice":     {Mutation{Old: "x++", New: "x--"}, "", ErrAmbiguous},
		"after":     {Mutation{After: "func g", Old: "x++", New: "x--"}, "func f() {\n\tx++\n}\n\nfunc g() {\nx--\n\ty--\n}\n", nil},
		"the first": {Mutation{After: "func f", Old: "x++", New: "x--"}, strings.Replace(text, "\tx++", "x--", 1), nil},
		"absent":    {Mutation{Old: "z"}, "", ErrNotFound},
		"part only": {Mutation{Old: "y"}, "", ErrNotFound},
		"no after":  {Mutation{After: "func h", Old: "y--"}, "", ErrNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := c.m.Apply(text)
			if !errors.Is(err, c.err) {
				t.Fatalf("error %v, want %v", err, c.err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("text (-want +got):\n%s", diff)
			}
		})
	}
}

// project writes a small module whose test covers Add and not Sub.
func project(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":          "module small\n\ngo 1.26\n",
		"sum/sum.go":      "package sum\n\nfunc Add(a, b int) int {\n\treturn a + b\n}\n\nfunc Sub(a, b int) int {\n\treturn a - b\n}\n",
		"sum/sum_test.go": "package sum\n\nimport \"testing\"\n\nfunc TestAdd(t *testing.T) {\n\tif Add(2, 1) != 3 {\n\t\tt.Error(\"wrong\")\n\t}\n}\n",
		"build/x.go":      "not Go",
	} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestTryAll(t *testing.T) {
	root := project(t)
	m := func(file, before, after string) Mutation {
		return Mutation{Why: "w", File: file, Old: before, New: after, Test: []string{"./sum"}}
	}
	all := []Mutation{
		m("sum/sum.go", "return a + b", "return a * b"),
		m("sum/sum.go", "return a - b", "return b - a"),
		m("sum/sum.go", "return a + b", "return c"),
		m("sum/sum.go", "return a / b", "return a"),
		m("sum/none.go", "return a / b", "return a"),
	}
	var out bytes.Buffer
	results, err := TryAll(context.Background(), root, all, 2, &out)
	if err != nil {
		t.Fatal(err)
	}
	var got []Outcome
	for _, r := range results {
		got = append(got, r.Outcome)
	}
	if diff := cmp.Diff([]Outcome{Killed, Survived, NotCompiled, NotApplied, NotApplied}, got); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s\n%s", diff, out.String())
	}
	text, err := os.ReadFile(filepath.Join(root, "sum", "sum.go"))
	if err != nil || !bytes.Contains(text, []byte("return a + b")) {
		t.Errorf("the tree was changed: %v", err)
	}
}

func TestTryAllNeedsPassingTests(t *testing.T) {
	root := project(t)
	bad := "package sum\n\nimport \"testing\"\n\nfunc TestBad(t *testing.T) { t.Error(\"always\") }\n"
	if err := os.WriteFile(filepath.Join(root, "sum", "bad_test.go"), []byte(bad), 0o600); err != nil {
		t.Fatal(err)
	}
	m := Mutation{Why: "w", File: "sum/sum.go", Old: "return a + b", New: "return a", Test: []string{"./sum"}}
	if _, err := TryAll(context.Background(), root, []Mutation{m}, 1, &bytes.Buffer{}); err == nil {
		t.Error("mutations were tried with tests that fail anyway")
	}
	m.Run = "^TestNone$"
	if _, err := TryAll(context.Background(), root, []Mutation{m}, 1, &bytes.Buffer{}); err == nil {
		t.Error("a pattern that matches no test proves nothing")
	}
}
