package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints"
)

// SecretFilter selects secrets; zero fields select everything.
type SecretFilter struct {
	Prefix string
	Class  fingerprints.Class
	Owner  string
	State  fingerprints.State
	After  string // the Next of the page before
	Limit  int    // 0: the server's choice
}

// Secrets is a page of secrets.
type Secrets struct {
	Secrets []wire.SecretSummary `json:"secrets"`
	Next    string               `json:"next"` // empty: this is the last page
}

// values are those that are not empty.
func values(pairs ...string) url.Values {
	out := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			out.Add(pairs[i], pairs[i+1])
		}
	}
	return out
}

// number is a number as a parameter; 0 is none.
func number[N int | uint64](n N) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatUint(uint64(n), 10)
}

// Secrets lists secrets in order of name.
func (c *Client) Secrets(ctx context.Context, f SecretFilter) (Secrets, error) {
	return ask[Secrets](ctx, c, http.MethodGet, "/secrets", values(
		"prefix", f.Prefix, "class", string(f.Class), "owner", f.Owner, "state", string(f.State), "after", f.After, "limit", number(f.Limit)), nil)
}

// Secret is all that is known of one.
func (c *Client) Secret(ctx context.Context, name string) (wire.SecretView, error) {
	return ask[wire.SecretView](ctx, c, http.MethodGet, "/secrets/"+segment(name), nil, nil)
}

// History is what was done to a secret, the oldest first.
func (c *Client) History(ctx context.Context, name string) ([]wire.AuditEntry, error) {
	out, err := ask[struct{ Entries []wire.AuditEntry }](ctx, c, http.MethodGet, "/secrets/"+segment(name)+"/history", nil, nil)
	return out.Entries, err
}

func versionPath(ref fingerprints.VersionRef, word string) string {
	return fmt.Sprintf("/secrets/%s/versions/%d/%s", segment(ref.Name), ref.Number, word)
}

func (c *Client) command(ctx context.Context, ref fingerprints.VersionRef, word string, body any) (wire.Changed, error) {
	return ask[wire.Changed](ctx, c, http.MethodPost, versionPath(ref, word), nil, body)
}

func windowOf(d time.Duration) any {
	if d == 0 {
		return nil
	}
	return map[string]string{"window": d.String()}
}

// Supersede moves a version from active to superseded; the window is for how long
// both are used, 0: without an end.
func (c *Client) Supersede(ctx context.Context, ref fingerprints.VersionRef, window time.Duration) (wire.Changed, error) {
	return c.command(ctx, ref, "supersede", windowOf(window))
}

// Activate moves a version to active, also back; the window is that of the
// version that it displaces.
func (c *Client) Activate(ctx context.Context, ref fingerprints.VersionRef, window time.Duration) (wire.Changed, error) {
	return c.command(ctx, ref, "activate", windowOf(window))
}

// Retire retires a version for ever; noSuccessor permits it of the last active one.
func (c *Client) Retire(ctx context.Context, ref fingerprints.VersionRef, noSuccessor bool) (wire.Changed, error) {
	return c.command(ctx, ref, "retire", map[string]bool{"no_successor": noSuccessor})
}

// Compromise says that others know a version's value.
func (c *Client) Compromise(ctx context.Context, ref fingerprints.VersionRef) (wire.Changed, error) {
	return c.command(ctx, ref, "compromise", nil)
}

// Abandon moves a version from pending to abandoned.
func (c *Client) Abandon(ctx context.Context, ref fingerprints.VersionRef) (wire.Changed, error) {
	return c.command(ctx, ref, "abandon", nil)
}

// Ack says that a consumer uses a version.
func (c *Client) Ack(ctx context.Context, ref fingerprints.VersionRef, consumer string) (wire.Acknowledged, error) {
	return ask[wire.Acknowledged](ctx, c, http.MethodPost, versionPath(ref, "acks"), nil, map[string]string{"consumer": consumer})
}

// Coverage is where a version was searched for, and where not and why.
func (c *Client) Coverage(ctx context.Context, ref fingerprints.VersionRef) (wire.Coverage, error) {
	return ask[wire.Coverage](ctx, c, http.MethodGet, versionPath(ref, "coverage"), nil, nil)
}

// Prove signs what is known of copies of a version.
func (c *Client) Prove(ctx context.Context, ref fingerprints.VersionRef, includeHistory bool, acceptSkip []string) (wire.SignedProof, error) {
	body := map[string]any{"include_history": includeHistory}
	if len(acceptSkip) > 0 {
		body["accept_skip"] = acceptSkip
	}
	out, err := ask[struct {
		Proof    wire.Proof
		Document json.RawMessage
	}](ctx, c, http.MethodPost, versionPath(ref, "proofs"), nil, body)
	return wire.SignedProof{Proof: out.Proof, Document: out.Document}, err
}

// VerifyProof has a proof's signature checked, and returns what was signed.
func (c *Client) VerifyProof(ctx context.Context, document []byte) (wire.Proof, error) {
	out, err := ask[struct{ Proof wire.Proof }](ctx, c, http.MethodPost, "/proofs/verify", nil, map[string]json.RawMessage{"document": document})
	return out.Proof, err
}

// Home is a place that may hold a secret's active and superseded values.
type Home struct {
	Source string    `json:"source,omitempty"` // glob; "": any
	Path   string    `json:"path,omitempty"`   // glob; "": any
	Until  time.Time `json:"until,omitzero"`   // zero: no end
	Reason string    `json:"reason"`
}

// Allow allows a place.
func (c *Client) Allow(ctx context.Context, name string, h Home) (wire.AllowResult, error) {
	return ask[wire.AllowResult](ctx, c, http.MethodPost, "/secrets/"+segment(name)+"/homes", nil, h)
}

// Unallow takes an allowed place back.
func (c *Client) Unallow(ctx context.Context, name string, id int64) (wire.AllowResult, error) {
	return ask[wire.AllowResult](ctx, c, http.MethodDelete, fmt.Sprintf("/secrets/%s/homes/%d", segment(name), id), nil, nil)
}
