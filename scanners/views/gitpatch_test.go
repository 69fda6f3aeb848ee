package views_test

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"strings"
	"testing"

	"revenant/fingerprints"
)

const base85Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"

// base85 writes bytes in groups of five digits, the last one whole.
func base85(b []byte, digits string) string {
	var out []byte
	for len(b) > 0 {
		var v uint32
		for k := range 4 {
			if v <<= 8; k < len(b) {
				v |= uint32(b[k])
			}
		}
		b = b[min(4, len(b)):]
		var g [5]byte
		for k := range g {
			g[4-k] = digits[v%85]
			v /= 85
		}
		out = append(out, g[:]...)
	}
	return string(out)
}

// patchPart is one way of a patch, as git writes it.
func patchPart(t testing.TB, kind string, plain []byte) string {
	t.Helper()
	packed := packed(t, plain, func(w io.Writer) (io.WriteCloser, error) { return zlib.NewWriter(w), nil })
	var out strings.Builder
	fmt.Fprintf(&out, "%s %d\n", kind, len(plain))
	for ; len(packed) > 0; packed = packed[min(52, len(packed)):] {
		n := min(52, len(packed))
		length := byte('A' + n - 1)
		if n > 26 {
			length = byte('a' + n - 27)
		}
		out.WriteString(string(rune(length)) + base85(packed[:n], base85Digits) + "\n")
	}
	return out.String() + "\n"
}

// gitDelta inserts pieces between copies.
func gitDelta(pieces ...string) []byte {
	out := []byte{0x90, 0x4e, 0x90, 0x4e} // 10,000 bytes of both
	for _, p := range pieces {
		out = append(out, 0xb3, 1, 2, 3, 4) // a copy
		for ; len(p) > 0; p = p[min(127, len(p)):] {
			n := min(127, len(p))
			out = append(append(out, byte(n)), p[:n]...)
		}
	}
	return append(out, 0x91, 7, 9)
}

const (
	patchTop  = "diff --git a/a.bin b/a.bin\nindex 1111111..2222222 100644\nGIT binary patch\n"
	patchForm = "base85+compressed"
)

func TestGitPatches(t *testing.T) {
	k := newKit(t)
	for _, v := range []string{string(k.value), generic} {
		for front := range 24 {
			plain := "\x00\x01" + string(words(front)) + " key " + v + " ;\xff"
			literal := patchPart(t, "literal", []byte(plain))
			delta := patchPart(t, "delta", gitDelta("one ", plain, "two"))
			other := patchPart(t, "literal", noise(uint64(front), 300))
			for name, c := range map[string][2]string{
				"forth": {literal, other}, "back": {other, literal}, "delta": {delta, other}, "delta back": {patchPart(t, "delta", gitDelta("x")), delta}, "alone": {literal, ""},
			} {
				content := strings.Repeat("a line\n", front%3) + patchTop + c[0] + c[1] + "diff --git a/b b/b\n"
				part := literal
				if strings.HasPrefix(name, "delta") {
					part = delta
				}
				from := strings.Index(content, part)
				from += strings.IndexByte(part, '\n') + 1
				k.want(t, name, content, v, from, strings.Index(content, part)+len(part)-2, patchForm)
			}
		}
	}
	for _, d := range decoys(string(k.value)) {
		if hits, _ := k.scan(t, patchTop+patchPart(t, "literal", []byte("key "+d)), 0); len(hits) > 0 {
			t.Errorf("a decoy: %v", describe(hits))
		}
	}
}

// TestLongInserts has a value over the border of what one instruction of a delta inserts.
func TestLongInserts(t *testing.T) {
	k := newKit(t)
	for front := 90; front < 130; front++ {
		content := patchTop + patchPart(t, "delta", gitDelta(string(words(front))+" "+string(k.value)+" "+generic+" ;"))
		if hits, _ := k.scan(t, content, 0); len(hits) != 2 {
			t.Errorf("behind %d bytes: %v", front, describe(hits))
		}
	}
}

// TestDeltas has a value of which a part is copied: nobody knows what that is.
func TestDeltas(t *testing.T) {
	k := newKit(t)
	v := string(k.value)
	content := patchTop + patchPart(t, "delta", gitDelta("some words and "+v[:8], v[8:]+" and some more"))
	if hits, skips := k.scan(t, content, 0); len(hits)+len(skips) > 0 {
		t.Errorf("%v %v", describe(hits), skips)
	}
}

