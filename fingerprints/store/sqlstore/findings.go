package sqlstore

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// condition is the WHERE of a list of findings.
type condition struct {
	where []string
	args  []any
	few   bool // it leads to few findings: they are put in order, not looked for in it
}

func (c *condition) add(cond string, args ...any) {
	c.where = append(c.where, cond)
	c.args = append(c.args, args...)
}

// order is by id, as an expression without an index where few are put in order.
func (c *condition) order() string {
	if c.few {
		return "f.id || ''"
	}
	return "f.id"
}

func addWords[W ~string](c *condition, expr string, words []W) {
	if len(words) == 0 {
		return
	}
	var args []any
	for _, w := range words {
		args = append(args, string(w))
	}
	c.add(expr+" IN (?"+strings.Repeat(", ?", len(words)-1)+")", args...)
}

// conditionOf turns a filter into SQL. Secret and value lead to few values, so
// they are written as a list of values for the index on it.
func (t *tx) conditionOf(f store.FindingFilter) *condition {
	c := &condition{where: []string{"1 = 1"}}
	if f.IDs != nil {
		t.addIDs(c, f.IDs)
	}
	if f.IDPrefix != "" {
		from, to := f.IDPrefix, f.IDPrefix+"\U0010ffff" // in the order of bytes, by which ids are indexed
		c.add(t.oneOf("f.pk", `SELECT pk FROM findings WHERE id >= ? AND id < ? UNION ALL SELECT finding_pk FROM aliases WHERE alias >= ? AND alias < ?`),
			from, to, from, to)
	}
	if !f.Value.IsZero() {
		c.add(`f.value_pk IN (SELECT pk FROM seen_values WHERE value = ?)`, f.Value[:])
	}
	if f.Secret != "" {
		text, args := t.andSeen("v.secret"), []any{f.Secret}
		if f.Version != 0 {
			text, args = text+" AND v.number = ?", append(args, f.Version)
		}
		c.add(t.oneOf("f.value_pk", `SELECT vf.value_pk FROM versions v JOIN fields fd ON fd.version = v.id
			JOIN value_fields vf ON vf.field = fd.id WHERE v.secret = ?`+text), args...)
	}
	if f.SourceID != "" {
		c.add("f.source_pk = (SELECT pk FROM sources WHERE id = ?)", f.SourceID)
	}
	if n := len([]rune(f.PathPrefix)); n > 0 {
		c.add("substr(f.path, 1, ?) = ?", n, f.PathPrefix)
	}
	addWords(c, "f.path", f.Paths)
	switch {
	case f.Rule == "":
	case t.ruleLeads(f):
		c.add("f.rules IN ("+listsWith()+")", ruleArgs(f.Rule)...)
	default:
		c.add(withRule("f.rules"), ruleArgs(f.Rule)...)
	}
	if f.Owner != "" {
		c.add("f.owner <> '' AND "+unlessNarrow(f, "f.owner")+" = ?", f.Owner)
	}
	if f.After != "" {
		c.add("f.id > ?", string(f.After))
	}
	addWords(c, "("+statusOfFinding()+")", f.Statuses)
	if f.Decision != 0 {
		c.add("f.pk IN (SELECT finding_pk FROM finding_decisions WHERE decision = ?)", f.Decision)
		c.add("("+decisionInForce()+") = ?", f.Decision)
	}
	if f.Home != 0 {
		c.add(t.oneOf("f.value_pk", strings.ReplaceAll(valuesOfHome, "?1", "?")), f.Home)
		c.add(`(f.pk IN (SELECT finding_pk FROM finding_homes WHERE home = ?) OR f.source_pk IN (SELECT source_pk FROM home_sources WHERE home = ?))`, f.Home, f.Home)
	}
	presence := unlessNarrow(f, "f.presence")
	if f.Owner != "" {
		presence = "f.presence || ''"
	}
	addWords(c, presence, f.Presences)
	addVerdicts(c, f.Verdicts)
	return c
}

// unlessNarrow is a column with an index, as an expression without one where a filter
// has something that fewer findings have: SQLite does not know which is fewer.
func unlessNarrow(f store.FindingFilter, column string) string {
	if narrow(f) {
		return column + " || ''"
	}
	return column
}

