package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"revenant/fingerprints/store/postgrestest"
)

// TestPostgresFiles finds values in what pg_dump writes of a real server, in each of its formats,
// and in the files that the server keeps its tables in.
func TestPostgresFiles(t *testing.T) {
	t.Parallel()
	server := postgrestest.Start(t, postgrestest.Options{})
	place := server.Database(t)
	ctx := context.Background()
	c, err := pgx.Connect(ctx, place)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(ctx) }()
	do := func(statement string, args ...any) {
		t.Helper()
		if _, err := c.Exec(ctx, statement, args...); err != nil {
			t.Fatal(err)
		}
	}
	do("CREATE TABLE settings (id int, note text, value text)")
	for i := range 2000 {
		do("INSERT INTO settings VALUES ($1, $2, $3)", i, fmt.Sprintf("note %d of %x", i, i*i*7919), map[bool]string{true: generated(5)}[i == 1500])
	}
	do("SELECT lo_from_bytea(0, $1)", []byte(strings.Repeat("a large object\n", 900)+generated(6)))

	filler := func(n int) (s string) {
		for i := 0; len(s) < n; i++ {
			s += fmt.Sprintf(`{"item": %d, "id": "%x", "state": "active"}, `, i, i*i*7919)
		}
		return s[:n]
	}
	do("CREATE TABLE documents (id int, packed text, cut text, lz text COMPRESSION lz4, plain text)")
	do("ALTER TABLE documents ALTER COLUMN plain SET STORAGE EXTERNAL")
	do("INSERT INTO documents VALUES (1, $1, $2, $3, $4)", filler(5000)+generated(7)+filler(900), filler(90_000)+generated(8)+filler(90_000),
		filler(5000)+generated(9)+filler(900), filler(1980)+generated(10)+filler(5000))
	server.Admin(t, "CHECKPOINT")

	b := newBox(t)
	b.must(0, "", "init")
	for i, name := range []string{"app/packed", "app/cut", "app/lz", "app/plain"} {
		b.must(0, generated(uint64(7+i)), "secret", "add", name)
	}
	b.must(0, generated(5), "secret", "add", "app/row")
	b.must(0, generated(6), "secret", "add", "app/object")
	r := b.must(1, "", "dir", "--no-store", "-f", "json", filepath.Join(server.Dir(), "data", "base"))
	for _, name := range []string{"app/packed@1", "app/cut@1", "app/lz@1", "app/plain@1", "app/row@1", "app/object@1"} {
		if !strings.Contains(r.stdout, name) {
			t.Errorf("%s is not found where the server keeps it\n%s", name, r.stderr)
		}
	}
	for _, format := range []string{"-Fc", "-Fc -Z0", "-Fc -Z9", "-Ft", "-Fd", "-Fp"} {
		dir := filepath.Join(b.work, strings.ReplaceAll(format, " ", ""))
		b.write(filepath.Join(filepath.Base(dir), "README"), "a backup\n")
		args := append(strings.Fields(format), "-d", place, "-f", filepath.Join(dir, "db.dump"))
		if out, err := exec.CommandContext(ctx, postgrestest.Program(t, "pg_dump"), args...).CombinedOutput(); err != nil {
			t.Fatalf("pg_dump %s: %v: %s", format, err, out)
		}
		r = b.must(1, "", "dir", "--no-store", "-f", "json", dir)
		for _, name := range []string{"app/row@1", "app/object@1"} {
			if !strings.Contains(r.stdout, name) {
				t.Errorf("pg_dump %s: %s is not found in\n%s%s", format, name, r.stdout, r.stderr)
			}
		}
		if strings.Contains(r.stderr, "not searched") {
			t.Errorf("pg_dump %s: something was not searched:\n%s", format, r.stderr)
		}
	}
}
