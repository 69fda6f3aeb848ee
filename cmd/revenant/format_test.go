package main

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the reference anew, and fixtures that are missing")

// registryFormat holds a registry of format 1 with its throw-away key ring,
// which every later version must open. It is never written anew; a later format
// gets a folder beside it.
var registryFormat = filepath.Join("..", "..", "testdata", "formats", "v1", "registry")

// registryFacts says what is in the fixture.
type registryFacts struct {
	Values   map[string][]string // by version, hex in short pieces
	Findings []findingFacts
	Secrets  map[string]string // state of each version
}

// findingFacts is what must not change of a finding while nobody scans.
type findingFacts struct {
	ID       string   `json:"id"`
	Verdict  string   `json:"verdict"`
	Severity string   `json:"severity"`
	Status   string   `json:"status"`
	Source   string   `json:"source"`
	Path     string   `json:"path"`
	Presence string   `json:"presence"`
	Rules    []string `json:"rules"`
	Matches  []struct {
		Secret  string `json:"secret"`
		Version int    `json:"version"`
		Verdict string `json:"verdict"`
	} `json:"matches"`
	Places int `json:"places"`
}

func (f *registryFacts) value(t *testing.T, version string) string {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(f.Values[version], ""))
	if err != nil || len(b) == 0 {
		t.Fatalf("no value of %s: %v", version, err)
	}
	return string(b)
}

func (b *box) findingFacts() []findingFacts {
	b.t.Helper()
	var out []findingFacts
	if err := json.Unmarshal([]byte(b.must(0, "", "findings", "list", "--json").stdout), &out); err != nil {
		b.t.Fatal(err)
	}
	slices.SortFunc(out, func(x, y findingFacts) int { return strings.Compare(x.ID, y.ID) })
	return out
}

func (b *box) secretStates() map[string]string {
	b.t.Helper()
	var list []struct {
		Name string `json:"name"`
	}
	if err := json.Unmarshal([]byte(b.must(0, "", "secret", "list", "--json").stdout), &list); err != nil {
		b.t.Fatal(err)
	}
	out := map[string]string{}
	for _, s := range list {
		var one struct {
			Versions []struct {
				Version     int    `json:"version"`
				State       string `json:"state"`
				Compromised string `json:"compromised_at"`
			} `json:"versions"`
		}
		if err := json.Unmarshal([]byte(b.must(0, "", "secret", "show", s.Name, "--json").stdout), &one); err != nil {
			b.t.Fatal(err)
		}
		for _, v := range one.Versions {
			state := v.State
			if v.Compromised != "" {
				state += ", compromised"
			}
			out[fmt.Sprintf("%s@%d", s.Name, v.Version)] = state
		}
	}
	return out
}

// record is one NDJSON record of a chat, so that no path of a machine gets into
// the fixture.
func record(path, text string) string {
	return string(must(json.Marshal(map[string]string{"source": "chat:ops", "path": path, "text": text}))) + "\n"
}

