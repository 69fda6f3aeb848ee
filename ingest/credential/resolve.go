package credential

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"revenant/fingerprints"
)

const (
	defaultTimeout  = 10 * time.Second
	defaultMaxBytes = 64 << 10
	// lingering is how long a killed program's children may hold its output open.
	lingering = time.Second
)

// Resolver fetches what references lead to. The zero Resolver is ready. It
// keeps nothing, so a credential that was rotated is the new one at the next
// call. Safe for concurrent use.
type Resolver struct {
	// Lookup asks the environment; nil is os.LookupEnv.
	Lookup func(name string) (string, bool)
	// Dir is where relative paths of files begin and commands run; empty is the
	// working directory.
	Dir string
	// Timeout bounds one command; zero is ten seconds.
	Timeout time.Duration
	// MaxBytes bounds a credential; zero is 64 KiB.
	MaxBytes int
}

// Resolve fetches a credential, without one line end behind it. An empty one is
// an error: a request without its credential would fail later and elsewhere.
// Errors wrap ErrUnresolved, and ctx's where that ended.
func (r Resolver) Resolve(ctx context.Context, ref Ref) (fingerprints.Value, error) {
	if err := ctx.Err(); err != nil {
		return fingerprints.Value{}, err
	}
	var content []byte
	var err error
	switch ref.kind {
	case fromEnv:
		content, err = r.env(ref.rest)
	case fromFile:
		content, err = r.file(ref.rest)
	case fromCommand:
		content, err = r.command(ctx, ref.rest)
	default:
		return fingerprints.Value{}, fmt.Errorf("%w: no reference to it was given", ErrUnresolved)
	}
	if err != nil {
		return fingerprints.Value{}, fmt.Errorf("%w: %s: %w", ErrUnresolved, ref, err)
	}
	content = bytes.TrimSuffix(content, []byte("\n"))
	content = bytes.TrimSuffix(content, []byte("\r"))
	if len(content) == 0 {
		return fingerprints.Value{}, fmt.Errorf("%w: %s: it is empty", ErrUnresolved, ref)
	}
	return fingerprints.NewValue(content), nil
}

func (r Resolver) env(name string) ([]byte, error) {
	lookup := r.Lookup
	if lookup == nil {
		lookup = os.LookupEnv
	}
	text, set := lookup(name)
	if !set {
		return nil, errors.New("the variable is not set")
	}
	if len(text) > r.maxBytes() {
		return nil, r.tooLong()
	}
	return []byte(text), nil
}

// file reads a regular file: anything else could be without an end.
func (r Resolver) file(name string) ([]byte, error) {
	if r.Dir != "" && !filepath.IsAbs(name) {
		name = filepath.Join(r.Dir, name)
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil, unnamed(err)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is no regular file")
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, unnamed(err)
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, int64(r.maxBytes())+1))
	if err != nil {
		return nil, unnamed(err)
	}
	if len(content) > r.maxBytes() {
		return nil, r.tooLong()
	}
	return content, nil
}

// unnamed leaves the path out of an error, which the reference says already.
func unnamed(err error) error {
	var at *os.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

func (r Resolver) command(ctx context.Context, line string) ([]byte, error) {
	args, err := words(line)
	if err != nil {
		return nil, err
	}
	timeout := r.Timeout
	if timeout == 0 {
		timeout = defaultTimeout
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	out := &bounds{max: r.maxBytes(), full: cancel}
	run := exec.CommandContext(bounded, args[0], args[1:]...)
	run.Stdout, run.Dir, run.WaitDelay = out, r.Dir, lingering
	err = run.Run()
	var exit *exec.ExitError
	switch {
	case out.over:
		return nil, r.tooLong()
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case bounded.Err() != nil:
		return nil, fmt.Errorf("it did not end within %s", timeout)
	case errors.As(err, &exit):
		return nil, fmt.Errorf("it failed (%s); what it wrote is not shown, because that may be the credential: run it by hand", exit.ProcessState)
	case errors.Is(err, exec.ErrNotFound):
		return nil, errors.New("there is no such program")
	case err != nil:
		return nil, unnamed(err)
	}
	return out.content, nil
}

func (r Resolver) maxBytes() int {
	if r.MaxBytes > 0 {
		return r.MaxBytes
	}
	return defaultMaxBytes
}

func (r Resolver) tooLong() error {
	return fmt.Errorf("it is longer than %d bytes", r.maxBytes())
}

// bounds keeps what a program prints, and stops the program when it is too much.
type bounds struct {
	max     int
	full    func()
	content []byte
	over    bool
}

func (b *bounds) Write(p []byte) (int, error) {
	if len(b.content)+len(p) > b.max {
		b.over = true
		b.full()
		return 0, io.ErrShortWrite
	}
	b.content = append(b.content, p...)
	return len(p), nil
}
