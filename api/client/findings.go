package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints"
)

// FindingFilter selects findings; zero fields select everything.
type FindingFilter struct {
	Secret    string
	Version   int // with Secret
	Source    string
	PathGlob  string
	Rule      string
	Owner     string
	Verdicts  []fingerprints.Verdict
	Statuses  []fingerprints.Status
	Presences []fingerprints.Presence
}

func (f FindingFilter) query() url.Values {
	q := values("secret", f.Secret, "version", number(f.Version), "source", f.Source, "path", f.PathGlob, "rule", f.Rule, "owner", f.Owner)
	for name, list := range map[string][]string{"verdict": words(f.Verdicts), "status": words(f.Statuses), "presence": words(f.Presences)} {
		if len(list) > 0 {
			q.Set(name, strings.Join(list, ","))
		}
	}
	return q
}

func words[T ~string](list []T) (out []string) {
	for _, w := range list {
		out = append(out, string(w))
	}
	return out
}

// Findings is a page of findings.
type Findings struct {
	Findings []wire.FindingView `json:"findings"`
	Next     string             `json:"next"` // empty: this is the last page
}

// Findings lists findings in order of id; after is the Next of the page before.
func (c *Client) Findings(ctx context.Context, f FindingFilter, after string, limit int) (Findings, error) {
	q := f.query()
	for name, v := range values("after", after, "limit", number(limit)) {
		q[name] = v
	}
	return ask[Findings](ctx, c, http.MethodGet, "/findings", q, nil)
}

// CountFindings counts findings by verdict.
func (c *Client) CountFindings(ctx context.Context, f FindingFilter) (map[fingerprints.Verdict]int, error) {
	out, err := ask[struct{ Verdicts map[fingerprints.Verdict]int }](ctx, c, http.MethodGet, "/findings/counts", f.query(), nil)
	return out.Verdicts, err
}

// Finding is one finding with its places and its history, by its id or a beginning
// of it.
func (c *Client) Finding(ctx context.Context, id string) (wire.FindingDetail, error) {
	return ask[wire.FindingDetail](ctx, c, http.MethodGet, "/findings/"+segment(id), nil, nil)
}

// Triage is what people say of a finding.
type Triage struct {
	Action string    `json:"action"` // accept, dismiss, assign, reopen, due
	Until  time.Time `json:"until,omitzero"`
	Reason string    `json:"reason,omitempty"`
	Owner  string    `json:"owner,omitempty"`
	Due    time.Time `json:"due,omitzero"`
}

// Triage changes one finding.
func (c *Client) Triage(ctx context.Context, id string, t Triage) (wire.FindingView, error) {
	return ask[wire.FindingView](ctx, c, http.MethodPost, "/findings/"+segment(id)+"/triage", nil, t)
}

// Decision is what people say of a value everywhere, or of what a rule finds.
type Decision struct {
	Finding string              `json:"finding,omitempty"` // one that has the value
	Rule    string              `json:"rule,omitempty"`
	Source  string              `json:"source,omitempty"` // glob
	Path    string              `json:"path,omitempty"`   // glob
	Status  fingerprints.Status `json:"status"`
	Until   time.Time           `json:"until,omitzero"`
	Reason  string              `json:"reason"`
	Owner   string              `json:"owner,omitempty"`
}

// Decide makes a decision.
func (c *Client) Decide(ctx context.Context, d Decision) (wire.DecisionResult, error) {
	return ask[wire.DecisionResult](ctx, c, http.MethodPost, "/decisions", nil, d)
}

// Decisions are a page of a list.
type Decisions struct {
	Decisions []wire.DecisionView `json:"decisions"`
	Next      string              `json:"next"` // empty: this is the last page
}

// Decisions lists what was decided of values everywhere, and of rules, in order of
// id; after is the Next of the page before.
func (c *Client) Decisions(ctx context.Context, after string, limit int) (Decisions, error) {
	return ask[Decisions](ctx, c, http.MethodGet, "/decisions", values("after", after, "limit", number(limit)), nil)
}

// RevokeDecision takes a decision back.
func (c *Client) RevokeDecision(ctx context.Context, id int64) (wire.DecisionResult, error) {
	return ask[wire.DecisionResult](ctx, c, http.MethodDelete, "/decisions/"+strconv.FormatInt(id, 10), nil, nil)
}

// Search is what is searched for, and how much of it is wanted.
type Search struct {
	Query  string
	Limit  int    // 0: the server's choice
	After  string // the next of the page before, in the same order
	Order  string // worst or oldest; empty: worst
	Facets []string
	Top    int // values of each facet; 0: the server's choice
}

// Search finds findings by words and conditions. The answer is decoded into out,
// since its type is the index's.
func (c *Client) Search(ctx context.Context, s Search, out any) error {
	raw, err := ask[json.RawMessage](ctx, c, http.MethodGet, "/search", values(
		"q", s.Query, "limit", number(s.Limit), "after", s.After, "order", s.Order, "facets", strings.Join(s.Facets, ","), "top", number(s.Top)), nil)
	if err != nil {
		return err
	}
	if json.Unmarshal(raw, out) != nil {
		return ErrNoServer
	}
	return nil
}

// Suggest says what may follow in a query that is being typed.
func (c *Client) Suggest(ctx context.Context, begun string, limit int) ([]string, error) {
	out, err := ask[struct{ Suggestions []string }](ctx, c, http.MethodGet, "/search/suggestions", values("q", begun, "limit", number(limit)), nil)
	return out.Suggestions, err
}

// Export calls fn for every finding, with its places and its history. It returns
// ErrCutOff when the answer ends before all were told.
func (c *Client) Export(ctx context.Context, f FindingFilter, fn func(wire.FindingDetail) error) error {
	a, err := c.send(ctx, http.MethodGet, "/findings/export", f.query(), nil, nil)
	if err != nil {
		return err
	}
	defer a.Body.Close()
	for d := json.NewDecoder(a.Body); ; {
		var line struct {
			wire.FindingDetail
			End *int `json:"end"`
		}
		switch err := d.Decode(&line); {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return ErrCutOff
		case line.End != nil:
			return nil
		}
		if err := fn(line.FindingDetail); err != nil {
			return err
		}
	}
}

// Event is a finding as it is now, and where to go on behind it.
type Event struct {
	ID      string
	Finding wire.FindingView
}

// longestEvent bounds a line of the stream, in bytes.
const longestEvent = 16 << 20

// Events calls fn for each finding that changes, from behind an event that was
// heard before, or from now on. It returns when the context ends, when fn fails,
// or when the server ends the stream: call it again then, with the last id.
func (c *Client) Events(ctx context.Context, last string, fn func(Event) error) error {
	header := http.Header{}
	if last != "" {
		header.Set("Last-Event-ID", last)
	}
	a, err := c.send(ctx, http.MethodGet, "/events", nil, nil, header)
	if err != nil {
		return err
	}
	defer a.Body.Close()
	lines := bufio.NewScanner(a.Body)
	lines.Buffer(nil, longestEvent)
	var e Event
	for lines.Scan() {
		line := lines.Bytes()
		if id, is := bytes.CutPrefix(line, []byte("id: ")); is {
			e.ID = string(id)
		}
		body, is := bytes.CutPrefix(line, []byte("data: "))
		if !is {
			continue
		}
		e.Finding = wire.FindingView{}
		if err := json.Unmarshal(body, &e.Finding); err != nil {
			return ErrNoServer
		}
		if err := fn(e); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return lines.Err()
}
