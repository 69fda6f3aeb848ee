package views

import (
	"bufio"
	"compress/bzip2"
	"encoding/binary"
	"errors"
	"hash/adler32"
	"io"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zstd"
	"github.com/therootcompany/xz"

	"revenant/fingerprints"
	"revenant/scanners"
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
	case packZstd:
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
	flate   io.ReadCloser
	zstd    *zstd.Decoder
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
		source: source{chain: chain{chars: u.source.chain.chars[:0], links: u.source.chain.links[:0]}},
	}
}

// forget drops the readers: they keep what they read last.
func (u *unpacker) forget() {
	if u.zstd != nil {
		u.zstd.Close()
	}
	u.buffer, u.xz, u.flate, u.zstd = nil, words{}, nil, nil
	u.source.chain.data, u.source.raw = nil, nil
	wipe(&u.out)
	wipe(&u.source.chain.chars)
}

// source reads what a chain's characters carry, or bytes as they stand.
type source struct {
	chain chain
	bit   int    // the next bit of the chain's first character
	base  int    // bytes that were read before the chain's first character
	n     int    // bytes read
	from  int    // where it begins
	raw   []byte // not nil: these, from at on
	at    int
}

// open starts reading at a bit of the first character, or at a byte of raw.
func (s *source) open(bit int) {
	s.bit, s.n, s.base = bit, 0, 0
	if s.from = s.at; s.raw == nil {
		s.from = s.chain.to
	}
}

// Read implements io.Reader.
func (s *source) Read(p []byte) (int, error) {
	if s.raw != nil {
		if s.at+s.n >= len(s.raw) {
			return 0, io.EOF
		}
		n := copy(p, s.raw[s.at+s.n:])
		s.n += n
		return n, nil
	}
	c := &s.chain
	bits := c.a.bits
	p = p[:min(len(p), firstRead+s.n)] // most streams are none
	// Characters that were read are kept until the next block: whoever reads
	// asks where a byte stood a little later.
	if used := (s.bit + 8*(s.n-s.base)) / bits; used > 8*block {
		used -= 4 * block
		used -= used % c.a.group // the bit stays the same
		c.drop(used)
		s.base += used * bits / 8
	}
	have := s.bit + 8*(s.n-s.base) // bits read of the chain's characters
	if want := (have + 8*len(p)) / bits; len(c.chars) <= want {
		c.gather(min(want, have/bits+block) + 1)
	}
	n := min(len(p), (len(c.chars)*bits-have)/8)
	if n <= 0 {
		return 0, io.EOF
	}
	var acc uint64
	at := have / bits
	acc = uint64(c.a.digit[c.chars[at]])
	left := bits - have%bits
	for i := range n {
		for left < 8 {
			at++
			acc = acc<<bits | uint64(c.a.digit[c.chars[at]])
			left += bits
		}
		left -= 8
		p[i] = byte(acc >> left)
	}
	s.n += n
	return n, nil
}

// begin is where the byte behind the n-th begins, in the text.
func (s *source) begin(n int) int {
	if s.raw != nil {
		return s.at + n
	}
	char := (s.bit + 8*max(n-s.base, 0)) / s.chain.a.bits
	if char >= len(s.chain.chars) {
		return s.chain.to
	}
	start, _ := s.chain.place(char)
	return start
}

