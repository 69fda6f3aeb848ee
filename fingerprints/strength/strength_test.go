package strength_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"revenant/fingerprints"
	"revenant/fingerprints/strength"
)

const (
	hexDigits = "0123456789abcdef"
	base62    = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

func draw(r *rand.Rand, alphabet string, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[r.IntN(len(alphabet))]
	}
	return b
}

func printable() string {
	var b strings.Builder
	for c := byte('!'); c <= '~'; c++ {
		b.WriteByte(c)
	}
	return b.String()
}

// Random values have nearly the bits of their alphabet: never more, seldom much
// less.
func TestRandomValues(t *testing.T) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	for _, c := range []struct {
		name, alphabet string
		length         int
	}{
		{"hex 32", hexDigits, 32},
		{"hex 64", hexDigits, 64},
		{"upper hex 40", "0123456789ABCDEF", 40},
		{"base62 20", base62, 20},
		{"base62 40", base62, 40},
		{"base62 120", base62, 120},
		{"base64 43", base62 + "+/", 43},
		{"url-safe 43", base62 + "-_", 43},
		{"lower 24", base62[36:], 24},
		{"lower and digits 25", base62[36:] + "0123456789", 25},
		{"base32 32", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 32},
		{"digits 30", "0123456789", 30},
		{"printable 16", printable(), 16},
		{"printable 40", printable(), 40},
		{"bytes 32", string(all), 32},
		{"bytes 1000", string(all), 1000},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			full := math.Log2(float64(len(c.alphabet))) * float64(c.length)
			low, sum := 0, 0.0
			const runs = 100
			for range runs {
				// A value that by chance lacks a class of characters counts less,
				// one that has base64's padding or joiners may count a little more.
				got := strength.Bits(draw(r, c.alphabet, c.length))
				if got > full+0.25*float64(c.length) {
					t.Fatalf("%.2f bits of at most %.2f", got, full)
				}
				if got < 0.9*full {
					low++
				}
				sum += got
			}
			if low > runs/10 || sum/runs < 0.97*full {
				t.Errorf("%d of %d below 90 %%, mean %.1f of %.1f bits", low, runs, sum/runs, full)
			}
		})
	}
}

// What people choose, and what repeats, has few bits however long it is.
func TestHumanValues(t *testing.T) {
	pass := "pass" + "word"
	for _, c := range []struct {
		raw  string
		most float64
	}{
		{pass, 10},
		{"P@ssw0rd", 15},
		{pass + "123", 20},
		{"drow" + "ssap", 15},
		{"JohnSmith1984", 39},
		{"Summer2024!", 39},
		{"Tr0ub4dor&3", 39},
		{"qwertyuiop", 15},
		{"1qaz2wsx", 20},
		{"zxcvbnm,./", 25},
		{"abcdefghijklmnop", 10},
		{"9876543210", 12},
		{"19840512", 17},
		{"1984-05-12", 20},
		{"31.12.1999", 20},
		{"12/31/99", 20},
		{strings.Repeat("a", 500), 40},
		{strings.Repeat("abc", 100), 40},
		{strings.Repeat(pass, 9), 39},
		{"correct horse battery staple", 71},
		{"CorrectHorseBatteryStaple", 71},
		{"let me in now please", 79},
		{"flamingo thunderous zirconium parsnip", 79},
		{"contrasena", 20},
		{"пароль", 30},
		{"00000000-0000-0000-0000-000000000000", 39},
		{base64.StdEncoding.EncodeToString([]byte(pass + "123")), 25},
		{hex.EncodeToString([]byte("Summer2024!")), 39},
	} {
		if got := strength.Bits([]byte(c.raw)); got > c.most || got < 0 {
			t.Errorf("%.20q: %.1f bits, at most %.0f are there", c.raw, got, c.most)
		}
	}
}

