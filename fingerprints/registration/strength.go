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

// assessment is how strong a value is.
type assessment struct {
	estimate strength.Estimate
	class    fingerprints.Strength
	bits     float64 // strength/v1 of the bytes alone, which names the value
}

// assess describes a value. A private key is as strong as its algorithm: what
// its containers give away is public.
func assess(m material, hint strength.Hint) assessment {
	if m.kind == KindPrivateKey {
		return assessment{class: fingerprints.StrengthEdge, bits: strength.Bits(m.canonical)}
	}
	hint.Checksum = max(hint.Checksum, knownChecksum(m.canonical))
	e := strength.Analyse(m.canonical, hint)
	a := assessment{estimate: e, class: e.Class(), bits: e.Bits()}
	if hint != (strength.Hint{}) {
		a.bits = strength.Bits(m.canonical)
	}
	return a
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

// admit decides between edge and core by the regions as they stand. The class
// of package strength speaks of the worst place for them; where they ended up
// may leave enough.
func admit(m material, a assessment, sites []site) fingerprints.Strength {
	if m.kind == KindPrivateKey || len(m.canonical) <= maxShort ||
		a.class != fingerprints.StrengthEdge && a.class != fingerprints.StrengthCore {
		return a.class
	}
	var known []strength.Span
	for _, s := range sites {
		known = append(known, strength.Span{Start: s.edge, End: s.edge + anchor.Edge.Region()})
	}
	need := float64(strength.EdgeEstimated)
	if a.estimate.Exact() {
		need = strength.EdgeExact
	}
	if a.estimate.Outside(known...) < need+lengthBits {
		return fingerprints.StrengthCore
	}
	return fingerprints.StrengthEdge
}
