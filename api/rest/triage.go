package rest

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/registry"
)

// Triage is what people say of a finding.
type Triage struct {
	Action string    `json:"action" enum:"accept,dismiss,assign,reopen,due"`
	Until  time.Time `json:"until,omitzero" doc:"With accept: its end."`
	Reason string    `json:"reason,omitempty" maxLength:"1000" doc:"With accept and dismiss."`
	Owner  string    `json:"owner,omitempty" maxLength:"512" doc:"With assign; nobody without it."`
	Due    time.Time `json:"due,omitzero" doc:"With due: until when it has to be cleared up; without it, that follows from its verdict again."`
}

func (s *server) triageRoutes() {
	type triageRequest struct {
		FindingID
		Body Triage
	}
	type one struct{ Body wire.FindingView }
	add(s, route{id: "triage-finding", method: http.MethodPost, path: "/findings/{id}/triage", scope: registry.ScopeTriage, summary: "Accept, dismiss, assign or reopen a finding, or set when it is due"},
		func(ctx context.Context, a registry.Actor, in *triageRequest) (*one, error) {
			if err := s.fit(ctx, in.Body); err != nil {
				return nil, err
			}
			f, err := s.triage(ctx, a, in.ID, in.Body)
			return &one{f}, err
		})
	type bulkRequest struct {
		Body struct {
			IDs []string `json:"ids" minItems:"1" maxItems:"1000" nullable:"false"`
			Triage
		}
	}
	type bulkResult struct {
		ID      string            `json:"id"`
		Finding *wire.FindingView `json:"finding,omitempty"`
		Problem *wire.Problem     `json:"problem,omitempty" doc:"Why this one was not changed."`
	}
	type bulkAnswer struct {
		Body struct {
			Changed int          `json:"changed"`
			Results []bulkResult `json:"results" nullable:"false" doc:"In the order that was asked for."`
		}
	}
	add(s, route{
		id: "triage-findings", method: http.MethodPost, path: "/findings/triage", scope: registry.ScopeTriage, summary: "The same for many findings",
		long: "Each is changed by itself: what cannot be done of one is told, and does not keep the others. Asking again changes nothing more.",
	}, func(ctx context.Context, a registry.Actor, in *bulkRequest) (*bulkAnswer, error) {
		out := &bulkAnswer{}
		if err := s.fit(ctx, in.Body.Triage); err != nil {
			return nil, err
		}
		for i, id := range in.Body.IDs {
			f, err := s.triage(ctx, a, id, in.Body.Triage)
			if err != nil {
				p := s.problemOf(ctx, "triage-findings", err)
				if p.Status == http.StatusServiceUnavailable && i == 0 {
					return nil, p
				}
				out.Body.Results = append(out.Body.Results, bulkResult{ID: knownID(id), Problem: &p.Problem})
				continue
			}
			out.Body.Changed++
			out.Body.Results = append(out.Body.Results, bulkResult{ID: string(f.ID), Finding: &f})
		}
		return out, nil
	})
	s.decisionRoutes()
}

// knownID is an id as it was asked for, if it is one: anything else is not repeated.
func knownID(id string) string {
	if len(id) > len("rv1:")+32 {
		return ""
	}
	for _, c := range []byte(id) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') && c != 'r' && c != 'v' && c != ':' {
			return ""
		}
	}
	return id
}

// fit refuses words that the action does not take, which would be dropped, and texts
// that hold a registered value.
func (s *server) fit(ctx context.Context, v Triage) error {
	accept := v.Action == "accept"
	for _, w := range []struct {
		pointer, way string
		extra        bool
	}{
		{"/until", "goes with accept alone", !accept && !v.Until.IsZero()},
		{"/reason", "goes with accept and dismiss alone", !accept && v.Action != "dismiss" && v.Reason != ""},
		{"/owner", "goes with assign alone", v.Action != "assign" && v.Owner != ""},
		{"/due", "goes with due alone", v.Action != "due" && !v.Due.IsZero()},
	} {
		if w.extra {
			return invalidAt(w.pointer, errors.New(w.way))
		}
	}
	return s.o.Refuse(ctx, v.Reason, v.Owner)
}

