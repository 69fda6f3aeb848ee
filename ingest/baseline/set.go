package baseline

import (
	"crypto/sha1" //nolint:gosec // detect-secrets names values by it
	"encoding/hex"
	"fmt"
	"hash/maphash"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"revenant/api/wire"
	"revenant/ingest/scan"
)

// DefaultName is where a baseline is looked for in what is scanned.
const DefaultName = ".revenant-baseline"

// Set is every baseline and ignore file of a scan. Not safe for concurrent use.
type Set struct {
	now     func() time.Time
	seed    maphash.Seed
	entries map[string]*entry // by id
	foreign map[string][]*entry
	list    []*entry
	globs   []*entry
	late    bool
	roots   []string
	broken  []string
}

// entry is an entry of any format with what came of it.
type entry struct {
	Entry
	file string // it stands in
	used bool

	glob               string // of paths
	rule, path, commit string
	value              uint64 // a hash of the value; 0: none
	sha1               string
	line               int
}

var _ scan.Tolerance = (*Set)(nil)

// New returns an empty set. Paths in files of other tools may begin with one of
// roots: what the scanned folder is called, from where it was scanned.
func New(now func() time.Time, roots ...string) *Set {
	s := &Set{now: now, seed: maphash.MakeSeed(), entries: map[string]*entry{}, foreign: map[string][]*entry{}}
	for _, r := range roots {
		if r = strings.TrimSuffix(clean(r), "/"); r != "" && r != "." {
			s.roots = append(s.roots, r+"/")
		}
	}
	return s
}

// Read adds a baseline of ours, of gitleaks' or of detect-secrets'. Errors name
// what is wrong, not the file.
func (s *Set) Read(name string) error {
	data, err := readFile(name)
	if err != nil {
		return err
	}
	f, err := formatOf(data)
	if err != nil {
		return err
	}
	switch f {
	case gitleaksReport:
		list, err := parseReport(data)
		if err != nil {
			return err
		}
		for _, r := range list {
			s.addReported(name, r)
		}
	case detectSecrets:
		list, err := parseHashed(data)
		if err != nil {
			return err
		}
		for _, h := range list {
			s.add(&entry{file: name, path: s.relative(h.Filename), sha1: strings.ToLower(h.SHA1)})
		}
	default:
		list, err := parseOurs(data)
		if err != nil {
			return err
		}
		for _, e := range sortEntries(list) {
			s.addOurs(name, e)
		}
	}
	return nil
}

// ReadIgnore adds a file in the format of .gitleaksignore. Lines that cannot be
// read are told by Notes.
func (s *Set) ReadIgnore(name string) error {
	data, err := readFile(name)
	if err != nil {
		return err
	}
	list, broken := parseIgnore(data)
	for _, i := range list {
		s.late = s.late || i.commit != ""
		s.add(&entry{file: name, rule: i.rule, path: s.relative(i.file), commit: i.commit, line: i.line})
	}
	for _, n := range broken {
		s.broken = append(s.broken, fmt.Sprintf("%s: line %d is neither commit:file:rule:line nor file:rule:line", name, n))
	}
	return nil
}

func (s *Set) addOurs(name string, e Entry) {
	if old := s.entries[e.ID]; old != nil && compareUntil(old.Until, e.Until) >= 0 {
		return
	}
	x := &entry{Entry: e, file: name}
	x.glob, x.rule, _ = globOf(e.ID) // it was read before
	if x.glob != "" {
		s.globs = append(s.globs, x)
	}
	s.entries[e.ID] = x
	s.list = append(s.list, x)
}

// addReported adds a finding of a report. Where its value is redacted, it is
// known by its lines.
func (s *Set) addReported(name string, r reported) {
	e := &entry{file: name, rule: r.RuleID, path: s.relative(r.File), line: r.StartLine}
	if shown(r.Secret) {
		e.value = maphash.String(s.seed, r.Secret)
	} else {
		e.commit = r.Commit
		s.late = s.late || e.commit != ""
	}
	s.add(e)
}

// shown reports whether a value stands in a report as it is.
func shown(secret string) bool {
	return secret != "" && secret != "REDACTED" && !strings.HasSuffix(secret, "...")
}

func (s *Set) add(e *entry) {
	s.list = append(s.list, e)
	s.foreign[e.path] = append(s.foreign[e.path], e)
}

