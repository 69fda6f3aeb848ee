package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"revenant/api/wire"
	"revenant/ingest/baseline"
	"revenant/ingest/scan"
)

// baselineFlags say what a scan is to tolerate.
type baselineFlags struct {
	paths  []string // -b
	ignore string   // -i
	write  string
	owner  string
	until  string
	none   bool
	show   bool
}

// baselineDays is how long entries of a new baseline last when nothing is said.
const baselineDays = 90

func (b *baselineFlags) register(c *cobra.Command) {
	f := c.Flags()
	f.StringArrayVarP(&b.paths, "baseline-path", "b", nil, "findings in this baseline alert nobody: revenant's, a JSON report of gitleaks', or detect-secrets' (repeat; default: "+baseline.DefaultName+" and "+secretsBaseline+" in what is scanned)")
	f.StringVarP(&b.ignore, "gitleaks-ignore-path", "i", "", "ignore file, or a folder with a "+ignoreName+" (default: in what is scanned)")
	f.StringVar(&b.write, "write-baseline", "", "write what is found into this baseline, and tolerate it")
	f.StringVar(&b.owner, "baseline-owner", "", "owner of new entries")
	f.StringVar(&b.until, "baseline-until", "", fmt.Sprintf("last day of new entries, as in 2027-01-31, or never (default: in %d days)", baselineDays))
	f.BoolVar(&b.show, "show-tolerated", false, "report also findings that a baseline, an ignore file, a mark in their line or a decision tolerates")
	f.BoolVar(&b.none, "no-baseline", false, "tolerate nothing: read no baseline and no ignore file")
}

// secretsBaseline is detect-secrets' name of its baseline.
const secretsBaseline = ".secrets.baseline"

// ignoreName is gitleaks' name of its ignore file.
const ignoreName = ".gitleaksignore"

// baselines are what a command's scans tolerate.
type baselines struct {
	fl       *baselineFlags
	now      func() time.Time
	given    *baseline.Set      // by flags
	recorder *baseline.Recorder // nil: no baseline is written
}

// several asks one after another.
type several []scan.Tolerance

// Late implements scan.Tolerance.
func (s several) Late() bool {
	for _, t := range s {
		if t.Late() {
			return true
		}
	}
	return false
}

// Values implements scan.Tolerance.
func (s several) Values() bool {
	for _, t := range s {
		if t.Values() {
			return true
		}
	}
	return false
}

// Tolerate implements scan.Tolerance.
func (s several) Tolerate(k scan.Known) (wire.Tolerated, scan.Tolerated) {
	for _, t := range s {
		if by, how := t.Tolerate(k); how != scan.TolerateNone {
			return by, how
		}
	}
	return wire.Tolerated{}, scan.TolerateNone
}

// openBaselines reads the files that flags name. roots are what scanned folders
// are called.
func (a *app) openBaselines(fl *baselineFlags, roots []string) (*baselines, error) {
	b := &baselines{fl: fl, now: a.now, given: baseline.New(a.now, roots...)}
	until, err := b.end()
	if err != nil {
		return nil, err
	}
	if fl.none && (len(fl.paths) > 0 || fl.ignore != "" || fl.write != "") {
		return nil, usagef("--no-baseline goes with none of --baseline-path, --gitleaks-ignore-path and --write-baseline")
	}
	for i, name := range fl.paths {
		if err := b.given.Read(name); err != nil {
			return nil, baselineError(numbered("--baseline-path", i, len(fl.paths)), err)
		}
	}
	if name := fl.ignore; name != "" {
		if info, err := os.Stat(name); err == nil && info.IsDir() {
			name = filepath.Join(name, ignoreName)
			if !isRegular(name) { // as gitleaks has it: a folder need not have one
				name = ""
			}
		}
		if name != "" {
			if err := b.given.ReadIgnore(name); err != nil {
				return nil, baselineError("--gitleaks-ignore-path", err)
			}
		}
	}
	if fl.write == "" {
		return b, nil
	}
	before := baseline.New(a.now)
	if isRegular(fl.write) {
		if err := before.Read(fl.write); err != nil {
			return nil, baselineError("--write-baseline", err)
		}
	}
	b.recorder = baseline.NewRecorder(before, fl.owner, until)
	// It is written at the end: what is beside it until then may be scanned.
	probe, err := a.createOut("--write-baseline", fl.write, baselineMode)
	if err != nil {
		return nil, err
	}
	probe.abort()
	return b, nil
}

// baselineMode is a baseline's: it holds no value, and goes into repositories.
const baselineMode = 0o644

