package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// wantWords fails unless the process said every word on its error stream or
// standard output.
func (b *box) wantWords(r ran, words ...string) {
	b.t.Helper()
	for _, w := range words {
		if !strings.Contains(r.stderr+r.stdout, w) {
			b.t.Errorf("%q is not in\nstdout: %s\nstderr: %s", w, r.stdout, r.stderr)
		}
	}
}

func TestKeysAndStoreThatDoNotBelongTogether(t *testing.T) {
	a, b := newBox(t), newBox(t)
	a.must(0, "", "init")
	b.must(0, "", "init")
	db, err := os.ReadFile(filepath.Join(b.registry(), "registry.db"))
	if err != nil {
		t.Fatal(err)
	}
	b.must(0, "", "status") // closes cleanly: nothing is left in the log
	own := filepath.Join(a.registry(), "registry.db")
	kept, err := os.ReadFile(own)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{own + "-wal", own + "-shm"} {
		_ = os.Remove(f)
	}
	if err := os.WriteFile(own, db, 0o600); err != nil {
		t.Fatal(err)
	}
	a.wantWords(a.must(3, "", "status"), "do not belong together")
	a.wantWords(a.must(3, "", "dir", a.work), "do not belong together")
	a.wantWords(a.must(3, "", "init"), "do not belong together")
	if err := os.WriteFile(own, kept, 0o600); err != nil {
		t.Fatal(err)
	}
	a.must(0, "", "status")
}

func TestStoreThatIsNone(t *testing.T) {
	for name, content := range map[string]string{
		"text":      strings.Repeat("this is no database\n", 100),
		"empty":     "",
		"cut":       "SQLite format 3\x00",
		"directory": "",
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			b.must(0, "", "init")
			db := filepath.Join(b.registry(), "registry.db")
			for _, f := range []string{db, db + "-wal", db + "-shm"} {
				_ = os.Remove(f)
			}
			var err error
			if name == "directory" {
				err = os.Mkdir(db, 0o700)
			} else {
				err = os.WriteFile(db, []byte(content), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			b.wantWords(b.must(3, "", "status"), "registry.db")
			b.must(3, "", "dir", b.work)
			if name == "text" {
				got, err := os.ReadFile(db)
				if err != nil || string(got) != content {
					t.Error("a file that is no store was changed")
				}
			}
		})
	}
}

func TestMissingRing(t *testing.T) {
	b := newBox(t)
	b.must(0, "", "init")
	if err := os.RemoveAll(filepath.Join(b.registry(), "keys")); err != nil {
		t.Fatal(err)
	}
	b.wantWords(b.must(3, "", "status"), "key restore")
	b.wantWords(b.must(3, "", "dir", b.work), "key restore")
	b.must(3, "", "init") // a new ring would make the store unreadable for ever
}

func TestWithoutARegistry(t *testing.T) {
	b := newBox(t)
	b.write("a.txt", "nothing here\n")
	b.wantWords(b.must(0, "", "dir", b.work), "generic rules only")
	b.wantWords(b.must(3, "", "dir", b.work, "--only", "registered"), "revenant init")
	b.wantWords(b.must(3, "", "secret", "list"), "revenant init")
}

func TestValuesOfEveryKind(t *testing.T) {
	b := newBox(t)
	b.must(0, "", "init")
	rnd := strings.Repeat("q7Zk-2", 1)
	cases := []struct {
		name, value string
		code        int
		words       []string
	}{
		{"empty", "", 2, []string{"empty"}},
		{"newline", "\n\r\n", 2, []string{"empty"}},
		{"seven", rnd + "1", 0, []string{"not searchable"}},
		{"common", "password1", 0, []string{"not searchable"}},
		{"binary", "\x00\x01\xff\xfe" + strings.Repeat("\x80\x03k", 20), 0, nil},
		{"mebibyte", strings.Repeat("0123456789abcdef", 1<<16), 2, []string{"256 KiB"}},
		{"huge", strings.Repeat("x", maxValueInput+10), 2, []string{"MiB"}},
		{"unicode", "pässwörter-ünd-schlüssel-2024", 0, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := *b
			b.t = t
			r := b.must(c.code, c.value, "secret", "add", "v/"+c.name)
			b.wantWords(r, c.words...)
		})
	}
	b.must(0, "", "dir", b.work, "--only", "registered")
}

