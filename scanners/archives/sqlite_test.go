package archives_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	"revenant/scanners/archives"
)

// statements runs SQL and returns the database's file, and of others beside it
// that which has the suffix.
func statements(t testing.TB, suffix string, run ...string) []byte {
	t.Helper()
	name := filepath.Join(t.TempDir(), "x.db")
	db, err := sql.Open("sqlite", name)
	must(t, err)
	db.SetMaxOpenConns(1)
	defer func() { must(t, db.Close()) }()
	for _, s := range run {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%.60s: %v", s, err)
		}
	}
	if suffix == "" {
		return fileAfterClose(t, db, name)
	}
	data, err := os.ReadFile(name + suffix)
	must(t, err)
	return data
}

func fileAfterClose(t testing.TB, db *sql.DB, name string) []byte {
	t.Helper()
	must(t, db.Close())
	data, err := os.ReadFile(name)
	must(t, err)
	return data
}

// A value is found in whatever a database makes of it, where the bytes of the
// file show it in pieces too.
func TestSQLite(t *testing.T) {
	look := canary(11)
	long := func(n int) string { return strings.Repeat("filling ", n/8) + look + strings.Repeat(" more", 400) }
	half := look[:20] + "' || '" + look[20:]
	many := "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<3000) INSERT INTO t SELECT i, 'name-' || i, hex(randomblob(20)) FROM n"
	for _, c := range []struct {
		name string
		run  []string
		want string // path of the content where it is found
	}{
		{"one row", []string{"CREATE TABLE t(a,b)", "INSERT INTO t VALUES(1,'x " + look + "')"}, "item!t"},
		{"number", []string{"CREATE TABLE t(a,b)", "INSERT INTO t VALUES(1,'" + look + "')"}, "item!t"},
		{"UTF-16le", []string{"PRAGMA encoding='UTF-16le'", "CREATE TABLE t(a,b)", "INSERT INTO t VALUES(1,'é𝄞 " + look + "')"}, "item!t"},
		{"UTF-16be", []string{"PRAGMA encoding='UTF-16be'", "CREATE TABLE t(a,b)", "INSERT INTO t VALUES(1,'é𝄞 " + long(9000) + "')"}, "item!t"},
		{"WITHOUT ROWID", []string{"CREATE TABLE t(a TEXT, b TEXT, PRIMARY KEY(b)) WITHOUT ROWID", "INSERT INTO t VALUES('" + long(7000) + "','k')"}, "item!t"},
		{"large tree", []string{"CREATE TABLE t(a INTEGER PRIMARY KEY,b,c)", many, "UPDATE t SET c='" + look + "' WHERE a=1777"}, "item!t"},
		{"large tree without rowid", []string{"CREATE TABLE t(a,b,c, PRIMARY KEY(b,a)) WITHOUT ROWID", many, "UPDATE t SET c='" + look + "' WHERE a=1777"}, "item!t"},
		{"index of an expression", []string{"CREATE TABLE t(a,b)", "CREATE INDEX i ON t(a || b)", "INSERT INTO t VALUES('" + look[:20] + "','" + look[20:] + "')"}, "item!i"},
		{"blob", []string{"CREATE TABLE t(a,b)", "INSERT INTO t VALUES(1, CAST('" + long(70000) + "' AS BLOB))"}, "item!t"},
		{"packed blob", []string{"CREATE TABLE t(a,b)", fmt.Sprintf("INSERT INTO t VALUES(7, x'%x')", gzipped(t, append(noise(1, 9000), look...)))}, "item!t!1.b!content"},
		{"in the schema", []string{"CREATE TABLE t(a, b DEFAULT '" + long(5000) + "')"}, "item!sqlite_schema"},
		{"vacuumed", []string{"CREATE TABLE t(a,b,c)", many, "DELETE FROM t WHERE a<2000", "INSERT INTO t VALUES(1,2,'" + long(5000) + "')", "VACUUM"}, "item!t"},
		{"auto-vacuum", []string{"PRAGMA auto_vacuum=1", "CREATE TABLE t(a,b,c)", many, "INSERT INTO t VALUES(1,2,'" + long(50000) + "')"}, "item!t"},
		{"dropped", []string{"CREATE TABLE t(a,b,c)", many, many, many, "INSERT INTO t VALUES(1,2,'x " + look + "')", many, many, "DROP TABLE t"}, "item!unused pages"},
		{"quoted names", []string{`CREATE TABLE "a!b"("x,y" TEXT, [p (q] TEXT, 'z''' BLOB, CHECK (length("x,y") > 0))`, `INSERT INTO "a!b" VALUES('1','2','` + half + "')"}, "item!a!b"},
	} {
		for _, size := range []int{512, 1024, 4096, 65536} {
			t.Run(fmt.Sprint(c.name, " ", size), func(t *testing.T) {
				data := statements(t, "", append([]string{fmt.Sprint("PRAGMA page_size=", size), "PRAGMA secure_delete=0"}, c.run...)...)
				s := expand(t, archives.DefaultLimits(), data, look)
				if !slices.Contains(s.found, c.want) || len(s.skips) > 0 {
					t.Errorf("found in %q of %q, skips %v", s.found, s.paths, s.skips)
				}
				for _, f := range s.found {
					if f == "item" && !s.packed["item"] {
						t.Errorf("told twice: %q", s.found)
					}
				}
			})
		}
	}
}

