package client

import (
	"context"
	"net/http"

	"revenant/api/wire"
)

// RegistrarState is what a registrar works with.
func (c *Client) RegistrarState(ctx context.Context) (wire.RegistrarState, error) {
	return ask[wire.RegistrarState](ctx, c, http.MethodGet, "/registrar", nil, nil)
}

// KnownRows are the sealed rows of values that are registered, by ids in hex, and of a
// secret's versions where one is named.
func (c *Client) KnownRows(ctx context.Context, values []string, secret string) (wire.KnownRows, error) {
	return ask[wire.KnownRows](ctx, c, http.MethodPost, "/registrar/known", nil, map[string]any{"values": append([]string{}, values...), "secret": secret})
}

// AddSecret registers version 1 of a new secret.
func (c *Client) AddSecret(ctx context.Context, r wire.Registration) (wire.RegisteredView, error) {
	return ask[wire.RegisteredView](ctx, c, http.MethodPost, "/secrets", nil, r)
}

// RotateSecret registers a new active value and supersedes the old one.
func (c *Client) RotateSecret(ctx context.Context, r wire.Registration) (wire.RegisteredView, error) {
	return ask[wire.RegisteredView](ctx, c, http.MethodPost, "/secrets/rotate", nil, r)
}

// IssueSecret registers values that were generated, one for each consumer in order of
// name.
func (c *Client) IssueSecret(ctx context.Context, r wire.Registration) ([]wire.RegisteredView, error) {
	out, err := ask[struct{ Versions []wire.RegisteredView }](ctx, c, http.MethodPost, "/secrets/issue", nil, r)
	return out.Versions, err
}

// AdoptFinding registers the value of a generic finding.
func (c *Client) AdoptFinding(ctx context.Context, id string, r wire.Registration) (wire.RegisteredView, error) {
	return ask[wire.RegisteredView](ctx, c, http.MethodPost, "/findings/"+segment(id)+"/adopt", nil, r)
}

// ImportSecrets registers many values.
func (c *Client) ImportSecrets(ctx context.Context, records []wire.Registration, force bool) (wire.ImportedView, error) {
	return ask[wire.ImportedView](ctx, c, http.MethodPost, "/secrets/import", nil, map[string]any{"records": records, "force": force})
}
