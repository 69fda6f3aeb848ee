package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// What a flag names is replaced only where it is a regular file: a device, a
// pipe and a link stay what they are.
func TestOutputInPlace(t *testing.T) {
	b := newBox(t)
	b.must(0, "", "init")
	b.write("a.txt", "nothing here\n")

	fifo := b.out("fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	read := make(chan string)
	go func() {
		got, err := os.ReadFile(fifo)
		if err != nil {
			t.Error(err)
		}
		read <- string(got)
	}()
	b.must(0, "", "dir", b.work, "-r", fifo)
	if got := <-read; got != "[]\n" {
		t.Errorf("the pipe got %q", got)
	}
	if info, err := os.Lstat(fifo); err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		t.Errorf("the pipe was replaced: %v, %v", info.Mode(), err)
	}

	target, link := b.out("target.json"), b.out("link.json")
	if err := os.WriteFile(target, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	b.must(0, "", "dir", b.work, "-r", link)
	if got, err := os.ReadFile(target); err != nil || string(got) != "[]\n" {
		t.Errorf("behind the link: %q, %v", got, err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link was replaced: %v, %v", info.Mode(), err)
	}

	if r := b.must(0, "", "dir", b.work, "-q", "-r", "/dev/stdout"); r.stdout != "[]\n" {
		t.Errorf("/dev/stdout got %q", r.stdout)
	}
	r := b.must(2, "", "dir", b.work, "-r", b.dir)
	if !strings.Contains(r.stderr, "--report-path names a folder") {
		t.Errorf("a folder as report: %s", r.stderr)
	}
	b.must(2, "", "dir", b.work, "-r", filepath.Join(b.dir, "no", "folder", "x.json"))
	for _, args := range [][]string{
		{"pack", "export", "--key-out", link, "--out", b.out("edge.pack")},
		{"pack", "export", "--key-out", b.out("edge.key"), "--out", link},
		{"audit", "checkpoint", "--out", link},
	} {
		b.must(0, "", args...)
		if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
			t.Errorf("%v replaced the link: %v, %v", args, info.Mode(), err)
		}
	}
}

// People put a value or a passphrase where a file's name belongs.
func TestFileNamesAreNotRepeated(t *testing.T) {
	b := newBox(t)
	b.must(0, "", "init")
	b.must(0, generated(1), "secret", "add", "known")
	typed := "Correct-" + "Horse_Battery=Staple"
	for _, args := range [][]string{
		{"secret", "add", "a", "--file", typed},
		{"secret", "add", "a", "--file", "/" + typed},
		{"secret", "add", "a", "--file", b.write("plain", "x") + "/" + typed},
		{"secret", "add", "a", "--file", strings.Repeat(typed, 200)},
		{"secret", "add", "a", "--field", "password=" + typed},
		{"secret", "rotate", "known", "--file", typed},
		{"secret", "import", typed},
		{"key", "backup", "--out", b.out("ring"), "--passphrase-file", typed},
		{"key", "restore", typed},
		{"key", "restore", typed, "--identity", typed},
		{"key", "verify", "--backup", typed, "--passphrase-file", b.write("pass", "x")},
		{"dir", b.work, "--pack", typed, "--pack-key", typed},
		{"pack", "inspect", typed},
		{"prove", "--verify", typed},
		{"prove", "--verify", b.write("proof", "{}"), "--public-key", typed},
		{"audit", "verify", "--against", typed},
	} {
		r := b.must(2, "", args...)
		if strings.Contains(r.stdout+r.stderr, "Horse_") {
			t.Errorf("%v repeats what was typed: %s", args[:2], r.stderr)
		}
		if !strings.Contains(r.stderr, "no such file") {
			t.Errorf("%v: %s", args[:2], r.stderr)
		}
	}
}

// A scan in a container without HOME still searches with the generic rules.
func TestScanWithoutHome(t *testing.T) {
	b := newBox(t)
	b.write("a.txt", "nothing here\n")
	b.env = []string{asRevenant + "=1", "PATH=" + os.Getenv("PATH")}
	r := b.must(0, "", "dir", b.work)
	if !strings.Contains(r.stdout, "generic rules only") {
		t.Errorf("a scan without a home: %s%s", r.stdout, r.stderr)
	}
	b.must(2, "", "status")
	b.must(2, "", "dir", b.work, "--only", "registered")
}
