package main

import (
	"context"
	"errors"
	"time"

	"revenant/api/remote"
	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
)

// ledger is what commands ask of what is known: this machine's registry, or a
// server's.
type ledger interface {
	secretBook
	versionBook
	findingBook
	decisionBook
	sourceBook
	watchBook
	tokenBook
	peopleBook
	auditBook
	registerBook
}

type secretBook interface {
	List(ctx context.Context, a registry.Actor, f registry.ListFilter) ([]registry.SecretSummary, error)
	Show(ctx context.Context, a registry.Actor, name string) (registry.SecretView, error)
	History(ctx context.Context, a registry.Actor, name string) ([]registry.AuditEntry, error)
	Allow(ctx context.Context, a registry.Actor, q registry.AllowRequest) (registry.AllowResult, error)
	Unallow(ctx context.Context, a registry.Actor, name string, id int64) (registry.AllowResult, error)
}

type versionBook interface {
	Supersede(ctx context.Context, a registry.Actor, ref fingerprints.VersionRef, o registry.SupersedeOptions) (registry.Changed, error)
	Activate(ctx context.Context, a registry.Actor, ref fingerprints.VersionRef, o registry.ActivateOptions) (registry.Changed, error)
	Retire(ctx context.Context, a registry.Actor, ref fingerprints.VersionRef, o registry.RetireOptions) (registry.Changed, error)
	Compromise(ctx context.Context, a registry.Actor, ref fingerprints.VersionRef) (registry.Changed, error)
	Abandon(ctx context.Context, a registry.Actor, ref fingerprints.VersionRef) (registry.Changed, error)
	Ack(ctx context.Context, a registry.Actor, ref fingerprints.VersionRef, consumer string) (registry.Acknowledged, error)
	Coverage(ctx context.Context, a registry.Actor, ref fingerprints.VersionRef) (registry.Coverage, error)
	Prove(ctx context.Context, a registry.Actor, ref fingerprints.VersionRef, o registry.ProveOptions) (registry.SignedProof, error)
}

type findingBook interface {
	Findings(ctx context.Context, a registry.Actor, f store.FindingFilter) ([]registry.Finding, error)
	Finding(ctx context.Context, a registry.Actor, id string) (registry.FindingDetail, error)
	Export(ctx context.Context, a registry.Actor, f store.FindingFilter, fn func(registry.FindingDetail) error) error
	Accept(ctx context.Context, a registry.Actor, id string, until time.Time, reason string) (registry.Finding, error)
	Dismiss(ctx context.Context, a registry.Actor, id, reason string) (registry.Finding, error)
	Assign(ctx context.Context, a registry.Actor, id, owner string) (registry.Finding, error)
	SetDue(ctx context.Context, a registry.Actor, id string, due time.Time) (registry.Finding, error)
	Reopen(ctx context.Context, a registry.Actor, id string) (registry.Finding, error)
}

type decisionBook interface {
	Decide(ctx context.Context, a registry.Actor, q registry.DecisionRequest) (registry.DecisionResult, error)
	Decisions(ctx context.Context, a registry.Actor) ([]registry.DecisionView, error)
	Revoke(ctx context.Context, a registry.Actor, id int64) (registry.DecisionResult, error)
}

type sourceBook interface {
	Sources(ctx context.Context, a registry.Actor) ([]registry.SourceSummary, error)
	Source(ctx context.Context, a registry.Actor, id string) (registry.SourceView, error)
	MoveSource(ctx context.Context, a registry.Actor, from, to string) (registry.SourceSummary, error)
	ForgetSource(ctx context.Context, a registry.Actor, id string) error
	Status(ctx context.Context, a registry.Actor) (registry.Status, error)
}

type watchBook interface {
	Watches(ctx context.Context, a registry.Actor, f store.WatchFilter) ([]store.Watch, error)
	Watch(ctx context.Context, a registry.Actor, name string) (store.Watch, error)
	AddWatch(ctx context.Context, a registry.Actor, w registry.WatchSpec, first time.Time) (store.Watch, error)
	ChangeWatch(ctx context.Context, a registry.Actor, name string, w registry.WatchChange, next func(store.Watch) time.Time) (store.Watch, error)
	RemoveWatch(ctx context.Context, a registry.Actor, name string) (members int, err error)
	WantScan(ctx context.Context, a registry.Actor, name, why string) error
	Workers(ctx context.Context, a registry.Actor) ([]store.Worker, error)
	Deliveries(ctx context.Context, a registry.Actor, f store.DeliveryFilter) ([]wire.Delivery, error)
	RetryDelivery(ctx context.Context, a registry.Actor, id string, within time.Duration) error
}

