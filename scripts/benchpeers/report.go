package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// The tables of the document stand between these lines.
const (
	beginMark = "<!-- peers: begin, written by make bench-peers -->\n"
	endMark   = "<!-- peers: end -->\n"
)

// target is a ratio that is aimed at: the first tool's time by the second's,
// or the other way round.
type target struct {
	work, of, by string
	aim          float64
	atMost       bool
	says         string
}

func targets() []target {
	return []target{
		{"stream", fork, ours, 12, false, "times as fast as betterleaks"},
		{"stream", release, ours, 25, false, "times as fast as gitleaks' release build"},
		{"stream", plainGo, ours, 0, false, "times as fast as gitleaks by `go install`"},
		{"stream", single, ours, 1.7, false, "times as fast on all cores as on one"},
		{"stream", both, ours, 1.4, true, "times the time with registered values in the same pass"},
		{"directory", fork, ours, 5, false, "times as fast as betterleaks"},
		{"directory", release, ours, 6, false, "times as fast as gitleaks' release build"},
		{"directory", plainGo, ours, 40, false, "times as fast as gitleaks by `go install`"},
		{"directory", ours, "floor", 2.5, true, "times the time of `xargs cat`"},
		{"directory", single, ours, 1.7, false, "times as fast on all cores as on one"},
		{"directory", both, ours, 1.4, true, "times the time with registered values in the same pass"},
	}
}

// targetsOf are the targets, with those of each history.
func targetsOf(works []work) []target {
	list := targets()
	for _, w := range works {
		if w.git {
			list = append(list,
				target{w.name, fork, ours, 6, false, "times as fast as betterleaks"},
				target{w.name, release, ours, 0, false, "times as fast as gitleaks' release build"},
				target{w.name, ours, "floor", 0, true, "times the time of `git cat-file`"},
				target{w.name, both, ours, 1.4, true, "times the time with registered values in the same pass"})
		}
	}
	return list
}

func render(o options, works []work, tools []*tool, results []result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s/%s, %s, GOMAXPROCS %d; %d runs in turn, medians.\n", runtime.GOOS, runtime.GOARCH, runtime.Version(), runtime.GOMAXPROCS(0), o.runs)
	for _, w := range works {
		fmt.Fprintf(&b, "\n%s\n\n", heading(w))
		table(&b, w, results)
	}
	b.WriteString("\n| ratio | wall | processor | aim |\n|---|---|---|---|\n")
	for _, t := range targetsOf(works) {
		if line, ok := t.row(results); ok {
			b.WriteString(line)
		}
	}
	var versions []string
	for _, t := range tools {
		if t.parse != nil && !strings.HasPrefix(t.name, "revenant") {
			versions = append(versions, t.name+": "+t.version)
		}
	}
	fmt.Fprintf(&b, "\nVersions: %s.\n", strings.Join(versions, "; "))
	for _, name := range []string{fork, "trufflehog"} {
		if find(results, "stream", name) == nil {
			fmt.Fprintf(&b, "%s was not on the PATH.\n", strings.ToUpper(name[:1])+name[1:])
		}
	}
	return b.String()
}

func heading(w work) string {
	if w.stream {
		return fmt.Sprintf("Stream: %d MB of log on standard input. Floor: `cat | cat`.", w.whole.bytes>>20)
	}
	if w.git {
		return fmt.Sprintf("%s: %d commits, %d MB of objects. Floor: `git cat-file --batch-all-objects --batch`. gitleaks reads the patches of `git log -p`.",
			strings.ToUpper(w.name[:1])+w.name[1:], w.whole.files, w.whole.bytes>>20)
	}
	return fmt.Sprintf("Directory: %d MB of text in %d files. Floor: `find | xargs cat`.", w.whole.bytes>>20, w.whole.files)
}

func table(b *strings.Builder, w work, results []result) {
	b.WriteString("| | wall s | cpu s | MB/s | peak MB | findings | planted: generic | registered | |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, r := range results {
		if r.work.name != w.name {
			continue
		}
		if r.failed != "" {
			fmt.Fprintf(b, "| %s | | | | | | | | %s |\n", r.tool.name, r.failed)
			continue
		}
		said := []string{"", "", ""}
		if r.tool.parse != nil && w.git {
			said[0] = fmt.Sprint(r.found.count)
		} else if r.tool.parse != nil {
			said = []string{fmt.Sprint(r.found.count), fmt.Sprint(r.generic), fmt.Sprint(r.kept)}
		}
		note := r.tool.note
		if r.corpus.bytes != w.whole.bytes {
			note = strings.TrimPrefix(note+"; ", "; ") + fmt.Sprintf("times extrapolated from %d MB, findings there", r.corpus.bytes>>20)
		}
		fmt.Fprintf(b, "| %s | %s | %s | %.0f | %d | %s | %s |\n", r.tool.name, seconds(r.wall()), seconds(r.cpu()),
			float64(w.whole.bytes)/1e6/r.wall().Seconds(), r.peak()>>20, strings.Join(said, " | "), note)
	}
}

func seconds(d time.Duration) string {
	if d > 100*time.Second {
		return fmt.Sprintf("%.0f", d.Seconds())
	}
	return fmt.Sprintf("%.2f", d.Seconds())
}

func find(results []result, work, tool string) *result {
	for i := range results {
		if results[i].work.name == work && results[i].tool.name == tool && results[i].failed == "" {
			return &results[i]
		}
	}
	return nil
}

// row is the target's line of the table of ratios, when both were measured.
func (t target) row(results []result) (string, bool) {
	of, by := find(results, t.work, t.of), find(results, t.work, t.by)
	if of == nil || by == nil || by.wall() == 0 {
		return "", false
	}
	ratio, cpu := of.wall().Seconds()/by.wall().Seconds(), of.cpu().Seconds()/max(by.cpu().Seconds(), 1e-3)
	aim := "-"
	switch {
	case t.atMost && t.aim > 0:
		aim = fmt.Sprintf("at most %.1f", t.aim)
	case t.aim > 0:
		aim = fmt.Sprintf("%.1f", t.aim)
	}
	missed := ""
	if t.atMost && t.aim > 0 && ratio > t.aim || !t.atMost && ratio < t.aim {
		missed = " (missed)"
	}
	return fmt.Sprintf("| %s: %s | %.1f%s | %.1f | %s |\n", t.work, t.says, ratio, missed, cpu, aim), true
}

// replaceBetween puts text between the marks of a file.
func replaceBetween(file, text string) error {
	old, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	next, err := between(string(old), text)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.WriteFile(file, []byte(next), 0o644)
}

var errNoMarks = errors.New("the marks of the tables are missing")

func between(old, text string) (string, error) {
	head, rest, begins := strings.Cut(old, beginMark)
	_, tail, ends := strings.Cut(rest, endMark)
	if !begins || !ends {
		return "", errNoMarks
	}
	return head + beginMark + "\n" + strings.TrimSpace(text) + "\n\n" + endMark + tail, nil
}
