package views

import (
	"encoding/binary"
	"math/bits"

	"revenant/fingerprints"
	"revenant/scanners/byteclass"
)

// packing is a format of compressed streams.
type packing int

const (
	packNone packing = iota
	packGzip
	packZlib
	packZip // a member of one, from its local header on
	packZstd
	packBzip2
	packXz
	packLz4    // a frame, as Kafka's batches and backups of databases have
	packSnappy // blocks behind their lengths, as Kafka's batches and Hadoop's files have
	packBare   // deflate without a frame
)

// headSize is how many bytes packingOf looks at.
const headSize = 12

// packingOf recognises a stream by its first bytes.
func packingOf(head []byte) packing { //nolint:gocyclo // each format has its case
	if len(head) < headSize {
		return packNone
	}
	switch {
	case head[0] == 0x1f && head[1] == 0x8b && head[2] == 8 && head[3] < 0x20 && gzipSystem(head[8], head[9]):
		return packGzip
	case head[0] == 0x78 && (0x7800|int(head[1]))%31 == 0 && head[1]&0x20 == 0 && head[2]&6 != 6:
		return packZlib
	case string(head[:4]) == "PK\x03\x04" && head[6]&1 == 0 && binary.LittleEndian.Uint16(head[8:]) == 8:
		return packZip
	case string(head[:4]) == "\x28\xb5\x2f\xfd":
		return packZstd
	case string(head[:3]) == "BZh" && head[3] >= '1' && head[3] <= '9' && string(head[4:10]) == "1AY&SY":
		return packBzip2
	case string(head[:6]) == "\xfd7zXZ\x00":
		return packXz
	case string(head[:4]) == "\x04\x22\x4d\x18" && head[4]>>6 == 1:
		return packLz4
	case string(head[:8]) == snappyMagic:
		return packSnappy
	}
	return packNone
}

// pixels is what stands before the compressed rows of a picture's points in PNG: they
// are no text, and a picture that is larger than a few kilobytes has them in several
// parts, each of which looks like the beginning of a stream that breaks off. What is
// compressed in its other chunks is text.
const pixels = "IDAT"

// pixelsAt reports whether the zlib stream at a place of data is a picture's points.
func pixelsAt(k packing, data []byte, at int) bool {
	return k == packZlib && at >= len(pixels) && string(data[at-len(pixels):at]) == pixels
}

// pixelsIn is pixelsAt for a stream in base64, which begins with a bit of a character. A
// line may end before it.
func pixelsIn(k packing, data []byte, at, bit int) bool {
	if k != packZlib {
		return false
	}
	const chars = 6 // that hold what stands before, beside the first bits of the one at the place
	table := byteclass.Sextets()
	before := uint64(table[data[at]]) >> (6 - bit)
	for i, n := at-1, 0; n < chars; i-- {
		if i < 0 || i < at-4*chars {
			return false
		}
		if d := table[data[i]]; d != byteclass.None {
			before |= uint64(d) << (bit + 6*n)
			n++
		}
	}
	return uint32(before) == binary.BigEndian.Uint32([]byte(pixels))
}

// gzipSystem reports whether the last bytes of a header of RFC 1952 say what
// they may: how hard was tried, and on what system.
func gzipSystem(effort, system byte) bool {
	return (effort == 0 || effort == 2 || effort == 4) && (system <= 13 || system == 255)
}

// rawTriples are what streams begin with as they stand.
func rawTriples() *byteclass.Triples {
	var any [256]byte
	for i := range any {
		any[i] = byte(i)
	}
	return byteclass.NewTriples(
		[3]string{"\x1f", "\x8b", "\x08"}, [3]string{"\x28", "\xb5", "\x2f"}, [3]string{"B", "Z", "h"}, [3]string{"\xfd", "7", "z"},
		[3]string{"P", "K", "\x03"}, [3]string{"x", "\x01", string(any[:])}, [3]string{"x", "\x5e\x9c\xda", string(any[:])},
		[3]string{"\x04\x82", "\x22S", "\x4dN"},
	)
}

// Sets of characters of base64 by what their bits begin with.
const (
	from16 = "QRSTUVWXYZabcdef"
	from32 = "ghijklmnopqrstuv"
	from48 = "wxyz0123456789+/-_"
	from0  = "ABCDEFGHIJKLMNOP"
	signs  = from0 + from16 + from32 + from48
)

// strongTriples and weakTriples are what streams begin with in base64, from the
// first whole character on, for each place in a group that they may begin at.
func strongTriples() *byteclass.Triples {
	return byteclass.NewTriples(
		[3]string{"H", "4", "s"}, [3]string{"f", "i", "w"}, [3]string{"+-", "L", "C"}, // gzip
		[3]string{"K", "L", "U"}, [3]string{"i", "1", "L"}, [3]string{"o", "t", "S"}, // zstd
		[3]string{"Q", "l", "p"}, [3]string{"J", "a", "a"}, [3]string{"C", "W", "m"}, // bzip2
		[3]string{"U", "E", "s"}, [3]string{"B", "L", "A"}, [3]string{"Q", "S", "w"}, // zip
		[3]string{"/_", "T", "d"}, [3]string{"0", "3", "e"}, [3]string{"9", "N", "3"}, // xz
	)
}

