package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

const (
	beginMark = "<!-- search: begin, written by make bench-search -->\n"
	endMark   = "<!-- search: end -->\n"
)

func ms(d time.Duration) string {
	if d < 10*time.Millisecond {
		return fmt.Sprintf("%.1f", float64(d.Microseconds())/1000)
	}
	return fmt.Sprint(d.Milliseconds())
}

func table(o options, all []*measured) string {
	var t strings.Builder
	fmt.Fprintf(&t, "%s/%s, %s, GOMAXPROCS %d, %s. %d findings of %d sources and %d secrets, each with a sighting.\n\n",
		runtime.GOOS, runtime.GOARCH, runtime.Version(), runtime.GOMAXPROCS(0), time.Now().UTC().Format("2 January 2006"), o.findings, sources, secrets)
	t.WriteString("| | built in, s | findings a second | size, MB | heap then, MB |\n|---|---|---|---|---|\n")
	for _, m := range all {
		fmt.Fprintf(&t, "| %s | %.0f | %.0f | %d | %d |\n", m.store, m.build.Seconds(), float64(o.findings)/m.build.Seconds(), m.size/1e6, m.memory/1e6)
	}
	fmt.Fprintf(&t, "\nMilliseconds, half of %d and 95 of 100 took at most.\n\n| |", o.times)
	for _, m := range all {
		fmt.Fprintf(&t, " %s: half | 95%% |", m.store)
	}
	t.WriteString(" the last one |\n|---|" + strings.Repeat("---|---|", len(all)) + "---|\n")
	for i, first := range all[0].timings {
		fmt.Fprintf(&t, "| %s |", first.what)
		for _, m := range all {
			fmt.Fprintf(&t, " %s | %s |", ms(m.timings[i].p50), ms(m.timings[i].p95))
		}
		fmt.Fprintf(&t, " %s |\n", first.note)
	}
	t.WriteString("\nUntil the index has followed a change, in ms.\n\n| |")
	for _, m := range all {
		fmt.Fprintf(&t, " %s |", m.store)
	}
	t.WriteString("\n|---|" + strings.Repeat("---|", len(all)) + "\n")
	for i, first := range all[0].followed {
		fmt.Fprintf(&t, "| %s |", first.what)
		for _, m := range all {
			fmt.Fprintf(&t, " %s |", ms(m.followed[i].p50))
		}
		t.WriteString("\n")
	}
	return t.String()
}

func write(o options, all []*measured) error {
	text := table(o, all)
	fmt.Print(text)
	if o.doc == "" {
		return nil
	}
	page, err := os.ReadFile(o.doc)
	if err != nil {
		return err
	}
	head, rest, has := strings.Cut(string(page), beginMark)
	_, tail, ends := strings.Cut(rest, endMark)
	if !has || !ends {
		return errors.New(o.doc + " has no marks for the table")
	}
	return os.WriteFile(o.doc, []byte(head+beginMark+"\n"+text+"\n"+endMark+tail), 0o644)
}
