package files_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"testing"

	"revenant/scanners/files"
)

var update = flag.Bool("update", false, "write golden files")

// TestDocumentation keeps the documented list of places equal to the code's.
func TestDocumentation(t *testing.T) {
	const path = "../../docs/sources.md"
	doc, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := bytes.Cut(doc, []byte("-update -->\n"))
	_, tail, ok2 := bytes.Cut(rest, []byte("<!-- end of places -->"))
	if !ok || !ok2 {
		t.Fatal("the marks around the list are gone")
	}
	var want bytes.Buffer
	fmt.Fprintf(&want, "%s-update -->\n\n| place | what |\n|---|---|\n", head)
	for _, p := range files.Places() {
		fmt.Fprintf(&want, "| `%s` | %s |\n", p.Pattern, p.What)
	}
	fmt.Fprintf(&want, "\n<!-- end of places -->%s", tail)
	if *update {
		if err := os.WriteFile(path, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(want.Bytes(), doc) {
		t.Error("docs/sources.md lists other places than the code: run with -update")
	}
}
