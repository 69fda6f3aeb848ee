package keys

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"revenant/fingerprints"
)

// The formats, version 1. Integers are big-endian, u16, u32 and u64 unsigned.
//
//	ring = "RVNTRING" || u16 1 || installation (16) || root (32)
//	       || u32 epochs     || epochs     * (u64 Unix milliseconds || u8 reason || master (32))
//	       || u32 generations || generations * (u32 generation || u32 epoch)
//	       || SHA-256 of all before
//
//	reason: 1 initial, 2 routine, 3 compromise. Epochs count from 1 in order;
//	generations in use, one or two, oldest first.
//
//	set  = magic || u16 1 || installation (16) || ring id (16) || L(group)
//	       || u32 keys   || keys   * (u8 audience || u8 purpose || u32 generation || key (32))
//	       || u32 public || public * (u8 audience || u8 purpose || u32 generation || Ed25519 public key (32))
//	       || SHA-256 of all before
//
//	magic: "RVNTEDGE" or "RVNTREGR". audience: 1 core, 2 edge. purpose: the
//	position, from 1, in the order of the constants of type Purpose. Entries
//	are in ascending order of their first 6 bytes, each once.
const (
	formatVersion  = 1
	magicRing      = "RVNTRING"
	magicEdge      = "RVNTEDGE"
	magicRegistrar = "RVNTREGR"

	maxEpochs = 4096
	maxGroup  = 200
	maxSlots  = 8 * maxEpochs
)

func reasons() []Rotation { return []Rotation{RotateInitial, RotateRoutine, RotateCompromise} }

func audiences() []fingerprints.Audience {
	return []fingerprints.Audience{fingerprints.AudienceCore, fingerprints.AudienceEdge}
}

func purposes() []Purpose {
	return []Purpose{
		PurposeRegMAC, PurposeLookup, PurposeSeal, PurposePack, PurposeFilter, PurposeAudit,
		PurposeKeyID, PurposeSignPack, PurposeSignAudit, PurposeSignProof, PurposeIdentity,
	}
}

// Marshal writes the ring in the clear; only the key store may keep it.
func (r *Ring) Marshal() []byte {
	s := r.load()
	b := begin(magicRing)
	b = append(b, s.installation[:]...)
	b = append(b, s.root[:]...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(s.epochs)))
	for _, e := range s.epochs {
		b = binary.BigEndian.AppendUint64(b, uint64(e.info.CreatedAt.UnixMilli()))
		b = append(b, byte(1+slices.Index(reasons(), e.info.Reason)))
		b = append(b, e.master[:]...)
	}
	b = binary.BigEndian.AppendUint32(b, uint32(len(s.filters)))
	for _, g := range s.filters {
		b = binary.BigEndian.AppendUint32(b, g.gen)
		b = binary.BigEndian.AppendUint32(b, g.epoch)
	}
	return seal(b)
}

// ParseRing reads what Marshal wrote. It returns ErrDamaged or ErrNewer.
func ParseRing(b []byte) (*Ring, error) {
	d, err := open(b, magicRing)
	if err != nil {
		return nil, fmt.Errorf("reading the key ring: %w", err)
	}
	s := &ringState{}
	copy(s.installation[:], d.take(16))
	copy(s.root[:], d.take(32))
	for i := range d.count(maxEpochs) {
		e := epoch{info: EpochInfo{Epoch: i + 1, CreatedAt: time.UnixMilli(int64(d.u64())).UTC()}}
		e.info.Reason = pick(d, reasons())
		copy(e.master[:], d.take(32))
		s.epochs = append(s.epochs, e)
	}
	for range d.count(inUse) {
		s.filters = append(s.filters, generation{gen: d.u32(), epoch: d.u32()})
	}
	if !d.done() || !s.valid() {
		return nil, fmt.Errorf("reading the key ring: %w", ErrDamaged)
	}
	return newRing(s), nil
}

// valid checks what a checksum cannot: that the parts agree with each other.
func (s *ringState) valid() bool {
	if len(s.epochs) == 0 || len(s.filters) == 0 {
		return false
	}
	for i, e := range s.epochs {
		if (e.info.Reason == RotateInitial) != (i == 0) {
			return false
		}
	}
	for i, g := range s.filters {
		if g.gen == 0 || g.epoch == 0 || g.epoch > s.newest() {
			return false
		}
		if i > 0 && (g.gen != s.filters[i-1].gen+1 || g.epoch <= s.filters[i-1].epoch) {
			return false
		}
	}
	return true
}

// Marshal writes the keys in the clear.
func (e EdgeKeys) Marshal() []byte { return e.get().marshal(magicEdge) }

// ParseEdgeKeys reads what Marshal wrote. It returns ErrDamaged or ErrNewer.
func ParseEdgeKeys(b []byte) (EdgeKeys, error) {
	set, err := parseSet(b, magicEdge)
	if err != nil {
		return EdgeKeys{}, fmt.Errorf("reading edge keys: %w", err)
	}
	return EdgeKeys{hold(set)}, nil
}

