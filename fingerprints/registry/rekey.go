package registry

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"revenant/fingerprints"
	"revenant/fingerprints/keys"
)

// Rekeyed is what a rotated ring means for what is registered.
type Rekeyed struct {
	Epoch uint32 `json:"epoch"`
	// Current, Older and Unsearchable count fields under the newest epoch,
	// under older ones that packs still hold, and under filter generations
	// that packs hold no more: those are found again once re-registered.
	Current      int      `json:"current"`
	Older        int      `json:"older"`
	Unsearchable int      `json:"unsearchable"`
	Names        []string `json:"names,omitempty"` // secrets to re-register first
}

// Rekey takes over a ring that was rotated (keys.Ring.Rotate) and saved, and
// records it. The ring must be the store's own, or it is ErrForeignRing.
func (r *Registry) Rekey(ctx context.Context, a Actor, ring *keys.Ring) (Rekeyed, error) {
	if ring == nil {
		return Rekeyed{}, fmt.Errorf("rotating keys: %w", ErrNoRing)
	}
	before := r.ring.Load()
	if before != nil && (before.ID() != ring.ID() || before.Installation() != ring.Installation()) {
		return Rekeyed{}, fmt.Errorf("rotating keys: %w", ErrForeignRing)
	}
	r.ring.Store(ring)
	var out Rekeyed
	err := r.update(ctx, a, ScopeAdmin, "rotating keys", func(c *change) error {
		out = Rekeyed{Epoch: ring.Epoch()}
		if err := c.countEpochs(ctx, &out); err != nil {
			return err
		}
		epochs := ring.Epochs()
		c.note("key.rotate", "", map[string]string{
			"epoch": strconv.FormatUint(uint64(out.Epoch), 10), "reason": string(epochs[len(epochs)-1].Reason),
			"older": strconv.Itoa(out.Older), "unsearchable": strconv.Itoa(out.Unsearchable),
		})
		c.touch(touchPack)
		return nil
	})
	if err != nil {
		r.ring.Store(before)
		return Rekeyed{}, err
	}
	return out, nil
}

// shownNames is how many secrets Rekeyed names.
const shownNames = 100

func (c *change) countEpochs(ctx context.Context, out *Rekeyed) error {
	gens := c.ring.FilterGens()
	first := map[string]bool{}
	err := c.tx.EachField(ctx, func(f fingerprints.FieldRow, v fingerprints.Version) error {
		switch {
		case f.Unsearchable != "":
		case !slices.Contains(gens, f.FilterGen):
			out.Unsearchable++
			first[v.Secret] = true
		case f.Epoch < c.ring.Epoch() || f.FilterGen < gens[0]:
			out.Older++
		default:
			out.Current++
		}
		return nil
	})
	names := sortedKeys(first)
	out.Names = names[:min(shownNames, len(names))]
	return err
}
