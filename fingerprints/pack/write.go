package pack

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"
	"slices"

	"revenant/fingerprints/anchor"
	"revenant/fingerprints/keys"
)

// minLogWords keeps the filters of small packs sparse at no cost.
const minLogWords = 9

// WriteTo writes the sealed and signed pack. The builder is spent afterwards.
func (b *Builder) WriteTo(w io.Writer) (int64, error) {
	b.finish()
	h := &b.header
	key, err := b.ks.Key(h.Audience, keys.PurposePack, h.KeyEpoch)
	if err != nil {
		return 0, fmt.Errorf("writing a pack: %w", err)
	}
	aead, err := segmentCipher(key, h.salt)
	if err != nil {
		return 0, fmt.Errorf("writing a pack: %w", err)
	}
	s := &segmentWriter{framing: newFraming(aead, h), w: w, plain: make([]byte, 0, segmentLen)}
	raw := h.marshal()
	sum := sha256.Sum256(raw)
	s.emit(raw)
	s.emit(sum[:])
	b.writeHot(s)
	s.flush()
	for _, c := range append(b.labels.full, b.labels.last) {
		s.write(c)
	}
	s.flush()
	s.emit(s.digests)
	s.emit(b.ks.Sign(keys.PurposeSignPack, signed(raw, s.digests)))
	if s.err != nil {
		return s.written, fmt.Errorf("writing a pack: %w", s.err)
	}
	return s.written, nil
}

// finish sorts everything and completes the header.
func (b *Builder) finish() {
	h := &b.header
	if h.Registered == 0 {
		h.Registered = b.given
	}
	slices.SortFunc(b.epochs, func(x, y epochRows) int { return cmp.Compare(x.epoch, y.epoch) })
	for _, e := range b.epochs {
		slices.SortFunc(e.rows, compareRows)
		h.Epochs = append(h.Epochs, e.epoch)
		h.rows = append(h.rows, len(e.rows))
	}
	slices.SortFunc(b.tables, func(x, y *tableRows) int {
		return cmp.Or(cmp.Compare(x.shape.gen, y.shape.gen),
			cmp.Compare(codeOf(geometries(), x.shape.geometry), codeOf(geometries(), y.shape.geometry)))
	})
	for _, t := range b.tables {
		t.single, t.spread = distinct(t.single), distinct(t.spread)
		t.shape.single, t.shape.spread = len(t.single), len(t.spread)
		t.shape.logWords = logWordsFor(len(t.windows))
		h.tables = append(h.tables, t.shape)
	}
	h.labels = b.labels.size
}

// logWordsFor gives 8 bits an entry, in a power of two of 64-bit words.
func logWordsFor(windows int) uint {
	words := (windows + 7) / 8
	return max(minLogWords, uint(bits.Len(uint(max(words, 1)-1))))
}

func compareRows(x, y row) int {
	if c := cmp.Compare(binary.BigEndian.Uint64(x.mac[:]), binary.BigEndian.Uint64(y.mac[:])); c != 0 {
		return c
	}
	return cmp.Or(bytes.Compare(x.mac[:], y.mac[:]), bytes.Compare(x.id[:], y.id[:]))
}

// distinct sorts candidates by tag and drops repeats: versions that share a
// value share its candidate.
func distinct(tags []tag) []tag {
	slices.SortFunc(tags, func(x, y tag) int {
		if c := cmp.Compare(x.tag, y.tag); c != 0 {
			return c
		}
		return cmp.Or(cmp.Compare(x.offset, y.offset), cmp.Compare(x.length, y.length),
			cmp.Compare(x.epoch, y.epoch), cmp.Compare(x.kind, y.kind),
			cmp.Compare(x.others[0], y.others[0]), cmp.Compare(x.others[1], y.others[1]))
	})
	return slices.Compact(tags)
}

// writeHot writes what opening reads, in the order of the header.
func (b *Builder) writeHot(s *segmentWriter) {
	buf := make([]byte, 0, spreadLen+rowLen)
	for _, t := range b.tables {
		filter := make([]uint64, 1<<t.shape.logWords)
		for _, h := range t.windows {
			word, mask := anchor.Place(h, t.shape.logWords)
			filter[word] |= mask
		}
		for _, w := range filter {
			s.write(binary.LittleEndian.AppendUint64(buf[:0], w))
		}
		for _, l := range []struct {
			tags []tag
			size int
		}{{t.single, tagLen}, {t.spread, spreadLen}} {
			writeDirectory(s, len(l.tags), func(i int) uint64 { return l.tags[i].tag })
			for _, x := range l.tags {
				s.write(b.appendTag(buf[:0], x)[:l.size])
			}
		}
	}
	for _, e := range b.epochs {
		writeDirectory(s, len(e.rows), func(i int) uint64 { return binary.BigEndian.Uint64(e.rows[i].mac[:]) })
		for _, r := range e.rows {
			x := append(append(buf[:0], r.mac[:]...), r.id[:]...)
			s.write(binary.BigEndian.AppendUint32(x, r.label))
		}
	}
}

// appendTag writes a region of a value with others; the first tagLen bytes are
// the record of a region that is alone.
func (b *Builder) appendTag(dst []byte, x tag) []byte {
	epoch, _ := slices.BinarySearch(b.header.Epochs, x.epoch)
	flags := byte(epoch << 1)
	if x.kind == KindPrivateKey {
		flags |= flagPrivateKey
	}
	dst = binary.BigEndian.AppendUint64(dst, x.tag)
	dst = appendUint24(dst, x.offset)
	dst = appendUint24(dst, x.length)
	dst = append(dst, flags)
	return appendUint24(appendUint24(dst, x.others[0]), x.others[1])
}

// writeDirectory writes the starts of the buckets of n sorted keys.
func writeDirectory(s *segmentWriter, n int, key func(int) uint64) {
	dirBits := dirBitsFor(n)
	var buf [4]byte
	i := 0
	for bucket := range uint64(1) << dirBits {
		binary.BigEndian.PutUint32(buf[:], uint32(i))
		s.write(buf[:])
		for i < n && key(i)>>(64-dirBits) == bucket {
			i++
		}
	}
	binary.BigEndian.PutUint32(buf[:], uint32(n))
	s.write(buf[:])
}

// segmentWriter seals plain bytes in segments. After an error it does nothing.
type segmentWriter struct {
	framing
	w       io.Writer
	number  int
	plain   []byte
	sealed  []byte
	digests []byte
	written int64
	err     error
}

func (s *segmentWriter) emit(b []byte) {
	if s.err != nil {
		return
	}
	n, err := s.w.Write(b)
	s.written += int64(n)
	s.err = err
}

func (s *segmentWriter) write(b []byte) {
	for len(b) > 0 {
		n := min(len(b), segmentLen-len(s.plain))
		s.plain = append(s.plain, b[:n]...)
		b = b[n:]
		if len(s.plain) == segmentLen {
			s.flush()
		}
	}
}

// flush seals what was collected, if anything.
func (s *segmentWriter) flush() {
	if len(s.plain) == 0 {
		return
	}
	nonce, aad := s.at(s.number)
	s.sealed = s.aead.Seal(s.sealed[:0], nonce, s.plain, aad)
	sum := sha256.Sum256(s.sealed)
	s.digests = append(s.digests, sum[:]...)
	s.emit(s.sealed)
	s.number++
	s.plain = s.plain[:0]
}