// end is where the n-th byte that was read ends, in the text.
func (s *source) end(n int) int {
	if s.raw != nil {
		return s.at + n
	}
	char := (s.bit + 8*max(n-s.base, 1) - 1) / s.chain.a.bits
	_, end := s.chain.place(min(char, len(s.chain.chars)-1))
	return end
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

// open reads a stream's header.
func (s *search) open(k packing) (io.Reader, error) {
	switch k {
	case packGzip:
		if err := skipGzipHeader(s.buffer); err != nil {
			return nil, err
		}
	case packZlib:
		if _, err := s.buffer.Discard(2); err != nil {
			return nil, err
		}
	case packZip:
		if err := skipZipHeader(s.buffer); err != nil {
			return nil, err
		}
	case packBzip2:
		return bzip2.NewReader(s.buffer), nil
	case packXz:
		s.xz = words{r: s.buffer}
		z, err := xz.NewReader(&s.xz, maxWindow)
		if err == nil {
			z.Multistream(false)
		}
		return z, err
	case packZstd:
		if s.zstd == nil {
			z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
			if err != nil {
				return nil, err
			}
			s.zstd = z
		}
		return s.zstd, s.zstd.Reset(s.buffer)
	case packNone:
	}
	if s.flate == nil {
		s.flate = flate.NewReader(s.buffer)
		return s.flate, nil
	}
	return s.flate, s.flate.(flate.Resetter).Reset(s.buffer, nil)
}

// skipGzipHeader reads the header of RFC 1952.
func skipGzipHeader(b *bufio.Reader) error {
	head, err := b.Peek(10)
	if err != nil {
		return err
	}
	flags := head[3]
	_, _ = b.Discard(10)
	if flags&4 != 0 { // extra
		size, err := b.Peek(2)
		if err != nil {
			return err
		}
		if _, err := b.Discard(2 + int(binary.LittleEndian.Uint16(size))); err != nil {
			return err
		}
	}
	for _, f := range [...]byte{8, 16} { // name, comment
		for n := 0; flags&f != 0; n++ {
			c, err := b.ReadByte()
			if err != nil {
				return err
			}
			if c == 0 {
				break
			}
			if n > maxGzipName {
				return errNoStream
			}
		}
	}
	if flags&2 != 0 { // checksum
		_, err = b.Discard(2)
	}
	return err
}

// skipZipHeader reads a local header.
func skipZipHeader(b *bufio.Reader) error {
	head, err := b.Peek(zipHeader)
	if err != nil {
		return err
	}
	_, err = b.Discard(zipHeader + int(binary.LittleEndian.Uint16(head[26:])) + int(binary.LittleEndian.Uint16(head[28:])))
	return err
}

// unpacking is a stream being decompressed.
type unpacking struct {
	s     *search
	k     packing
	r     io.Reader
	form  fingerprints.Form
	total int64
	whole bool // it was read to its end
	// chance: it broke so soon that it is taken for bytes that begin like a
	// stream by chance.
	chance bool
}

// run yields the stream's content and returns where the stream ends, 0 when
// there is none.
func (u *unpacking) run() int {
	s := u.s
	size := max(s.layer.Piece, 2*s.layer.Overlap, firstOut)
	out := s.out[:0]
	probed := false
	for {
		if cap(out) == len(out) {
			next := make([]byte, len(out), min(max(firstOut, 4*cap(out)), size))
			copy(next, out)
			out = next
			s.out = out
		}
		n, err := u.r.Read(out[len(out):min(cap(out), len(out)+64<<10)])
		out = out[:len(out)+n]
		u.total += int64(n)
		s.cost.Unpacked += int64(n)
		s.fuel -= int64(n)
		if !probed && (len(out) >= probeSize || err != nil) {
			if probed = true; !u.holds(out, err) {
				return 0
			}
		}
		why := u.why(err)
		if err != nil || why != "" {
			u.piece(out, why)
			u.whole = why == "" && !u.chance
			return s.source.end(u.read())
		}
		if len(out) == size {
			if !u.piece(out, "") || s.ctx.Err() != nil {
				return s.source.end(u.read())
			}
			out = out[:copy(out, out[len(out)-s.layer.Overlap:])]
		}
	}
}

// read is how many bytes of the source were used.
func (u *unpacking) read() int {
	n := u.s.source.n - u.s.buffer.Buffered()
	if u.k == packXz && u.s.xz.behind {
		n -= u.s.xz.n
	}
	return n
}

// words reads four bytes at a time, as xz is made of: its reader reads ahead
// and judges what follows a stream.
type words struct {
	r      *bufio.Reader
	word   [4]byte
	n      int
	left   []byte
	behind bool // the word before was the end of a stream's footer
}

// Read implements io.Reader.
func (w *words) Read(p []byte) (int, error) {
	if len(w.left) == 0 {
		w.behind = w.n == len(w.word) && string(w.word[2:]) == "YZ"
		n, err := io.ReadFull(w.r, w.word[:])
		if w.n = n; n == 0 {
			return 0, err
		}
		w.left = w.word[:n]
	}
	n := copy(p, w.left)
	w.left = w.left[n:]
	return n, nil
}

// holds judges by the first bytes that came out whether there is a stream.
func (u *unpacking) holds(out []byte, err error) bool {
	if len(out) == 0 {
		return false
	}
	if u.k != packZlib || len(out) >= probeSize {
		return true
	}
	var sum [4]byte
	if !errors.Is(err, io.EOF) {
		return false
	}
	_, err = io.ReadFull(u.s.buffer, sum[:])
	return err == nil && binary.BigEndian.Uint32(sum[:]) == adler32.Checksum(out)
}

// why says why the stream is not read on; empty when it is, or has ended.
func (u *unpacking) why(err error) string {
	switch {
	case u.s.fuel < 0:
		u.s.dry = true
		return "more compressed streams than the bound allows"
	case u.total > unpackSlack && u.total > unpackRatio*int64(u.read()):
		return "a compressed stream that expands too far"
	case err == nil || errors.Is(err, io.EOF):
		return ""
	case u.k == packXz && u.s.xz.behind && errors.Is(err, xz.ErrData), u.k == packBzip2 && errors.Is(err, bzip2.StructuralError("bad magic value in continuation file")), errors.Is(err, zstd.ErrMagicMismatch):
		return "" // something follows
	case u.s.layer.Depth > 0 && u.s.source.raw != nil && errors.Is(err, io.ErrUnexpectedEOF):
		return "" // a part of what was decoded; whoever decoded it reads all
	case u.total < u.k.tells() || u.read() < firstRead:
		u.chance = true
		return ""
	}
	return "a compressed stream that is damaged or cut off"
}

// piece yields what came out, all of it from the whole stretch so far.
func (u *unpacking) piece(out []byte, why string) bool {
	from, to := u.s.source.from, u.s.source.end(u.read())
	return u.s.emit(scanners.Text{
		Form: u.form, Data: out, Unread: why, Origin: func(int, int) (int, int) { return from, to },
	})
}
