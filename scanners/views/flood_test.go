package views_test

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	"revenant/scanners"
	"revenant/scanners/scannerstest"
	"revenant/scanners/views"
)

// TestFloods counts what hostile texts cost, and asserts no time: judging a
// character takes about 2 ns, putting it together one, a text a microsecond.
func TestFloods(t *testing.T) {
	long := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("a text that goes on, ", 20000)))
	almost := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("eleven char\x00", 20000)))
	for name, text := range map[string]string{
		"A":            strings.Repeat("A", 300000),
		"text":         long,
		"short texts":  strings.Repeat(base64.StdEncoding.EncodeToString([]byte("twelve chars"))+" ", 20000),
		"almost text":  almost,
		"in lines":     wrap(long, 16, "\n"),
		"in escapes":   wrap(long, 20, `\/`),
		"line ends":    strings.Repeat("QUJDREVGR0hJSktMTU5P"+strings.Repeat("\n ", 250), 600),
		"backslashes":  strings.Repeat("QUJDREVGR0hJSktMTU5P"+strings.Repeat(`\`, 500), 600),
		"hex":          strings.Repeat("61", 150000),
		"hex almost":   hex.EncodeToString([]byte(strings.Repeat("eleven char\x00", 12000))),
		"base32":       strings.Repeat("MFRGGZDFMZTWQ2LK", 20000),
		"numbers":      strings.Repeat("65, ", 75000),
		"short lists":  strings.Repeat("65, 66, 67, 68, 69, 70, 256; ", 10000),
		"wide lists":   strings.Repeat("65,"+strings.Repeat(" ", 26), 10000),
		"wider lists":  strings.Repeat("65, 66, 67, 68, 69, 70,"+strings.Repeat("\n", 170), 1500),
		"offsets":      strings.Repeat("0000000 ", 40000),
		"offset lines": strings.Repeat("0000000\n", 40000),
		"dump lines":   strings.Repeat("00000000: 6162 6364 6566 6768 696a 6b6c 6d6e 6f70\n", 6000),
		"wide dumps":   strings.Repeat("0000000: "+strings.Repeat("61 ", 320)+"\n", 300),
		"no dumps":     strings.Repeat("000000x "+strings.Repeat("61 62 63 64 65 66 ; ", 48)+"\n", 300),
		"addresses":    strings.Repeat("0x555555558040:", 20000),
		"places":       strings.Repeat("0x4040 <", 40000),
		"debugger":     strings.Repeat("0x4040 <k>:\t0x38626958\t0x69675161\n", 8000),
		"characters":   strings.Repeat("0x4040 <k>:\t56 '8'\t98 'b\n", 10000),
		"alternating":  strings.Repeat("0000000  38  62  58\n          8   b   X\n", 6000),
		"spaced":       strings.Repeat("QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNk ", 7000),
		"spaced wide":  strings.Repeat(strings.Repeat("QUJDREVGR0hJSktM", 10)+" ", 2000),
		"spaced slash": strings.Repeat(strings.Repeat(`QUJD\/REV`, 10)+"  ", 3000),
		"chars":        strings.Repeat("0000000   a   b   c   d   e   f   g   h   i\n", 6000),
		"gzip heads":   strings.Repeat("\x1f\x8b\x08", 100000),
		"gzip names":   strings.Repeat("\x1f\x8b\x08\x18abcdef", 30000),
		"gzip base64":  strings.Repeat("H4sIGAAA", 30000),
		"zlib heads":   strings.Repeat("x\x9c", 100000),
		"no ends":      strings.Repeat("12 13 14 15 16 17 18 19 xx ", 12000),
	} {
		cost := views.CostOf(scanners.Layer{Data: []byte(text), Piece: 1 << 20, Overlap: 64 << 10}, func(scanners.Text) bool { return true })
		nanos := 2*cost.Judged + cost.Chained + 1000*cost.Texts + 10*cost.Numbers + 500*cost.Streams + 5*cost.Unpacked + 2*cost.Wasted
		if most := int64(len(text)) * 100; nanos > most {
			t.Errorf("%s: %+v for %d bytes: about %d ns, %d allowed", name, cost, len(text), nanos, most)
		}
	}
}

// TestNoiseIsQuiet: nothing to see costs next to nothing. Of logs, names of requests and
// traces are read in other spellings, for registered values alone.
func TestNoiseIsQuiet(t *testing.T) {
	for _, k := range scannerstest.Kinds() {
		data := scannerstest.Corpus(k, 3, 2<<20)
		out, spelt := 0, 0
		views.CostOf(scanners.Layer{Data: data, Piece: 1 << 20, Overlap: 64 << 10}, func(x scanners.Text) bool {
			if x.Plain {
				spelt += len(x.Data)
			}
			return true
		})
		if most := len(data) / 100; spelt > most && (k != scannerstest.Logs || spelt > len(data)/3) {
			t.Errorf("%s: %d of %d bytes are shown in other spellings", k, spelt, len(data))
		}
		cost := views.CostOf(scanners.Layer{Data: data, Piece: 1 << 20, Overlap: 64 << 10, NoGuesses: true}, func(x scanners.Text) bool {
			out += len(x.Data)
			return true
		})
		if cost.Judged > int64(len(data))/4 || cost.Chained > int64(len(data))/4 || cost.Streams > int64(len(data))/4096 || out > len(data)/100 {
			t.Errorf("%s: %d bytes: %+v, %d bytes yielded", k, len(data), cost, out)
		}
	}
}
