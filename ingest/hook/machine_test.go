package hook_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/ingest/hook"
)

func (b *bench) installMachine(scope hook.Scope, names ...string) []hook.Change {
	b.t.Helper()
	changes, err := b.machine(scope).Install(context.Background(), b.request(names...))
	if err != nil {
		b.t.Fatal(err)
	}
	return changes
}

func (b *bench) uninstallMachine(scope hook.Scope) []hook.Change {
	b.t.Helper()
	changes, err := b.machine(scope).Uninstall(context.Background(), b.request())
	if err != nil {
		b.t.Fatal(err)
	}
	return changes
}

func (b *bench) inForce(scope hook.Scope) hook.InForce {
	b.t.Helper()
	in, err := b.machine(scope).Status(context.Background(), hook.Looker{Now: time.Now()})
	if err != nil {
		b.t.Fatal(err)
	}
	return in
}

const scanned = "scan hook run pre-commit --on-bad-pack block --\n"

// echoing is a hook that says that it ran.
func echoing(word string) string { return "#!/bin/sh\necho " + word + ` >>"$LOG"` + "\n" }

// TestMachine: every repository is scanned, its own hooks run all the same, and
// afterwards everything is as it was.
func TestMachine(t *testing.T) {
	for _, scope := range []hook.Scope{hook.Global, hook.System} {
		t.Run(string(scope), func(t *testing.T) {
			b := newBench(t)
			dir := b.repository("r")
			config := map[hook.Scope]string{hook.Global: "gitconfig", hook.System: "system"}[scope]
			before := b.read(b.path(config))
			own := filepath.Join(dir, ".git/hooks")
			b.write(filepath.Join(own, "pre-commit"), echoing("own"), 0o755)
			b.write(filepath.Join(own, "post-commit"), echoing("after"), 0o755)
			b.write(filepath.Join(own, "pre-push"), formerHook, 0o755)
			if in := b.inForce(scope); in.Protected() || in.Folder != "" {
				t.Errorf("before: %+v", in)
			}
			for _, c := range b.installMachine(scope) {
				if c.Done != hook.Installed {
					t.Errorf("%+v", c)
				}
			}
			for _, c := range b.installMachine(scope) {
				if c.Done != hook.Unchanged {
					t.Errorf("the second time: %+v", c)
				}
			}
			if in := b.inForce(scope); !in.Protected() || len(in.Hooks) != 3 {
				t.Errorf("in force: %+v", in)
			}
			if err := b.commit(dir); err != nil {
				t.Fatal(err)
			}
			if got := b.logged(); got != scanned+"own\nafter\n" {
				t.Errorf("ran: %q", got)
			}
			if out, err := b.pushed(dir); err != nil {
				t.Errorf("push: %v %s", err, out)
			}
			if got := b.logged(); strings.Count(got, "scanned HEAD") != 2 || strings.Count(got, "former read HEAD") != 2 || !strings.Contains(got, "former pre-push up") {
				t.Errorf("pushing ran: %q", got)
			}
			if s := b.status(dir); !s.Protected || s.Hooks[0].By != "revenant for the machine" || len(s.NotRunning) > 0 {
				t.Errorf("status: %+v", s)
			}
			b.write("refuse", "", 0o644)
			if b.commit(dir) == nil {
				t.Error("what is refused goes through")
			}
			b.logged()
			if out := b.git(dir, "commit", "-q", "-m", "around", "--no-verify"); out != "" || b.logged() != "after\n" {
				t.Errorf("around: %s", out)
			}
			b.uninstallMachine(scope)
			if got := b.read(b.path(config)); strings.TrimSpace(got) != strings.TrimSpace(before) {
				t.Errorf("configuration: %q, before %q", got, before)
			}
			if _, err := os.Stat(b.machine(scope).Dir); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the folder stays: %v", err)
			}
			if b.uninstallMachine(scope) != nil {
				t.Error("uninstalled twice")
			}
		})
	}
}

// TestMachineShapes: the repository's own hooks run from every kind of
// repository, and the scan happens once where they are ours.
func TestMachineShapes(t *testing.T) {
	for name, make := range shapes() {
		if strings.HasPrefix(name, "hooksPath") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			dir, own := make(b)
			b.write(filepath.Join(own, "pre-commit"), echoing("own"), 0o755)
			b.installMachine(hook.Global)
			changes := b.install(dir)
			if len(changes) != 3 || b.read(filepath.Join(own, "pre-commit")) != b.read(changes[0].Path) {
				t.Errorf("install: %+v", changes)
			}
			if err := b.commit(dir); err != nil {
				t.Fatal(err)
			}
			if got := b.logged(); got != scanned+"own\n" {
				t.Errorf("ran: %q", got)
			}
			// What a user has set by chance, or a hook that commits elsewhere has
			// inherited, silences nothing.
			b.uninstallMachine(hook.Global)
			b.env = append(b.env, "REVENANT_HOOK_RAN=pre-commit 1")
			if err := b.commit(dir); err != nil {
				t.Fatal(err)
			}
			if got := b.logged(); got != scanned+"own\n" {
				t.Errorf("ran: %q", got)
			}
		})
	}
}

