package gitrepo

import (
	"context"
	"strings"

	"revenant/scanners/gitrepo/objects"
)

// Holders are the files that hold the object which a locator of an item or of a skip
// names, as paths below the folder of objects; none: it names no object, or one that
// is not here.
func (s *Source) Holders(locator string) []string {
	_, text, _ := strings.Cut(locator, ":")
	id, err := objects.ParseID(text)
	if err != nil {
		return nil
	}
	return s.store.Holders(id)
}

// IsTree reports whether the object in a file of its own, named as Holders does, is a
// tree.
func (s *Source) IsTree(ctx context.Context, file string) bool {
	id, err := objects.ParseID(strings.Replace(file, "/", "", 1))
	if err != nil {
		return false
	}
	kind, _, err := s.store.Header(ctx, id)
	return err == nil && kind == objects.Tree
}

// PlainRef reports whether git surely takes a name for that of a ref.
func PlainRef(name string) bool { return plainName(name) }
