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
	return `SELECT f.value_pk FROM (SELECT DISTINCT vf.value_pk, 'tip' AS presence FROM value_fields vf JOIN fields fd ON fd.id = vf.field) f
		WHERE (` + verdictElsewhere() + `) IN (` + strings.Join(ranks, ", ") + `) OR f.value_pk IN (
			SELECT vf.value_pk FROM homes h JOIN versions v ON v.secret = h.secret JOIN fields fd ON fd.version = v.id JOIN value_fields vf ON vf.field = fd.id)`
}

// often is how many findings are looked at for one that is wanted, before it is
// better to begin with the values.
const often = 50

// rare reports whether few findings have the verdicts that a filter asks for. Then
// the values lead to them; a page of many is found sooner in the order of ids.
// Cleared and unregistered findings are not known by their values.
func (t *tx) rare(ctx context.Context, now time.Time, f store.FindingFilter) (bool, error) {
	const doing = "counting findings"
	if len(f.Verdicts) == 0 || slices.Contains(f.Verdicts, fingerprints.VerdictCleared) || slices.Contains(f.Verdicts, fingerprints.VerdictUnregistered) {
		return false, nil
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
