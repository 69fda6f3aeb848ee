// Package catfile reads git objects through git itself: one long-running
// "git cat-file --batch". It is the fallback of package objects for what that
// cannot read.
//
// It promises: no network, also where objects are promised by a remote; the
// object that was asked for, not one that replaces it; one git process at a
// time, started when it is first needed and again when git gave up on a damaged
// object. It refuses to trust: whoever asks checks the id.
package catfile

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"revenant/scanners/gitrepo/objects"
)

// ErrGit is what Object says when git cannot be run or gave up.
var ErrGit = errors.New("git cat-file failed")

// Reader is an objects.Fallback. It is safe for concurrent use; one object is
// read at a time, and the next waits until it is closed.
type Reader struct {
	// Git is the program; empty: git, from the path.
	Git string

	layout objects.Layout
	turn   chan struct{} // held while an object is read

	mu      sync.Mutex
	process *process
	dead    error // git cannot be started at all
}

// New makes a reader for a repository. Nothing is started yet.
func New(layout objects.Layout) *Reader {
	return &Reader{layout: layout, turn: make(chan struct{}, 1)}
}

// process is a running git.
type process struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// Object asks git for an object.
func (r *Reader) Object(ctx context.Context, id objects.ID) (objects.Kind, int64, io.ReadCloser, error) {
	select {
	case r.turn <- struct{}{}:
	case <-ctx.Done():
		return 0, 0, nil, context.Cause(ctx)
	}
	kind, size, o, err := r.ask(ctx, id)
	if err != nil {
		<-r.turn
		return 0, 0, nil, err
	}
	return kind, size, o, nil
}

func (r *Reader) ask(ctx context.Context, id objects.ID) (objects.Kind, int64, *object, error) {
	p, err := r.start(ctx)
	if err != nil {
		return 0, 0, nil, err
	}
	// Nobody waits for git longer than ctx lasts.
	stop := context.AfterFunc(ctx, p.kill)
	kind, size, err := p.request(id)
	if err != nil {
		stop()
		if !errors.Is(err, objects.ErrMissing) {
			r.drop(p)
		}
		return 0, 0, nil, err
	}
	return kind, size, &object{r: r, p: p, left: size, stop: stop}, nil
}

// start returns the running git, or a new one.
func (r *Reader) start(ctx context.Context) (*process, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.dead != nil {
		return nil, r.dead
	}
	if r.process != nil {
		return r.process, nil
	}
	name := r.Git
	if name == "" {
		name = "git"
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), name, "--git-dir="+r.layout.GitDir, "-c", "safe.directory=*", "cat-file", "--batch")
	cmd.Env = Environment(os.Environ(), r.layout)
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrGit, err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrGit, err)
	}
	if err := cmd.Start(); err != nil {
		r.dead = fmt.Errorf("%w: %w", ErrGit, err)
		return nil, r.dead
	}
	r.process = &process{cmd: cmd, in: in, out: bufio.NewReaderSize(out, 64<<10)}
	return r.process, nil
}

// Environment is that of a git that reads a repository of somebody: without what
// points it elsewhere, and with what keeps it from fetching, replacing, asking
// and writing. The user's own configuration counts. Of the layout, what is in
// quarantine is shown to it.
func Environment(env []string, layout objects.Layout) []string {
	var kept []string
	for _, v := range env {
		name, _, _ := strings.Cut(v, "=")
		switch {
		case name == "LC_ALL", name == "LANGUAGE", name == "LANG":
		case !strings.HasPrefix(name, "GIT_"), strings.HasPrefix(name, "GIT_CONFIG"), name == "GIT_EXEC_PATH":
			kept = append(kept, v)
		}
	}
	if layout.Quarantine != "" {
		kept = append(kept, "GIT_OBJECT_DIRECTORY="+layout.Quarantine, "GIT_ALTERNATE_OBJECT_DIRECTORIES="+quotedPath(filepath.Join(layout.CommonDir, "objects")))
	}
	return append(kept, "GIT_NO_REPLACE_OBJECTS=1", "GIT_NO_LAZY_FETCH=1", "GIT_ALLOW_PROTOCOL=none", "GIT_TERMINAL_PROMPT=0", "GIT_OPTIONAL_LOCKS=0", "LC_ALL=C")
}

// quotedPath is a path in a list of them, as git reads it: one with what ends it
// stands between quotes.
func quotedPath(path string) string {
	if !strings.ContainsAny(path, string(os.PathListSeparator)+"\"") {
		return path
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(path) + `"`
}

func (p *process) request(id objects.ID) (objects.Kind, int64, error) {
	if _, err := io.WriteString(p.in, id.String()+"\n"); err != nil {
		return 0, 0, fmt.Errorf("%w: %w", ErrGit, err)
	}
	line, err := p.out.ReadString('\n')
	if err != nil {
		return 0, 0, fmt.Errorf("%w: %w", ErrGit, err)
	}
	f := strings.Fields(line)
	if len(f) == 2 && f[1] == "missing" {
		return 0, 0, objects.ErrMissing
	}
	if len(f) != 3 || f[0] != id.String() || objects.ParseKind(f[1]) == 0 {
		return 0, 0, fmt.Errorf("%w: an answer that was not expected", ErrGit)
	}
	size, err := strconv.ParseInt(f[2], 10, 64)
	if err != nil || size < 0 {
		return 0, 0, fmt.Errorf("%w: an answer that was not expected", ErrGit)
	}
	return objects.ParseKind(f[1]), size, nil
}

func (p *process) kill() { _ = p.cmd.Process.Kill() } // it may have ended

// drop ends a process that is of no more use.
func (r *Reader) drop(p *process) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p.kill()
	p.in.Close()
	_ = p.cmd.Wait() // it was killed
	if r.process == p {
		r.process = nil
	}
}

// Close ends git. An object that is being read ends early.
func (r *Reader) Close() error {
	r.mu.Lock()
	p := r.process
	r.mu.Unlock()
	if p != nil {
		r.drop(p)
	}
	return nil
}

// object is the content of one answer.
type object struct {
	r    *Reader
	p    *process
	left int64
	stop func() bool
	err  error
	once sync.Once
}

func (o *object) Read(p []byte) (int, error) {
	if o.err != nil {
		return 0, o.err
	}
	if o.left == 0 {
		return 0, io.EOF
	}
	n, err := o.p.out.Read(p[:min(int64(len(p)), o.left)])
	o.left -= int64(n)
	if err != nil {
		o.err = fmt.Errorf("%w: %w", ErrGit, err)
		return n, o.err
	}
	return n, nil
}

// skipMost is how much of an object is read to its end for nothing; for more, a
// new process is cheaper.
const skipMost = 4 << 20

// Close makes way for the next object.
func (o *object) Close() error {
	o.once.Do(func() {
		defer func() { <-o.r.turn }()
		running := o.stop() || o.err == nil
		if running && o.err == nil && o.left <= skipMost {
			if _, err := o.p.out.Discard(int(o.left) + 1); err == nil {
				return
			}
		}
		o.r.drop(o.p)
	})
	return nil
}
