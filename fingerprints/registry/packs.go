package registry

import (
	"context"
	"io"
	"time"

	"revenant/fingerprints"
)

// PackRequest says which pack to build.
type PackRequest struct {
	Audience fingerprints.Audience
	Group    string    // group of edge holders
	Expires  time.Time // zero: never
}

// PackInfo is what a built pack holds.
type PackInfo struct {
	PackRevision  uint64 `json:"pack_revision"`
	FieldRevision uint64 `json:"field_revision"`
	Fields        int    `json:"fields"`
	// LeftOut counts registered fields that the pack cannot hold: weak or
	// core ones (edge audience), unsearchable ones, and ones of an older
	// format or filter generation.
	LeftOut map[string]int `json:"left_out,omitempty"`
	Bytes   int64          `json:"bytes"`
}

// BuildPack streams a pack of every searchable field to w.
func (r *Registry) BuildPack(ctx context.Context, a Actor, q PackRequest, w io.Writer) (PackInfo, error) {
	panic("x")
}

// PackKey names the pack that BuildPack would build now; a cached pack under
// the same key is up to date.
type PackKey struct {
	Ring          fingerprints.RingID
	Audience      fingerprints.Audience
	Epoch         uint32
	PackRevision  uint64
	FieldRevision uint64
}

// PackKey returns the key for an audience. Needs ScopeScan or ScopePack.
func (r *Registry) PackKey(ctx context.Context, a Actor, aud fingerprints.Audience) (PackKey, error) {
	panic("x")
}
