package pack

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"hash"
	"slices"

	"revenant/fingerprints"
)

// Confirmer looks MACs up. It keeps hash states and is not safe for concurrent
// use; make one for each goroutine.
type Confirmer struct {
	pack *Pack
	macs []hash.Hash // nil until the epoch is asked for
	sum  [sha256.Size]byte
}

// NewConfirmer returns a confirmer.
func (p *Pack) NewConfirmer() *Confirmer {
	return &Confirmer{pack: p, macs: make([]hash.Hash, len(p.rows))}
}

// mac is the HMAC of raw under the epoch at index i, valid until the next call.
func (c *Confirmer) mac(i int, raw []byte) []byte {
	m := c.macs[i]
	if m == nil {
		m = c.pack.newMAC(i)
		c.macs[i] = m
	}
	m.Reset()
	m.Write(raw)
	return m.Sum(c.sum[:0])
}

// Forget drops what the confirmer keeps of the last value.
func (c *Confirmer) Forget() {
	for _, m := range c.macs {
		if m != nil {
			m.Reset()
		}
	}
}

// Lookup returns the rows whose value is raw under the MAC key of an epoch,
// sorted by id; nil when there is none. It costs one HMAC.
func (c *Confirmer) Lookup(epoch uint32, raw []byte) []fingerprints.RowID {
	i := slices.Index(c.pack.header.Epochs, epoch)
	if i < 0 {
		return nil
	}
	return sorted(c.pack.rows[i].appendRows(nil, c.mac(i, raw)))
}

// LookupAny is Lookup over every epoch of the pack.
func (c *Confirmer) LookupAny(raw []byte) []fingerprints.RowID {
	var out []fingerprints.RowID
	for i := range c.pack.rows {
		out = c.pack.rows[i].appendRows(out, c.mac(i, raw))
	}
	return sorted(out)
}

func sorted(ids []fingerprints.RowID) []fingerprints.RowID {
	slices.SortFunc(ids, func(a, b fingerprints.RowID) int { return bytes.Compare(a[:], b[:]) })
	return ids
}

// Label opens the label of a row whose value, in canonical form, is raw: who
// does not hold the value cannot. It is ErrNoLabel when the row is not in the
// pack or has another value.
func (c *Confirmer) Label(row fingerprints.RowID, raw []byte) (Label, error) {
	for i := range c.pack.rows {
		sum := c.mac(i, raw)
		unit, ok := c.pack.rows[i].label(row, sum)
		if !ok {
			continue
		}
		l, err := c.pack.labels.open(unit, row, sum)
		if err != nil {
			return Label{}, fmt.Errorf("opening the label of row %s: %w", row, err)
		}
		return l, nil
	}
	return Label{}, fmt.Errorf("opening the label of row %s: %w", row, ErrNoLabel)
}
