package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
	"revenant/fingerprints/store/postgrestest"
	"revenant/fingerprints/store/sqlstore"
	"revenant/fingerprints/store/storetest"
)

// TestPostgres is the conformance suite and what else is true of PostgreSQL, on
// one server.
func TestPostgres(t *testing.T) {
	server := postgrestest.Start(t, postgrestest.Options{})
	server.Admin(t, `CREATE EXTENSION pgstattuple SCHEMA public`)
	server.Admin(t, `GRANT pg_stat_scan_tables TO `+postgrestest.Role)
	if !testing.Short() { // the race detector, which runs the short ones, sees the same code with SQLite
		t.Run("conformance", func(t *testing.T) {
			storetest.Run(t, func(t *testing.T) store.Store { return create(t, server.Schema(t)) })
		})
	}
	for name, test := range map[string]func(t *testing.T, place string){
		"created together": createTogether,
		"canceled":         canceled,
		"locked":           locked,
		"two processes":    twoProcesses,
		"retire is quick":  retireIsQuick,
		"nothing there":    nothingThere,
		"newer":            newerSchema,
		"older":            olderSchema,
		"something else":   somethingElse,
		"reading":          reading,
		"tried again":      triedAgain,
		"schemas":          sameSchemas,
		"gone rows":        goneRows,
		"no right":         noRight,
		"unstorable text":  unstorable,
	} {
		t.Run(name, func(t *testing.T) { test(t, server.Schema(t)) })
	}
	t.Run("other encoding", func(t *testing.T) {
		server.Admin(t, `CREATE DATABASE latin OWNER `+postgrestest.Role+` ENCODING LATIN1 LOCALE 'C' LOCALE_PROVIDER libc TEMPLATE template0`)
		place := strings.Replace(server.Schema(t), "/postgres?", "/latin?", 1)
		refusesURL(t, place, sqlstore.Options{Access: sqlstore.CreateIfMissing}, store.ErrNotAStore, "UTF8")
	})
	t.Run("no database", func(t *testing.T) {
		place := strings.Replace(server.Schema(t), "/postgres?", "/missing?", 1)
		refusesURL(t, place, sqlstore.Options{}, store.ErrUnreachable, "createdb")
	})
	t.Run("no schema", func(t *testing.T) {
		refusesURL(t, server.Schema(t)+"x", sqlstore.Options{Access: sqlstore.CreateIfMissing}, store.ErrNotAStore, "CREATE SCHEMA")
	})
}

func refusesURL(t *testing.T, place string, o sqlstore.Options, want error, wayOut string) {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), place, o)
	if err == nil {
		t.Fatalf("opened (%v), want %v", s.Close(), want)
	}
	explained(t, err, "postgres://"+postgrestest.Role+"@", want, wayOut)
}

func rawURL(t *testing.T, place string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", place)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func nothingThere(t *testing.T, place string) {
	t.Helper()
	for _, a := range []sqlstore.Access{sqlstore.MustExist, sqlstore.ReadOnly} {
		refusesURL(t, place, sqlstore.Options{Access: a}, fs.ErrNotExist, "revenant init")
	}
	if was, is := create(t, place).Schema(); was != 0 || is < 2 {
		t.Errorf("schema %d, then %d", was, is)
	}
	if was, is := create(t, place).Schema(); was != is {
		t.Errorf("opened again: schema %d, then %d", was, is)
	}
}

func newerSchema(t *testing.T, place string) {
	t.Helper()
	create(t, place)
	run(t, rawURL(t, place), "INSERT INTO revenant_schema (version_id, is_applied) VALUES (999, true)")
	for _, a := range []sqlstore.Access{sqlstore.MustExist, sqlstore.CreateIfMissing, sqlstore.ReadOnly} {
		refusesURL(t, place, sqlstore.Options{Access: a}, store.ErrNewer, "use a newer revenant")
	}
}

