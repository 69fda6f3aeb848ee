package image

import (
	"encoding/hex"
	"fmt"
	"strings"

	"revenant/fingerprints"
	"revenant/scanners"
)

// Memory keeps what is known of layers between scans, a part for each. What it is
// given holds names of files, which may hold a secret: whoever keeps it seals it.
// It is called concurrently.
type Memory interface {
	// Load returns what was saved; nil: nothing that is of use.
	Load(part string) ([]byte, error)
	// Save replaces a part as a whole.
	Save(part string, b []byte) error
	// Keep removes the parts that are not among these.
	Keep(parts map[string]bool) error
}

// layerFormat is raised when what was kept before is of no use.
const layerFormat = 2

// record is what is kept of a layer.
type record struct {
	Format  int
	Look    [32]byte
	NoTar   bool
	Counts  scanners.Counts
	Skipped []fingerprints.Skip
	Held    []heldFile
	// Entries, as columns.
	Names   []string
	Kinds   []byte
	Targets map[int]string
}

// partOf names a layer's part; empty: it has no name that could be one.
func partOf(digest string) string {
	_, sum, has := strings.Cut(digest, ":")
	if raw, err := hex.DecodeString(sum); !has || err != nil || len(raw) < 16 {
		return ""
	}
	return "layer-" + sum
}

// known is what is remembered of a layer; nil: nothing.
func (r *reader) known(b blob) *surveyed {
	if r.o.Memory == nil || partOf(b.digest) == "" {
		return nil
	}
	packed, err := r.o.Memory.Load(partOf(b.digest))
	if err != nil || packed == nil {
		return nil // it is read again
	}
	var k record
	if unpack(packed, &k) != nil || k.Format != layerFormat || k.Look != r.o.Look || len(k.Kinds) != len(k.Names) {
		return nil
	}
	s := &surveyed{Held: k.Held, skipped: k.Skipped, counts: k.Counts, noTar: k.NoTar, Entries: make([]entry, len(k.Names))}
	for i, name := range k.Names {
		s.Entries[i] = entry{name: name, kind: kind(k.Kinds[i]), target: k.Targets[i]}
	}
	for _, h := range k.Held {
		if h.Entry >= len(s.Entries) {
			return nil
		}
	}
	return s
}

// remember keeps what was learnt of a layer.
func (r *reader) remember(b blob, s *surveyed) error {
	if r.o.Memory == nil || partOf(b.digest) == "" || s.failed || s.unsure {
		return nil
	}
	k := record{
		Format: layerFormat, Look: r.o.Look, NoTar: s.noTar, Counts: s.counts, Skipped: s.skipped, Held: s.Held,
		Names: make([]string, len(s.Entries)), Kinds: make([]byte, len(s.Entries)), Targets: map[int]string{},
	}
	for i, e := range s.Entries {
		k.Names[i], k.Kinds[i] = e.name, byte(e.kind)
		if e.target != "" {
			k.Targets[i] = e.target
		}
	}
	packed, err := pack(k)
	if err == nil {
		err = r.o.Memory.Save(partOf(b.digest), packed)
	}
	if err != nil {
		return fmt.Errorf("remembering a layer: %w", err)
	}
	return nil
}
