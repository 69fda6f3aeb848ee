package views

import (
	"bufio"
	"encoding/binary"
	"errors"
	"hash/adler32"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/therootcompany/xz"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/bunzip2"
)

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
	if u.k == packBare {
		return bareText(out)
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
	case u.k == packXz && u.s.xz.behind && errors.Is(err, xz.ErrData), u.k == packBzip2 && errors.Is(err, bunzip2.ErrTrailing), errors.Is(err, zstd.ErrMagicMismatch),
		u.k == packLz4 && u.total > 0 && errors.Is(err, lz4.ErrInvalidFrame):
		return "" // something follows
	case u.s.layer.Depth > 0 && u.s.source.raw != nil && errors.Is(err, io.ErrUnexpectedEOF):
		return "" // a part of what was decoded; whoever decoded it reads all
	case u.total < u.k.tells() || u.read() < firstRead, u.k == packZlib && u.total <= int64(u.read()) && !errors.Is(err, io.ErrUnexpectedEOF):
		// What is stored and not compressed stands in the text as it is: programs have
		// numbers that look like the beginning of it.
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
