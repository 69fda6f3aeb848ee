package image

import (
	"archive/tar"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
)

// fileset is the files of a saved image, by name.
type fileset interface {
	// open reads a file; fs.ErrNotExist when there is none.
	open(name string) (io.ReadCloser, int64, error)
	// names are the files below a folder, sorted.
	names(folder string) ([]string, error)
	close() error
}

// maxDocument is how long manifests, indexes and configurations may be.
const maxDocument = 16 << 20

var errTooLong = errors.New("longer than any such document is")

// document reads a small file whole.
func document(s fileset, name string) ([]byte, error) {
	rc, _, err := s.open(name)
	if err != nil {
		return nil, err
	}
	defer rc.Close()
	b, err := io.ReadAll(io.LimitReader(rc, maxDocument+1))
	if err == nil && len(b) > maxDocument {
		err = errTooLong
	}
	return b, err
}

// folder is a fileset in a directory. Names and links that lead out of it are
// not followed.
type folder struct{ root *os.Root }

func (f folder) open(name string) (io.ReadCloser, int64, error) {
	file, err := f.root.Open(path.Clean(name))
	if err != nil {
		return nil, 0, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, 0, errors.Join(err, file.Close())
	}
	return file, info.Size(), nil
}

func (f folder) names(below string) (out []string, err error) {
	err = fs.WalkDir(f.root.FS(), below, func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			out = append(out, name)
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return out, err
}

func (f folder) close() error { return f.root.Close() }

// archive is a fileset in a tar file, which may be compressed. It knows where
// each file begins; of a compressed one it is read anew for each file.
type archive struct {
	file   *os.File
	packed bool
	at     map[string]archived
}

type archived struct {
	offset, size int64
	link         string // another name
}

// openArchive finds out what is in a tar file.
func openArchive(ctx context.Context, name string) (*archive, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	var head [2]byte
	_, _ = f.ReadAt(head[:], 0) // of less there is no archive
	a := &archive{file: f, packed: head == [2]byte{0x1f, 0x8b} || head == [2]byte{0x28, 0xb5}, at: map[string]archived{}}
	if err := a.index(ctx); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return a, nil
}

// counted tells how much was read. It seeks where it can, so that what is between
// headers is not read.
type counted struct {
	r  io.Reader
	at int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.at += int64(n)
	return n, err
}

// seekable is counted that can seek.
type seekable struct {
	counted
	s io.Seeker
}

func (c *seekable) Seek(offset int64, whence int) (int64, error) {
	at, err := c.s.Seek(offset, whence)
	if err == nil {
		c.at = at
	}
	return at, err
}

func (a *archive) index(ctx context.Context) error {
	in, err := a.stream()
	if err != nil {
		return err
	}
	defer in.Close()
	var r io.Reader
	place := func() int64 { return 0 }
	if a.packed {
		r = in
	} else {
		s := &seekable{counted: counted{r: a.file}, s: a.file}
		if _, err := s.Seek(0, io.SeekStart); err != nil {
			return err
		}
		r, place = s, func() int64 { return s.at }
	}
	t := tar.NewReader(r)
	for n := 0; ; n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		h, err := t.Next()
		if errors.Is(err, io.EOF) || err != nil && n > 0 { // what is there is read
			return nil
		}
		if err != nil {
			return errNoTar
		}
		e := archived{offset: place(), size: h.Size}
		switch h.Typeflag {
		case tar.TypeReg, tar.TypeGNUSparse:
		case tar.TypeSymlink:
			e.link = path.Join(path.Dir(cleaned(h.Name)), h.Linkname)
		case tar.TypeLink:
			e.link = cleaned(h.Linkname)
		default:
			continue
		}
		a.at[cleaned(h.Name)] = e
	}
}

// stream reads the archive from its beginning, uncompressed.
func (a *archive) stream() (io.ReadCloser, error) {
	whole := io.NewSectionReader(a.file, 0, 1<<62)
	rc, err := decompressed(whole)
	if err != nil {
		return nil, errNoTar
	}
	return rc, nil
}

func (a *archive) open(name string) (io.ReadCloser, int64, error) {
	name = cleaned(name)
	e, has := a.at[name]
	for links := maxLinks; has && e.link != "" && links > 0; links-- {
		name = cleaned(e.link)
		e, has = a.at[name]
	}
	if !has || e.link != "" {
		return nil, 0, fs.ErrNotExist
	}
	if !a.packed {
		return io.NopCloser(io.NewSectionReader(a.file, e.offset, e.size)), e.size, nil
	}
	in, err := a.stream()
	if err != nil {
		return nil, 0, err
	}
	t := tar.NewReader(in)
	for {
		h, err := t.Next()
		if err != nil {
			return nil, 0, errors.Join(damaged(err), in.Close())
		}
		if cleaned(h.Name) == name && h.Size == e.size {
			return within{t, in}, e.size, nil
		}
	}
}

// within is a file of a stream that is closed with it.
type within struct {
	io.Reader
	io.Closer
}

func (a *archive) names(below string) (out []string, err error) {
	for name := range a.at {
		if strings.HasPrefix(name, below+"/") {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out, nil
}

func (a *archive) close() error { return a.file.Close() }

// blobName is where a layout keeps a blob.
func blobName(digest string) string {
	algorithm, hex, has := strings.Cut(digest, ":")
	if !has || strings.ContainsAny(digest, "/\\") {
		return ""
	}
	return "blobs/" + algorithm + "/" + hex
}