// relative is a path below what is scanned.
func (s *Set) relative(p string) string {
	p = clean(p)
	for _, r := range s.roots {
		if rest, has := strings.CutPrefix(p, r); has {
			return rest
		}
	}
	if p == "" {
		return p
	}
	return path.Clean(p)
}

// Empty reports whether nothing is tolerated.
func (s *Set) Empty() bool { return len(s.list) == 0 }

// Late implements scan.Tolerance.
func (s *Set) Late() bool { return s.late }

// Values implements scan.Tolerance: entries of other tools may know a value by
// itself or by its hash.
func (s *Set) Values() bool {
	return slices.ContainsFunc(s.list, func(e *entry) bool { return e.value != 0 || e.sha1 != "" })
}

// Tolerate implements scan.Tolerance.
func (s *Set) Tolerate(k scan.Known) (wire.Tolerated, scan.Tolerated) {
	for i, id := range ids(k) {
		e := s.entries[id]
		if e == nil {
			continue
		}
		e.used = true
		if e.over(s.now()) {
			continue
		}
		how := scan.TolerateSighting
		if i == 0 && k.BaselineID != "" {
			how = scan.TolerateFinding
		}
		return e.tolerated(e.file), how
	}
	if k.Secret != "" { // other tools know nothing of registered values
		return wire.Tolerated{}, scan.TolerateNone
	}
	if t, how := s.inGlob(k); how != scan.TolerateNone {
		return t, how
	}
	for _, e := range s.foreign[clean(k.Path)] {
		if how := s.matches(e, k); how != scan.TolerateNone {
			e.used = true
			return e.tolerated(e.file), how
		}
	}
	return wire.Tolerated{}, scan.TolerateNone
}

// inGlob asks entries of globs, which mean generic findings alone.
func (s *Set) inGlob(k scan.Known) (wire.Tolerated, scan.Tolerated) {
	for _, e := range s.globs {
		if k.Secret != "" || !slices.Contains(k.Rules, e.rule) && e.rule != "*" {
			continue
		}
		if in, _ := doublestar.Match(e.glob, k.Path); !in {
			continue
		}
		if e.used = true; !e.over(s.now()) {
			return e.tolerated(e.file), scan.TolerateSighting
		}
	}
	return wire.Tolerated{}, scan.TolerateNone
}

// matches reports whether an entry of another tool means the sighting.
func (s *Set) matches(e *entry, k scan.Known) scan.Tolerated {
	switch {
	case e.sha1 != "":
		sum := sha1.Sum(k.Value.Reveal()) //nolint:gosec // see above
		if hex.EncodeToString(sum[:]) == e.sha1 {
			return scan.TolerateFinding
		}
	case !slices.Contains(k.Rules, e.rule):
	case e.value != 0:
		if maphash.Bytes(s.seed, k.Value.Reveal()) == e.value {
			return scan.TolerateFinding
		}
	case e.line != k.Whole.Line && e.line != k.Span.Line:
	case e.commit == "":
		return scan.TolerateSighting
	case strings.HasPrefix(k.Commit, e.commit):
		// gitleaks names the commit that brought a line; the same value in other
		// versions of the file is the same finding here.
		return scan.TolerateFinding
	}
	return scan.TolerateNone
}

// Unused are entries that matched nothing, as people find them again.
func (s *Set) Unused() (names []string) {
	for _, e := range s.list {
		if !e.used {
			names = append(names, e.file+": "+e.name())
		}
	}
	return names
}

// Over are entries that matched something and have run out.
func (s *Set) Over() (names []string) {
	for _, e := range s.list {
		if e.used && e.over(s.now()) {
			names = append(names, fmt.Sprintf("%s: %s, since %s", e.file, e.name(), e.Until.Format(day)))
		}
	}
	return names
}

// Broken are lines that could not be read.
func (s *Set) Broken() []string { return s.broken }

// name is what the entry is called where no value may stand.
func (e *entry) name() string {
	switch {
	case e.ID != "" && e.Path != "":
		return e.ID + " (" + e.Rule + " in " + e.Path + ")"
	case e.ID != "":
		return e.ID
	case e.line > 0:
		return fmt.Sprintf("%s in %s, line %d", e.rule, e.path, e.line)
	}
	return "a finding in " + e.path
}
