package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"

	"revenant/ingest/scan"
	"revenant/scanners"
	"revenant/scanners/archives"
	"revenant/scanners/gitrepo"
	"revenant/scanners/rules"
)

// remembers sets what a scan of a repository keeps for the next one, where
// there is a registry to keep it beside.
func (a *app) remembers(o *gitrepo.Options, e *eye, fl *scanFlags, p scanPlace) {
	if e.session == nil || fl.noStore {
		return
	}
	known := a.generic(fl, p)
	if known == nil {
		return
	}
	o.Knows = gitrepo.Knowledge{Generic: [sha256.Size]byte(known), Fields: e.fieldRevision}
	if m := e.generics(); m != nil {
		o.Knows.Rules, o.Knows.Permits = ruleMarks(m.Marks()), ruleMarks(m.Permits())
	}
	o.Memory = a.memoryOf(e.session.dir, p.kind, p.sourceID)
	o.KeepEvery = a.keepEvery
	o.ScreenFor = func(c gitrepo.Change) func(context.Context, []byte) bool {
		return e.screenFor(c, fl.archives(a.now))
	}
}

// ruleMarks are marks as a memory has them.
func ruleMarks(marks []rules.Mark) []gitrepo.RuleMark {
	out := make([]gitrepo.RuleMark, len(marks))
	for i, m := range marks {
		out[i] = gitrepo.RuleMark(m)
	}
	return out
}

// generics are the generic rules; nil: none.
func (e *eye) generics() *rules.Matcher {
	for _, m := range e.engine.Matchers {
		if r, is := m.(*rules.Matcher); is {
			return r
		}
	}
	return nil
}

// screenFor looks for what has changed alone.
func (e *eye) screenFor(c gitrepo.Change, open *archives.Expander) func(context.Context, []byte) bool {
	engine := &scanners.Engine{Viewer: e.engine.Viewer, ViewDepth: e.engine.ViewDepth}
	for _, m := range e.engine.Matchers {
		r, generic := m.(*rules.Matcher)
		switch {
		case !generic && c.Fields:
			engine.Matchers = append(engine.Matchers, m)
		case generic && len(c.Rules) > 0:
			marks := make([]rules.Mark, len(c.Rules))
			for i, mark := range c.Rules {
				marks[i] = rules.Mark(mark)
			}
			engine.Matchers = append(engine.Matchers, r.Only(marks))
		}
	}
	return scan.Screen{Engine: engine, Archives: open, Parts: scanners.NewScreener(engine, scanners.Cutting{})}.Of
}

// generic names everything but rules and registered values that a scan's
// findings depend on; nil where that cannot be told.
func (a *app) generic(fl *scanFlags, p scanPlace) []byte {
	self, err := os.Executable()
	if err != nil {
		return nil
	}
	info, err := os.Stat(self)
	if err != nil {
		return nil
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %d %d %d %d %q %q", self, info.Size(), info.ModTime().UnixNano(), fl.decodeDepth, fl.archiveDepth,
		a.rulesOptions(fl, p).DecodeDepth, fl.only, fl.rules))
	return sum[:]
}
