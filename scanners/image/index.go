package image

import (
	"bytes"
	"encoding/json"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"revenant/fingerprints"
)

// parseIndex reads an OCI index. An entry that cannot be read, as one with a digest that
// is none, does not hide the others: bad is how many there are.
func parseIndex(raw []byte) (index *v1.IndexManifest, bad int, err error) {
	if index, err = v1.ParseIndexManifest(bytes.NewReader(raw)); err == nil {
		return index, 0, nil
	}
	var loose struct {
		Manifests   []json.RawMessage `json:"manifests"`
		Annotations map[string]string `json:"annotations"`
	}
	if json.Unmarshal(raw, &loose) != nil || loose.Manifests == nil {
		return nil, 0, fmt.Errorf("an index cannot be read: %w", errBadDocument)
	}
	index = &v1.IndexManifest{Annotations: loose.Annotations}
	for _, entry := range loose.Manifests {
		var d v1.Descriptor
		if json.Unmarshal(entry, &d) != nil {
			bad++
			continue
		}
		index.Manifests = append(index.Manifests, d)
	}
	return index, bad, nil
}

// badEntries lists entries of an index that cannot be read.
func badEntries(skip skipper, index string, bad int) {
	switch {
	case bad == 1:
		skip(manifestPath, index, fingerprints.SkipUnreadable, "an entry of the index cannot be read")
	case bad > 1:
		skip(manifestPath, index, fingerprints.SkipUnreadable, fmt.Sprintf("%d entries of the index cannot be read", bad))
	}
}