func writeRegistryFixture(t *testing.T) {
	t.Helper()
	b, w := newBox(t), newWalk(t)
	f := registryFacts{Values: map[string][]string{}}
	value := func(version string) string {
		v := w.plant(version)
		for part := range slices.Chunk([]byte(v), 3) {
			f.Values[version] = append(f.Values[version], hex.EncodeToString(part))
		}
		return v
	}
	b.must(0, "", "init")
	first, second := value("billing/db@1"), value("billing/db@2")
	leaked, lost := value("shop/api@1"), value("old/token@1")
	b.must(0, first, "secret", "add", "billing/db", "--owner", "team-a", "--consumer", "shop")
	b.must(0, leaked, "secret", "add", "shop/api")
	b.must(0, lost, "secret", "add", "old/token")
	b.must(0, second, "secret", "rotate", "billing/db")
	b.must(0, "", "secret", "retire", "billing/db@1")
	b.must(0, "", "secret", "compromise", "old/token@1")
	b.must(0, "", "secret", "allow", "billing/db", "--source", "chat:*", "--path", "vault/**", "--until", "2999-01-01", "--reason", "its home")
	b.must(1, record("day/1", "the old one was "+first)+
		record("day/2", "hex "+hex.EncodeToString([]byte(leaked)))+
		record("vault/a", "here it lives: "+second)+
		record("day/3", "gone with "+base64.StdEncoding.EncodeToString([]byte(lost)))+
		record("day/4", `api_key = "`+w.plant("generic")+`"`),
		"stdin", "--format", "ndjson")
	generic := b.findingFacts()
	i := slices.IndexFunc(generic, func(x findingFacts) bool { return x.Verdict == "unregistered" })
	if i < 0 {
		t.Fatal("no generic finding")
	}
	b.must(0, "", "findings", "dismiss", generic[i].ID, "--reason", "test data")
	f.Findings, f.Secrets = b.findingFacts(), b.secretStates()
	checkpoint := b.out("checkpoint")
	b.must(0, "", "audit", "checkpoint", "--out", checkpoint)

	var packed bytes.Buffer
	z := must(gzip.NewWriterLevel(&packed, gzip.BestCompression))
	_ = must(z.Write(must(os.ReadFile(filepath.Join(b.registry(), "registry.db")))))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(registryFormat, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"registry.db.gz": packed.Bytes(),
		"ring":           must(os.ReadFile(filepath.Join(b.registry(), "keys", "ring"))),
		"audit-head":     must(os.ReadFile(filepath.Join(b.registry(), "keys", "audit-head"))),
		"checkpoint":     must(os.ReadFile(checkpoint)),
		"facts.json":     append(must(json.MarshalIndent(f, "", " ")), '\n'),
	} {
		if err := os.WriteFile(filepath.Join(registryFormat, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// installed is a box with the fixture in it.
func installed(t *testing.T) (*box, registryFacts) {
	t.Helper()
	b := newBox(t)
	part := func(name string) []byte { return must(os.ReadFile(filepath.Join(registryFormat, name))) }
	z := must(gzip.NewReader(bytes.NewReader(part("registry.db.gz"))))
	for name, data := range map[string][]byte{
		"registry.db": must(io.ReadAll(z)), "keys/ring": part("ring"), "keys/audit-head": part("audit-head"),
	} {
		path := filepath.Join(b.registry(), name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b.write("checkpoint", string(part("checkpoint")))
	var f registryFacts
	if err := json.Unmarshal(part("facts.json"), &f); err != nil {
		t.Fatal(err)
	}
	return b, f
}

// TestRegistryFormat1 opens a registry of format 1, verifies it, lists what it
// knows, finds its values, and goes on working with it.
func TestRegistryFormat1(t *testing.T) {
	if _, err := os.Stat(registryFormat); *update && errors.Is(err, os.ErrNotExist) {
		writeRegistryFixture(t)
	}
	b, f := installed(t)
	checkpoint := filepath.Join(b.work, "checkpoint")
	b.must(0, "", "audit", "verify", "--against", checkpoint)
	b.must(0, "", "key", "verify")
	b.must(0, "", "doctor")
	if diff := cmp.Diff(f.Findings, b.findingFacts()); diff != "" {
		t.Errorf("findings:\n%s", diff)
	}
	if diff := cmp.Diff(f.Secrets, b.secretStates()); diff != "" {
		t.Errorf("secrets:\n%s", diff)
	}
	for version, state := range f.Secrets {
		v := f.value(t, version)
		for form, text := range map[string]string{"raw": v, "base64": base64.StdEncoding.EncodeToString([]byte(v)), "hex": hex.EncodeToString([]byte(v))} {
			var found []struct {
				SecretName  string
				Version     int
				State, Form string
			}
			r := b.must(1, "a line\nand "+text+" in it\n", "stdin", "--only", "registered", "-f", "json", "-r", "-")
			if err := json.Unmarshal([]byte(r.stdout), &found); err != nil {
				t.Fatal(err)
			}
			want, _, _ := strings.Cut(state, ",")
			if len(found) != 1 || fmt.Sprintf("%s@%d", found[0].SecretName, found[0].Version) != version || found[0].State != want || found[0].Form != form {
				t.Errorf("%s as %s: found %+v", version, form, found)
			}
		}
	}
	w := newWalk(t)
	b.must(0, w.plant("added by this version"), "secret", "add", "added/later")
	b.must(0, "", "secret", "retire", "shop/api@1", "--no-successor")
	b.must(0, "", "audit", "verify", "--against", checkpoint)
	for _, x := range b.findingFacts() {
		if len(x.Matches) > 0 && x.Matches[0].Secret == "shop/api" && x.Verdict != "stale" {
			t.Errorf("after retiring: %+v", x)
		}
	}
}

// baselineFormats are baselines of format 1: of the registry beside them, and of
// nobody's.
var baselineFormats = map[string]string{
	filepath.Join(filepath.Dir(registryFormat), "baseline"):        "",
	filepath.Join(filepath.Dir(registryFormat), "baseline-places"): "elsewhere",
}

// TestBaselineFormat1 reads baselines that the first version wrote: what was in
// them is tolerated, and nothing else.
func TestBaselineFormat1(t *testing.T) {
	for fixture, home := range baselineFormats {
		b, f := installed(t)
		known := record("day/5", "one more of "+f.value(t, "billing/db@2")) + record("day 7: x", keyed(75)) + record("day 7: x", "\n"+keyed(76)+keyed(75))
		scan := func(code int, input string, args ...string) ran {
			args = append([]string{"stdin", "--format", "ndjson", "--no-store"}, args...)
			if home != "" {
				args = append(args, "--home", b.out(home))
			}
			return b.must(code, input, args...)
		}
		if _, err := os.Stat(fixture); *update && errors.Is(err, os.ErrNotExist) {
			scan(0, known, "--write-baseline", b.out("baseline"), "--baseline-until", "never", "--baseline-owner", "team a")
			if err := os.WriteFile(fixture, must(os.ReadFile(b.out("baseline"))), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		file := b.write("baseline", string(must(os.ReadFile(fixture))))
		if r := scan(0, known, "-b", file); strings.Contains(r.stdout, "matches nothing") || !strings.Contains(r.stdout, "tolerated") {
			t.Errorf("%s: an entry is of no use: %s", fixture, r.stdout)
		}
		scan(1, known)
		scan(1, known+record("day/5", keyed(78)), "-b", file)
	}
}
