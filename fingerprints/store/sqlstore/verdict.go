package sqlstore

import (
	"slices"
	"strconv"
	"strings"

	"revenant/fingerprints"
)

// A verdict in SQL is its place in fingerprints.Verdicts, so that the worst of
// several is the smallest.

func rankOf(v fingerprints.Verdict) string {
	return strconv.Itoa(slices.Index(fingerprints.Verdicts(), v))
}

func verdictAt(rank int) fingerprints.Verdict { return fingerprints.Verdicts()[rank] }

// clock names the time that verdicts are asked for; every query that uses
// verdictOfFinding or verdictOfVersion starts with it, with the time in
// microseconds as its first argument.
const clock = `WITH clock (now) AS (SELECT CAST(? AS BIGINT)) `

const now = `(SELECT now FROM clock)`

// verdictOfVersion is the verdict that version v alone has on finding f. It
// says in SQL what fingerprints.Correlate says in Go; a test compares every
// combination.
func verdictOfVersion() string { return verdictWhere(atHome) }

// atHome: finding f is at an allowed home of the secret of version v, which is
// tied to it or covers its source.
const atHome = `EXISTS (
			SELECT 1 FROM homes h WHERE h.secret = v.secret AND (h.until IS NULL OR h.until > $now) AND (
				EXISTS (SELECT 1 FROM finding_homes fh WHERE fh.finding_pk = f.pk AND fh.home = h.id) OR ` + wholeHome + `))`

// wholeHome: home h covers the source of finding f.
const wholeHome = `h.whole = 1 AND EXISTS (SELECT 1 FROM home_sources hs WHERE hs.home = h.id AND hs.source_pk = f.source_pk)`

const atWholeHome = `EXISTS (
			SELECT 1 FROM homes h WHERE h.secret = v.secret AND (h.until IS NULL OR h.until > $now) AND ` + wholeHome + `)`

// nowhere is a finding that no home covers.
const nowhere = `1 = 0`

func verdictWhere(allowed string) string {
	r := strings.NewReplacer(
		"$cleared", rankOf(fingerprints.VerdictCleared),
		"$compromised", rankOf(fingerprints.VerdictCompromised),
		"$premature", rankOf(fingerprints.VerdictPremature),
		"$allowed", rankOf(fingerprints.VerdictAllowed),
		"$leaked", rankOf(fingerprints.VerdictLeaked),
		"$overdue", rankOf(fingerprints.VerdictOverdue),
		"$lagging", rankOf(fingerprints.VerdictLagging),
		"$stale", rankOf(fingerprints.VerdictStale),
		"$now", now,
	)
	return r.Replace(strings.Replace(`CASE
		WHEN f.presence IN ('gone', 'expired') THEN $cleared
		WHEN v.compromised_at IS NOT NULL THEN $compromised
		WHEN v.state = 'pending' THEN $premature
		WHEN v.state IN ('active', 'superseded') AND $home THEN $allowed
		WHEN v.state = 'superseded' AND v.window_ends <= $now THEN $overdue
		WHEN v.state = 'superseded' THEN $lagging
		WHEN v.state IN ('retired', 'abandoned') THEN $stale
		ELSE $leaked END`, "$home", allowed, 1))
}

// verdictOfFinding is the worst verdict of the versions that have the value of
// finding f.
func verdictOfFinding() string { return verdictAmong(verdictOfVersion()) }

// verdictElsewhere is the verdict of finding f were it at no allowed home, and
// verdictInSource were it at none but those that cover its source. All that they
// read of f is the presence, the value and the source.
func verdictElsewhere() string { return verdictAmong(verdictWhere(nowhere)) }

func verdictInSource() string { return verdictAmong(verdictWhere(atWholeHome)) }

func verdictAmong(ofVersion string) string {
	return `CASE WHEN f.presence IN ('gone', 'expired') THEN ` + rankOf(fingerprints.VerdictCleared) + `
		ELSE COALESCE((SELECT MIN(` + ofVersion + `)
			FROM value_fields vf JOIN fields fd ON fd.id = vf.field JOIN versions v ON v.id = fd.version
			WHERE vf.value_pk = f.value_pk), ` + rankOf(fingerprints.VerdictUnregistered) + `) END`
}

// statusOfFinding is the status in force: the finding's own, where it has one
// that has not run out, else what a decision says.
func statusOfFinding() string {
	return `CASE WHEN ` + ownStatus + ` THEN f.status ELSE COALESCE((` + decisionOfFinding("dc.status") + `), 'open') END`
}

// decisionInForce is the decision that the status is by; 0 where it is the
// finding's own.
func decisionInForce() string {
	return `CASE WHEN ` + ownStatus + ` THEN 0 ELSE COALESCE((` + decisionOfFinding("dc.id") + `), 0) END`
}

// ownStatus: people said something of the finding itself, and it still counts.
const ownStatus = `f.status <> 'open' AND NOT (f.status = 'accepted' AND f.until IS NOT NULL AND f.until <= ` + now + `)`

// decisionOfFinding selects a column of the first decision that holds for
// finding f. It says in SQL what fingerprints.Decidable says in Go; a test
// compares them.
func decisionOfFinding(column string) string {
	var holds []string
	for scope, about := range map[fingerprints.DecisionScope]string{
		fingerprints.DecidedByValue: "dc.value IS NOT NULL",
		fingerprints.DecidedByRule:  "dc.value IS NULL AND (dc.rule = '*' OR f.rules = dc.rule || '\n')",
	} {
		for _, s := range []fingerprints.Status{fingerprints.StatusAccepted, fingerprints.StatusFalsePositive} {
			var ranks []string
			for _, v := range fingerprints.Verdicts() {
				if fingerprints.Decidable(scope, s, v) {
					ranks = append(ranks, rankOf(v))
				}
			}
			holds = append(holds, about+` AND dc.status = '`+string(s)+`' AND (`+verdictOfFinding()+`) IN (`+strings.Join(ranks, ", ")+`)`)
		}
	}
	slices.Sort(holds) // one text, so that it is prepared once
	return `SELECT ` + column + ` FROM finding_decisions fdc JOIN decisions dc ON dc.id = fdc.decision
		WHERE fdc.finding_pk = f.pk AND (dc.until IS NULL OR dc.until > ` + now + `)
			AND (` + strings.Join(holds, " OR ") + `) ORDER BY dc.id LIMIT 1`
}

// strongestPresence is the presence of the strongest sighting of finding f.
func strongestPresence() string {
	var rank, word strings.Builder
	for i, p := range fingerprints.Presences() {
		n := strconv.Itoa(i)
		rank.WriteString(" WHEN '" + string(p) + "' THEN " + n)
		word.WriteString(" WHEN " + n + " THEN '" + string(p) + "'")
	}
	// A presence that this version does not know counts as the strongest.
	return `CASE (SELECT MIN(CASE si.presence` + rank.String() + ` ELSE 0 END)
		FROM sightings si WHERE si.finding_pk = f.pk)` + word.String() + ` ELSE '` + string(fingerprints.PresenceGone) + `' END`
}

// presenceRank is the place of a presence, the strongest first; one that this
// version does not know must not read as weak.
func presenceRank(p fingerprints.Presence) int {
	return max(slices.Index(fingerprints.Presences(), p), 0)
}
