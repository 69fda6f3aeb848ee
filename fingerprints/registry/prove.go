package registry

import (
	"revenant/api/wire"
)

// ProveOptions qualifies Prove.
type ProveOptions struct {
	// IncludeHistory counts copies that need digging as well.
	IncludeHistory bool
	// AcceptSkip lists skip reasons that do not stand in the way, each as
	// "reason" or "reason:path glob"; "all" accepts every reason that is no
	// failure.
	AcceptSkip []string
}

// ProofOutcome is what a proof says.
type ProofOutcome = wire.ProofOutcome

// The outcomes.
const (
	Proven           = wire.Proven
	LiveCopy         = wire.LiveCopy
	CoverageNotReady = wire.CoverageNotReady
)

// Proof is what a proof document says.
type Proof = wire.Proof

// ProofCopy is a copy that is still there.
type ProofCopy = wire.ProofCopy
