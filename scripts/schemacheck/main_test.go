package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	schema := filepath.Join(t.TempDir(), "schema.json")
	text := `{"type": "object", "required": ["at"], "properties": {"at": {"type": "string", "format": "date-time"}}}`
	if err := os.WriteFile(schema, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	const good = `{"at": "2026-11-28T10:00:00Z"}`
	for docs, want := range map[string]string{
		good:                                "",
		good + "\n" + good + "\n":           "",
		"":                                  "no document",
		"{}":                                "document 1",
		good + "\n" + `{"at": "yesterday"}`: "document 2",
		"{":                                 "document 1",
	} {
		err := check(schema, strings.NewReader(docs))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", docs, err, want)
		}
	}
	if err := check(schema+".missing", strings.NewReader(good)); err == nil {
		t.Error("a schema that is not there")
	}
}
