package main

import (
	"fmt"
	"runtime"
	"strings"

	"revenant/scripts/benchkit"
)

// aim is how many messages a second a core is to look at.
const aim = 100_000

func table(o options, rows []row) string {
	var t strings.Builder
	fmt.Fprintf(&t, "%s/%s, %s, %d messages of %d bytes in %d partitions, one in %d with a registered value; %d registered versions and the default rules; everything stored. "+
		"Medians of %d runs in turn, the broker on the same cores. Aim: %d messages a second of processor time.\n\n",
		runtime.GOOS, runtime.GOARCH, runtime.Version(), o.messages, o.size, o.parts, o.plantEach, o.versions, o.runs, aim)
	t.WriteString("| codec | reader | cores | wall s | cpu s | messages a second | a core's second | peak MB |\n|---|---|---|---|---|---|---|---|\n")
	for _, r := range rows {
		m := benchkit.Median(r.took)
		each := float64(o.messages) / m.CPU.Seconds()
		missed := ""
		if strings.HasPrefix(r.what, "revenant") && each < aim {
			missed = " (missed)"
		}
		cores := fmt.Sprint(r.procs)
		if strings.HasPrefix(r.what, "a group") {
			cores = "1 each"
		}
		fmt.Fprintf(&t, "| %s | %s | %s | %.2f | %.2f | %s | %s%s | %d |\n", r.codec, r.what, cores, m.Wall.Seconds(), m.CPU.Seconds(),
			thousands(float64(o.messages)/m.Wall.Seconds()), thousands(each), missed, m.Peak/1e6)
	}
	t.WriteString("\n")
	return t.String()
}

func thousands(f float64) string { return fmt.Sprintf("%d,000", int(f/1000)) }
