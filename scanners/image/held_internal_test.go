package image

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"revenant/scanners"
)

// served is a layer that counts how it is read. It breaks off after so many bytes, as
// often as it is said to.
type served struct {
	raw          []byte
	opens, bytes atomic.Int64
	breaks       atomic.Int64
	after        int
	open         atomic.Int64
}

func (s *served) blob() blob {
	return blob{digest: "sha256:1", size: int64(len(s.raw)), open: func(context.Context) (io.ReadCloser, error) {
		s.opens.Add(1)
		s.open.Add(1)
		r := &serving{s: s, r: bytes.NewReader(s.raw), left: len(s.raw) + 1}
		if s.breaks.Add(-1) >= 0 {
			r.left = s.after
		}
		return r, nil
	}}
}

type serving struct {
	s    *served
	r    io.Reader
	left int
}

var errHungUp = errors.New("the server hung up")

func (r *serving) Read(p []byte) (int, error) {
	if r.left <= 0 {
		return 0, errHungUp
	}
	n, err := r.r.Read(p[:min(len(p), r.left)])
	r.left -= n
	r.s.bytes.Add(int64(n))
	return n, err
}

func (r *serving) Close() error {
	r.s.open.Add(-1)
	return nil
}

// manyFiles is a layer of so many files of a size, whose content tells which it is.
func manyFiles(t testing.TB, count, size int) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for i := range count {
		h := &tar.Header{Name: fmt.Sprintf("f%d", i), Size: int64(size), Typeflag: tar.TypeReg, PAXRecords: map[string]string{"SCHILY.xattr.user.n": fmt.Sprint(i)}}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, bodyOf(i, size)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func bodyOf(i, size int) string {
	line := fmt.Sprintf("file %d\n", i)
	return strings.Repeat(line, size/len(line)+1)[:size]
}

// TestHeldFilesAreReadInOnePass: files of a layer that are asked for one after the
// other, by two at a time, do not cost the layer each.
func TestHeldFilesAreReadInOnePass(t *testing.T) {
	for name, c := range map[string]struct{ count, size int }{"small": {500, 3000}, "large": {12, readAtOnce + 1000}} {
		s := &served{raw: manyFiles(t, c.count, c.size)}
		var sh shelf
		var next atomic.Int64
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				for i := int(next.Add(1) - 1); i < c.count; i = int(next.Add(1) - 1) {
					for _, part := range []string{"", attributesPart} {
						want := bodyOf(i, c.size)
						if part != "" {
							want = fmt.Sprintf("SCHILY.xattr.user.n=%d\n", i)
						}
						got, err := readHeld(t.Context(), &sh, s.blob(), heldFile{Entry: i, Part: part, Size: int64(c.size)})
						if err != nil || got != want {
							t.Errorf("%s: file %d%s: %d bytes, %v", name, i, part, len(got), err)
						}
					}
				}
			})
		}
		wg.Wait()
		sh.close()
		if s.open.Load() != 0 {
			t.Errorf("%s: %d readers are open still", name, s.open.Load())
		}
		times := float64(s.bytes.Load()) / float64(len(s.raw))
		t.Logf("%s: read %.2f times, opened %d times", name, times, s.opens.Load())
		if times > 4 {
			t.Errorf("%s: the layer was read %.1f times", name, times)
		}
	}
}

func readHeld(ctx context.Context, sh *shelf, b blob, h heldFile) (string, error) {
	rc, err := sh.open(ctx, b, h)
	if err != nil {
		return "", err
	}
	data, err := io.ReadAll(rc)
	return string(data), errors.Join(err, rc.Close())
}

// TestServerHangsUp: a walker that breaks off is replaced by another one, once.
func TestServerHangsUp(t *testing.T) {
	const size = readAtOnce + 100_000
	raw := manyFiles(t, 3, size)
	for _, c := range []struct {
		name   string
		after  int
		breaks int64
		fails  bool
	}{
		{"never", 0, 0, false},
		{"on the way to a file", 2 * size / 3, 1, false},
		{"in a file", 3 * size / 2, 1, false},
		{"again", 3 * size / 2, 2, true},
		{"at once", 1, 2, true},
	} {
		s := &served{raw: raw, after: c.after}
		s.breaks.Store(c.breaks)
		var sh shelf
		got, err := readHeld(t.Context(), &sh, s.blob(), heldFile{Entry: 1, Size: size})
		var skip *scanners.SkipError
		switch {
		case c.fails && !errors.As(err, &skip), !c.fails && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case !c.fails && got != bodyOf(1, size):
			t.Errorf("%s: %d bytes of another content", c.name, len(got))
		}
		sh.close()
		if s.open.Load() != 0 {
			t.Errorf("%s: %d readers are open still", c.name, s.open.Load())
		}
	}
}

// TestShelf: walkers are used again for what is before them, and not many are kept.
func TestShelf(t *testing.T) {
	s := &served{raw: manyFiles(t, 10, 2000)}
	var sh shelf
	b := s.blob()
	for _, step := range []struct {
		entry int
		opens int64
	}{{3, 1}, {4, 1}, {2, 2}, {3, 2}, {9, 2}, {0, 3}, {1, 3}, {8, 3}, {7, 3}, {5, 4}} {
		if _, err := readHeld(t.Context(), &sh, b, heldFile{Entry: step.entry, Size: 2000}); err != nil || s.opens.Load() != step.opens {
			t.Errorf("file %d: opened %d times, want %d; %v", step.entry, s.opens.Load(), step.opens, err)
		}
	}
	for i := range 3 * mostIdle {
		other := b
		other.digest = fmt.Sprint(i)
		if _, err := readHeld(t.Context(), &sh, other, heldFile{Entry: 1, Size: 2000}); err != nil {
			t.Error(err)
		}
	}
	if s.open.Load() > mostIdle {
		t.Errorf("%d walkers wait", s.open.Load())
	}
	if _, err := readHeld(t.Context(), &sh, b, heldFile{Entry: 10, Size: 2000}); !errors.Is(err, errChanged) {
		t.Errorf("a file that is not there: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	rc, err := sh.open(ctx, b, heldFile{Entry: 1, Size: -1})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := readHeld(ctx, &sh, b, heldFile{Entry: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end of its context: %v", err)
	}
	if err := rc.Close(); err != nil {
		t.Error(err)
	}
	if got, err := readHeld(t.Context(), &sh, b, heldFile{Entry: 2, Size: 2000}); err != nil || got != bodyOf(2, 2000) {
		t.Errorf("after another's context ended: %v", err)
	}
	sh.close()
	if s.open.Load() != 0 {
		t.Errorf("%d readers are open still", s.open.Load())
	}
}
