package outcomes_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"revenant/fingerprints/keys"
	"revenant/ingest/outcomes"
	"revenant/ingest/scan"
	"revenant/ingest/sealed"
)

func source() *rand.ChaCha8 { return rand.NewChaCha8([32]byte{1}) }

func open(t testing.TB, key byte, knows string, file []byte) (*outcomes.Set, bool) {
	t.Helper()
	s, err := outcomes.New(keys.NewIdentityKey(keys.Key{key}), sha256.Sum256([]byte(knows)))
	if err != nil {
		t.Fatal(err)
	}
	return s, s.Open(file)
}

func name(i int) scan.OutcomeKey { return sha256.Sum256(fmt.Append(nil, i)) }

func sealedFile(t testing.TB, s *outcomes.Set) []byte {
	t.Helper()
	b, err := s.Seal(source())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// has are those of the first n that are known.
func has(s *outcomes.Set, n int) (out string) {
	for i := range n {
		if b, known := s.Recall(name(i)); known {
			out += string(b) + " "
		}
	}
	return out
}

func TestWhatIsKept(t *testing.T) {
	s, _ := open(t, 1, "a", nil)
	if s.Changed() {
		t.Error("nothing is new")
	}
	for i := range 4 {
		s.Keep(name(i), fmt.Append(nil, "outcome", i))
	}
	s.Keep(name(3), []byte("other"))
	if !s.Changed() {
		t.Error("something is new")
	}
	file := sealedFile(t, s)
	for i := range 4 {
		if bytes.Contains(file, fmt.Append(nil, "outcome", i)) {
			t.Error("it is not sealed")
		}
	}

	again, ok := open(t, 1, "a", file)
	if got := has(again, 5); !ok || got != "outcome0 outcome1 outcome2 other " || again.Changed() {
		t.Errorf("%v: %q, changed: %v", ok, got, again.Changed())
	}
	if !bytes.Equal(sealedFile(t, again), file) {
		t.Error("the file of the same is another")
	}

	fewer, _ := open(t, 1, "a", file)
	if has(fewer, 2); !fewer.Changed() {
		t.Error("what nobody asked for is kept")
	}
	less, _ := open(t, 1, "a", sealedFile(t, fewer))
	if got := has(less, 5); got != "outcome0 outcome1 " {
		t.Errorf("%q", got)
	}
	fewer.Keep(name(4), []byte("new"))
	fewer.Whole()
	all, _ := open(t, 1, "a", sealedFile(t, fewer))
	if got := has(all, 5); got != "outcome0 outcome1 outcome2 other new " {
		t.Errorf("of a scan that was interrupted: %q", got)
	}
}

// TestForeignFiles: what is not of this ring and knowledge, or damaged anywhere,
// says nothing.
func TestForeignFiles(t *testing.T) {
	s, _ := open(t, 1, "a", nil)
	s.Keep(name(0), []byte("one"))
	s.Keep(name(1), []byte("another"))
	file := sealedFile(t, s)
	refused := func(what string, key byte, knows string, file []byte) {
		t.Helper()
		if s, ok := open(t, key, knows, file); ok || has(s, 2) != "" {
			t.Errorf("%s: it was opened", what)
		}
	}
	refused("another ring", 2, "a", file)
	refused("another knowledge", 1, "b", file)
	refused("longer", 1, "a", append(bytes.Clone(file), 0))
	for i := range file {
		refused(fmt.Sprint("cut at ", i), 1, "a", file[:i])
		for bit := range 8 {
			other := bytes.Clone(file)
			other[i] ^= 1 << bit
			refused(fmt.Sprintf("bit %d of byte %d", bit, i), 1, "a", other)
		}
	}
	if _, err := outcomes.New(keys.IdentityKey{}, [32]byte{}); !errors.Is(err, sealed.ErrNoKey) {
		t.Errorf("without a key: %v", err)
	}
	if _, err := s.Seal(bytes.NewReader(nil)); err == nil {
		t.Error("sealed without anything random")
	}
}

// TestBound: a file has an end, whatever there is to keep.
func TestBound(t *testing.T) {
	s, _ := open(t, 1, "a", nil)
	big := make([]byte, 1<<20)
	for i := range 80 {
		s.Keep(name(i), big)
	}
	file := sealedFile(t, s)
	if len(file) > outcomes.MaxSize || len(file) < outcomes.MaxSize/2 {
		t.Fatalf("%d bytes", len(file))
	}
	if again, ok := open(t, 1, "a", file); !ok || len(has(again, 80)) < 50<<20 {
		t.Error("what was sealed is not opened")
	}
}

// FuzzEntries: what is sealed is read without harm, whatever it says.
func FuzzEntries(f *testing.F) {
	s, _ := open(f, 1, "a", nil)
	s.Keep(name(0), []byte("one"))
	f.Add(sealedFile(f, s))
	f.Add([]byte(outcomes.Head))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, file := range [][]byte{b, append([]byte(outcomes.Head), b...)} {
			if s, ok := open(t, 1, "a", file); ok && len(sealedFile(t, s)) == 0 {
				t.Error("opened, and nothing comes of it")
			}
		}
		out, ok := outcomes.Entries(b)
		n := 0
		for _, o := range out {
			n += len(o)
		}
		if !ok && out != nil || n > len(b) {
			t.Errorf("%v, %d bytes of %d", ok, n, len(b))
		}
	})
}
