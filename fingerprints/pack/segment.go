package pack

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"revenant/fingerprints/keys"
)

// segmentCipher is keyed for one pack: the salt is drawn anew for every pack,
// so nonces may count segments.
func segmentCipher(packKey keys.Key, salt [32]byte) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, packKey[:], salt[:], "pack/v1", 32)
	if err != nil {
		return nil, fmt.Errorf("deriving a pack's own key: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("preparing a pack's cipher: %w", err)
	}
	return cipher.NewGCM(block)
}

// framing is what every segment of a pack is sealed with.
type framing struct {
	aead  cipher.AEAD
	aad   []byte // audience and revision; number and last flag follow
	total int
}

func newFraming(aead cipher.AEAD, h *Header) framing {
	aad := keys.AppendField(nil, []byte(h.Audience))
	aad = binary.BigEndian.AppendUint64(aad, h.Revision)
	return framing{aead: aead, aad: aad, total: segmentsFor(h.hotLen()) + segmentsFor(h.labels)}
}

// at returns nonce and AAD of a segment.
func (f framing) at(number int) (nonce, aad []byte) {
	nonce = binary.BigEndian.AppendUint32(make([]byte, 8, 12), uint32(number))
	aad = append(make([]byte, 0, len(f.aad)+5), f.aad...)
	aad = binary.BigEndian.AppendUint32(aad, uint32(number))
	last := byte(0)
	if number == f.total-1 {
		last = 1
	}
	return nonce, append(aad, last)
}

// segments reads sealed segments; safe for concurrent use.
type segments struct {
	framing
	src     io.ReaderAt
	start   int64 // of the first segment in the file
	hot     int64 // plain bytes of the two streams
	labels  int64
	digests []byte
	cache   cache
}

// place returns the offset and the plain length of a segment. Every segment of
// a stream but its last is full.
func (s *segments) place(number int) (at int64, plain int) {
	nHot := segmentsFor(s.hot)
	at, left, i := s.start, s.hot, number
	if number >= nHot {
		at, left, i = s.start+s.hot+int64(nHot)*overhead, s.labels, number-nHot
	}
	done := int64(i) * segmentLen
	return at + done + int64(i)*overhead, int(min(segmentLen, left-done))
}

// open decrypts a segment into dst, whose contents are replaced, using scratch
// for the sealed bytes.
func (s *segments) open(dst, scratch []byte, number int) ([]byte, error) {
	at, n := s.place(number)
	sealed := scratch[:n+overhead]
	if _, err := s.src.ReadAt(sealed, at); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading segment %d of the pack: %w", number, err)
	}
	sum := sha256.Sum256(sealed)
	if subtle.ConstantTimeCompare(sum[:], s.digests[number*digestLen:(number+1)*digestLen]) != 1 {
		return nil, fmt.Errorf("segment %d: %w", number, ErrTampered)
	}
	nonce, aad := s.at(number)
	out, err := s.aead.Open(dst[:0], nonce, sealed, aad)
	if err != nil { // its digest is right, and the keys are of this ring
		return nil, fmt.Errorf("segment %d: %w, unless the key file is that of another group of holders", number, ErrTampered)
	}
	return out, nil
}

// keptSegments is how many segments with labels stay decrypted.
const keptSegments = 4

// cache keeps the segments that were asked for last.
type cache struct {
	mu   sync.Mutex
	kept []keptSegment // newest last
}

type keptSegment struct {
	number int
	plain  []byte // never changed
}

// get decrypts a segment, or returns it from the cache. The caller only reads
// it.
func (s *segments) get(number int) ([]byte, error) {
	if number >= s.total {
		return nil, ErrTampered
	}
	s.cache.mu.Lock()
	defer s.cache.mu.Unlock()
	for _, k := range s.cache.kept {
		if k.number == number {
			return k.plain, nil
		}
	}
	_, n := s.place(number)
	plain, err := s.open(make([]byte, 0, n), make([]byte, n+overhead), number)
	if err != nil {
		return nil, err
	}
	s.cache.kept = append(s.cache.kept, keptSegment{number, plain})
	if len(s.cache.kept) > keptSegments {
		s.cache.kept = slices.Delete(s.cache.kept, 0, 1)
	}
	return plain, nil
}

// stream reads the plain bytes of segments one after the other.
type stream struct {
	*segments
	next           int
	plain, scratch []byte
	buf            []byte
}

func newStream(s *segments) *stream {
	return &stream{segments: s, buf: make([]byte, 0, segmentLen), scratch: make([]byte, segmentLen+overhead)}
}

// Read implements io.Reader.
func (s *stream) Read(p []byte) (int, error) {
	if len(s.plain) == 0 {
		if s.next >= s.total {
			return 0, io.EOF
		}
		var err error
		if s.plain, err = s.open(s.buf, s.scratch, s.next); err != nil {
			return 0, err
		}
		s.next++
	}
	n := copy(p, s.plain)
	s.plain = s.plain[n:]
	return n, nil
}