// TestMachineFormer: a core.hooksPath that was set before is passed on to, and
// comes back.
func TestMachineFormer(t *testing.T) {
	for name, value := range map[string]string{"absolute": "", "home": "~/theirs", "relative": "../theirs"} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			dir := b.repository("r")
			at := b.path("theirs")
			if name == "home" {
				at = b.path("home/theirs")
			}
			if value == "" {
				value = at
			}
			b.write(at+"/pre-commit", echoing("theirs"), 0o755)
			b.write(at+"/post-commit", echoing("after"), 0o755)
			b.write(filepath.Join(dir, ".git/hooks/pre-commit"), echoing("hidden before"), 0o755)
			b.git(dir, "config", "--global", "core.hooksPath", value)
			before := b.read(b.path("gitconfig"))
			b.installMachine(hook.Global)
			b.installMachine(hook.Global)
			if err := b.commit(dir); err != nil {
				t.Fatal(err)
			}
			if got := b.logged(); got != scanned+"theirs\nafter\n" {
				t.Errorf("ran: %q", got)
			}
			if in := b.inForce(hook.Global); in.Former != value {
				t.Errorf("in force: %+v", in)
			}
			b.uninstallMachine(hook.Global)
			if diff := cmp.Diff(before, b.read(b.path("gitconfig"))); diff != "" {
				t.Errorf("configuration (-before +after):\n%s", diff)
			}
		})
	}
}

// TestUserOverMachine: a user's setting hides the machine's; its hooks run
// still, and the scan happens once.
func TestUserOverMachine(t *testing.T) {
	b := newBench(t)
	dir := b.repository("r")
	b.write(filepath.Join(dir, ".git/hooks/pre-commit"), echoing("own"), 0o755)
	b.installMachine(hook.System)
	b.installMachine(hook.Global)
	b.install(dir)
	if err := b.commit(dir); err != nil {
		t.Fatal(err)
	}
	if got := b.logged(); got != scanned+"own\n" {
		t.Errorf("ran: %q", got)
	}
	b.uninstallMachine(hook.System)
	if err := b.commit(dir); err != nil {
		t.Fatal(err)
	}
	if got := b.logged(); got != scanned+"own\n" {
		t.Errorf("ran without the machine's: %q", got)
	}
}

// TestMachineSettings: chosen hooks, another folder, a user who changed the
// setting since.
func TestMachineSettings(t *testing.T) {
	b := newBench(t)
	dir := b.repository("r")
	b.installMachine(hook.Global, "pre-push")
	if err := b.commit(dir); err != nil || b.logged() != "" {
		t.Error("pre-commit scans, and was not chosen")
	}
	if in := b.inForce(hook.Global); len(in.Hooks) != 1 || in.Hooks[0].Name != "pre-push" {
		t.Errorf("in force: %+v", in)
	}
	b.git(dir, "config", "--global", "core.hooksPath", "~/theirs")
	b.installMachine(hook.Global)
	moved := b.machine(hook.Global)
	moved.Dir = b.path("other folder")
	if _, err := moved.Install(context.Background(), b.request()); err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(b.git(dir, "config", "--global", "core.hooksPath")); got != moved.Dir {
		t.Errorf("hooks of %s", got)
	}
	if _, err := os.Stat(b.machine(hook.Global).Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the old folder stays: %v", err)
	}
	if err := b.commit(dir); err != nil || b.logged() != scanned {
		t.Error("it does not scan")
	}
	b.uninstallMachine(hook.Global) // finds the folder by the setting
	if got := strings.TrimSpace(b.git(dir, "config", "--global", "core.hooksPath")); got != "~/theirs" {
		t.Errorf("restored: %s", got)
	}
	b.installMachine(hook.Global)
	b.git(dir, "config", "--global", "core.hooksPath", "~/later")
	b.uninstallMachine(hook.Global)
	if got := strings.TrimSpace(b.git(dir, "config", "--global", "core.hooksPath")); got != "~/later" {
		t.Errorf("what was set since is gone: %s", got)
	}
}