// end is the last day of new entries.
func (b *baselines) end() (time.Time, error) {
	switch b.fl.until {
	case "":
		return b.now().AddDate(0, 0, baselineDays).UTC().Truncate(24 * time.Hour), nil
	case "never":
		return time.Time{}, nil
	}
	t, err := time.Parse(time.DateOnly, b.fl.until)
	switch {
	case err != nil:
		return t, usagef("--baseline-until is a day, as in 2027-01-31, or never")
	case t.AddDate(0, 0, 1).Before(b.now()):
		return t, usagef("--baseline-until lies in the past: the new entries would count for nothing")
	}
	return t, nil
}

func baselineError(what string, err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return fileError(what, err)
	}
	return usagef("%s: %w", what, err)
}

// at is what is tolerated in a place, and the files that lie there.
func (b *baselines) at(p scanPlace) (scan.Tolerance, *baseline.Set, error) {
	if b.fl.none {
		return nil, nil, nil
	}
	if b.recorder != nil {
		return b.recorder, nil, nil
	}
	own := baseline.New(b.now, rootNames(p.root)...)
	if p.root != "" {
		for _, base := range []string{baseline.DefaultName, secretsBaseline} {
			if name := filepath.Join(p.root, base); len(b.fl.paths) == 0 && isRegular(name) {
				if err := own.Read(name); err != nil {
					return nil, nil, baselineError(base+" in the scanned folder", err)
				}
			}
		}
		for _, ignore := range []string{ignoreName, ".betterleaksignore"} {
			if name := filepath.Join(p.root, ignore); b.fl.ignore == "" && isRegular(name) {
				if err := own.ReadIgnore(name); err != nil {
					return nil, nil, baselineError(ignore+" in the scanned folder", err)
				}
			}
		}
	}
	if b.given.Empty() && own.Empty() { // then sightings need no names for it
		return nil, own, nil
	}
	return several{b.given, own}, own, nil
}

// rootNames is what a scanned folder is called in reports of other tools.
func rootNames(root string) []string {
	if root == "" {
		return nil
	}
	names := []string{filepath.ToSlash(filepath.Clean(root))}
	if abs, err := filepath.Abs(root); err == nil {
		names = append(names, filepath.ToSlash(abs))
	}
	return names
}

// maxNamed is how many entries a note names.
const maxNamed = 5

// notes say what of a set has run out or matched nothing; the latter only where
// everything was looked at.
func notes(s *baseline.Set, complete bool) (out []wire.Note) {
	if s == nil {
		return nil
	}
	say := func(list []string, one, many string) {
		if len(list) == 0 {
			return
		}
		text := fmt.Sprintf("%d %s: ", len(list), many)
		if len(list) == 1 {
			text = "1 " + one + ": "
		}
		more := ""
		if len(list) > maxNamed {
			more = fmt.Sprintf(" and %d more", len(list)-maxNamed)
			list = list[:maxNamed]
		}
		out = append(out, wire.Note{Text: text + strings.Join(list, "; ") + more})
	}
	say(s.Over(), "entry of a baseline has run out", "entries of baselines have run out")
	say(s.Broken(), "line of an ignore file cannot be read", "lines of ignore files cannot be read")
	if complete {
		say(s.Unused(), "entry of a baseline matches nothing any more, and can go", "entries of baselines match nothing any more, and can go")
	}
	return out
}

// spared says how many findings are not reported.
func spared(r scan.Result, shown bool) (out []wire.Note) {
	if n := r.Tolerated - r.Decided; n > 0 && !shown {
		out = append(out, wire.Note{Text: plural(n, "finding is", "findings are") + " tolerated by a baseline, an ignore file or a mark in the line; --show-tolerated lists them"})
	}
	if n := r.Decided; n > 0 && !shown {
		out = append(out, wire.Note{Text: plural(n, "finding is", "findings are") + " tolerated by a decision (`revenant findings decisions`); --show-tolerated lists them"})
	}
	return out
}

// save writes the new baseline, when the scan came to its end.
func (b *baselines) save(a *app, complete bool) error {
	if b.recorder == nil {
		return nil
	}
	if !complete {
		a.note("no baseline was written: the scan did not come to its end")
		return nil
	}
	entries := b.recorder.Entries()
	err := a.writeOut("--write-baseline", b.fl.write, baselineMode, func(w io.Writer) error { return baseline.Write(w, entries) })
	if err != nil {
		return err
	}
	a.note(plural(len(entries), "finding is", "findings are") + " in the baseline now")
	if n := b.recorder.Unnamed; n > 0 {
		a.note(plural(n, "finding is", "findings are") + " not in it: the path holds a value, and nothing else names it")
	}
	return nil
}
