package archives

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"io"
)

// Redis' dumps (RDB), from Redis' rdb.c and lzf_d.c: long strings in them are compressed
// by LZF, which breaks what stands in them every 32 bytes. Everything else is searched as
// it stands, so that nothing needs to be known of what values are made of.
const (
	redisMagic = "REDIS0"
	redisLZF   = 0xc3 // a string in LZF: its lengths, compressed and not, and its bytes
	// likelyLZF is how much of one is unpacked before all of it is read.
	likelyLZF = 1 << 10
	// redisName is how much of what stands before a string is shown with it.
	redisName = 64
)

// redis shows the strings that are compressed, a line for each.
func (e *container) redis(ctx context.Context) error {
	s := &lzfStrings{e: e, b: bufio.NewReaderSize(io.NewSectionReader(e.at, 0, e.size), 64<<10), waste: valueWaste + 8*e.size}
	return e.values(ctx, "string", func(o *outbox) error { return s.all(ctx, o) }, &s.long)
}

// lzfStrings looks for compressed strings in a dump.
type lzfStrings struct {
	e      *container
	b      *bufio.Reader
	at     int64  // how much of the dump was looked through
	name   []byte // what stands before the place
	packed []byte
	out    []byte
	waste  int64 // that may still be
	long   bool
}

func (s *lzfStrings) all(ctx context.Context, o *outbox) error {
	for ctx.Err() == nil {
		window, _ := s.b.Peek(max(1, s.b.Buffered())) // no more is read while there is some: what is left would be moved
		if len(window) == 0 {
			return o.flush()
		}
		i := bytes.IndexByte(window, redisLZF)
		if i < 0 {
			i = len(window)
		}
		s.pass(window[:i])
		if i == len(window) {
			continue
		}
		n := s.string()
		if n == 0 {
			if s.waste < 0 {
				_ = o.flush()
				return errBytes
			}
			s.pass([]byte{redisLZF})
			continue
		}
		for _, part := range [][]byte{printable(s.name), []byte("="), s.out, []byte("\n")} {
			if _, err := o.Write(part); err != nil {
				return err
			}
		}
		s.skip(n)
		s.name = s.name[:0]
	}
	return ctx.Err()
}

// pass goes over what is no compressed string.
func (s *lzfStrings) pass(b []byte) {
	s.name = append(s.name, b[max(0, len(b)-redisName):]...)
	s.name = s.name[max(0, len(s.name)-redisName):]
	s.skip(len(b))
}

func (s *lzfStrings) skip(n int) {
	for left := n; left > 0; {
		some, err := s.b.Discard(left)
		if left -= some; err != nil {
			break
		}
	}
	s.at += int64(n)
}

// string unpacks the string at the place, and returns how long it is in the dump; 0 where
// there is none.
func (s *lzfStrings) string() int {
	const head = 1 + 2*9
	lengths, _ := s.b.Peek(head)
	packed, n := redisLength(lengths[1:])
	size, m := redisLength(lengths[min(1+n, len(lengths)):])
	const most = 100 // three bytes are 264 at the best
	if n == 0 || m == 0 || packed >= size || size > most*packed {
		return 0
	}
	before := 1 + n + m
	probe, _ := s.b.Peek(before + int(min(packed, likelyLZF)))
	probe = probe[min(before, len(probe)):]
	s.waste -= int64(len(probe))
	if s.out = unLZF(s.out[:0], probe, size); int64(len(probe)) == packed {
		if int64(len(s.out)) == size {
			s.waste += packed
			return before + int(packed)
		}
		return 0
	}
	if len(s.out) == 0 || len(probe) < likelyLZF {
		return 0
	}
	if size > longestValue {
		s.long = true
		return 0
	}
	if int64(cap(s.packed)) < packed {
		s.packed = make([]byte, packed)
	}
	s.waste -= packed
	if got, _ := s.e.at.ReadAt(s.packed[:packed], s.at+int64(before)); int64(got) < packed {
		return 0
	}
	if s.out = unLZF(s.out[:0], s.packed[:packed], size); int64(len(s.out)) != size {
		return 0
	}
	s.waste += packed
	return before + int(packed)
}

// redisLength reads a length, and returns how many bytes it takes; 0 where there is none.
func redisLength(b []byte) (length int64, n int) {
	if len(b) < 9 {
		b = append(b[:len(b):len(b)], make([]byte, 9-len(b))...)
	}
	switch {
	case b[0]>>6 == 0:
		return int64(b[0]), 1
	case b[0]>>6 == 1:
		return int64(b[0]&0x3f)<<8 | int64(b[1]), 2
	case b[0] == 0x80:
		return int64(binary.BigEndian.Uint32(b[1:])), 5
	}
	return 0, 0 // none is so long that its length takes eight bytes
}

// unLZF appends what bytes in LZF stand for, up to so much; nothing where they are none.
// What breaks off in the middle is no fault.
func unLZF(out, in []byte, most int64) []byte {
	for i := 0; i < len(in); {
		c := int(in[i])
		i++
		if c < 32 {
			n := min(c+1, len(in)-i)
			if int64(len(out)+n) > most {
				return out[:0]
			}
			out = append(out, in[i:i+n]...)
			i += n
			continue
		}
		n := c >> 5
		if n == 7 && i < len(in) {
			n += int(in[i])
			i++
		}
		if i == len(in) {
			break
		}
		back := (c&0x1f)<<8 + int(in[i]) + 1
		i++
		if n += 2; back > len(out) || int64(len(out)+n) > most {
			return out[:0]
		}
		out = appendBack(out, back, n)
	}
	return out
}

// printable is the end of b that is ASCII and prints: a name.
func printable(b []byte) []byte {
	from := len(b)
	for from > 0 && b[from-1] > ' ' && b[from-1] < 0x7f {
		from--
	}
	return b[from:]
}
