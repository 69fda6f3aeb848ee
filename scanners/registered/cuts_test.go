package registered_test

import (
	"bytes"
	"testing"

	"revenant/fingerprints"
	"revenant/scanners"
)

// TestEveryCut cuts the content at every byte of the value and around it, for
// every offset modulo 16.
func TestEveryCut(t *testing.T) {
	vals := values(11, 2, 24, alnum)
	m, built := matcher(t, fingerprints.AudienceCore, vals...)
	far := 2*m.Overlap() + 64
	for _, e := range encodings() {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			for off := range 16 {
				enc := e.enc(string(vals[off%2]))
				front := append(append(noise(uint64(off+1), far+off), 1), enc.before...)
				content := append(bytes.Clone(front), enc.value+enc.after+"\x02"...)
				content = append(content, noise(uint64(off+50), far)...)
				want := scanners.Span{Start: int64(len(front)), End: int64(len(front) + len(enc.value))}
				for cut := want.Start - 2; cut <= want.End+2; cut++ {
					hits := scan(t, m, content, int(cut))
					if len(hits) != 1 || hits[0].Span != want || hits[0].Form != e.form || hits[0].Rows[0] != built.Rows[off%2] {
						t.Fatalf("offset %d, cut at %d: want %v, got %+v", off, cut, want, hits)
					}
				}
			}
		})
	}
}

// nearMisses are changed copies of a value.
func nearMisses(v []byte) map[string][]byte {
	change := func(i int) []byte {
		c := bytes.Clone(v)
		if c[i] == 'x' {
			c[i] = 'y'
		} else {
			c[i] = 'x'
		}
		return c
	}
	flip := func(i int) []byte {
		c := bytes.Clone(v)
		for c[i]|0x20 < 'a' || c[i]|0x20 > 'z' {
			i = (i + 1) % len(c)
		}
		c[i] ^= 0x20
		return c
	}
	out := map[string][]byte{
		"first": change(0), "middle": change(len(v) / 2), "last": change(len(v) - 1),
		"case of the first": flip(0), "case of the middle": flip(len(v) / 3),
		"upper": bytes.ToUpper(v), "lower": bytes.ToLower(v),
		"first half": v[:len(v)/2], "second half": v[len(v)/2:],
		"without the first": v[1:], "without the last": v[:len(v)-1],
	}
	for name, miss := range out { // values without letters of one case
		if bytes.Equal(miss, v) {
			delete(out, name)
		}
	}
	return out
}

func TestNearMisses(t *testing.T) {
	for _, length := range []int{10, 24, 40, 400} {
		vals := values(uint64(length), 3, length, alnum)
		m, _ := matcher(t, fingerprints.AudienceCore, vals...)
		for _, e := range encodings() {
			for _, v := range vals {
				for name, miss := range nearMisses(v) {
					enc := e.enc(string(miss))
					content := append(append(noise(1, 50), 1), enc.before+enc.value+enc.after+"\x02"...)
					if hits := scan(t, m, content, 0); len(hits) > 0 {
						t.Errorf("%d bytes, %s, %s: %+v", length, e.name, name, hits)
					}
				}
			}
		}
	}
}

// TestTrimmedBase64 changes the first and the last character that carry bits of
// the value in a larger encoded content: what a search for the characters in
// between would not notice.
func TestTrimmedBase64(t *testing.T) {
	vals := values(17, 3, 24, alnum)
	m, _ := matcher(t, fingerprints.AudienceCore, vals...)
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	for _, e := range encodings() {
		if e.form != fingerprints.FormBase64 {
			continue
		}
		for _, v := range vals {
			enc := e.enc(string(v))
			for _, at := range []int{0, len(enc.value) - 1} {
				for _, flip := range []int{1, 2, 4, 8, 16, 32} {
					c := []byte(enc.value)
					c[at] = digits[bytes.IndexByte([]byte(digits), c[at])^flip]
					text := enc.before + string(c) + enc.after
					decodes := bytes.Contains(decodeAnywhere(text), v)
					hits := scan(t, m, []byte(text), 0)
					if decodes != (len(hits) == 1) {
						t.Errorf("%s, character %d, bit %d: holds the value: %v, hits %+v", e.name, at, flip, decodes, hits)
					}
				}
			}
		}
	}
}

// decodeAnywhere decodes base64 from each of the first four characters on.
func decodeAnywhere(s string) []byte {
	var out []byte
	for i := range 4 {
		raw, bits := decodeLoosely(s[i:])
		out = append(append(out, 0), raw[:bits/8]...)
	}
	return out
}