type tokenBook interface {
	AddToken(ctx context.Context, a registry.Actor, q registry.TokenRequest) (registry.TokenView, fingerprints.Value, error)
	Tokens(ctx context.Context, a registry.Actor) ([]registry.TokenView, error)
	RevokeToken(ctx context.Context, a registry.Actor, idOrName string) (registry.TokenView, error)
}

type peopleBook interface {
	People(ctx context.Context, a registry.Actor) ([]registry.PersonView, error)
	Person(ctx context.Context, a registry.Actor, idOrName string) (registry.PersonView, error)
	AddPerson(ctx context.Context, a registry.Actor, q registry.PersonRequest) (registry.PersonView, error)
	ChangePerson(ctx context.Context, a registry.Actor, idOrName string, q registry.PersonChange) (registry.PersonView, error)
	SignOutPerson(ctx context.Context, a registry.Actor, idOrName string) (int, error)
}

type auditBook interface {
	AuditLog(ctx context.Context, a registry.Actor, from uint64, fn func(registry.AuditEntry) error) error
	VerifyAudit(ctx context.Context, a registry.Actor, against []byte) (registry.AuditReport, error)
	Checkpoint(ctx context.Context, a registry.Actor) ([]byte, error)
}

// registerBook takes values: a server's is a registrar on this machine.
type registerBook interface {
	Add(ctx context.Context, a registry.Actor, q registry.AddRequest) (registry.Registered, error)
	Rotate(ctx context.Context, a registry.Actor, q registry.RotateRequest) (registry.Registered, error)
	Issue(ctx context.Context, a registry.Actor, q registry.IssueRequest) ([]registry.Registered, error)
	Import(ctx context.Context, a registry.Actor, next func() (registry.ImportRecord, error), o registry.ImportOptions) (registry.Imported, error)
	Adopt(ctx context.Context, a registry.Actor, q registry.AdoptRequest) (registry.Registered, error)
}

var (
	_ ledger = (*registry.Registry)(nil)
	_ ledger = (*remote.Registry)(nil)
)

// known is what a command knows from: the registry of this machine, or of a server.
type known struct {
	reg    ledger
	actor  registry.Actor
	home   *session         // nil: a server's
	remote *remote.Registry // nil: this machine's
	server string           // its address, where it is one
	a      *app
}

// openKnown opens what is known: --server or REVENANT_SERVER, a registry that
// REVENANT_HOME names, the server that one is logged in to, the registry of this user.
func (a *app) openKnown(ctx context.Context) (*known, error) {
	where, err := a.serverPlace()
	if err != nil {
		return nil, err
	}
	if where.url == "" {
		s, err := a.openSession(ctx)
		if err != nil {
			return nil, err
		}
		return &known{reg: s.reg, actor: s.actor, home: s, a: a}, nil
	}
	c, err := a.clientOf(ctx, where)
	if err != nil {
		return nil, err
	}
	r := remote.New(c)
	r.Registrar = &remote.Registrar{Rand: a.rand, Keys: func() (remote.Keys, error) { return a.registrarKeys(where) }}
	return &known{reg: r, remote: r, server: where.url, a: a}, nil
}

// withKnown runs a command about what is known, here or at a server.
func (a *app) withKnown(ctx context.Context, fn func(context.Context, *known) error) error {
	where, err := a.serverPlace()
	if err != nil {
		return err
	}
	if where.url == "" {
		return a.withRegistry(ctx, func(ctx context.Context, s *session) error {
			return fn(ctx, &known{reg: s.reg, actor: s.actor, home: s, a: a})
		})
	}
	k, err := a.openKnown(ctx)
	if err != nil {
		return err
	}
	return fn(ctx, k)
}

// refuse refuses texts that hold a registered value. A server looks at what it is
// sent, with all that it knows.
func (k *known) refuse(ctx context.Context, texts ...string) error {
	if k.home == nil {
		return nil
	}
	return k.a.refuseValues(ctx, k.home, texts...)
}

// forgetOutcomes forgets what this machine knows of contents, where what is known is
// its own.
func (k *known) forgetOutcomes() error {
	if k.home == nil {
		return nil
	}
	return k.home.forgetOutcomes()
}

func (k *known) close() error {
	if k.home == nil {
		return nil
	}
	return k.home.close()
}

// errServerHere refuses --server where a command is about this machine.
func errServerHere() error {
	return usagef("this command is about the keys and the registry of this machine, and no server's: leave --server out, or run it where the server runs")
}

// hereOnly is an error for who has a server and no registry here.
func (a *app) hereOnly(err error) error {
	if where, werr := a.serverPlace(); werr == nil && where.url != "" && errors.Is(err, errNoRegistry) {
		return errors.Join(err, errors.New("a server is named, but this command is about this machine alone: run it where the server runs"))
	}
	return err
}
