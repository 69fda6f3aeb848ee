package image

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// countedFile counts what is read of a file.
type countedFile struct {
	*os.File
	bytes int64
}

func (c *countedFile) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.File.ReadAt(p, off)
	c.bytes += int64(n)
	return n, err
}

// tarFile is an archive of some files, the first one twice with other content of the same
// size before, with what the names hold.
func tarFile(t *testing.T, n, size int) (archive []byte, want map[string][]byte) {
	t.Helper()
	rng := rand.New(rand.NewPCG(5, 6))
	want = map[string][]byte{}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	add := func(h *tar.Header, data []byte) {
		h.Mode, h.Size = 0o644, int64(len(data))
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	add(&tar.Header{Name: "blobs/0", Typeflag: tar.TypeReg}, make([]byte, size))
	for i := range n {
		data := make([]byte, size-i*1000)
		for j := range data {
			data[j] = "abcdefghijklmnop"[rng.IntN(1+j%16)]
		}
		name := "./blobs/" + strconv.Itoa(i)
		want[name[2:]] = data
		add(&tar.Header{Name: name, Typeflag: tar.TypeReg}, data)
	}
	add(&tar.Header{Name: "old/layer.tar", Typeflag: tar.TypeSymlink, Linkname: "../blobs/3"}, nil)
	want["old/layer.tar"] = want["blobs/3"]
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), want
}

// written packs bytes.
func written(t *testing.T, raw []byte, writer func(io.Writer) (io.WriteCloser, error)) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := writer(&b)
	if err == nil {
		_, err = w.Write(raw)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gzipWriter(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil }

func zstdWriter(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) }

func xzWriter(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) }

// opened is a tar file that counts what is read of it.
func opened(t *testing.T, packed []byte) (*archive, *countedFile) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "saved.tar")
	if err := os.WriteFile(name, packed, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	file := &countedFile{File: f}
	a, err := newArchive(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.close(); err != nil {
			t.Error(err)
		}
	})
	return a, file
}

// TestPackedArchives: the files of a tar file are the same however it is compressed, in
// whatever order they are read, and it is not read anew for each.
func TestPackedArchives(t *testing.T) {
	many, wantMany := tarFile(t, 20, 600_000)
	few, wantFew := tarFile(t, 4, 100_000)
	var members, half bytes.Buffer
	for from := 0; from < len(many); from += 700_000 {
		part := written(t, many[from:min(len(many), from+700_000)], gzipWriter)
		members.Write(part)
		if from < len(many)/2 {
			half.Write(part)
		} else {
			half.Write(many[from:min(len(many), from+700_000)]) // as it is
		}
	}
	for _, c := range []struct {
		how    string
		packed []byte
		want   map[string][]byte
		times  int64 // of its size that are read at the most, in the archive's order
		any    int64 // and in any
	}{
		{"plain", many, wantMany, 2, 2},
		{"gzip", written(t, many, gzipWriter), wantMany, 3, 5},
		{"members", members.Bytes(), wantMany, 3, 5},
		{"half of it members", half.Bytes(), wantMany, 3, 5},
		{"zstd", written(t, many, zstdWriter), wantMany, 3, 20},
		{"xz", written(t, few, xzWriter), wantFew, 3, 8},
	} {
		t.Run(c.how, func(t *testing.T) {
			a, file := opened(t, c.packed)
			read := func(name string) {
				rc, size, err := a.open(name)
				if err != nil || size != int64(len(c.want[name])) {
					t.Fatal(name, size, err)
				}
				got, err := io.ReadAll(rc)
				if err = errors.Join(err, rc.Close()); err != nil || !bytes.Equal(got, c.want[name]) {
					t.Fatalf("%s: %d bytes, %v", name, len(got), err)
				}
			}
			for i := range len(c.want) - 1 {
				read("blobs/" + strconv.Itoa(i))
			}
			if most := c.times * int64(len(c.packed)); file.bytes > most {
				t.Errorf("in order: %d bytes were read of %d", file.bytes, len(c.packed))
			}
			file.bytes = 0
			for name := range c.want { // in any order
				read(name)
			}
			if most := c.any * int64(len(c.packed)); file.bytes > most {
				t.Errorf("in any order: %d bytes were read of %d", file.bytes, len(c.packed))
			}
			if _, _, err := a.open("blobs/none"); !errors.Is(err, fs.ErrNotExist) {
				t.Error(err)
			}
		})
	}
}

// TestPackedArchiveBreaksOff: of an archive that breaks off what is there is read, and
// the rest is not taken for whole.
func TestPackedArchiveBreaksOff(t *testing.T) {
	raw, want := tarFile(t, 6, 300_000)
	packed := written(t, raw, gzipWriter)
	for how, packed := range map[string][]byte{"plain": raw[:len(raw)/2], "gzip": packed[:len(packed)/2]} {
		a, _ := opened(t, packed)
		whole, broken := 0, 0
		for name := range want {
			rc, _, err := a.open(name)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				t.Fatal(how, err)
			}
			got, err := io.ReadAll(rc)
			switch {
			case err == nil && bytes.Equal(got, want[name]):
				whole++
			case errors.Is(err, io.ErrUnexpectedEOF):
				broken++
			default:
				t.Errorf("%s, %s: %d bytes, %v", how, name, len(got), err)
			}
			_ = rc.Close()
		}
		if whole < 2 || broken != 1 {
			t.Errorf("%s: %d whole, %d broken", how, whole, broken)
		}
	}
}

// TestWaypoints: there are few of them, whatever an archive holds.
func TestWaypoints(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	content := make([]byte, 1<<20)
	for i := range 2*mostWays + 30 {
		err := w.WriteHeader(&tar.Header{Name: strconv.Itoa(i), Mode: 0o644, Size: int64(len(content)), Typeflag: tar.TypeReg})
		if err == nil {
			_, err = w.Write(content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	a, _ := opened(t, b.Bytes())
	ways := a.ways.list
	if n := len(ways); n < mostWays/4 || n >= mostWays {
		t.Errorf("%d waypoints", n)
	}
	for i, l := range ways {
		if i > 0 && l.plain-ways[i-1].plain < a.ways.apart {
			t.Errorf("from %d to %d", ways[i-1].plain, l.plain)
		}
	}
	rc, _, err := a.open(strconv.Itoa(2*mostWays + 20))
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, rc); n != int64(len(content)) || err != nil {
		t.Error(n, err)
	}
}

// TestSparseInArchive: a file that tar keeps without its holes is read with them.
func TestSparseInArchive(t *testing.T) {
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, "layer.tar"))
	if err != nil {
		t.Fatal(err)
	}
	want := make([]byte, 5<<20)
	copy(want[4<<20:], planted)
	_, err = f.WriteAt(want[4<<20:], 4<<20)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	for _, how := range []string{"gnu", "posix"} {
		c := exec.CommandContext(t.Context(), "tar", "--sparse", "--format="+how, "-c", "layer.tar")
		c.Dir = dir
		raw, err := c.Output()
		if err != nil || len(raw) > 3<<20 {
			t.Fatal(len(raw), err)
		}
		for _, packed := range [][]byte{raw, written(t, raw, gzipWriter)} {
			a, _ := opened(t, packed)
			rc, _, err := a.open("layer.tar")
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(rc); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: %d bytes, %v", how, len(got), err)
			}
			_ = rc.Close()
		}
	}
}
