package rest

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
)

func (s *server) adminRoutes() {
	s.tokenRoutes()
	s.auditRoutes()
	s.deliveryRoutes()
}

// tokenAnswer is a token that was just made.
type tokenAnswer struct {
	Body struct {
		wire.TokenView
		Token string `json:"token,omitempty" doc:"What is to be shown to the server. It is not stored: this is the only time, also for who asks again with the same Idempotency-Key."`
	}
}

func (t *tokenAnswer) storable() any {
	out := *t
	out.Body.Token = ""
	return &out
}

func (s *server) tokenRoutes() {
	type tokenPage struct {
		Body struct {
			Tokens []wire.TokenView `json:"tokens" nullable:"false"`
			Next   string           `json:"next,omitempty" doc:"Of after, for the next page; absent on the last."`
		}
	}
	add(s, route{id: "list-tokens", method: http.MethodGet, path: "/tokens", scope: registry.ScopeAdmin, summary: "Tokens in order of name, with their last use, revoked ones too"},
		func(ctx context.Context, a registry.Actor, in *Page) (*tokenPage, error) {
			all, err := s.o.Registry.Tokens(ctx, a)
			if err != nil {
				return nil, err
			}
			if in.After != "" { // an id: those that were revoked stay, and may share a name
				at := slices.IndexFunc(all, func(t wire.TokenView) bool { return t.ID == in.After })
				if at < 0 {
					return nil, badAfter()
				}
				all = all[at+1:]
			}
			out := &tokenPage{}
			out.Body.Tokens, out.Body.Next = paged(all, in.Limit, func(t wire.TokenView) string { return t.ID })
			return out, nil
		})
	type tokenRequest struct {
		Body struct {
			Name      string    `json:"name" minLength:"1" maxLength:"200"`
			Scopes    []string  `json:"scopes" minItems:"1" maxItems:"20" nullable:"false" enum:"scan,register,rotate,read,triage,pack,lookup,admin"`
			Teams     []string  `json:"teams,omitempty" maxItems:"200" maxLength:"200" nullable:"false" doc:"Whose rows it sees alone; without them it sees all."`
			ExpiresAt time.Time `json:"expires_at,omitzero" doc:"Never without it."`
		}
	}
	add(s, route{id: "add-token", method: http.MethodPost, path: "/tokens", scope: registry.ScopeAdmin, status: http.StatusCreated, summary: "Make a token", long: "Nobody gives more scopes than they have."},
		func(ctx context.Context, a registry.Actor, in *tokenRequest) (*tokenAnswer, error) {
			if err := s.o.Refuse(ctx, append([]string{in.Body.Name}, in.Body.Teams...)...); err != nil {
				return nil, err
			}
			v, shown, err := s.o.Registry.AddToken(ctx, a, registry.TokenRequest{Name: in.Body.Name, Scopes: wordsOf[registry.Scope](in.Body.Scopes), Teams: in.Body.Teams, ExpiresAt: in.Body.ExpiresAt})
			out := &tokenAnswer{}
			out.Body.TokenView, out.Body.Token = v, string(shown.Reveal())
			return out, err
		})
	add(s, route{id: "get-token", method: http.MethodGet, path: "/tokens/{id}", scope: registry.ScopeAdmin, summary: "A token with its last use"},
		func(ctx context.Context, a registry.Actor, in *TokenID) (*tagged[wire.TokenView], error) {
			return withTag(s.tokenView(ctx, a, in.ID))
		})
	type revoked struct{ Body wire.TokenView }
	add(s, route{id: "revoke-token", method: http.MethodDelete, path: "/tokens/{id}", scope: registry.ScopeAdmin, summary: "End a token"},
		func(ctx context.Context, a registry.Actor, in *TokenID) (*revoked, error) {
			v, err := s.o.Registry.RevokeToken(ctx, a, in.ID)
			return &revoked{v}, err
		})
}

// errEnough ends a look through the audit log.
var errEnough = errors.New("enough")

