package sqlstore

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// tallied is what a row of the table tallies is of.
type tallied struct{ value, source int64 }

func (a tallied) compare(b tallied) int {
	if a.value != b.value {
		return int(min(max(a.value-b.value, -1), 1))
	}
	return int(min(max(a.source-b.source, -1), 1))
}

// tally counts findings that have a copy left, and those that have none.
type tally struct{ present, gone int64 }

type tallies map[tallied]tally

func (t tallies) add(of tallied, presence fingerprints.Presence, n int64) {
	x := t[of]
	if isGone(presence) {
		x.gone += n
	} else {
		x.present += n
	}
	t[of] = x
}

// isGone says in Go what verdictOfFinding says of a presence.
func isGone(p fingerprints.Presence) bool {
	return p == fingerprints.PresenceGone || p == fingerprints.PresenceExpired
}

// addTallies adds differences to what is stored. A row that gets less is there, or
// went with its value.
func (t *tx) addTallies(ctx context.Context, more tallies) error {
	const doing = "counting findings"
	if err := t.addTotals(ctx, more); err != nil {
		return err
	}
	var args []any
	for _, of := range slices.SortedFunc(maps.Keys(more), tallied.compare) {
		n := more[of]
		if n.present >= 0 && n.gone >= 0 {
			if n != (tally{}) {
				args = append(args, of.value, of.source, n.present, n.gone)
			}
			continue
		}
		_, err := t.exec(ctx, doing, `UPDATE tallies SET present = present + ?, gone = gone + ? WHERE value_pk = ? AND source_pk = ?`,
			n.present, n.gone, of.value, of.source)
		if err == nil {
			_, err = t.exec(ctx, doing, `DELETE FROM tallies WHERE value_pk = ? AND source_pk = ? AND present = 0 AND gone = 0`, of.value, of.source)
		}
		if err != nil {
			return err
		}
	}
	return t.insert(ctx, doing, `INSERT INTO tallies (value_pk, source_pk, present, gone)`, `ON CONFLICT (value_pk, source_pk) DO UPDATE
		SET present = tallies.present + excluded.present, gone = tallies.gone + excluded.gone`, 4, args)
}

// addTotals adds to what sources have, whatever the values. A source that tallies are
// of has a total.
func (t *tx) addTotals(ctx context.Context, more tallies) error {
	const doing = "counting findings"
	totals := map[int64]tally{}
	for of, n := range more {
		sum := totals[of.source]
		totals[of.source] = tally{sum.present + n.present, sum.gone + n.gone}
	}
	var args []any
	for _, source := range slices.Sorted(maps.Keys(totals)) {
		n := totals[source]
		switch {
		case n.present >= 0 && n.gone >= 0:
			if n != (tally{}) {
				args = append(args, source, n.present, n.gone)
			}
		default:
			_, err := t.exec(ctx, doing, `UPDATE totals SET present = present + ?, gone = gone + ? WHERE source_pk = ?`, n.present, n.gone, source)
			if err != nil {
				return err
			}
		}
	}
	return t.insert(ctx, doing, `INSERT INTO totals (source_pk, present, gone)`, `ON CONFLICT (source_pk) DO UPDATE
		SET present = totals.present + excluded.present, gone = totals.gone + excluded.gone`, 3, args)
}

// tallyOf counts some findings.
func (t *tx) tallyOf(ctx context.Context, findings []int64) (tallies, error) {
	out := tallies{}
	err := inLists(slices.Compact(slices.Sorted(slices.Values(findings))), func(marks string, args []any) error {
		return t.each(ctx, "counting findings", `SELECT value_pk, source_pk, presence, COUNT(*) FROM findings WHERE pk IN (`+marks+`)
			GROUP BY value_pk, source_pk, presence`, args, func(scan scanner) error {
			var of tallied
			var presence fingerprints.Presence
			var n int64
			err := scan(&of.value, &of.source, &presence, &n)
			out.add(of, presence, n)
			return err
		})
	})
	return out, err
}

// recounted runs what changes the presence of findings, or removes some, and
// brings the tallies up to date.
func (t *tx) recounted(ctx context.Context, findings []int64, fn func() error) error {
	if len(findings) == 0 {
		return fn()
	}
	before, err := t.tallyOf(ctx, findings)
	if err != nil {
		return err
	}
	if err := fn(); err != nil {
		return err
	}
	more, err := t.tallyOf(ctx, findings)
	if err != nil {
		return err
	}
	for of, n := range before {
		more[of] = tally{more[of].present - n.present, more[of].gone - n.gone}
	}
	return t.addTallies(ctx, more)
}

