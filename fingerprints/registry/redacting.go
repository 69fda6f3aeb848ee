package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// What is registered counts at once. Stored provenance is searched for it
// afterwards, before the command returns: a million sightings are several hundred
// megabytes of text, and neither a verdict nor another process should wait for
// them. That it is owed stands in the store meanwhile; where the command is cut off,
// the same command again, which brings the value again, makes up for it.

// owedMark holds the versions whose values stored provenance was not searched for.
const owedMark = "registry/provenance"

// redactedMark holds the number of the change up to which stored provenance was
// redacted last.
const redactedMark = "registry/redacted"

// Redacted is the number of a change: whoever keeps texts of findings beside the
// store and has followed Changes up to there, holds no text any more that was
// redacted since; what it held before may have to be removed from its files. 0:
// nothing was ever redacted.
func (r *Registry) Redacted(ctx context.Context, a Actor) (uint64, error) {
	var out uint64
	err := r.view(ctx, a, ScopeRead, func(v *view) error {
		mark, err := v.tx.Mark(ctx, redactedMark)
		if err != nil || mark == "" {
			return err
		}
		out, err = strconv.ParseUint(mark, 10, 64)
		if err != nil {
			return errors.New("when stored provenance was redacted cannot be read: it was written by another version")
		}
		return nil
	})
	return out, err
}

// markRedacted says to whoever keeps texts that some of them were redacted.
func markRedacted(ctx context.Context, tx store.Tx) error {
	last, err := tx.LastChange(ctx)
	if err != nil {
		return err
	}
	mark, err := tx.Mark(ctx, redactedMark)
	if to := strconv.FormatUint(last, 10); err == nil && to != mark {
		err = tx.SetMark(ctx, redactedMark, mark, to)
	}
	return err
}

func readOwed(ctx context.Context, tx store.Tx) (versions []string, mark string, err error) {
	mark, err = tx.Mark(ctx, owedMark)
	if err != nil || mark == "" {
		return nil, mark, err
	}
	if err := json.Unmarshal([]byte(mark), &versions); err != nil {
		return nil, mark, errors.New("which values stored provenance was not searched for cannot be read: it was written by another version")
	}
	return versions, mark, nil
}

// setOwed replaces what is owed.
func setOwed(ctx context.Context, tx store.Tx, mark string, versions []string) error {
	to := ""
	if len(versions) > 0 {
		slices.Sort(versions)
		text, err := json.Marshal(slices.Compact(versions))
		if err != nil {
			return err
		}
		to = string(text)
	}
	if to == mark {
		return nil
	}
	return tx.SetMark(ctx, owedMark, mark, to)
}

// search is the values that stored provenance is to be searched for.
type search struct {
	found    *finder
	versions []string
	// elsewhere are versions whose values are not at hand: RedactOwed finds them by
	// their fingerprints.
	elsewhere []string
}

func newSearch() *search { return &search{found: newFinder()} }

// add notes a value of a version. One that was made a moment ago stands nowhere.
func (s *search) add(f Field, v fingerprints.VersionRef) {
	if f.generated() {
		return
	}
	if f.Sealed != nil {
		s.elsewhere = append(s.elsewhere, v.String())
		return
	}
	s.found.add(f.Value.Reveal(), "[secret "+v.String()+"]")
	s.versions = append(s.versions, v.String())
}

// owe notes in the change's transaction what is to be searched for.
func (s *search) owe(ctx context.Context, tx store.Tx) error {
	if len(s.versions)+len(s.elsewhere) == 0 {
		return nil
	}
	owed, mark, err := readOwed(ctx, tx)
	if err != nil {
		return err
	}
	return setOwed(ctx, tx, mark, slices.Concat(owed, s.versions, s.elsewhere))
}

// makeUp adds the values of a version that is registered already, where
// provenance was not searched for them yet.
func (g *registering) makeUp(v fingerprints.Version, fields []Field) error {
	owed, _, err := readOwed(g.ctx, g.tx)
	if err != nil || !slices.Contains(owed, v.Ref().String()) {
		return err
	}
	for _, f := range fields {
		g.search.add(f, v.Ref())
	}
	return nil
}