func TestLongText(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	secret := draw(r, base62, 60)
	block := bytes.Repeat(secret, 50)
	one, many := strength.Bits(secret), strength.Bits(block)
	if many < one-10 || many > one+60 {
		t.Errorf("60 random bytes have %.0f bits, fifty times the same %.0f", one, many)
	}
	skewed := draw(r, "aaaaaaaaaaaaaaab", 4000) // 0.34 bits a byte
	if got := strength.Bits(skewed); got > 0.6*4000 {
		t.Errorf("a skewed text of 4000 bytes has %.0f bits", got)
	}
}

// Nothing is paid for what everybody knows.
func TestPublicParts(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	token := string(draw(r, base62, 36))
	plain := strength.Bits([]byte(token))
	for _, prefix := range []string{"gh" + "p_", "sk" + "_live_", "glp" + "at-", "our-app-key_"} {
		if got := strength.Bits([]byte(prefix + token)); math.Abs(got-plain) > 2 {
			t.Errorf("%s: %.1f bits, %.1f without it", prefix, got, plain)
		}
	}
	enc := base64.RawURLEncoding.EncodeToString
	signature := enc(draw(r, string([]byte{1, 77, 130, 200, 255, 9, 31, 64, 128, 17}), 32))
	jwt := enc([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + enc([]byte(`{"sub":"somebody","iat":1516239022}`)) + "." + signature
	if got, want := strength.Bits([]byte(jwt)), strength.Bits([]byte(signature)); got > want+8 {
		t.Errorf("a JWT has %.1f bits, its signature %.1f", got, want)
	}
	for version, most := range map[byte]float64{'4': 122, '7': 74, '1': 40} {
		u := []byte("01234567-89ab-cdef-0123-456789abcdef")
		copy(u, draw(r, hexDigits, 36))
		for _, i := range []int{8, 13, 18, 23} {
			u[i] = '-'
		}
		u[14], u[19] = version, 'a'
		if got := strength.Bits(u); got > most || got < 0.75*most {
			t.Errorf("UUID version %c: %.1f bits of %.0f", version, got, most)
		}
	}
	hint := strength.Hint{Prefix: 4, Checksum: 6}
	if got, want := strength.Analyse([]byte("0000"+token+"abcdef"), hint).Bits(), plain; math.Abs(got-want) > 2 {
		t.Errorf("with prefix and checksum %.1f bits, without %.1f", got, want)
	}
}

func TestExact(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	raw := draw(r, base62, 36)
	for _, c := range []struct {
		name    string
		hint    strength.Hint
		bits    float64
		outside float64 // of bytes 10 to 19
		class   fingerprints.Strength
	}{
		{"known", strength.Hint{Bits: 144}, 144, 108, fingerprints.StrengthEdge},
		{"just enough", strength.Hint{Bits: 106.75}, 106.75, 106.75 * 27 / 36, fingerprints.StrengthEdge},
		{"just too little", strength.Hint{Bits: 106.5}, 106.5, 106.5 * 27 / 36, fingerprints.StrengthCore},
		{"prefix and checksum", strength.Hint{Bits: 120, Prefix: 10, Checksum: 6}, 120, 66, fingerprints.StrengthCore},
		{"weak", strength.Hint{Bits: 39}, 39, 39 * 27.0 / 36, fingerprints.StrengthWeak},
		{"more than fits", strength.Hint{Bits: 1e9}, 288, 216, fingerprints.StrengthEdge},
		{"nothing left", strength.Hint{Bits: 100, Prefix: 36}, 0, 0, fingerprints.StrengthWeak},
		{"prefix beyond", strength.Hint{Bits: 100, Prefix: 99, Checksum: 99}, 0, 0, fingerprints.StrengthWeak},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := strength.Analyse(raw, c.hint)
			if !e.Exact() || math.Abs(e.Bits()-c.bits) > 0.01 {
				t.Errorf("exact %v, %.3f bits, want %.3f", e.Exact(), e.Bits(), c.bits)
			}
			if got := e.Outside(strength.Span{Start: 10, End: 19}); math.Abs(got-c.outside) > 0.1 {
				t.Errorf("%.2f bits outside, want %.2f", got, c.outside)
			}
			if got := e.Class(); got != c.class {
				t.Errorf("class %s, want %s", got, c.class)
			}
		})
	}
	for _, bits := range []float64{0, -3, math.NaN(), math.Inf(1)} {
		if e := strength.Analyse(raw, strength.Hint{Bits: bits}); e.Exact() || e.Bits() != strength.Bits(raw) {
			t.Errorf("a hint of %v bits was taken at its word", bits)
		}
	}
}

