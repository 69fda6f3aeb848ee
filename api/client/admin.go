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

// MoveSource gives a source another id.
func (c *Client) MoveSource(ctx context.Context, id, to string) (wire.SourceSummary, error) {
	return ask[wire.SourceSummary](ctx, c, http.MethodPost, "/sources/"+segment(id)+"/move", nil, map[string]string{"to": to})
}

// ForgetSource removes a source with its findings.
func (c *Client) ForgetSource(ctx context.Context, id string) error {
	_, err := ask[struct{}](ctx, c, http.MethodDelete, "/sources/"+segment(id), nil, nil)
	return err
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

// Watch is one watch.
func (c *Client) Watch(ctx context.Context, name string) (wire.Watch, error) {
	return ask[wire.Watch](ctx, c, http.MethodGet, "/watches/"+segment(name), nil, nil)
}

// NewWatch is a scan to repeat: a scanning command with its arguments, when, and
// where what opens the place lies.
type NewWatch struct {
	Name       string   `json:"name"`
	Scan       []string `json:"scan"`
	Schedule   string   `json:"schedule,omitempty"`
	Credential string   `json:"credential,omitempty"`
}

// AddWatch has a scan repeated; paths in it are the server's.
func (c *Client) AddWatch(ctx context.Context, w NewWatch) (wire.Watch, error) {
	return ask[wire.Watch](ctx, c, http.MethodPost, "/watches", nil, w)
}

// WatchChange says what of a watch changes; nil stays as it is.
type WatchChange struct {
	Paused     *bool   `json:"paused,omitempty"`
	Schedule   *string `json:"schedule,omitempty"`
	Credential *string `json:"credential,omitempty"`
}

// ChangeWatch changes a watch.
func (c *Client) ChangeWatch(ctx context.Context, name string, w WatchChange) (wire.Watch, error) {
	return ask[wire.Watch](ctx, c, http.MethodPatch, "/watches/"+segment(name), nil, w)
}

// RemoveWatch removes a watch, and says how many went: it, and of a group its
// members.
func (c *Client) RemoveWatch(ctx context.Context, name string) (int, error) {
	out, err := ask[struct{ Removed int }](ctx, c, http.MethodDelete, "/watches/"+segment(name), nil, nil)
	return out.Removed, err
}

// Workers are the processes that scan.
func (c *Client) Workers(ctx context.Context) ([]wire.Worker, error) {
	out, err := ask[struct{ Workers []wire.Worker }](ctx, c, http.MethodGet, "/workers", nil, nil)
	return out.Workers, err
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

// AuditCheck is what a look at the audit log's chain found.
type AuditCheck struct {
	Intact  bool             `json:"intact"`
	Problem string           `json:"problem"` // what does not hold
	Report  wire.AuditReport `json:"report"`
}

// VerifyAudit checks the audit log's chain, against a checkpoint where it is not
// nil.
func (c *Client) VerifyAudit(ctx context.Context, against []byte) (AuditCheck, error) {
	var body any
	if against != nil {
		body = map[string]string{"checkpoint": base64.StdEncoding.EncodeToString(against)}
	}
	return ask[AuditCheck](ctx, c, http.MethodPost, "/audit/verify", nil, body)
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
func (c *Client) AddToken(ctx context.Context, name string, scopes []wire.Scope, until time.Time, teams ...string) (NewToken, error) {
	body := map[string]any{"name": name, "scopes": scopes}
	if len(teams) > 0 {
		body["teams"] = teams
	}
	if !until.IsZero() {
		body["expires_at"] = until
	}
	return ask[NewToken](ctx, c, http.MethodPost, "/tokens", nil, body)
}

// Tokens are a page of a list.
type Tokens struct {
	Tokens []wire.TokenView `json:"tokens"`
	Next   string           `json:"next"` // empty: this is the last page
}

// Tokens lists tokens in order of name, with their last use, revoked ones too; after is
// the Next of the page before.
func (c *Client) Tokens(ctx context.Context, after string, limit int) (Tokens, error) {
	return ask[Tokens](ctx, c, http.MethodGet, "/tokens", values("after", after, "limit", number(limit)), nil)
}

// RevokeToken ends a token, by its name or id.
func (c *Client) RevokeToken(ctx context.Context, idOrName string) (wire.TokenView, error) {
	return ask[wire.TokenView](ctx, c, http.MethodDelete, "/tokens/"+segment(idOrName), nil, nil)
}

// Notifications lists messages to receivers, the newest first: of one receiver or
// state where they are given.
func (c *Client) Notifications(ctx context.Context, receiver, state string, limit int) ([]wire.Delivery, error) {
	out, err := ask[struct{ Notifications []wire.Delivery }](ctx, c, http.MethodGet, "/notifications", values("receiver", receiver, "state", state, "limit", number(limit)), nil)
	return out.Notifications, err
}

// Notification is a message with what it tells.
func (c *Client) Notification(ctx context.Context, id string) (wire.DeliveryDetail, error) {
	return ask[wire.DeliveryDetail](ctx, c, http.MethodGet, "/notifications/"+segment(id), nil, nil)
}

// RetryNotification has a message sent again that was given up.
func (c *Client) RetryNotification(ctx context.Context, id string) error {
	_, err := ask[struct{}](ctx, c, http.MethodPost, "/notifications/"+segment(id)+"/retry", nil, nil)
	return err
}

// Status is the registry in numbers.
func (c *Client) Status(ctx context.Context) (wire.RegistryStatus, error) {
	out, err := ask[struct{ Registry wire.RegistryStatus }](ctx, c, http.MethodGet, "/status", nil, nil)
	return out.Registry, err
}