// register is update for changes that register values: what they registered is
// searched for when it is committed. It returns how many texts were redacted.
func (r *Registry) register(ctx context.Context, a Actor, need Scope, what string, s *search, fn func(*registering) error) (int, error) {
	var tried *search
	err := r.updateIndexed(ctx, a, need, what, func(c *change) error {
		tried = newSearch()
		g, err := c.registering(ctx, tried)
		if err == nil {
			err = fn(g)
		}
		if err != nil {
			return err
		}
		return tried.owe(ctx, c.tx)
	})
	if err != nil {
		return 0, err
	}
	if s != nil {
		s.join(tried)
		return 0, nil
	}
	return r.redactProvenance(ctx, a, need, what, tried)
}

// join takes over what another search looks for.
func (s *search) join(o *search) {
	s.found.join(o.found)
	s.versions = append(s.versions, o.versions...)
	s.elsewhere = append(s.elsewhere, o.elsewhere...)
}

// paid notes that stored provenance was searched for versions.
func (r *Registry) paid(ctx context.Context, a Actor, need Scope, what string, versions []string) error {
	return r.update(ctx, a, need, what, func(c *change) error {
		owed, mark, err := readOwed(ctx, c.tx)
		if err != nil {
			return err
		}
		return setOwed(ctx, c.tx, mark, slices.DeleteFunc(owed, func(v string) bool { return slices.Contains(versions, v) }))
	})
}

// Texts finds values in stored texts.
type Texts interface {
	// In reports whether one stands in a text.
	In(text string) bool
	// Redact replaces those that stand in it; false: there were none.
	Redact(text string) (string, bool)
}

// RedactOwed searches stored provenance for values that were registered from
// elsewhere, by whoever finds registered values by their fingerprints, and returns
// how many texts were redacted.
func (r *Registry) RedactOwed(ctx context.Context, a Actor, need Scope, found Texts) (int, error) {
	const what = "redacting stored provenance"
	var owed []string
	err := r.view(ctx, a, need, func(v *view) (err error) {
		owed, _, err = readOwed(ctx, v.tx)
		return err
	})
	if err != nil || len(owed) == 0 {
		return 0, err
	}
	n, err := r.searchProvenance(ctx, a, need, what, found)
	if err == nil {
		err = r.paid(ctx, a, need, what, owed)
	}
	if err != nil {
		return n, fmt.Errorf("%s: %w: repeat the command: %w", what, ErrNotRedacted, err)
	}
	return n, nil
}

// rewriteBatch is how many texts are redacted in one transaction.
const rewriteBatch = 500

// redactProvenance searches everything that is stored of where things were
// found, and redacts it there.
func (r *Registry) redactProvenance(ctx context.Context, a Actor, need Scope, what string, s *search) (int, error) {
	if len(s.versions) == 0 {
		return 0, nil
	}
	n, err := r.searchProvenance(ctx, a, need, what, s.found)
	if err == nil {
		err = r.paid(ctx, a, need, what, s.versions)
	}
	if err != nil {
		return n, fmt.Errorf("%s: %w: repeat the command: %w", what, ErrNotRedacted, err)
	}
	return n, nil
}

func (r *Registry) searchProvenance(ctx context.Context, a Actor, need Scope, what string, found Texts) (int, error) {
	var refs []string
	err := r.store.View(ctx, func(tx store.Tx) error {
		refs = nil
		return tx.EachProvenance(ctx, func(ref, text string) error {
			if found.In(text) {
				refs = append(refs, ref)
			}
			return nil
		})
	})
	if err != nil {
		return 0, fmt.Errorf("searching stored provenance: %w", err)
	}
	n := 0
	for part := range slices.Chunk(refs, rewriteBatch) {
		redacted := 0
		err := r.update(ctx, a, need, what, func(c *change) error {
			redacted = 0
			for _, ref := range part {
				text, err := c.tx.Provenance(ctx, ref)
				if errors.Is(err, store.ErrNotFound) {
					continue
				}
				if err != nil {
					return fmt.Errorf("redacting stored provenance: %w", err)
				}
				clean, is := found.Redact(text)
				if !is {
					continue
				}
				if err := c.tx.RewriteProvenance(ctx, ref, clean); err != nil {
					return fmt.Errorf("redacting stored provenance: %w", err)
				}
				redacted++
			}
			if redacted > 0 {
				return markRedacted(ctx, c.tx)
			}
			return nil
		})
		if err != nil {
			return n, err
		}
		n += redacted
	}
	return n, nil
}
