package rest_test

import (
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

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
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("openapi.json is another's; if this change is meant: go test ./api/rest -update\n%s", d)
	}
}
