// Package postgrestest starts PostgreSQL servers for tests: the real one, from
// the system's packages, in a folder of its own that goes when the test ends.
//
// It promises that a server ends with its test, also when the test's process is
// killed; that every database and schema is empty and owned by a role without
// further rights; and that its language orders text otherwise than by bytes. A test that
// asks for a server where PostgreSQL is not installed fails. As root the server
// runs as the user postgres.
package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Role is the role that owns the databases.
const Role = "revenant_app"

// Options of Start; the zero value is a quick server that may lose everything
// with the machine, not with a process.
type Options struct {
	// Durable: what is committed is on the disk.
	Durable bool
	// Listen also on the loopback's TCP, for the password alone and, where
	// Certificate and Key name files, with TLS. Otherwise a socket is all.
	Listen           bool
	Certificate, Key string
	// Password of the role; it is asked for on TCP alone.
	Password string
}

// Server is a running server. Its methods are for one goroutine, but Schema and
// Database, which are for any.
type Server struct {
	o     Options
	dir   string // of the data, the socket and the log
	port  int
	run   *exec.Cmd
	hold  io.Closer // the server ends when this is closed
	admin *pgx.Conn
	made  chan struct{} // a token: who has it uses admin
	next  atomic.Int64
}

// Start makes a server and starts it; the test's end ends it.
func Start(tb testing.TB, o Options) *Server {
	tb.Helper()
	dir, err := os.MkdirTemp("", "rvpg") // short: a socket's path has some 100 characters
	if err != nil {
		tb.Fatal(err)
	}
	s := &Server{o: o, dir: dir, port: 5432, made: make(chan struct{}, 1)}
	tb.Cleanup(func() {
		if err := errors.Join(s.stop(), os.RemoveAll(dir)); err != nil {
			tb.Error(err)
		}
	})
	if o.Listen {
		s.port = freePort(tb)
	}
	if err := s.initialise(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	s.Begin(tb)
	s.made <- struct{}{}
	role := `CREATE ROLE ` + Role + ` LOGIN`
	if o.Password != "" {
		role += ` PASSWORD '` + strings.ReplaceAll(o.Password, "'", "''") + `'`
	}
	if _, err := s.admin.Exec(tb.Context(), role); err != nil {
		tb.Fatal(err)
	}
	return s
}

func freePort(tb testing.TB) int {
	tb.Helper()
	l, err := (&net.ListenConfig{}).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

// command is a program of PostgreSQL's, as a user that is not root.
func (s *Server) command(ctx context.Context, name string, args ...string) (*exec.Cmd, error) {
	path, err := find(name)
	if err != nil {
		return nil, err
	}
	args = append([]string{path}, args...)
	if os.Geteuid() == 0 {
		args = append([]string{"setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"}, args...)
	}
	// The pipe is the leash: when this process ends in whatever way, it is closed.
	script := `"$@" & server=$!; read -r word; kill -QUIT $server 2>/dev/null; wait $server`
	if name == "initdb" {
		script = `"$@"`
	}
	c := exec.CommandContext(ctx, "sh", append([]string{"-c", script, name}, args...)...)
	c.Dir = s.dir
	return c, nil
}

// Program is where a program of PostgreSQL's is.
func Program(tb testing.TB, name string) string {
	tb.Helper()
	path, err := find(name)
	if err != nil {
		tb.Fatal(err)
	}
	return path
}

// find looks where Debian puts the programs, the newest first, then in PATH.
func find(name string) (string, error) {
	list, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if err != nil {
		return "", err
	}
	if len(list) > 0 {
		return slices.MaxFunc(list, func(a, b string) int { return version(a) - version(b) }), nil
	}
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	return "", errors.New(name + " is not there: these tests need a PostgreSQL server; install the package postgresql")
}

func version(path string) int {
	n, _ := strconv.Atoi(strings.Split(path, "/")[4])
	return n
}

func (s *Server) initialise(ctx context.Context) error {
	if os.Geteuid() == 0 {
		u, err := user.Lookup("postgres")
		if err != nil {
			return fmt.Errorf("a server does not run as root: %w", err)
		}
		uid, err1 := strconv.Atoi(u.Uid)
		gid, err2 := strconv.Atoi(u.Gid)
		if err := errors.Join(err1, err2, os.Chown(s.dir, uid, gid)); err != nil {
			return err
		}
	}
	// A language of people, so that what depends on the order of bytes shows.
	c, err := s.command(ctx, "initdb", "-D", "data", "-U", "postgres", "-A", "trust", "-E", "UTF8",
		"--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US", "--no-sync")
	if err != nil {
		return err
	}
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	hosts := "local all all trust\n"
	if s.o.Listen {
		kind := "host"
		if s.o.Certificate != "" {
			kind = "hostssl"
		}
		hosts += kind + " all all 127.0.0.1/32 scram-sha-256\n"
	}
	if err := os.WriteFile(filepath.Join(s.dir, "data", "pg_hba.conf"), []byte(hosts), 0o600); err != nil {
		return err
	}
	if s.o.Certificate == "" {
		return nil
	}
	return errors.Join(s.take(s.o.Certificate, "server.crt"), s.take(s.o.Key, "server.key"))
}

// take copies a file to where the server reads it.
func (s *Server) take(file, name string) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	to := filepath.Join(s.dir, "data", name)
	if err := os.WriteFile(to, b, 0o600); err != nil || os.Geteuid() != 0 {
		return err
	}
	info, err := user.Lookup("postgres")
	if err != nil {
		return err
	}
	uid, err1 := strconv.Atoi(info.Uid)
	gid, err2 := strconv.Atoi(info.Gid)
	return errors.Join(err1, err2, os.Chown(to, uid, gid))
}

// buffers is PostgreSQL's own setting for a server that does more than tests.
func (s *Server) buffers() string {
	if s.o.Durable {
		return "128MB"
	}
	return "32MB"
}

func (s *Server) settings() []string {
	list := []string{
		"unix_socket_directories=" + s.dir, "port=" + strconv.Itoa(s.port), "listen_addresses=",
		"max_connections=60", "shared_buffers=" + s.buffers(), "wal_level=minimal", "max_wal_senders=0", "lc_messages=C",
	}
	if s.o.Listen {
		list[2] += "127.0.0.1"
	}
	if s.o.Certificate != "" {
		list = append(list, "ssl=on", "ssl_cert_file=server.crt", "ssl_key_file=server.key")
	}
	if !s.o.Durable {
		list = append(list, "fsync=off", "full_page_writes=off")
	}
	args := []string{"-D", "data"}
	for _, l := range list {
		args = append(args, "-c", l)
	}
	return args
}

// Begin starts the server, also again after Kill, and waits until it answers.
func (s *Server) Begin(tb testing.TB) {
	tb.Helper()
	var err error
	for began := time.Now(); time.Since(began) < time.Minute; {
		if err = s.begin(tb.Context()); err == nil {
			return
		}
		err = errors.Join(err, s.stop())
	}
	log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
	tb.Fatalf("the server does not start: %v\n%s", err, log)
}

func (s *Server) begin(ctx context.Context) error {
	c, err := s.command(context.WithoutCancel(ctx), "postgres", s.settings()...)
	if err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	c.Stdout, c.Stderr = log, log
	if s.hold, err = c.StdinPipe(); err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return err
	}
	s.run = c
	for range 500 {
		if s.admin, err = pgx.Connect(ctx, s.url("postgres", "postgres")); err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		time.Sleep(10 * time.Millisecond) // there is nothing to wait for but an answer
	}
	return err
}