func (s *server) auditRoutes() {
	type listIn struct {
		From  int64 `query:"from" minimum:"0" doc:"The first sequence number that is wanted."`
		Limit int   `query:"limit" minimum:"1" maximum:"1000" default:"100"`
	}
	type auditPage struct {
		Body struct {
			Entries []wire.AuditEntry `json:"entries" nullable:"false"`
			Next    uint64            `json:"next,omitempty" doc:"Of from, for the next page; absent on the last."`
		}
	}
	add(s, route{id: "list-audit", method: http.MethodGet, path: "/audit", scope: registry.ScopeRead, summary: "The audit log, the oldest first"},
		func(ctx context.Context, a registry.Actor, in *listIn) (*auditPage, error) {
			out := &auditPage{}
			out.Body.Entries = []wire.AuditEntry{}
			err := s.o.Registry.AuditLog(ctx, a, uint64(in.From), func(e registry.AuditEntry) error {
				if len(out.Body.Entries) == in.Limit {
					out.Body.Next = e.Sequence
					return errEnough
				}
				out.Body.Entries = append(out.Body.Entries, e)
				return nil
			})
			if errors.Is(err, errEnough) {
				err = nil
			}
			return out, err
		})
	type Against struct {
		Checkpoint string `json:"checkpoint,omitempty" maxLength:"65536" contentEncoding:"base64" doc:"A checkpoint to verify against, in base64."`
	}
	type verifyRequest struct{ Body *Against }
	type verifyAnswer struct {
		Body struct {
			Intact  bool             `json:"intact"`
			Problem string           `json:"problem,omitempty" doc:"What does not hold."`
			Report  wire.AuditReport `json:"report"`
		}
	}
	add(s, route{id: "verify-audit", method: http.MethodPost, path: "/audit/verify", scope: registry.ScopeRead, summary: "Check the audit log's chain"},
		func(ctx context.Context, a registry.Actor, in *verifyRequest) (*verifyAnswer, error) {
			against, err := base64.StdEncoding.DecodeString(orZero(in.Body).Checkpoint)
			if err != nil {
				return nil, newProblem(http.StatusUnprocessableEntity, "invalid", "The checkpoint is not in base64.")
			}
			if len(against) == 0 {
				against = nil // the chain alone
			}
			r, err := s.o.Registry.VerifyAudit(ctx, a, against)
			out := &verifyAnswer{}
			out.Body.Intact, out.Body.Report = err == nil, r
			if errors.Is(err, registry.ErrAuditBroken) {
				out.Body.Problem, err = err.Error(), nil
			}
			return out, err
		})
	type checkpointAnswer struct {
		Body struct {
			Checkpoint string `json:"checkpoint" contentEncoding:"base64" doc:"Signed, in base64; keep it elsewhere."`
		}
	}
	add(s, route{id: "make-checkpoint", method: http.MethodPost, path: "/audit/checkpoints", scope: registry.ScopeAdmin, status: http.StatusCreated, summary: "Sign the audit log's head"},
		func(ctx context.Context, a registry.Actor, _ *struct{}) (*checkpointAnswer, error) {
			b, err := s.o.Registry.Checkpoint(ctx, a)
			out := &checkpointAnswer{}
			out.Body.Checkpoint = base64.StdEncoding.EncodeToString(b)
			return out, err
		})
}

func (s *server) deliveryRoutes() {
	type listIn struct {
		Receiver string `query:"receiver" maxLength:"512"`
		State    string `query:"state" enum:"waiting,sent,undelivered"`
		After    string `query:"after" maxLength:"256" doc:"The next of the page before."`
		Limit    int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
	}
	type notificationPage struct {
		Body struct {
			Notifications []wire.Delivery `json:"notifications" nullable:"false"`
			Waiting       []wire.Waiting  `json:"waiting" nullable:"false" doc:"What no message tells yet, by receiver."`
			Next          string          `json:"next,omitempty" doc:"Ask for what is behind it with after; absent: there is no more."`
		}
	}
	add(s, route{id: "list-notifications", method: http.MethodGet, path: "/notifications", scope: registry.ScopeRead, summary: "Messages to receivers, the newest first"},
		func(ctx context.Context, a registry.Actor, in *listIn) (*notificationPage, error) {
			all, err := s.o.Registry.Deliveries(ctx, a, store.DeliveryFilter{Receiver: in.Receiver, State: store.DeliveryState(in.State), Behind: in.After, Limit: in.Limit + 1})
			if errors.Is(err, registry.ErrUnknownDelivery) {
				return nil, badAfter()
			}
			if err != nil {
				return nil, err
			}
			out := &notificationPage{}
			out.Body.Notifications, out.Body.Next = paged(all, in.Limit, func(d wire.Delivery) string { return d.ID })
			out.Body.Waiting, err = s.o.Registry.Waiting(ctx, a)
			return out, err
		})
	type retryIn struct {
		ID string `path:"id" minLength:"1" maxLength:"256"`
	}
	type notification struct{ Body wire.DeliveryDetail }
	add(s, route{id: "get-notification", method: http.MethodGet, path: "/notifications/{id}", scope: registry.ScopeRead, summary: "A message with what it tells"},
		func(ctx context.Context, a registry.Actor, in *retryIn) (*notification, error) {
			d, err := s.o.Registry.Delivery(ctx, a, in.ID)
			return &notification{d}, err
		})
	add(s, route{id: "retry-notification", method: http.MethodPost, path: "/notifications/{id}/retry", scope: registry.ScopeAdmin, status: http.StatusNoContent, summary: "Send a message again that was given up"},
		func(ctx context.Context, a registry.Actor, in *retryIn) (*struct{}, error) {
			return &struct{}{}, s.o.Registry.RetryDelivery(ctx, a, in.ID, registry.RetryWithin)
		})
}
