package objects_test

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"path/filepath"
	"slices"
	"testing"

	"revenant/scanners/gitrepo/objects"
)

// packer writes packs, honest and other ones, entry by entry.
type packer struct {
	tb   testing.TB
	pack bytes.Buffer
	rows []row
	z    *zlib.Writer
}

// deflated is what git would store of a content.
func (p *packer) deflated(data []byte) []byte {
	var b bytes.Buffer
	if p.z == nil {
		p.z = zlib.NewWriter(&b)
	}
	p.z.Reset(&b)
	if _, err := p.z.Write(data); err != nil {
		p.tb.Fatal(err)
	}
	if err := p.z.Close(); err != nil {
		p.tb.Fatal(err)
	}
	return b.Bytes()
}

// row is what the index says of an object.
type row struct {
	id  [20]byte
	crc uint32
	off int64
}

func newPacker(tb testing.TB) *packer {
	p := &packer{tb: tb}
	p.pack.WriteString("PACK\x00\x00\x00\x02\x00\x00\x00\x00")
	return p
}

func idOf(kind objects.Kind, data []byte) (id [20]byte) {
	return sha1.Sum(append(fmt.Appendf(nil, "%s %d\x00", kind, len(data)), data...))
}

// Numbers of deltas in packs.
const (
	ofsDelta = 6
	refDelta = 7
)

// entryHead is kind and size as they stand in a pack.
func entryHead(kind int, size uint64) []byte {
	b := []byte{byte(kind<<4) | byte(size&15)}
	for size >>= 4; size > 0; size >>= 7 {
		b[len(b)-1] |= 0x80
		b = append(b, byte(size&0x7f))
	}
	return b
}

// backBy is the distance to a base.
func backBy(n int64) []byte {
	b := []byte{byte(n & 0x7f)}
	for n >>= 7; n > 0; n >>= 7 {
		n--
		b = append([]byte{0x80 | byte(n&0x7f)}, b...)
	}
	return b
}

// raw appends bytes as an entry and lists it under an id.
func (p *packer) raw(id [20]byte, parts ...[]byte) int64 {
	off := int64(p.pack.Len())
	data := slices.Concat(parts...)
	p.pack.Write(data)
	p.rows = append(p.rows, row{id, crc32.ChecksumIEEE(data), off})
	return off
}

// whole appends an object that is no delta.
func (p *packer) whole(kind objects.Kind, data []byte) (id [20]byte, off int64) {
	id = idOf(kind, data)
	return id, p.raw(id, entryHead(int(kind), uint64(len(data))), p.deflated(data))
}

// ofs appends a delta of what is at an offset, under the id of its result.
func (p *packer) ofs(base int64, delta, result []byte) (id [20]byte, off int64) {
	id = idOf(objects.Blob, result)
	return id, p.ofsAs(id, base, delta)
}

func (p *packer) ofsAs(id [20]byte, base int64, delta []byte) int64 {
	return p.raw(id, entryHead(ofsDelta, uint64(len(delta))), backBy(int64(p.pack.Len())-base), p.deflated(delta))
}

func (p *packer) ref(id, base [20]byte, delta []byte) int64 {
	return p.raw(id, entryHead(refDelta, uint64(len(delta))), base[:], p.deflated(delta))
}

// sizes is the head of a delta.
func sizes(base, result int) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(nil, uint64(base)), uint64(result))
}

func copied(from, n uint32) []byte {
	return []byte{0xff, byte(from), byte(from >> 8), byte(from >> 16), byte(from >> 24), byte(n), byte(n >> 8), byte(n >> 16)}
}

func inserted(s string) []byte { return append([]byte{byte(len(s))}, s...) }

// appended is the delta that adds a text to a base.
func appended(base []byte, s string) (delta, result []byte) {
	delta = sizes(len(base), len(base)+len(s))
	if len(base) > 0 {
		delta = append(delta, copied(0, uint32(len(base)))...)
	}
	return append(delta, inserted(s)...), append(bytes.Clone(base), s...)
}

// save writes pack and index into a repository made of next to nothing.
func (p *packer) save(dir, name string) {
	p.tb.Helper()
	pack := bytes.Clone(p.pack.Bytes())
	binary.BigEndian.PutUint32(pack[8:], uint32(len(p.rows)))
	sum := sha1.Sum(pack)
	pack = append(pack, sum[:]...)
	write(p.tb, filepath.Join(dir, "objects/pack/pack-"+name+".pack"), pack)
	write(p.tb, filepath.Join(dir, "objects/pack/pack-"+name+".idx"), p.index(sum))
	write(p.tb, filepath.Join(dir, "HEAD"), []byte("ref: refs/heads/main\n"))
	write(p.tb, filepath.Join(dir, "refs/heads/.keep"), nil)
	write(p.tb, filepath.Join(dir, "config"), []byte("[core]\n\trepositoryformatversion = 0\n\tbare = true\n"))
}

func (p *packer) index(sum [20]byte) []byte {
	rows := slices.Clone(p.rows)
	slices.SortStableFunc(rows, func(a, b row) int { return bytes.Compare(a.id[:], b.id[:]) })
	x := []byte("\xfftOc\x00\x00\x00\x02")
	var ids, crcs, offs, far []byte
	at := 0
	for first := range 256 {
		for at < len(rows) && int(rows[at].id[0]) <= first {
			at++
		}
		x = binary.BigEndian.AppendUint32(x, uint32(at))
	}
	for _, r := range rows {
		ids = append(ids, r.id[:]...)
		crcs = binary.BigEndian.AppendUint32(crcs, r.crc)
		if r.off < 1<<31 && r.off >= 0 {
			offs = binary.BigEndian.AppendUint32(offs, uint32(r.off))
			continue
		}
		offs = binary.BigEndian.AppendUint32(offs, 1<<31|uint32(len(far)/8))
		far = binary.BigEndian.AppendUint64(far, uint64(r.off))
	}
	x = slices.Concat(x, ids, crcs, offs, far, sum[:])
	own := sha1.Sum(x)
	return append(x, own[:]...)
}
