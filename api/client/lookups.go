package client

import (
	"context"
	"encoding/hex"
	"net/http"

	"revenant/api/wire"
)

// LookUp asks which of wire.LookUpBatch tags are of registered values that no edge pack
// has. Each tag is 16 bytes; what is missing is the caller's to fill up with random
// ones.
func (c *Client) LookUp(ctx context.Context, tags [][16]byte) (wire.LookedUp, error) {
	texts := make([]string, len(tags))
	for i, tag := range tags {
		texts[i] = hex.EncodeToString(tag[:])
	}
	return ask[wire.LookedUp](ctx, c, http.MethodPost, "/lookups", nil, map[string]any{"tags": texts})
}
