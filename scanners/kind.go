package scanners

import (
	"strings"

	"revenant/fingerprints"
)

// KindOf reads the kind of a source off the scheme of its id.
func KindOf(id string) fingerprints.SourceKind {
	scheme, _, has := strings.Cut(id, ":")
	if !has {
		return fingerprints.KindOther
	}
	if scheme == "home" { // the credential places of a home folder
		return fingerprints.KindDir
	}
	switch k := fingerprints.SourceKind(scheme); k {
	case fingerprints.KindDir, fingerprints.KindStdin, fingerprints.KindGit,
		fingerprints.KindImage, fingerprints.KindCI, fingerprints.KindKafka:
		return k
	case fingerprints.KindOther:
	}
	return fingerprints.KindOther
}
