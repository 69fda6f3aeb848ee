package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// provenance is a column of text that came from a source or a person. The key
// of all these tables is called as given.
type provenance struct{ table, key, column string }

// finding is the column that says of which finding a row is; empty: of none.
func (p provenance) finding() string {
	switch p.table {
	case "findings":
		return "pk"
	case "sightings":
		return "finding_pk"
	}
	return ""
}

// provenances lists every column that may hold it; a test compares it with
// the schema.
func provenances() []provenance {
	return []provenance{
		{"findings", "pk", "path"},
		{"findings", "pk", "reason"},
		{"sightings", "pk", "locator"},
		{"sightings", "pk", "context"},
		{"sightings", "pk", "url"},
		{"sightings", "pk", "extent"},
		{"sightings", "pk", "stream"},
		{"sightings", "pk", "author"},
		{"history", "pk", "detail"},
		{"scans", "id", "extent"},
		{"scans", "id", "through"},
		{"skips", "pk", "path"},
		{"skips", "pk", "locator"},
		{"skips", "pk", "detail"},
		{"decisions", "id", "source_glob"},
		{"decisions", "id", "path_glob"},
		{"decisions", "id", "reason"},
		{"notices", "pk", "detail"},
		{"views", "pk", "name"},
		{"views", "pk", "query"},
	}
}

// EachProvenance gives texts with a reference such as sightings/context/12, each
// table read once. fn may rewrite.
func (t *tx) EachProvenance(ctx context.Context, fn func(ref, text string) error) error {
	read := map[string]bool{}
	for _, p := range provenances() {
		if read[p.table] {
			continue
		}
		read[p.table] = true
		if err := t.eachRow(ctx, p, fn); err != nil {
			return err
		}
	}
	return nil
}

// eachRow gives the texts of the table of p.
func (t *tx) eachRow(ctx context.Context, p provenance, fn func(ref, text string) error) error {
	var columns []string
	for _, o := range provenances() {
		if o.table == p.table {
			columns = append(columns, o.column)
		}
	}
	query := `SELECT ` + p.key + `, ` + strings.Join(columns, ", ") + ` FROM ` + p.table + ` WHERE ` + p.key + ` > ? ORDER BY ` + p.key + ` LIMIT ?`
	type row struct {
		key   int64
		texts []string
	}
	for after := int64(-1); ; {
		list := make([]row, 0, page)
		err := t.each(ctx, "reading provenance", query, []any{after, page}, func(scan scanner) error {
			r := row{texts: make([]string, len(columns))}
			dst := []any{&r.key}
			for i := range r.texts {
				dst = append(dst, &r.texts[i])
			}
			err := scan(dst...)
			list = append(list, r)
			return err
		})
		if err != nil {
			return err
		}
		for _, r := range list {
			after = r.key
			for i, text := range r.texts {
				if text == "" {
					continue
				}
				if err := fn(p.table+"/"+columns[i]+"/"+strconv.FormatInt(r.key, 10), text); err != nil {
					return err
				}
			}
		}
		if len(list) < page {
			return nil
		}
	}
}

func (t *tx) Provenance(ctx context.Context, ref string) (string, error) {
	p, key, err := parseRef(ref)
	if err != nil {
		return "", err
	}
	var out string
	err = t.one(ctx, "reading provenance", `SELECT `+p.column+` FROM `+p.table+` WHERE `+p.key+` = ?`, []any{key}, &out)
	return out, err
}

// errBadRef is for references that EachProvenance did not give.
var errBadRef = errors.New("not a reference to stored provenance")

func parseRef(ref string) (provenance, int64, error) {
	parts := strings.Split(ref, "/")
	if len(parts) == 3 {
		key, err := strconv.ParseInt(parts[2], 10, 64)
		for _, p := range provenances() {
			if err == nil && p.table == parts[0] && p.column == parts[1] {
				return p, key, nil
			}
		}
	}
	return provenance{}, 0, fmt.Errorf("rewriting provenance: %w", errBadRef)
}

// RewriteProvenance also sees to it that the old text leaves the log when the
// transaction is over.
func (t *tx) RewriteProvenance(ctx context.Context, ref, replacement string) error {
	p, key, err := parseRef(ref)
	if err != nil {
		return err
	}
	t.purge = true
	if of := p.finding(); of != "" {
		if err := t.changedWhere(ctx, `SELECT `+of+` FROM `+p.table+` WHERE pk = ?`, key); err != nil {
			return err
		}
	}
	if p.column == "locator" {
		if err := t.makeRoom(ctx, p.table, key, text(replacement)); err != nil {
			return err
		}
	}
	if p.table == "skips" && p.column == "path" {
		if err := t.makeRoomForPath(ctx, key, text(replacement)); err != nil {
			return err
		}
	}
	_, err = t.exec(ctx, "rewriting provenance", `UPDATE `+p.table+` SET `+p.column+` = ? WHERE `+p.key+` = ?`, text(replacement), key)
	return err
}

// makeRoom removes a row that would be the same as this one once its locator
// is rewritten: two places that only differed in the secret.
func (t *tx) makeRoom(ctx context.Context, table string, key int64, locator string) error {
	query := `DELETE FROM sightings WHERE pk <> ?1 AND locator = ?2 AND EXISTS (SELECT 1 FROM sightings si WHERE si.pk = ?1
		AND si.finding_pk = sightings.finding_pk AND si.span_start = sightings.span_start AND si.span_end = sightings.span_end)`
	if table == "skips" {
		query = `DELETE FROM skips WHERE pk <> ?1 AND locator = ?2 AND EXISTS (SELECT 1 FROM skips sk WHERE sk.pk = ?1
			AND sk.scan = skips.scan AND sk.path = skips.path AND sk.reason = skips.reason)`
	}
	_, err := t.exec(ctx, "rewriting provenance", query, key, locator)
	return err
}

func (t *tx) makeRoomForPath(ctx context.Context, key int64, path string) error {
	_, err := t.exec(ctx, "rewriting provenance", `DELETE FROM skips WHERE pk <> ?1 AND path = ?2 AND EXISTS (SELECT 1 FROM skips sk
		WHERE sk.pk = ?1 AND sk.scan = skips.scan AND sk.locator = skips.locator AND sk.reason = skips.reason)`, key, path)
	return err
}
