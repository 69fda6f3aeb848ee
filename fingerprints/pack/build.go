package pack

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/anchor"
	"revenant/fingerprints/keys"
	"revenant/fingerprints/registration"
)

// Sentinel errors of building; they are wrapped.
var (
	// ErrNotAdmitted: the value is too weak for the pack's audience. The entry
	// is left out and building goes on.
	ErrNotAdmitted = errors.New("the value is too weak for packs of this audience")
	// ErrGenerations: the entry belongs to a third filter generation. It is
	// left out; the value is searchable again when it is registered again.
	ErrGenerations = errors.New("a pack holds two filter generations: the value must be registered again")
	errTooMany     = errors.New("a pack cannot hold so many entries")
)

// maxGens is how many filter generations a pack holds.
const maxGens = 2

// Spec is what a pack is built as.
type Spec struct {
	Audience      fingerprints.Audience
	Group         string // of edge holders, for people to see
	Revision      uint64
	FieldRevision uint64
	Created       time.Time
	Expires       time.Time // zero: never
	Registered    int       // fields in the registry; 0: as many as were given to Add
}

// Builder collects entries and writes a pack. It holds tables and sealed
// labels in memory, about 250 bytes an entry, and no plaintext; it is not safe
// for concurrent use.
type Builder struct {
	ks     keys.Signer
	header Header
	given  int
	epochs []epochRows
	tables []*tableRows
	labels chunks
}

// chunks is a long run of bytes that grows without being copied.
type chunks struct {
	full [][]byte
	last []byte
	size int64
}

// add appends what f appends; after an error nothing was added.
func (c *chunks) add(f func(dst []byte) ([]byte, error)) error {
	if cap(c.last)-len(c.last) < 4*maxLabelText {
		if len(c.last) > 0 {
			c.full = append(c.full, c.last)
		}
		c.last = make([]byte, 0, segmentLen)
	}
	out, err := f(c.last)
	if err != nil {
		return err
	}
	c.size += int64(len(out) - len(c.last))
	c.last = out
	return nil
}

// epochRows are the MACs of one epoch.
type epochRows struct {
	epoch uint32
	rows  []row
}

type row struct {
	mac   [macLen]byte
	id    fingerprints.RowID
	label uint32
}

// tableRows are the regions of one geometry and filter generation.
type tableRows struct {
	shape   tableShape
	windows []uint64
	single  []tag
	spread  []tag
}

type tag struct {
	tag            uint64
	offset, length uint32
	others         [2]uint32
	epoch          uint32
	kind           Kind
}

// NewBuilder starts a pack, signed and sealed by ks: a *keys.Ring, or its
// Issuer for a group of edge holders. rand gives the pack's salt.
func NewBuilder(ks keys.Signer, rand io.Reader, s Spec) (*Builder, error) {
	if codeOf(audiences(), s.Audience) == 0 {
		return nil, fmt.Errorf("building a pack: %q is no audience", s.Audience)
	}
	b := &Builder{ks: ks, header: Header{
		Format: Format, Ring: ks.ID(), Installation: ks.Installation(), Audience: s.Audience, Group: s.Group,
		Revision: s.Revision, FieldRevision: s.FieldRevision, Created: s.Created, Expires: s.Expires,
		KeyEpoch: ks.Epoch(), Registered: s.Registered,
	}}
	if _, err := io.ReadFull(rand, b.header.salt[:]); err != nil {
		return nil, fmt.Errorf("building a pack: reading a salt: %w", err)
	}
	return b, nil
}

// Add puts an entry into the pack. Errors leave the pack as it was.
func (b *Builder) Add(e registration.Entry, l Label) error {
	b.given++
	a := e.Anchors(b.header.Audience)
	switch {
	case a == nil:
		return fmt.Errorf("row %s: %w", e.Row, ErrNotAdmitted)
	case b.labels.size/labelUnit >= math.MaxUint32-1<<16:
		return fmt.Errorf("row %s: %w", e.Row, errTooMany)
	}
	t, err := b.table(e.FilterGen, a.Geometry)
	if err != nil {
		return fmt.Errorf("row %s: %w", e.Row, err)
	}
	rows, err := b.epoch(e.Epoch)
	if err != nil {
		return fmt.Errorf("row %s: %w", e.Row, err)
	}
	unit := uint32(b.labels.size / labelUnit)
	err = b.labels.add(func(dst []byte) ([]byte, error) {
		return appendSealedLabel(dst, b.header.salt, e.Row, a.MAC[:], l)
	})
	if err != nil {
		return fmt.Errorf("row %s: %w", e.Row, err)
	}
	rows.rows = append(rows.rows, row{mac: [macLen]byte(a.MAC[:]), id: e.Row, label: unit})
	t.add(e, a)
	b.count(e)
	return nil
}

// count keeps the header's figures.
func (b *Builder) count(e registration.Entry) {
	h := &b.header
	h.Count++
	if e.Kind == KindPrivateKey {
		h.PrivateKeys++
		return
	}
	n := int(e.Length)
	h.MaxLength = max(h.MaxLength, n)
	if h.MinLength == 0 || n < h.MinLength {
		h.MinLength = n
	}
}

// table returns the table of a generation and geometry.
func (b *Builder) table(gen uint32, g anchor.Geometry) (*tableRows, error) {
	var gens []uint32
	for _, t := range b.tables {
		if t.shape.gen == gen && t.shape.geometry == g {
			return t, nil
		}
		if !slices.Contains(gens, t.shape.gen) {
			gens = append(gens, t.shape.gen)
		}
	}
	if len(gens) == maxGens && !slices.Contains(gens, gen) {
		return nil, ErrGenerations
	}
	t := &tableRows{shape: tableShape{gen: gen, geometry: g}}
	b.tables = append(b.tables, t)
	return t, nil
}

func (b *Builder) epoch(epoch uint32) (*epochRows, error) {
	i := slices.IndexFunc(b.epochs, func(e epochRows) bool { return e.epoch == epoch })
	if i < 0 {
		if len(b.epochs) == maxEpochs {
			return nil, errTooMany
		}
		i = len(b.epochs)
		b.epochs = append(b.epochs, epochRows{epoch: epoch})
	}
	return &b.epochs[i], nil
}

// add appends the regions of an entry.
func (t *tableRows) add(e registration.Entry, a *registration.Anchors) {
	for i, r := range a.Regions {
		t.windows = append(t.windows, r.Windows...)
		x := tag{tag: r.Tag, length: e.Length, epoch: e.Epoch, kind: e.Kind}
		if e.Kind == KindValue {
			x.offset = r.Offset
		}
		if e.Kind == KindPrivateKey || len(a.Regions) == 1 {
			t.single = append(t.single, x)
			continue
		}
		n := 0
		for j, o := range a.Regions {
			if j != i && n < len(x.others) {
				x.others[n] = o.Offset
				n++
			}
		}
		t.spread = append(t.spread, x)
	}
}
