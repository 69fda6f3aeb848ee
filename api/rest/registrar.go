package rest

import (
	"context"
	"errors"
	"io"
	"net/http"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/registry"
)

// registrarRoutes register values that were fingerprinted elsewhere: no operation
// takes a value.
func (s *server) registrarRoutes() {
	type state struct{ Body wire.RegistrarState }
	add(s, route{id: "get-registrar", method: http.MethodGet, path: "/registrar", scope: registry.ScopeRegister, summary: "What a registrar elsewhere works with"},
		func(ctx context.Context, a registry.Actor, _ *struct{}) (*state, error) {
			st, err := s.o.Registry.RegistrarState(ctx, a)
			return &state{st}, err
		})
	type Look struct {
		Values []string `json:"values,omitempty" maxItems:"1000" doc:"Ids of values, in hex: keyed hashes, made with the registering keys."`
		Secret string   `json:"secret,omitempty" maxLength:"200" doc:"Whose versions' rows are wanted, too."`
	}
	type lookRequest struct{ Body Look }
	type lookAnswer struct{ Body wire.KnownRows }
	add(s, route{
		id: "look-up-values", method: http.MethodPost, path: "/registrar/known", scope: registry.ScopeRegister, summary: "Sealed rows of values that are registered already",
		long: "So that a value keeps its regions, and a new one is held against older ones of its secret, on the machine that has the value. It is in the audit log.",
	}, func(ctx context.Context, a registry.Actor, in *lookRequest) (*lookAnswer, error) {
		var ids []fingerprints.ValueID
		for _, text := range in.Body.Values {
			id, err := fingerprints.ParseValueID(text)
			if err != nil {
				return nil, invalidAt("/values", err)
			}
			ids = append(ids, id)
		}
		k, err := s.o.Registry.KnownRows(ctx, a, ids, in.Body.Secret)
		return &lookAnswer{k}, err
	})
	s.registeringRoutes()
}

type registrationRequest struct{ Body wire.Registration }

// fieldsOf are sealed fields as rows.
func fieldsOf(list []wire.SealedField) ([]registry.Field, error) {
	var out []registry.Field
	for _, f := range list {
		row, err := registry.Opened(f)
		if err != nil {
			return nil, err
		}
		out = append(out, registry.Field{Name: f.Name, Sealed: &row})
	}
	return out, nil
}

// labels are what of a registration is stored in the clear.
func labels(q wire.Registration) []string {
	out := append([]string{q.Name, q.Owner, q.IssuedTo}, q.Consumers...)
	for _, f := range q.Fields {
		out = append(out, f.Name)
	}
	return out
}

// read refuses labels that hold a value, and reads the fingerprints.
func (s *server) read(ctx context.Context, q wire.Registration) (registry.AddRequest, error) {
	out := registry.AddRequest{
		Name: q.Name, Class: q.Class, Owner: q.Owner, Consumers: q.Consumers, MultiActive: q.MultiActive, Pending: q.Pending, IssuedTo: q.IssuedTo,
	}
	if err := s.o.Refuse(ctx, labels(q)...); err != nil {
		return out, err
	}
	var err error
	out.Fields, err = fieldsOf(q.Fields)
	return out, err
}

// redacted adds what was redacted to what was registered.
func (s *server) redacted(ctx context.Context, a registry.Actor, need registry.Scope, r registry.Registered, err error) (*registeredAnswer, error) {
	if err == nil {
		r.Redacted, err = s.o.Redact(ctx, a, need)
	}
	return &registeredAnswer{r.RegisteredView}, err
}

type registeredAnswer struct{ Body wire.RegisteredView }

