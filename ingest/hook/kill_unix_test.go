//go:build unix

package hook_test

import (
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"revenant/ingest/hook"
)

// The test binary acts as an installer, so that it can be killed, or run as
// somebody else.
const asInstaller = "REVENANT_TEST_INSTALLS"

func TestMain(m *testing.M) {
	job := os.Getenv(asInstaller)
	if job == "" {
		os.Exit(m.Run())
	}
	ctx := context.Background()
	var err error
	q := hook.Request{Settings: hook.Settings{Program: "/p", OnBadPack: hook.Block}, Now: time.Now()}
	what, where, _ := strings.Cut(job, " ")
	machine := hook.Machine{Scope: hook.Global, Dir: where}
	switch what {
	case "install", "uninstall":
		var p hook.Place
		if p, err = hook.Locate(ctx, hook.Git{}, where); err != nil {
			break
		}
		if what == "install" {
			_, err = p.Install(ctx, q)
		} else {
			_, err = p.Uninstall(ctx, q)
		}
	case "machine":
		_, err = machine.Install(ctx, q)
	case "system":
		machine.Scope = hook.System
		_, err = machine.Install(ctx, q)
	case "unmachine":
		_, err = machine.Uninstall(ctx, q)
	}
	if err != nil {
		_, _ = os.Stderr.WriteString(err.Error())
		os.Exit(3)
	}
}

func (b *bench) installer(job string) *exec.Cmd {
	c := exec.CommandContext(context.Background(), os.Args[0])
	c.Env = append(b.env, asInstaller+"="+job)
	return c
}

// TestKilled kills installing and uninstalling at random moments: the former
// hook is at its place or kept, byte for byte, and the next run mends the rest.
func TestKilled(t *testing.T) {
	kills := 40
	if testing.Short() {
		kills = 5
	}
	if s := os.Getenv("REVENANT_KILLS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		kills = n
	}
	b := newBench(t)
	dir := b.repository("r")
	path := filepath.Join(dir, ".git/hooks/pre-commit")
	former := "#!/bin/sh\n# the one that must not be lost\n"
	b.write(path, former, 0o751)
	b.git(dir, "config", "--global", "core.hooksPath", "~/theirs")
	b.git(dir, "config", "core.hooksPath", ".git/hooks")
	rng := rand.New(rand.NewPCG(uint64(kills), 3))
	undisturbed := time.Now()
	if out, err := b.installer("install " + dir).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	within := time.Since(undisturbed)
	alive := 0
	for i := range kills {
		job := []string{"install " + dir, "uninstall " + dir, "machine " + b.path("m"), "unmachine " + b.path("m")}[rng.IntN(4)]
		c := b.installer(job)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(time.Duration(rng.Int64N(int64(within))), func() { _ = c.Process.Kill() })
		err := c.Wait()
		timer.Stop()
		if err == nil {
			alive++
		}
		if b.read(path) != former && b.read(path+".before-revenant") != former {
			t.Fatalf("kill %d of %s: the former hook is lost", i, job)
		}
		if b.read(path) == "" {
			t.Fatalf("kill %d of %s: there is no hook at all", i, job)
		}
		// A kill of git's own leaves its lock, as anywhere.
		_ = os.Remove(b.path("gitconfig.lock"))
		set := strings.TrimSpace(b.git(dir, "config", "--global", "core.hooksPath"))
		if set != "~/theirs" && (set != b.path("m") || len(b.snapshot(set)) < 23) {
			t.Fatalf("kill %d of %s: core.hooksPath is %s with %d hooks", i, job, set, len(b.snapshot(set)))
		}
	}
	t.Logf("%d of %d were done before they were killed", alive, kills)
	for _, job := range []string{"install " + dir, "machine " + b.path("m"), "unmachine " + b.path("m"), "uninstall " + dir} {
		if out, err := b.installer(job).CombinedOutput(); err != nil {
			t.Fatalf("%s afterwards: %v %s", job, err, out)
		}
	}
	if info, err := os.Stat(path); err != nil || b.read(path) != former || info.Mode().Perm() != 0o751 {
		t.Errorf("the former hook does not come back: %v", err)
	}
	if set := strings.TrimSpace(b.git(dir, "config", "--global", "core.hooksPath")); set != "~/theirs" {
		t.Errorf("core.hooksPath is %s", set)
	}
}

// TestReadOnly: the place is named and who may write there; as root the
// installer runs as nobody.
func TestReadOnly(t *testing.T) {
	b := newBench(t)
	dir := b.repository("r")
	hooks := filepath.Join(dir, ".git/hooks")
	for at := b.dir; at != filepath.Dir(at) && strings.HasPrefix(at, os.TempDir()+"/"); at = filepath.Dir(at) {
		if err := os.Chmod(at, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	self := b.path("installer")
	text, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	b.write(self, string(text), 0o755)
	before := b.snapshot(hooks)
	b.git(dir, "config", "--global", "safe.directory", "*")
	for job, says := range map[string][]string{
		"install " + dir:               {hooks, "permission denied", "who may write there"},
		"machine " + b.path("x/hooks"): {b.path("x"), "permission denied"},
		"system " + b.path("x/hooks"):  {"sudo revenant hook install --system"},
	} {
		if err := os.Chmod(hooks, 0o555); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(b.dir, 0o555); err != nil {
			t.Fatal(err)
		}
		c := b.installer(job)
		c.Path = self
		if os.Getuid() == 0 {
			c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		}
		out, err := c.CombinedOutput()
		if err := os.Chmod(b.dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err == nil {
			t.Errorf("%s works", job)
		}
		for _, s := range says {
			if !strings.Contains(string(out), s) {
				t.Errorf("%s does not say %q: %s", job, s, out)
			}
		}
	}
	if got := b.snapshot(hooks); len(got) != len(before) {
		t.Errorf("something is left: %v", got)
	}
	if err := os.Chmod(hooks, 0o755); err != nil {
		t.Fatal(err)
	}
}
