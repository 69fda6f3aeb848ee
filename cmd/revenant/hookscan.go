package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/pack"
	"revenant/ingest/hook"
	"revenant/ingest/report"
	"revenant/ingest/report/terminal"
	"revenant/scanners"
)

// hookScan is a scan as a hook's: what it may do with a bad pack, what it says,
// and what an override makes of it.
type hookScan struct {
	a       *app
	fl      *hookFlags
	name    string // of the hook
	subject string // what it looks at
	common  string // the repository's git directory
	reason  string // of an override; empty: none

	packUse
	eye        *eye
	stopped    bool
	overridden string
}

var _ host = (*hookScan)(nil)

// settle implements host.
func (h *hookScan) settle(code int, d report.Data) (int, error) {
	if code == exitOK && h.badPack != "" && h.fl.onBadPack == string(hook.Block) {
		code = exitFailure
	}
	if code != exitOK && h.reason != "" {
		if err := h.keep(code, d); err != nil {
			return 0, err
		}
		code = exitOK
	}
	h.stopped = code != exitOK
	return code, nil
}

// keep notes that somebody let through what the hook would have stopped.
func (h *hookScan) keep(code int, d report.Data) error {
	if h.holdsValue(h.reason) {
		return usagef("the reason in REVENANT_OVERRIDE or --override holds what looks like a secret, and reasons are kept in the clear: nothing was let through; write one without it")
	}
	o := hook.Override{At: h.a.now().UTC().Truncate(time.Second), Hook: h.name, By: h.a.actorName(), Reason: h.reason}
	for _, p := range d.Open() {
		if len(o.Findings) == hook.MaxOverrideFindings {
			o.More++
			continue
		}
		f := hook.OverrideFinding{ID: p.ID, Rule: p.Rule, Verdict: p.Verdict, Severity: p.Severity, Path: p.Path, Line: p.Span.Line}
		if p.Registered() {
			f.Secret = p.Matches[0].Ref()
		}
		o.Findings = append(o.Findings, f)
	}
	switch {
	case h.badPack != "":
		o.Trouble = h.badPack
	case code == exitFailure:
		o.Trouble = fmt.Sprintf("%d skipped", d.Summary.Skipped())
	}
	if err := hook.AppendOverride(h.common, o); err != nil {
		return err
	}
	h.overridden = "for a reason that is kept in " + filepath.Join("revenant", "overrides") + " of the git directory"
	return nil
}

// holdsValue reports whether a text holds a registered value, or matches a rule.
func (h *hookScan) holdsValue(text string) bool {
	chunk := scanners.Chunk{Data: []byte(text), Final: true}
	if h.eye != nil && h.eye.registered != nil && len(h.eye.registered.AppendHits(nil, chunk)) > 0 {
		return true
	}
	rules, err := h.fl.early()
	return err == nil && len(rules.AppendHits(nil, chunk)) > 0
}

// write implements host.
func (h *hookScan) write(o output, d report.Data) error {
	t := terminal.Hook{Subject: h.subject, Stopped: h.stopped, Checked: h.checked(h.a.now(), h.eye), Overridden: h.overridden, Quiet: h.a.quiet}
	if h.badPack != "" {
		t.Trouble = append(t.Trouble, "The pack cannot be used: "+h.badPack+".")
	}
	if h.name != "pre-receive" {
		t.Override = "REVENANT_OVERRIDE='the reason' git " + map[string]string{"pre-push": "push", "pre-merge-commit": "merge"}[h.name] + " ..."
		if h.name == "pre-commit" || h.name == "commit-msg" {
			t.Override = "REVENANT_OVERRIDE='the reason' git commit ..."
		}
	}
	if o.screen.Width == unbounded { // a dialog, or a terminal behind git's pipe
		o.screen.Width = 80
	}
	return terminal.WriteHook(o.w, d, t, o.screen)
}

// ago is how long ago something was, in the largest unit that fits.
func ago(d time.Duration) string {
	for _, u := range []struct {
		of        time.Duration
		one, many string
	}{{24 * time.Hour, "day", "days"}, {time.Hour, "hour", "hours"}, {time.Minute, "minute", "minutes"}} {
		if n := int(d / u.of); n > 0 {
			return plural(n, u.one, u.many) + " ago"
		}
	}
	return "just now"
}

// packFailed implements host, and says what helps.
func (h *hookScan) packFailed(err error) {
	h.packUse.packFailed(err)
	for _, of := range []error{pack.ErrExpired, pack.ErrForeign, pack.ErrTampered, pack.ErrTruncated, pack.ErrNotPack, pack.ErrReplayed} {
		if errors.Is(err, of) {
			h.badPack += "; 'revenant pack export' on the registry's machine writes a new one"
		}
	}
}

// audience implements host: what a laptop would find, and as fast.
func (h *hookScan) audience() fingerprints.Audience { return fingerprints.AudienceEdge }

// looksWith implements host.
func (h *hookScan) looksWith(e *eye) { h.eye = e }

// done implements host: what takes long is done behind the hook.
func (h *hookScan) done(report.Data) error {
	if where, err := h.a.serverPlace(); err == nil && where.url != "" && h.header != nil {
		h.a.behind(where)
	}
	return nil
}