func TestClasses(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for _, c := range []struct {
		name string
		raw  []byte
		want fingerprints.Strength
	}{
		{"empty", nil, fingerprints.StrengthUnsearchable},
		{"7 bytes", draw(r, printable(), 7), fingerprints.StrengthUnsearchable},
		{"8 bytes", []byte("Xk9#" + "mQ2$"), fingerprints.StrengthCore},
		{"8 digits", []byte("48201937"), fingerprints.StrengthWeak},
		{"common", []byte("pass" + "word1"), fingerprints.StrengthUnsearchable},
		{"14 random bytes", []byte{0x80, 1, 0x91, 7, 0xfe, 0x33, 0xa4, 0x19, 0xcc, 0x5f, 2, 0x77, 0xe1, 0x96}, fingerprints.StrengthCore},
		{"20 base62", draw(r, base62, 20), fingerprints.StrengthCore},
		{"40 base62", draw(r, base62, 40), fingerprints.StrengthEdge},
		{"40 times the same", bytes.Repeat([]byte("x"), 40), fingerprints.StrengthWeak},
		{"300 bytes", draw(r, base62, 300), fingerprints.StrengthEdge},
		{"300 bytes, three regions too many", append(draw(r, base62, 26), bytes.Repeat([]byte("-"), 274)...), fingerprints.StrengthCore},
	} {
		if got := strength.Classify(c.raw, strength.Hint{}); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// Knowing a part of a copy, or of what was copied, tells both.
func TestOutside(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	half := draw(r, base62, 30)
	e := strength.Analyse(append(bytes.Clone(half), half...), strength.Hint{})
	for _, s := range []strength.Span{{5, 14}, {35, 44}} {
		// 21 bytes of it are not known; telling that it is twice the same costs little.
		if got, want := e.Outside(s), 21*math.Log2(62)+25; got > want {
			t.Errorf("bytes %v known: %.1f bits are left, at most %.1f", s, got, want)
		}
	}
	if got := e.Outside(strength.Span{Start: 30, End: 60}); got > 20 {
		t.Errorf("the whole copy known: %.1f bits are left", got)
	}
	words := strength.Analyse([]byte("thunder"+" 4Kd9-xQ7z#Lm2"), strength.Hint{})
	if got, want := words.Outside(strength.Span{Start: 0, End: 1}), words.Outside(strength.Span{Start: 0, End: 7}); got != want {
		t.Errorf("a letter of a word known: %.1f bits, all of it: %.1f", got, want)
	}
	if got := words.Outside(strength.Span{Start: -5, End: 99}); got != 0 {
		t.Errorf("all known: %.1f bits are left", got)
	}
	if got := words.Outside(); got != words.Bits() {
		t.Errorf("nothing known: %.1f of %.1f bits", got, words.Bits())
	}
	long := strength.Analyse(draw(r, base62, 100), strength.Hint{})
	if got, want := long.Within(strength.Span{Start: 20, End: 60}), 40*math.Log2(62); math.Abs(got-want) > 25 {
		t.Errorf("40 of 100 bytes carry %.1f bits, not %.1f", got, want)
	}
	if one, three := long.Worst(9, 1), long.Worst(9, 3); math.Abs((long.Bits()-three)-3*(long.Bits()-one)) > 0.1 {
		t.Errorf("one region leaves %.1f bits, three %.1f of %.1f", one, three, long.Bits())
	}
}

func TestIsCommon(t *testing.T) {
	for _, s := range []string{
		"pass" + "word", "PASSWORD", "P@ssw0rd", "pass" + "word123", "change" + "me", "ChangeMe!", "letmein1", "localhost", "database", "username",
		"passwords", "developing", "12345678", "87654321", "aaaaaaaa", "abababab", "abcdefgh", "qwertyui", "asdfghjkl", "20240131",
		"1234567890123456", "test" + "test", "00000000", "sunshine", "produ" + "ction",
	} {
		if !strength.IsCommon([]byte(s)) {
			t.Errorf("%s is not common", s)
		}
	}
	r := rand.New(rand.NewPCG(13, 14))
	for range 300 {
		if v := draw(r, base62, 8+r.IntN(7)); strength.IsCommon(v) {
			t.Errorf("the random value %s is common", v)
		}
	}
	for _, s := range []string{"", "48201937", "Summer2024!x", "ohpheiSh7a", "\x00\x00\xff\xfe\x01\x02\x03\x04", strings.Repeat("long", 40)} {
		if strength.IsCommon([]byte(s)) {
			t.Errorf("%q is common", s)
		}
	}
}

// The largest value that can be registered is estimated in time, whatever it
// holds.
func TestLargestValue(t *testing.T) {
	r := rand.New(rand.NewPCG(15, 16))
	const largest, size = 256 << 10, 48 << 10
	for name, raw := range map[string][]byte{
		"zeros": make([]byte, largest), "random": draw(r, base62, largest), "two letters": draw(r, "ab", size),
		"words": bytes.Repeat([]byte("correct horse battery staple "), size/29), "digits": bytes.Repeat([]byte("0123456789"), size/10),
		"keys": bytes.Repeat([]byte("qw"), size/2), "leet": bytes.Repeat([]byte("4"), size), "separators": bytes.Repeat([]byte("-"), size),
		"bangs": bytes.Repeat([]byte("!"), size), "JWT": append([]byte("eyJ."), bytes.Repeat([]byte("a."), 3)...),
		"nearly equal blocks": blocks(r, size),
	} {
		e := strength.Analyse(raw, strength.Hint{})
		if e.Bits() < 0 || e.Bits() > 8*largest || e.Worst(9, 3) > e.Bits() {
			t.Errorf("%s: %.0f bits, %.0f outside", name, e.Bits(), e.Worst(9, 3))
		}
	}
}

// blocks repeats 31 bytes with a random one between.
func blocks(r *rand.Rand, size int) []byte {
	block := draw(r, base62, 31)
	var out []byte
	for len(out)+32 <= size {
		out = append(append(out, block...), byte(r.IntN(256)))
	}
	return out
}

func FuzzAnalyse(f *testing.F) {
	f.Add([]byte("pass"+"word123"), uint8(0), uint8(0), uint8(3))
	f.Add([]byte("eyJhbGciOiJub25lIn0.e30."), uint8(1), uint8(1), uint8(9))
	f.Add([]byte("550e8400-e29b-41d4-a716-446655440000"), uint8(0), uint8(0), uint8(30))
	f.Fuzz(func(t *testing.T, raw []byte, prefix, checksum, at uint8) {
		if len(raw) > 4096 {
			return
		}
		e := strength.Analyse(raw, strength.Hint{Prefix: int(prefix), Checksum: int(checksum)})
		if e.Bits() < 0 || e.Bits() > 8*float64(len(raw)) {
			t.Fatalf("%.1f bits in %d bytes", e.Bits(), len(raw))
		}
		if again := strength.Analyse(raw, strength.Hint{Prefix: int(prefix), Checksum: int(checksum)}); again.Bits() != e.Bits() {
			t.Fatal("the same value has two estimates")
		}
		left := e.Outside(strength.Span{Start: int(at), End: int(at) + 9})
		if left < 0 || left > e.Bits() || len(raw) >= 9 && int(at)+9 <= len(raw) && left < e.Worst(9, 1) {
			t.Fatalf("%.3f bits outside of %.3f, %.3f at worst", left, e.Bits(), e.Worst(9, 1))
		}
	})
}
