package sqlstore

import (
	"context"
	"slices"
	"strings"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// valuesWith are the registered values whose findings may have one of these
// verdicts: those that have it where no home is, and those that homes are for.
func valuesWith(verdicts []fingerprints.Verdict) string {
	var ranks []string
	for _, v := range verdicts {
		ranks = append(ranks, rankOf(v))
	}
	return registeredBy("vf.value_pk") + ` HAVING MIN(` + verdictWhere(nowhere) + `) IN (` + strings.Join(ranks, ", ") + `) UNION ALL
		SELECT vf.value_pk FROM homes h JOIN versions v ON v.secret = h.secret JOIN fields fd ON fd.version = v.id JOIN value_fields vf ON vf.field = fd.id`
}

// often is how many findings are looked at for one that is wanted, before it is
// better to begin with the values.
const often = 50

// fewInSource is how many findings of a source are looked at one by one.
const fewInSource = 5000

// byValues reports whether values tell which findings may have these verdicts.
func byValues(verdicts []fingerprints.Verdict) bool {
	return len(verdicts) > 0 && !slices.Contains(verdicts, fingerprints.VerdictCleared) && !slices.Contains(verdicts, fingerprints.VerdictUnregistered)
}

// decidedFindings are those of which something was decided, whether it holds or not;
// some twice: to leave those out, SQLite would read all findings.
const decidedFindings = `SELECT pk FROM findings WHERE status <> 'open' UNION ALL SELECT finding_pk FROM finding_decisions`

// seldomDecided reports whether a filter asks for findings of which something was
// decided, and there are few of these.
func (t *tx) seldomDecided(ctx context.Context, f store.FindingFilter) (bool, error) {
	if len(f.Statuses) == 0 || slices.Contains(f.Statuses, fingerprints.StatusOpen) {
		return false, nil
	}
	all, err := t.numbers(ctx, "counting findings", `SELECT COALESCE(MAX(pk), 0) FROM findings`)
	if err != nil {
		return false, err
	}
	most := all[0] / often
	n, err := t.numbers(ctx, "counting findings", `SELECT (SELECT COUNT(*) FROM (SELECT id FROM findings WHERE status <> 'open' LIMIT ?) own)
		+ (SELECT COUNT(*) FROM (SELECT finding_pk FROM finding_decisions LIMIT ?) decided)`, most+1, most+1)
	return err == nil && n[0] <= most, err
}

// rare reports whether few findings have the verdicts that a filter asks for. Then
// the values lead to them; a page of many is found sooner in the order of ids.
// Cleared and unregistered findings are not known by their values.
func (t *tx) rare(ctx context.Context, now time.Time, f store.FindingFilter) (bool, error) {
	const doing = "counting findings"
	if !byValues(f.Verdicts) {
		return false, nil
	}
	if f.SourceID != "" {
		in, err := t.numbers(ctx, doing, `SELECT present FROM totals WHERE source_pk = (SELECT pk FROM sources WHERE id = ?)`, f.SourceID)
		if err != nil || len(in) > 0 && in[0] <= fewInSource {
			return false, err
		}
	}
	if f.Limit == 0 && f.PathGlob == "" {
		return true, nil
	}
	all, err := t.numbers(ctx, doing, `SELECT COALESCE(MAX(pk), 0) FROM findings`)
	if err != nil {
		return false, err
	}
	most := all[0] / often
	with, err := t.numbers(ctx, doing, clock+`SELECT CAST(COALESCE(SUM(present), 0) AS BIGINT) FROM (
		SELECT present FROM tallies WHERE present > 0 AND `+t.oneOf("value_pk", valuesWith(f.Verdicts))+` LIMIT ?) counted`, now.UnixMicro(), most+1)
	return err == nil && with[0] <= most, err
}
