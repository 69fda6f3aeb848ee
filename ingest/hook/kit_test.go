package hook_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"revenant/ingest/hook"
)

// bench is a machine of its own: home, configuration of user and system, and a
// program that writes down how it was called.
type bench struct {
	t       *testing.T
	dir     string
	env     []string
	program string
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, dir: t.TempDir()}
	b.env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + b.path("home"), "XDG_CONFIG_HOME=" + b.path("home/.config"),
		"GIT_CONFIG_GLOBAL=" + b.path("gitconfig"), "GIT_CONFIG_SYSTEM=" + b.path("system"),
		"LOG=" + b.path("log"), "REFUSE=" + b.path("refuse"),
	}
	b.mkdir("home")
	b.write("gitconfig", "[user]\n\tname = x\n\temail = x@example.org\n[init]\n\tdefaultBranch = main\n[protocol \"file\"]\n\tallow = always\n", 0o644)
	b.program = b.write("bin/revenant", `#!/bin/sh
[ "$1" = version ] && { echo "revenant v1.2.3, go, rules"; exit; }
echo "scan $*" >>"$LOG"
case $3 in pre-push | pre-receive) sed 's/^/scanned /' >>"$LOG" ;; esac
[ ! -e "$REFUSE" ] || exit 1
`, 0o755)
	return b
}

func (b *bench) path(name string) string { return filepath.Join(b.dir, filepath.FromSlash(name)) }

func (b *bench) mkdir(name string) string {
	b.t.Helper()
	if err := os.MkdirAll(b.path(name), 0o755); err != nil {
		b.t.Fatal(err)
	}
	return b.path(name)
}

func (b *bench) write(name, text string, mode os.FileMode) string {
	b.t.Helper()
	path := b.path(name)
	if filepath.IsAbs(name) {
		path = name
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		b.t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		b.t.Fatal(err)
	}
	return path
}

func (b *bench) read(path string) string {
	b.t.Helper()
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		b.t.Fatal(err)
	}
	return string(text)
}

// logged is what the program and other hooks wrote since the last call.
func (b *bench) logged() string {
	b.t.Helper()
	out := b.read(b.path("log"))
	_ = os.Remove(b.path("log"))
	return out
}

// try runs a command in a folder.
func (b *bench) try(dir, name string, args ...string) (string, error) {
	c := exec.CommandContext(context.Background(), name, args...)
	c.Dir, c.Env = dir, b.env
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	err := c.Run()
	return out.String(), err
}

func (b *bench) do(dir, name string, args ...string) string {
	b.t.Helper()
	out, err := b.try(dir, name, args...)
	if err != nil {
		b.t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return out
}

func (b *bench) git(dir string, args ...string) string {
	b.t.Helper()
	return b.do(dir, "git", args...)
}

// repository makes one with a commit.
func (b *bench) repository(name string, more ...string) string {
	b.t.Helper()
	dir := b.mkdir(name)
	b.git(dir, append([]string{"init", "-q"}, more...)...)
	b.git(dir, "commit", "-q", "--allow-empty", "-m", "first", "--no-verify")
	return dir
}

// commit makes a commit with hooks, and reports whether they let it through.
func (b *bench) commit(dir string) error {
	b.t.Helper()
	f := filepath.Join(dir, "file")
	b.write(f, b.read(f)+"line\n", 0o644)
	b.git(dir, "add", "file")
	_, err := b.try(dir, "git", "commit", "-q", "-m", "next")
	return err
}

func (b *bench) locate(dir string) hook.Place {
	b.t.Helper()
	p, err := hook.Locate(context.Background(), hook.Git{Env: b.env}, dir)
	if err != nil {
		b.t.Fatal(err)
	}
	return p
}

func (b *bench) request(names ...string) hook.Request {
	return hook.Request{Names: names, Settings: hook.Settings{Program: b.program, OnBadPack: hook.Block}, Now: time.Now()}
}

func (b *bench) install(dir string, names ...string) []hook.Change {
	b.t.Helper()
	changes, err := b.locate(dir).Install(context.Background(), b.request(names...))
	if err != nil {
		b.t.Fatal(err)
	}
	return changes
}

func (b *bench) uninstall(dir string) []hook.Change {
	b.t.Helper()
	changes, err := b.locate(dir).Uninstall(context.Background(), b.request())
	if err != nil {
		b.t.Fatal(err)
	}
	return changes
}

func (b *bench) machine(scope hook.Scope) hook.Machine {
	return hook.Machine{Scope: scope, Dir: b.path("machine " + string(scope)), Git: hook.Git{Env: b.env}}
}

func (b *bench) status(dir string) hook.Status {
	b.t.Helper()
	s, err := b.locate(dir).Status(context.Background(), hook.Looker{Now: time.Now()})
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

// done is what became of the hooks, in short.
func done(changes []hook.Change) string {
	var out []string
	for _, c := range changes {
		s := c.Name + " " + string(c.Done)
		if c.Former != "" {
			s += " over " + filepath.Base(c.Former)
		}
		out = append(out, s)
	}
	return strings.Join(out, ", ")
}

// snapshot is every entry of a folder: its mode and content.
func (b *bench) snapshot(dir string) map[string]string {
	b.t.Helper()
	out := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		b.t.Fatal(err)
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		info, err := os.Lstat(path)
		if err != nil {
			b.t.Fatal(err)
		}
		text := ""
		if info.Mode()&os.ModeSymlink != 0 {
			text, err = os.Readlink(path)
			if err != nil {
				b.t.Fatal(err)
			}
		} else if info.Mode().IsRegular() {
			text = b.read(path)
		}
		out[e.Name()] = info.Mode().String() + " " + text
	}
	return out
}
