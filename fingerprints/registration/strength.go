package registration

import (
	"revenant/fingerprints"
	"revenant/fingerprints/anchor"
	"revenant/fingerprints/strength"
)

const (
	edgeKnownBits = strength.EdgeExact
	lengthBits    = strength.Known
)

// assess says how strong a value is. A private key is as strong as its
// algorithm: what its containers give away is public.
func assess(m material, hint strength.Hint) (strength.Estimate, fingerprints.Strength) {
	if m.kind == KindPrivateKey {
		return strength.Estimate{}, fingerprints.StrengthEdge
	}
	hint.Checksum = max(hint.Checksum, knownChecksum(m.canonical))
	e := strength.Analyse(m.canonical, hint)
	return e, e.Class()
}

// unsearchable says why a value cannot be searched for; empty when it can.
func unsearchable(m material, class fingerprints.Strength) string {
	switch {
	case len(m.canonical) < MinLength:
		return ReasonShort
	case class == fingerprints.StrengthUnsearchable:
		return ReasonCommon
	}
	return ""
}

// admit lowers the class of a value whose edge regions, where they ended up,
// leave too little outside. The class speaks of the worst place already; this
// keeps the rule where the regions are made.
func admit(m material, e strength.Estimate, class fingerprints.Strength, sites []site) fingerprints.Strength {
	if class != fingerprints.StrengthEdge || m.kind == KindPrivateKey {
		return class
	}
	var known []strength.Span
	for _, s := range sites {
		known = append(known, strength.Span{Start: s.edge, End: s.edge + anchor.Edge.Region()})
	}
	need := float64(strength.EdgeEstimated)
	if e.Exact() {
		need = strength.EdgeExact
	}
	if e.Outside(known...) < need+lengthBits {
		return fingerprints.StrengthCore
	}
	return class
}
