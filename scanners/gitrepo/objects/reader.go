package objects

import (
	"bufio"
	"bytes"
	"errors"
	"hash"
	"io"
	"os"
	"strconv"

	"revenant/scanners/inflate"
)

// reader is what one goroutine needs to read objects.
type reader struct {
	s       *Store
	inf     *inflate.Decoder
	bufs    buffers
	scratch []byte // what was read of a file that is not mapped
	small   []byte // the same, for heads
	hash    hash.Hash
	sum     []byte
	head    []byte
	steps   int64 // deltas that were followed for single objects
}

func (s *Store) newReader() *reader {
	return &reader{s: s, inf: inflate.NewDecoder(), hash: s.set.format.newHash()}
}

// entryData inflates the entry at off into a buffer that the caller gives back,
// and checks it against its checksum, if it is told one. Nothing of the entry
// lies beyond next.
func (r *reader) entryData(p *pack, off, next int64, e entry, crc *uint32) (buf []byte, err error) {
	defer caught(&err)
	next = min(next, p.end)
	room := next - e.data
	if room <= 0 || e.size > inflate.MaxRatio*room {
		return nil, broken(ReasonSize)
	}
	if e.size > r.s.opts.Limits.Whole {
		return nil, ErrTooLarge
	}
	length := next - off
	if p.file.data == nil { // more than any compressor makes of it
		length = min(length, e.data-off+2*e.size+64<<10)
	}
	data, err := p.file.bytes(off, length+64, &r.scratch)
	if err != nil {
		return nil, &damage{reason: ReasonIO, err: err}
	}
	buf = r.bufs.get(int(e.size))
	skip := int(e.data - off)
	used, err := r.inf.Whole(buf, data[skip:], int(length)-skip)
	if err == nil && crc != nil && checksum(data[:skip+used]) != *crc {
		err = broken(ReasonChecksum)
	}
	p.file.touch(skip + used)
	if err != nil {
		r.bufs.put(buf)
		return nil, err
	}
	return buf, nil
}

// deltaHead reads the sizes that a delta begins with, of an entry that may be
// long.
func (r *reader) deltaHead(p *pack, e entry) (base, result int64, err error) {
	defer caught(&err)
	const enough = 320 // the sizes, and the longest match that may begin in them
	data, err := p.file.bytes(e.data, min(4<<10, p.file.size-e.data), &r.scratch)
	if err != nil {
		return 0, 0, &damage{reason: ReasonIO, err: err}
	}
	buf := r.bufs.get(int(min(e.size, enough)))
	defer r.bufs.put(buf)
	n, _, err := r.inf.AtMost(buf, data, int(min(int64(len(data)), p.end-e.data)))
	if n == 0 && err != nil {
		return 0, 0, err
	}
	base, result, _, err = deltaSizes(buf[:n])
	return base, result, err
}

// apply makes an object from its base and a delta. The buffer is the caller's.
func (r *reader) apply(base, delta []byte, pieces []Piece) ([]byte, []Piece, error) {
	from, size, n, err := deltaSizes(delta)
	switch {
	case err != nil:
		return nil, pieces, err
	case from != int64(len(base)):
		return nil, pieces, broken(ReasonDelta)
	case size > r.s.opts.Limits.Whole:
		return nil, pieces, ErrTooLarge
	case size > int64(len(delta)-n)*0xffffff:
		return nil, pieces, broken(ReasonDelta)
	}
	buf := r.bufs.get(int(size))
	pieces, err = applyDelta(buf, base, delta[n:], pieces)
	if err != nil {
		r.bufs.put(buf)
		return nil, pieces, err
	}
	return buf, pieces, nil
}

// is reports whether a content has the id.
func (r *reader) is(id ID, kind Kind, data []byte) bool {
	r.head = append(r.head[:0], kind.String()...)
	r.head = append(r.head, ' ')
	r.head = append(strconv.AppendInt(r.head, int64(len(data)), 10), 0)
	r.hash.Reset()
	r.hash.Write(r.head)
	r.hash.Write(data)
	r.sum = r.hash.Sum(r.sum[:0])
	return bytes.Equal(r.sum, id.Bytes())
}

// looseData reads a loose object whole and checks its id. The buffer is the
// caller's; data is a part of it.
func (r *reader) looseData(l looseDir, id ID) (kind Kind, data []byte, err error) {
	packed, err := r.readLoose(l, id)
	if err != nil {
		return 0, nil, err
	}
	guess := min(8*len(packed)+looseHead, 1<<20)
	for {
		buf := r.bufs.get(guess)
		n, _, err := r.inf.AtMost(buf, packed, len(packed))
		kind, size, start, headErr := parseLoose(buf[:n])
		switch {
		case err != nil && !errors.Is(err, inflate.ErrLong):
		case headErr != nil:
			err = headErr
		case size > inflate.MaxRatio*int64(len(packed)):
			err = broken(ReasonSize)
		case size > r.s.opts.Limits.Whole:
			err = ErrTooLarge
		case err != nil && int64(guess) < size+int64(start): // now it is known how much it is
			r.bufs.put(buf)
			guess = int(size) + start
			continue
		case err == nil && int64(n-start) != size:
			err = inflate.ErrLess
		case err == nil:
			data = buf[start:n]
			if r.is(id, kind, data) {
				return kind, data, nil
			}
			err = broken(ReasonID)
		}
		r.bufs.put(buf)
		return kind, nil, err
	}
}

// readLoose reads the file of a loose object that can be held in memory.
func (r *reader) readLoose(l looseDir, id ID) ([]byte, error) {
	f, err := openFile(l.path(id), AccessRead)
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil, ErrMissing
		}
		return nil, &damage{reason: ReasonIO, err: err}
	}
	defer f.close()
	if f.size > r.s.opts.Limits.Whole {
		return nil, ErrTooLarge
	}
	data, err := f.bytes(0, f.size, &r.scratch)
	if err != nil {
		return nil, &damage{reason: ReasonIO, err: err}
	}
	return data, nil
}

// stream reads the object at off, which is no delta, bit by bit.
func (r *reader) stream(p *pack, e entry, next int64, id ID) (s *stream, err error) {
	defer caught(&err)
	if e.size > inflate.MaxRatio*(min(next, p.end)-e.data) {
		return nil, broken(ReasonSize)
	}
	z, err := inflate.NewZlib(bufio.NewReader(p.file.reader(e.data, min(next, p.end))))
	if err != nil {
		return nil, &damage{reason: ReasonStream, err: err}
	}
	s = &stream{kind: e.kind, size: e.size, r: &exact{r: z, left: e.size}, c: closer(func() {})}
	return s.verified(r.s.set.format, id), nil
}

// verified makes a stream check its id.
func (s *stream) verified(format Format, id ID) *stream {
	h := format.newHash()
	h.Write(strconv.AppendInt([]byte(s.kind.String()+" "), s.size, 10))
	h.Write([]byte{0})
	s.r = &hashing{r: s.r, h: h, id: id}
	return s
}

func (s *stream) Read(p []byte) (int, error) { return s.r.Read(p) }

func (s *stream) Close() error { return s.c.Close() }

// hashing fails at the end of a content that has another id.
type hashing struct {
	r  io.Reader
	h  hash.Hash
	id ID
}

func (h *hashing) Read(p []byte) (int, error) {
	n, err := h.r.Read(p)
	h.h.Write(p[:n])
	if errors.Is(err, io.EOF) && !bytes.Equal(h.h.Sum(nil), h.id.Bytes()) {
		return n, broken(ReasonID)
	}
	return n, err
}
