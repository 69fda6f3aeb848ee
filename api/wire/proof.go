package wire

import (
	"time"

	"revenant/fingerprints"
)

// ProofOutcome is what a proof says.
type ProofOutcome string

// The outcomes, with the exit codes of `revenant prove`.
const (
	Proven           ProofOutcome = "proven"            // 0
	LiveCopy         ProofOutcome = "live-copy"         // 1
	CoverageNotReady ProofOutcome = "coverage-not-done" // 3
)

// ExitCode is the exit code of an outcome.
func (o ProofOutcome) ExitCode() int {
	switch o {
	case Proven:
		return 0
	case LiveCopy:
		return 1
	case CoverageNotReady:
		return 3
	}
	return 3
}

// Proof is what a proof document says.
type Proof struct {
	Format         string             `json:"format"` // "revenant.proof/v1"
	Installation   string             `json:"installation"`
	Ring           string             `json:"ring"`
	Secret         string             `json:"secret"`
	Version        int                `json:"version"`
	State          fingerprints.State `json:"state"`
	Compromised    bool               `json:"compromised,omitempty"`
	At             time.Time          `json:"at"`
	Revision       uint64             `json:"revision"`
	PackRevision   uint64             `json:"pack_revision"`
	FieldRevision  uint64             `json:"field_revision"`
	Outcome        ProofOutcome       `json:"outcome"`
	Reasons        []string           `json:"reasons,omitempty"`
	IncludeHistory bool               `json:"include_history,omitempty"`
	AcceptSkip     []string           `json:"accept_skip,omitempty"`
	Copies         []ProofCopy        `json:"copies,omitempty"`
	Unsearchable   []FieldResult      `json:"unsearchable,omitempty"`
	Sources        []SourceCoverage   `json:"sources"`
	AuditHead      uint64             `json:"audit_head"`
}

// ProofCopy is a copy that is still there.
type ProofCopy struct {
	Finding  fingerprints.FindingID `json:"finding"`
	Source   string                 `json:"source"`
	Path     string                 `json:"path"`
	Presence fingerprints.Presence  `json:"presence"`
	Counts   bool                   `json:"counts"` // false: history, listed only
}

// SignedProof is a proof with its document: canonical JSON with the signature.
//
//	{"proof": PROOF, "epoch": N, "public_key": base64, "signature": base64}
//
// The signature is Ed25519 (sign-proof of the epoch) over "revenant.proof/v1",
// a zero byte and PROOF as encoding/json writes the Proof type without white
// space, so that a document may be indented and still verify.
type SignedProof struct {
	Proof    Proof
	Document []byte
}
