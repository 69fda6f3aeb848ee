package hook_test

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/ingest/hook"
)

// shapes are repositories of every kind that git's hooks live in; each returns
// the folder to commit in and the folder that the hooks belong in. With -short,
// as under the race detector, which sees nothing of other processes, two do.
func shapes() map[string]func(b *bench) (dir, hooks string) {
	all := everyShape()
	if testing.Short() {
		maps.DeleteFunc(all, func(name string, _ func(*bench) (string, string)) bool {
			return name != "odd name" && name != "linked work tree"
		})
	}
	return all
}

func everyShape() map[string]func(b *bench) (dir, hooks string) {
	return map[string]func(b *bench) (string, string){
		"plain": func(b *bench) (string, string) {
			dir := b.repository("r")
			return dir, filepath.Join(dir, ".git/hooks")
		},
		"below the top": func(b *bench) (string, string) {
			dir := b.repository("r")
			return b.mkdir("r/sub/deep"), filepath.Join(dir, ".git/hooks")
		},
		"SHA-256": func(b *bench) (string, string) {
			dir := b.repository("r", "--object-format=sha256")
			return dir, filepath.Join(dir, ".git/hooks")
		},
		"odd name": func(b *bench) (string, string) {
			dir := b.repository(`it's a "näme" $HOME [x] \`)
			return dir, filepath.Join(dir, ".git/hooks")
		},
		"hooks folder missing": func(b *bench) (string, string) {
			dir := b.repository("r")
			if err := os.RemoveAll(filepath.Join(dir, ".git/hooks")); err != nil {
				b.t.Fatal(err)
			}
			return dir, filepath.Join(dir, ".git/hooks")
		},
		"git directory elsewhere": func(b *bench) (string, string) {
			dir := b.repository("r", "--separate-git-dir="+b.path("apart"))
			return dir, b.path("apart/hooks")
		},
		"linked work tree": func(b *bench) (string, string) {
			dir := b.repository("r")
			b.git(dir, "worktree", "add", "-q", b.path("linked"))
			return b.path("linked"), filepath.Join(dir, ".git/hooks")
		},
		"work tree of a bare repository": func(b *bench) (string, string) {
			b.git(b.dir, "clone", "-q", "--bare", b.repository("r"), b.path("bare.git"))
			b.git(b.path("bare.git"), "worktree", "add", "-q", b.path("linked"))
			return b.path("linked"), b.path("bare.git/hooks")
		},
		"submodule": func(b *bench) (string, string) {
			b.repository("inner")
			dir := b.repository("r")
			b.git(dir, "submodule", "add", "-q", b.path("inner"), "sub")
			return filepath.Join(dir, "sub"), filepath.Join(dir, ".git/modules/sub/hooks")
		},
		"hooksPath absolute": func(b *bench) (string, string) {
			dir := b.repository("r")
			b.git(dir, "config", "core.hooksPath", b.path("my hooks"))
			return dir, b.path("my hooks")
		},
		"hooksPath relative": func(b *bench) (string, string) {
			dir := b.repository("r")
			b.git(dir, "config", "core.hooksPath", "my hooks")
			return b.mkdir("r/sub"), filepath.Join(dir, "my hooks")
		},
		"hooksPath at home": func(b *bench) (string, string) {
			dir := b.repository("r")
			b.git(dir, "config", "core.hooksPath", "~/h")
			return dir, b.path("home/h")
		},
		"hooksPath of one work tree": func(b *bench) (string, string) {
			dir := b.repository("r")
			b.git(dir, "config", "extensions.worktreeConfig", "true")
			b.git(dir, "worktree", "add", "-q", b.path("linked"))
			b.git(b.path("linked"), "config", "--worktree", "core.hooksPath", "own")
			return b.path("linked"), b.path("linked/own")
		},
		"hooks folder is a link": func(b *bench) (string, string) {
			dir := b.repository("r")
			if err := os.RemoveAll(filepath.Join(dir, ".git/hooks")); err != nil {
				b.t.Fatal(err)
			}
			if err := os.Symlink(b.mkdir("elsewhere"), filepath.Join(dir, ".git/hooks")); err != nil {
				b.t.Fatal(err)
			}
			return dir, b.path("elsewhere")
		},
	}
}

// TestShapes installs where git looks, sees git run it, installs again, and
// leaves the folder as it was.
func TestShapes(t *testing.T) {
	for name, make := range shapes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			dir, hooks := make(b)
			before := b.snapshot(hooks)
			if got, want := done(b.install(dir)), "pre-commit installed, pre-merge-commit installed, pre-push installed"; got != want {
				t.Errorf("install: %s", got)
			}
			if err := b.commit(dir); err != nil {
				t.Fatalf("the commit does not go through: %v", err)
			}
			if got, want := b.logged(), "scan hook run pre-commit --on-bad-pack block --\n"; got != want {
				t.Errorf("the program was called so: %q", got)
			}
			b.write("refuse", "", 0o644)
			if b.commit(dir) == nil {
				t.Error("what the program refuses goes through")
			}
			installed := b.snapshot(hooks)
			if got, want := done(b.install(dir)), "pre-commit unchanged, pre-merge-commit unchanged, pre-push unchanged"; got != want {
				t.Errorf("again: %s", got)
			}
			if diff := cmp.Diff(installed, b.snapshot(hooks)); diff != "" {
				t.Errorf("the second time changes (-first +second):\n%s", diff)
			}
			if s := b.status(dir); !s.Protected || len(s.Notes) > 0 {
				t.Errorf("status: %+v", s)
			}
			if got, want := done(b.uninstall(dir)), "pre-commit removed, pre-merge-commit removed, pre-push removed"; got != want {
				t.Errorf("uninstall: %s", got)
			}
			if diff := cmp.Diff(before, b.snapshot(hooks)); diff != "" {
				t.Errorf("left behind (-before +after):\n%s", diff)
			}
			if got := b.uninstall(dir); got != nil {
				t.Errorf("uninstalled twice: %v", got)
			}
		})
	}
}

// pushed makes a remote and pushes two refs to it.
func (b *bench) pushed(dir string) (string, error) {
	if out, err := b.try(dir, "git", "remote", "get-url", "up"); err != nil {
		_ = out
		b.git(b.dir, "init", "-q", "--bare", b.path("up.git"))
		b.git(dir, "remote", "add", "up", b.path("up.git"))
	}
	b.git(dir, "commit", "-q", "--allow-empty", "--no-verify", "-m", "to push")
	return b.try(dir, "git", "push", "-q", "up", "HEAD:one", "HEAD:two")
}

const formerHook = `#!/bin/sh
echo "former $(basename "$0") $1" >>"$LOG"
sed 's/^/former read /' >>"$LOG"
exit ${FORMER_EXIT-0}
`

// TestBothGetAll: a hook that was there runs after ours with the same
// arguments and the same input, and its exit code counts.
func TestBothGetAll(t *testing.T) {
	b := newBench(t)
	dir := b.repository("r")
	hooks := filepath.Join(dir, ".git/hooks")
	b.write(filepath.Join(hooks, "pre-push"), formerHook, 0o711)
	before := b.snapshot(hooks)
	if got, want := done(b.install(dir)), "pre-commit installed, pre-merge-commit installed, pre-push installed over pre-push.before-revenant"; got != want {
		t.Errorf("install: %s", got)
	}
	if out, err := b.pushed(dir); err != nil {
		t.Fatalf("push: %v %s", err, out)
	}
	log := b.logged()
	id := strings.TrimSpace(b.git(dir, "rev-parse", "HEAD"))
	zero := strings.Repeat("0", 40)
	lines := ""
	for _, who := range []string{"scanned", "former read"} {
		for _, ref := range []string{"one", "two"} {
			lines += who + " HEAD " + id + " refs/heads/" + ref + " " + zero + "\n"
		}
		if who == "scanned" {
			lines += "former pre-push.before-revenant up\n"
		}
	}
	if diff := cmp.Diff("scan hook run pre-push --on-bad-pack block -- up "+b.path("up.git")+"\n"+lines, log); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	b.env = append(b.env, "FORMER_EXIT=7")
	if _, err := b.pushed(dir); err == nil {
		t.Error("what the former hook refuses goes through")
	}
	b.logged()
	b.write("refuse", "", 0o644)
	if _, err := b.pushed(dir); err == nil || strings.Contains(b.logged(), "former") {
		t.Error("what ours refuses goes through, or the other runs all the same")
	}
	if got := done(b.uninstall(dir)); !strings.Contains(got, "pre-push restored") {
		t.Errorf("uninstall: %s", got)
	}
	if diff := cmp.Diff(before, b.snapshot(hooks)); diff != "" {
		t.Errorf("not as it was (-before +after):\n%s", diff)
	}
}

// TestBare: the server's door, with a former hook that reads.
func TestBare(t *testing.T) {
	b := newBench(t)
	bare := b.mkdir("server.git")
	b.git(bare, "init", "-q", "--bare")
	b.write(filepath.Join(bare, "hooks/pre-receive"), formerHook, 0o755)
	if got, want := done(b.install(bare)), "pre-receive installed over pre-receive.before-revenant"; got != want {
		t.Errorf("install: %s", got)
	}
	dir := b.repository("r")
	b.git(dir, "push", "-q", bare, "main")
	if log := b.logged(); strings.Count(log, " refs/heads/main\n") != 2 || !strings.HasPrefix(log, "scan hook run pre-receive --on-bad-pack block --\nscanned 0") {
		t.Errorf("calls: %s", log)
	}
	b.write("refuse", "", 0o644)
	if out, err := b.try(dir, "git", "push", "-q", bare, "main:other"); err == nil {
		t.Errorf("a push that is refused goes through: %s", out)
	}
	if s := b.status(bare); !s.Protected || len(s.Hooks) != 1 || s.Hooks[0].Standing != hook.Scans {
		t.Errorf("status: %+v", s)
	}
}

// TestMerge: git merge runs a hook of its own.
func TestMerge(t *testing.T) {
	b := newBench(t)
	dir := b.repository("r")
	b.git(dir, "checkout", "-q", "-b", "side")
	if err := b.commit(dir); err != nil {
		t.Fatal(err)
	}
	b.git(dir, "checkout", "-q", "main")
	b.git(dir, "commit", "-q", "--allow-empty", "-m", "beside")
	b.install(dir)
	b.git(dir, "merge", "-q", "--no-edit", "side")
	if log := b.logged(); log != "scan hook run pre-merge-commit --on-bad-pack block --\n" {
		t.Errorf("calls: %s", log)
	}
}

// TestSettings are told to the program, whatever characters are in them.
func TestSettings(t *testing.T) {
	b := newBench(t)
	dir := b.repository("r")
	q := b.request("pre-commit", "commit-msg")
	odd := `a 'b' "c" $d ä\` + "`e`"
	q.Program = b.path("x " + odd + "/revenant")
	b.write(q.Program, b.read(b.program), 0o755)
	q.Pack, q.PackKey, q.OnBadPack = "/p "+odd, "/k "+odd, hook.Warn
	ctx := context.Background()
	if _, err := b.locate(dir).Install(ctx, q); err != nil {
		t.Fatal(err)
	}
	if err := b.commit(dir); err != nil {
		t.Fatal(err)
	}
	flags := " --pack /p " + odd + " --pack-key /k " + odd + " --on-bad-pack warn -- "
	want := "scan hook run pre-commit" + strings.TrimSuffix(flags, " ") + "\nscan hook run commit-msg" + flags + ".git/COMMIT_EDITMSG\n"
	want = strings.Replace(want, "warn --\n", "warn --\n", 1)
	if diff := cmp.Diff(want, b.logged()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	for _, h := range b.status(dir).Hooks {
		if h.Standing != hook.Scans {
			continue
		}
		if h.Program.Path != q.Program || h.Program.Version != "v1.2.3" || h.Pack.Path != q.Pack || h.Pack.Key != q.PackKey || h.BadPack != hook.Warn {
			t.Errorf("status of %s: %+v %+v", h.Name, h.Program, h.Pack)
		}
	}
	if changes, err := b.locate(dir).Install(ctx, b.request("pre-commit")); err != nil || done(changes) != "pre-commit updated" {
		t.Errorf("other settings: %s %v", done(changes), err)
	}
	for _, bad := range []string{"a\nb", "a\x1bb", "\r"} {
		q.Pack = bad
		if _, err := b.locate(dir).Install(ctx, q); !errors.Is(err, hook.ErrSetting) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, err := b.locate(dir).Install(ctx, b.request("post-commit")); !errors.Is(err, hook.ErrSetting) {
		t.Errorf("an unknown hook: %v", err)
	}
}

// TestChangedByHand: what a person wrote is not lost.
func TestChangedByHand(t *testing.T) {
	b := newBench(t)
	dir := b.repository("r")
	b.install(dir)
	path := filepath.Join(dir, ".git/hooks/pre-commit")
	b.write(path, b.read(path)+"echo mine\n", 0o755)
	ctx := context.Background()
	q := b.request()
	if _, err := b.locate(dir).Install(ctx, q); !errors.Is(err, hook.ErrChanged) || !strings.Contains(err.Error(), path) {
		t.Errorf("install: %v", err)
	}
	if s := b.status(dir); s.Protected || s.Hooks[0].Standing != hook.Altered {
		t.Errorf("status: %+v", s)
	}
	if _, err := b.locate(dir).Uninstall(ctx, q); !errors.Is(err, hook.ErrChanged) {
		t.Errorf("uninstall: %v", err)
	}
	q.Force = hook.Forced
	if changes, err := b.locate(dir).Install(ctx, q); err != nil || done(changes) != "pre-commit updated, pre-merge-commit unchanged, pre-push unchanged" {
		t.Errorf("forced: %v %v", changes, err)
	}
	if strings.Contains(b.read(path), "mine") {
		t.Error("it is still there")
	}
	b.write(path, strings.Replace(b.read(path), "--on-bad-pack", "--off", 1), 0o755)
	if changes, err := b.locate(dir).Uninstall(ctx, q); err != nil || !strings.HasPrefix(done(changes), "pre-commit removed") {
		t.Errorf("forced: %v %v", changes, err)
	}
}

// TestKeptAsItWas: links, hooks that do not run, and hooks without a first line.
func TestKeptAsItWas(t *testing.T) {
	for name, c := range map[string]struct {
		make func(b *bench, path string)
		ran  string
	}{
		"link": {func(b *bench, path string) {
			b.write(filepath.Join(filepath.Dir(path), "../../scripts/mine"), "#!/bin/sh\necho mine >>$LOG\n", 0o755)
			_ = os.Symlink("../../scripts/mine", path)
		}, "mine\n"},
		"link to nowhere": {func(_ *bench, path string) { _ = os.Symlink("nowhere", path) }, ""},
		"not executable":  {func(b *bench, path string) { b.write(path, "#!/bin/sh\necho mine >>$LOG\n", 0o644) }, ""},
		"no first line":   {func(b *bench, path string) { b.write(path, "echo mine >>$LOG\n", 0o755) }, "mine\n"},
		"own program": {func(b *bench, path string) {
			b.write(path, "#!/usr/bin/env bash\n[[ $0 == */pre* ]] && echo mine >>$LOG\n", 0o700)
		}, "mine\n"},
		"empty": {func(b *bench, path string) { b.write(path, "", 0o755) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			dir := b.repository("r")
			hooks := filepath.Join(dir, ".git/hooks")
			c.make(b, filepath.Join(hooks, "pre-commit"))
			before := b.snapshot(hooks)
			b.install(dir)
			if err := b.commit(dir); err != nil {
				t.Fatal(err)
			}
			if got := b.logged(); got != "scan hook run pre-commit --on-bad-pack block --\n"+c.ran {
				t.Errorf("ran: %q", got)
			}
			b.install(dir)
			b.uninstall(dir)
			if diff := cmp.Diff(before, b.snapshot(hooks)); diff != "" {
				t.Errorf("not as it was (-before +after):\n%s", diff)
			}
		})
	}
}

// TestReplacedSince: another tool wrote its hook over ours; neither is lost.
func TestReplacedSince(t *testing.T) {
	b := newBench(t)
	dir := b.repository("r")
	path := filepath.Join(dir, ".git/hooks/pre-commit")
	b.write(path, "#!/bin/sh\n# one\n", 0o755)
	b.install(dir)
	b.write(path, "#!/bin/sh\n# two\n", 0o755)
	ctx := context.Background()
	for _, force := range []hook.Force{hook.Careful, hook.Forced} {
		q := b.request()
		q.Force = force
		if _, err := b.locate(dir).Install(ctx, q); !errors.Is(err, hook.ErrOccupied) {
			t.Errorf("install: %v", err)
		}
		if _, err := b.locate(dir).Uninstall(ctx, q); !errors.Is(err, hook.ErrOccupied) {
			t.Errorf("uninstall: %v", err)
		}
	}
	if !strings.Contains(b.read(path), "two") || !strings.Contains(b.read(path+".before-revenant"), "one") {
		t.Error("a hook is lost")
	}
	// Ours was deleted by hand: the kept one comes back with either command.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if got := done(b.uninstall(dir)); !strings.HasPrefix(got, "pre-commit restored") || !strings.Contains(b.read(path), "one") {
		t.Errorf("uninstall: %s", got)
	}
}

// TestRenamed: the pre-commit framework moves a hook away and runs it from
// there; the one that we keep is found all the same.
func TestRenamed(t *testing.T) {
	b := newBench(t)
	dir := b.repository("r")
	path := filepath.Join(dir, ".git/hooks/pre-commit")
	b.write(path, "#!/bin/sh\necho mine >>$LOG\n", 0o755)
	b.install(dir)
	if err := os.Rename(path, path+".legacy"); err != nil {
		t.Fatal(err)
	}
	b.do(dir, path+".legacy")
	if got := b.logged(); !strings.HasSuffix(got, "mine\n") {
		t.Errorf("ran: %q", got)
	}
}

// TestProgramGone: the hook falls back on the PATH, then does as it was told,
// and says how to go on.
func TestProgramGone(t *testing.T) {
	for _, c := range []struct {
		bad  hook.BadPack
		path bool
		runs bool
	}{{hook.Block, true, true}, {hook.Block, false, false}, {hook.Warn, false, true}} {
		b := newBench(t)
		dir := b.repository("r")
		q := b.request()
		q.Program, q.OnBadPack = b.path("gone"), c.bad
		if _, err := b.locate(dir).Install(context.Background(), q); err != nil {
			t.Fatal(err)
		}
		if c.path {
			b.env[0] = "PATH=" + b.path("bin") + ":" + os.Getenv("PATH")
		}
		b.write(filepath.Join(dir, "f"), "x", 0o644)
		b.git(dir, "add", "f")
		out, err := b.try(dir, "git", "commit", "-q", "-m", "next")
		if (err == nil) != c.runs {
			t.Errorf("%+v: %v %s", c, err, out)
		}
		if !c.path && (!strings.Contains(out, "revenant hook install") || !strings.Contains(out, "git commit --no-verify")) {
			t.Errorf("%+v: no way out: %s", c, out)
		}
		if got := b.logged() != ""; got != c.path {
			t.Errorf("%+v: scanned: %v", c, got)
		}
		s, err := b.locate(dir).Status(context.Background(), hook.Looker{Now: time.Now(), Path: func(string) (string, error) {
			if c.path {
				return b.program, nil
			}
			return "", os.ErrNotExist
		}})
		if err != nil || s.Protected != c.path {
			t.Errorf("%+v: status %+v %v", c, s, err)
		}
	}
}

// TestRefusals: errors name the place and the way out.
func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		make func(b *bench) string
		want error
		says []string
	}{
		"not there":     {func(b *bench) string { return b.path("nowhere") }, hook.ErrNoRepository, []string{"PATH is not there"}},
		"a file":        {func(b *bench) string { return b.write("file", "", 0o644) }, hook.ErrNoRepository, []string{"no folder"}},
		"no repository": {func(b *bench) string { return b.mkdir("plain") }, hook.ErrNoRepository, []string{"not a git repository"}},
		"hooks are off": {func(b *bench) string {
			d := b.repository("r")
			b.git(d, "config", "core.hooksPath", "/dev/null")
			return d
		}, hook.ErrPlace, []string{"/dev/null", ".git/config", "no hooks at all"}},
		"a file of hooks": {func(b *bench) string {
			d := b.repository("r")
			_ = os.RemoveAll(d + "/.git/hooks")
			b.write(d+"/.git/hooks", "", 0o644)
			return d
		}, hook.ErrPlace, []string{"/.git/hooks", "move it away"}},
		"a folder": {func(b *bench) string {
			d := b.repository("r")
			_ = os.MkdirAll(d+"/.git/hooks/pre-commit", 0o755)
			return d
		}, hook.ErrPlace, []string{"hooks/pre-commit", "move it away"}},
		"a link to ours": {func(b *bench) string {
			d, other := b.repository("r"), b.repository("o")
			b.install(other)
			_ = os.Symlink(other+"/.git/hooks/pre-push", d+"/.git/hooks/pre-push")
			return d
		}, hook.ErrPlace, []string{"hooks/pre-push", "remove the link"}},
		"of all repositories": {func(b *bench) string {
			d := b.repository("r")
			b.git(d, "config", "--global", "core.hooksPath", b.mkdir("theirs"))
			return d
		}, hook.ErrShared, []string{"/theirs", "gitconfig", "--global"}},
		"cannot be made": {func(b *bench) string {
			d := b.repository("r")
			b.git(d, "config", "core.hooksPath", b.write("file", "", 0o644)+"/hooks")
			return d
		}, hook.ErrPlace, []string{"/file"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			p, err := hook.Locate(context.Background(), hook.Git{Env: b.env}, c.make(b))
			if err == nil {
				_, err = p.Install(context.Background(), b.request())
			}
			if !errors.Is(err, c.want) {
				t.Fatalf("error: %v", err)
			}
			for _, s := range c.says {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("it does not say %q: %v", s, err)
				}
			}
		})
	}
}

func TestNoGit(t *testing.T) {
	b := newBench(t)
	t.Setenv("PATH", b.mkdir("empty"))
	if _, err := hook.Locate(context.Background(), hook.Git{Env: b.env}, b.dir); !errors.Is(err, hook.ErrNoGit) || !strings.Contains(err.Error(), "install it") {
		t.Errorf("error: %v", err)
	}
}

// TestForcedIntoShared: --force writes where it was told to.
func TestForcedIntoShared(t *testing.T) {
	b := newBench(t)
	dir := b.repository("r")
	b.git(dir, "config", "--global", "core.hooksPath", b.mkdir("theirs"))
	q := b.request()
	q.Force = hook.Forced
	if _, err := b.locate(dir).Install(context.Background(), q); err != nil {
		t.Fatal(err)
	}
	if len(b.snapshot(b.path("theirs"))) != 3 {
		t.Error("it is not there")
	}
	if got := done(b.uninstall(dir)); got != "pre-commit removed, pre-merge-commit removed, pre-push removed" {
		t.Errorf("uninstall: %s", got)
	}
}

// TestOfAnotherRepository: a hook or an alias has a repository in its
// environment; the one that was named counts.
func TestOfAnotherRepository(t *testing.T) {
	b := newBench(t)
	dir, other := b.repository("r"), b.repository("o")
	b.env = append(b.env, "GIT_DIR="+other+"/.git", "GIT_WORK_TREE="+other, "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=core.hooksPath", "GIT_CONFIG_VALUE_0=/nowhere")
	if p := b.locate(dir); p.Dir != filepath.Join(dir, ".git/hooks") {
		t.Errorf("hooks of %s", p.Dir)
	}
}
