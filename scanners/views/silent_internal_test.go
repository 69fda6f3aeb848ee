package views

import (
	"context"
	"math/rand/v2"
	"testing"

	"revenant/scanners"
)

// TestSilent: where a text is called silent no finder finds a thing in it.
func TestSilent(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	alphabets := []string{
		"abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ.,;:!?()[]{}@#$*+-_|~/>", "+./,|-_ x", "beginBZhPKfrom ", "ab cd-ef/gh",
	}
	all, n := finders(), 0
	for range 200_000 {
		chars := alphabets[r.IntN(len(alphabets))]
		data := make([]byte, 1+r.IntN(silentLook))
		for i := range data {
			data[i] = chars[r.IntN(len(chars))]
		}
		if !silent(data) {
			continue
		}
		n++
		for _, f := range all {
			f.view(context.Background(), scanners.Layer{Data: data, Depth: n % 2, Piece: 1 << 20, Overlap: 1 << 10}, func(x scanners.Text) bool {
				t.Errorf("%q in %q is %s", x.Data, data, x.Form)
				return true
			})
		}
		if t.Failed() {
			return
		}
	}
	if n < 50_000 {
		t.Errorf("%d texts were silent", n)
	}
	for _, text := range []string{"a=3D", "k\\u0041", "a\x00b\x00", "%41", "&lt;", "MTIzNDU2Nzg5MDEy", "'a','b'", "0x41, 0x42", "\xc2\xad", "a\n b"} {
		if silent([]byte(text)) {
			t.Errorf("%q is called silent", text)
		}
	}
}
