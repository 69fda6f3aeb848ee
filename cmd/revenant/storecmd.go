package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"revenant/fingerprints/keys"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
	"revenant/fingerprints/store/sqlstore"
)

func (a *app) storeCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "store", GroupID: "care",
		Short: "Look after the registry's database: schema, backup, restore, copy",
		Long: `The registry is the file registry.db in REVENANT_HOME, or the PostgreSQL
database that REVENANT_STORE names. Keys stay in REVENANT_HOME either way.`,
	}
	return group(c, a.storeMigrate(), a.storeBackup(), a.storeRestore(), a.storeCopy())
}

func (a *app) storeMigrate() *cobra.Command {
	return &cobra.Command{
		Use: "migrate", Short: "Bring the database's schema up to date",
		Long: `Every command that writes does so by itself. This is for a role that may change
tables, where the one that works every day may not.`,
		Example: "  revenant store migrate", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withRegistry(c.Context(), func(_ context.Context, s *session) error {
				was, is := s.db.Schema()
				if a.asJSON {
					return a.printJSON(map[string]any{"store": s.db.Name(), "was": was, "schema": is})
				}
				text := fmt.Sprintf("%s: schema %d, nothing to do\n", s.db.Name(), is)
				if was != is {
					text = fmt.Sprintf("%s: schema %d, it was %d\n", s.db.Name(), is, was)
				}
				return writeAll(a.stdout, text)
			})
		},
	}
}

func (a *app) storeBackup() *cobra.Command {
	var out string
	c := &cobra.Command{
		Use: "backup --out FILE", Short: "Write the whole registry to one file, while others use it",
		Long: `Writes one consistent state, of whichever database, as a file like registry.db.
It is read back, and its audit chain verified. The keys are not in it: see
'revenant key backup'.`,
		Example: "  revenant store backup --out registry-backup.db", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if out == "" {
				return usagef("say where to: --out FILE")
			}
			if err := freeFile("--out", out); err != nil {
				return err
			}
			return a.carryRegistry(c.Context(), out)
		},
	}
	c.Flags().StringVar(&out, "out", "", "file to write; it must not be there yet")
	return c
}

func (a *app) storeCopy() *cobra.Command {
	var to string
	c := &cobra.Command{
		Use: "copy --to PLACE", Short: "Copy the whole registry into another, empty database",
		Long: `Copies row for row into a PostgreSQL database or a new file, reads the copy back
and verifies its audit chain. The registry in use is only read, and stays the
one in use until REVENANT_STORE says otherwise. A copy that was stopped leaves
nothing: begin it again. Let nobody write meanwhile: what is written after the
copy began is not in it.

A database is postgres://USER@HOST/DATABASE?sslmode=verify-full; make it before,
empty and owned by the user. Other users of the machine may see what a command
was called with: a password is better in PGPASSWORD or PGPASSFILE than in the
URL.`,
		Example: "  revenant store copy --to moved.db",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if to == "" {
				return usagef("say where to: --to PLACE")
			}
			if !sqlstore.IsURL(to) {
				if err := freeFile("--to", to); err != nil {
					return err
				}
			}
			return a.carryRegistry(c.Context(), to)
		},
	}
	c.Flags().StringVar(&to, "to", "", "URL of a database, or a file that is not there yet")
	return c
}

// carryRegistry copies the registry in use to a place.
func (a *app) carryRegistry(ctx context.Context, place string) error {
	return a.withRegistry(ctx, func(ctx context.Context, s *session) error { return a.carry(ctx, s.dir, s.ring, s.db, place) })
}

func (a *app) storeRestore() *cobra.Command {
	return &cobra.Command{
		Use: "restore FILE", Short: "Bring the registry back from a backup",
		Long: `Puts a backup into REVENANT_HOME, or into the database of REVENANT_STORE.
Another registry that is there is never replaced. The key ring must be there
first, and be the one of the backup: see 'revenant key restore'.`,
		Example: "  revenant store restore registry-backup.db",
		Args:    argCount(1, 1, "one FILE"),
		RunE: func(c *cobra.Command, args []string) error {
			dir, err := a.homeDir()
			if err != nil {
				return err
			}
			ring, err := a.keyHome(dir).Load()
			if err != nil {
				return err
			}
			place, err := a.storePlace(dir)
			if err != nil {
				return err
			}
			if !sqlstore.IsURL(place) && exists(place) {
				return usagef("%s: %w; move registry.db away first", dir, sqlstore.ErrNotEmpty)
			}
			return a.restore(c.Context(), dir, ring, args[0], place)
		},
	}
}

