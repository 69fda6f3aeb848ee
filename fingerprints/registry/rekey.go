package registry

import "context"

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
// records it. The ring must have the store's id.
func (r *Registry) Rekey(ctx context.Context, a Actor, ring Ring) (Rekeyed, error) { panic("x") }
