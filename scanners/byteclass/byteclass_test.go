package byteclass_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/scanners/byteclass"
)

const signs = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"

// TestClasses looks at every byte at every place of a word, alone among bytes
// of no class, by vector code and without.
func TestClasses(t *testing.T) {
	for c := range 256 {
		for at := range 64 {
			data := bytes.Repeat([]byte{0}, 64)
			data[at] = byte(c)
			in := func(class string) uint64 {
				if c != 0 && bytes.IndexByte([]byte(class), byte(c)) >= 0 {
					return 1 << at
				}
				return 0
			}
			fast, scalar := byteclass.MarkWord(data)
			if want := [3]uint64{in(signs), in(`\%&+`), in(`"'`)}; fast != want || scalar != want {
				t.Fatalf("byte %#x at %d: fast %x, scalar %x, want %x", c, at, fast, scalar, want)
			}
			fast, scalar = byteclass.SignWord(data)
			if want := [3]uint64{in("\\^#%&<=\xc2\xcc\xcd\xcf\xe2\xef"), in("\"'`"), in("\b\n\v\r\x18\x1a\x1b\x1d")}; fast != want || scalar != want {
				t.Fatalf("sign %#x at %d: fast %x, scalar %x, want %x", c, at, fast, scalar, want)
			}
			fast, scalar = byteclass.DoubleWord(data)
			leads, trails := "", ""
			if c >= 0xc0 {
				leads = string([]byte{byte(c)})
			} else if c >= 0x80 {
				trails = string([]byte{byte(c)})
			}
			if want := [3]uint64{in("#$%&,@{}"), in(leads), in(trails)}; fast != want || scalar != want {
				t.Fatalf("double %#x at %d: fast %x, scalar %x, want %x", c, at, fast, scalar, want)
			}
			want := byteclass.Digits{Run: in(signs), Hex: in("0123456789abcdefABCDEFxX"), Dec: in("0123456789")}
			if c >= 0x80 {
				want.High = 1 << at
			}
			for g := range want.ASCII {
				// A group with the character where it stands, all other bits zero.
				group := [4]byte{}
				place := (at - g + 4) % 4
				if group[place] = byteclass.Sextets()[c]; group[place] == byteclass.None {
					continue
				}
				bits := uint32(group[0])<<18 | uint32(group[1])<<12 | uint32(group[2])<<6 | uint32(group[3])
				if bits&0x808080 == 0 {
					want.ASCII[g] = 1 << at
				}
			}
			fastDigits, scalarDigits := byteclass.DigitWord(data)
			if fastDigits != want || scalarDigits != want {
				t.Fatalf("byte %#x at %d: fast %x, scalar %x, want %x", c, at, fastDigits, scalarDigits, want)
			}
		}
	}
}

// TestDigitsOfLengths compares vector code and scalar code on texts of every
// length.
func TestDigitsOfLengths(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	data := make([]byte, 300)
	for i := range data {
		data[i] = byte(rng.Uint32())
		if i%3 > 0 {
			data[i] = signs[int(data[i])%len(signs)]
		}
	}
	kept := byteclass.Digits{Run: 7}
	for n := range data {
		got := byteclass.AppendDigits([]byteclass.Digits{kept}, data[:n])
		want := []byteclass.Digits{kept}
		for from := 0; from < n; from += 64 {
			part := bytes.Repeat([]byte{0}, 64)
			copy(part, data[from:n])
			_, scalar := byteclass.DigitWord(part)
			want = append(want, scalar)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%d bytes (-scalar +got):\n%s", n, diff)
		}
	}
}

func TestTriples(t *testing.T) {
	triples := byteclass.NewTriples([3]string{"a", "bc", "d"}, [3]string{"\x1f", "\x8b", "\x08"}, [3]string{"x", "\x9c", "\x00\xff"})
	rng := rand.New(rand.NewPCG(3, 4))
	data := make([]byte, 1000)
	for i := range data {
		data[i] = "abcd\x1f\x8b\x08x\x9c\x00\xff z"[rng.IntN(13)]
	}
	// The halves of these bytes do not mix to a pattern that is none.
	want := func(p []byte) bool {
		return slices.ContainsFunc([]string{"abd", "acd", "\x1f\x8b\x08", "x\x9c\x00", "x\x9c\xff"}, func(s string) bool {
			return bytes.HasPrefix(p, []byte(s))
		})
	}
	for n := range data {
		got := triples.Append(nil, data[:n])
		for i := range n {
			if has := got[i/64]>>(i%64)&1 != 0; has != want(data[i:n]) {
				t.Fatalf("%d bytes: place %d is %v", n, i, has)
			}
		}
		if tail := n % 64; tail > 0 && got[n/64]>>tail != 0 {
			t.Fatalf("%d bytes: bits behind the end", n)
		}
	}
}

func BenchmarkDigits(b *testing.B) {
	data := bytes.Repeat([]byte(signs), 512)
	var d []byteclass.Digits
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		d = byteclass.AppendDigits(d[:0], data)
	}
}

func BenchmarkTriples(b *testing.B) {
	data := bytes.Repeat([]byte(signs), 512)
	t := byteclass.NewTriples([3]string{"H", "4", "s"})
	var d []uint64
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		d = t.Append(d[:0], data)
	}
}

// TestLastWords compares the last bytes of texts of every length with the same
// bytes before zeros.
func TestLastWords(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	data := make([]byte, 200)
	for i := range data {
		data[i] = (signs + "\\%&\"'^<=\n\r\x1b\xc2`")[rng.IntN(len(signs)+13)]
	}
	for n := range data {
		padded := append(slices.Clone(data[:n]), make([]byte, 64-n%64)...)
		var marks, wantMarks byteclass.Marks
		var others, wantOthers byteclass.Signs
		marks.Classify(data[:n])
		wantMarks.Classify(padded)
		others.Classify(data[:n])
		wantOthers.Classify(padded)
		if marks != wantMarks || others != wantOthers {
			t.Fatalf("%d bytes: the last word differs", n)
		}
	}
}
