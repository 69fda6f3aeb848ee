package main

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"

	"revenant/ingest/settings"
)

// perScan is what a scan at once beside the first adds to the limit of memory.
const perScan = 128 << 20

// budget holds a process that keeps scanning to its memory and cores.
func (a *app) budget(w settings.Workers) {
	if w.CPUs > 0 {
		runtime.GOMAXPROCS(w.CPUs)
	}
	switch {
	case w.Memory != "":
		debug.SetMemoryLimit(w.MemoryBytes())
	case a.env("GOMEMLIMIT") == "":
		debug.SetMemoryLimit(softMemory + perScan*int64(w.Scans))
	}
}

// room reports whether one more scan fits: what lives takes three quarters of
// the limit at most.
func room() bool {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	return live[0].Value.Kind() != metrics.KindUint64 || int64(live[0].Value.Uint64()) < debug.SetMemoryLimit(-1)/4*3
}
