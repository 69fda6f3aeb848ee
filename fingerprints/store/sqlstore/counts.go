package sqlstore

import (
	"context"
	"maps"
	"slices"
	"strconv"
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
	registered, err := t.countRegistered(ctx, now, f.PathGlob, *c)
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
		return t.countAtPaths(ctx, now, glob, c, `CASE WHEN f.presence IN ('gone', 'expired') THEN `+rankOf(fingerprints.VerdictCleared)+
			` ELSE `+rankOf(fingerprints.VerdictUnregistered)+` END`)
	}
	var gone, all int
	err := t.one(ctx, "counting verdicts", clock+`SELECT COALESCE(SUM(CASE WHEN f.presence IN ('gone', 'expired') THEN 1 ELSE 0 END), 0), COUNT(*)
		FROM findings f WHERE `+strings.Join(c.where, " AND "), append([]any{now.UnixMicro()}, c.args...), &gone, &all)
	return verdictCounts{fingerprints.VerdictCleared: gone, fingerprints.VerdictUnregistered: all - gone}, err
}

// countRegistered counts present findings of registered values. Where paths do not
// matter those of a value have one verdict, unless homes are tied to them or cover
// sources: it is looked up once.
func (t *tx) countRegistered(ctx context.Context, now time.Time, glob string, c condition) (verdictCounts, error) {
	if glob != "" {
		return t.countAtPaths(ctx, now, glob, c, verdictOfFinding())
	}
	out := verdictCounts{}
	query := clock + `, copies AS MATERIALIZED (SELECT f.value_pk,
			CASE WHEN EXISTS (SELECT 1 FROM finding_homes fh WHERE fh.finding_pk = f.pk) THEN f.pk ELSE 0 END AS pk,
			CASE WHEN f.value_pk IN (` + wholeValues + `) THEN f.source_pk ELSE 0 END AS source_pk
			FROM findings f WHERE ` + strings.Join(c.where, " AND ") + `)
		SELECT ` + verdictOfFinding() + `, n FROM (
			SELECT 'tip' AS presence, value_pk, pk, source_pk, COUNT(*) AS n FROM copies GROUP BY value_pk, pk, source_pk) f`
	err := t.each(ctx, "counting verdicts", query, append([]any{now.UnixMicro()}, c.args...), func(scan scanner) error {
		var rank, n int
		err := scan(&rank, &n)
		if err == nil {
			out[verdictAt(rank)] += n
		}
		return err
	})
	return out, err
}

// countAtPaths counts findings whose paths a pattern finds, by an expression that is a
// verdict's rank. It is evaluated once for each finding: in GROUP BY, SQLite would do
// so twice.
func (t *tx) countAtPaths(ctx context.Context, now time.Time, glob string, c condition, rank string) (verdictCounts, error) {
	out := verdictCounts{}
	err := t.each(ctx, "counting verdicts", clock+`, ranked (verdict, path) AS MATERIALIZED (SELECT `+rank+`, f.path FROM findings f WHERE `+
		strings.Join(c.where, " AND ")+`) SELECT verdict, path, COUNT(*) FROM ranked GROUP BY verdict, path`, append([]any{now.UnixMicro()}, c.args...), func(scan scanner) error {
		var rank, n int
		var path string
		err := scan(&rank, &path, &n)
		if err == nil && globMatches(glob, path) {
			out[verdictAt(rank)] += n
		}
		return err
	})
	return out, err
}

// byTallies reports whether a filter selects whole values, or all of a source:
// then what the tallies hold is enough. Whose the findings are they do not hold.
func (t *tx) byTallies(f store.FindingFilter) bool {
	if t.seen != "" {
		return false
	}
	rest := f
	rest.Value, rest.Secret, rest.Version, rest.SourceID = fingerprints.ValueID{}, "", 0, ""
	return rest.IDs == nil && rest.IDPrefix == "" && rest.PathPrefix == "" && rest.PathGlob == "" && rest.Paths == nil && rest.Rule == "" && rest.Owner == "" &&
		rest.Decision == 0 && rest.Home == 0 && rest.After == "" && rest.Limit == 0 && len(rest.Verdicts)+len(rest.Statuses)+len(rest.Presences) == 0
}