// olderSchema takes the last migration back and opens from several places.
func olderSchema(t *testing.T, place string) {
	t.Helper()
	filled := create(t, place)
	update(t, filled, func(ctx context.Context, tx store.Tx) error {
		err := tx.PutSource(ctx, store.Source{ID: "dir:/x"})
		if err == nil {
			_, err = tx.Record(ctx, time.Unix(1, 0), sample(0, 500))
		}
		return err
	})
	want := contents(t, filled, "tallies", "totals")
	db := rawURL(t, place)
	run(t, db, "DROP TABLE lookups")
	run(t, db, "DROP TABLE days, views")
	run(t, db, "DROP INDEX findings_gone, findings_presence, findings_decided, findings_rules")
	run(t, db, "DROP TABLE sessions, codes, people")
	run(t, db, "DROP TABLE requests")
	run(t, db, "DROP TABLE tokens")
	run(t, db, "DROP TABLE positions")
	run(t, db, "ALTER TABLE sightings DROP COLUMN stream, DROP COLUMN at_offset, DROP COLUMN run_from, DROP COLUMN author, DROP COLUMN commit_id")
	run(t, db, "DROP TABLE tallies, totals, home_sources")
	run(t, db, "ALTER TABLE homes DROP COLUMN whole")
	run(t, db, "DROP TABLE notices, deliveries, told, marks")
	run(t, db, "DROP INDEX findings_owner, findings_until, versions_window")
	run(t, db, "ALTER TABLE findings DROP COLUMN changed")
	run(t, db, "DROP TABLE finding_decisions")
	run(t, db, "DROP TABLE decisions")
	run(t, db, "DROP TABLE watches")
	run(t, db, "DROP TABLE workers")
	run(t, db, "DELETE FROM counters WHERE name = 'changes'")
	run(t, db, "DELETE FROM revenant_schema WHERE version_id > 1")
	refusesURL(t, place, sqlstore.Options{Access: sqlstore.ReadOnly}, store.ErrReadOnly, "open it once for writing")
	createTogether(t, place)
	if d := cmp.Diff(want, contents(t, create(t, place), "tallies", "totals")); d != "" {
		t.Errorf("what the migration counts:\n%s", d)
	}
}

func somethingElse(t *testing.T, place string) {
	t.Helper()
	run(t, rawURL(t, place), "CREATE TABLE meta (x INT)")
	refusesURL(t, place, sqlstore.Options{Access: sqlstore.CreateIfMissing}, store.ErrNotAStore, "an empty database")
}

func reading(t *testing.T, place string) {
	t.Helper()
	create(t, place)
	s, err := sqlstore.Open(t.Context(), place, sqlstore.Options{Access: sqlstore.ReadOnly})
	if err != nil {
		t.Fatal(err)
	}
	err = s.Update(t.Context(), func(store.Tx) error { return nil })
	explained(t, err, s.Name(), store.ErrReadOnly, "opened for reading")
	if err := errors.Join(s.Check(t.Context()), s.Close()); err != nil {
		t.Error(err)
	}
}

