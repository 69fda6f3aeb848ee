package sqlstore_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"revenant/fingerprints/store/sqlstore"
)

func TestStatementsAreKept(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "x.db")
	db, err := sqlstore.KeepingDB(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	kept := func() int {
		t.Helper()
		texts, bytes, err := sqlstore.Kept(ctx, db)
		if n := len(texts); err != nil || n > sqlstore.KeptStatements || bytes > sqlstore.KeptText || bytes != len(strings.Join(texts, "")) {
			t.Fatalf("%d statements of %d bytes are kept, %v", n, bytes, err)
		}
		return len(texts)
	}
	ask := func(query string) (n int) {
		t.Helper()
		st, err := db.PrepareContext(ctx, query)
		if err != nil {
			t.Fatal(err)
		}
		defer st.Close()
		if err := st.QueryRowContext(ctx).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if _, err := db.ExecContext(ctx, `CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (3)`); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if n := ask(`SELECT x FROM a`); n != 3 || kept() != 1 {
			t.Fatalf("read %d, and %d are kept", n, kept())
		}
	}

	// Another connection changes the table: what is kept is not of the old one.
	other, err := sqlstore.KeepingDB(path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := other.ExecContext(ctx, `DROP TABLE a; CREATE TABLE a (y TEXT, x INTEGER); INSERT INTO a VALUES ('y', 4)`); err != nil {
		t.Fatal(err)
	}
	if n := ask(`SELECT x FROM a`); n != 4 {
		t.Errorf("read %d of a table that was made anew", n)
	}

	// Two of one text at once are two statements.
	first, err := db.PrepareContext(ctx, `SELECT x FROM a`)
	if err != nil {
		t.Fatal(err)
	}
	second, err := db.PrepareContext(ctx, `SELECT x FROM a`)
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range []interface{ Close() error }{first, second, second} {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}
	if kept() != 1 {
		t.Errorf("%d are kept", kept())
	}

	for i := range 3 * sqlstore.KeptStatements {
		ask(`SELECT x FROM a`)
		if n := ask(fmt.Sprintf(`SELECT x + %d FROM a`, i)); n != 4+i {
			t.Fatalf("read %d at %d", n, i)
		}
		kept()
	}
	if kept() != sqlstore.KeptStatements {
		t.Errorf("%d are kept", kept())
	}
	if texts, _, _ := sqlstore.Kept(ctx, db); !slices.Contains(texts, `SELECT x FROM a`) || slices.Contains(texts, `SELECT x + 1 FROM a`) {
		t.Errorf("kept are not those that were used last: %q", texts)
	}
	for i := range 40 {
		ask(fmt.Sprintf(`SELECT x -- %0*d`+"\nFROM a", sqlstore.KeptText/20, i))
		kept()
	}
	ask(fmt.Sprintf(`SELECT x -- %0*d`+"\nFROM a", sqlstore.KeptText+1, 1))
	kept()
}
