package files_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/files"
	"revenant/scanners/sourcetest"
)

func write(t *testing.T, root, path, content string) {
	t.Helper()
	full := filepath.Join(root, path)
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, target, path string) {
	t.Helper()
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}

func newDir(t *testing.T, o files.DirOptions) scanners.Source {
	t.Helper()
	s, err := files.NewDir(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func subject(o files.DirOptions, want map[string]string, skips map[string]fingerprints.SkipReason) sourcetest.Subject {
	return sourcetest.Subject{
		New: func(t *testing.T, cursor []byte) scanners.Source {
			o := o
			o.Cursor, o.Batch = cursor, 1
			return newDir(t, o)
		},
		Want: want, Skips: skips, Resumes: true,
	}
}

func TestTree(t *testing.T) {
	root := t.TempDir()
	want := map[string]string{
		"b.txt": "two", "a/1": "one", "a/2/deep": "three", "a.txt": "four", "empty": "",
		".git/config": "five", "a/.hidden": "six", "not-utf8-\xff\xfe": "seven", "new\nline": "eight",
		"z/" + strings.Repeat("n", 200): "nine",
	}
	for path, content := range want {
		write(t, root, path, content)
	}
	if err := os.Mkdir(filepath.Join(root, "nothing"), 0o755); err != nil {
		t.Fatal(err)
	}
	sourcetest.Run(t, subject(files.DirOptions{Root: root}, want, nil))
}

func TestOrder(t *testing.T) {
	root := t.TempDir()
	for _, p := range []string{"b", "a/z", "a.b", "a-b", "a/a"} {
		write(t, root, p, p)
	}
	items, _, _ := sourcetest.Drain(t, newDir(t, files.DirOptions{Root: root}))
	var got []string
	for _, it := range items {
		got = append(got, it.Path)
	}
	if diff := cmp.Diff([]string{"a/a", "a/z", "a-b", "a.b", "b"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestSpecialFiles(t *testing.T) {
	root := t.TempDir()
	write(t, root, "plain", "content")
	if err := syscall.Mkfifo(filepath.Join(root, "fifo"), 0o644); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(root, "socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	outside := t.TempDir()
	write(t, outside, "secret", "outside")
	link(t, filepath.Join(outside, "secret"), filepath.Join(root, "out-file"))
	link(t, outside, filepath.Join(root, "out-dir"))
	link(t, "/dev/zero", filepath.Join(root, "zero"))
	link(t, ".", filepath.Join(root, "self"))
	link(t, "ring-b", filepath.Join(root, "ring-a"))
	link(t, "ring-a", filepath.Join(root, "ring-b"))
	link(t, "plain", filepath.Join(root, "inner"))
	link(t, "nowhere", filepath.Join(root, "dangling"))
	if err := os.Link(filepath.Join(root, "plain"), filepath.Join(root, "twin")); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"plain": "content", "twin": "content", "inner": "plain", "dangling": "nowhere"}
	skips := map[string]fingerprints.SkipReason{
		"fifo": fingerprints.SkipSpecial, "socket": fingerprints.SkipSpecial,
		"out-file": fingerprints.SkipSymlink, "out-dir": fingerprints.SkipSymlink, "zero": fingerprints.SkipSymlink,
		"self": fingerprints.SkipLoop, "ring-a": fingerprints.SkipLoop, "ring-b": fingerprints.SkipLoop,
	}
	sourcetest.Run(t, subject(files.DirOptions{Root: root}, want, skips))

	// Followed: what lies outside is read, each directory once, devices never.
	link(t, root, filepath.Join(outside, "back"))
	want = map[string]string{"plain": "content", "out-file": filepath.Join(outside, "secret") + "outside", "out-dir/secret": "outside"}
	delete(skips, "out-file")
	delete(skips, "out-dir")
	skips["zero"] = fingerprints.SkipSpecial
	skips["out-dir/back"] = fingerprints.SkipLoop
	sourcetest.Run(t, subject(files.DirOptions{Root: root, Links: files.LinksFollow}, want, skips))
}

func TestUnreadable(t *testing.T) {
	if os.Getuid() == 0 {
		unreadableAsRoot(t)
		return
	}
	root := t.TempDir()
	write(t, root, "ok", "content")
	write(t, root, "closed", "x")
	write(t, root, "dir/inner", "x")
	for _, p := range []string{"closed", "dir"} {
		full := filepath.Join(root, p)
		if err := os.Chmod(full, 0); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.Chmod(full, 0o755) })
	}
	sourcetest.Run(t, subject(files.DirOptions{Root: root}, map[string]string{"ok": "content"}, map[string]fingerprints.SkipReason{
		"closed": fingerprints.SkipUnreadable, "dir": fingerprints.SkipUnreadable,
	}))
}

// unreadableAsRoot: root may read everything, but a path over the system's
// bound cannot be opened by anybody.
func unreadableAsRoot(t *testing.T) {
	root := t.TempDir()
	write(t, root, "a", "content")
	dir, err := os.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { dir.Close() }()
	name := strings.Repeat("d", 250)
	rel := ""
	for range 17 { // 17 * 251 bytes are over PATH_MAX
		if err := syscall.Mkdirat(int(dir.Fd()), name, 0o755); err != nil {
			t.Fatal(err)
		}
		fd, err := syscall.Openat(int(dir.Fd()), name, syscall.O_RDONLY|syscall.O_DIRECTORY, 0)
		if err != nil {
			t.Fatal(err)
		}
		dir.Close()
		dir = os.NewFile(uintptr(fd), name)
	}
	for rel = name; len(root)+1+len(rel) < 4095; {
		rel += "/" + name
	}
	sourcetest.Run(t, subject(files.DirOptions{Root: root}, map[string]string{"a": "content"},
		map[string]fingerprints.SkipReason{rel: fingerprints.SkipUnreadable}))
}

func TestExclude(t *testing.T) {
	root := t.TempDir()
	for _, p := range []string{"keep", "node_modules/x", "src/node_modules/y", "src/a.log", "src/b.go", "docs/deep/c.md"} {
		write(t, root, p, p)
	}
	o := files.DirOptions{Root: root, Exclude: []string{"node_modules", "**/*.log", "docs/**"}}
	sourcetest.Run(t, subject(o, map[string]string{"keep": "keep", "src/b.go": "src/b.go"}, map[string]fingerprints.SkipReason{
		"node_modules": fingerprints.SkipExcluded, "src/node_modules": fingerprints.SkipExcluded,
		"src/a.log": fingerprints.SkipExcluded, "docs": fingerprints.SkipExcluded,
	}))
	if _, err := files.NewDir(files.DirOptions{Root: root, Exclude: []string{"[a"}}); !errors.Is(err, files.ErrBadGlob) {
		t.Errorf("a broken glob: %v", err)
	}
}

func TestSingleFile(t *testing.T) {
	root := t.TempDir()
	write(t, root, "one.txt", "content")
	file := filepath.Join(root, "one.txt")
	sourcetest.Run(t, subject(files.DirOptions{Root: file}, map[string]string{"one.txt": "content"}, nil))
	if got, want := newDir(t, files.DirOptions{Root: file}).ID(), "dir:"+file; got != want {
		t.Errorf("id %q, want %q", got, want)
	}
	fifo := filepath.Join(root, "fifo")
	if err := syscall.Mkfifo(fifo, 0o644); err != nil {
		t.Fatal(err)
	}
	sourcetest.Run(t, subject(files.DirOptions{Root: fifo}, map[string]string{}, map[string]fingerprints.SkipReason{"fifo": fingerprints.SkipSpecial}))
}

func TestNoRoot(t *testing.T) {
	name := "missing-" + strings.Repeat("s", 20)
	_, err := files.NewDir(files.DirOptions{Root: filepath.Join(t.TempDir(), name)})
	if !errors.Is(err, files.ErrNoRoot) || strings.Contains(err.Error(), name) {
		t.Errorf("got %v", err)
	}
	if _, err := files.NewDir(files.DirOptions{Root: t.TempDir(), Cursor: []byte("{")}); !errors.Is(err, files.ErrBadCursor) {
		t.Errorf("a broken cursor: %v", err)
	}
}

// open walks to the one file and opens it after change was called.
func open(t *testing.T, root string, change func()) (io.ReadCloser, error) {
	t.Helper()
	b, err := newDir(t, files.DirOptions{Root: root}).Next(context.Background())
	if !errors.Is(err, io.EOF) || len(b.Items) != 1 {
		t.Fatalf("%d items, %v", len(b.Items), err)
	}
	change()
	return b.Items[0].Open(context.Background())
}

func reason(err error) fingerprints.SkipReason {
	var s *scanners.SkipError
	if errors.As(err, &s) {
		return s.Reason
	}
	return ""
}

func TestChangesBeforeOpening(t *testing.T) {
	tests := []struct {
		name   string
		change func(path string) error
		want   fingerprints.SkipReason
	}{
		{"vanished", os.Remove, fingerprints.SkipVanished},
		{"became a FIFO", func(p string) error { return errors.Join(os.Remove(p), syscall.Mkfifo(p, 0o644)) }, fingerprints.SkipSpecial},
		{"became a link", func(p string) error { return errors.Join(os.Remove(p), os.Symlink("/dev/zero", p)) }, fingerprints.SkipSymlink},
		{"became a directory", func(p string) error { return errors.Join(os.Remove(p), os.Mkdir(p, 0o755)) }, fingerprints.SkipSpecial},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			root := t.TempDir()
			write(t, root, "file", "content")
			_, err := open(t, root, func() {
				if err := tt.change(filepath.Join(root, "file")); err != nil {
					t.Fatal(err)
				}
			})
			if got := reason(err); got != tt.want {
				t.Errorf("got %q (%v), want %q", got, err, tt.want)
			}
		})
	}
}

func TestChangesWhileReading(t *testing.T) {
	later := time.Now().Add(time.Hour)
	small, large := "contents", strings.Repeat("contents", 8<<10) // a small file is read at once
	grow := func(p string) error { return appendTo(p, "more") }
	shorten := func(p string) error { return os.Truncate(p, 2) }
	rewrite := func(p string) error {
		b, err := os.ReadFile(p)
		return errors.Join(err, os.WriteFile(p, bytes.ToUpper(b), 0o644), os.Chtimes(p, later, later))
	}
	tests := []struct {
		name, content string
		change        func(path string) error
		want          fingerprints.SkipReason
		read          int
	}{
		{"grew", small, grow, "", len(small) + 4},
		{"cut short", small, shorten, fingerprints.SkipChanging, len(small)},
		{"rewritten", small, rewrite, fingerprints.SkipChanging, len(small)},
		{"large: grew", large, grow, "", len(large) + 4},
		{"large: cut short", large, shorten, fingerprints.SkipChanging, 4},
		{"large: rewritten", large, rewrite, fingerprints.SkipChanging, len(large)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			root := t.TempDir()
			write(t, root, "file", tt.content)
			rc, err := open(t, root, func() {})
			if err != nil {
				t.Fatal(err)
			}
			defer rc.Close()
			buf := make([]byte, 4)
			if _, err := io.ReadFull(rc, buf); err != nil {
				t.Fatal(err)
			}
			if err := tt.change(filepath.Join(root, "file")); err != nil {
				t.Fatal(err)
			}
			rest, err := io.ReadAll(rc)
			if got := reason(err); got != tt.want || len(rest)+4 != tt.read {
				t.Errorf("read %d bytes, reason %q; want %d, %q", len(rest)+4, got, tt.read, tt.want)
			}
		})
	}
}

