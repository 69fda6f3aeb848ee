package main

import (
	"io"
	"iter"

	"revenant/fingerprints"
	"revenant/fingerprints/importers"
	"revenant/fingerprints/registry"
)

func formatNames() []string {
	var out []string
	for _, f := range importers.Formats() {
		out = append(out, string(f))
	}
	return out
}

// importWish is what the import's flags say.
type importWish struct {
	importers.Options
	class fingerprints.Class // of records that say none
	owner string
}

func importOptions(format, name, class, owner string, all bool) (importWish, error) {
	f, err := oneOf("--format", format, importers.Formats())
	if err != nil {
		return importWish{}, err
	}
	c, err := oneOf("--class", class, fingerprints.Classes())
	if err != nil {
		return importWish{}, err
	}
	if name != "" {
		if err := fingerprints.CheckName(name); err != nil {
			return importWish{}, usagef("--name: %w", err)
		}
	}
	w := importWish{Options: importers.Options{Format: f, Prefix: name}, class: c, owner: owner}
	if all {
		w.Select = importers.All
	}
	return w, nil
}

// importRecords streams what an importer reads in the registry's own shape. The
// returned stop ends the reading.
func importRecords(r io.Reader, w importWish) (next func() (registry.ImportRecord, error), stop func()) {
	pull, stop := iter.Pull2(importers.Read(r, w.Options))
	return func() (registry.ImportRecord, error) {
		item, err, ok := pull()
		switch {
		case !ok:
			return registry.ImportRecord{}, io.EOF
		case err != nil:
			return registry.ImportRecord{}, err
		case item.Problem != nil:
			return registry.ImportRecord{}, &registry.LineError{Line: item.Problem.Line, Reason: item.Problem.Reason}
		}
		return w.record(*item.Record), nil
	}, stop
}

func (w importWish) record(r importers.Record) registry.ImportRecord {
	out := registry.ImportRecord{
		Line: r.Line, Name: r.Name, Class: r.Class, Owner: r.Owner, Consumers: r.Consumers, State: r.State, IssuedTo: r.IssuedTo,
	}
	if out.Class == "" {
		out.Class = w.class
	}
	if out.Owner == "" {
		out.Owner = w.owner
	}
	for _, f := range r.Fields {
		out.Fields = append(out.Fields, registry.Field{Name: f.Name, Value: f.Value})
	}
	return out
}