// Marshal writes the keys in the clear.
func (k RegistrarKeys) Marshal() []byte { return k.get().marshal(magicRegistrar) }

// ParseRegistrarKeys reads what Marshal wrote. It returns ErrDamaged or
// ErrNewer.
func ParseRegistrarKeys(b []byte) (RegistrarKeys, error) {
	set, err := parseSet(b, magicRegistrar)
	if err != nil {
		return RegistrarKeys{}, fmt.Errorf("reading registering keys: %w", err)
	}
	return RegistrarKeys{hold(set)}, nil
}

func (k *keySet) marshal(magic string) []byte {
	b := begin(magic)
	b = append(b, k.installation[:]...)
	b = append(b, k.ring[:]...)
	b = AppendField(b, []byte(k.group))
	b = appendSlots(b, k.keys, func(v Key) []byte { return v[:] })
	b = appendSlots(b, k.public, func(v ed25519.PublicKey) []byte { return v })
	return seal(b)
}

func appendSlots[V any](b []byte, m map[slot]V, raw func(V) []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(m)))
	entries := make([][]byte, 0, len(m))
	for at, v := range m {
		e := []byte{byte(1 + slices.Index(audiences(), at.aud)), byte(1 + slices.Index(purposes(), at.p))}
		e = binary.BigEndian.AppendUint32(e, at.gen)
		entries = append(entries, append(e, raw(v)...))
	}
	slices.SortFunc(entries, bytes.Compare)
	return append(b, bytes.Join(entries, nil)...)
}

func parseSet(b []byte, magic string) (*keySet, error) {
	d, err := open(b, magic)
	if err != nil {
		return nil, err
	}
	set := &keySet{keys: map[slot]Key{}, public: map[slot]ed25519.PublicKey{}}
	copy(set.installation[:], d.take(16))
	copy(set.ring[:], d.take(16))
	set.group = string(d.take(int(d.count(maxGroup))))
	parseSlots(d, func(at slot, raw []byte) { set.keys[at] = Key(raw) })
	parseSlots(d, func(at slot, raw []byte) { set.public[at] = slices.Clone(raw) })
	if !d.done() || len(set.keys) == 0 {
		return nil, ErrDamaged
	}
	return set, nil
}

func parseSlots(d *decoder, put func(slot, []byte)) {
	var last []byte
	for range d.count(maxSlots) {
		head := d.peek(6)
		if last != nil && bytes.Compare(last, head) >= 0 {
			d.bad = true
		}
		last = head
		at := slot{aud: pick(d, audiences()), p: pick(d, purposes()), gen: d.u32()}
		if raw := d.take(32); !d.bad {
			put(at, raw)
		}
	}
}

// begin starts a format, seal ends it with a checksum that tells damage from
// a wrong file; it is no protection.
func begin(magic string) []byte {
	return binary.BigEndian.AppendUint16([]byte(magic), formatVersion)
}

func seal(b []byte) []byte {
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

// open checks magic, version and checksum. The version is looked at before the
// checksum, so that a newer format is called newer and not damaged.
func open(b []byte, magic string) (*decoder, error) {
	if len(b) < len(magic)+2 || string(b[:len(magic)]) != magic {
		return nil, ErrDamaged
	}
	if v := binary.BigEndian.Uint16(b[len(magic):]); v > formatVersion {
		return nil, ErrNewer
	} else if v == 0 {
		return nil, ErrDamaged
	}
	cut := len(b) - sha256.Size
	if cut < len(magic)+2 {
		return nil, ErrDamaged
	}
	if sum := sha256.Sum256(b[:cut]); !bytes.Equal(sum[:], b[cut:]) {
		return nil, ErrDamaged
	}
	return &decoder{rest: b[len(magic)+2 : cut]}, nil
}

// decoder reads fields; after the first that is missing or out of bounds
// everything reads as zero and bad stays set.
type decoder struct {
	rest []byte
	bad  bool
}

func (d *decoder) peek(n int) []byte {
	if d.bad || n > len(d.rest) {
		d.bad = true
		return make([]byte, n)
	}
	return d.rest[:n]
}

func (d *decoder) take(n int) []byte {
	b := d.peek(n)
	if !d.bad {
		d.rest = d.rest[n:]
	}
	return b
}

func (d *decoder) u32() uint32 { return binary.BigEndian.Uint32(d.take(4)) }
func (d *decoder) u64() uint64 { return binary.BigEndian.Uint64(d.take(8)) }

// count reads a number of at most limit.
func (d *decoder) count(limit uint32) uint32 {
	n := d.u32()
	if d.bad || n > limit {
		d.bad = true
		return 0
	}
	return n
}

func (d *decoder) done() bool { return !d.bad && len(d.rest) == 0 }

// pick reads a byte that counts from 1 into a list.
func pick[T any](d *decoder, list []T) T {
	n := int(d.take(1)[0])
	if d.bad || n == 0 || n > len(list) {
		d.bad = true
		var zero T
		return zero
	}
	return list[n-1]
}
