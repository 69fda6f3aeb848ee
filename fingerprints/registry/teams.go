package registry

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// marks takes the names of secrets that others own out of texts in which values were
// replaced by them, for who is bound to teams.
type marks struct {
	bound bool
	known map[string]bool // secrets, by whether they are seen
}

// mark is how a registered value is written where it was taken out of a text.
func mark() *regexp.Regexp { return regexp.MustCompile(`\[secret ([^\]@]+)@\d+\]`) }

func marksFor(a Actor) marks { return marks{bound: a.bound(), known: map[string]bool{}} }

// hidePlaces is hide for what was skipped.
func (m marks) hidePlaces(ctx context.Context, tx store.Tx, list []SkippedPlace) error {
	for i := range list {
		if err := m.hide(ctx, tx, &list[i].Path, &list[i].Detail); err != nil {
			return err
		}
	}
	return nil
}

// hide changes texts in place. The transaction is narrowed to what the actor sees.
func (m marks) hide(ctx context.Context, tx store.Tx, texts ...*string) error {
	if !m.bound {
		return nil
	}
	for _, t := range texts {
		if !strings.Contains(*t, "[secret ") {
			continue
		}
		for _, found := range mark().FindAllStringSubmatch(*t, -1) {
			seen, err := m.sees(ctx, tx, found[1])
			if err != nil {
				return err
			}
			if !seen {
				*t = strings.ReplaceAll(*t, found[0], "[secret]")
			}
		}
	}
	return nil
}

func (m marks) sees(ctx context.Context, tx store.Tx, name string) (bool, error) {
	if seen, has := m.known[name]; has {
		return seen, nil
	}
	_, err := tx.Secret(ctx, name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return false, err
	}
	m.known[name] = err == nil
	return err == nil, nil
}

// entries says which entries of the audit log somebody who is bound to teams sees:
// their own, and those about a secret or a finding that they see. The transaction is
// narrowed to that.
type entries struct {
	actor    Actor
	marks    marks
	findings map[string]bool
}

func entriesFor(a Actor) entries {
	return entries{actor: a, marks: marksFor(a), findings: map[string]bool{}}
}

func (s entries) sees(ctx context.Context, v *view, e AuditEntry) (bool, error) {
	kind, _, _ := strings.Cut(e.Action, ".")
	switch {
	case !s.actor.bound() || e.Actor == s.actor.Name:
		return true, nil
	case e.Subject == "":
		return false, nil
	case kind == "secret" || kind == "version":
		name, _, _ := strings.Cut(e.Subject, "@")
		return s.marks.sees(ctx, v.tx, name)
	case kind == "finding" && strings.HasPrefix(e.Subject, "rv1:"):
		if seen, has := s.findings[e.Subject]; has {
			return seen, nil
		}
		list, err := v.tx.Findings(ctx, v.now, store.FindingFilter{IDs: []fingerprints.FindingID{fingerprints.FindingID(e.Subject)}})
		s.findings[e.Subject] = len(list) > 0
		return len(list) > 0, err
	}
	return false, nil
}

// seen is a coverage for somebody who is bound to teams: it counts all sources, and
// names those that they see.
func (v *view) seen(ctx context.Context, a Actor, c Coverage) (Coverage, error) {
	if !a.bound() {
		return c, nil
	}
	before := v.tx.Narrow(a.Teams)
	defer v.tx.Narrow(before)
	list, err := v.tx.Sources(ctx)
	if err != nil {
		return Coverage{}, err
	}
	theirs := map[string]bool{}
	for _, s := range list {
		theirs[s.ID] = true
	}
	shown, hidden := []SourceCoverage{}, marksFor(a)
	for _, s := range c.Sources {
		if !theirs[s.Source] {
			continue
		}
		if err := hidden.hidePlaces(ctx, v.tx, s.SkippedPlaces); err != nil {
			return Coverage{}, err
		}
		shown = append(shown, s)
	}
	c.Sources = shown
	return c, nil
}
