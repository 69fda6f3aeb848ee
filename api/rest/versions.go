package rest

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/registry"
)

// Versioned names a version of a secret.
type Versioned struct {
	Named
	Version int `path:"version" minimum:"1"`
}

func (v Versioned) ref() fingerprints.VersionRef {
	return fingerprints.VersionRef{Name: v.Name, Number: v.Version}
}

// window reads a duration as Go writes it.
func window(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		p := newProblem(http.StatusUnprocessableEntity, "invalid", "Something that was sent is not valid.")
		p.Errors = []wire.ProblemAt{{Pointer: "/window", Detail: "use a duration, as in 24h or 30m"}}
		return 0, p
	}
	return d, nil
}

// orZero is what an optional body says.
func orZero[T any](body *T) (out T) {
	if body != nil {
		out = *body
	}
	return out
}

type changed struct{ Body wire.Changed }

func (s *server) versionRoutes() {
	const at = "/secrets/{name}/versions/{version}"
	add(s, route{id: "get-version", method: http.MethodGet, path: at, scope: registry.ScopeRead, summary: "All that is known of a version"},
		func(ctx context.Context, a registry.Actor, in *Versioned) (*tagged[wire.VersionView], error) {
			return withTag(s.version(ctx, a, *in))
		})
	type Window struct {
		Window string `json:"window,omitempty" maxLength:"32" doc:"For how long both values are used: 24h, 30m."`
	}
	type windowRequest struct {
		Versioned
		Body *Window
	}
	add(s, route{id: "supersede-version", method: http.MethodPost, path: at + "/supersede", scope: registry.ScopeRotate, summary: "Active becomes superseded"},
		func(ctx context.Context, a registry.Actor, in *windowRequest) (*changed, error) {
			w, err := window(orZero(in.Body).Window)
			if err != nil {
				return nil, err
			}
			c, err := s.o.Registry.Supersede(ctx, a, in.ref(), registry.SupersedeOptions{Window: w})
			return &changed{c}, err
		})
	add(s, route{id: "activate-version", method: http.MethodPost, path: at + "/activate", scope: registry.ScopeRotate, summary: "Pending, or superseded (rollback), becomes active"},
		func(ctx context.Context, a registry.Actor, in *windowRequest) (*changed, error) {
			w, err := window(orZero(in.Body).Window)
			if err != nil {
				return nil, err
			}
			c, err := s.o.Registry.Activate(ctx, a, in.ref(), registry.ActivateOptions{Window: w})
			return &changed{c}, err
		})
	type Retirement struct {
		NoSuccessor bool `json:"no_successor,omitempty" doc:"Retire the last active version."`
	}
	type retireRequest struct {
		Versioned
		Body *Retirement
	}
	add(s, route{id: "retire-version", method: http.MethodPost, path: at + "/retire", scope: registry.ScopeRotate, summary: "Active or superseded becomes retired, for ever"},
		func(ctx context.Context, a registry.Actor, in *retireRequest) (*changed, error) {
			c, err := s.o.Registry.Retire(ctx, a, in.ref(), registry.RetireOptions{NoSuccessor: orZero(in.Body).NoSuccessor})
			return &changed{c}, err
		})
	add(s, route{id: "compromise-version", method: http.MethodPost, path: at + "/compromise", scope: registry.ScopeRotate, summary: "Say that others know the value"},
		func(ctx context.Context, a registry.Actor, in *Versioned) (*changed, error) {
			c, err := s.o.Registry.Compromise(ctx, a, in.ref())
			return &changed{c}, err
		})
	add(s, route{id: "abandon-version", method: http.MethodPost, path: at + "/abandon", scope: registry.ScopeRotate, summary: "Pending becomes abandoned"},
		func(ctx context.Context, a registry.Actor, in *Versioned) (*changed, error) {
			c, err := s.o.Registry.Abandon(ctx, a, in.ref())
			return &changed{c}, err
		})
	s.evidenceRoutes(at)
}

// evidenceRoutes are what is known of where a version is, and is used.
func (s *server) evidenceRoutes(at string) {
	type ackRequest struct {
		Versioned
		Body struct {
			Consumer string `json:"consumer" minLength:"1" maxLength:"200"`
		}
	}
	type ackOut struct{ Body wire.Acknowledged }
	add(s, route{id: "acknowledge-version", method: http.MethodPost, path: at + "/acks", scope: registry.ScopeRotate, summary: "Say that a consumer uses this version"},
		func(ctx context.Context, a registry.Actor, in *ackRequest) (*ackOut, error) {
			if err := s.o.Refuse(ctx, in.Body.Consumer); err != nil {
				return nil, err
			}
			k, err := s.o.Registry.Ack(ctx, a, in.ref(), in.Body.Consumer)
			return &ackOut{k}, err
		})
	type coverage struct{ Body wire.Coverage }
	add(s, route{id: "get-coverage", method: http.MethodGet, path: at + "/coverage", scope: registry.ScopeRead, summary: "Where a version was searched for, and where not and why"},
		func(ctx context.Context, a registry.Actor, in *Versioned) (*coverage, error) {
			c, err := s.o.Registry.Coverage(ctx, a, in.ref())
			return &coverage{c}, err
		})
	type ProofOptions struct {
		IncludeHistory bool     `json:"include_history,omitempty" doc:"Count copies that need digging as well."`
		AcceptSkip     []string `json:"accept_skip,omitempty" maxItems:"100" doc:"Reasons of skips that do not stand in the way, each REASON or REASON:GLOB, or all."`
	}
	type proofRequest struct {
		Versioned
		Body *ProofOptions
	}
	type proofAnswer struct {
		Body struct {
			Outcome  wire.ProofOutcome `json:"outcome"`
			Proof    wire.Proof        `json:"proof"`
			Document json.RawMessage   `json:"document" doc:"The proof with its signature."`
		}
	}
	add(s, route{id: "prove-version", method: http.MethodPost, path: at + "/proofs", scope: registry.ScopeRead, summary: "Sign what is known of copies of a version"},
		func(ctx context.Context, a registry.Actor, in *proofRequest) (*proofAnswer, error) {
			o := orZero(in.Body)
			if err := s.o.Refuse(ctx, o.AcceptSkip...); err != nil {
				return nil, err
			}
			p, err := s.o.Registry.Prove(ctx, a, in.ref(), registry.ProveOptions(o))
			out := &proofAnswer{}
			out.Body.Outcome, out.Body.Proof, out.Body.Document = p.Proof.Outcome, p.Proof, p.Document
			return out, err
		})
	type proofCheckRequest struct {
		Body struct {
			Document json.RawMessage `json:"document" doc:"A proof with its signature."`
		}
	}
	type proofCheckAnswer struct {
		Body struct {
			Proof wire.Proof `json:"proof" doc:"What was signed. The answer is 422 where it is not this installation's, or was changed."`
		}
	}
	add(s, route{id: "verify-proof", method: http.MethodPost, path: "/proofs/verify", scope: registry.ScopeRead, summary: "Check a proof's signature"},
		func(_ context.Context, _ registry.Actor, in *proofCheckRequest) (*proofCheckAnswer, error) {
			p, err := s.o.Registry.VerifyProof(in.Body.Document)
			out := &proofCheckAnswer{}
			out.Body.Proof = p
			return out, err
		})
}
