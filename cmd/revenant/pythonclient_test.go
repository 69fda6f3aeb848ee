//go:build pythonclient

package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPythonClient generates a client from the document that a server gives, and uses
// it with that server: it gets what the command line says.
func TestPythonClient(t *testing.T) {
	b := newBox(t)
	const value = "Vq7PzR2mXk9TfLw3Bn8Yc5HdJs6GaEu4"
	b.must(0, "", "init")
	b.must(0, value, "secret", "add", "shop/db", "--owner", "payments")
	b.must(0, "another-Kx82mPqLw94TzNv7Rb3Yc6Hd", "secret", "add", "shop/mail")
	b.write("notes/a.txt", "a="+value+"\n")
	b.write("notes/b.txt", "b="+value+"\n")
	b.must(1, "", "dir", filepath.Join(b.work, "notes"))
	s := b.serve()
	scripts, err := filepath.Abs("../../scripts/pythonclient")
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(scripts, "../../build/pythonclient/venv/bin")
	run := func(name string, args ...string) []byte {
		t.Helper()
		c := exec.CommandContext(t.Context(), filepath.Join(bin, name), args...)
		c.Dir = b.work
		c.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "PYTHONDONTWRITEBYTECODE=1",
			"PYTHONPATH="+filepath.Join(b.work, "revenant-client"), "REVENANT_TOKEN="+s.token)
		var told strings.Builder
		c.Stderr = &told
		out, err := c.Output()
		if err != nil {
			t.Fatalf("%s: %v\n%s%s", name, err, out, told.String())
		}
		if strings.Contains(told.String()+string(out), "WARNING") {
			t.Errorf("%s: %s%s", name, out, told.String())
		}
		return out
	}
	run("openapi-python-client", "generate", "--url", s.url+"/openapi.json")
	var got map[string]any
	if err := json.Unmarshal(run("python", filepath.Join(scripts, "use.py"), s.url), &got); err != nil {
		t.Fatal(err)
	}
	var listed []struct{ ID string }
	if err := json.Unmarshal([]byte(b.must(0, "", "findings", "list", "--json").stdout), &listed); err != nil {
		t.Fatal(err)
	}
	var ids []any
	for _, f := range listed {
		ids = append(ids, f.ID)
	}
	slices.SortFunc(ids, func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
	want := map[string]any{
		"secrets": []any{"shop/db", "shop/mail"}, "secret": "shop/db",
		"unknown": []any{true, 404.0, "not-found"}, "stranger": []any{true, 401.0, "unauthorized"}, "nobody": 401.0,
		"findings": ids, "verdicts": map[string]any{"leaked": 2.0}, "oldest": ids, "sources": []any{"dir:" + filepath.Join(b.work, "notes")},
		"triage": []any{200.0, "platform", 200.0, 412.0, "changed"},
	}
	if diff := cmp.Diff(want, got); diff != "" || len(ids) != 2 {
		t.Errorf("-want +got:\n%s", diff)
	}
	if code, _ := s.end(); code != 0 {
		t.Errorf("the server ended with code %d\n%s", code, s.said())
	}
}
