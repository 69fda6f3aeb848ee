package archives

import (
	"bytes"
	"encoding/binary"
	"io"

	"github.com/ulikunitz/xz/lzma"
)

// Property ids of a 7z header, from 7zFormat.txt.
const (
	id7zEnd       = 0x00
	id7zHeader    = 0x01
	id7zMain      = 0x04
	id7zFiles     = 0x05
	id7zPack      = 0x06
	id7zUnpack    = 0x07
	id7zSub       = 0x08
	id7zSize      = 0x09
	id7zCRC       = 0x0a
	id7zFolder    = 0x0b
	id7zSizes     = 0x0c
	id7zStreams   = 0x0d
	id7zEncoded   = 0x17
	start7z       = 32
	maxHeader7z   = 16 << 20
	coderCopy     = "\x00"
	coderLZMA     = "\x03\x01\x01"
	coderLZMA2    = "\x21"
	coderAES      = "\x06\xf1\x07\x01"
	maxFiles7z    = 1 << 18
	maxCoders7z   = 32
	maxStreams7z  = 32
	lzmaPropsSize = 5
)

// judge7z reads a 7z's header as far as its counts go: none may be larger than
// the header that claims it, and no dictionary than maxWindow.
func judge7z(at io.ReaderAt, size int64) error {
	head := make([]byte, start7z)
	if n, _ := at.ReadAt(head, 0); n < start7z {
		return errDamaged
	}
	offset, length := binary.LittleEndian.Uint64(head[12:]), binary.LittleEndian.Uint64(head[20:])
	if length > maxHeader7z || offset > uint64(size) || offset+length > uint64(size) {
		return errDamaged
	}
	header := make([]byte, length)
	if n, _ := at.ReadAt(header, start7z+int64(offset)); n < len(header) {
		return errDamaged
	}
	for range 4 { // an encoded header may hold another
		h := &header7z{b: header}
		switch h.byte() {
		case id7zHeader:
			h.main()
			return h.err
		case id7zEncoded:
			h.streams()
			if h.err != nil {
				return h.err
			}
			if header = h.decode(at, size); h.err != nil {
				return h.err
			}
		default:
			if length == 0 {
				return nil
			}
			return errDamaged
		}
	}
	return errDamaged
}

// header7z is a cursor over a header. After an error it reads zeros.
type header7z struct {
	b   []byte
	err error

	packPos  uint64
	packSize []uint64
	folders  []folder7z
}

type folder7z struct {
	coders []string
	props  [][]byte
	out    uint64
	sizes  []uint64
	crc    bool
	files  uint64
}

func (h *header7z) fail(err error) {
	if h.err == nil {
		h.err = err
	}
	h.b = nil
}

func (h *header7z) take(n uint64) []byte {
	if n > uint64(len(h.b)) {
		h.fail(errDamaged)
		return nil
	}
	out := h.b[:n]
	h.b = h.b[n:]
	return out
}

func (h *header7z) byte() byte {
	if b := h.take(1); len(b) == 1 {
		return b[0]
	}
	return 0
}

// number reads a number of one to nine bytes.
func (h *header7z) number() uint64 {
	first := h.byte()
	var v uint64
	mask := byte(0x80)
	for i := range 8 {
		if first&mask == 0 {
			return v | uint64(first&(mask-1))<<(8*i)
		}
		v |= uint64(h.byte()) << (8 * i)
		mask >>= 1
	}
	return v
}

// count reads how many things follow; all but one take a byte at least.
func (h *header7z) count(most uint64) uint64 {
	n := h.number()
	if n > most || n > uint64(len(h.b))+1 {
		h.fail(errDamaged)
		return 0
	}
	return n
}

func (h *header7z) main() {
	id := h.byte()
	if id == id7zMain {
		h.streams()
		id = h.byte()
	}
	switch {
	case id == id7zFiles:
		h.count(maxFiles7z)
	case id != id7zEnd: // what no writer writes
		h.fail(errUnsupported)
	}
}

func (h *header7z) streams() {
	for h.err == nil {
		switch h.byte() {
		case id7zPack:
			h.pack()
		case id7zUnpack:
			h.unpack()
		case id7zSub:
			h.sub()
		case id7zEnd:
			return
		default:
			h.fail(errDamaged)
		}
	}
}

func (h *header7z) pack() {
	h.packPos = h.number()
	n := h.count(maxHeader7z)
	for h.err == nil {
		switch h.byte() {
		case id7zSize:
			h.packSize = make([]uint64, 0, n)
			for range n {
				h.packSize = append(h.packSize, h.number())
			}
		case id7zCRC:
			h.digests(n)
		case id7zEnd:
			return
		default:
			h.fail(errDamaged)
		}
	}
}

// digests reads which of n things have a checksum, and the checksums.
func (h *header7z) digests(n uint64) []bool {
	defined := make([]bool, n)
	have := n
	if h.byte() == 0 {
		have = 0
		bits := h.take((n + 7) / 8)
		for i := range defined {
			if bits != nil && bits[i/8]&(0x80>>(i%8)) != 0 {
				defined[i] = true
				have++
			}
		}
	} else {
		for i := range defined {
			defined[i] = true
		}
	}
	h.take(4 * have)
	return defined
}

