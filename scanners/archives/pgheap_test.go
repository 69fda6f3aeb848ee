package archives_test

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/pierrec/lz4/v4"
)

// pglz compresses with what it finds by looking everywhere near.
func pglz(b []byte) (out []byte) {
	control, bit := 0, 8
	item := func(match bool, bytes ...byte) {
		if bit == 8 {
			control, bit = len(out), 0
			out = append(out, 0)
		}
		if match {
			out[control] |= 1 << bit
		}
		bit++
		out = append(out, bytes...)
	}
	for i := 0; i < len(b); {
		best, back := 0, 0
		for from := max(0, i-4095); from < i && best < 273; from++ {
			n := 0
			for i+n < len(b) && n < 273 && b[from+n] == b[i+n] {
				n++
			}
			if n > best {
				best, back = n, i-from
			}
		}
		switch {
		case best < 3:
			item(false, b[i])
			i++
			continue
		case best < 18:
			item(true, byte(back>>4&0xf0|best-3), byte(back))
		default:
			item(true, byte(back>>4&0xf0|15), byte(back), byte(best-18))
		}
		i += best
	}
	return out
}

// compressedValue is one in a row: how long it is, how it was compressed, and its bytes.
func compressedValue(text string, method uint32) []byte {
	le, b := binary.LittleEndian, []byte(text)
	var packed []byte
	if method == 0 {
		packed = pglz(b)
	} else {
		packed = make([]byte, lz4.CompressBlockBound(len(b)))
		n, _ := lz4.CompressBlock(b, packed, nil)
		packed = packed[:n]
	}
	out := le.AppendUint32(nil, uint32(len(packed)+8)<<2|2)
	return append(le.AppendUint32(out, uint32(len(b))|method<<30), packed...)
}

// pgPageOf is a page of rows, each of so many columns.
func pgPageOf(columns int, rows ...[]byte) []byte {
	le, page := binary.LittleEndian, make([]byte, 8<<10)
	upper := len(page)
	for i, row := range rows {
		whole := append(make([]byte, 24), row...)
		le.PutUint16(whole[18:], uint16(columns))
		whole[22] = 24
		upper = (upper - len(whole)) &^ 7
		copy(page[upper:], whole)
		le.PutUint32(page[24+4*i:], uint32(upper|1<<15|len(whole)<<17))
	}
	le.PutUint16(page[12:], uint16(24+4*len(rows)))
	le.PutUint16(page[14:], uint16(upper))
	le.PutUint16(page[16:], 8<<10)
	le.PutUint16(page[18:], 8<<10|4)
	return page
}

// pgPieces are the pages of a value that was cut.
func pgPieces(id uint32, value []byte) (pages []byte) {
	le := binary.LittleEndian
	var rows [][]byte
	number := uint32(0)
	for part := range slices.Chunk(value, 1996) {
		row := le.AppendUint32(le.AppendUint32(nil, id), number)
		if len(part) < 127 {
			row = append(row, byte(len(part)+1)<<1|1)
		} else {
			row = le.AppendUint32(row, uint32(len(part)+4)<<2)
		}
		rows, number = append(rows, append(row, part...)), number+1
	}
	for four := range slices.Chunk(rows, 4) {
		pages = append(pages, pgPageOf(3, four...)...)
	}
	return pages
}

// TestPgHeap finds values where PostgreSQL compressed them, and where it cut them.
func TestPgHeap(t *testing.T) {
	look := canary(51)
	half := look[20:] + look[:20] + "\n"
	text := half + strings.Repeat("a document like the others, ", 90) + look + strings.Repeat(" and words behind it", 20)
	number := []byte{7, 0, 0, 0}
	long := half + string(hexNoise(6000)) + look + string(hexNoise(3000))
	for name, file := range map[string][]byte{
		"pglz in a row":       pgPageOf(2, append(number, compressedValue(text, 0)...)),
		"lz4 in a row":        pgPageOf(2, append(number, compressedValue(text, 1)...)),
		"of three columns":    pgPageOf(3, append(number, compressedValue(text, 0)...)),
		"in the second page":  slices.Concat(pgPageOf(1, number), make([]byte, 8<<10), pgPageOf(2, append(number, compressedValue(text, 0)...))),
		"pglz, cut":           pgPieces(77, compressedValue(long, 0)[4:]),
		"lz4, cut":            pgPieces(77, compressedValue(long, 1)[4:]),
		"cut in the value":    pgPieces(77, []byte(strings.Repeat("-", 1980)+look+strings.Repeat("+", 3000))),
		"behind another":      slices.Concat(pgPieces(76, hexNoise(5000)), pgPieces(77, compressedValue(long, 0)[4:])),
		"a short last piece":  pgPieces(78, []byte(strings.Repeat("-", 1980)+look+strings.Repeat("+", 16))),
		"another one follows": slices.Concat(pgPieces(77, []byte(strings.Repeat("-", 1980)+look)), pgPieces(79, []byte("short"))),
	} {
		s := expand(t, small(), file, look)
		if !slices.Contains(s.found, "item!values") || len(s.skips) > 0 {
			t.Errorf("%s: found in %q, skips %v", name, s.found, s.skips)
		}
	}
}

// TestPgHeapBounds ends early in tables that are made to take long, and says so.
func TestPgHeapBounds(t *testing.T) {
	look := canary(52)
	good := pgPageOf(2, compressedValue(look[20:]+look[:20]+strings.Repeat("a word, ", 90)+look, 0))
	noisy := slices.Concat(good, noise(9, 2<<20))
	for i := 8 << 10; i < len(noisy); i += 8 << 10 { // headers that say there are rows everywhere
		copy(noisy[i:], good[:24])
		binary.LittleEndian.PutUint16(noisy[i+12:], 4024)
		binary.LittleEndian.PutUint16(noisy[i+14:], 4032)
	}
	if s := expand(t, small(), noisy, look); !slices.Contains(s.found, "item!values") {
		t.Errorf("noise: found in %q, skips %v", s.found, s.skips)
	}
	large := compressedValue(strings.Repeat("a word, ", 900), 0)
	binary.LittleEndian.PutUint32(large[4:], 17<<20)
	large = append(large, make([]byte, 7<<10-len(large))...)
	binary.LittleEndian.PutUint32(large, uint32(len(large))<<2|2)
	large = slices.Concat(good, pgPieces(5, slices.Concat(large[4:8], noise(3, 200<<10))))
	if s := expand(t, small(), large, look); !slices.Contains(s.found, "item!values") || s.skips["item"] != "a value longer than 16 MiB" {
		t.Errorf("a long one: found in %q, skips %v", s.found, s.skips)
	}
}
