package main

import (
	"os"
	"os/signal"
)

// relaySignals keeps the keys of a console from ending this process before the
// command: they reach both.
func (l *logged) relaySignals() (started, unhook func()) {
	got := make(chan os.Signal, 1)
	signal.Notify(got, os.Interrupt)
	return func() {}, func() { signal.Stop(got) }
}

// signalOf is the signal that a process died of: there are none here.
func signalOf(*os.ProcessState) int { return 0 }

// dieOf ends this process by a signal: there are none here.
func dieOf(int) {}
