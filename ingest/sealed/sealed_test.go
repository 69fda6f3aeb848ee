package sealed_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"testing"

	"revenant/fingerprints/keys"
	"revenant/ingest/sealed"
)

func TestBox(t *testing.T) {
	box := sealed.Box{Key: keys.NewIdentityKey(keys.Key{1}), Purpose: "runs", Head: "test/1\n", Bound: []byte("a")}
	plain := []byte("names of jobs")
	file, err := box.Seal(rand.Reader, plain)
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := box.Open(file); !ok || !bytes.Equal(got, plain) {
		t.Errorf("opened as %q, %v", got, ok)
	}
	if bytes.Contains(file, plain) {
		t.Error("the file holds its content in clear")
	}
	again, _ := box.Seal(rand.Reader, plain)
	if bytes.Equal(file, again) {
		t.Error("two files are equal")
	}
	for name, change := range map[string]func(*sealed.Box){
		"another ring":     func(b *sealed.Box) { b.Key = keys.NewIdentityKey(keys.Key{2}) },
		"no ring":          func(b *sealed.Box) { b.Key = keys.IdentityKey{} },
		"another purpose":  func(b *sealed.Box) { b.Purpose = "outcomes" },
		"another head":     func(b *sealed.Box) { b.Head = "test/2\n" },
		"bound otherwise":  func(b *sealed.Box) { b.Bound = nil },
		"bound to more":    func(b *sealed.Box) { b.Bound = []byte("ab") },
		"head is part of ": func(b *sealed.Box) { b.Head = "test" },
	} {
		other := box
		change(&other)
		if _, ok := other.Open(file); ok {
			t.Errorf("%s opens it", name)
		}
	}
	for i := range file {
		broken := bytes.Clone(file)
		broken[i] ^= 1
		if _, ok := box.Open(broken); ok {
			t.Fatalf("opens with byte %d changed", i)
		}
		if _, ok := box.Open(file[:i]); ok {
			t.Fatalf("opens when cut at %d", i)
		}
	}
	if _, err := (sealed.Box{}).Seal(rand.Reader, plain); !errors.Is(err, sealed.ErrNoKey) {
		t.Errorf("without a key: %v", err)
	}
}