// weakTriples are those of zlib.
func weakTriples() *byteclass.Triples {
	return byteclass.NewTriples(
		[3]string{"e", "JF", from48}, [3]string{"e", "A", from0}, [3]string{"e", "N", from32},
		[3]string{"i", "c", signs}, [3]string{"j", "a", signs}, [3]string{"gh", "Be", signs},
		[3]string{"4", "n", from0}, [3]string{"4", "2AX", from16 + from32},
	)
}

// triples are all of them, compiled once.
type triples struct{ raw, strong, weak *byteclass.Triples }

func newTriples() *triples { return &triples{rawTriples(), strongTriples(), weakTriples()} }

// base64Magics tries the streams that begin in a part of the tile in base64.
func (s *search) base64Magics(from, to int) {
	data, n := s.data[from:min(to+2, len(s.data))], (to-from+63)/64
	s.spots = s.triples.strong.Append(s.spots[:0], data)
	s.spots = s.triples.weak.Append(s.spots, data)
	weak := s.spots[len(s.spots)/2:]
	for i, w := range s.spots[:n] {
		for w |= weak[i]; w != 0 && !s.stopped; w &= w - 1 {
			s.base64Magic(from + 64*i + bits.TrailingZeros64(w))
		}
	}
}

// base64Magic tries the streams whose first whole character stands at p: they
// begin with it, or with the last 4 or 2 bits of the character before.
func (s *search) base64Magic(p int) {
	if p+2 >= len(s.data) {
		return
	}
	table := byteclass.Sextets()
	v := uint32(table[s.data[p]])<<12 | uint32(table[s.data[p+1]])<<6 | uint32(table[s.data[p+2]])
	if p > 0 {
		v |= uint32(table[s.data[p-1]]) << 18
	}
	for bit, magic := range [...]uint16{0: uint16(v >> 2), 2: uint16(v >> 6), 4: uint16(v >> 4)} {
		at := p
		if bit > 0 {
			at--
		}
		if !opens(magic) || at < max(0, s.packed[inBase64]) {
			continue
		}
		var head [headSize]byte
		if !sextetsAt(&head, s.data, at, bit) {
			continue
		}
		if k := packingOf(head[:]); k != packNone && !pixelsIn(k, s.data, at, bit) {
			s.source.chain.start(&base64Digits, s.data, at)
			s.source.open(bit)
			if end := s.unpack(k, fingerprints.FormBase64); end > 0 {
				s.packed[inBase64] = end
			}
		}
	}
}

// opens reports whether a stream may begin with two bytes.
func opens(magic uint16) bool {
	switch magic {
	case 0x1f8b, 0x7801, 0x785e, 0x789c, 0x78da, 0x28b5, 0x425a, 0x504b, 0xfd37:
		return true
	}
	return false
}

// sextetsAt decodes base64 that stands at p, from a bit of its first character
// on; false when other characters follow too soon.
func sextetsAt(head *[headSize]byte, data []byte, p, bit int) bool {
	const chars = (8*headSize + 4 + 5) / 6
	if p+chars > len(data) {
		return false
	}
	table := byteclass.Sextets()
	var acc uint64
	n := -bit
	out := 0
	for _, c := range data[p : p+chars] {
		d := table[c]
		if d == byteclass.None {
			return false
		}
		acc = acc<<6 | uint64(d)
		if n += 6; n >= 8 && out < headSize {
			n -= 8
			head[out] = byte(acc >> n)
			out++
		}
	}
	return out == headSize
}

// rawMagics tries the streams that begin in the tile as they stand. Those that
// the text begins with are opened elsewhere when it is a content, and so are
// zips wherever they begin.
func (s *search) rawMagics(from, to int) {
	s.spots = s.triples.raw.Append(s.spots[:0], s.data[from:min(to+2, len(s.data))])
	for i, w := range s.spots[:(to-from+63)/64] {
		for ; w != 0 && !s.stopped; w &= w - 1 {
			at := from + 64*i + bits.TrailingZeros64(w)
			if at < s.packed[inNone] {
				continue
			}
			k := packingOf(s.data[at:])
			if k == packNone || s.layer.Depth == 0 && (at == 0 || k == packZip) || pixelsAt(k, s.data, at) {
				continue
			}
			s.source.raw, s.source.at = s.data, at
			s.source.open(0)
			if end := s.unpack(k, fingerprints.FormRaw); end > 0 {
				s.packed[inNone] = end
			}
		}
	}
}

// hexMagic tries the stream that a run of hex digits begins with, which begins
// at p unless it began before.
func (s *search) hexMagic(p int) {
	table := byteclass.Nibbles()
	for range 2 { // 0x
		if p < len(s.data) && (s.data[p]|0x20 == 'x' || p+1 < len(s.data) && s.data[p+1]|0x20 == 'x') {
			p++
		}
	}
	if p > 0 && table[s.data[p-1]] != byteclass.None {
		return
	}
	for at := p; at < p+2 && at+2*headSize <= len(s.data) && !s.stopped; at++ {
		v, n := hexDigits.load(s.data, at)
		switch v {
		case 0x1f, 0x28, 0x42, 0x50, 0x78, 0xfd:
		default:
			continue
		}
		head := hexDigits.decode(make([]byte, 0, headSize), s.data[at:at+2*headSize])
		if k := packingOf(head); n == 1 && k != packNone && at >= s.packed[inHex] {
			s.source.chain.start(&hexDigits, s.data, at)
			s.source.open(0)
			if end := s.unpack(k, fingerprints.FormHex); end > 0 {
				s.packed[inHex] = end
			}
		}
	}
}