// TestMachineRefusals: errors name the place and the way out.
func TestMachineRefusals(t *testing.T) {
	b := newBench(t)
	m := b.machine(hook.Global)
	b.write(m.Dir+"/pre-commit", echoing("theirs"), 0o755)
	if _, err := m.Install(context.Background(), b.request()); !errors.Is(err, hook.ErrPlace) || !strings.Contains(err.Error(), "--hooks-folder") {
		t.Errorf("a folder in use: %v", err)
	}
	m.Dir = b.path("file/hooks")
	b.write("file", "", 0o644)
	if _, err := m.Install(context.Background(), b.request()); !errors.Is(err, hook.ErrPlace) || !strings.Contains(err.Error(), b.path("file")) {
		t.Errorf("a folder that cannot be made: %v", err)
	}
	m.Dir = b.path("line\nbreak")
	if _, err := m.Install(context.Background(), b.request()); !errors.Is(err, hook.ErrSetting) {
		t.Errorf("a folder that git cannot be told: %v", err)
	}
	b.installMachine(hook.System)
	path := b.machine(hook.System).Dir + "/update"
	b.write(path, b.read(path)+"# mine\n", 0o755)
	if _, err := b.machine(hook.System).Install(context.Background(), b.request()); !errors.Is(err, hook.ErrChanged) || !strings.Contains(err.Error(), path) {
		t.Errorf("changed by hand: %v", err)
	}
	if _, err := b.machine(hook.System).Uninstall(context.Background(), b.request()); !errors.Is(err, hook.ErrChanged) {
		t.Errorf("changed by hand: %v", err)
	}
	q := b.request()
	q.Force = hook.Forced
	if _, err := b.machine(hook.System).Uninstall(context.Background(), q); err != nil {
		t.Errorf("forced: %v", err)
	}
}

// TestHiding: the status says what hides what.
func TestHiding(t *testing.T) {
	b := newBench(t)
	dir := b.repository("r")
	for _, name := range []string{"pre-commit", "reference-transaction", "post-index-change", "commit-msg"} {
		b.write(filepath.Join(dir, ".git/hooks", name), "#!/bin/sh\n", 0o755)
	}
	b.write(filepath.Join(dir, ".git/hooks/update"), "#!/bin/sh\n", 0o644) // git would not run it
	b.installMachine(hook.Global)
	s := b.status(dir)
	if diff := cmp.Diff([]string{"post-index-change", "reference-transaction"}, s.NotRunning); diff != "" || !s.Protected {
		t.Errorf("not running (-want +got):\n%s %+v", diff, s)
	}
	b.install(dir)
	b.git(dir, "config", "core.hooksPath", ".husky/_")
	b.write(filepath.Join(dir, ".husky/_/pre-commit"), "#!/bin/sh\n", 0o755)
	s = b.status(dir)
	if s.Protected || !slices.Contains(s.NotRunning, "commit-msg") || s.Setting != "local" {
		t.Errorf("status: %+v", s)
	}
	if all := fmt.Sprint(s.Notes); !strings.Contains(all, "do not run here: core.hooksPath is "+dir+"/.husky/_") || !strings.Contains(all, "pre-push is installed, and git does not run it") {
		t.Errorf("notes: %s", all)
	}
	// What was installed before the setting is found and taken away.
	b.uninstallMachine(hook.Global)
	if got := done(b.uninstall(dir)); got != "pre-commit restored, pre-merge-commit removed, pre-push removed" {
		t.Errorf("uninstall: %s", got)
	}
	b.git(dir, "config", "core.hooksPath", "/dev/null")
	if s := b.status(dir); s.Protected || !strings.Contains(fmt.Sprint(s.Notes), "no hooks at all") {
		t.Errorf("switched off: %+v", s)
	}
}

// TestOverrides are counted.
func TestOverrides(t *testing.T) {
	b := newBench(t)
	dir := b.repository("r")
	if n := b.status(dir).Overrides; n != 0 {
		t.Errorf("%d", n)
	}
	b.write(filepath.Join(dir, ".git/revenant/overrides"), "one\ntwo\n", 0o600)
	b.git(dir, "worktree", "add", "-q", b.path("linked"))
	if n := b.status(b.path("linked")).Overrides; n != 2 {
		t.Errorf("%d", n)
	}
}

// TestLinkedInCircle: a repository whose own folder leads to the machine's.
func TestLinkedInCircle(t *testing.T) {
	b := newBench(t)
	dir := b.repository("r")
	b.installMachine(hook.Global)
	own := filepath.Join(dir, ".git/hooks")
	if err := errors.Join(os.RemoveAll(own), os.Symlink(b.machine(hook.Global).Dir, own)); err != nil {
		t.Fatal(err)
	}
	if err := b.commit(dir); err != nil || b.logged() != scanned {
		t.Errorf("commit: %v", err)
	}
}
