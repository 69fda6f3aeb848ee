package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
)

// SQLite takes longer to prepare a statement that tells verdicts than to run it: 7 of
// the 10 ms of a page. So each connection keeps those that it prepared; PostgreSQL's
// driver does so by itself.

// keptStatements and keptText are how many statements a connection keeps, and of how
// many bytes of text: what one holds in memory grows with its text.
const (
	keptStatements = 64
	keptText       = 192 << 10
)

// keepingDB opens a database whose connections keep their statements.
func keepingDB(name string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", name)
	if err != nil {
		return nil, err
	}
	defer db.Close() // it never connected: it knows the driver
	return sql.OpenDB(keeping{driver: db.Driver(), name: name}), nil
}

// keeping makes connections that keep statements.
type keeping struct {
	driver driver.Driver
	name   string
}

func (k keeping) Driver() driver.Driver { return k.driver }

func (k keeping) Connect(context.Context) (driver.Conn, error) {
	c, err := k.driver.Open(k.name)
	if err != nil {
		return nil, err
	}
	return &keepingConn{sqliteConn: c.(sqliteConn), kept: map[string]*kept{}}, nil //nolint:forcetypeassert // of the driver that is pinned
}

// sqliteConn is what the driver's connections can do and package sql asks for.
type sqliteConn interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ConnBeginTx
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// keepingConn is a connection with its statements. Package sql sees to it that one
// goroutine at a time uses it.
type keepingConn struct {
	sqliteConn
	kept  map[string]*kept
	text  int // bytes
	clock uint64
}

// kept is a statement that nobody uses, and when it was used.
type kept struct {
	stmt sqliteStmt
	used uint64
}

type sqliteStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// PrepareContext takes a kept statement, or prepares one.
func (c *keepingConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	if k := c.kept[query]; k != nil {
		c.forget(query)
		return &keptStmt{sqliteStmt: k.stmt, conn: c, query: query}, nil
	}
	st, err := c.sqliteConn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	return &keptStmt{sqliteStmt: st.(sqliteStmt), conn: c, query: query}, nil //nolint:forcetypeassert // of the driver that is pinned
}

// Close closes what is kept, and the connection.
func (c *keepingConn) Close() error {
	for query, k := range c.kept {
		c.forget(query)
		_ = k.stmt.Close()
	}
	return c.sqliteConn.Close()
}

func (c *keepingConn) forget(query string) {
	delete(c.kept, query)
	c.text -= len(query)
}

// keep keeps a statement, or closes it where there is another of its text, and
// closes those that were not used for longest where there are too many.
func (c *keepingConn) keep(query string, st sqliteStmt) error {
	if c.kept[query] != nil || len(query) > keptText {
		return st.Close()
	}
	c.clock++
	c.kept[query] = &kept{stmt: st, used: c.clock}
	c.text += len(query)
	var err error
	for len(c.kept) > keptStatements || c.text > keptText {
		oldest := ""
		for q, k := range c.kept {
			if oldest == "" || k.used < c.kept[oldest].used {
				oldest = q
			}
		}
		st := c.kept[oldest].stmt
		c.forget(oldest)
		err = st.Close()
	}
	return err
}

// keptStmt goes back to its connection when it is closed.
type keptStmt struct {
	sqliteStmt
	conn  *keepingConn
	query string
}

func (s *keptStmt) Close() error {
	if s.sqliteStmt == nil {
		return nil
	}
	st := s.sqliteStmt
	s.sqliteStmt = nil
	return s.conn.keep(s.query, st)
}