// restore works on a copy of the backup: opening one of an older version brings
// its schema up to date, and the backup is to stay as it is.
func (a *app) restore(ctx context.Context, dir string, ring *keys.Ring, file, place string) (err error) {
	tmp, err := os.MkdirTemp(dir, ".restore-*")
	if err != nil {
		return folderError("REVENANT_HOME", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	if info, err := os.Stat(file + "-wal"); err == nil && info.Size() > 0 {
		return usagef("FILE is in use, or was not closed: make a backup of it with 'revenant store backup'")
	}
	copied := filepath.Join(tmp, "backup.db")
	if err := copyFile("FILE", file, copied); err != nil {
		return err
	}
	from, err := sqlstore.Open(ctx, copied, sqlstore.Options{})
	if err != nil {
		return fmt.Errorf("FILE: %w", err)
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	if _, err := a.verified(ctx, dir, ring, from); err != nil {
		return fmt.Errorf("FILE: %w", err)
	}
	if err := a.carry(ctx, dir, ring, from, place); err != nil {
		return err
	}
	a.note("what was recorded after the backup is not there: scan again what was scanned since")
	return nil
}

// freeFile refuses a file that is there, and a folder that is not.
func freeFile(what, file string) error {
	if exists(file) {
		return usagef("%s: %w", what, sqlstore.ErrNotEmpty)
	}
	info, err := os.Stat(filepath.Dir(file))
	if err == nil && !info.IsDir() {
		return usagef("%s: what should be its folder is a file", what)
	}
	if err != nil {
		return folderError(what, err)
	}
	return nil
}

func copyFile(what, from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return fileError(what, err)
	}
	defer func() { _ = in.Close() }()
	if info, err := in.Stat(); err == nil && !info.Mode().IsRegular() {
		return usagef("%s is not a file", what)
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fileError("REVENANT_HOME", err)
	}
	_, err = io.Copy(out, in)
	if err = errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("%s: copying it into REVENANT_HOME: %w", what, bare(err))
	}
	return nil
}

// carry copies a store to a place where there is none, verifies what is there
// then, and says so.
func (a *app) carry(ctx context.Context, dir string, ring *keys.Ring, from *sqlstore.Store, place string) error {
	done, to, err := copyTo(ctx, from, place)
	if err != nil {
		return err
	}
	report, err := a.verified(ctx, dir, ring, to)
	if err = errors.Join(err, to.Close()); err != nil {
		return err
	}
	if a.asJSON {
		return a.printJSON(struct {
			sqlstore.Copied
			From  string               `json:"from"`
			To    string               `json:"to"`
			Audit registry.AuditReport `json:"audit"`
		}{done, from.Name(), to.Name(), report})
	}
	return writeAll(a.stdout, fmt.Sprintf("%s: %d rows of %d tables, read back; the audit chain holds: %s\n",
		to.Name(), done.Rows, done.Tables, plural(int(report.Records), "record", "records")))
}

func copyTo(ctx context.Context, from *sqlstore.Store, place string) (sqlstore.Copied, *sqlstore.Store, error) {
	if !sqlstore.IsURL(place) {
		done, err := sqlstore.CopyToFile(ctx, from, place)
		if err != nil {
			return done, nil, err
		}
		to, err := sqlstore.Open(ctx, place, sqlstore.Options{})
		return done, to, err
	}
	to, err := sqlstore.Open(ctx, place, sqlstore.Options{Access: sqlstore.CreateIfMissing})
	if err != nil {
		return sqlstore.Copied{}, nil, err
	}
	done, err := sqlstore.Copy(ctx, from, to)
	if err != nil {
		return done, nil, errors.Join(err, to.Close())
	}
	return done, to, nil
}

// verified reads a store's audit chain with the ring that it must belong to.
func (a *app) verified(ctx context.Context, dir string, ring *keys.Ring, st *sqlstore.Store) (registry.AuditReport, error) {
	s, err := a.newSession(dir, ring, st)
	if err != nil {
		return registry.AuditReport{}, err
	}
	if err := s.reg.Check(ctx); err != nil {
		return registry.AuditReport{}, err
	}
	return s.reg.VerifyAudit(ctx, s.actor, nil)
}

// hasMeta reports whether a registry was begun in a store.
func hasMeta(ctx context.Context, st *sqlstore.Store) (bool, error) {
	err := st.View(ctx, func(tx store.Tx) error {
		_, err := tx.Meta(ctx)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
