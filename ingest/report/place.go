package report

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints"
)

// MaxPlaces is how many places a Collector keeps: as many as GitHub takes results.
const MaxPlaces = 25_000

// Place is one value at one path of one source, with all its sightings there:
// the versions of a file, the lines of it.
type Place struct {
	wire.Finding       // the strongest sighting
	Sightings    int64 // at this path
	// Key names the place and stays the same from scan to scan, 32 hex digits: of
	// the finding's id, else of path, rule and ordinal.
	Key string
}

// Dismissed says why nothing has to be done here; empty: something has.
func (p Place) Dismissed() string {
	switch {
	case p.Verdict == fingerprints.VerdictAllowed:
		return "an allowed place"
	case p.Verdict == fingerprints.VerdictCleared:
		return "cleared"
	case p.Status == fingerprints.StatusAccepted:
		return "accepted"
	case p.Status == fingerprints.StatusFalsePositive:
		return "a false positive"
	case p.TooCommon:
		return "too common to alert"
	case p.Within:
		return "inside of another value"
	}
	return ""
}

// Justification is Dismissed, and by whose word, until when and why, for reports
// that go to others: no owner is named, and no folder of this machine.
func (p Place) Justification() string {
	out, t := p.Dismissed(), p.Tolerated
	if out == "" || t == nil {
		return out
	}
	by := t.By
	if t.In == wire.ToleratedInFile {
		by = path.Base(filepath.ToSlash(by))
	}
	out += " by " + by
	if !t.Until.IsZero() {
		out += " until " + t.Until.UTC().Format(time.DateOnly)
	}
	if t.Reason != "" {
		out += ": " + t.Reason
	}
	return out
}

// placeKey is what sightings are joined by.
type placeKey struct {
	source, path, what string
	same               uint64
	id                 fingerprints.FindingID
	locator            string // where nothing else tells values apart
	start              int64
}

func placeOf(f wire.Finding) placeKey {
	k := placeKey{source: f.SourceID, path: f.Path, what: What(f), same: f.Same}
	if f.Same == 0 {
		k.id = f.ID
	}
	if f.Same == 0 && f.ID == "" {
		k.locator, k.start = f.Locator, f.Span.Start
	}
	return k
}

// Collector joins findings by place. The zero value is ready. Not safe for
// concurrent use.
type Collector struct {
	places map[placeKey]*kept
	ranks  [][]*kept // by severity, the worst first
	seen   int
	left   int64
}

type kept struct {
	Place
	key placeKey
	at  int // the order of arrival
}

// Write adds a finding.
func (c *Collector) Write(f wire.Finding) error {
	if c.places == nil {
		c.places = map[placeKey]*kept{}
		c.ranks = make([][]*kept, len(fingerprints.Severities())+2)
	}
	key := placeOf(f)
	if k := c.places[key]; k != nil {
		k.Sightings += 1 + f.More
		before := k.Finding
		if stronger(f, before) {
			k.Finding = f
		}
		if f.Layer != nil { // another layer that has the path is in other images
			k.Refs, k.MoreRefs = joined(before, f)
		}
		return nil
	}
	rank := severityRank(f.Severity)
	if (Place{Finding: f}).Dismissed() != "" { // it makes room for any other
		rank = len(c.ranks) - 1
	}
	if len(c.places) >= MaxPlaces && !c.makeRoom(rank) {
		c.left += 1 + f.More
		return nil
	}
	k := &kept{Place: Place{Finding: f, Sightings: 1 + f.More}, key: key, at: c.seen}
	c.seen++
	c.places[key] = k
	c.ranks[rank] = append(c.ranks[rank], k)
	return nil
}

// maxJoined is how many refs of a place are told apart.
const maxJoined = 100

// joined are the refs of two findings, each once.
func joined(a, b wire.Finding) (refs []string, more int) {
	refs, more = slices.Clone(a.Refs), max(a.MoreRefs, b.MoreRefs)
	for _, ref := range b.Refs {
		switch {
		case slices.Contains(refs, ref):
		case len(refs) < maxJoined:
			refs = append(refs, ref)
		default:
			more++
		}
	}
	return refs, more
}

// makeRoom drops a place that is less severe than rank.
func (c *Collector) makeRoom(rank int) bool {
	for r := len(c.ranks) - 1; r > rank; r-- {
		if n := len(c.ranks[r]); n > 0 {
			k := c.ranks[r][n-1]
			c.ranks[r] = c.ranks[r][:n-1]
			delete(c.places, k.key)
			c.left += k.Sightings
			return true
		}
	}
	return false
}

// Data returns what was collected, the worst places first, those alike in the
// order of their sources.
func (c *Collector) Data(t Tool, s wire.Summary) Data {
	var all []*kept
	for _, r := range c.ranks {
		all = append(all, r...)
	}
	slices.SortFunc(all, func(a, b *kept) int {
		return cmp.Or(
			cmp.Compare(severityRank(a.Severity), severityRank(b.Severity)),
			cmp.Compare(verdictRank(a.Verdict), verdictRank(b.Verdict)),
			cmp.Compare(a.at, b.at),
		)
	})
	d := Data{Tool: t, Left: c.left, Summary: s}
	keys := map[string]int{}
	for _, k := range all {
		p := k.Place
		name := stableName(p.Finding)
		if keys[name]++; keys[name] > 1 {
			name = fmt.Sprintf("%s\x00%d", name, keys[name])
		}
		p.Key = digest(name)
		d.Places = append(d.Places, p)
	}
	return d
}

// stableName names a finding in a way that is the same in the next scan.
func stableName(f wire.Finding) string {
	if f.ID != "" {
		return string(f.ID)
	}
	return strings.Join([]string{f.Path, RuleID(f), fmt.Sprint(f.Ordinal)}, "\x00")
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:16])
}

// stronger reports whether a is where a reader rather meets the value.
func stronger(a, b wire.Finding) bool {
	return cmp.Or(
		cmp.Compare(presenceRank(a.Presence), presenceRank(b.Presence)),
		cmp.Compare(severityRank(a.Severity), severityRank(b.Severity)),
	) < 0
}

func severityRank(s fingerprints.Severity) int { return rank(fingerprints.Severities(), s) }

func verdictRank(v fingerprints.Verdict) int { return rank(fingerprints.Verdicts(), v) }

func presenceRank(p fingerprints.Presence) int { return rank(fingerprints.Presences(), p) }

// rank is the index of a word in its list; what is not in it comes last.
func rank[T comparable](all []T, one T) int {
	if i := slices.Index(all, one); i >= 0 {
		return i
	}
	return len(all)
}
