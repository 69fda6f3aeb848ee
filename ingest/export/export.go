// Package export writes findings that are stored, a line for each, as JSON or CSV.
//
// It promises: nothing is held in memory, no cell is taken for a formula by a
// spreadsheet, and the last line says how many there were, so that what was cut off
// can be told from what was all.
package export

import (
	"encoding/json"
	"io"

	"revenant/api/wire"
)

// Writer writes findings in one format. It is not safe for concurrent use.
type Writer interface {
	Write(d wire.FindingDetail) error
	// End writes the last line: that there were n findings.
	End(n int) error
}

type ndjson struct{ e *json.Encoder }

// NDJSON writes a JSON object a line, the last of which is {"end":N}.
func NDJSON(w io.Writer) Writer { return ndjson{json.NewEncoder(w)} }

// Write implements Writer.
func (w ndjson) Write(d wire.FindingDetail) error { return w.e.Encode(d) }

// End implements Writer.
func (w ndjson) End(n int) error { return w.e.Encode(map[string]int{"end": n}) }

// CSV writes a row for each place of a finding, below a row of names. The last row
// begins with #end.
func CSV(w io.Writer) Writer { return &table{w: w} }

// table begins when there is something to write.
type table struct {
	w    io.Writer
	rows *Rows
}

func (t *table) begin() (err error) {
	if t.rows == nil {
		t.rows, err = NewRows(t.w)
	}
	return err
}

// Write implements Writer.
func (t *table) Write(d wire.FindingDetail) error {
	if err := t.begin(); err != nil {
		return err
	}
	return t.rows.Write(d)
}

// End implements Writer.
func (t *table) End(n int) error {
	if err := t.begin(); err != nil {
		return err
	}
	return t.rows.End(n)
}
