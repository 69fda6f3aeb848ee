// Package report holds what the formats below it share: the shape of gitleaks'
// records, findings collected by place and by value, words for people, and
// paths that are safe in URIs and Markdown.
//
// It promises: no plaintext but in an Entry that was made with Shown, and bounded
// memory: a Collector keeps the worst places and counts the others. It refuses to
// read, to judge and to know where a report goes.
package report

import "revenant/api/wire"

// Writer is a report under way. Findings come in the order of their sources.
// Implementations are not safe for concurrent use.
type Writer interface {
	Write(f wire.Finding) error
	// Close ends the report; what it was written to is the caller's.
	Close(s wire.Summary) error
}

// Secrets says whether a report shows values.
type Secrets int

// The choices.
const (
	Redacted Secrets = iota
	Shown
)

// Tool names the program that scanned.
type Tool struct {
	Name    string
	Version string // as in v1.2.3; empty: not known
}

// Data is a scan as a whole, for formats that need all of it at once.
type Data struct {
	Tool   Tool
	Places []Place // the worst first
	Left   int64   // sightings at places that were not kept
	// Settled: places that ask for nothing are listed too where a format can say
	// why, and its readers would else take them for open.
	Settled bool
	Summary wire.Summary
}

// Open are the places that ask for something to be done.
func (d Data) Open() []Place {
	var open []Place
	for _, p := range d.Places {
		if p.Dismissed() == "" {
			open = append(open, p)
		}
	}
	return open
}
