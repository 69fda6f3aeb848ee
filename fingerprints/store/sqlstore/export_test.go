package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"

	"revenant/fingerprints/store"
)

// WithPragmas adds pragmas to every connection, to provoke a full disk.
func WithPragmas(o Options, pragmas ...string) Options {
	o.pragmas = append(o.pragmas, pragmas...)
	return o
}

// Provenances lists the columns that EachProvenance reads, as table.column.
func Provenances() (out []string) {
	for _, p := range provenances() {
		out = append(out, p.table+"."+p.column)
	}
	return out
}

// Columns lists what is copied, by table.
func Columns() map[string][]string {
	out := map[string][]string{}
	for _, t := range tables() {
		out[t.name] = t.names()
	}
	return out
}

// Rows reads every row of every table, as text.
func Rows(ctx context.Context, s *Store) (map[string][]string, error) {
	out := map[string][]string{}
	err := s.View(ctx, func(t store.Tx) error {
		for _, of := range tables() {
			out[of.name] = nil
			err := t.(*tx).rows(ctx, of, func(row []any) error {
				out[of.name] = append(out[of.name], fmt.Sprintf("%q", row))
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// KeepingDB is keepingDB, and the bounds are its own.
func KeepingDB(name string) (*sql.DB, error) { return keepingDB(name) }

const (
	KeptStatements = keptStatements
	KeptText       = keptText
)

// Kept are the texts that a connection keeps, and how many bytes it counted.
func Kept(ctx context.Context, db *sql.DB) (texts []string, bytes int, err error) {
	c, err := db.Conn(ctx)
	if err != nil {
		return nil, 0, err
	}
	defer c.Close()
	err = c.Raw(func(raw any) error {
		k := raw.(*keepingConn)
		texts, bytes = slices.Sorted(maps.Keys(k.kept)), k.text
		return nil
	})
	return texts, bytes, err
}
