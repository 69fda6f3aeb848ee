package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// marks are the lines between which the tables of a database stand.
func marks(name string) (begin, end string) {
	return "<!-- soak " + name + ": begin, written by make soak -->\n", "<!-- soak " + name + ": end -->\n"
}

func ms(d time.Duration) string {
	if d == 0 {
		return "–"
	}
	if d < 10*time.Millisecond {
		return fmt.Sprintf("%.1f", float64(d.Microseconds())/1000)
	}
	return fmt.Sprint(d.Milliseconds())
}

func report(o options, place string, runs []result, drains []drained) string {
	var t strings.Builder
	fmt.Fprintf(&t, "%s, %s/%s, %s, GOMAXPROCS %d, %s. In each registry %d sources, %d sightings, %d versions.\n\n",
		place, runtime.GOOS, runtime.GOARCH, runtime.Version(), runtime.GOMAXPROCS(0), time.Now().UTC().Format("2 January 2006"), o.sources, o.sightings, o.versions)
	if len(runs) > 0 {
		t.WriteString("Filling, in sightings a second: the first and the last tenth of the sources, and sources that were scanned before. Memory is that of the process, after each of these.\n\n")
		t.WriteString("| registry | findings | versions registered, a second | first tenth | last tenth | again | memory, MB | size, MB |\n|---|---|---|---|---|---|---|---|\n")
		for _, r := range runs {
			first, last := r.filled[0], r.filled[len(r.filled)-1]
			fmt.Fprintf(&t, "| %s | %d | %.0f | %.0f | %.0f | %.0f | %d, %d, %d | %d |\n", r.shape, r.findings, float64(o.versions)/r.registered.Seconds(),
				first.rate(), last.rate(), r.again.rate(), first.memory/1e6, last.memory/1e6, r.again.memory/1e6, r.size/1e6)
		}
		t.WriteString("\nWhat changes verdicts, in ms from the beginning of the command: when a reader has seen the new verdict in a page of the secret's findings, in their counts and in a page of the feed; and when the command returns. In brackets how many verdicts it changed.\n\n")
		table(&t, runs, func(r result) []timing { return r.verdicts }, func(x timing) string {
			return fmt.Sprintf("%s; %s (%s)", ms(x.seen), ms(x.took), x.note)
		})
		t.WriteString("\nWhile a scan records without a pause, a version is marked as compromised: half of the commands took at most, and the slowest took, ms:")
		for _, r := range runs {
			fmt.Fprintf(&t, " %s: %s, %s;", r.shape, ms(r.busy.took), ms(r.busy.seen))
		}
		t.WriteString("\n\nWhat people look at, in ms.\n\n")
		table(&t, runs, func(r result) []timing { return r.reads }, func(x timing) string { return fmt.Sprintf("%s (%s)", ms(x.took), x.note) })
	}
	if len(drains) > 0 {
		fmt.Fprintf(&t, "\nA backlog of %d watches, each of a folder of a few files, after a value was registered.\n\n| processes | s | watches a second |\n|---|---|---|\n", o.watches)
		for _, d := range drains {
			fmt.Fprintf(&t, "| %s | %.1f | %.1f |\n", d.what, d.took.Seconds(), float64(o.watches)/d.took.Seconds())
		}
	}
	t.WriteString("\n")
	return t.String()
}

// table has a row for each timing and a column for each registry.
func table(t *strings.Builder, runs []result, of func(result) []timing, cell func(timing) string) {
	t.WriteString("| |")
	for _, r := range runs {
		fmt.Fprintf(t, " %s |", r.shape)
	}
	t.WriteString("\n|---|" + strings.Repeat("---|", len(runs)) + "\n")
	for i, x := range of(runs[0]) {
		fmt.Fprintf(t, "| %s |", x.what)
		for _, r := range runs {
			fmt.Fprintf(t, " %s |", cell(of(r)[i]))
		}
		t.WriteString("\n")
	}
}

func replaceBetween(doc, name, table string) error {
	beginMark, endMark := marks(name)
	text, err := os.ReadFile(doc)
	if err != nil {
		return err
	}
	before, rest, begun := strings.Cut(string(text), beginMark)
	_, after, ended := strings.Cut(rest, endMark)
	if !begun || !ended {
		return fmt.Errorf("%s has no marks for the tables", doc)
	}
	return os.WriteFile(doc, []byte(before+beginMark+"\n"+table+endMark+after), 0o644)
}
