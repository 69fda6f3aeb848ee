package sqlstore

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"os"
	"path/filepath"
	"strings"
	"time"

	"revenant/fingerprints/store"
)

// ErrNotEmpty is for a store that something was to be copied into.
var ErrNotEmpty = errors.New("the store is not empty: nothing is ever copied over another registry")

// ErrNotSame is for a copy that reads otherwise than its original; it was taken
// back.
var ErrNotSame = errors.New("the copy is not the same as the original")

// Copied is what a copy holds.
type Copied struct {
	Tables int   `json:"tables"`
	Rows   int64 `json:"rows"`
}

// Copy copies one consistent state of a store, row for row, into another one
// that is empty, and reads it back before it counts. It is one transaction: when
// it fails, or the process dies, the other store is as empty as before, and the
// copy can be begun again. The original is only read.
//
// It fails with ErrNotEmpty, or with ErrNotSame.
func Copy(ctx context.Context, from, to *Store) (Copied, error) {
	var done Copied
	err := from.run(ctx, from.read, from.viewing(), func(a store.Tx) error {
		return to.Update(ctx, func(b store.Tx) error {
			c := copying{ctx: ctx, from: a.(*tx), to: b.(*tx)}
			err := c.all()
			done = c.done
			return err
		})
	})
	if err != nil {
		return Copied{}, err
	}
	return done, nil
}

// CopyToFile is Copy to a file that is not there yet. The file gets its name
// when it is whole.
func CopyToFile(ctx context.Context, from *Store, path string) (done Copied, err error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return done, err
	}
	if _, err := os.Lstat(abs); err == nil {
		return done, fmt.Errorf("%s: %w", abs, ErrNotEmpty)
	}
	f := file{path: abs, opts: Options{LockTimeout: 5 * time.Second}}
	err = f.place(func(tmp string) error {
		if err := f.fill(ctx, tmp); err != nil {
			return f.store().explain(err)
		}
		to, err := Open(ctx, tmp, Options{})
		if err != nil {
			return err
		}
		done, err = Copy(ctx, from, to)
		return errors.Join(err, to.Close())
	}, fmt.Errorf("%s: %w", abs, ErrNotEmpty))
	return done, err
}

type copying struct {
	ctx      context.Context //nolint:containedctx // of one copy
	from, to *tx
	done     Copied
}

func (c *copying) all() error {
	for _, t := range tables() {
		empty, err := c.to.isEmpty(c.ctx, t)
		if err != nil {
			return err
		}
		if !empty {
			return fmt.Errorf("%s: %w", c.to.s.name, ErrNotEmpty)
		}
	}
	for _, t := range tables() {
		rows, sum, err := c.one(t)
		if err != nil {
			return err
		}
		again, same, err := c.to.digest(c.ctx, t)
		if err != nil {
			return err
		}
		if again != rows || !bytes.Equal(sum, same) {
			return fmt.Errorf("%s: %w: table %s", c.to.s.name, ErrNotSame, t.name)
		}
		c.done.Tables++
		c.done.Rows += rows
	}
	return nil
}

func (t *tx) isEmpty(ctx context.Context, of table) (bool, error) {
	empty := true
	err := t.each(ctx, "looking for rows", `SELECT 1 FROM `+of.name+` LIMIT 1`, nil, func(scanner) error {
		empty = false
		return nil
	})
	return empty, err
}

// one copies a table and returns the digest of what was read.
func (c *copying) one(of table) (rows int64, sum []byte, err error) {
	const batch = 256
	d := newDigest()
	width := len(of.names())
	args := make([]any, 0, batch*width)
	flush := func() error {
		err := c.to.insert(c.ctx, "copying", `INSERT INTO `+of.name+` (`+of.columns+`)`, "", width, args)
		args = args[:0]
		return err
	}
	err = c.from.rows(c.ctx, of, func(row []any) error {
		d.add(row)
		args = append(args, row...)
		if len(args) == batch*width {
			return flush()
		}
		return nil
	})
	if err == nil {
		err = flush()
	}
	return d.rows, d.sum.Sum(nil), err
}

func (t *tx) digest(ctx context.Context, of table) (rows int64, sum []byte, err error) {
	d := newDigest()
	err = t.rows(ctx, of, func(row []any) error {
		d.add(row)
		return nil
	})
	return d.rows, d.sum.Sum(nil), err
}

// rows hands out every row of a table in the order of its key. The slice is the
// caller's until the next row.
func (t *tx) rows(ctx context.Context, of table, fn func([]any) error) error {
	row := make([]any, len(of.names()))
	dst := make([]any, len(row))
	for i := range row {
		dst[i] = &row[i]
	}
	return t.each(ctx, "reading "+of.name, `SELECT `+of.columns+` FROM `+of.name+` ORDER BY `+of.key, nil, func(scan scanner) error {
		if err := scan(dst...); err != nil {
			return err
		}
		for i, v := range row {
			switch v := v.(type) {
			case string:
				row[i] = text(v) // as every database can hold it
			case []byte:
				row[i] = blob(v)
			}
		}
		return fn(row)
	})
}

// digest is a hash over rows: each value with its kind and its length.
type digest struct {
	sum  hash.Hash
	rows int64
}

func newDigest() *digest { return &digest{sum: sha256.New()} }

func (d *digest) add(row []any) {
	d.rows++
	for _, v := range row {
		var b [9]byte
		switch v := v.(type) {
		case nil:
			d.sum.Write(b[:1])
		case int64:
			b[0] = 1
			binary.BigEndian.PutUint64(b[1:], uint64(v))
			d.sum.Write(b[:])
		case string:
			b[0] = 2
			binary.BigEndian.PutUint64(b[1:], uint64(len(v)))
			d.sum.Write(b[:])
			d.sum.Write([]byte(v))
		case []byte:
			b[0] = 3
			binary.BigEndian.PutUint64(b[1:], uint64(len(v)))
			d.sum.Write(b[:])
			d.sum.Write(v)
		default: // no column has it; it must not pass as the same
			b[0] = 4
			binary.BigEndian.PutUint64(b[1:], uint64(d.rows))
			d.sum.Write(b[:])
		}
	}
}

func (t table) names() []string { return strings.Split(t.columns, ", ") }
