package sqlstore

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

type verdictCounts map[fingerprints.Verdict]int

// take takes what another counts away, and leaves no zeros.
func (c verdictCounts) take(other verdictCounts) verdictCounts {
	for v, n := range other {
		c[v] -= n
	}
	maps.DeleteFunc(c, func(_ fingerprints.Verdict, n int) bool { return n == 0 })
	return c
}

// CountVerdicts counts by what is dear as late as it can: a verdict that is asked for
// is picked from counts of all, open findings are those of which nothing else was
// decided, and only registered values have their verdicts looked up.
func (t *tx) CountVerdicts(ctx context.Context, now time.Time, f store.FindingFilter) (map[fingerprints.Verdict]int, error) {
	if wanted := f.Verdicts; len(wanted) > 0 {
		f.Verdicts = nil
		out, err := t.CountVerdicts(ctx, now, f)
		maps.DeleteFunc(out, func(v fingerprints.Verdict, _ int) bool { return !slices.Contains(wanted, v) })
		return out, err
	}
	switch {
	case t.byTallies(f):
		return t.countByTallies(ctx, now, f)
	case len(f.IDs) > page:
		out := verdictCounts{}
		list, err := t.findingsByID(ctx, now, f)
		for _, v := range list {
			out[v.Verdict]++
		}
		return out, err
	case slices.Contains(f.Statuses, fingerprints.StatusOpen):
		return t.countOpen(ctx, now, f)
	}
	c := t.conditionOf(f)
	if len(f.Statuses) > 0 {
		c.add(t.oneOf("f.pk", decidedFindings))
	}
	out, err := t.countUnregistered(ctx, now, f.PathGlob, *c)
	if err != nil {
		return nil, err
	}
	c.add(`f.presence NOT IN ('gone', 'expired')`)
	c.add(`EXISTS (SELECT 1 FROM value_fields vf WHERE vf.value_pk = f.value_pk)`)
	registered, err := t.countAs(ctx, now, f.PathGlob, *c, verdictOfFinding())
	for v, n := range registered {
		out[v] += n
		out[fingerprints.VerdictUnregistered] -= n
	}
	return out.take(nil), err
}

// countOpen counts what a filter selects that asks for open findings, among others:
// all without those that have a status which it does not ask for.
func (t *tx) countOpen(ctx context.Context, now time.Time, f store.FindingFilter) (verdictCounts, error) {
	var others []fingerprints.Status
	for _, s := range fingerprints.Statuses() {
		if !slices.Contains(f.Statuses, s) {
			others = append(others, s)
		}
	}
	f.Statuses = nil
	out, err := t.CountVerdicts(ctx, now, f)
	if err != nil || len(others) == 0 {
		return out, err
	}
	f.Statuses = others
	decided, err := t.CountVerdicts(ctx, now, f)
	return verdictCounts(out).take(decided), err
}

// countUnregistered counts findings as if no value were registered.
func (t *tx) countUnregistered(ctx context.Context, now time.Time, glob string, c condition) (verdictCounts, error) {
	if glob != "" {
		return t.countAs(ctx, now, glob, c, `CASE WHEN f.presence IN ('gone', 'expired') THEN `+rankOf(fingerprints.VerdictCleared)+
			` ELSE `+rankOf(fingerprints.VerdictUnregistered)+` END`)
	}
	var gone, all int
	err := t.one(ctx, "counting verdicts", clock+`SELECT COALESCE(SUM(CASE WHEN f.presence IN ('gone', 'expired') THEN 1 ELSE 0 END), 0), COUNT(*)
		FROM findings f WHERE `+strings.Join(c.where, " AND "), append([]any{now.UnixMicro()}, c.args...), &gone, &all)
	return verdictCounts{fingerprints.VerdictCleared: gone, fingerprints.VerdictUnregistered: all - gone}, err
}

// countAs counts findings by an expression that is a verdict's rank. It is evaluated
// once for each finding: in GROUP BY, SQLite would do so twice.
func (t *tx) countAs(ctx context.Context, now time.Time, glob string, c condition, rank string) (verdictCounts, error) {
	place, group := "''", "GROUP BY verdict"
	if glob != "" {
		place, group = "f.path", "GROUP BY verdict, place"
	}
	out := verdictCounts{}
	err := t.each(ctx, "counting verdicts", clock+`, ranked (verdict, place) AS MATERIALIZED (SELECT `+rank+`, `+place+` FROM findings f WHERE `+
		strings.Join(c.where, " AND ")+`) SELECT verdict, MIN(place), COUNT(*) FROM ranked `+group, append([]any{now.UnixMicro()}, c.args...), func(scan scanner) error {
		var rank, n int
		var place string
		err := scan(&rank, &place, &n)
		if err == nil && (glob == "" || globMatches(glob, place)) {
			out[verdictAt(rank)] += n
		}
		return err
	})
	return out, err
}
