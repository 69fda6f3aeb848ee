package client

import (
	"context"
	"encoding/base64"
	"net/http"
	"time"

	"revenant/api/wire"
)

// Sources is a page of sources.
type Sources struct {
	Sources []wire.SourceSummary `json:"sources"`
	Next    string               `json:"next"` // empty: this is the last page
}

// Sources lists sources in order of id; after is the Next of the page before.
func (c *Client) Sources(ctx context.Context, after string, limit int) (Sources, error) {
	return ask[Sources](ctx, c, http.MethodGet, "/sources", values("after", after, "limit", number(limit)), nil)
}

// Source is one source with its scans.
func (c *Client) Source(ctx context.Context, id string) (wire.SourceView, error) {
	return ask[wire.SourceView](ctx, c, http.MethodGet, "/sources/"+segment(id), nil, nil)
}

// Watches is a page of watches.
type Watches struct {
	Watches []wire.Watch `json:"watches"`
	Next    string       `json:"next"` // empty: this is the last page
}

// Watches lists what is watched in order of name; after is the Next of the page
// before.
func (c *Client) Watches(ctx context.Context, after string, limit int) (Watches, error) {
	return ask[Watches](ctx, c, http.MethodGet, "/watches", values("after", after, "limit", number(limit)), nil)
}

// ScanWatch asks for a scan of a watch before others.
func (c *Client) ScanWatch(ctx context.Context, name string) error {
	_, err := ask[struct{}](ctx, c, http.MethodPost, "/watches/"+segment(name)+"/scan", nil, nil)
	return err
}

// Audit is a page of the audit log.
type Audit struct {
	Entries []wire.AuditEntry `json:"entries"`
	Next    uint64            `json:"next"` // 0: this is the last page
}

// Audit lists the audit log from a sequence number on, the oldest first.
func (c *Client) Audit(ctx context.Context, from uint64, limit int) (Audit, error) {
	return ask[Audit](ctx, c, http.MethodGet, "/audit", values("from", number(from), "limit", number(limit)), nil)
}

// Checkpoint signs the audit log's head.
func (c *Client) Checkpoint(ctx context.Context) ([]byte, error) {
	out, err := ask[struct{ Checkpoint string }](ctx, c, http.MethodPost, "/audit/checkpoints", nil, nil)
	if err != nil {
		return nil, err
	}
	b, err := base64.StdEncoding.DecodeString(out.Checkpoint)
	if err != nil {
		return nil, ErrNoServer
	}
	return b, nil
}

// NewToken is a token that was just made; Token is what is to be shown, for once.
type NewToken struct {
	wire.TokenView
	Token string `json:"token"`
}

// AddToken makes a token; a zero time is no end.
func (c *Client) AddToken(ctx context.Context, name string, scopes []wire.Scope, until time.Time) (NewToken, error) {
	body := map[string]any{"name": name, "scopes": scopes}
	if !until.IsZero() {
		body["expires_at"] = until
	}
	return ask[NewToken](ctx, c, http.MethodPost, "/tokens", nil, body)
}

// RevokeToken ends a token, by its name or id.
func (c *Client) RevokeToken(ctx context.Context, idOrName string) (wire.TokenView, error) {
	return ask[wire.TokenView](ctx, c, http.MethodDelete, "/tokens/"+segment(idOrName), nil, nil)
}
