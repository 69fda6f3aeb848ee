package rest_test

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"revenant/api/rest"
)

var update = flag.Bool("update", false, "write openapi.json anew")

// TestDocument compares what is served with the document that is kept, which
// clients are made from: a change of the API shows in a diff.
func TestDocument(t *testing.T) {
	got, err := rest.Document()
	if err != nil {
		t.Fatal(err)
	}
	const name = "openapi.json"
	if *update {
		if err := os.WriteFile(name, got, 0o644); err != nil { //nolint:gosec // a document
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if d := gocmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("openapi.json is another's; if this change is meant: go test ./api/rest -update\n%s", d)
	}
}

// TestOperations compares the table in docs/api.md with the operations.
func TestOperations(t *testing.T) {
	_, ops := read(t)
	slices.SortFunc(ops, func(a, b operation) int {
		return cmp.Or(strings.Compare(a.path, b.path), strings.Compare(a.method, b.method))
	})
	var want strings.Builder
	want.WriteString("| | scope | |\n|---|---|---|\n")
	for _, o := range ops {
		scope := "any"
		if s := o.scope(); s != "" {
			scope = "`" + string(s) + "`"
		}
		fmt.Fprintf(&want, "| `%s %s` | %s | %s |\n", o.method, strings.TrimPrefix(o.path, rest.Prefix), scope, o.Summary)
	}
	const name, begin, end = "../../docs/api.md", "written by go test ./api/rest -update -->\n", "<!-- operations: end -->"
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, _ := strings.Cut(string(b), begin)
	have, tail, found := strings.Cut(rest, end)
	if *update {
		if err := os.WriteFile(name, []byte(head+begin+want.String()+end+tail), 0o644); err != nil { //nolint:gosec // a document
			t.Fatal(err)
		}
		return
	}
	if d := gocmp.Diff(have, want.String()); d != "" || !found {
		t.Errorf("docs/api.md has another table; go test ./api/rest -update writes it\n%s", d)
	}
}