func (h *header7z) unpack() {
	if h.byte() != id7zFolder {
		h.fail(errDamaged)
	}
	n := h.count(maxHeader7z)
	if h.byte() != 0 {
		h.fail(errUnsupported)
	}
	for i := uint64(0); i < n && h.err == nil; i++ {
		h.folders = append(h.folders, h.folder())
	}
	if h.byte() != id7zSizes {
		h.fail(errDamaged)
	}
	for i := range h.folders {
		for range h.folders[i].out {
			h.folders[i].sizes = append(h.folders[i].sizes, h.number())
		}
	}
	id := h.byte()
	if id == id7zCRC {
		for i, d := range h.digests(uint64(len(h.folders))) {
			h.folders[i].crc = d
		}
		id = h.byte()
	}
	if id != id7zEnd {
		h.fail(errDamaged)
	}
}

func (h *header7z) folder() folder7z {
	f := folder7z{files: 1}
	var in, window uint64
	for range h.count(maxCoders7z) {
		flags := h.byte()
		id := string(h.take(uint64(flags & 0x0f)))
		ins, outs := uint64(1), uint64(1)
		if flags&0x10 != 0 {
			ins, outs = h.count(maxStreams7z), h.count(maxStreams7z)
		}
		var props []byte
		if flags&0x20 != 0 {
			props = h.take(h.number())
		}
		in, f.out = in+ins, f.out+outs
		f.coders, f.props = append(f.coders, id), append(f.props, props)
		if id == coderAES {
			h.fail(errEncrypted)
		}
		window += dictionary(id, props)
	}
	if window > maxWindow {
		h.fail(errUnsupported)
	}
	if f.out == 0 || in < f.out-1 {
		h.fail(errDamaged)
		return f
	}
	for range 2 * (f.out - 1) {
		h.number()
	}
	if packed := in - (f.out - 1); packed > 1 {
		for range packed {
			h.number()
		}
	}
	return f
}

// dictionary is how much memory a coder asks for.
func dictionary(id string, props []byte) uint64 {
	switch {
	case id == coderLZMA && len(props) == lzmaPropsSize:
		return uint64(binary.LittleEndian.Uint32(props[1:]))
	case id == coderLZMA2 && len(props) == 1:
		return uint64(2|props[0]&1) << (min(props[0], 40)/2 + 11)
	}
	return 0
}

func (h *header7z) sub() {
	id := h.byte()
	if id == id7zStreams {
		for i := range h.folders {
			h.folders[i].files = h.count(maxHeader7z)
		}
		id = h.byte()
	}
	var files, digests uint64
	for _, f := range h.folders {
		files += f.files
		if f.files != 1 || !f.crc {
			digests += f.files
		}
	}
	if files > maxFiles7z {
		h.fail(errDamaged)
		return
	}
	if id == id7zSize {
		for _, f := range h.folders {
			for i := uint64(1); i < f.files && h.err == nil; i++ {
				h.number()
			}
		}
		id = h.byte()
	}
	if id == id7zCRC && h.err == nil {
		h.digests(digests)
		id = h.byte()
	}
	if id != id7zEnd {
		h.fail(errDamaged)
	}
}

// decode unpacks an encoded header.
func (h *header7z) decode(at io.ReaderAt, size int64) []byte {
	if len(h.folders) != 1 || len(h.packSize) == 0 || len(h.folders[0].coders) != 1 || len(h.folders[0].sizes) != 1 {
		h.fail(errUnsupported)
		return nil
	}
	f := h.folders[0]
	if h.packPos > uint64(size) || h.packSize[0] > uint64(size) || f.sizes[0] > maxHeader7z {
		h.fail(errDamaged)
		return nil
	}
	var r io.Reader = io.NewSectionReader(at, start7z+int64(h.packPos), int64(h.packSize[0]))
	switch {
	case f.coders[0] == coderCopy:
	case f.coders[0] == coderLZMA && len(f.props[0]) == lzmaPropsSize:
		classic := binary.LittleEndian.AppendUint64(bytes.Clone(f.props[0]), f.sizes[0])
		z, err := lzma.NewReader(io.MultiReader(bytes.NewReader(classic), r))
		if err != nil {
			h.fail(errDamaged)
			return nil
		}
		r = z
	case f.coders[0] == coderLZMA2 && len(f.props[0]) == 1:
		z, err := lzma.Reader2Config{DictCap: int(max(dictionary(coderLZMA2, f.props[0]), lzma.MinDictCap))}.NewReader2(r)
		if err != nil {
			h.fail(errDamaged)
			return nil
		}
		r = z
	default:
		h.fail(errUnsupported)
		return nil
	}
	out := make([]byte, f.sizes[0])
	if _, err := io.ReadFull(r, out); err != nil {
		h.fail(errDamaged)
		return nil
	}
	return out
}
