package client

import (
	"context"
	"net/http"

	"revenant/api/wire"
)

// TellScan tells what a scan found, or a part of it; the same part may be told again.
func (c *Client) TellScan(ctx context.Context, r wire.ScanResults) (wire.ScanTold, error) {
	return ask[wire.ScanTold](ctx, c, http.MethodPost, "/scans", nil, r)
}