// triedAgain lets transactions fail as the database does when it must choose one.
func triedAgain(t *testing.T, place string) {
	t.Helper()
	s := create(t, place)
	for _, c := range []struct {
		code  string
		fails int
		calls int
		want  error
	}{
		{"40001", 2, 3, nil},
		{"40P01", 5, 6, nil},
		{"40001", 100, 6, store.ErrLocked},
		{"22012", 1, 1, &pgconn.PgError{}},
	} {
		calls := 0
		err := s.Update(t.Context(), func(tx store.Tx) error {
			if calls++; calls <= c.fails {
				// What a failed try wrote must be gone in the next.
				return errors.Join(putSecrets(t.Context(), tx, 1000+calls, 1), fmt.Errorf("in between: %w", &pgconn.PgError{Code: c.code}))
			}
			return putSecrets(t.Context(), tx, calls, 1)
		})
		var e *pgconn.PgError
		if calls != c.calls || (c.want == nil) != (err == nil) || errors.Is(c.want, store.ErrLocked) && !errors.Is(err, store.ErrLocked) || err != nil && !errors.As(err, &e) {
			t.Errorf("%s, failing %d times: called %d times, %v", c.code, c.fails, calls, err)
		}
	}
	err := s.View(t.Context(), func(tx store.Tx) error {
		list, err := tx.Secrets(t.Context(), store.SecretFilter{})
		if len(list) != 2 {
			t.Errorf("%d secrets, want the 2 of the tries that went well", len(list))
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// sameSchemas compares tables and columns, in their order, with SQLite's, and
// wants a sentence on every table.
func sameSchemas(t *testing.T, place string) {
	t.Helper()
	create(t, place)
	type column struct {
		Table, Name string
		NotNull     bool
	}
	list := func(db *sql.DB, query string) (out []column) {
		rows, err := db.QueryContext(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var c column
			if err := rows.Scan(&c.Table, &c.Name, &c.NotNull); err != nil {
				t.Fatal(err)
			}
			out = append(out, c)
		}
		if err := rows.Err(); err != nil || len(out) < 100 {
			t.Fatalf("%d columns, %v", len(out), err)
		}
		return out
	}
	postgres := rawURL(t, place)
	ours := list(raw(t, filled(t)), `SELECT t.name, c.name, c."notnull" OR c.pk > 0 FROM sqlite_schema t, pragma_table_info(t.name) c
		WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND t.name NOT LIKE 'goose_%' ORDER BY t.name, c.cid`)
	theirs := list(postgres, `SELECT table_name::text, column_name::text, is_nullable = 'NO' FROM information_schema.columns
		WHERE table_schema = current_schema() AND table_name <> 'revenant_schema' ORDER BY table_name COLLATE "C", ordinal_position`)
	if d := cmp.Diff(ours, theirs); d != "" {
		t.Errorf("columns of SQLite and of PostgreSQL:\n%s", d)
	}
	inOrder := map[string][]string{}
	for _, c := range ours {
		inOrder[c.Table] = append(inOrder[c.Table], c.Name)
	}
	if d := cmp.Diff(inOrder, sqlstore.Columns()); d != "" {
		t.Errorf("columns of the schema and those that are copied:\n%s", d)
	}
	var bare int
	err := postgres.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace
		AND relkind = 'r' AND relname <> 'revenant_schema' AND COALESCE(length(obj_description(oid, 'pg_class')), 0) < 10`).Scan(&bare)
	if err != nil || bare > 0 {
		t.Errorf("%d tables without a comment, %v", bare, err)
	}
	var unordered int // a column whose order is the language's
	err = postgres.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = current_schema()
		AND table_name <> 'revenant_schema' AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'`).Scan(&unordered)
	if err != nil || unordered > 0 {
		t.Errorf("%d columns of text are not ordered by bytes, %v", unordered, err)
	}
}

// goneRows rewrites provenance and wants no dead row left that holds the old
// text.
func goneRows(t *testing.T, place string) {
	t.Helper()
	s := create(t, place)
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		if err := tx.PutSource(ctx, store.Source{ID: "dir:/x"}); err != nil {
			return err
		}
		_, err := tx.Record(ctx, time.Unix(1, 0), sample(0, 300))
		return err
	})
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		return tx.EachProvenance(ctx, func(ref, _ string) error { return tx.RewriteProvenance(ctx, ref, "other") })
	})
	db := rawURL(t, place)
	for _, table := range []string{"findings", "sightings"} {
		var dead int64
		if err := db.QueryRowContext(t.Context(), `SELECT dead_tuple_count FROM public.pgstattuple($1::text::regclass)`, table).Scan(&dead); err != nil {
			t.Fatal(err)
		}
		if dead != 0 {
			t.Errorf("%s has %d dead rows after its text was rewritten", table, dead)
		}
	}
}

func noRight(t *testing.T, place string) {
	t.Helper()
	create(t, place)
	db := rawURL(t, place)
	run(t, db, `REVOKE INSERT ON secrets FROM CURRENT_USER`)
	s := create(t, place)
	err := s.Update(t.Context(), func(tx store.Tx) error { return putSecrets(t.Context(), tx, 0, 1) })
	explained(t, err, s.Name(), store.ErrReadOnly, "grant it")
}

// unstorable stores and asks for what a text of PostgreSQL cannot be.
func unstorable(t *testing.T, place string) {
	t.Helper()
	s := create(t, place)
	const id = "dir:/a\x00b\xff"
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		return tx.PutSource(ctx, store.Source{ID: id, Kind: fingerprints.KindDir})
	})
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		o := sample(1, 1)
		o[0].SourceID, o[0].Owner, o[0].Extent = id, "a\x00", "\xfe"
		if _, err := tx.Record(ctx, time.Unix(1, 0), o); err != nil {
			return err
		}
		gone, err := tx.MarkUnseen(ctx, id, "\xfe", time.Unix(2, 0), time.Unix(2, 0), nil)
		if len(gone) != 1 {
			t.Errorf("%d findings are gone, want 1", len(gone))
		}
		return err
	})
}