// retally counts all findings of some sources anew.
func (t *tx) retally(ctx context.Context, sources ...int64) error {
	const doing = "counting findings"
	for _, source := range sources {
		if _, err := t.exec(ctx, doing, `DELETE FROM tallies WHERE source_pk = ?`, source); err != nil {
			return err
		}
		_, err := t.exec(ctx, doing, `INSERT INTO tallies (value_pk, source_pk, present, gone) SELECT value_pk, source_pk,
			SUM(CASE WHEN presence IN ('gone', 'expired') THEN 0 ELSE 1 END), SUM(CASE WHEN presence IN ('gone', 'expired') THEN 1 ELSE 0 END)
			FROM findings WHERE source_pk = ? GROUP BY value_pk, source_pk`, source)
		if err != nil {
			return err
		}
		if _, err := t.exec(ctx, doing, `DELETE FROM totals WHERE source_pk = ?`, source); err != nil {
			return err
		}
		_, err = t.exec(ctx, doing, `INSERT INTO totals (source_pk, present, gone) SELECT source_pk, CAST(SUM(present) AS BIGINT), CAST(SUM(gone) AS BIGINT)
			FROM tallies WHERE source_pk = ? GROUP BY source_pk`, source)
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) VerdictGroups(ctx context.Context, now time.Time, versions []fingerprints.VersionID, values []fingerprints.ValueID) ([]store.VerdictGroup, error) {
	pks, err := t.valuesOf(ctx, versions, values)
	if err != nil {
		return nil, err
	}
	var out []store.VerdictGroup
	err = inLists(pks, func(marks string, args []any) error {
		list, err := t.verdictGroups(ctx, now, marks, args)
		out = append(out, list...)
		return err
	})
	return out, err
}

// valuesOf are the numbers of seen values, each once and in order.
func (t *tx) valuesOf(ctx context.Context, versions []fingerprints.VersionID, values []fingerprints.ValueID) ([]int64, error) {
	var out []int64
	look := func(query string, keys [][]byte) error {
		return inLists(keys, func(marks string, args []any) error {
			return t.each(ctx, "looking up values", query+` (`+marks+`)`, args, func(scan scanner) error {
				var pk int64
				err := scan(&pk)
				out = append(out, pk)
				return err
			})
		})
	}
	ids := make([][]byte, len(versions))
	for i := range versions {
		ids[i] = versions[i][:]
	}
	err := look(`SELECT vf.value_pk FROM fields fd JOIN value_fields vf ON vf.field = fd.id WHERE fd.version IN`, ids)
	if err != nil {
		return nil, err
	}
	ids = nil
	for i := range values {
		if !values[i].IsZero() {
			ids = append(ids, values[i][:])
		}
	}
	err = look(`SELECT pk FROM seen_values WHERE value IN`, ids)
	slices.Sort(out)
	return slices.Compact(out), err
}

// secretsOfValues are the secrets that some values belong to.
const secretsOfValues = `SELECT v.secret FROM value_fields vf JOIN fields fd ON fd.id = vf.field JOIN versions v ON v.id = fd.version WHERE vf.value_pk IN ($marks)`

// groupings count the present findings of some values in groups, from the
// special to the general: those that homes of the values' secrets are tied to, those
// in sources that such homes cover, and all. Each has value, source (0: any), the
// homes, how many, and the verdict.
func groupings() []string {
	return []string{
		`SELECT f.value_pk, f.source_pk, f.homes, f.n, ` + verdictOfFinding() + ` FROM (
			SELECT value_pk, source_pk, homes, COUNT(*) AS n, MIN(pk) AS pk, 'tip' AS presence FROM (
				SELECT f.value_pk, f.source_pk, f.pk, string_agg(CAST(fh.home AS TEXT), ',' ORDER BY fh.home) AS homes
				FROM homes h CROSS JOIN finding_homes fh CROSS JOIN findings f
				WHERE fh.home = h.id AND f.pk = fh.finding_pk AND f.value_pk IN ($marks) AND f.presence NOT IN ('gone', 'expired') AND h.secret IN (` + secretsOfValues + `)
				GROUP BY f.value_pk, f.source_pk, f.pk) tied
			GROUP BY value_pk, source_pk, homes) f ORDER BY 1, 2, 3`,
		`SELECT f.value_pk, f.source_pk, '', f.present, ` + verdictInSource() + ` FROM (
			SELECT value_pk, source_pk, 'tip' AS presence, present FROM tallies WHERE value_pk IN ($marks) AND present > 0 AND +source_pk IN (
				SELECT hs.source_pk FROM homes h JOIN home_sources hs ON hs.home = h.id WHERE h.secret IN (` + secretsOfValues + `))) f ORDER BY 1, 2`,
		`SELECT f.value_pk, 0, '', f.present, ` + verdictElsewhere() + ` FROM (
			SELECT value_pk, 'tip' AS presence, CAST(SUM(present) AS BIGINT) AS present FROM tallies WHERE value_pk IN ($marks)
			GROUP BY value_pk) f ORDER BY 1`,
	}
}

// verdictGroups groups the findings of some values. What a general group counts
// is what no special one did.
func (t *tx) verdictGroups(ctx context.Context, now time.Time, marks string, args []any) ([]store.VerdictGroup, error) {
	var out []store.VerdictGroup
	special := map[tallied]int{} // by value and source, and by value
	for _, query := range groupings() {
		all := append([]any{now.UnixMicro()}, slices.Repeat(args, strings.Count(query, "$marks"))...)
		counted := map[tallied]int{}
		err := t.each(ctx, "counting verdicts", clock+strings.ReplaceAll(query, "$marks", marks), all, func(scan scanner) error {
			var of tallied
			var homes string
			var n, rank int
			err := scan(&of.value, &of.source, &homes, &n, &rank)
			if homes == "" {
				n -= special[of]
			}
			if n > 0 {
				name := fmt.Sprintf("value %d in %d at %q", of.value, of.source, homes)
				out = append(out, store.VerdictGroup{Group: name, Verdict: verdictAt(rank), Count: n})
				counted[of] += n
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		for of, n := range counted {
			special[of] += n
			if of.source != 0 {
				special[tallied{value: of.value}] += n
			}
		}
	}
	return out, nil
}
