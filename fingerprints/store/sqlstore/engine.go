package sqlstore

import (
	"context"
	"database/sql"
	"strconv"
	"strings"

	"github.com/pressly/goose/v3"
)

// engine is what belongs to one kind of database alone. Everything else is SQL
// that SQLite and PostgreSQL have in common.
type engine interface {
	schema() schemaFiles
	lockUpgrade(ctx context.Context, s *Store) (unlock func(), err error)
	// begin is called first in every transaction that writes: it sees to it that
	// no other one writes before this one has ended.
	begin(ctx context.Context, t *sql.Tx) error
	// again reports whether a transaction failed for no reason of its own, and
	// another try may succeed.
	again(err error) bool
	// purge sees to it that old text goes away; as far as it can be done now.
	purge(ctx context.Context, s *Store)
	check(ctx context.Context, s *Store) error

	// causeOf is what an error means and what a person can do; known is false
	// for errors that are not the database's.
	causeOf(err error) (c cause, known bool)
	// constraint turns a broken constraint into the contract's sentinel; it tells
	// nothing of the row.
	constraint(err error) error
	isMissingTable(err error) bool

	// words are what differs in the texts.
	words() words
}

// schemaFiles is where the migrations lie and where the database keeps count
// of them.
type schemaFiles struct {
	dialect goose.Dialect
	dir     string
	table   string
}

// words is how one database wants its statements.
type words struct {
	// rewrite makes the text and arguments of a statement what the driver takes;
	// nil: they are that, and statements are prepared once in a transaction.
	rewrite func(text string, args []any) (string, []any)
	// key is what a column of long texts is unique by.
	key func(column string) string
	// oneOf asks whether a number is one of those that a query gives, which is the
	// same for every row: it must be asked once.
	oneOf func(column, query string) string
	// text is the text whose bytes are these hex digits, written so that nothing in it
	// can be taken for SQL.
	text func(hex string) string
	// table is a table, also where a query has given its name to something else.
	table func(name string) string
	// view is the isolation that shows one state from the first statement on.
	view sql.IsolationLevel
	// ends: a statement that fails ends the transaction.
	ends bool
}

// numbered gives placeholders the form of PostgreSQL: ? counts up, ?2 is $2.
func numbered(text string) string {
	var b strings.Builder
	for n := 1; ; {
		before, after, found := strings.Cut(text, "?")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteByte('$')
		if after == "" || after[0] < '0' || after[0] > '9' {
			b.WriteString(strconv.Itoa(n))
			n++
		}
		text = after
	}
}
