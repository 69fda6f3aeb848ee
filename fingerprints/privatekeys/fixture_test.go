package privatekeys_test

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"strings"
	"testing"
)

//go:embed testdata/containers.txt
var containers string

// sample is one file of testdata/containers.txt.
type sample struct {
	key, form string
	data      []byte
}

func (s sample) name() string { return s.key + "." + s.form }
func (s sample) public() bool { return strings.Contains(s.form, "public") }
func (s sample) locked() bool { return strings.Contains(s.form, "enc") }
func (s sample) text() bool   { return !strings.HasSuffix(s.form, "der") }

func samples(t testing.TB) []sample {
	t.Helper()
	var out []sample
	for line := range strings.Lines(containers) {
		name, hidden, ok := strings.Cut(strings.TrimSpace(line), " ")
		data, err := base64.StdEncoding.DecodeString(hidden)
		if !ok || err != nil {
			t.Fatalf("reading testdata: %v", err)
		}
		for i := range data {
			data[i] ^= byte(0x5a + i%97)
		}
		key, form, _ := strings.Cut(name, ".")
		out = append(out, sample{key, form, data})
	}
	if len(out) < 100 {
		t.Fatalf("testdata has %d samples", len(out))
	}
	return out
}

func sampleNamed(t testing.TB, name string) sample {
	t.Helper()
	for _, s := range samples(t) {
		if s.name() == name {
			return s
		}
	}
	t.Fatalf("no sample %s", name)
	return sample{}
}

// pem wraps a body the way OpenSSL does.
func pem(label string, body []byte, width int, end string) []byte {
	b64 := base64.StdEncoding.EncodeToString(body)
	var out bytes.Buffer
	out.WriteString("-----BEGIN " + label + "-----" + end)
	for len(b64) > 0 {
		n := min(width, len(b64))
		out.WriteString(b64[:n] + end)
		b64 = b64[n:]
	}
	out.WriteString("-----END " + label + "-----" + end)
	return out.Bytes()
}
