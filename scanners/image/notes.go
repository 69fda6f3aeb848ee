package image

import (
	"context"
	"encoding/json"
	"slices"

	"revenant/fingerprints"
)

// noted makes what an index says of itself an image without layers.
func (w *met) noted(digest string, raw []byte, said map[string]string, names []string) {
	if len(said) > 0 || untoldOf(raw) != "" {
		w.out = append(w.out, picture{names: names, digest: digest, raw: raw, annotations: annotations(said)})
	}
}

// withHistory gives a configuration the steps that stood beside its layers, as
// those have that were made later.
func withHistory(config []byte, steps []map[string]string) []byte {
	var all map[string]json.RawMessage
	if json.Unmarshal(config, &all) != nil || all == nil || all["history"] != nil {
		return config
	}
	var author string
	_ = json.Unmarshal(all["author"], &author) // it may have none
	for _, s := range steps {
		if s["author"] == author {
			delete(s, "author") // it is told once
		}
	}
	history, err := json.Marshal(steps)
	if err != nil {
		return config
	}
	all["history"] = history
	out, err := json.Marshal(all)
	if err != nil {
		return config
	}
	return out
}

// ordered is the layers in the order of manifest.json: docker 25.0 wrote those of
// the other manifest in none. Where it names others they stay.
func ordered(layers []blob, names []string) []blob {
	if len(layers) != len(names) {
		return layers
	}
	out := make([]blob, 0, len(layers))
	for _, name := range names {
		i := slices.IndexFunc(layers, func(b blob) bool { return b.name == name })
		if i < 0 {
			return layers
		}
		out = append(out, layers[i])
	}
	return out
}

// told lists a document that cannot be read, and goes on: what is in the files is
// read all the same, and the document as text. The error that it returns ends the scan.
func (s *saved) told(ctx context.Context, name string, err error) error {
	if err == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	s.skip(manifestPath, name, fingerprints.SkipUnreadable, "it cannot be read, so that it is not known what images there are; blobs are searched all the same")
	s.unread = append(s.unread, name)
	return nil
}