// stop lets the server end at once, as after a crash.
func (s *Server) stop() error {
	if s.run == nil {
		return nil
	}
	err := s.hold.Close()
	_ = s.run.Wait() // it was told to end, and the connection of admin with it
	s.run, s.admin = nil, nil
	return err
}

// Kill ends the server with SIGKILL, and the connections with it.
func (s *Server) Kill(tb testing.TB) {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join(s.dir, "data", "postmaster.pid"))
	if err != nil {
		tb.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.SplitN(string(b), "\n", 2)[0])
	if err != nil {
		tb.Fatal(err)
	}
	p, err := os.FindProcess(pid)
	if err == nil {
		err = p.Kill()
	}
	if err = errors.Join(err, s.stop()); err != nil {
		tb.Fatal(err)
	}
}

// Schema makes an empty schema in the server's one database for all of them and
// returns a URL whose search_path is that; it is the quickest empty place.
func (s *Server) Schema(tb testing.TB) string {
	tb.Helper()
	name := "t" + strconv.FormatInt(s.next.Add(1), 10)
	s.Admin(tb, `CREATE SCHEMA `+name+` AUTHORIZATION `+Role)
	return s.url(Role, "postgres") + "&search_path=" + name
}

// Database makes an empty database and returns its URL.
func (s *Server) Database(tb testing.TB) string {
	tb.Helper()
	name := "t" + strconv.FormatInt(s.next.Add(1), 10)
	s.Admin(tb, `CREATE DATABASE `+name+` OWNER `+Role)
	return s.url(Role, name)
}

// Admin runs a statement as the superuser.
func (s *Server) Admin(tb testing.TB, statement string) {
	tb.Helper()
	<-s.made
	defer func() { s.made <- struct{}{} }()
	if _, err := s.admin.Exec(tb.Context(), statement); err != nil {
		tb.Fatal(err)
	}
}

// TCP is a socket's URL by way of the loopback, with a password ("" for none)
// and further parameters of the query.
func (s *Server) TCP(tb testing.TB, socket, password, query string) string {
	tb.Helper()
	u, err := url.Parse(socket)
	if err != nil {
		tb.Fatal(err)
	}
	u.Host, u.RawQuery = "127.0.0.1:"+strconv.Itoa(s.port), query
	if password != "" {
		u.User = url.UserPassword(u.User.Username(), password)
	}
	return u.String()
}

// Dir is the folder of the server's files.
func (s *Server) Dir() string { return s.dir }

func (s *Server) url(role, database string) string {
	u := url.URL{Scheme: "postgres", User: url.User(role), Path: "/" + database}
	u.RawQuery = url.Values{"host": {s.dir}, "port": {strconv.Itoa(s.port)}}.Encode()
	return u.String()
}
