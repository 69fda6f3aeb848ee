package search

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/blevesearch/bleve/v2/document"
	"github.com/blevesearch/bleve/v2/index/scorch"
	index "github.com/blevesearch/bleve_index_api"
	segment "github.com/blevesearch/scorch_segment_api/v2"
)

// A document that was replaced stays in its segment's file, with its terms, until
// segments are merged. After a redaction that is done at once.

// marker is a document without terms. A segment is only rewritten together with
// another one, which this makes.
const marker = "~"

// rewrites is how often files are merged before the index is built anew instead.
const rewrites = 4

// purge rewrites the files so that they hold nothing of documents that are no more.
func (x *Index) purge(ctx context.Context) error {
	for range rewrites {
		clean, err := x.clean()
		if err != nil {
			return err
		}
		if clean {
			s := x.state
			s.Owed = false
			x.stats.rewritten.Add(1)
			return x.write(index.NewBatch(), s, true)
		}
		b := index.NewBatch()
		b.Update(document.NewDocument(marker))
		if err := x.write(b, x.state, true); err != nil {
			return err
		}
		if err := x.merge(ctx); err != nil {
			return err
		}
		if err := x.sweep(ctx); err != nil {
			return err
		}
	}
	x.o.Log.WarnContext(ctx, "the files of the search index cannot be rewritten", slog.Int("times", rewrites))
	if err := x.anew(ctx, "what was redacted has to leave its files"); err != nil {
		return err
	}
	if err := x.build(ctx); err != nil {
		return err
	}
	return x.catchUp(ctx)
}

func (x *Index) merge(ctx context.Context) (err error) {
	defer caught(&err)
	if err := x.kept.ForceMerge(ctx, nil); err != nil {
		return fmt.Errorf("rewriting the search index: %w", err)
	}
	return ctx.Err()
}

// clean reports whether no file holds anything of a document that is no more,
// but for the marker.
func (x *Index) clean() (clean bool, err error) {
	defer caught(&err)
	r, err := x.kept.Reader()
	if err != nil {
		return false, errDamaged
	}
	defer func() { _ = r.Close() }()
	snap, is := r.(*scorch.IndexSnapshot)
	if !is {
		return false, errDamaged
	}
	live := map[string]bool{}
	for _, s := range snap.Segments() {
		p, persisted := s.Segment().(segment.PersistedSegment)
		if !persisted {
			return false, nil
		}
		live[filepath.Base(p.Path())] = true
		marked, err := s.Segment().DocNumbers([]string{marker})
		if err != nil {
			return false, errDamaged
		}
		if gone := s.Deleted(); gone != nil && !gone.IsEmpty() && gone.AndCardinality(marked) != gone.GetCardinality() {
			return false, nil
		}
	}
	left, err := x.leftovers(live)
	return len(left) == 0, err
}

// leftovers are files of segments that no snapshot needs.
func (x *Index) leftovers(live map[string]bool) ([]string, error) {
	all, err := filepath.Glob(filepath.Join(x.files(), "*.zap"))
	if err != nil {
		return nil, errDamaged
	}
	var out []string
	for _, name := range all {
		if !live[filepath.Base(name)] {
			out = append(out, name)
		}
	}
	return out, nil
}

// sweep waits until files that were merged are gone. The index removes them when
// it writes next and nobody reads them any more; where that takes long, it is
// closed and opened.
func (x *Index) sweep(ctx context.Context) error {
	for wait := time.Millisecond; wait < 2*time.Second; wait *= 2 {
		if clean, err := x.clean(); err != nil || clean {
			return err
		}
		if err := x.write(index.NewBatch(), x.state, true); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
	return x.reopen()
}

// reopen closes and opens the index, which leaves no file that it does not need.
func (x *Index) reopen() error {
	x.open.Lock()
	defer x.open.Unlock()
	if err := closeScorch(x.kept); err != nil {
		return err
	}
	x.kept = nil
	x.columns.forget()
	var err error
	if x.kept, err = openScorch(x.files(), false, x.analysis()); err != nil {
		x.kept = nil
		return errors.Join(errDamaged, err)
	}
	live, err := x.live()
	if err != nil {
		return err
	}
	left, err := x.leftovers(live)
	if err != nil {
		return err
	}
	for _, name := range left {
		if err := os.Remove(name); err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("removing an old file of the search index: %w", pathless(err))
		}
	}
	return nil
}

// live are the names of the files that the newest snapshot needs.
func (x *Index) live() (out map[string]bool, err error) {
	defer caught(&err)
	r, err := x.kept.Reader()
	if err != nil {
		return nil, errDamaged
	}
	defer func() { _ = r.Close() }()
	out = map[string]bool{}
	if snap, is := r.(*scorch.IndexSnapshot); is {
		for _, s := range snap.Segments() {
			if p, persisted := s.Segment().(segment.PersistedSegment); persisted {
				out[filepath.Base(p.Path())] = true
			}
		}
	}
	return out, nil
}
