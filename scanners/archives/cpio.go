package archives

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"strconv"
)

// cpio archives, as in initial ramdisks and RPM packages: headers in ASCII, from
// cpio(5).
const (
	cpioNew    = "070701"
	cpioSummed = "070702"
	cpioOld    = "070707"
	cpioEnd    = "TRAILER!!!"
)

// cpioHeader is a member's header.
type cpioHeader struct {
	name string
	data int64 // where the data begins
	size int64
	next int64 // where the next header begins
}

// readCpio reads the header at a place; ok is false where there is none.
func (e *container) readCpio(pos int64) (h cpioHeader, ok bool) {
	head := make([]byte, 110)
	n, _ := e.at.ReadAt(head, pos)
	head = head[:n]
	var name int64
	length, align := int64(110), int64(4)
	switch {
	case len(head) == 110 && (string(head[:6]) == cpioNew || string(head[:6]) == cpioSummed):
		h.size, name = number(head[54:62], 16), number(head[94:102], 16)
	case len(head) >= 76 && string(head[:6]) == cpioOld:
		length, align = 76, 1
		name, h.size = number(head[59:65], 8), number(head[65:76], 8)
	default:
		return h, false
	}
	if name <= 0 || h.size < 0 || name > 64<<10 {
		return h, false
	}
	up := func(n int64) int64 { return (n + align - 1) / align * align }
	text := make([]byte, name)
	n, _ = e.at.ReadAt(text, pos+length)
	h.name = string(bytes.TrimRight(text[:n], "\x00"))
	h.data = pos + up(length+name)
	h.next = h.data + up(h.size)
	return h, true
}

func number(b []byte, base int) int64 {
	n, err := strconv.ParseInt(string(b), base, 64)
	if err != nil {
		return -1
	}
	return n
}

// cpio visits the members. A ramdisk is several archives behind each other, the
// later ones often compressed: what follows the last is a member too.
func (e *container) cpio(ctx context.Context) error {
	for pos := int64(0); ; {
		h, ok := e.readCpio(pos)
		if !ok {
			e.w.skip(e.content.Path, errDamaged.Error())
			return nil
		}
		if h.name == cpioEnd && h.size == 0 {
			if pos, ok = e.pastZeros(ctx, h.next); !ok {
				return ctx.Err()
			}
			if _, more := e.readCpio(pos); more {
				continue
			}
			end := extent{pos, e.size}
			_, err := e.member(ctx, file{name: "rest", r: io.NewSectionReader(e.at, pos, e.size-pos), at: end})
			return err
		}
		end := min(h.data+h.size, e.size)
		f := file{name: h.name, r: io.NewSectionReader(e.at, h.data, max(end-h.data, 0)), at: extent{h.data, end}}
		if end < h.data+h.size {
			f.done = func() error { return errDamaged }
		}
		if goOn, err := e.member(ctx, f); err != nil || !goOn {
			return err
		}
		pos = h.next
	}
}

// pastZeros is where something begins again.
func (e *container) pastZeros(ctx context.Context, pos int64) (int64, bool) {
	buf := make([]byte, 32<<10)
	for pos < e.size && ctx.Err() == nil {
		n, _ := e.at.ReadAt(buf[:min(int64(len(buf)), e.size-pos)], pos)
		if rest := bytes.TrimLeft(buf[:n], "\x00"); len(rest) > 0 {
			return pos + int64(n-len(rest)), true
		}
		if n == 0 {
			return 0, false
		}
		pos += int64(n)
	}
	return 0, false
}

// RPM packages, from the RPM file format: a lead, two headers, a compressed cpio.
const (
	rpmMagic  = "\xed\xab\xee\xdb"
	rpmHeader = "\x8e\xad\xe8\x01"
	rpmLead   = 96
)

// rpm visits the payload of a package.
func (e *container) rpm(ctx context.Context) error {
	pos := int64(rpmLead)
	for i := range 2 {
		head := make([]byte, 16)
		if n, _ := e.at.ReadAt(head, pos); n < len(head) || string(head[:4]) != rpmHeader {
			e.w.skip(e.content.Path, errDamaged.Error())
			return nil
		}
		pos += 16 + 16*int64(binary.BigEndian.Uint32(head[8:])) + int64(binary.BigEndian.Uint32(head[12:]))
		if i == 0 { // the signatures are padded
			pos = (pos + 7) / 8 * 8
		}
	}
	if pos >= e.size {
		e.w.skip(e.content.Path, errDamaged.Error())
		return nil
	}
	f := file{name: "payload.cpio", r: io.NewSectionReader(e.at, pos, e.size-pos), at: extent{pos, e.size}}
	head := make([]byte, headSize)
	n, _ := e.at.ReadAt(head, pos)
	f.name += detect(head[:n]).suffix()
	_, err := e.member(ctx, f)
	return err
}

// suffix is what files of a format that holds one content are usually called.
func (k kind) suffix() string {
	switch {
	case k == kindGzip:
		return ".gz"
	case k == kindBzip2:
		return ".bz2"
	case k == kindXz:
		return ".xz"
	case k == kindZstd:
		return ".zst"
	case k == kindLzma:
		return ".lzma"
	}
	return ""
}