// wholeValues are the values of secrets that have a home which covers sources.
const wholeValues = `SELECT vf.value_pk FROM homes h JOIN versions v ON v.secret = h.secret JOIN fields fd ON fd.version = v.id
	JOIN value_fields vf ON vf.field = fd.id WHERE h.whole = 1`

// registeredValues are those that some version has.
const registeredValues = `SELECT vf.value_pk FROM value_fields vf JOIN fields fd ON fd.id = vf.field`

// verdictsElsewhere names the verdict that each registered value has where no home is,
// told once for each value and not for each of its copies.
func verdictsElsewhere() string {
	return `, elsewhere (value_pk, verdict) AS MATERIALIZED (` + registeredBy("vf.value_pk, MIN("+verdictWhere(nowhere)+")") + `) `
}

// registeredBy selects columns of registered values, each value once. SQLite reads value_fields in
// their order.
func registeredBy(columns string) string {
	return `SELECT ` + columns + ` FROM (SELECT 'tip' AS presence) f CROSS JOIN value_fields vf CROSS JOIN fields fd CROSS JOIN versions v
		WHERE fd.id = vf.field AND v.id = fd.version GROUP BY vf.value_pk`
}

// countByTallies counts verdicts without looking at findings, but for those that
// homes are tied to.
func (t *tx) countByTallies(ctx context.Context, now time.Time, f store.FindingFilter) (map[fingerprints.Verdict]int, error) {
	counts, err := t.countTallies(ctx, now, f, "0")
	if err != nil || len(counts) == 0 {
		return map[fingerprints.Verdict]int{}, err
	}
	return counts[0], nil
}

func (t *tx) VerdictsBySource(ctx context.Context, now time.Time, ids []string) (map[string]map[fingerprints.Verdict]int, error) {
	names, wanted := map[int64]string{}, map[string]bool{}
	for _, id := range ids {
		wanted[id] = true
	}
	var some []int64 // none: all
	err := t.each(ctx, "reading sources", `SELECT pk, id FROM sources`, nil, func(scan scanner) error {
		var pk int64
		var id string
		err := scan(&pk, &id)
		switch {
		case ids == nil:
			names[pk] = id
		case wanted[id]:
			names[pk], some = id, append(some, pk)
		}
		return err
	})
	if err != nil || len(names) == 0 {
		return map[string]map[fingerprints.Verdict]int{}, err
	}
	counts, err := t.countTallies(ctx, now, store.FindingFilter{}, "f.source_pk", some...)
	out := map[string]map[fingerprints.Verdict]int{}
	for pk, n := range counts {
		out[names[pk]] = n
	}
	return out, err
}

