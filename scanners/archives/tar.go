package archives

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"strconv"
)

const tarBlock = 512

// isTarHeader reports whether a block is a header: its checksum is right.
func isTarHeader(block []byte) bool {
	if len(block) < tarBlock || block[0] == 0 {
		return false
	}
	field := bytes.Trim(block[148:156], " \x00")
	want, err := strconv.ParseInt(string(field), 8, 64)
	if err != nil || len(field) == 0 {
		return false
	}
	var unsigned, signed int64
	for i, c := range block[:tarBlock] {
		if i >= 148 && i < 156 {
			c = ' '
		}
		unsigned += int64(c)
		signed += int64(int8(c))
	}
	return want == unsigned || want == signed
}

// tar visits a tar's members, also of those that follow in the same file and
// behind a damaged place.
func (e *container) tar(ctx context.Context) error {
	for at := int64(0); ; {
		in := &counted{r: io.NewSectionReader(e.at, at, e.size-at)}
		goOn, damaged, err := e.tarFrom(ctx, in, at)
		if err != nil || !goOn {
			return err
		}
		if damaged {
			e.w.skip(e.content.Path, errDamaged.Error())
		}
		at += max(in.n, tarBlock) / tarBlock * tarBlock
		if at, goOn = e.nextTar(ctx, at); !goOn {
			return ctx.Err()
		}
	}
}

// tarFrom visits the members up to an end mark or a damaged place.
func (e *container) tarFrom(ctx context.Context, in *counted, base int64) (goOn, damaged bool, err error) {
	t := tar.NewReader(in)
	for {
		h, err := t.Next()
		if h == nil || err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			return true, !errors.Is(err, io.EOF), nil
		}
		f := file{name: h.Name, r: t, in: &in.n}
		f.at.start = base + in.n
		f.at.end = f.at.start + max(h.Size, 0)
		if sparse(h) || !hasContent(h) { // its data has no place of its own, or it has none
			f.at = extent{}
		}
		goOn, err := e.member(ctx, f)
		if err != nil || !goOn {
			return false, false, err
		}
	}
}

// hasContent reports whether a content follows, whatever the size says.
func hasContent(h *tar.Header) bool {
	switch h.Typeflag {
	case tar.TypeLink, tar.TypeSymlink, tar.TypeChar, tar.TypeBlock, tar.TypeDir, tar.TypeFifo:
		return false
	}
	return true
}

func sparse(h *tar.Header) bool {
	if h.Typeflag == tar.TypeGNUSparse {
		return true
	}
	_, major := h.PAXRecords["GNU.sparse.major"]
	_, pax := h.PAXRecords["GNU.sparse.map"]
	_, size := h.PAXRecords["GNU.sparse.size"]
	_, real := h.PAXRecords["GNU.sparse.realsize"]
	return major || pax || size || real
}

// nextTar looks for the next header from a block on.
func (e *container) nextTar(ctx context.Context, at int64) (int64, bool) {
	buf := make([]byte, 128*tarBlock)
	for at+tarBlock <= e.size && ctx.Err() == nil {
		n, _ := e.at.ReadAt(buf[:min(int64(len(buf)), e.size-at)], at)
		if n < tarBlock {
			return 0, false
		}
		for i := 0; i+tarBlock <= n; i += tarBlock {
			if isTarHeader(buf[i : i+tarBlock]) {
				return at + int64(i), true
			}
		}
		at += int64(n / tarBlock * tarBlock)
	}
	return 0, false
}

// arHeader is the length of a member's header in an ar file.
const arHeader = 60

// ar visits the members of a static library or a Debian package.
func (e *container) ar(ctx context.Context) error {
	head := make([]byte, arHeader)
	for at := int64(8); at < e.size; {
		if n, _ := e.at.ReadAt(head, at); n < arHeader || string(head[58:]) != "`\n" {
			e.w.skip(e.content.Path, errDamaged.Error())
			return nil
		}
		size, err := strconv.ParseInt(string(bytes.TrimRight(head[48:58], " ")), 10, 64)
		if err != nil || size < 0 {
			e.w.skip(e.content.Path, errDamaged.Error())
			return nil
		}
		at += arHeader
		name := string(bytes.TrimRight(bytes.TrimRight(head[:16], " "), "/"))
		f := file{name: name, r: io.NewSectionReader(e.at, at, min(size, e.size-at)), at: extent{at, min(at+size, e.size)}}
		if name == "" {
			f.name = "symbols"
		}
		goOn, err := e.member(ctx, f)
		if err != nil || !goOn {
			return err
		}
		if at += size + size&1; at > e.size+1 {
			e.w.skip(e.content.Path, errDamaged.Error())
		}
	}
	return nil
}
