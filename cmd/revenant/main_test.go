package main

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// asRevenant makes the test binary behave as the program, so that tests run
// real processes: their own streams, environment, temporary files and signals.
const asRevenant = "REVENANT_TEST_AS_MAIN"

// keepingEvery makes it save what it remembers of a repository every so many
// bytes.
const keepingEvery = "REVENANT_TEST_KEEP_EVERY"

// runningLater moves its clock by so much.
const runningLater = "REVENANT_TEST_LATER"

// clockIn names a file with how much its clock is moved, which may change while
// it runs.
const clockIn = "REVENANT_TEST_CLOCK"

// placingWithin is how long it looks for the places of what it found when it is
// interrupted.
const placingWithin = "REVENANT_TEST_PLACING"

func TestMain(m *testing.M) {
	if os.Getenv(asRevenant) == "1" {
		a := newApp()
		if s := os.Getenv(keepingEvery); s != "" {
			n, err := strconv.ParseInt(s, 10, 64)
			if err != nil {
				panic(err)
			}
			a.keepEvery = n
		}
		if later, err := time.ParseDuration(os.Getenv(runningLater)); err == nil {
			a.now = func() time.Time { return time.Now().Add(later) }
		}
		if file := os.Getenv(clockIn); file != "" {
			a.now = func() time.Time {
				b, _ := os.ReadFile(file)
				d, _ := time.ParseDuration(strings.TrimSpace(string(b)))
				return time.Now().Add(d)
			}
		}
		if s := os.Getenv(placingWithin); s != "" {
			d, err := time.ParseDuration(s)
			if err != nil {
				panic(err)
			}
			a.placing = d
		}
		os.Exit(realMain(a))
	}
	os.Exit(m.Run())
}

// box is a machine of its own for one test: a home, a registry's folder, a
// folder for temporary files, and everything the processes printed.
type box struct {
	t    *testing.T
	dir  string // everything that revenant writes is below it
	env  []string
	work string // what is scanned; not searched for canaries
	cwd  string // where processes run; empty: dir

	remote  bool     // commands about what is known ask a server over the registry
	through *serving // that server; nil: it was not needed yet
}

func newBox(t *testing.T) *box {
	t.Helper()
	b := &box{t: t, dir: t.TempDir(), work: t.TempDir()}
	for _, d := range []string{"home", "tmp", "out"} {
		if err := os.MkdirAll(filepath.Join(b.dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	b.env = []string{
		asRevenant + "=1",
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + filepath.Join(b.dir, "home"),
		"REVENANT_HOME=" + b.registry(),
		"TMPDIR=" + filepath.Join(b.dir, "tmp"),
	}
	return b
}

// registry is the folder of keys and store.
func (b *box) registry() string { return filepath.Join(b.dir, "registry") }

// out is a place for reports and the like.
func (b *box) out(name string) string { return filepath.Join(b.dir, "out", name) }

// ran is what a process did.
type ran struct {
	code           int
	stdout, stderr string
}

// command prepares a revenant process.
func (b *box) command(ctx context.Context, stdin string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, os.Args[0], args...)
	c.Env, c.Dir = b.env, b.dir
	if b.asks(args) {
		c.Env = b.serverEnv()
	}
	if b.cwd != "" {
		c.Dir = b.cwd
	}
	c.Stdin = strings.NewReader(stdin)
	return c
}

// run executes a command line and returns how it went.
func (b *box) run(stdin string, args ...string) ran {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 3*time.Minute)
	defer cancel()
	c := b.command(ctx, stdin, args...)
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		b.t.Fatalf("revenant %s: %v", strings.Join(args, " "), err)
	}
	return ran{c.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// must runs a command line and insists on its exit code.
func (b *box) must(code int, stdin string, args ...string) ran {
	b.t.Helper()
	r := b.run(stdin, args...)
	if r.code != code {
		b.t.Fatalf("revenant %s: exit code %d, want %d\nstdout: %s\nstderr: %s", strings.Join(args, " "), r.code, code, r.stdout, r.stderr)
	}
	return r
}

// write puts a file into the scanned folder.
func (b *box) write(name, content string) string {
	b.t.Helper()
	p := filepath.Join(b.work, name)
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(content), 0o644); err != nil {
		b.t.Fatal(err)
	}
	return p
}

// generated returns a value of 32 letters and digits that is the same in every
// run and stands nowhere in the source.
func generated(seed uint64) string {
	const letters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789"
	r := rand.New(rand.NewPCG(seed, 99))
	b := make([]byte, 32)
	for i := range b {
		b[i] = letters[r.IntN(len(letters))]
	}
	return string(b)
}

// fullDevice is a disk without space.
func fullDevice(t *testing.T) *os.File {
	t.Helper()
	f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}
