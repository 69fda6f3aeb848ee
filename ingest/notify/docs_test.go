package notify_test

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"revenant/api/wire"
	"revenant/ingest/notify"
)

// examples returns what stands in a page in fences of a language.
func examples(t *testing.T, language string) [][]byte {
	t.Helper()
	page, err := os.ReadFile("../../docs/notifications.md")
	if err != nil {
		t.Fatal(err)
	}
	var out [][]byte
	for _, m := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllSubmatch(page, -1) {
		out = append(out, m[1])
	}
	if len(out) != 1 {
		t.Fatalf("%d examples in %s", len(out), language)
	}
	return out
}

// The configuration that is shown is one, to its last key.
func TestDocumentedConfig(t *testing.T) {
	var file map[string]any
	if err := yaml.Unmarshal(examples(t, "yaml")[0], &file); err != nil {
		t.Fatal(err)
	}
	// Durations are text in a file, and numbers in JSON; the rest is the same.
	c, is := file["notify"].(map[string]any)
	if !is {
		t.Fatal("the example has no notify")
	}
	for _, r := range c["receivers"].([]any) {
		delete(r.(map[string]any), "window")
	}
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var read notify.Config
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&read); err != nil {
		t.Fatal(err)
	}
	if err := read.Validate(); err != nil {
		t.Error(err)
	}
}

// The message that is shown is one, and is written as it stands there.
func TestDocumentedMessage(t *testing.T) {
	example := examples(t, "json")[0]
	var n wire.Notification
	dec := json.NewDecoder(bytes.NewReader(example))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&n); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(n)
	if err != nil {
		t.Fatal(err)
	}
	var want, got bytes.Buffer
	if err := json.Compact(&want, example); err != nil {
		t.Fatal(err)
	}
	if err := json.Compact(&got, again); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want.String(), got.String()); d != "" {
		t.Error(d)
	}
}
