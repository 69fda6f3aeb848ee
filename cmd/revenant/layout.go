package main

import (
	"context"

	"revenant/scanners"
	"revenant/scanners/cilog/layout"
)

// logFormats are what a log may be.
func logFormats() []string { return words(layout.Formats()) }

// laidOut is a source of logs: times of lines and sections are read in them.
type laidOut struct {
	scanners.Source
	format layout.Format
}

// Next implements scanners.Source.
func (l laidOut) Next(ctx context.Context) (scanners.Batch, error) {
	b, err := l.Source.Next(ctx)
	for i := range b.Items {
		b.Items[i].LineTime, b.Items[i].Section = l.format.Time, l.format.Section
	}
	return b, err
}

// asLogs opens a source as one of logs.
func asLogs(open makeSource, f layout.Format) makeSource {
	return func(e *eye, cursor []byte) (scanners.Source, error) {
		src, err := open(e, cursor)
		if err != nil {
			return nil, err
		}
		return laidOut{src, f}, nil
	}
}
