package objects

import (
	"bytes"
	"encoding/binary"
	"sync"
)

// pack is a pack and its index. The pack itself is opened when it is first
// needed.
type pack struct {
	base     string // path without its suffix
	name     string // of the file
	format   Format
	access   Access
	index    *index
	idxFile  *file
	promisor bool

	once    sync.Once
	err     error
	file    *file
	end     int64 // where the entries end and the checksum begins
	matches bool  // the pack is the one that the index was made of

	soundOnce sync.Once
	isSound   bool
}

const packHead = 12

// open maps the pack and looks at its head and its end.
func (p *pack) open() error {
	p.once.Do(func() { p.err = p.openFile() })
	return p.err
}

func (p *pack) openFile() (err error) {
	defer caught(&err)
	f, err := openFile(p.base+".pack", p.access)
	if err != nil {
		return &damage{reason: ReasonIO, err: err}
	}
	var scratch []byte
	head, err := f.bytes(0, packHead, &scratch)
	if err != nil || len(head) < packHead || string(head[:4]) != "PACK" {
		f.close()
		return &damage{reason: ReasonPack, err: err}
	}
	if v := binary.BigEndian.Uint32(head[4:]); v != 2 && v != 3 {
		f.close()
		return broken(ReasonFormat)
	}
	p.file, p.end = f, max(packHead, f.size-int64(p.format.Size()))
	sum, err := f.bytes(p.end, int64(p.format.Size()), &scratch)
	p.matches = err == nil && p.index.packSum != nil && bytes.Equal(sum, p.index.packSum)
	return nil
}

// sound reports whether index and pack belong together and the index is as it
// was written: then its checksums stand for the ids.
func (p *pack) sound() bool {
	p.soundOnce.Do(func() {
		var err error
		defer caught(&err)
		p.isSound = p.matches && p.index.crcs != nil && p.index.sound(p.format)
	})
	return p.isSound
}

func (p *pack) close() {
	if p.file != nil {
		p.file.close()
	}
	if p.idxFile != nil {
		p.idxFile.close()
	}
}

// entry is the head of an object in a pack.
type entry struct {
	kind Kind
	size int64 // of the object, or of the delta
	data int64 // where the compressed data begins
	base int64 // of an ofsDelta: where its base begins
	ref  ID    // of a refDelta: its base
}

func (e entry) delta() bool { return e.kind == ofsDelta || e.kind == refDelta }

// headMost is more than the head of an entry can have: a size in ten bytes,
// and an id or an offset.
const headMost = 48

// head reads the head of the entry at off.
func (p *pack) head(off int64, scratch *[]byte) (entry, error) {
	if off < packHead || off >= p.end {
		return entry{}, broken(ReasonOffset)
	}
	data, err := p.file.bytes(off, min(headMost, p.end-off), scratch)
	if err != nil {
		return entry{}, err
	}
	return parseHead(data, off, p.format)
}

// parseHead reads an entry's head; off is where it stands in its pack.
func parseHead(data []byte, off int64, format Format) (entry, error) {
	var e entry
	if len(data) == 0 {
		return e, broken(ReasonHeader)
	}
	b := data[0]
	e.kind, e.size = Kind(b>>4&7), int64(b&15)
	n := 1
	for shift := 4; b&0x80 != 0; shift += 7 {
		if n >= len(data) || shift > 56 {
			return e, broken(ReasonHeader)
		}
		b = data[n]
		n++
		e.size |= int64(b&0x7f) << shift
	}
	if e.size < 0 {
		return e, broken(ReasonHeader)
	}
	switch e.kind {
	case Commit, Tree, Blob, Tag:
	case ofsDelta:
		back, k := parseBack(data[n:])
		if k == 0 || back <= 0 || back > off-packHead {
			return e, broken(ReasonHeader)
		}
		e.base = off - back
		n += k
	case refDelta:
		if len(data)-n < format.Size() {
			return e, broken(ReasonHeader)
		}
		e.ref = MakeID(data[n : n+format.Size()])
		n += format.Size()
	default:
		return e, broken(ReasonHeader)
	}
	e.data = off + int64(n)
	return e, nil
}

// parseBack reads the distance to a base, and how many bytes it has; 0 for one
// that is cut or beyond any file.
func parseBack(data []byte) (int64, int) {
	var v int64
	for i, b := range data {
		if i > 8 {
			return 0, 0
		}
		v = v<<7 | int64(b&0x7f)
		if b&0x80 == 0 {
			return v, i + 1
		}
		v++
	}
	return 0, 0
}
