package main

import (
	"fmt"
	"time"

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
	// packMissing is told why there is no pack, though a server is named. The scan goes
	// on without one.
	packMissing(why string)
	// packFailed is told why the pack that was given cannot be used. The scan goes
	// on without it.
	packFailed(err error)
	// notAsked is told why the server cannot be asked about weak values, though it is to
	// be.
	notAsked(err error)
	// settle says what to exit with when the scan says code.
	settle(code int, d report.Data) (int, error)
	// write is the report in text.
	write(o output, d report.Data) error
	// done is called when all reports are written.
	done(d report.Data) error
}

// packUse is what became of the pack that registered values are looked for with.
type packUse struct {
	header  *pack.Header // nil: none is looked for with
	local   bool         // the registry's own
	badPack string       // why the one that was given does not do; empty: it does
	none    string       // why there is none, though a server is named
	unasked string       // why weak values are not asked about, though they are to be
}

// packUsed implements host.
func (u *packUse) packUsed(h pack.Header, local bool) { u.header, u.local = &h, local }

// packMissing implements host.
func (u *packUse) packMissing(why string) { u.none = why }

// notAsked implements host.
func (u *packUse) notAsked(err error) { u.unasked = err.Error() }

// packFailed implements host: the rules are looked for all the same, and settle
// says how it ends.
func (u *packUse) packFailed(err error) { u.badPack = err.Error() }

// checked says how many registered values were looked for, with what, how old that
// is, and what a server was asked.
func (u *packUse) checked(now time.Time, e *eye) string {
	text := u.packed(now) + e.askedWords()
	if u.unasked != "" {
		text += "; the server was not asked about weak values: " + u.unasked
	}
	return text
}

func (u *packUse) packed(now time.Time) string {
	p := u.header
	switch {
	case p == nil && u.badPack != "":
		return "rules only, registered values were not looked for"
	case p == nil && u.none != "":
		return "rules only: " + u.none
	case p == nil:
		return "rules only: there is no registry and no pack here"
	case u.local && p.Registered == 0:
		return "rules only: nothing is registered yet"
	}
	text := fmt.Sprintf("checked %d of %s", p.Count, plural(p.Registered, "registered value", "registered values"))
	if u.local {
		return text
	}
	text += ", pack of " + ago(now.Sub(p.Created))
	if until := p.Expires; !until.IsZero() {
		if now.Before(until) {
			return text + ", good until " + until.UTC().Format(time.DateOnly)
		}
		return text + ", expired on " + until.UTC().Format(time.DateOnly)
	}
	return text
}