// text is what a view shows.
type text struct {
	seen
	want string
	got  []byte
}

func (x *text) Content(ctx context.Context, c archives.Content, r io.Reader) error {
	if c.Path != x.want {
		return x.seen.Content(ctx, c, r)
	}
	var err error
	x.got, err = io.ReadAll(r)
	return err
}

func shown(t *testing.T, data []byte, path string) string {
	t.Helper()
	x := &text{seen: seen{skips: map[string]string{}, packed: map[string]bool{}}, want: path}
	must(t, (&archives.Expander{Limits: archives.DefaultLimits()}).Expand(t.Context(), bytes.NewReader(data), "item", x))
	return string(x.got)
}

// What a row looks like: a value stands beside its column's name and the name
// that stands before it in the row.
func TestSQLiteRows(t *testing.T) {
	data := statements(t, "",
		"CREATE TABLE settings(name TEXT PRIMARY KEY, note, value TEXT, n INT, f REAL, empty TEXT) WITHOUT ROWID",
		"INSERT INTO settings VALUES('aws.secret', NULL, 'one \"two\"', 123456789012, 2.5, '')",
		"CREATE TABLE u(id INTEGER PRIMARY KEY, d TEXT GENERATED ALWAYS AS (id || 'x') VIRTUAL, user TEXT, pin INT, api_key BLOB)",
		"INSERT INTO u(user,pin,api_key) VALUES('bob', 4711, x'616263'), ('some words', -8388608, 'k')",
	)
	want := "name=\"aws.secret\"\naws.secret.value=\"one \"two\"\"\naws.secret.n=\"123456789012\"\naws.secret.f=\"2.5\"\n"
	if got := shown(t, data, "item!settings"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	want = "user=\"bob\"\nbob.api_key=\"abc\"\nuser=\"some words\"\npin=\"-8388608\"\napi_key=\"k\"\n"
	if got := shown(t, data, "item!u"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// What a table shows is not told again as the file's bytes, and nothing else is
// left out there.
func TestSQLiteTold(t *testing.T) {
	look := canary(12)
	data := statements(t, "", "PRAGMA secure_delete=0", "CREATE TABLE t(a,b)", "CREATE INDEX i ON t(b)", "INSERT INTO t VALUES('aa','"+look+"')", "INSERT INTO t VALUES('cc','dd')")
	s := expand(t, archives.DefaultLimits(), data, look)
	if !slices.Equal(s.found[:1], []string{"item!t"}) || !slices.Contains(s.covered, "item") {
		t.Errorf("found in %q, covered in %q", s.found, s.covered)
	}
	deleted := statements(t, "", "PRAGMA secure_delete=0", "CREATE TABLE t(a,b)", "INSERT INTO t VALUES('aa','"+look+"')", "INSERT INTO t VALUES('cc','dd')", "DELETE FROM t WHERE a='aa'")
	s = expand(t, archives.DefaultLimits(), deleted, look)
	if !slices.Equal(s.found, []string{"item"}) {
		t.Errorf("deleted: found in %q, covered in %q", s.found, s.covered)
	}
}

// Logs are read by themselves: what is not in the database yet, and what was in
// it before.
func TestSQLiteLogs(t *testing.T) {
	look := canary(13)
	value := strings.Repeat("filling ", 1500) + look + strings.Repeat(" more", 900)
	for _, size := range []int{512, 4096, 65536} {
		set := []string{fmt.Sprint("PRAGMA page_size=", size)}
		set = append(set, "PRAGMA journal_mode=WAL", "PRAGMA wal_autocheckpoint=0", "CREATE TABLE t(a,b)")
		set = slices.Clip(set)
		last := expand(t, archives.DefaultLimits(), statements(t, "-wal", append(set, "INSERT INTO t VALUES('k','"+value+"')")...), look)
		if !slices.Contains(last.found, "item!pages") {
			t.Errorf("%d: the last transaction: found in %q, skips %v", size, last.found, last.skips)
		}
		wal := statements(t, "-wal", append(set,
			"INSERT INTO t VALUES('k','"+value+"')", "INSERT INTO t VALUES('l','other')", "UPDATE t SET b='gone' WHERE a='k'")...)
		s := expand(t, archives.DefaultLimits(), wal, look)
		if !slices.Contains(s.found, "item!pages") || len(s.skips) > 0 {
			t.Errorf("%d: log: found in %q of %q, skips %v", size, s.found, s.paths, s.skips)
		}
		if n := strings.Count(shown(t, wal, "item!pages"), "other"); n != 1 {
			t.Errorf("%d: a record of a page that was written twice is shown %d times", size, n)
		}
		for _, how := range []string{"PRAGMA synchronous=OFF", "PRAGMA synchronous=FULL"} {
			journal := statements(t, "-journal", append([]string{set[0], how}, "PRAGMA journal_mode=TRUNCATE", "PRAGMA secure_delete=1", "CREATE TABLE t(a,b)",
				"INSERT INTO t VALUES('k','"+value+"')", "BEGIN", "DELETE FROM t")...)
			s = expand(t, archives.DefaultLimits(), journal, look)
			if !slices.Contains(s.found, "item!pages") || len(s.skips) > 0 {
				t.Errorf("%d: %s: journal of %d: found in %q of %q, skips %v", size, how, len(journal), s.found, s.paths, s.skips)
			}
		}
	}
}

// Whatever a file says of itself, each page is read a few times at most, and a
// canary beside the damage is found.
func TestSQLiteHostile(t *testing.T) {
	look := canary(14)
	good := statements(t, "", "PRAGMA page_size=512", "CREATE TABLE t(a,b)", "INSERT INTO t VALUES('k','"+strings.Repeat("filling ", 700)+"')",
		"INSERT INTO t VALUES('l','"+look+"')", "CREATE TABLE z(a)", "INSERT INTO z VALUES('x "+look+"')")
	be := binary.BigEndian
	for name, damage := range map[string]func([]byte){
		"chains loop":        func(b []byte) { eachPage(b, func(_ int, p []byte) { loopChains(p, 3) }) },
		"a page is a child":  func(b []byte) { eachPage(b, func(i int, p []byte) { childless(p, i) }) },
		"all cells are one":  func(b []byte) { eachPage(b, sameCells) },
		"many cells":         func(b []byte) { eachPage(b, func(i int, p []byte) { be.PutUint16(p[header(i)+3:], 0xffff) }) },
		"lying page size":    func(b []byte) { be.PutUint16(b[16:], 1) },
		"no page size":       func(b []byte) { be.PutUint16(b[16:], 77) },
		"all is reserved":    func(b []byte) { b[20] = 255 },
		"an odd encoding":    func(b []byte) { be.PutUint32(b[56:], 9) },
		"the schema is gone": func(b []byte) { clear(b[100:512]) },
	} {
		data := slices.Clone(good)
		damage(data)
		s := expand(t, small(), data, look)
		if len(s.found) == 0 {
			t.Errorf("%s: found in %q, skips %v", name, s.found, s.skips)
		}
		if s.bytes > 8*int64(len(data)) {
			t.Errorf("%s: %d bytes out of %d", name, s.bytes, len(data))
		}
	}
	for n := 0; n < len(good); n += 97 {
		expand(t, small(), good[:n], look)
	}
}

func eachPage(b []byte, do func(i int, page []byte)) {
	for i := 0; (i+1)*512 <= len(b); i++ {
		do(i, b[i*512:][:512])
	}
}

func header(i int) int {
	if i == 0 {
		return 100
	}
	return 0
}

func loopChains(p []byte, to uint32) {
	if p[0] == 0 {
		binary.BigEndian.PutUint32(p, to)
	}
}

func childless(p []byte, i int) {
	if p[0] == 0x0d && i > 0 {
		p[0] = 5
		binary.BigEndian.PutUint32(p[8:], uint32(i+1))
	}
}

func sameCells(i int, p []byte) {
	h := header(i)
	if p[h] != 0x0d {
		return
	}
	first := bytes.Clone(p[h+8 : h+10])
	n := 60
	binary.BigEndian.PutUint16(p[h+3:], uint16(n))
	for k := range n {
		copy(p[h+8+2*k:], first)
	}
}

func FuzzSQLite(f *testing.F) {
	look := canary(15)
	f.Add(statements(f, "", "PRAGMA page_size=512", "CREATE TABLE t(a,b)", "CREATE INDEX i ON t(b)", "INSERT INTO t VALUES('k','"+strings.Repeat("filling ", 300)+look+"')"))
	f.Add(statements(f, "", "PRAGMA page_size=512", "PRAGMA encoding='UTF-16le'", "CREATE TABLE t(a PRIMARY KEY,b) WITHOUT ROWID", "INSERT INTO t VALUES('k','"+look+"')"))
	f.Add(statements(f, "-wal", "PRAGMA page_size=512", "PRAGMA journal_mode=WAL", "CREATE TABLE t(a,b)", "INSERT INTO t VALUES('k','"+look+"')"))
	f.Add(statements(f, "-journal", "PRAGMA page_size=512", "PRAGMA journal_mode=TRUNCATE", "CREATE TABLE t(a,b)", "INSERT INTO t VALUES('k','"+look+"')", "BEGIN", "DELETE FROM t"))
	l := small()
	l.Bytes, l.Entries = 1<<20, 100
	f.Fuzz(func(t *testing.T, data []byte) {
		s := expand(t, l, data, "")
		if s.bytes > l.Bytes+3*int64(len(data))*int64(l.Depth+1) || s.contents > l.Entries+1 {
			t.Errorf("%d bytes in %d contents out of %d", s.bytes, s.contents, len(data))
		}
	})
}
