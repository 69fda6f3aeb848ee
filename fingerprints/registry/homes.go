package registry

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// AllowRequest is a legitimate home of a secret's active and superseded values.
type AllowRequest struct {
	Name   string
	Source string    // glob over source ids; "" is every source
	Path   string    // glob over paths; "" is every path
	Until  time.Time // zero: no end
	Reason string
}

// AllowResult is what Allow or Unallow did.
type AllowResult struct {
	Home      AllowView       `json:"home"`
	Unchanged bool            `json:"unchanged,omitempty"`
	Findings  int             `json:"findings"` // known findings that the home covers
	Verdicts  []VerdictChange `json:"verdicts"`
}

// Allow adds a home. It takes effect on known findings at once.
func (r *Registry) Allow(ctx context.Context, a Actor, q AllowRequest) (AllowResult, error) {
	if err := r.checkAllow(q); err != nil {
		return AllowResult{}, fmt.Errorf("allowing a home: %w", err)
	}
	var out AllowResult
	err := r.update(ctx, a, ScopeRotate, "allowing a home", func(c *change) error {
		out = AllowResult{Verdicts: []VerdictChange{}}
		s, err := c.allowable(ctx, q.Name)
		if err != nil {
			return err
		}
		if err := c.checkNoValue(ctx, s.Name, q.Source, q.Path, q.Reason); err != nil {
			return err
		}
		home := store.Allow{
			Secret: s.Name, SourceGlob: orAll(q.Source), PathGlob: orAll(q.Path), Until: q.Until.UTC().Truncate(time.Microsecond),
			Reason: q.Reason, CreatedAt: c.at, Actor: c.actor.Name,
		}
		known, err := c.tx.Allows(ctx, s.Name)
		if err != nil {
			return err
		}
		for _, k := range known {
			if k.SourceGlob == home.SourceGlob && k.PathGlob == home.PathGlob && k.Until.Equal(home.Until) && k.Reason == home.Reason {
				out.Home, out.Unchanged = allowView(k, c.at), true
				return nil
			}
		}
		if home.ID, err = c.tx.AddAllow(ctx, home); err != nil {
			return err
		}
		c.note("secret.allow", s.Name, map[string]string{
			"id": strconv.FormatInt(home.ID, 10), "source": home.SourceGlob, "path": home.PathGlob,
			"reason": home.Reason, "until": untilText(home.Until),
		})
		out.Home = allowView(home, c.at)
		return c.rehome(ctx, s.Name, append(known, home), home, &out)
	})
	if err != nil {
		return AllowResult{}, err
	}
	return out, nil
}

func (r *Registry) checkAllow(q AllowRequest) error {
	switch {
	case !doublestar.ValidatePattern(orAll(q.Source)) || len(q.Source) > 1000:
		return badInput("source", "not a glob; * stays inside a path segment, ** does not")
	case !doublestar.ValidatePattern(orAll(q.Path)) || len(q.Path) > 1000:
		return badInput("path", "not a glob; * stays inside a path segment, ** does not")
	case strings.TrimSpace(q.Reason) == "":
		return badInput("reason", "say why this is a legitimate home")
	case !q.Until.IsZero() && !q.Until.After(r.time()):
		return badInput("until", "the date has passed")
	}
	return checkText("reason", q.Reason)
}

// allowable finds a secret that has a version which may have a home.
func (c *change) allowable(ctx context.Context, name string) (fingerprints.Secret, error) {
	s, err := secretByName(ctx, c.tx, name)
	if err != nil {
		return s, err
	}
	versions, err := c.tx.Versions(ctx, s.Name)
	if err != nil {
		return s, err
	}
	for _, v := range versions {
		live := v.State != fingerprints.StateRetired && v.State != fingerprints.StateAbandoned
		if live && !v.Compromised() {
			return s, nil
		}
	}
	return s, ErrNotAllowable
}

// Unallow removes a home by its id.
func (r *Registry) Unallow(ctx context.Context, a Actor, name string, id int64) (AllowResult, error) {
	var out AllowResult
	err := r.update(ctx, a, ScopeRotate, "removing an allowed home", func(c *change) error {
		out = AllowResult{Verdicts: []VerdictChange{}}
		s, err := secretByName(ctx, c.tx, name)
		if err != nil {
			return err
		}
		known, err := c.tx.Allows(ctx, s.Name)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(known, func(k store.Allow) bool { return k.ID == id })
		if i < 0 {
			return ErrUnknownAllow
		}
		home := known[i]
		out.Home = allowView(home, c.at)
		c.note("secret.unallow", s.Name, map[string]string{"id": strconv.FormatInt(id, 10)})
		before, err := c.snapshot(ctx, s.Name)
		if err != nil {
			return err
		}
		if err := c.rehome(ctx, s.Name, slices.Delete(known, i, i+1), home, &out); err != nil {
			return err
		}
		if err := c.tx.RemoveAllow(ctx, id); err != nil {
			return err
		}
		out.Verdicts, err = c.since(ctx, before, s.Name)
		return err
	})
	if err != nil {
		return AllowResult{}, err
	}
	return out, nil
}

