package rules_test

import (
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"revenant/scanners"
	"revenant/scanners/rules"
)

// storeWriter writes what Java's DataOutputStream does.
type storeWriter struct{ strings.Builder }

func (w *storeWriter) int(n int) { w.Write(binary.BigEndian.AppendUint32(nil, uint32(n))) }

func (w *storeWriter) text(s string) {
	w.Write(binary.BigEndian.AppendUint16(nil, uint16(len(s))))
	w.WriteString(s)
}

func (w *storeWriter) blob(seed uint64, n int) {
	w.int(n)
	w.WriteString(random(seed, base62, n))
}

// entry writes an entry of a JKS: a key with one certificate, or one alone.
func (w *storeWriter) entry(tag int, alias string, seed uint64) {
	w.int(tag)
	w.text(alias)
	w.WriteString("\x00\x00\x01\x8f\x00\x00\x00\x00")
	if tag == 1 {
		w.blob(seed, 700)
		w.int(1)
	}
	w.text("X.509")
	w.blob(seed+1, 900)
}

// javaStore is a JKS or JCEKS with entries of some kinds.
func javaStore(magic string, tags ...int) string {
	var w storeWriter
	w.WriteString(magic)
	w.int(2)
	w.int(len(tags))
	for i, tag := range tags {
		w.entry(tag, "entry-"+string(rune('a'+i)), uint64(10*i))
	}
	w.WriteString(random(99, base62, 20))
	return w.String()
}

// bouncyStore is a BKS with entries of some kinds.
func bouncyStore(tags ...byte) string {
	var w storeWriter
	w.int(2)
	w.blob(1, 20)
	w.int(1234)
	for i, tag := range tags {
		w.WriteByte(tag)
		w.text("alias")
		w.WriteString("\x00\x00\x01\x8f\x00\x00\x00\x00")
		w.int(0)
		if tag == 1 {
			w.text("X.509")
		}
		w.blob(uint64(i), 300)
	}
	w.WriteByte(0)
	w.WriteString(random(98, base62, 20))
	return w.String()
}

const jks, jceks = "\xfe\xed\xfe\xed", "\xce\xce\xce\xce"

// TestKeystores: a store with a private key is found by its bytes, whatever its
// name; one with certificates only is not, even when its name says store.
func TestKeystores(t *testing.T) {
	m := newMatcher(t, rules.Options{Own: rules.OwnOn})
	kdbx := "\x03\xd9\xa2\x9a\x67\xfb\x4b\xb5\x01\x00\x04\x00" + random(5, base62, 200)
	for _, tt := range []struct{ name, path, content, want string }{
		{"JKS", "a.dat", javaStore(jks, 1), "keystore"},
		{"JKS, a key behind certificates", "a.jks", javaStore(jks, 2, 2, 1), "keystore"},
		{"JCEKS, a secret key", "a.dat", javaStore(jceks, 2, 3), "keystore"},
		{"truststore", "a.jks", javaStore(jks, 2, 2), ""},
		{"empty JKS", "a.jks", javaStore(jks), ""},
		{"BKS", "a.dat", bouncyStore(4), "keystore"},
		{"BKS, a key behind a certificate", "a.bks", bouncyStore(1, 2), "keystore"},
		{"BKS truststore", "a.bks", bouncyStore(1, 1), ""},
		{"KeePass", "notes", kdbx, "keystore"},
		{"not what its name says", "a.jks", "nothing of the kind", "keystore-file"},
		{"numbers", "a.dat", "\x00\x00\x00\x02\x00\x00\x00\x14" + strings.Repeat("\x00\x00\x00\x01", 90), ""},
		{"JKS in base64", "a.yml", "data: " + base64.StdEncoding.EncodeToString([]byte(javaStore(jks, 1))), "keystore"},
		{"truststore in base64", "a.yml", "data: " + base64.StdEncoding.EncodeToString([]byte(javaStore(jks, 2))), ""},
		{"KeePass in base64", "a.yml", "data: " + base64.StdEncoding.EncodeToString([]byte(kdbx)), "keystore"},
		{"PKCS #12 in base64", "a.yml", "data: " + base64.StdEncoding.EncodeToString([]byte("0\x82\x09\x01\x02\x01\x030\x82\x08\xc7\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01\xa0\x82"+random(2, base62, 90))), "keystore"},
	} {
		var got []string
		for _, h := range hits(m, tt.content, tt.path, 0) {
			got = append(got, strings.TrimPrefix(h.Rule, "revenant-"))
		}
		slices.Sort(got)
		if got = slices.Compact(got); strings.Join(got, " ") != tt.want {
			t.Errorf("%s: found %v, want %q", tt.name, got, tt.want)
		}
	}
	if got := ownHits(newMatcher(t, rules.Options{}), javaStore(jks, 1), "a.dat"); len(got) > 0 {
		t.Errorf("found without being asked for: %v", got)
	}
}

// FuzzKeystore: whatever stands behind the first bytes of a store is read to its
// end at most, and what is found lies in it.
func FuzzKeystore(f *testing.F) {
	m := newMatcher(f, rules.Options{Own: rules.OwnOn})
	for _, s := range []string{javaStore(jks, 2, 1), javaStore(jceks, 3), bouncyStore(1, 4), bouncyStore()} {
		f.Add([]byte(s))
		f.Add([]byte(s[:len(s)/2]))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, h := range m.AppendHits(nil, scanners.Chunk{Data: data, Path: "a.jks", Final: true}) {
			if !h.PathOnly && (h.Span.Start < 0 || h.Span.Start >= h.Span.End || h.Span.End > int64(len(data))) {
				t.Fatalf("%s at %v of %d bytes", h.Rule, h.Span, len(data))
			}
		}
	})
}
