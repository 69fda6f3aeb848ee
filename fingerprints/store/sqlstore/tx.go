package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"revenant/fingerprints/store"
)

// tx is one transaction; for one goroutine at a time.
type tx struct {
	s      *Store
	sql    *sql.Tx
	stmts  map[string]*sql.Stmt
	failed error // the first error after which the transaction cannot go on
	trying bool  // a broken constraint does not end it
	purge  bool  // old text must go after the commit
	// teams are those whose rows are seen, and seen says so before each query that
	// reads; none: all.
	teams []string
	seen  string
}

var _ store.Tx = (*tx)(nil)

// stmt returns the statement for a text, prepared once in a transaction.
func (t *tx) stmt(ctx context.Context, text string) (*sql.Stmt, error) {
	if st, ok := t.stmts[text]; ok {
		return st, nil
	}
	st, err := t.sql.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	t.stmts[text] = st
	return st, nil
}

// note keeps an error that ended the transaction, and gives others their
// sentinel.
func (t *tx) note(doing string, err error) error {
	if err == nil {
		return nil
	}
	if c := t.s.engine.constraint(err); c != nil {
		err = fmt.Errorf("%s: %w", doing, c)
		if t.s.engine.words().ends && !t.trying && t.failed == nil {
			t.failed = err
		}
		return err
	}
	err = t.s.explain(fmt.Errorf("%s: %w", doing, err))
	if t.failed == nil {
		t.failed = err
	}
	return err
}

// exec runs a statement that changes rows and returns how many.
func (t *tx) exec(ctx context.Context, doing, text string, args ...any) (int64, error) {
	if t.failed != nil {
		return 0, t.failed
	}
	var res sql.Result
	var err error
	if rewrite := t.s.engine.words().rewrite; rewrite != nil {
		text, args = rewrite(text, args)
		res, err = t.sql.ExecContext(ctx, text, args...)
	} else {
		var st *sql.Stmt
		if st, err = t.stmt(ctx, text); err == nil { //nolint:sqlclosecheck // the transaction closes its statements
			res, err = st.ExecContext(ctx, args...)
		}
	}
	if err != nil {
		return 0, t.note(doing, err)
	}
	n, err := res.RowsAffected()
	return n, t.note(doing, err)
}

// query runs a statement that returns rows.
func (t *tx) query(ctx context.Context, text string, args []any) (*sql.Rows, error) {
	text = t.narrowed(text)
	if rewrite := t.s.engine.words().rewrite; rewrite != nil {
		text, args = rewrite(text, args)
		return t.sql.QueryContext(ctx, text, args...)
	}
	st, err := t.stmt(ctx, text) //nolint:sqlclosecheck // the transaction closes its statements
	if err != nil {
		return nil, err
	}
	return st.QueryContext(ctx, args...)
}

// tried runs statements that may break a constraint, which the caller of the
// contract is told of and may live with: where that would end the transaction,
// it goes back to where it was before.
func (t *tx) tried(ctx context.Context, fn func() error) error {
	if !t.s.engine.words().ends {
		return fn()
	}
	const doing = "trying a statement"
	if _, err := t.exec(ctx, doing, `SAVEPOINT tried`); err != nil {
		return err
	}
	t.trying = true
	err := fn()
	t.trying = false
	if errors.Is(err, store.ErrExists) || errors.Is(err, store.ErrNotFound) {
		if _, back := t.exec(ctx, doing, `ROLLBACK TO SAVEPOINT tried`); back != nil {
			return back
		}
	} else if err != nil {
		return err
	}
	if _, end := t.exec(ctx, doing, `RELEASE SAVEPOINT tried`); end != nil {
		return end
	}
	return err
}

// try is exec of a statement that may break a constraint.
func (t *tx) try(ctx context.Context, doing, text string, args ...any) error {
	return t.tried(ctx, func() error {
		_, err := t.exec(ctx, doing, text, args...)
		return err
	})
}