func appendTo(path, s string) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(s)
	return errors.Join(err, f.Close())
}

// TestEndless: a file that is written faster than it is read ends.
func TestEndless(t *testing.T) {
	root := t.TempDir()
	write(t, root, "file", "")
	path := filepath.Join(root, "file")
	rc, err := open(t, root, func() {})
	if err != nil {
		t.Fatal(err)
	}
	defer rc.Close()
	if err := os.Truncate(path, 1<<40); err != nil { // a hole, as long as a disk
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, rc)
	if reason(err) != fingerprints.SkipTooLarge || n > 1<<30 {
		t.Errorf("%d bytes, %v", n, err)
	}
}

func TestKernelMade(t *testing.T) {
	if runtime.GOOS != "linux" {
		return // other systems have no such trees
	}
	sourcetest.Run(t, sourcetest.Subject{
		New: func(t *testing.T, cursor []byte) scanners.Source {
			return newDir(t, files.DirOptions{Root: "/proc", Cursor: cursor})
		},
		Want: map[string]string{},
	})
	b, err := newDir(t, files.DirOptions{Root: "/proc"}).Next(context.Background())
	if !errors.Is(err, io.EOF) || len(b.Items) != 0 || len(b.Skipped) != 1 || b.Skipped[0].Reason != fingerprints.SkipSpecial {
		t.Errorf("%d items, %d skips, %v", len(b.Items), len(b.Skipped), err)
	}
}

