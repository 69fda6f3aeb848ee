package export

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints"
	reportcsv "revenant/ingest/report/csv"
)

// Rows writes findings that are stored as rows, one for each place; the last
// columns are of the place. Columns are only added, behind the others. Not safe for
// concurrent use.
type Rows struct{ w *csv.Writer }

// NewRows begins a table on w, with the names of its columns.
func NewRows(w io.Writer) (*Rows, error) {
	t := &Rows{csv.NewWriter(w)}
	return t, t.row(strings.Fields("id verdict severity status what source path presence owner places first_seen last_seen line column form rule locator secret version state rules due"))
}

// row writes one row, and what was kept back.
func (t *Rows) row(cells []string) error {
	if err := t.w.Write(cells); err != nil {
		return fmt.Errorf("writing a row: %w", err)
	}
	t.w.Flush()
	return t.w.Error()
}

// Write writes a finding: a row for each of its places, one without where none is
// known.
func (t *Rows) Write(d wire.FindingDetail) error {
	head := []string{
		string(d.ID), string(d.Verdict), string(d.Severity), string(d.Status), whatOf(d.FindingView), d.Source, d.Path, string(d.Presence), d.Owner,
		strconv.Itoa(d.Places), stamp(d.FirstSeen), stamp(d.LastSeen),
	}
	tail := []string{"", "", "", strings.Join(d.Rules, " "), ""}
	if len(d.Matches) > 0 {
		m := d.Matches[0]
		tail[0], tail[1], tail[2] = m.Secret, strconv.Itoa(m.Version), string(m.State)
	}
	if d.Due != nil {
		tail[4] = stamp(*d.Due)
	}
	places := [][]string{{"", "", "", "", ""}}
	if len(d.Sightings) > 0 {
		places = nil
	}
	for _, s := range d.Sightings {
		places = append(places, []string{strconv.Itoa(s.Line), strconv.Itoa(s.Column), string(s.Form), s.Rule, s.Locator})
	}
	for _, p := range places {
		var cells []string
		for _, part := range [][]string{head, p, tail} {
			for _, cell := range part {
				cells = append(cells, reportcsv.Defused(cell))
			}
		}
		if err := t.row(cells); err != nil {
			return err
		}
	}
	return nil
}

// End writes a last row with how many findings there were: a table without it was
// cut off on its way.
func (t *Rows) End(n int) error { return t.row([]string{"#end", strconv.Itoa(n)}) }

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// whatOf names all versions that have the value, else the rules.
func whatOf(f wire.FindingView) string {
	var refs []string
	for _, m := range f.Matches {
		refs = append(refs, fingerprints.VersionRef{Name: m.Secret, Number: m.Version}.String())
	}
	switch {
	case len(refs) > 0:
		return strings.Join(refs, " ")
	case len(f.Rules) > 0:
		return strings.Join(f.Rules, ",")
	}
	return "-"
}
