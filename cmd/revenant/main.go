// Command revenant finds secrets that should be dead: it keeps a registry of
// keyed fingerprints of the values an organisation issued, and looks for them
// and for generic patterns wherever it is pointed.
//
// This package holds flags, wiring, signals and exit codes; it decides nothing
// else.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"
)

// softMemory is from where on the collector works harder instead of taking more
// from the system: a chunk of a large file is half of what is live, and by
// itself the collector lets garbage grow to as much as is live. GOMEMLIMIT says
// otherwise.
const softMemory = 176 << 20

// start is how long nothing is collected: what a process makes in its first
// moments it keeps, and a hook is over by then. The limit of memory holds.
const start = 300 * time.Millisecond

func main() { os.Exit(realMain(newApp())) }

// realMain is the process, with its signals.
func realMain(a *app) int {
	runtime.MemProfileRate = 0
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(softMemory)
	}
	if os.Getenv("GOGC") == "" {
		percent := debug.SetGCPercent(-1)
		time.AfterFunc(start, func() { debug.SetGCPercent(percent) })
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The first signal asks for an orderly end; from then on a second one ends
	// the process at once, whatever it is stuck in.
	unhook := context.AfterFunc(ctx, stop)
	defer unhook()
	code := a.run(ctx, os.Args[1:])
	if a.dies != 0 {
		dieOf(a.dies)
	}
	return code
}