func (s *server) registeringRoutes() {
	add(s, route{id: "add-secret", method: http.MethodPost, path: "/secrets", scope: registry.ScopeRegister, summary: "Register version 1 of a new secret, fingerprinted elsewhere"},
		func(ctx context.Context, a registry.Actor, in *registrationRequest) (*registeredAnswer, error) {
			q, err := s.read(ctx, in.Body)
			if err != nil {
				return nil, err
			}
			r, err := s.o.Registry.Add(ctx, a, q)
			return s.redacted(ctx, a, registry.ScopeRegister, r, err)
		})
	add(s, route{id: "rotate-secret", method: http.MethodPost, path: "/secrets/rotate", scope: registry.ScopeRotate, summary: "Register a new active value, fingerprinted elsewhere, and supersede the old one"},
		func(ctx context.Context, a registry.Actor, in *registrationRequest) (*registeredAnswer, error) {
			q, err := s.read(ctx, in.Body)
			if err != nil {
				return nil, err
			}
			r, err := s.o.Registry.Rotate(ctx, a, registry.RotateRequest{Name: q.Name, Fields: q.Fields, IssuedTo: q.IssuedTo, Window: in.Body.Window, Force: in.Body.Force})
			return s.redacted(ctx, a, registry.ScopeRotate, r, err)
		})
	type adoptRequest struct {
		FindingID
		Body wire.Registration
	}
	add(s, route{id: "adopt-finding", method: http.MethodPost, path: "/findings/{id}/adopt", scope: registry.ScopeRegister, summary: "Register the value of a generic finding, fingerprinted elsewhere"},
		func(ctx context.Context, a registry.Actor, in *adoptRequest) (*registeredAnswer, error) {
			q, err := s.read(ctx, in.Body)
			if err != nil {
				return nil, err
			}
			r, err := s.o.Registry.Adopt(ctx, a, registry.AdoptRequest{Finding: in.ID, AddRequest: q})
			return s.redacted(ctx, a, registry.ScopeRegister, r, err)
		})
	type issuedAnswer struct {
		Body struct {
			Versions []wire.RegisteredView `json:"versions" nullable:"false"`
		}
	}
	add(s, route{id: "issue-secret", method: http.MethodPost, path: "/secrets/issue", scope: registry.ScopeRegister, summary: "Register values that were generated elsewhere, one for each consumer"},
		func(ctx context.Context, a registry.Actor, in *registrationRequest) (*issuedAnswer, error) {
			q, err := s.read(ctx, in.Body)
			if err != nil {
				return nil, err
			}
			list, err := s.o.Registry.Issue(ctx, a, registry.IssueRequest{
				Name: q.Name, Class: q.Class, Owner: q.Owner, Consumers: q.Consumers, MultiActive: q.MultiActive, Pending: q.Pending, Fields: q.Fields,
			})
			out := &issuedAnswer{}
			for _, r := range list {
				out.Body.Versions = append(out.Body.Versions, r.RegisteredView)
			}
			return out, err
		})
	s.importRoutes()
}

func (s *server) importRoutes() {
	type importRequest struct {
		Body struct {
			Records []wire.Registration `json:"records" minItems:"1" maxItems:"1000" nullable:"false"`
			Force   bool                `json:"force,omitempty"`
		}
	}
	type importAnswer struct{ Body wire.ImportedView }
	add(s, route{id: "import-secrets", method: http.MethodPost, path: "/secrets/import", scope: registry.ScopeRegister, summary: "Register many values, fingerprinted elsewhere"},
		func(ctx context.Context, a registry.Actor, in *importRequest) (*importAnswer, error) {
			at := 0
			next := func() (registry.ImportRecord, error) {
				if at == len(in.Body.Records) {
					return registry.ImportRecord{}, io.EOF
				}
				rec := in.Body.Records[at]
				at++
				q, err := s.read(ctx, rec)
				if errors.Is(err, registry.ErrValueInName) || errors.Is(err, registry.ErrSealed) {
					return registry.ImportRecord{}, &registry.LineError{Line: rec.Line, Reason: err.Error()}
				}
				return registry.ImportRecord{
					Line: rec.Line, Name: q.Name, Fields: q.Fields, Class: q.Class, Owner: q.Owner, Consumers: q.Consumers, State: rec.State, IssuedTo: q.IssuedTo,
				}, err
			}
			r, err := s.o.Registry.Import(ctx, a, next, registry.ImportOptions{Force: in.Body.Force})
			if err != nil {
				return nil, err
			}
			r.Redacted, err = s.o.Redact(ctx, a, registry.ScopeRegister)
			return &importAnswer{r.ImportedView}, err
		})
}
