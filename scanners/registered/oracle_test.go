package registered_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
	"revenant/fingerprints/pack/packtest"
)

// decodeLoosely packs base64 characters of either alphabet and stops at the
// first other byte.
func decodeLoosely(s string) ([]byte, int) {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	var out []byte
	acc, n := 0, 0
	for _, c := range []byte(strings.NewReplacer("-", "+", "_", "/").Replace(s)) {
		d := strings.IndexByte(digits, c)
		if d < 0 {
			break
		}
		acc, n = acc<<6|d, n+6
		if n >= 8 {
			n -= 8
			out = append(out, byte(acc>>n))
		}
	}
	return append(out, byte(acc<<(8-n))), 8*len(out) + n
}

// naive finds values the slow way: at every byte it compares the raw text, the
// base64 decoded from there and the hex decoded from there.
func naive(content []byte, vals [][]byte) []string {
	set := map[string]bool{}
	for p := range content {
		b64, bits := decodeLoosely(string(content[p:]))
		hx := decodeHex(content[p:])
		for i, v := range vals {
			if bytes.HasPrefix(content[p:], v) {
				set[fmt.Sprintf("%d %d-%d raw", i, p, p+len(v))] = true
			}
			if bytes.HasPrefix(hx, v) {
				set[fmt.Sprintf("%d %d-%d hex", i, p, p+2*len(v))] = true
			}
			// The value starts in the character at p, 0, 2 or 4 bits in.
			for skip := 0; skip < 6; skip += 2 {
				if startsWithBits(b64, bits, v, skip) {
					set[fmt.Sprintf("%d %d-%d base64", i, p, p+(8*len(v)+skip+5)/6)] = true
				}
			}
		}
	}
	var out []string
	for k := range set {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func startsWithBits(b []byte, bits int, v []byte, skip int) bool {
	if bits < skip+8*len(v) {
		return false
	}
	for i := range v {
		x := int(b[i]) << 8
		if i+1 < len(b) {
			x |= int(b[i+1])
		}
		if byte(x<<skip>>8) != v[i] {
			return false
		}
	}
	return true
}

func decodeHex(b []byte) []byte {
	const digits = "0123456789abcdef"
	var out []byte
	for ; len(b) >= 2; b = b[2:] {
		hi, lo := strings.IndexByte(digits, b[0]|lower(b[0])), strings.IndexByte(digits, b[1]|lower(b[1]))
		if hi < 0 || lo < 0 {
			break
		}
		out = append(out, byte(hi<<4|lo))
	}
	return out
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'F' {
		return 0x20
	}
	return 0
}

// FuzzOracle compares the matcher with a naive search. The fuzzer's bytes are
// cut into pieces; each piece is either taken as it is or chooses a value, a
// part of it and an encoding.
func FuzzOracle(f *testing.F) {
	vals := append(values(21, 4, 16, alnum), values(22, 2, 9, alnum)...)
	vals = append(vals, values(23, 2, 150, alnum)...)
	vals = append(vals, append(bytes.Clone(vals[0]), "-tail"...)) // one in another
	built := packtest.New(f, fingerprints.AudienceCore, vals...)
	m, _ := matcher(f, fingerprints.AudienceCore, vals...)
	f.Add([]byte{0x80, 0, 0x81, 1, 0x82, 2, 0x83, 3}, uint16(64))
	f.Add([]byte("=\x80\x00\x00AAAA\x84\x05abc\x8d\x08 ="), uint16(1))
	f.Add([]byte("\x80\x00%\x83\x00%\x84\x01\\\x81\x02\\\x83\x03"), uint16(5))
	f.Add([]byte("\x8a\x01\x8b\x02\x8c\x03zz\x8e\x06\x8f\x07"), uint16(999))
	f.Fuzz(func(t *testing.T, recipe []byte, chunk uint16) {
		if len(recipe) > 200 {
			return
		}
		content := cook(recipe, vals)
		var got []string
		for _, h := range scan(t, m, content, int(chunk)+200) {
			if h.Form == fingerprints.FormRaw || h.Form == fingerprints.FormBase64 || h.Form == fingerprints.FormHex {
				got = append(got, fmt.Sprintf("%d %d-%d %s", slices.Index(built.Rows, h.Rows[0]), h.Span.Start, h.Span.End, h.Form))
			}
		}
		slices.Sort(got)
		if diff := cmp.Diff(naive(content, vals), got); diff != "" {
			t.Errorf("%q (-naive +matcher):\n%s", content, diff)
		}
	})
}

// cook turns a recipe into a content.
func cook(recipe []byte, vals [][]byte) []byte {
	encs := encodings()
	var out []byte
	for i := 0; i < len(recipe); i++ {
		c := recipe[i]
		if c < 0x80 || i+1 == len(recipe) {
			out = append(out, c)
			continue
		}
		i++
		v := vals[int(recipe[i])%len(vals)]
		switch recipe[i] >> 5 {
		case 6:
			v = v[:len(v)/2]
		case 7:
			v = v[1:]
		}
		e := encs[int(c&0x7f)%len(encs)].enc(string(v))
		out = append(out, e.before+e.value+e.after...)
	}
	return out
}