// one scans the only row of a query; ErrNotFound when there is none.
func (t *tx) one(ctx context.Context, doing, text string, args []any, dst ...any) error {
	found := false
	err := t.each(ctx, doing, text, args, func(scan scanner) error {
		found = true
		return scan(dst...)
	})
	if err == nil && !found {
		return fmt.Errorf("%s: %w", doing, store.ErrNotFound)
	}
	return err
}

type scanner func(dst ...any) error

// each calls fn for every row of a query. fn must not use the transaction.
func (t *tx) each(ctx context.Context, doing, text string, args []any, fn func(scanner) error) error {
	if t.failed != nil {
		return t.failed
	}
	rows, err := t.query(ctx, text, args)
	if err != nil {
		return t.note(doing, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := fn(rows.Scan); err != nil {
			return err
		}
	}
	return t.note(doing, errors.Join(rows.Err(), rows.Close()))
}

// next gives out n numbers of a counter and returns the first.
func (t *tx) next(ctx context.Context, counter string, n int) (int64, error) {
	var last int64
	err := t.one(ctx, "counting", `INSERT INTO counters (name, last) VALUES (?, ?)
		ON CONFLICT (name) DO UPDATE SET last = counters.last + excluded.last RETURNING last`,
		[]any{counter, n}, &last)
	return last - int64(n) + 1, err
}

// listSizes are the lengths that lists of placeholders come in, so that there
// are few statements.
func listSizes() []int { return []int{512, 64, 8, 1} }

// inLists calls fn with the keys in parts that are padded by repetition to one
// of few lengths, and with their placeholders.
func inLists[K any](keys []K, fn func(marks string, args []any) error) error {
	sizes := listSizes()
	for len(keys) > 0 {
		size := sizes[0]
		for _, s := range sizes {
			if s >= len(keys) {
				size = s
			}
		}
		part := keys[:min(size, len(keys))]
		keys = keys[len(part):]
		args := make([]any, size)
		for i := range args {
			args[i] = part[min(i, len(part)-1)]
		}
		if err := fn(strings.Repeat("?, ", size-1)+"?", args); err != nil {
			return err
		}
	}
	return nil
}

// insertMany runs head, rows of width placeholders, tail, in parts; fn gets the
// statement of each part. rows holds all arguments, row after row.
func insertMany(width int, args []any, fn func(values string, part []any) error) error {
	row := "(" + strings.Repeat("?, ", width-1) + "?)"
	for len(args) > 0 {
		size := 1
		for _, s := range []int{256, 32, 4} {
			if len(args) >= s*width {
				size = s
				break
			}
		}
		values := strings.Repeat(row+", ", size-1) + row
		if err := fn(values, args[:size*width]); err != nil {
			return err
		}
		args = args[size*width:]
	}
	return nil
}

// insert is insertMany for statements that return nothing.
func (t *tx) insert(ctx context.Context, doing, head, tail string, width int, args []any) error {
	return insertMany(width, args, func(values string, part []any) error {
		_, err := t.exec(ctx, doing, head+" VALUES "+values+" "+tail, part...)
		return err
	})
}

// stamp is a time for the database: microseconds, NULL for the zero time.
func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// moment scans what stamp wrote.
type moment struct{ t *time.Time }

func (m moment) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*m.t = time.Time{}
	case int64:
		*m.t = time.UnixMicro(v).UTC()
	default:
		return fmt.Errorf("a time is stored as %T", v)
	}
	return nil
}

// fixed scans 16 bytes into an id; NULL leaves it zero.
type fixed struct{ id *[16]byte }

func (f fixed) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*f.id = [16]byte{}
		return nil
	case []byte:
		if len(v) == 16 {
			copy(f.id[:], v)
			return nil
		}
	}
	return errors.New("an id is not stored as 16 bytes")
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// text makes shown text storable: valid UTF-8 without NUL.
func text(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}
