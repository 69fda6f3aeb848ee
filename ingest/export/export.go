// Package export writes findings that are stored, a line for each, as JSON or CSV.
//
// It promises: nothing is held in memory, no cell is taken for a formula by a
// spreadsheet, and the last line says how many there were, so that what was cut off
// can be told from what was all.
package export

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"time"

	"revenant/api/wire"
	reportcsv "revenant/ingest/report/csv"
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

type table struct {
	w     *csv.Writer
	begun bool
}

// CSV writes a row for each finding, without its places and its history, below a row
// of names. The last row begins with #end.
func CSV(w io.Writer) Writer { return &table{w: csv.NewWriter(w)} }

func (w *table) begin() error {
	if w.begun {
		return nil
	}
	w.begun = true
	return w.w.Write(strings.Fields("id verdict severity status presence source path owner secret version state rules places first_seen last_seen due"))
}

// Write implements Writer.
func (w *table) Write(d wire.FindingDetail) error {
	if err := w.begin(); err != nil {
		return err
	}
	row := []string{
		string(d.ID), string(d.Verdict), string(d.Severity), string(d.Status), string(d.Presence), d.Source, d.Path, d.Owner, "", "", "",
		strings.Join(d.Rules, " "), strconv.Itoa(d.Places), d.FirstSeen.Format(time.RFC3339), d.LastSeen.Format(time.RFC3339), "",
	}
	if len(d.Matches) > 0 {
		m := d.Matches[0]
		row[8], row[9], row[10] = m.Secret, strconv.Itoa(m.Version), string(m.State)
	}
	if d.Due != nil {
		row[15] = d.Due.Format(time.RFC3339)
	}
	for i := range row {
		row[i] = reportcsv.Defused(row[i])
	}
	err := w.w.Write(row)
	w.w.Flush()
	return err
}

// End implements Writer.
func (w *table) End(n int) error {
	if err := w.begin(); err != nil {
		return err
	}
	if err := w.w.Write([]string{"#end", strconv.Itoa(n)}); err != nil {
		return err
	}
	w.w.Flush()
	return w.w.Error()
}
