package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pressly/goose/v3"

	"revenant/fingerprints/store"
)

// postgresEngine is what belongs to PostgreSQL.
type postgresEngine struct{}

// lockClass is the first half of our advisory locks: "RVNT", as in the header of
// SQLite's files.
const lockClass = "1381387860"

// upgradeLock is the second half of the lock of those who migrate; a
// transaction's is the number of the table meta, of which every schema has one.
const upgradeLock = "1"

func (postgresEngine) schema() schemaFiles {
	return schemaFiles{dialect: goose.DialectPostgres, dir: "postgres", table: "revenant_schema"}
}

func (postgresEngine) words() words {
	return words{
		rewrite: func(query string, args []any) (string, []any) { return numbered(query), storable(args) },
		key:     func(column string) string { return "text_key(" + column + ")" },
		oneOf:   func(column, query string) string { return column + " = ANY(ARRAY(" + query + "))" },
		text:    func(hex string) string { return "convert_from(decode('" + hex + "', 'hex'), 'UTF8')" },
		table:   func(name string) string { return name },
		view:    sql.LevelRepeatableRead,
		ends:    true,
	}
}

// storable replaces what PostgreSQL's texts cannot hold, in what is stored as in
// what is asked for. args is left alone.
func storable(args []any) []any {
	for i, a := range args {
		if s, ok := a.(string); ok {
			if t := text(s); t != s {
				args = append([]any{}, args...)
				args[i] = t
			}
		}
	}
	return args
}

// begin takes the lock of those who write. Under it every statement sees what the
// last holder committed, and nobody else's changes come in between: that is the
// serialisation of the contract, without transactions that fail.
func (postgresEngine) begin(ctx context.Context, t *sql.Tx) error {
	_, err := t.ExecContext(ctx, `SELECT pg_advisory_xact_lock(`+lockClass+`, 'meta'::regclass::oid::int4)`)
	return err
}

// lockUpgrade holds a lock on a connection of its own, so that it goes when this
// process does.
func (postgresEngine) lockUpgrade(ctx context.Context, s *Store) (unlock func(), err error) {
	conn, err := s.read.Conn(ctx)
	if err != nil {
		return nil, s.ended(ctx, fmt.Errorf("locking for the upgrade: %w", err))
	}
	if _, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock(`+lockClass+`, `+upgradeLock+`)`); err != nil {
		return nil, errors.Join(s.ended(ctx, fmt.Errorf("locking for the upgrade: %w", err)), conn.Close())
	}
	return func() {
		// Where the unlocking fails, the connection is not used again.
		if _, err := conn.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock(`+lockClass+`, `+upgradeLock+`)`); err != nil {
			_ = conn.Raw(func(any) error { return driver.ErrBadConn })
		}
		_ = conn.Close()
	}, nil
}

// again: the database chose this transaction to fail, or a migration changed
// what a statement was prepared for.
func (postgresEngine) again(err error) bool {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code {
	case "40001", "40P01": // serialization_failure, deadlock_detected
		return true
	case "0A000":
		return strings.Contains(e.Message, "cached plan")
	}
	return false
}

// purge removes the rows that were overwritten or deleted from the tables that
// hold provenance. Rows that an open transaction still sees go with the next
// VACUUM; the database's log and its copies are not ours to clean.
func (postgresEngine) purge(ctx context.Context, s *Store) {
	tables := map[string]bool{}
	for _, p := range provenances() {
		if !tables[p.table] {
			tables[p.table] = true
			_, _ = s.write.ExecContext(ctx, `VACUUM (SKIP_LOCKED) `+p.table)
		}
	}
}

// check reads every row whole. Broken references cannot be: the database keeps
// them.
func (postgresEngine) check(ctx context.Context, s *Store) error {
	for _, t := range tables() {
		var rows int64
		if err := s.read.QueryRowContext(ctx, `SELECT COUNT(r::text) FROM `+t.name+` r`).Scan(&rows); err != nil {
			return s.ended(ctx, fmt.Errorf("checking: %w", err))
		}
	}
	return nil
}

func (postgresEngine) constraint(err error) error {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return nil
	}
	switch e.Code {
	case "23505": // unique_violation
		return store.ErrExists
	case "23503": // foreign_key_violation
		return store.ErrNotFound
	}
	return nil
}

func (postgresEngine) isMissingTable(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == "42P01"
}

func (postgresEngine) causeOf(err error) (cause, bool) {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return cause{}, false
	}
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return postgresCause(e.Code), true
	}
	var connecting *pgconn.ConnectError
	var network net.Error
	lost := errors.As(err, &connecting) || errors.As(err, &network) || errors.Is(err, driver.ErrBadConn) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
	if lost {
		return cause{store.ErrUnreachable, "see that the server runs, and that host, port and sslmode in REVENANT_STORE are right; what was not reported as done may have to be done again"}, true
	}
	return cause{}, false
}

func postgresCause(code string) cause {
	switch code {
	case "55P03", "40001", "40P01": // lock_not_available, and what was tried again too often
		return cause{store.ErrLocked, "other revenant processes write to it; try again, and look in pg_stat_activity for one that hangs"}
	case "53100": // disk_full
		return cause{store.ErrFull, "free some space on the server's disk and try again; nothing was changed"}
	case "25006": // read_only_sql_transaction
		return cause{store.ErrReadOnly, "it was opened for reading, or the server is a standby: name the primary"}
	case "42501": // insufficient_privilege
		return cause{store.ErrReadOnly, "the role lacks a right: let it own the database, or grant it CREATE and USAGE on the schema and all rights on the tables"}
	case "XX001", "XX002", "58030": // data_corrupted, index_corrupted, io_error
		return cause{store.ErrDamaged, "stop every revenant process, keep a copy of the server's data, and restore it from a backup"}
	case "28P01", "28000": // invalid_password, invalid_authorization_specification
		return cause{store.ErrUnreachable, "the server refuses user or password: see REVENANT_STORE, PGPASSWORD, PGPASSFILE and the server's pg_hba.conf"}
	case "3D000": // invalid_catalog_name
		return cause{store.ErrUnreachable, "the database is not there: make it with createdb, owned by the role"}
	case "53300", "57P01", "57P02", "57P03": // too_many_connections, shutdowns
		return cause{store.ErrUnreachable, "the server takes no connection now; wait, and try again"}
	}
	if strings.HasPrefix(code, "08") {
		return cause{store.ErrUnreachable, "the connection was lost; try again"}
	}
	return cause{}
}
