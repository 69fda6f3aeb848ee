package registry

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"revenant/api/wire"

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
type AllowResult = wire.AllowResult

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
			Reason: q.Reason, CreatedAt: c.at, Actor: c.actor.Name, Whole: orAll(q.Path) == "**",
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
		until := home.Until
		home.Until = c.at // it begins when everything is tied to it
		if home.ID, err = c.tx.AddAllow(ctx, home); err != nil {
			return err
		}
		if err := c.settle(ctx, home); err != nil {
			return err
		}
		home.Until = until
		c.note("secret.allow", s.Name, homeDetails(home))
		out.Home = allowView(home, c.at)
		return c.setHomeEnd(ctx, home, until, &out)
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
	s, err := c.secret(ctx, name)
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
		s, err := c.secret(ctx, name)
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
		c.note("secret.unallow", s.Name, homeDetails(home))
		if err := c.setHomeEnd(ctx, home, c.at, &out); err != nil {
			return err
		}
		return c.tx.RemoveAllow(ctx, id)
	})
	if err != nil {
		return AllowResult{}, err
	}
	return out, nil
}

func homeDetails(h store.Allow) map[string]string {
	return map[string]string{
		"id": strconv.FormatInt(h.ID, 10), "source": h.SourceGlob, "path": h.PathGlob, "reason": h.Reason, "until": untilText(h.Until),
	}
}

// settle ties a new home to what is known. One that is whole covers sources; for
// any other the raw path of a finding would decide, which is not stored, so its
// redacted path does, and the raw one again with the next scan.
func (c *change) settle(ctx context.Context, home store.Allow) error {
	if home.Whole {
		all, err := c.tx.Sources(ctx)
		if err != nil {
			return err
		}
		var covered []string
		for _, s := range all {
			if sourceMatch(home.SourceGlob, s.ID) {
				covered = append(covered, s.ID)
			}
		}
		return c.tx.CoverSources(ctx, home.ID, covered)
	}
	var covered []fingerprints.FindingID
	err := c.tx.EachPlace(ctx, c.at, store.FindingFilter{Secret: home.Secret}, func(p store.Place) error {
		if Covers(home, p.SourceID, p.Path) {
			covered = append(covered, p.Finding)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("reading places: %w", err)
	}
	if err := c.tx.AddAllowed(ctx, home.ID, covered); err != nil {
		return fmt.Errorf("storing the allowed homes of findings: %w", err)
	}
	return nil
}

// setHomeEnd lets a home begin or end, and counts what that changes.
func (c *change) setHomeEnd(ctx context.Context, home store.Allow, until time.Time, out *AllowResult) error {
	c.touch(touchRegistry)
	versions, err := c.tx.Versions(ctx, home.Secret)
	if err != nil {
		return err
	}
	var ids []fingerprints.VersionID
	for _, v := range versions {
		ids = append(ids, v.ID)
	}
	c.countVerdicts()
	if err := c.willChange(ctx, ids, nil); err != nil {
		return err
	}
	if err := c.tx.SetAllowEnd(ctx, home.ID, until); err != nil {
		return err
	}
	if out.Findings, err = c.tx.CountCovered(ctx, home.ID); err != nil {
		return err
	}
	out.Verdicts, err = c.verdictChanges(ctx)
	return err
}

// coverSource brings up to date which homes cover a source as a whole: it is new,
// or has another id.
func (c *change) coverSource(ctx context.Context, id string) error {
	all, err := c.tx.Allows(ctx, "")
	if err != nil {
		return err
	}
	var homes []int64
	for _, h := range all {
		if h.Whole && sourceMatch(h.SourceGlob, id) {
			homes = append(homes, h.ID)
		}
	}
	return c.tx.SetSourceHomes(ctx, id, homes)
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

// HomeView is an allowed home with how many known findings of its secret it covers.
type HomeView struct {
	AllowView
	Findings int
}

// AllHomes lists the allowed homes of all secrets, or of one, also those that have
// ended, in order of secret and number.
func (r *Registry) AllHomes(ctx context.Context, a Actor, secret string) ([]HomeView, error) {
	var out []HomeView
	err := r.view(ctx, a, ScopeRead, func(v *view) error {
		out = nil
		all, err := v.tx.Allows(ctx, secret)
		if err != nil {
			return err
		}
		for _, h := range all {
			n, err := v.tx.CountCovered(ctx, h.ID)
			if err != nil {
				return err
			}
			out = append(out, HomeView{allowView(h, v.now), n})
		}
		slices.SortFunc(out, func(x, y HomeView) int { return cmp.Or(cmp.Compare(x.Secret, y.Secret), cmp.Compare(x.ID, y.ID)) })
		return nil
	})
	return out, err
}
