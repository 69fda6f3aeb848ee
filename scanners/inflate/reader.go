package inflate

import (
	"bufio"
	"errors"
	"io"
)

const (
	window = 32 << 10 // a distance reaches no further

	// What a reader keeps of what came out: little at first, since most streams
	// are small, and at most so much that moving the window costs little.
	firstKept = 4 << 10
	mostKept  = 128 << 10

	// LeastBuffer is how much the bufio.Reader of a [Reader] must hold: more than the
	// longest head of a block.
	LeastBuffer = 1 << 10
)

// Reader decodes a bare deflate stream. It takes from its source what belongs
// to the stream and nothing else, and asks for more only when it can go on in
// no other way. The zero value is ready for Reset. It serves one goroutine.
type Reader struct {
	d      decoder
	src    *bufio.Reader
	given  int // of d.out
	ended  bool
	err    error
	wanted int // bytes that the next step needs at least
}

// NewReader makes a reader of what src holds, which has a buffer of [LeastBuffer]
// bytes or more: anything less is the caller's mistake, and panics.
func NewReader(src *bufio.Reader) *Reader {
	r := &Reader{}
	r.Reset(src)
	return r
}

// Reset makes the reader begin another stream, with the memory that it has.
func (r *Reader) Reset(src *bufio.Reader) {
	if src.Size() < LeastBuffer {
		panic("inflate: the source's buffer is too small")
	}
	if r.d.out == nil {
		r.d = newDecoder()
		r.d.out = make([]byte, firstKept)
	}
	r.d.begin()
	r.d.at, r.given, r.ended, r.err, r.wanted, r.src = 0, 0, false, nil, 0, src
}

// Read implements io.Reader.
func (r *Reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for r.given == r.d.at {
		if r.err != nil {
			return 0, r.err
		}
		r.more()
	}
	n := copy(p, r.d.out[r.given:r.d.at])
	r.given += n
	return n, nil
}

// more decodes what the source has at hand.
func (r *Reader) more() {
	r.room()
	f := &r.d
	in, err := r.src.Peek(max(r.src.Buffered(), r.wanted))
	if len(in) < r.wanted {
		r.err = short(err)
		return
	}
	f.in, f.pos, f.limit = in, 0, len(in)
	done, err := f.run()
	f.in = nil
	_, _ = r.src.Discard(f.pos)
	switch {
	case done:
		r.err = io.EOF
	case errors.Is(err, ErrShort): // what came out is given before anything is waited for
		r.wanted = len(in) - f.pos + 1
		return
	default:
		r.err = err
	}
	r.wanted = 0
}

// short is the error for a source that ends too early.
func short(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// room makes room for what comes out.
func (r *Reader) room() {
	f := &r.d
	if have := len(f.out) - Slack; f.at >= have/2 && len(f.out) < mostKept {
		grown := make([]byte, min(4*len(f.out), mostKept))
		copy(grown, f.out[:f.at])
		f.out = grown
	} else if f.at >= have-window/2 && f.at > window {
		copy(f.out, f.out[f.at-window:f.at])
		f.at = window
		r.given = window
	}
	f.size = len(f.out) - Slack
	f.stop, f.most = f.size, len(f.out)
}
