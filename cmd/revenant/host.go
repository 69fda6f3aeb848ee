package main

import (
	"revenant/fingerprints"
	"revenant/fingerprints/pack"
	"revenant/ingest/report"
)

// host is who a scan works for when it is no person at a terminal: a git hook, a
// pipeline. It decides what a bad pack means, how the scan ends, and what is said.
type host interface {
	// audience is whose values are looked for where there is a registry.
	audience() fingerprints.Audience
	// looksWith is told what the scan looks with.
	looksWith(e *eye)
	// packUsed is told the pack that registered values are looked for with; local
	// is the registry's own.
	packUsed(h pack.Header, local bool)
	// packFailed decides whether a scan goes on without the pack; its error ends it.
	packFailed(err error) error
	// settle says what to exit with when the scan says code.
	settle(code int, d report.Data) (int, error)
	// write is the report in text.
	write(o output, d report.Data) error
	// done is called when all reports are written.
	done(d report.Data) error
}
