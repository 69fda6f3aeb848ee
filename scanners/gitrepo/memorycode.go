package gitrepo

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"revenant/fingerprints"
	"revenant/scanners/gitrepo/objects"
)

// The state is a line that names the format, a checksum of the rest, and the
// fields one behind another: numbers little-endian, ids as they are, lists behind
// their length.
const memoryHead = "revenant.git-memory/3\n"

// encoder writes fields.
type encoder struct{ b []byte }

func (e *encoder) number(n uint64) { e.b = binary.LittleEndian.AppendUint64(e.b, n) }
func (e *encoder) count(n int)     { e.b = binary.AppendUvarint(e.b, uint64(n)) }
func (e *encoder) bytes(b []byte)  { e.b = append(e.b, b...) }
func (e *encoder) id(id oid)       { e.b = append(e.b, id.Bytes()...) }

func (e *encoder) flags(list ...bool) {
	var b byte
	for i, set := range list {
		if set {
			b |= 1 << i
		}
	}
	e.b = append(e.b, b)
}

func (e *encoder) ids(list []oid) {
	e.count(len(list))
	for i := range list {
		e.id(list[i])
	}
}

func (e *encoder) numbers(list []uint64) {
	e.count(len(list))
	for _, n := range list {
		e.number(n)
	}
}

func (e *encoder) ruleMarks(list []RuleMark) {
	e.count(len(list))
	for i := range list {
		e.bytes(list[i][:])
	}
}

func (e *encoder) marks(m keptMarks) {
	e.count(m.base.slot)
	e.number(m.base.generation)
	e.number(uint64(m.base.count))
	e.numbers(m.fresh)
}

// presence is a number: 0 is none.
func (e *encoder) presence(p fingerprints.Presence) {
	e.b = append(e.b, byte(1+slices.Index(fingerprints.Presences(), p)))
}

// encode is what is kept. Ids are of one size.
func (m *memory) encode() []byte {
	e := &encoder{b: make([]byte, len(memoryHead)+sha256.Size, 4096+30*len(m.commits)+8*len(m.read.fresh)+8*len(m.reached.fresh))}
	copy(e.b, memoryHead)
	e.bytes(m.knows.Generic[:])
	e.ruleMarks(m.knows.Rules)
	e.ruleMarks(m.knows.Permits)
	e.number(m.knows.Fields)
	e.bytes(m.salt[:])
	e.marks(m.read)
	e.marks(m.reached)
	e.numbers(m.clean)
	e.count(len(m.packs))
	for _, sum := range m.packs {
		e.bytes(sum)
	}
	e.flags(m.came, m.surely, m.links)
	e.count(len(m.commits))
	for i := range m.commits {
		t := &m.commits[i]
		e.id(t.id)
		e.flags(t.tip, t.is, t.in)
		e.count(int(t.set))
	}
	e.count(len(m.tags))
	for _, t := range m.tags {
		e.id(t.tag)
		e.id(t.commit)
		e.flags(t.in)
	}
	m.encodeFound(e)
	m.encodeStood(e)
	sum := sha256.Sum256(e.b[len(memoryHead)+sha256.Size:])
	copy(e.b[len(memoryHead):], sum[:])
	return e.b
}

func (m *memory) encodeFound(e *encoder) {
	e.count(len(m.held))
	for _, r := range m.held {
		e.id(r.id)
		e.number(uint64(r.size))
	}
	e.count(len(m.written))
	for _, r := range m.written {
		e.id(r.id)
		e.count(int(r.kind))
		e.presence(r.presence)
	}
	e.count(len(m.places))
	for _, r := range m.places {
		e.id(r.id)
		e.id(r.commit)
		e.presence(r.presence)
		e.number(r.mark)
	}
	e.ids(m.trees)
	e.ids(m.pointers)
}

func (m *memory) encodeStood(e *encoder) {
	e.count(len(m.spots))
	for _, s := range m.spots {
		e.id(s.blob)
		e.flags(s.link)
		e.number(s.mark)
		e.ids(s.route)
	}
	e.count(len(m.sets))
	for _, set := range m.sets {
		e.count(len(set))
		for _, i := range set {
			e.count(int(i))
		}
	}
}

// decoder reads fields. After one that is not there all others are empty, and
// bad is set.
type decoder struct {
	b    []byte
	size int // of an id
	bad  bool
}

func (d *decoder) bytes(n int) []byte {
	if n < 0 || n > len(d.b) {
		d.bad, d.b = true, nil
		return nil
	}
	out := d.b[:n:n]
	d.b = d.b[n:]
	return out
}

func (d *decoder) number() uint64 {
	b := d.bytes(8)
	if b == nil {
		return 0
	}
	return binary.LittleEndian.Uint64(b)
}

// count reads a small number.
func (d *decoder) count() int {
	n, used := binary.Uvarint(d.b)
	if used <= 0 || n > 1<<31-1 {
		d.bad, d.b = true, nil
		return 0
	}
	d.b = d.b[used:]
	return int(n)
}

// length reads that of a list whose entries have at least so many bytes.
func (d *decoder) length(least int) int {
	n := d.count()
	if n > len(d.b)/least {
		d.bad, d.b = true, nil
		return 0
	}
	return n
}