// TestResumeAfterChange: a directory that changed is walked again.
func TestResumeAfterChange(t *testing.T) {
	root := t.TempDir()
	for _, p := range []string{"a/1", "a/3", "b"} {
		write(t, root, p, p)
	}
	src := newDir(t, files.DirOptions{Root: root, Batch: 1})
	b, err := src.Next(context.Background())
	if err != nil || b.Items[0].Path != "a/1" {
		t.Fatal(err)
	}
	write(t, root, "a/0", "new")
	if err := os.Chtimes(filepath.Join(root, "a"), time.Time{}, time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	items, _, _ := sourcetest.Drain(t, newDir(t, files.DirOptions{Root: root, Cursor: b.Cursor}))
	var got []string
	for _, it := range items {
		got = append(got, it.Path)
	}
	if diff := cmp.Diff([]string{"a/0", "a/1", "a/3", "b"}, got); diff != "" {
		t.Error(diff)
	}
}

// Archives are opened where they lie: a file can be read at any offset, and is
// still read from its beginning after that.
func TestRandomAccess(t *testing.T) {
	root := t.TempDir()
	write(t, root, "f", "0123456789")
	b, err := newDir(t, files.DirOptions{Root: root}).Next(t.Context())
	if err != nil && !errors.Is(err, io.EOF) || len(b.Items) != 1 {
		t.Fatalf("%d items, %v", len(b.Items), err)
	}
	rc, err := b.Items[0].Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer rc.Close()
	at, ok := rc.(interface {
		io.ReaderAt
		Size() int64
	})
	if !ok || at.Size() != 10 {
		t.Fatalf("no random access: %T", rc)
	}
	part := make([]byte, 4)
	if n, err := at.ReadAt(part, 8); n != 2 || !errors.Is(err, io.EOF) || string(part[:n]) != "89" {
		t.Errorf("got %q, %v", part[:n], err)
	}
	if all, err := io.ReadAll(rc); string(all) != "0123456789" || err != nil {
		t.Errorf("got %q, %v", all, err)
	}
}
