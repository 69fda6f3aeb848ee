package registration

import (
	"math"

	"revenant/fingerprints"
)

func totalBits(b []byte) float64 {
	var seen [256]bool
	n := 0
	for _, c := range b {
		if !seen[c] {
			seen[c] = true
			n++
		}
	}
	return float64(len(b)) * math.Log2(float64(max(n, 1)))
}

func unsearchable(m material) string {
	if len(m.canonical) < MinLength {
		return ReasonShort
	}
	return ""
}

func classify(m material, bits float64, avoid []bool, sites []site) fingerprints.Strength {
	if bits < 40 {
		return fingerprints.StrengthWeak
	}
	if bits > 150 {
		return fingerprints.StrengthEdge
	}
	return fingerprints.StrengthCore
}
