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
	apiBegin  = "<!-- api: begin, written by make bench-api -->\n"
	apiEnd    = "<!-- api: end -->\n"
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

// apiTable is what the API took.
func apiTable(o options, all []*measured) string {
	var t strings.Builder
	fmt.Fprintf(&t, "%s/%s, %s, GOMAXPROCS %d, %s. %d findings of %d sources and %d secrets, each with a sighting. Milliseconds over HTTP on the loopback, one question after another, each %d times: half, 95 of 100, the slowest.\n\n| |",
		runtime.GOOS, runtime.GOARCH, runtime.Version(), runtime.GOMAXPROCS(0), time.Now().UTC().Format("2 January 2006"), o.findings, sources, secrets, o.times)
	for _, m := range all {
		fmt.Fprintf(&t, " %s: half | 95%% | slowest |", m.store)
	}
	t.WriteString("\n|---|" + strings.Repeat("---|---|---|", len(all)) + "\n")
	for i, first := range all[0].timings {
		fmt.Fprintf(&t, "| %s |", first.what)
		for _, m := range all {
			x := m.timings[i]
			fmt.Fprintf(&t, " %s | %s | %s |", ms(x.p50), ms(x.p95), ms(x.most))
		}
		t.WriteString("\n")
	}
	if o.only != "" {
		return t.String()
	}
	fmt.Fprintf(&t, "\n%d readers at once, each asking at random among these, while sightings are written and the index follows, for %s.\n\n| | answers a second | failed | half, ms | 95%% | slowest | written a second |\n|---|---|---|---|---|---|---|\n", o.readers, o.crowd)
	for _, m := range all {
		x := m.crowd
		fmt.Fprintf(&t, "| %s | %.0f | %d | %s | %s | %s | %.0f |\n", m.store, float64(x.answers)/x.took.Seconds(), x.failed, ms(x.p50), ms(x.p95), ms(x.most), float64(x.written)/x.took.Seconds())
	}
	return t.String()
}

func write(o options, all []*measured) error {
	text, beginMark, endMark := table(o, all), beginMark, endMark
	if o.what == "api" {
		text, beginMark, endMark = apiTable(o, all), apiBegin, apiEnd
	}
	fmt.Print(text)
	if o.doc == "" || o.only != "" {
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
