package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"io"

	"revenant/scanners/gitrepo/catfile"
	"revenant/scanners/gitrepo/objects"
)

// oid names an object.
type oid = objects.ID

// parseOID reads an id; that of nothing, all zeros, is none.
func parseOID(text []byte) (oid, bool) {
	id, err := objects.ParseID(string(text))
	for _, b := range id.Bytes() {
		if b != 0 {
			return id, err == nil
		}
	}
	return oid{}, false
}

// store is where a repository's objects lie, and git behind it for what it
// cannot read.
type store struct {
	*objects.Store
	git *catfile.Reader
}

func openStore(ctx context.Context, r *repo) (*store, error) {
	layout := r.layout()
	git := catfile.New(layout)
	s, err := objects.OpenLayout(ctx, layout, objects.Options{Fallback: git})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoRepository, err)
	}
	return &store{Store: s, git: git}, nil
}

var errOther = errors.New("the object is of another kind")

// get reads one object of a kind.
func (s *store) get(ctx context.Context, id oid, kind objects.Kind) ([]byte, error) {
	k, data, err := s.Get(ctx, id)
	if err == nil && k != kind {
		err = errOther
	}
	return data, err
}

// stream reads one blob of any size.
func (s *store) stream(ctx context.Context, id oid) (io.ReadCloser, error) {
	_, _, rc, err := s.Open(ctx, id)
	return rc, err
}

func (s *store) close() error { return errors.Join(s.Close(), s.git.Close()) }