func TestStoreOfANewerVersion(t *testing.T) {
	b := newBox(t)
	b.must(0, "", "init")
	b.sql("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)")
	b.wantWords(b.must(3, "", "status"), "newer version")
	b.must(3, "", "dir", b.work)
}

func TestFullDisk(t *testing.T) {
	if os.Getuid() != 0 {
		t.Fatal("this test mounts a small file system and needs root, as in CI")
	}
	b := newBox(t)
	b.wantWords(b.must(3, "", "dir", b.work, "-r", "json:/dev/full"), "--report-path", "no space left", "make room")
	small := filepath.Join(b.dir, "registry")
	if err := os.MkdirAll(small, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", small, "tmpfs", 0, "size=2000k"); err != nil {
		t.Fatalf("mounting a small file system: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(small, syscall.MNT_DETACH) })
	b.must(0, "", "init")
	var last ran
	var kept int
	for i := range 40 {
		var lines strings.Builder
		for j := range 50 {
			fmt.Fprintf(&lines, `{"name":"s/%d-%d","value":"%032x"}`+"\n", i, j, (i+3)*7919*(j+11)*104729*1299709)
		}
		if last = b.run(lines.String(), "secret", "import", "-"); last.code != 0 {
			break
		}
		kept += 50
	}
	if last.code != 3 {
		t.Fatalf("the disk never filled up: exit code %d", last.code)
	}
	b.wantWords(last, "no space")
	if err := syscall.Mount("tmpfs", small, "tmpfs", syscall.MS_REMOUNT, "size=20m"); err != nil {
		t.Fatal(err)
	}
	b.must(0, "", "audit", "verify")
	var list []any
	if err := json.Unmarshal([]byte(b.must(0, "", "secret", "list", "--json").stdout), &list); err != nil || len(list) < kept {
		t.Errorf("%d secrets are left of %d, %v", len(list), kept, err)
	}
}

func TestLockedStore(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.must(0, "", "init")
	release := b.hold()
	r := b.run("some-value-that-is-long-enough", "secret", "add", "app/locked")
	release()
	if r.code != 3 {
		t.Errorf("exit code %d, want 3", r.code)
	}
	b.wantWords(r, "locked")
	b.must(0, "some-value-that-is-long-enough", "secret", "add", "app/locked")
}

func TestTreeOfTraps(t *testing.T) {
	b := newBox(t)
	b.must(0, "", "init")
	const value = "trap-value-9f8e7d6c5b4a39281706"
	b.must(0, value, "secret", "add", "app/trap")
	b.write("plain.txt", value)
	b.write("sub/latin-\xe4\xff.txt", value)
	if err := syscall.Mkfifo(filepath.Join(b.work, "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(".", filepath.Join(b.work, "loop")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("b", filepath.Join(b.work, "a")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("a", filepath.Join(b.work, "b")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/hostname", filepath.Join(b.work, "outside")); err != nil {
		t.Fatal(err)
	}
	if err := exec.Command("mknod", filepath.Join(b.work, "device"), "c", "1", "5").Run(); err != nil {
		t.Fatalf("making a device: %v", err)
	}
	done := make(chan ran, 1)
	go func() { done <- b.run("", "dir", b.work, "-f", "json") }()
	var r ran
	select {
	case r = <-done:
	case <-time.After(time.Minute):
		t.Fatal("the scan hangs")
	}
	if r.code != 1 {
		t.Fatalf("exit code %d, want 1\n%s", r.code, r.stderr)
	}
	var found []struct{ File string }
	if err := json.Unmarshal([]byte(r.stdout), &found); err != nil {
		t.Fatal(err)
	}
	if len(found) != 2 {
		t.Errorf("%d findings, want the value in 2 files: %v", len(found), found)
	}
	b.wantWords(r, "not complete", "fifo", "device")
}

func TestUnreadableIsNeverClean(t *testing.T) {
	b := newBox(t)
	b.must(0, "", "init")
	b.must(0, "some-long-value-0123456789abcdef", "secret", "add", "app/x")
	b.write("open.txt", "nothing\n")
	closed := b.write("closed.txt", "nothing\n")
	if err := os.Chmod(closed, 0); err != nil {
		t.Fatal(err)
	}
	code, out := b.asNobody("dir", b.work)
	if code != 3 {
		t.Errorf("exit code %d, want 3\n%s", code, out)
	}
	if !strings.Contains(out, "closed.txt") || !strings.Contains(out, "not complete") {
		t.Errorf("the unreadable file is not named:\n%s", out)
	}
}

// asNobody runs a command line as a user who owns the box and nothing else: root
// may do everything.
func (b *box) asNobody(args ...string) (int, string) {
	t := b.t
	t.Helper()
	for _, d := range []string{b.dir, b.work} {
		if err := filepath.Walk(d, func(p string, _ os.FileInfo, err error) error {
			if err == nil {
				err = os.Lchown(p, 65534, 65534)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	c := b.command(t.Context(), "", args...)
	bin := filepath.Join(b.dir, "out", "revenant.test")
	if !isRegular(bin) {
		self, err := os.ReadFile(os.Args[0])
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(bin, self, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	c.Path = bin
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	for p := b.dir; p != "/" && p != "."; p = filepath.Dir(p) {
		if info, err := os.Stat(p); err == nil && p != b.dir {
			_ = os.Chmod(p, info.Mode().Perm()|0o011)
		}
	}
	out, _ := c.CombinedOutput() // its code is looked at
	return c.ProcessState.ExitCode(), string(out)
}

// TestMessagesOfPermissions: what a user may not read or write is told with the
// flag that names it, or with its own name, and what to do.
func TestMessagesOfPermissions(t *testing.T) {
	b := newBox(t)
	b.must(0, "", "init")
	b.must(0, generated(1), "secret", "add", "a/b")
	at := func(name string) string { return filepath.Join(b.work, name) }
	for _, dir := range []string{"readable", "closed"} {
		if err := os.Mkdir(at(dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	b.write("file", "x\n")
	b.write("closed/file", "x\n")
	for name, mode := range map[string]os.FileMode{"file": 0, "readable": 0o500, "closed": 0} {
		if err := os.Chmod(at(name), mode); err != nil {
			t.Fatal(err)
		}
	}
	ring := filepath.Join(b.registry(), "keys", "ring")
	for _, c := range []struct {
		args   []string
		code   int
		words  []string
		closed string // a file of the registry that is closed
	}{
		{[]string{"dir", "-c", at("file")}, 2, []string{"--config: permission denied", "run as its owner"}, ""},
		{[]string{"dir", "-b", at("closed/file")}, 2, []string{"--baseline-path: permission denied", "run as its owner"}, ""},
		{[]string{"dir", "-r", "json:" + at("readable/x")}, 2, []string{"--report-path: it cannot be written there", "choose another place"}, ""},
		{[]string{"git", at("closed")}, 2, []string{"PATH: permission denied"}, ""},
		{[]string{"migrate", at("closed")}, 2, []string{"PATH: permission denied"}, ""},
		{[]string{"secret", "add", "x", "--file", at("file")}, 2, []string{"--file: permission denied"}, ""},
		{[]string{"--home", at("readable/new"), "init"}, 3, []string{"--home: the folder cannot be made in " + at("readable")}, ""},
		{[]string{"--home", at("closed/old"), "status"}, 3, []string{"--home: the folder may not be looked into"}, ""},
		{[]string{"status"}, 3, []string{ring, "permission denied: run as the owner of the keys"}, ring},
		{[]string{"status"}, 3, []string{"registry.db", "make it readable"}, storeFile(b.registry())},
	} {
		if c.closed != "" {
			if err := os.Chmod(c.closed, 0); err != nil {
				t.Fatal(err)
			}
		}
		code, out := b.asNobody(c.args...)
		if code != c.code || strings.Count(out, "\n") > 2 {
			t.Errorf("%v: exit code %d, want %d\n%s", c.args, code, c.code, out)
		}
		b.wantWords(ran{stderr: out}, c.words...)
		if c.closed != "" {
			if err := os.Chmod(c.closed, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}
