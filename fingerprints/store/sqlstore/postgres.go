package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"revenant/fingerprints/store"
)

// IsURL reports whether a place is the URL of a PostgreSQL database, and not the
// path of a file.
func IsURL(place string) bool {
	return strings.HasPrefix(place, "postgres://") || strings.HasPrefix(place, "postgresql://")
}

// server is a PostgreSQL database before it is opened.
type server struct {
	name   string
	config *pgx.ConnConfig
	opts   Options
}

// openPostgres opens the store in a database. Everything that libpq's URLs say
// counts, TLS above all (sslmode, sslrootcert, sslcert, sslkey), and so do
// PGPASSWORD and PGPASSFILE.
func openPostgres(ctx context.Context, place string, opts Options) (*Store, error) {
	config, err := parseURL(place)
	if err != nil {
		return nil, err
	}
	if opts.LockTimeout <= 0 {
		opts.LockTimeout = 30 * time.Second
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 10 * time.Second
	}
	p := server{name: nameOf(config), config: config, opts: opts}
	s := p.connect()
	if err := p.prepare(ctx, s); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// parseURL never repeats the URL, nor what is wrong inside it where that may be
// a piece of the password.
func parseURL(place string) (*pgx.ConnConfig, error) {
	u, err := url.Parse(place)
	if err != nil {
		return nil, errors.New("the store's URL cannot be read: it is postgres://USER@HOST:PORT/DATABASE, and a password in it has %3A for :, %2F for /, %40 for @, %25 for %")
	}
	config, err := pgx.ParseConfig(place)
	if err == nil {
		return config, nil
	}
	const hint = "see its sslmode, sslrootcert, sslcert, sslkey, port and other parameters"
	detail := err.Error()
	if inner := errors.Unwrap(err); inner != nil {
		detail = inner.Error()
	}
	password, _ := u.User.Password()
	for _, secret := range slices.Concat(u.Query()["password"], u.Query()["sslpassword"], []string{password}) {
		if secret != "" && (strings.Contains(detail, secret) || strings.Contains(detail, url.QueryEscape(secret))) {
			return nil, errors.New("the store's URL is not valid: " + hint)
		}
	}
	if strings.Contains(detail, "://") {
		return nil, errors.New("the store's URL is not valid: " + hint)
	}
	return nil, fmt.Errorf("the store's URL is not valid: %s; %s", detail, hint)
}

// nameOf is how errors call a database.
func nameOf(c *pgx.ConnConfig) string {
	u := url.URL{Scheme: "postgres", Path: "/" + c.Database, User: url.User(c.User)}
	if strings.HasPrefix(c.Host, "/") { // the folder of a socket
		u.RawQuery = url.Values{"host": {c.Host}, "port": {strconv.Itoa(int(c.Port))}}.Encode()
	} else {
		u.Host = net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port)))
	}
	return u.String()
}

// connect opens the pools: one connection that writes, several that read. It
// reaches nothing yet.
func (p server) connect() *Store {
	s := &Store{name: p.name, access: p.opts.Access, engine: postgresEngine{}}
	s.read = p.pool(max(4, runtime.GOMAXPROCS(0)))
	if p.opts.Access != ReadOnly {
		s.write = p.pool(1)
	}
	return s
}

func (p server) pool(size int) *sql.DB {
	db := stdlib.OpenDB(*p.config, stdlib.OptionAfterConnect(p.greet))
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	db.SetConnMaxIdleTime(5 * time.Minute)
	return db
}

// greet sets what every connection needs: a bound on waiting; no compiler, whose
// start takes longer than our queries; joins by the indexes, which were made for
// them, since a guess without statistics reads a table for every finding; a commit that is on the disk, also where
// the server's default is another; signs of life, so that a client that lost its
// power does not keep the lock for hours.
func (p server) greet(ctx context.Context, c *pgx.Conn) error {
	_, err := c.PgConn().Exec(ctx, `SET lock_timeout = `+strconv.FormatInt(p.opts.LockTimeout.Milliseconds(), 10)+`;
		SET jit = off; SET enable_hashjoin = off; SET enable_mergejoin = off;
		SET tcp_keepalives_idle = 60; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3;
		SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'`).ReadAll()
	return err
}

// prepare looks at what the database is, makes the schema where there is none
// and it may, and brings an older one up to date.
func (p server) prepare(ctx context.Context, s *Store) error {
	var encoding string
	var schema sql.NullString
	err := s.read.QueryRowContext(ctx, `SELECT current_setting('server_encoding'), current_schema()`).Scan(&encoding, &schema)
	if err != nil {
		return s.ended(ctx, fmt.Errorf("connecting: %w", err))
	}
	if encoding != "UTF8" {
		return fmt.Errorf("%s: %w: its encoding is %s; make one with CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0", p.name, store.ErrNotAStore, encoding)
	}
	if !schema.Valid {
		return fmt.Errorf("%s: %w: the schema that search_path names is not there; make it with CREATE SCHEMA, or leave search_path out of the URL", p.name, store.ErrNotAStore)
	}
	ours, err := s.isStore(ctx)
	if err != nil {
		return err
	}
	if !ours {
		if p.opts.Access != CreateIfMissing {
			return fmt.Errorf("%s: %w: there is no store yet; create one with revenant init", p.name, fs.ErrNotExist)
		}
		if err := s.makeSchema(ctx); err != nil {
			return err
		}
	}
	if err := s.upgrade(ctx); err != nil {
		return err
	}
	if !ours {
		s.was = 0
	}
	return nil
}

// isStore reports whether the schema has our count of migrations, whose name is
// nobody else's.
func (s *Store) isStore(ctx context.Context) (ours bool, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT to_regclass(quote_ident(current_schema()) || '.`+s.engine.schema().table+`') IS NOT NULL`).Scan(&ours)
	if err != nil {
		return false, s.ended(ctx, fmt.Errorf("looking for the store: %w", err))
	}
	return ours, nil
}

// makeSchema fills an empty schema and leaves one that holds anything else
// alone. Of several processes that do it at a time one makes it.
func (s *Store) makeSchema(ctx context.Context) error {
	unlock, err := s.engine.lockUpgrade(ctx, s)
	if err != nil {
		return err
	}
	defer unlock()
	ours, err := s.isStore(ctx)
	if err != nil || ours {
		return err
	}
	var others int
	err = s.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM pg_catalog.pg_class
		WHERE relnamespace = quote_ident(current_schema())::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f')`).Scan(&others)
	if err != nil {
		return s.ended(ctx, fmt.Errorf("looking for other tables: %w", err))
	}
	if others > 0 {
		return fmt.Errorf("%s: %w: it holds %d tables of something else; name an empty database, or an empty schema with ?search_path=NAME", s.name, store.ErrNotAStore, others)
	}
	return s.migrate(ctx)
}
