package wire

import (
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