// TestPatchesBehind has what other programs write before the lines of a patch, and around it.
func TestPatchesBehind(t *testing.T) {
	k := newKit(t)
	plain := append(noise(3, 700), " key "+string(k.value)+" ;"...)
	patch := patchTop + patchPart(t, "literal", plain) + patchPart(t, "literal", noise(4, 100))
	n := 0
	object := func(before, after string) string {
		var b strings.Builder
		for _, line := range strings.SplitAfter(patch, "\n") {
			b.WriteString(before + jsonOf(line) + after + "\n")
		}
		return b.String()
	}
	each := func(before func() string) string {
		return before() + strings.ReplaceAll(strings.TrimSuffix(patch, "\n"), "\n", "\n"+before()) + "\n"
	}
	for name, content := range map[string]string{
		"graph":      each(func() string { return "| * " }),
		"mail":       each(func() string { return "> " }),
		"diff":       each(func() string { return "+" }),
		"times":      each(func() string { return "2026-11-27T10:11:12.1234567Z " }),
		"times vary": each(func() string { n++; return fmt.Sprintf("2026-11-27T10:11:12.%dZ ", 1+n*n*n) }),
		"CRLF":       strings.ReplaceAll(patch, "\n", "\r\n"),
		"JSON":       `{"patch":"` + jsonOf(patch) + `"}`,
		"twice":      `{"patch":"` + jsonOf(jsonOf(patch)) + `"}`,
		"Docker":     object(`{"log":"`, `","stream":"stdout","time":"2026-11-27T10:11:12.123456789Z"}`),
		"objects":    strings.ReplaceAll(object(`{"time":"2026-11-27T10:11:12Z","level":"info", "message": "`, `"}`), `\n"`, `"`),
	} {
		hits, skips := k.scan(t, content, 0)
		if len(hits) != 1 || len(skips) > 0 || string(hits[0].Value.Reveal()) != string(k.value) {
			t.Errorf("%s: %v %v in\n%.900s", name, describe(hits), skips, content)
		}
	}
}

// TestBadPatches are none, or broken off: nothing is made of them, or it is listed.
func TestBadPatches(t *testing.T) {
	k := newKit(t)
	good := patchPart(t, "literal", append(noise(3, 700), " key "+string(k.value)...))
	bomb := bytes.Repeat([]byte{0}, 4<<20)
	for name, c := range map[string]struct {
		content string
		skips   int
	}{
		"no head":     {patchTop + good[strings.IndexByte(good, '\n')+1:], 0},
		"no mark":     {strings.ToLower(patchTop) + good, 0},
		"cut off":     {patchTop + good[:400], 1},
		"short":       {patchTop + "literal 9\nIcmV6abcdefghi\n\n", 0},
		"no stream":   {patchTop + "literal 9\n" + strings.Repeat("z"+base85(noise(5, 52), base85Digits)+"\n", 9) + "\n", 1},
		"no delta":    {patchTop + patchPart(t, "delta", append([]byte{1, 1, 0}, noise(9, 300)...)), 1},
		"expands":     {patchTop + patchPart(t, "literal", bomb), 1},
		"expands too": {patchTop + patchPart(t, "delta", bomb), 1},
		"sizes":       {patchTop + patchPart(t, "delta", bytes.Repeat([]byte{0x80}, 1<<10)), 0},
	} {
		hits, skips := k.scan(t, c.content, 0)
		if len(hits) > 0 || len(skips) != c.skips {
			t.Errorf("%s: %v %v", name, describe(hits), skips)
		}
		for _, s := range skips {
			if s.Reason != fingerprints.SkipEncoded {
				t.Errorf("%s: %v", name, s)
			}
		}
	}
}

// TestLargePatches has a file of several pieces, and a patch of many files.
func TestLargePatches(t *testing.T) {
	k := newKit(t)
	plain := append(append(noise(6, 3<<20), " key "+string(k.value)+" "...), noise(7, 1<<20)...)
	if hits, _ := k.scan(t, patchTop+patchPart(t, "literal", plain), 0); len(hits) != 1 {
		t.Errorf("deep in a large file: %v", describe(hits))
	}
	many := strings.Repeat(patchTop+patchPart(t, "delta", gitDelta("some", "words")), 3000)
	if hits, skips := k.scan(t, many+patchTop+patchPart(t, "literal", []byte("key "+string(k.value)))+many, 0); len(hits) != 1 || len(skips) > 0 {
		t.Errorf("among many: %v %v", describe(hits), skips)
	}
}