func (s *server) triage(ctx context.Context, a registry.Actor, id string, v Triage) (wire.FindingView, error) {
	switch v.Action {
	case "accept":
		return s.o.Registry.Accept(ctx, a, id, v.Until, v.Reason)
	case "dismiss":
		return s.o.Registry.Dismiss(ctx, a, id, v.Reason)
	case "assign":
		return s.o.Registry.Assign(ctx, a, id, v.Owner)
	case "due":
		return s.o.Registry.SetDue(ctx, a, id, v.Due)
	}
	return s.o.Registry.Reopen(ctx, a, id)
}

func (s *server) decisionRoutes() {
	type decisionPage struct {
		Body struct {
			Decisions []wire.DecisionView `json:"decisions" nullable:"false"`
			Next      string              `json:"next,omitempty" doc:"Of after, for the next page; absent on the last."`
		}
	}
	add(s, route{id: "list-decisions", method: http.MethodGet, path: "/decisions", scope: registry.ScopeRead, summary: "What was decided of values everywhere, and of rules"},
		func(ctx context.Context, a registry.Actor, in *Page) (*decisionPage, error) {
			after, err := strconv.ParseInt(cmp.Or(in.After, "0"), 10, 64)
			if err != nil {
				return nil, badAfter()
			}
			all, err := s.o.Registry.Decisions(ctx, a)
			all = slices.DeleteFunc(all, func(d wire.DecisionView) bool { return d.ID <= after })
			out := &decisionPage{}
			out.Body.Decisions, out.Body.Next = paged(all, in.Limit, func(d wire.DecisionView) string { return strconv.FormatInt(d.ID, 10) })
			return out, err
		})
	type decideRequest struct {
		Body struct {
			Finding string    `json:"finding,omitempty" maxLength:"64" doc:"One that has the value; or give rule."`
			Rule    string    `json:"rule,omitempty" maxLength:"256" doc:"A generic rule, or * for all; with path."`
			Source  string    `json:"source,omitempty" maxLength:"2048" doc:"Glob over source ids; all without it."`
			Path    string    `json:"path,omitempty" maxLength:"2048" doc:"Glob over paths."`
			Status  string    `json:"status" enum:"accepted,false-positive"`
			Until   time.Time `json:"until,omitzero"`
			Reason  string    `json:"reason" minLength:"1" maxLength:"1000"`
			Owner   string    `json:"owner,omitempty" maxLength:"512"`
		}
	}
	type decided struct{ Body wire.DecisionResult }
	add(s, route{id: "decide", method: http.MethodPost, path: "/decisions", scope: registry.ScopeTriage, summary: "Decide of a value everywhere, or of what a rule finds"},
		func(ctx context.Context, a registry.Actor, in *decideRequest) (*decided, error) {
			b := in.Body
			if err := s.o.Refuse(ctx, b.Rule, b.Source, b.Path, b.Reason, b.Owner); err != nil {
				return nil, err
			}
			r, err := s.o.Registry.Decide(ctx, a, registry.DecisionRequest{
				Finding: b.Finding, Rule: b.Rule, Source: b.Source, Path: b.Path, Status: fingerprints.Status(b.Status), Until: b.Until, Reason: b.Reason, Owner: b.Owner,
			})
			return &decided{r}, err
		})
	type revokeIn struct {
		ID int64 `path:"id"`
	}
	add(s, route{id: "revoke-decision", method: http.MethodDelete, path: "/decisions/{id}", scope: registry.ScopeTriage, summary: "Take a decision back"},
		func(ctx context.Context, a registry.Actor, in *revokeIn) (*decided, error) {
			r, err := s.o.Registry.Revoke(ctx, a, in.ID)
			return &decided{r}, err
		})
}
