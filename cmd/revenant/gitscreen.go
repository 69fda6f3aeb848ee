package main

import (
	"revenant/ingest/scan"
	"revenant/scanners"
	"revenant/scanners/archives"
)

// screen says which objects of repositories may hold something: in parts, since
// versions of files have most in common, and so have forks, unless it is asked to
// look at each whole.
func (fl *gitFlags) screen(engine *scanners.Engine, open *archives.Expander) scan.Screen {
	s := scan.Screen{Engine: engine, Archives: open}
	if !fl.wholeObjects {
		if fl.parts == nil || fl.parts.Engine() != engine {
			fl.parts = scanners.NewScreener(engine, scanners.Cutting{})
		}
		s.Parts = fl.parts
	}
	return s
}
