package pack

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"revenant/fingerprints/anchor"
	"revenant/fingerprints/keys"
)

// Keys is what opening needs; *keys.Ring, keys.Issuer and keys.EdgeKeys have
// it.
type Keys interface {
	keys.Source
	// PublicAt is the public half of an epoch's signing key.
	PublicAt(p keys.Purpose, epoch uint32) (ed25519.PublicKey, error)
}

// Options of opening.
type Options struct {
	// MinRevision is the revision of the newest pack that was used before: a
	// holder never goes back.
	MinRevision uint64
	// Now is compared with the expiry; the zero time skips that.
	Now time.Time
}

// Inspect reads the header of a pack without any key. Nothing of it is
// verified but that it is whole.
func Inspect(r io.ReaderAt, size int64) (Header, error) {
	h, _, err := readHeader(r, size)
	return h, err
}

// Open verifies a pack and reads its tables into memory. r must stay open as
// long as labels are asked for.
func Open(r io.ReaderAt, size int64, ks Keys, o Options) (*Pack, error) {
	p, err := open(r, size, ks, o)
	if err != nil {
		return nil, fmt.Errorf("opening a pack: %w", err)
	}
	return p, nil
}

// OpenBytes is Open of a pack in memory.
func OpenBytes(b []byte, ks Keys, o Options) (*Pack, error) {
	return Open(bytes.NewReader(b), int64(len(b)), ks, o)
}

// Verify is Open, and reads every label's segment too.
func Verify(r io.ReaderAt, size int64, ks Keys, o Options) (Header, error) {
	p, err := Open(r, size, ks, o)
	if err != nil {
		return Header{}, err
	}
	s := newStream(p.labels.segments)
	s.next = p.labels.first
	if _, err := io.Copy(io.Discard, s); err != nil {
		return Header{}, fmt.Errorf("verifying a pack: %w", err)
	}
	return p.header, nil
}

// readHeader returns the header, and its bytes with the prefix.
func readHeader(r io.ReaderAt, size int64) (Header, []byte, error) {
	prefix := make([]byte, prefixLen)
	n, err := r.ReadAt(prefix, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return Header{}, nil, fmt.Errorf("reading a pack's header: %w", err)
	}
	switch {
	case n < len(magic) || string(prefix[:len(magic)]) != magic:
		return Header{}, nil, ErrNotPack
	case n < prefixLen:
		return Header{}, nil, ErrTruncated
	}
	if f := binary.BigEndian.Uint16(prefix[len(magic):]); f > Format {
		return Header{}, nil, fmt.Errorf("pack of format %d: %w", f, ErrNewer)
	} else if f == 0 {
		return Header{}, nil, ErrTampered
	}
	length := int64(binary.BigEndian.Uint32(prefix[len(magic)+2:]))
	if length > maxHeader {
		return Header{}, nil, ErrTampered
	}
	if size < int64(prefixLen)+length+digestLen {
		return Header{}, nil, ErrTruncated
	}
	raw := make([]byte, int64(prefixLen)+length+digestLen)
	if _, err := r.ReadAt(raw, 0); err != nil && !errors.Is(err, io.EOF) {
		return Header{}, nil, fmt.Errorf("reading a pack's header: %w", err)
	}
	raw, digest := raw[:len(raw)-digestLen], raw[len(raw)-digestLen:]
	if sum := sha256.Sum256(raw); !bytes.Equal(sum[:], digest) {
		return Header{}, nil, ErrTampered
	}
	h, err := parseHeader(raw[prefixLen:])
	return h, raw, err
}

func open(r io.ReaderAt, size int64, ks Keys, o Options) (*Pack, error) {
	h, raw, err := readHeader(r, size)
	if err != nil {
		return nil, err
	}
	if h.Ring != ks.ID() || h.Installation != ks.Installation() {
		return nil, ErrForeign
	}
	s, err := readSegments(r, size, &h, raw, ks)
	if err != nil {
		return nil, err
	}
	switch {
	case h.Revision < o.MinRevision:
		return nil, fmt.Errorf("revision %d after revision %d: %w", h.Revision, o.MinRevision, ErrReplayed)
	case !h.Expires.IsZero() && !o.Now.IsZero() && !o.Now.Before(h.Expires):
		return nil, fmt.Errorf("on %s: %w", h.Expires.Format(time.DateOnly), ErrExpired)
	}
	p := &Pack{
		header: h,
		labels: &labelReader{salt: h.salt, size: h.labels, segments: s, first: segmentsFor(s.hot)},
	}
	if p.newMAC, err = macs(&h, ks); err != nil {
		return nil, err
	}
	return p, p.read(newStream(s), ks)
}