// rehome brings the allowed homes of a secret's known findings up to date. The
// raw path of a finding is not stored, so its redacted path decides here and
// the raw one again with the next scan.
func (c *change) rehome(ctx context.Context, secret string, homes []store.Allow, about store.Allow, out *AllowResult) error {
	c.touch(touchRegistry)
	found, err := c.tx.Findings(ctx, c.at, store.FindingFilter{Secret: secret})
	if err != nil {
		return err
	}
	before := snapshot{}
	for _, f := range found {
		before[f.ID] = f.Verdict
		if Covers(about, f.SourceID, f.Path) {
			out.Findings++
		} else if !slices.Contains(f.Allowed, about.ID) {
			continue
		}
		if err := c.tx.SetAllowed(ctx, f.ID, c.homesOf(ctx, f, secret, homes)); err != nil {
			return fmt.Errorf("storing the allowed homes of a finding: %w", err)
		}
	}
	out.Verdicts, err = c.since(ctx, before, secret)
	return err
}

// homesOf are the ids of the homes that cover a finding: those of the secret by
// the given list, those of other secrets with the same value as they are.
func (c *change) homesOf(ctx context.Context, f store.FindingView, secret string, homes []store.Allow) []int64 {
	var ids []int64
	for _, h := range homes {
		if Covers(h, f.SourceID, f.Path) {
			ids = append(ids, h.ID)
		}
	}
	all, err := c.tx.Allows(ctx, "")
	if err != nil {
		return ids
	}
	for _, h := range all {
		if h.Secret != secret && slices.Contains(f.Allowed, h.ID) {
			ids = append(ids, h.ID)
		}
	}
	return ids
}

// Covers reports whether a home covers a place. Globs are doublestar's; in a
// source id * matches slashes too, a path glob without a slash matches the last
// segment of a path as well, and every glob matches itself.
func Covers(h store.Allow, sourceID, rawPath string) bool {
	return sourceMatch(h.SourceGlob, sourceID) && pathMatch(h.PathGlob, rawPath)
}

func sourceMatch(glob, id string) bool {
	if glob == "" || glob == id {
		return true
	}
	ok, err := doublestar.Match(strings.ReplaceAll(glob, "/", "\x00"), strings.ReplaceAll(id, "/", "\x00"))
	return err == nil && ok
}

func pathMatch(glob, s string) bool {
	if glob == "" || glob == "**" || glob == s {
		return true
	}
	if ok, err := doublestar.Match(glob, s); err == nil && ok {
		return true
	}
	if !strings.Contains(glob, "/") {
		ok, err := doublestar.Match(glob, path.Base(s))
		return err == nil && ok
	}
	ok, err := doublestar.Match(strings.TrimPrefix(glob, "/"), strings.TrimPrefix(s, "/"))
	return err == nil && ok
}

// Homes are the allowed homes of a secret that cover a place, by its raw path.
func (r *Registry) Homes(ctx context.Context, a Actor, secret, sourceID, rawPath string) ([]store.Allow, error) {
	var out []store.Allow
	err := r.view(ctx, a, ScopeScan, func(v *view) error {
		all, err := v.tx.Allows(ctx, secret)
		for _, h := range all {
			if Covers(h, sourceID, rawPath) {
				out = append(out, h)
			}
		}
		return err
	})
	return out, err
}

func orAll(glob string) string {
	if glob == "" {
		return "**"
	}
	return glob
}

func untilText(t time.Time) string {
	if t.IsZero() {
		return "no end"
	}
	return t.Format(time.RFC3339)
}

func allowView(k store.Allow, now time.Time) AllowView {
	return AllowView{
		ID: k.ID, Secret: k.Secret, Source: k.SourceGlob, Path: k.PathGlob, Until: optionalTime(k.Until),
		Over: !k.Until.IsZero() && !now.Before(k.Until), Reason: k.Reason, Actor: k.Actor, At: k.CreatedAt,
	}
}
