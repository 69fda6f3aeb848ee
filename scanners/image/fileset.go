package image

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
)

// fileset is the files of a saved image, by name.
type fileset interface {
	// open reads a file; fs.ErrNotExist when there is none.
	open(name string) (io.ReadCloser, int64, error)
	has(name string) bool
	// names are the files below a folder, sorted.
	names(folder string) ([]string, error)
	// place is where a file stands in what is best read in its order; 0: it does not
	// matter.
	place(name string) int64
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

func (f folder) has(name string) bool {
	info, err := f.root.Stat(path.Clean(name))
	return err == nil && info.Mode().IsRegular()
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

func (f folder) place(string) int64 { return 0 }

func (f folder) close() error { return f.root.Close() }

// blobName is where a layout keeps a blob.
func blobName(digest string) string {
	algorithm, hex, has := strings.Cut(digest, ":")
	if !has || strings.ContainsAny(digest, "/\\") {
		return ""
	}
	return "blobs/" + algorithm + "/" + hex
}
