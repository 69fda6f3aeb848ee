package views

import (
	"bufio"
	"encoding/binary"
	"errors"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/inflate"
)

// Bounds of decompressing.
const (
	unpackRatio = 1000     // bytes that may come out for one that goes in,
	unpackSlack = 1 << 20  // beyond this
	unpackFuel  = 64 << 20 // what all streams of a text may cost, in bytes that come out
	fuelPerByte = 8        // and for each byte of the text
	unpackWaste = 4 << 20  // what those may cost that turn out to be none
	maxGzipName = 4 << 10  // of a file in a header
	maxWindow   = 32 << 20 // of a stream's history
	probeSize   = 512      // bytes that a weak magic has to be good for
	firstOut    = 16 << 10 // of the buffer
	firstRead   = 64       // bytes that are read at first
)

// What trying a stream costs beside its bytes: memory that its format asks for.
func (k packing) fuel() int64 {
	switch k {
	case packBzip2, packXz:
		return 1 << 20
	case packZstd, packLz4:
		return 64 << 10
	default:
		return 2 << 10
	}
}

// tells is how much must have come out of a stream that breaks for it to be
// listed as not read. Magics also stand in noise and in programs, the two bytes
// of zlib's everywhere, and Huffman codes make something of anything.
func (k packing) tells() int64 {
	if k == packZlib {
		return 8 * probeSize
	}
	return probeSize
}

// unpacker decompresses; it belongs to a search.
type unpacker struct {
	triples *triples
	packed  [4]int // where the last stream of each alphabet ended
	fuel    int64
	waste   int64 // of it for what turns out to be no stream
	dry     bool
	source  source
	buffer  *bufio.Reader
	xz      words
	flate   *inflate.Reader
	zstd    *zstd.Decoder
	lz4     *lz4.Reader
	out     []byte
}

// errNoStream says that a header is none.
var errNoStream = errors.New("no compressed stream")

// inNone is the place in arrays of what stands in no alphabet.
const inNone = 3

// again returns the unpacker for another text of n bytes.
func (u *unpacker) again(n int) unpacker {
	return unpacker{
		triples: u.triples, fuel: unpackFuel + fuelPerByte*int64(n), waste: unpackWaste + fuelPerByte*int64(n), out: u.out[:0],
		buffer: u.buffer, flate: u.flate,
		source: source{chain: chain{chars: u.source.chain.chars[:0], links: u.source.chain.links[:0]}},
	}
}

// forget drops the readers: they keep what they read last.
func (u *unpacker) forget() {
	if u.zstd != nil {
		u.zstd.Close()
	}
	u.buffer, u.xz, u.flate, u.zstd, u.lz4 = nil, words{}, nil, nil, nil
	u.source.chain.data, u.source.raw = nil, nil
	wipe(&u.out)
	wipe(&u.source.chain.chars)
}

// unpack decompresses what the source holds, and what follows it closely, and
// yields it in pieces. It returns where that ends; 0 when there is no stream.
func (s *search) unpack(k packing, outer fingerprints.Form) (end int) {
	defer func() { s.source.raw = nil }()
	if s.buffer == nil {
		s.buffer = bufio.NewReaderSize(&s.source, block)
	}
	s.buffer.Reset(&s.source)
	for k != packNone && !s.stopped && s.afford(k) {
		before := s.source.n
		r, err := s.open(k)
		if err != nil {
			s.wasted(k, before)
			return end
		}
		u := unpacking{s: s, k: k, r: r, form: outer.Within(fingerprints.FormCompressed)}
		next := u.run()
		if next == 0 {
			s.wasted(k, before)
			return end
		}
		if end = next; !u.whole {
			return end
		}
		k = s.adjacent()
	}
	return end
}

// wasted takes what was read of something that is no stream.
func (s *search) wasted(k packing, before int) {
	n := int64(s.source.n - before)
	s.cost.Wasted += n
	s.waste -= k.fuel() + n
}

// afford takes what trying a stream costs.
func (s *search) afford(k packing) bool {
	if s.fuel -= k.fuel(); s.fuel >= 0 && s.waste >= 0 {
		s.cost.Streams++
		return true
	}
	if !s.dry {
		s.dry = true
		s.unread("more compressed streams than the bound allows")
	}
	return false
}

// adjacent goes to the stream that follows the last: the next member of a zip,
// behind what describes the last one, or another stream of the same file.
func (s *search) adjacent() packing {
	for {
		head, _ := s.buffer.Peek(longestDescriptor + zipHeader)
		i := 0
		for ; i <= longestDescriptor && i+headSize <= len(head); i++ {
			if k := packingOf(head[i:]); k != packNone && k != packZlib {
				_, _ = s.buffer.Discard(i)
				s.source.from = s.source.begin(s.source.n - s.buffer.Buffered())
				return k
			}
			if storedMember(head[i:]) {
				break
			}
		}
		if i > longestDescriptor || i+zipHeader > len(head) {
			return packNone
		}
		size := binary.LittleEndian.Uint32(head[i+18:])
		_, _ = s.buffer.Discard(i)
		if s.fuel -= zipHeader + int64(size); s.fuel < 0 || skipZipHeader(s.buffer) != nil {
			return packNone
		}
		if _, err := s.buffer.Discard(int(size)); err != nil {
			return packNone
		}
	}
}

// What a zip has between members and before them.
const (
	longestDescriptor = 24
	zipHeader         = 30
)

// storedMember reports whether a member of a zip begins that is not compressed:
// it stands in what holds the zip.
func storedMember(head []byte) bool {
	return len(head) >= zipHeader && string(head[:4]) == "PK\x03\x04" && head[6]&9 == 0 && head[8] == 0 && head[9] == 0 && head[21] < 0x80
}

// unread lists the stream at hand as not read.
func (s *search) unread(why string) {
	from, to := s.source.from, s.source.from+1
	s.emit(scanners.Text{Form: fingerprints.FormCompressed, Unread: why, Origin: func(int, int) (int, int) { return from, to }})
}