// countTallies counts verdicts by a column, 0 for all together. Everything is
// unregistered first; then registered values get the verdict that they have where
// no home is, then what homes make of it in whole sources, then at single findings.
// Only some sources are counted where any are given.
func (t *tx) countTallies(ctx context.Context, now time.Time, f store.FindingFilter, by string, some ...int64) (map[int64]map[fingerprints.Verdict]int, error) {
	const doing = "counting verdicts"
	c := t.conditionOf(f)
	if len(some) > 0 {
		c.add(inSources(some))
	}
	where := ` WHERE ` + strings.Join(c.where, " AND ")
	counts := map[int64]map[fingerprints.Verdict]int{}
	summed := "totals"
	if !f.Value.IsZero() || f.Secret != "" {
		summed = "tallies"
	}
	err := t.each(ctx, doing, `SELECT `+by+`, CAST(SUM(f.present) AS BIGINT), CAST(SUM(f.gone) AS BIGINT) FROM `+summed+` f`+where+` GROUP BY 1`, c.args,
		func(scan scanner) error {
			var of int64
			var present, gone int
			err := scan(&of, &present, &gone)
			counts[of] = map[fingerprints.Verdict]int{fingerprints.VerdictUnregistered: present, fingerprints.VerdictCleared: gone}
			return err
		})
	if err != nil {
		return nil, err
	}
	copies := func(columns, more, group string) string {
		return `(SELECT f.value_pk, ` + columns + ` AS present, 'tip' AS presence FROM tallies f` + where + ` AND f.present > 0 AND ` + more + group + `) f`
	}
	queries := []string{
		`SELECT ` + by + ` AS of, ` + verdictElsewhere() + ` AS elsewhere, ` + verdictInSource() + ` AS verdict, f.present AS n
			FROM ` + copies("f.source_pk, f.present", t.oneOf("+f.source_pk", "SELECT source_pk FROM home_sources")+" AND "+t.oneOf("f.value_pk", wholeValues), ""),
		`SELECT ` + by + ` AS of, ` + verdictInSource() + ` AS elsewhere, ` + verdictOfFinding() + ` AS verdict, 1 AS n
			FROM findings f` + where + ` AND f.presence NOT IN ('gone', 'expired') AND f.pk IN (SELECT finding_pk FROM finding_homes)`,
	}
	if summed == "totals" && f.SourceID == "" {
		err = t.countElsewhere(ctx, now, by, some, counts)
	} else {
		queries = append(queries, `SELECT `+by+` AS of, `+rankOf(fingerprints.VerdictUnregistered)+` AS elsewhere, `+verdictElsewhere()+` AS verdict, f.present AS n
			FROM `+copies("SUM(f.present)", `EXISTS (`+registeredValues+` WHERE vf.value_pk = f.value_pk)`, " GROUP BY f.value_pk"))
	}
	if err != nil {
		return nil, err
	}
	for _, query := range queries {
		query = clock + `SELECT of, elsewhere, verdict, CAST(SUM(n) AS BIGINT) FROM (` + query + `) counted GROUP BY of, elsewhere, verdict`
		err := t.each(ctx, doing, query, append([]any{now.UnixMicro()}, c.args...), func(scan scanner) error {
			var of int64
			var from, to, n int
			err := scan(&of, &from, &to, &n)
			counts[of][verdictAt(from)] -= n
			counts[of][verdictAt(to)] += n
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	for _, list := range counts {
		maps.DeleteFunc(list, func(_ fingerprints.Verdict, n int) bool { return n == 0 })
	}
	return counts, nil
}

// inSources is a condition that finding or tally f is of some sources. An index on
// sources would lead to all that they have, most of which is not registered.
func inSources(some []int64) string {
	list := make([]string, len(some))
	for i, pk := range some {
		list[i] = strconv.FormatInt(pk, 10)
	}
	return "+f.source_pk IN (" + strings.Join(list, ", ") + ")"
}

// countElsewhere gives all registered values the verdict that they have where no home
// is. The copies of a value come as one text: putting each in order, to sum them, would
// take three times as long. Most sources have one copy of a value, and stand in it
// without a number. Only some sources are counted where any are given.
func (t *tx) countElsewhere(ctx context.Context, now time.Time, by string, some []int64, counts map[int64]map[fingerprints.Verdict]int) error {
	copies := `string_agg(CASE f.present WHEN 1 THEN CAST(f.source_pk AS TEXT) ELSE f.source_pk || '*' || f.present END, ' ')`
	if by == "0" {
		copies = `'0*' || SUM(f.present)`
	}
	where := ""
	if len(some) > 0 {
		where = " AND " + inSources(some)
	}
	query := clock + verdictsElsewhere() + `SELECT verdict, COALESCE((SELECT ` + copies + ` FROM tallies f
		WHERE f.value_pk = elsewhere.value_pk AND f.present > 0` + where + `), '') FROM elsewhere`
	moved := map[int64][]int{} // by source: how many get each verdict, by its rank
	err := t.each(ctx, "counting verdicts", query, []any{now.UnixMicro()}, func(scan scanner) error {
		var rank int
		var text string
		if err := scan(&rank, &text); err != nil || text == "" {
			return err
		}
		for one := range strings.SplitSeq(text, " ") {
			source, present, several := strings.Cut(one, "*")
			of, err := strconv.ParseInt(source, 10, 64)
			n := 1
			if several && err == nil {
				n, err = strconv.Atoi(present)
			}
			if err != nil {
				return err
			}
			list := moved[of]
			if list == nil {
				list = make([]int, len(fingerprints.Verdicts()))
				moved[of] = list
			}
			list[rank] += n
		}
		return nil
	})
	for of, list := range moved {
		for rank, n := range list {
			counts[of][fingerprints.VerdictUnregistered] -= n
			counts[of][verdictAt(rank)] += n
		}
	}
	return err
}
