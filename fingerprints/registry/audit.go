package registry

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/audit"
	"revenant/fingerprints/store"
)

// AuditEntry is one record of the audit log in clear.
type AuditEntry = wire.AuditEntry

// auditContent is what of an entry is the record's content.
type auditContent struct {
	Action   string            `json:"action"`
	Subject  string            `json:"subject,omitempty"`
	Revision uint64            `json:"revision"`
	Details  map[string]string `json:"details,omitempty"`
}

// appendAudit chains the change's notes.
func (c *change) appendAudit(ctx context.Context, revision uint64) error {
	if len(c.notes) == 0 {
		return nil
	}
	last, err := c.tx.LastAudit(ctx)
	if err != nil {
		return fmt.Errorf("reading the audit chain: %w", err)
	}
	prev := audit.Record(last)
	for _, n := range c.notes {
		content := auditContent{Action: n.Action, Subject: n.Subject, Revision: revision, Details: n.Details}
		rec, err := audit.Append(c.ring, prev, c.at, n.Actor, content)
		if err != nil {
			return err
		}
		if err := c.tx.AppendAudit(ctx, store.AuditRecord(rec)); err != nil {
			return fmt.Errorf("appending to the audit chain: %w", err)
		}
		prev = rec
	}
	return nil
}

func entryOf(r store.AuditRecord) AuditEntry {
	e := AuditEntry{Sequence: r.Sequence, At: r.At, Actor: r.Actor}
	var c auditContent
	if err := json.Unmarshal(r.Content, &c); err != nil {
		e.Action = "unreadable" // `audit verify` says more
		return e
	}
	e.Action, e.Subject, e.Revision, e.Details = c.Action, c.Subject, c.Revision, c.Details
	return e
}

// AuditLog calls fn for each entry from a sequence number on, oldest first.
func (r *Registry) AuditLog(ctx context.Context, a Actor, from uint64, fn func(AuditEntry) error) error {
	return r.view(ctx, a, ScopeRead, func(v *view) error {
		seen := entriesFor(a)
		return v.tx.EachAudit(ctx, from, func(rec store.AuditRecord) error {
			e := entryOf(rec)
			if is, err := seen.sees(ctx, v, e); err != nil || !is {
				return err
			}
			return fn(e)
		})
	})
}

// History returns the audit entries that concern a secret, oldest first.
func (r *Registry) History(ctx context.Context, a Actor, name string) ([]AuditEntry, error) {
	var out []AuditEntry
	err := r.view(ctx, a, ScopeRead, func(v *view) error {
		if _, err := secretByName(ctx, v.tx, name); err != nil {
			return err
		}
		return v.tx.EachAudit(ctx, 1, func(rec store.AuditRecord) error {
			e := entryOf(rec)
			if subject, _, _ := strings.Cut(e.Subject, "@"); subject == name {
				out = append(out, e)
			}
			return nil
		})
	})
	return out, err
}

// AuditHead is the newest record, as shown in logs, metrics and backups.
type AuditHead = wire.AuditHead

func headOf(r store.AuditRecord) AuditHead {
	return AuditHead{Sequence: r.Sequence, MAC: hex.EncodeToString(r.MAC)}
}

// errMet ends a look through the audit chain.
var errMet = errors.New("met")

// AuditAt is the record with a sequence number; the zero head where there is none.
// Whoever followed the registry up to there sees by it whether it is the same past.
func (r *Registry) AuditAt(ctx context.Context, a Actor, sequence uint64) (AuditHead, error) {
	var out AuditHead
	err := r.view(ctx, a, ScopeRead, func(v *view) error {
		err := v.tx.EachAudit(ctx, sequence, func(rec store.AuditRecord) error {
			if rec.Sequence == sequence {
				out = headOf(rec)
			}
			return errMet
		})
		if errors.Is(err, errMet) {
			err = nil
		}
		return err
	})
	return out, err
}

// AuditReport is what VerifyAudit found.
type AuditReport = wire.AuditReport

// VerifyAudit checks the whole chain and every stored checkpoint; against may
// be a checkpoint kept elsewhere, or nil. ErrAuditBroken says where.
func (r *Registry) VerifyAudit(ctx context.Context, a Actor, against []byte) (AuditReport, error) {
	ring := r.ring.Load()
	if ring == nil {
		return AuditReport{}, fmt.Errorf("verifying the audit chain: %w", ErrNoRing)
	}
	var out AuditReport
	err := r.view(ctx, a, ScopeRead, func(v *view) error {
		var err error
		out, err = v.verifyAudit(ctx, ring, against)
		return err
	})
	if err != nil {
		return AuditReport{}, fmt.Errorf("verifying the audit chain: %w", err)
	}
	return out, nil
}

type auditTrust interface {
	audit.Keys
	audit.Trust
}

func (v *view) verifyAudit(ctx context.Context, ring auditTrust, against []byte) (AuditReport, error) {
	out := AuditReport{Against: against != nil}
	stored, err := v.tx.Checkpoints(ctx)
	if err != nil {
		return out, err
	}
	out.Checkpoints = len(stored)
	var points []audit.Checkpoint
	for _, text := range stored {
		p, err := audit.Read(ring, text)
		if err != nil {
			return out, fmt.Errorf("a stored checkpoint: %w: %w", ErrAuditBroken, err)
		}
		points = append(points, p)
	}
	if against != nil {
		p, err := audit.Read(ring, against)
		if err != nil {
			return out, &InputError{Input: "against", Want: err.Error(), Kind: ErrInput}
		}
		points = append(points, p)
	}
	check := audit.NewVerifier(ring, points...)
	err = v.tx.EachAudit(ctx, 1, func(rec store.AuditRecord) error { return check.Add(audit.Record(rec)) })
	if err == nil {
		var res audit.Result
		if res, err = check.Finish(); err == nil {
			out.Records, out.Head = res.Records, headOf(store.AuditRecord(res.Newest))
			return out, v.auditReaches(res.Newest)
		}
	}
	if errors.Is(err, audit.ErrBroken) {
		return out, fmt.Errorf("%w: %w", ErrAuditBroken, err)
	}
	return out, err
}

// auditReaches checks that the chain tells of the registry's revision: without
// a checkpoint, a tail that was cut shows by that.
func (v *view) auditReaches(newest audit.Record) error {
	if got := entryOf(store.AuditRecord(newest)).Revision; got != v.meta.Revision {
		return fmt.Errorf("%w: its end tells of revision %d, the registry is at %d", ErrAuditBroken, got, v.meta.Revision)
	}
	return nil
}

// Checkpoint signs the newest record, stores the checkpoint and returns it.
func (r *Registry) Checkpoint(ctx context.Context, a Actor) ([]byte, error) {
	var out []byte
	err := r.update(ctx, a, ScopeAdmin, "signing a checkpoint", func(c *change) error {
		c.note("audit.checkpoint", "", nil)
		if err := c.appendAudit(ctx, c.meta.Revision); err != nil {
			return err
		}
		c.notes = nil // written
		last, err := c.tx.LastAudit(ctx)
		if err != nil {
			return err
		}
		out = audit.Sign(c.ring, audit.Record(last), c.at)
		return c.tx.PutCheckpoint(ctx, last.Sequence, out)
	})
	return out, err
}

// optionalTime is nil for the zero time: JSON leaves it out.
func optionalTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// versionSubject is how audit entries name a version.
func versionSubject(v fingerprints.Version) string { return v.Ref().String() }