// readSegments checks size and signature before anything is decrypted.
func readSegments(r io.ReaderAt, size int64, h *Header, raw []byte, ks Keys) (*segments, error) {
	s := &segments{src: r, start: int64(len(raw)) + digestLen, hot: h.hotLen(), labels: h.labels}
	s.framing = newFraming(nil, h)
	end := s.start + s.hot + s.labels + int64(s.total)*overhead
	trailer := int64(s.total)*digestLen + signature
	switch {
	case size < end+trailer:
		return nil, ErrTruncated
	case size > end+trailer:
		return nil, fmt.Errorf("%d bytes too many: %w", size-end-trailer, ErrTampered)
	}
	b := make([]byte, trailer)
	if _, err := r.ReadAt(b, end); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading a pack's signature: %w", err)
	}
	s.digests = b[:trailer-signature]
	key, err := ks.Key(h.Audience, keys.PurposePack, h.KeyEpoch)
	if err != nil {
		return nil, noKey(err)
	}
	public, err := ks.PublicAt(keys.PurposeSignPack, h.KeyEpoch)
	if err != nil {
		return nil, noKey(err)
	}
	if !ed25519.Verify(public, signed(raw, s.digests), b[trailer-signature:]) {
		return nil, fmt.Errorf("the signature: %w", ErrTampered)
	}
	s.aead, err = segmentCipher(key, h.salt)
	return s, err
}

// noKey tells keys that are behind from keys that are others.
func noKey(err error) error {
	if errors.Is(err, keys.ErrUnknownEpoch) {
		return fmt.Errorf("%w: %w", ErrOldKeys, err)
	}
	return fmt.Errorf("%w: %w", ErrForeign, err)
}

// signed is the message of the signature.
func signed(header, digests []byte) []byte {
	b := []byte("revenant pack/v1\n")
	b = keys.AppendField(b, header)
	return keys.AppendField(b, digests)
}

// macs fetches the MAC keys of every epoch into a closure, where no printer
// reaches them.
func macs(h *Header, ks Keys) (func(int) hash.Hash, error) {
	var list []keys.Key
	for _, e := range h.Epochs {
		k, err := ks.Key(h.Audience, keys.PurposeRegMAC, e)
		if err != nil {
			return nil, noKey(err)
		}
		list = append(list, k)
	}
	return func(i int) hash.Hash { return hmac.New(sha256.New, list[i][:]) }, nil
}

// read fills tables and rows from the plain stream.
func (p *Pack) read(r io.Reader, ks Keys) error {
	for _, t := range p.header.tables {
		k, err := ks.Key(p.header.Audience, keys.PurposeFilter, t.gen)
		if err != nil {
			return noKey(err)
		}
		table := &Table{Key: anchor.NewKey(k, t.geometry), FilterGen: t.gen, LogWords: t.logWords}
		if table.Filter, err = readWords(r, 1<<t.logWords); err != nil {
			return err
		}
		for _, l := range []struct {
			dst     *tagList
			n, size int
		}{{&table.single, t.single, tagLen}, {&table.spread, t.spread, spreadLen}} {
			l.dst.epochs = p.header.Epochs
			if l.dst.list, err = readList(r, l.n, l.size); err != nil {
				return err
			}
		}
		p.tables = append(p.tables, table)
	}
	for _, n := range p.header.rows {
		l, err := readList(r, n, rowLen)
		if err != nil {
			return err
		}
		p.rows = append(p.rows, rowList{l})
	}
	return nil
}

func readWords(r io.Reader, n int) ([]uint64, error) {
	out := make([]uint64, n)
	buf := make([]byte, 32<<10)
	for done := 0; done < n; {
		b := buf[:min(len(buf), 8*(n-done))]
		if _, err := io.ReadFull(r, b); err != nil {
			return nil, short(err)
		}
		for ; len(b) > 0; b = b[8:] {
			out[done] = binary.LittleEndian.Uint64(b)
			done++
		}
	}
	return out, nil
}

func readList(r io.Reader, n, size int) (list, error) {
	l := list{dirBits: dirBitsFor(n), size: size, records: make([]byte, n*size)}
	dir := make([]byte, 4*(1<<l.dirBits+1))
	for _, b := range [][]byte{dir, l.records} {
		if _, err := io.ReadFull(r, b); err != nil {
			return list{}, short(err)
		}
	}
	l.dir = make([]uint32, len(dir)/4)
	for i := range l.dir {
		l.dir[i] = binary.BigEndian.Uint32(dir[4*i:])
	}
	if err := l.check(); err != nil {
		return list{}, fmt.Errorf("%w: %w", ErrTampered, err)
	}
	return l, nil
}

// short turns the end of a stream that lacks bytes into ErrTruncated.
func short(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrTruncated
	}
	return err
}
