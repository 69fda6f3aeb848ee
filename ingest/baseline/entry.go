package baseline

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"revenant/api/wire"
	"revenant/ingest/scan"
)

// Entry is a line of a baseline.
type Entry struct {
	// ID names the finding: "bl1:" and 32 hex digits where its value can be
	// hashed and a key was at hand, else "at:" with path, rule and ordinal. What
	// people write themselves is "in:" with a glob of paths and a rule or *, which
	// means all generic findings there.
	ID     string
	Until  time.Time // the last day on which it counts; zero: no end
	Owner  string
	Rule   string // for people
	Path   string // for people, redacted
	Reason string
}

// ErrSyntax is wrapped by Parse.
var ErrSyntax = errors.New("not an entry of a baseline")

// day is how dates are written.
const day = "2006-01-02"

// ParseEntry reads a line: an id and fields as name=value, percent-encoded.
// Unknown fields are kept out, so that later versions may add some.
func ParseEntry(line string) (Entry, error) {
	fields := strings.Fields(line)
	if len(fields) == 0 || !isID(fields[0]) {
		return Entry{}, fmt.Errorf("%w: it begins with %s, %s or %s", ErrSyntax, idPrefix, placePrefix, globPrefix)
	}
	if _, _, err := globOf(fields[0]); err != nil {
		return Entry{}, err
	}
	e := Entry{ID: fields[0]}
	for _, f := range fields[1:] {
		name, encoded, found := strings.Cut(f, "=")
		value, err := url.PathUnescape(encoded)
		if !found || err != nil {
			return Entry{}, fmt.Errorf("%w: fields are written as name=value, blanks in values as %%20", ErrSyntax)
		}
		switch name {
		case "until":
			if e.Until, err = time.Parse(day, value); err != nil {
				return Entry{}, fmt.Errorf("%w: until is a day such as 2027-01-31", ErrSyntax)
			}
		case "owner":
			e.Owner = value
		case "rule":
			e.Rule = value
		case "path":
			e.Path = value
		case "reason":
			e.Reason = value
		}
	}
	return e, nil
}

// String writes the line.
func (e Entry) String() string {
	var b strings.Builder
	b.WriteString(e.ID)
	field := func(name, value string) {
		if value != "" {
			b.WriteString(" " + name + "=" + encode(value))
		}
	}
	if !e.Until.IsZero() {
		field("until", e.Until.UTC().Format(day))
	}
	field("owner", e.Owner)
	field("rule", e.Rule)
	field("path", e.Path)
	field("reason", e.Reason)
	return b.String()
}

// The kinds of ids.
const (
	idPrefix    = "bl1:"
	placePrefix = "at:"
	globPrefix  = "in:"
)

func isID(s string) bool {
	return strings.HasPrefix(s, idPrefix) || strings.HasPrefix(s, placePrefix) || strings.HasPrefix(s, globPrefix)
}

// globOf is what an entry of a glob means; no glob where it is another one.
func globOf(id string) (glob, rule string, err error) {
	rest, is := strings.CutPrefix(id, globPrefix)
	if !is {
		return "", "", nil
	}
	path, rule, found := cutLast(rest)
	glob, err = url.PathUnescape(path)
	if !found || rule == "" || err != nil || !doublestar.ValidatePattern(glob) {
		return "", "", fmt.Errorf("%w: in: is followed by a glob of paths, a colon, and a rule or *, as in in:docs/**:generic-api-key", ErrSyntax)
	}
	return glob, rule, nil
}

// encode writes graphic ASCII as it is, but for % and :, and all else in percent.
func encode(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' || c == '%' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// placeID names a finding by its place, where its value cannot be hashed.
func placeID(path, rule string, ordinal uint32) string {
	return placePrefix + strings.ReplaceAll(encode(path), ":", "%3A") + ":" + strings.ReplaceAll(encode(rule), ":", "%3A") + ":" + strconv.FormatUint(uint64(ordinal), 10)
}

// rule is what a finding is called beside its place: the registered secret, or
// the first rule.
func rule(k scan.Known) string {
	switch {
	case k.Secret != "":
		return "secret/" + k.Secret
	case len(k.Rules) > 0:
		return k.Rules[0]
	}
	return ""
}

// ids are the names by which a sighting may stand in a baseline, the best first.
func ids(k scan.Known) []string {
	place := placeID(k.Path, rule(k), k.Ordinal)
	if k.BaselineID == "" {
		return []string{place}
	}
	if k.Secret != "" { // whose value is no secret to its place
		return []string{k.BaselineID}
	}
	return []string{k.BaselineID, place}
}

// over reports whether the entry has run out.
func (e Entry) over(now time.Time) bool {
	return !e.Until.IsZero() && now.UTC().Format(day) > e.Until.UTC().Format(day)
}

func (e Entry) tolerated(by string) wire.Tolerated {
	return wire.Tolerated{By: by, In: wire.ToleratedInFile, Owner: e.Owner, Until: e.Until, Reason: e.Reason}
}

// sortEntries sorts entries and leaves one of those with the same id: the one
// that lasts longest.
func sortEntries(list []Entry) []Entry {
	slices.SortFunc(list, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), compareUntil(b.Until, a.Until), cmp.Compare(a.String(), b.String()))
	})
	return slices.CompactFunc(list, func(a, b Entry) bool { return a.ID == b.ID })
}

// compareUntil orders ends: none is the latest.
func compareUntil(a, b time.Time) int {
	if a.IsZero() || b.IsZero() {
		switch {
		case a.IsZero() && b.IsZero():
			return 0
		case a.IsZero():
			return 1
		}
		return -1
	}
	return a.Compare(b)
}
