package main

import (
	"bytes"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"io/fs"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"
)

// canary is a value that must never be seen again once it was handed over. Its
// name says where it was planted, so that a failure tells what leaked without
// printing it.
type canary struct {
	name  string
	value string
}

// newCanary makes a value that no generator repeats, without any shape that a
// scanner of this repository would report.
func newCanary(rng *rand.Rand, name string) canary {
	const alphabet = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
	b := make([]byte, 28)
	for i := range b {
		b[i] = alphabet[rng.IntN(len(alphabet))]
	}
	return canary{name: name, value: string(b)}
}

// traces are the byte strings that betray the canary: every encoding that a
// store, log or report could have produced, and long parts of each, since half
// a value is a leak too.
func (c canary) traces() map[string][]byte {
	v := []byte(c.value)
	out := map[string][]byte{
		"raw":          v,
		"first half":   v[:14],
		"second half":  v[14:],
		"hex":          []byte(hex.EncodeToString(v)),
		"HEX":          []byte(strings.ToUpper(hex.EncodeToString(v))),
		"base32":       []byte(strings.TrimRight(base32.StdEncoding.EncodeToString(v[:25]), "=")),
		"reversed":     reversed(v),
		"percent":      []byte(percentAll(v)),
		"upper":        bytes.ToUpper(v),
		"lower":        bytes.ToLower(v),
		"go bytes":     []byte(strings.Trim(fmt.Sprint(v), "[]")),
		"json numbers": bytes.Trim(must(json.Marshal(intsOf(v))), "[]"),
	}
	for shift := range 3 {
		// The characters that depend on this value alone, whatever stands
		// around it in the encoded text.
		padded := append(bytes.Repeat([]byte{'x'}, shift), v...)
		enc := base64.RawStdEncoding.EncodeToString(padded)
		lead := []int{0, 2, 3}[shift]
		out[fmt.Sprintf("base64 at %d", shift)] = []byte(enc[lead : len(enc)-2])
		url := base64.RawURLEncoding.EncodeToString(padded)
		out[fmt.Sprintf("base64url at %d", shift)] = []byte(url[lead : len(url)-2])
	}
	var le, be []byte
	for _, u := range utf16.Encode([]rune(c.value)) {
		le = append(le, byte(u), byte(u>>8))
		be = append(be, byte(u>>8), byte(u))
	}
	out["utf-16le"], out["utf-16be"] = le, be
	out["html"] = []byte(html.EscapeString(c.value))
	out["query"] = []byte(url.QueryEscape(c.value))
	return out
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func intsOf(b []byte) []int {
	out := make([]int, len(b))
	for i, c := range b {
		out[i] = int(c)
	}
	return out
}

func reversed(b []byte) []byte {
	out := bytes.Clone(b)
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out
}

func percentAll(b []byte) string {
	var s strings.Builder
	for _, c := range b {
		fmt.Fprintf(&s, "%%%02X", c)
	}
	return s.String()
}

// canaries is a set that is looked for together.
type canaries []canary

// in reports every trace of every canary in data.
func (cs canaries) in(data []byte) []string {
	var found []string
	for _, c := range cs {
		for how, trace := range c.traces() {
			if bytes.Contains(data, trace) {
				found = append(found, c.name+" as "+how)
			}
		}
	}
	return found
}

// inTree greps the names and contents of every file under dir.
func (cs canaries) inTree(t *testing.T, dir string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, p)
		for _, f := range cs.in([]byte(rel)) {
			found = append(found, "a file name: "+f)
		}
		if d.Type().IsRegular() {
			b, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			for _, f := range cs.in(b) {
				found = append(found, "file "+filepath.Base(filepath.Dir(p))+"/"+filepath.Base(p)+": "+f)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestCanaryGrepSeesEveryEncoding keeps the grep itself honest.
func TestCanaryGrepSeesEveryEncoding(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	c := newCanary(rng, "self")
	set := canaries{c, newCanary(rng, "other")}
	if got := set.in([]byte("nothing to see here, " + strings.Repeat("abc", 100))); len(got) != 0 {
		t.Fatalf("found %v in text without a canary", got)
	}
	for shift := range 7 {
		for how, text := range map[string]string{
			"base64": base64.StdEncoding.EncodeToString([]byte(strings.Repeat("!", shift) + c.value + "tail")),
			"hex":    "00" + hex.EncodeToString([]byte(c.value)) + "ff",
			"raw":    strings.Repeat(" ", shift) + c.value,
			"half":   c.value[:15],
			"%v":     fmt.Sprint([]byte(c.value)),
		} {
			if got := set.in([]byte(text)); len(got) == 0 {
				t.Errorf("%s, shift %d: not seen", how, shift)
			}
		}
	}
}