func narrow(f store.FindingFilter) bool {
	return f.IDs != nil || f.IDPrefix != "" || !f.Value.IsZero() || f.Secret != "" || f.SourceID != "" || f.Paths != nil || f.Decision != 0 || f.Home != 0 || byValues(f.Verdicts)
}

// oneOf is that of the database.
func (t *tx) oneOf(column, query string) string { return t.s.engine.words().oneOf(column, query) }

func (t *tx) addIDs(c *condition, ids []fingerprints.FindingID) {
	if len(ids) == 0 {
		c.add("1 = 0")
		return
	}
	marks := "(?" + strings.Repeat(", ?", len(ids)-1) + ")"
	var args []any
	for range 2 {
		for _, id := range ids {
			args = append(args, string(id))
		}
	}
	// One list for the index: with an OR, PostgreSQL reads every finding.
	c.add(t.oneOf("f.pk", "SELECT pk FROM findings WHERE id IN "+marks+" UNION ALL SELECT finding_pk FROM aliases WHERE alias IN "+marks), args...)
}

func addVerdicts(c *condition, verdicts []fingerprints.Verdict) {
	if len(verdicts) == 0 {
		return
	}
	var ranks []string
	for _, v := range verdicts {
		ranks = append(ranks, rankOf(v)) // -1, which nothing has, for an unknown word
	}
	c.add("(" + verdictOfFinding() + ") IN (" + strings.Join(ranks, ", ") + ")")
}

func (t *tx) Findings(ctx context.Context, now time.Time, f store.FindingFilter) ([]store.FindingView, error) {
	if len(f.IDs) > page {
		return t.findingsByID(ctx, now, f)
	}
	if f.Limit > 0 && f.Value.IsZero() != (f.Secret == "") && t.byTallies(withoutPage(f)) && f.SourceID == "" {
		return t.pageOfValues(ctx, now, f)
	}
	rare, err := t.rare(ctx, now, f)
	if err != nil {
		return nil, err
	}
	decided, err := t.seldomDecided(ctx, f)
	if err != nil {
		return nil, err
	}
	if f.Limit > 0 && !decided && t.ruleLeads(f) {
		return t.pageOfRule(ctx, now, f)
	}
	condition := func(f store.FindingFilter) *condition {
		c := t.conditionOf(f)
		c.few = decided || rare
		if decided {
			c.add(t.oneOf("f.pk", decidedFindings))
		}
		if rare {
			c.add(t.oneOf("f.value_pk", valuesWith(f.Verdicts)))
		}
		return c
	}
	if f.PathGlob == "" {
		return t.views(ctx, now, condition(f), f.Limit)
	}
	return t.byGlob(ctx, now, f, condition)
}

// byGlob reads paths until enough match, and then those findings: no two databases
// have the same globs.
func (t *tx) byGlob(ctx context.Context, now time.Time, f store.FindingFilter, where func(store.FindingFilter) *condition) ([]store.FindingView, error) {
	var out []row
	for {
		c := where(f)
		read := 0
		err := t.each(ctx, "listing findings", clock+`SELECT f.id, f.pk, f.path FROM findings f WHERE `+strings.Join(c.where, " AND ")+` ORDER BY `+c.order()+` LIMIT ?`,
			append(append([]any{now.UnixMicro()}, c.args...), page), func(scan scanner) error {
				var r row
				var path string
				err := scan(&r.id, &r.pk, &path)
				f.After, read = r.id, read+1
				if globMatches(f.PathGlob, path) {
					out = append(out, r)
				}
				return err
			})
		if err != nil {
			return nil, err
		}
		if f.Limit > 0 && len(out) >= f.Limit {
			return t.viewsOf(ctx, now, out[:f.Limit], &condition{})
		}
		if read < page {
			return t.viewsOf(ctx, now, out, &condition{})
		}
	}
}

// findingsByID asks for a long list of ids in parts.
func (t *tx) findingsByID(ctx context.Context, now time.Time, f store.FindingFilter) ([]store.FindingView, error) {
	byID := map[fingerprints.FindingID]store.FindingView{}
	for part := range slices.Chunk(f.IDs, page) {
		g := f
		g.IDs = part
		list, err := t.Findings(ctx, now, g)
		if err != nil {
			return nil, err
		}
		for _, v := range list {
			byID[v.ID] = v
		}
	}
	out := slices.SortedFunc(maps.Values(byID), func(a, b store.FindingView) int {
		return strings.Compare(string(a.ID), string(b.ID))
	})
	if f.Limit > 0 && len(out) > f.Limit {
		out = out[:f.Limit]
	}
	return out, nil
}

