package registry

import (
	"context"
	"time"
)

// AuditEntry is one record of the audit log in clear.
type AuditEntry struct {
	Sequence uint64            `json:"sequence"`
	At       time.Time         `json:"at"`
	Actor    string            `json:"actor"`
	Action   string            `json:"action"`
	Subject  string            `json:"subject,omitempty"` // a secret, version, finding or source
	Revision uint64            `json:"revision"`
	Details  map[string]string `json:"details,omitempty"`
}

// AuditLog calls fn for each entry from a sequence number on, oldest first.
func (r *Registry) AuditLog(ctx context.Context, a Actor, from uint64, fn func(AuditEntry) error) error {
	panic("x")
}

// AuditHead is the newest record, as shown in logs, metrics and backups.
type AuditHead struct {
	Sequence uint64 `json:"sequence"`
	MAC      string `json:"mac"`
}

// AuditReport is what VerifyAudit found.
type AuditReport struct {
	Head        AuditHead `json:"head"`
	Records     uint64    `json:"records"`
	Checkpoints int       `json:"checkpoints"` // stored ones, all verified
	Against     bool      `json:"against"`     // a given checkpoint was verified too
}

// VerifyAudit checks the whole chain and every stored checkpoint; against may
// be a checkpoint kept elsewhere, or nil. ErrAuditBroken says where.
func (r *Registry) VerifyAudit(ctx context.Context, a Actor, against []byte) (AuditReport, error) {
	panic("x")
}

// Checkpoint signs the newest record, stores the checkpoint and returns it.
func (r *Registry) Checkpoint(ctx context.Context, a Actor) ([]byte, error) { panic("x") }
