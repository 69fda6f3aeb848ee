package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// ofThisTest is the bill of the program that runs this test: a real one, with
// a module in it.
func ofThisTest(t *testing.T) (exe string, out []byte) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r := &release{version: "v1.2.3-rc.1", commit: strings.Repeat("ab", 20), when: time.Unix(1700000000, 0).UTC()}
	out, err = r.bill(context.Background(), ".", exe)
	if err != nil {
		t.Fatal(err)
	}
	again, err := r.bill(context.Background(), ".", exe)
	if err != nil || !bytes.Equal(out, again) {
		t.Errorf("two bills of one binary differ: %v", err)
	}
	return exe, out
}

// TestBillNamesWhatIsLinked asks go version -m, which reads the binary by
// itself, for the modules.
func TestBillNamesWhatIsLinked(t *testing.T) {
	exe, out := ofThisTest(t)
	listed, err := command(context.Background(), ".", nil, "go", "version", "-m", exe)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"stdlib " + strings.TrimPrefix(runtime.Version(), "go")}
	for line := range strings.SplitSeq(listed, "\n") {
		if f := strings.Fields(line); len(f) == 4 && f[0] == "dep" {
			want = append(want, f[1]+" "+f[2]+" "+f[3])
		}
	}
	var b bom
	if err := json.Unmarshal(out, &b); err != nil {
		t.Fatal(err)
	}
	var got, refs []string
	for _, c := range b.Components {
		line := c.Name + " " + c.Version
		for _, p := range c.Properties {
			line += " " + p.Value
		}
		got, refs = append(got, line), append(refs, c.Ref)
	}
	slices.Sort(got)
	slices.Sort(want)
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if len(got) < 2 {
		t.Errorf("only %d components: the test shows nothing", len(got))
	}
	if d := cmp.Diff([]dependency{{b.Metadata.Component.Ref, refs}}, b.Dependencies); d != "" {
		t.Error(d)
	}
	content, err := os.ReadFile(exe)
	if err != nil {
		t.Fatal(err)
	}
	if b.Metadata.Component.Hashes[0].Content != digest(content) {
		t.Error("the bill has the digest of another binary")
	}
}

func TestBillFollowsTheSchema(t *testing.T) {
	c := jsonschema.NewCompiler()
	for _, name := range []string{"bom-1.6", "spdx", "jsf-0.82"} {
		b, err := os.ReadFile(filepath.Join("testdata", "schemas", name+".schema.json"))
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.AddResource("http://cyclonedx.org/schema/"+name+".schema.json", doc); err != nil {
			t.Fatal(err)
		}
	}
	schema, err := c.Compile("http://cyclonedx.org/schema/bom-1.6.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	_, out := ofThisTest(t)
	valid := func(text string) error {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return schema.Validate(v)
	}
	if err := valid(string(out)); err != nil {
		t.Error(err)
	}
	for _, broken := range []struct{ from, to string }{
		{`"Apache-2.0"`, `"Apache 2"`}, {`urn:uuid:`, `uuid:`}, {`"type": "library"`, `"type": "module"`}, {`"SHA-256"`, `"SHA256"`},
	} {
		changed := strings.Replace(string(out), broken.from, broken.to, 1)
		if changed == string(out) || valid(changed) == nil {
			t.Errorf("a bill with %s passes", broken.to)
		}
	}
}

func TestPurl(t *testing.T) {
	for _, tt := range []struct{ path, version, want string }{
		{"filippo.io/age", "v1.3.2", "pkg:golang/filippo.io/age@v1.3.2"},
		{"github.com/BobuSumisu/aho-corasick", "v1.0.3", "pkg:golang/github.com/bobusumisu/aho-corasick@v1.0.3"},
		{"example.org/x/v2", "v2.0.0+incompatible", "pkg:golang/example.org/x/v2@v2.0.0%2Bincompatible"},
	} {
		if got := purl(tt.path, tt.version); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

func TestLicences(t *testing.T) {
	ours, err := os.ReadFile(filepath.Join("..", "..", "LICENSE"))
	if err != nil {
		t.Fatal(err)
	}
	isc := "Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted, " +
		"provided that the above copyright notice and this permission notice appear in all copies.\n\n" +
		"THE SOFTWARE IS PROVIDED \"AS IS\" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED " +
		"WARRANTIES OF MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT, INDIRECT, OR " +
		"CONSEQUENTIAL DAMAGES OR ANY DAMAGES WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT, " +
		"NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.\n"
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{"one", map[string]string{"LICENSE": string(ours)}, []string{"Apache-2.0"}},
		{"two", map[string]string{"LICENCE.md": isc, "LICENSE-APACHE": string(ours)}, []string{"Apache-2.0", "ISC"}},
		{"none", map[string]string{"README": isc}, nil},
		{"unknown words", map[string]string{"LICENSE": "You may look at it on Sundays."}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range tt.files {
				put(t, filepath.Join(dir, name), text)
			}
			got, err := licences(dir)
			if d := cmp.Diff(tt.want, got); d != "" || (err == nil) != (tt.want != nil) {
				t.Errorf("%v\n%s", err, d)
			}
		})
	}
}