func globMatches(glob, path string) bool {
	return doublestar.MatchUnvalidated(glob, path)
}

func (t *tx) Finding(ctx context.Context, now time.Time, id fingerprints.FindingID) (store.FindingView, error) {
	pk, err := t.findingPK(ctx, id)
	if err != nil {
		return store.FindingView{}, err
	}
	c := &condition{}
	c.add("f.pk = ?", pk)
	list, err := t.views(ctx, now, c, 1)
	if err == nil && len(list) == 0 {
		err = notFound("finding", "")
	}
	if err != nil {
		return store.FindingView{}, err
	}
	return list[0], nil
}

// findingPK follows aliases.
func (t *tx) findingPK(ctx context.Context, id fingerprints.FindingID) (int64, error) {
	var pk int64
	err := t.one(ctx, "looking up a finding",
		`SELECT pk FROM findings WHERE id = ? UNION ALL SELECT finding_pk FROM aliases WHERE alias = ? LIMIT 1`,
		[]any{string(id), string(id)}, &pk)
	return pk, err
}

func findingColumns() string {
	return `f.pk, f.value_pk, f.id, sv.value, s.id, f.path, f.path_id, f.presence, ` + statusOfFinding() + ` AS status_now,
	f.owner, f.reason, f.until, f.due, f.first_seen, f.last_seen, f.gone_at, f.rules, ` + decisionInForce() + ` AS decision_now`
}

// keyed is a view with the inside numbers that lead to its parts.
type keyed struct {
	pk, value int64
	view      *store.FindingView
}

func (t *tx) views(ctx context.Context, now time.Time, c *condition, limit int) ([]store.FindingView, error) {
	query := clock + `SELECT ` + findingColumns() + `, ` + verdictOfFinding() + ` AS verdict
		FROM findings f CROSS JOIN sources s CROSS JOIN seen_values sv
		WHERE s.pk = f.source_pk AND sv.pk = f.value_pk AND ` + strings.Join(c.where, " AND ") + ` ORDER BY ` + c.order()
	args := append([]any{now.UnixMicro()}, c.args...)
	if limit > 0 {
		query += " LIMIT ?"
		args = append(args, limit)
	}
	var list []keyed
	err := t.each(ctx, "listing findings", query, args, func(scan scanner) error {
		k := keyed{view: &store.FindingView{}}
		var rules string
		var rank int
		v := k.view
		err := scan(&k.pk, &k.value, &v.ID, fixed{(*[16]byte)(&v.Value)}, &v.SourceID, &v.Path, fixed{(*[16]byte)(&v.PathID)},
			&v.Presence, &v.Status, &v.Owner, &v.Reason, moment{&v.Until}, moment{&v.Due},
			moment{&v.FirstSeen}, moment{&v.LastSeen}, moment{&v.GoneAt}, &rules, &v.Decision, &rank)
		if err != nil {
			return err
		}
		v.Rules = splitLines(rules)
		v.Verdict = verdictAt(rank)
		list = append(list, k)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := t.addParts(ctx, now, list); err != nil {
		return nil, err
	}
	if err := t.addCommon(ctx, list); err != nil {
		return nil, err
	}
	out := make([]store.FindingView, len(list))
	for i, k := range list {
		finish(k.view)
		out[i] = *k.view
	}
	return out, nil
}

// finish orders what a view lists and ranks it for people.
func finish(v *store.FindingView) {
	v.Severity = fingerprints.SeverityOf(v.Verdict, "", v.Presence)
	ranks := fingerprints.Severities()
	for i, m := range v.Matches {
		s := fingerprints.SeverityOf(m.Verdict, m.Class, v.Presence)
		if i == 0 || slices.Index(ranks, s) < slices.Index(ranks, v.Severity) {
			v.Severity = s
		}
	}
}

// Lists of words are stored each with a line end, so that one can be searched for.

func joinLines(words []string) string {
	var b strings.Builder
	for _, w := range words {
		b.WriteString(w)
		b.WriteByte('\n')
	}
	return b.String()
}

func splitLines(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(s, "\n"), "\n")
}
