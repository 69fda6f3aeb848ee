package gitrepo

import (
	"context"
	"errors"
	"io"

	"revenant/fingerprints"
	"revenant/scanners"
)

// Clone is a repository that is read with others as one source.
type Clone struct {
	// Name is what it is listed under when it cannot be read; raw.
	Name string
	// Open opens it when its turn comes. What a scanners.SkipError says of an
	// error is listed.
	Open func(ctx context.Context) (scanners.Source, error)
}

// Clones reads repositories that have the same id, as clones of one remote do,
// one after another as one source: what any of them holds, the source holds.
// One that cannot be read is listed, and the others are read all the same. Not
// safe for concurrent use.
type Clones struct {
	id   string
	left []Clone
	name string          // of the one under way
	now  scanners.Source // nil between two
	done []scanners.Source
}

var _ scanners.Source = (*Clones)(nil)

// NewClones makes one source of repositories.
func NewClones(id string, list ...Clone) *Clones { return &Clones{id: id, left: list} }

// ID implements scanners.Source.
func (c *Clones) ID() string { return c.id }

// Kind implements scanners.Source.
func (c *Clones) Kind() fingerprints.SourceKind { return fingerprints.KindGit }

// Next implements scanners.Source.
func (c *Clones) Next(ctx context.Context) (scanners.Batch, error) {
	if err := ctx.Err(); err != nil {
		return scanners.Batch{}, err
	}
	if c.now == nil {
		if len(c.left) == 0 {
			return scanners.Batch{}, io.EOF
		}
		next := c.left[0]
		src, err := next.Open(ctx)
		if ctx.Err() != nil {
			return scanners.Batch{}, errors.Join(ctx.Err(), closed(src))
		}
		c.left, c.name = c.left[1:], next.Name
		if err != nil {
			return scanners.Batch{Skipped: c.unread(err, "cannot be opened")}, c.ended()
		}
		c.now = src
	}
	b, err := c.now.Next(ctx)
	if err == nil || ctx.Err() != nil {
		return b, err
	}
	if !errors.Is(err, io.EOF) {
		b.Skipped = append(b.Skipped, c.unread(err, "it was not read to its end")...)
	}
	// What was given out is read from it still: it is closed with the last.
	c.now, c.done = nil, append(c.done, c.now)
	return b, c.ended()
}

// ended is io.EOF when there is nothing left.
func (c *Clones) ended() error {
	if len(c.left) == 0 {
		return io.EOF
	}
	return nil
}

// unread lists the repository under way.
func (c *Clones) unread(err error, otherwise string) []fingerprints.Skip {
	k := fingerprints.Skip{Path: c.name, Reason: fingerprints.SkipUnreadable, Detail: otherwise, Size: -1}
	var skip *scanners.SkipError
	switch {
	case errors.As(err, &skip):
		k.Reason, k.Detail = skip.Reason, skip.Detail
	case errors.Is(err, ErrNoRepository):
		k.Detail = ErrNoRepository.Error()
	case errors.Is(err, ErrGit):
		k.Detail = ErrGit.Error()
	}
	return []fingerprints.Skip{k}
}

// Close implements scanners.Source.
func (c *Clones) Close() error {
	err := closed(c.now)
	for _, s := range c.done {
		err = errors.Join(err, s.Close())
	}
	c.now, c.done, c.left = nil, nil, nil
	return err
}

func closed(s scanners.Source) error {
	if s == nil {
		return nil
	}
	return s.Close()
}