func (d *decoder) id() oid { return objects.MakeID(d.bytes(d.size)) }

// flags reads some of the bits of a byte.
func (d *decoder) flags(to ...*bool) {
	b := d.bytes(1)
	if b == nil || b[0]>>len(to) != 0 {
		d.bad = true
		return
	}
	for i, set := range to {
		*set = b[0]>>i&1 == 1
	}
}

func (d *decoder) ids() []oid {
	out := make([]oid, d.length(d.size))
	for i := range out {
		out[i] = d.id()
	}
	return out
}

func (d *decoder) numbers() []uint64 {
	out := make([]uint64, d.length(8))
	for i := range out {
		out[i] = d.number()
	}
	return out
}

func (d *decoder) ruleMarks() []RuleMark {
	out := make([]RuleMark, d.length(len(RuleMark{})))
	for i := range out {
		copy(out[i][:], d.bytes(len(out[i])))
	}
	return out
}

func (d *decoder) marks() keptMarks {
	return keptMarks{base{slot: d.count(), generation: d.number(), count: int64(d.number())}, d.numbers()}
}

func (d *decoder) presence() fingerprints.Presence {
	all := fingerprints.Presences()
	b := d.bytes(1)
	switch {
	case b == nil || int(b[0]) > len(all):
		d.bad = true
	case b[0] > 0:
		return all[b[0]-1]
	}
	return ""
}

// decodeMemory reads what encode wrote.
func decodeMemory(b []byte, size int) (*memory, error) {
	body, ok := bytes.CutPrefix(b, []byte(memoryHead))
	if !ok || len(body) < sha256.Size {
		return nil, errForgotten
	}
	sum := sha256.Sum256(body[sha256.Size:])
	if !bytes.Equal(sum[:], body[:sha256.Size]) {
		return nil, errForgotten
	}
	return decodeFields(body[sha256.Size:], size)
}

func decodeFields(b []byte, size int) (*memory, error) {
	d, m := &decoder{b: b, size: size}, &memory{}
	copy(m.knows.Generic[:], d.bytes(sha256.Size))
	m.knows.Rules, m.knows.Permits = d.ruleMarks(), d.ruleMarks()
	m.knows.Fields = d.number()
	copy(m.salt[:], d.bytes(len(m.salt)))
	m.read, m.reached, m.clean = d.marks(), d.marks(), d.numbers()
	m.packs = make([][]byte, d.length(size))
	for i := range m.packs {
		m.packs[i] = d.bytes(size)
	}
	d.flags(&m.came, &m.surely, &m.links)
	m.commits = make([]tip, d.length(size+2))
	for i := range m.commits {
		t := &m.commits[i]
		t.id = d.id()
		d.flags(&t.tip, &t.is, &t.in)
		t.set = uint32(d.count())
	}
	m.tags = make([]peeled, d.length(2*size+1))
	for i := range m.tags {
		t := &m.tags[i]
		t.tag, t.commit = d.id(), d.id()
		d.flags(&t.in)
	}
	m.decodeFound(d)
	m.decodeStood(d)
	if d.bad || len(d.b) > 0 || !m.consistent() {
		return nil, errForgotten
	}
	return m, nil
}

func (m *memory) decodeFound(d *decoder) {
	m.held = make([]remembered, d.length(d.size+8))
	for i := range m.held {
		m.held[i] = remembered{id: d.id(), size: int64(d.number())}
	}
	m.written = make([]remembered, d.length(d.size+2))
	for i := range m.written {
		m.written[i] = remembered{id: d.id(), kind: objects.Kind(d.count()), presence: d.presence()}
	}
	m.places = make([]remembered, d.length(2*d.size+9))
	for i := range m.places {
		m.places[i] = remembered{id: d.id(), commit: d.id(), presence: d.presence(), mark: d.number()}
	}
	m.trees, m.pointers = d.ids(), d.ids()
}

func (m *memory) decodeStood(d *decoder) {
	m.spots = make([]stoodSpot, d.length(d.size+10))
	for i := range m.spots {
		s := &m.spots[i]
		s.blob = d.id()
		d.flags(&s.link)
		s.mark, s.route = d.number(), d.ids()
	}
	m.sets = make([][]uint32, d.length(1))
	for i := range m.sets {
		set := make([]uint32, d.length(1))
		for k := range set {
			set[k] = uint32(d.count())
		}
		m.sets[i] = set
	}
}

// consistent reports whether what is searched is sorted, and numbers are of what
// is there.
func (m *memory) consistent() bool {
	for i := range m.commits {
		if int(m.commits[i].set) > len(m.sets) || i > 0 && m.commits[i-1].id.Compare(m.commits[i].id) >= 0 {
			return false
		}
	}
	for _, set := range m.sets {
		for _, i := range set {
			if int(i) >= len(m.spots) {
				return false
			}
		}
	}
	for _, r := range m.written {
		if r.kind != objects.Commit && r.kind != objects.Tag {
			return false
		}
	}
	return m.read.base.slot < slots && m.reached.base.slot < slots && slices.IsSorted(m.read.fresh) && slices.IsSorted(m.reached.fresh) && slices.IsSorted(m.clean)
}
