package objects

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"

	"revenant/scanners/inflate"
)

// looseDir is the folder of one object directory that holds objects as files.
type looseDir struct {
	dir    string
	format Format
	access Access
}

func (l looseDir) path(id ID) string {
	name := id.String()
	return filepath.Join(l.dir, name[:2], name[2:])
}

func (l looseDir) has(id ID) bool {
	info, err := os.Stat(l.path(id))
	return err == nil && info.Mode().IsRegular()
}

// ids lists the objects in one of the 256 folders, in order. Other files are
// none of them.
func (l looseDir) ids(first byte) ([]ID, error) {
	sub := hex.EncodeToString([]byte{first})
	entries, err := os.ReadDir(filepath.Join(l.dir, sub))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	var ids []ID
	for _, e := range entries { // also what was read before an error
		if len(e.Name()) != 2*l.format.Size()-2 {
			continue
		}
		if id, err := ParseID(sub + e.Name()); err == nil && id.String() == sub+e.Name() {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, ID.Compare)
	return ids, err
}

// looseHead is the head of a loose object: its kind and size, as text.
const looseHead = 32

// parseLoose reads the head; n is where the content begins.
func parseLoose(data []byte) (kind Kind, size int64, n int, err error) {
	head, _, ok := bytes.Cut(data[:min(len(data), looseHead)], []byte{0})
	if !ok {
		return 0, 0, 0, broken(ReasonHeader)
	}
	name, digits, ok := bytes.Cut(head, []byte{' '})
	kind = ParseKind(string(name))
	if !ok || kind == 0 || len(digits) == 0 || len(digits) > 18 || digits[0] == '0' && len(digits) > 1 {
		return 0, 0, 0, broken(ReasonHeader)
	}
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, 0, 0, broken(ReasonHeader)
		}
		size = size*10 + int64(c-'0')
	}
	return kind, size, len(head) + 1, nil
}

// stream is a content that is read bit by bit. Its id is checked at its end:
// the last Read fails for one that has another.
type stream struct {
	kind Kind
	size int64
	r    io.Reader
	c    io.Closer
}

// openLoose begins to read a loose object.
func (l looseDir) open(id ID) (*stream, error) {
	f, err := openFile(l.path(id), AccessRead)
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil, ErrMissing
		}
		return nil, &damage{reason: ReasonIO, err: err}
	}
	s, err := l.begin(f)
	if err != nil {
		f.close()
		return nil, err
	}
	return s, nil
}

func (l looseDir) begin(f *file) (*stream, error) {
	z, err := inflate.NewZlib(bufio.NewReader(f.reader(0, f.size)))
	if err != nil {
		return nil, &damage{reason: ReasonStream, err: err}
	}
	head := make([]byte, looseHead)
	n, err := io.ReadFull(z, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, streamError(err)
	}
	kind, size, start, err := parseLoose(head[:n])
	if err != nil {
		return nil, err
	}
	if size > inflate.MaxRatio*f.size {
		return nil, broken(ReasonSize)
	}
	r := io.MultiReader(bytes.NewReader(head[start:n]), z)
	return &stream{kind: kind, size: size, r: &exact{r: r, left: size}, c: closer(f.close)}, nil
}

type closer func()

func (c closer) Close() error { c(); return nil }

// exact reads what was said to be there, no more and no less.
type exact struct {
	r    io.Reader
	left int64
}

func (e *exact) Read(p []byte) (int, error) {
	if e.left == 0 {
		var one [1]byte
		n, err := io.ReadFull(e.r, one[:])
		switch {
		case n > 0:
			return 0, broken(ReasonSize)
		case errors.Is(err, io.EOF):
			return 0, io.EOF
		}
		return 0, streamError(err)
	}
	n, err := e.r.Read(p[:min(int64(len(p)), e.left)])
	e.left -= int64(n)
	switch {
	case errors.Is(err, io.EOF) && e.left > 0:
		return n, broken(ReasonSize)
	case errors.Is(err, io.EOF):
		return n, nil // the end is looked for by the next call
	case err != nil:
		return n, streamError(err)
	}
	return n, nil
}

// streamError gives an error of the decompressor its reason.
func streamError(err error) error {
	var d *damage
	if errors.As(err, &d) {
		return err
	}
	var path *os.PathError
	if errors.As(err, &path) {
		return &damage{reason: ReasonIO, err: err}
	}
	return &damage{reason: ReasonStream, err: err}
}
