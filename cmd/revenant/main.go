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
	"syscall"
)

func main() { os.Exit(realMain()) }

func realMain() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The first signal asks for an orderly end; from then on a second one ends
	// the process at once, whatever it is stuck in.
	unhook := context.AfterFunc(ctx, stop)
	defer unhook()
	return newApp().run(ctx, os.Args[1:])
}
