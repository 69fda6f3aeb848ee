package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"revenant/scripts/benchkit"
)

// kind is a layer to be made.
type kind struct {
	name string
	once bool // it is large: one run is enough
	// inner says that its files are in gzip themselves, which the floor of all that
	// has to be inflated takes in.
	inner bool
	// fill adds its files; it may be called again, and adds the same.
	fill func(add adder) error
}

// adder adds a file to a layer. The content is borrowed.
type adder func(name string, content []byte) error

func kinds(o options) []kind {
	most := int64(o.mb) * 1e6
	goRoot := runtime.GOROOT() //nolint:staticcheck // any Go tree will do, and go run sets it
	list := []kind{
		{name: "program text (Go's sources)", fill: tree(most, filepath.Join(goRoot, "src"), isText)},
		{name: "programs (Go's tools)", fill: programs(most, filepath.Join(goRoot, "pkg", "tool"), filepath.Join(goRoot, "bin"))},
		{name: "packed (Go's sources, each in gzip)", fill: tree(most, filepath.Join(goRoot, "src"), isText).packed(), inner: true},
		{name: "logs (generated)", fill: generated(most, logLines)},
		{name: "tables and strings in UTF-16 (generated)", fill: generated(most/4, binaryTables)},
	}
	if o.gib > 0 {
		list = append(list, kind{
			name: fmt.Sprintf("%d GiB of logs and tables in turn (generated)", o.gib), once: true,
			fill: generated(int64(o.gib)<<30, logLines, logLines, logLines, binaryTables),
		})
	}
	return list
}

func isText(name string) bool {
	switch filepath.Ext(name) {
	case ".go", ".s", ".c", ".h", ".md", ".html", ".js", ".json", ".txt", ".mod", ".golden":
		return true
	}
	return false
}

type filler func(add adder) error

// tree adds the files below a folder that want chooses, in the order of their
// names, as long as there is room for so many bytes.
func tree(most int64, root string, want func(name string) bool) filler {
	return func(add adder) error {
		left := most
		return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() || !want(path) {
				return err
			}
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			if int64(len(content)) > left { // a shorter one may have room
				return nil
			}
			left -= int64(len(content))
			name, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			return add(filepath.ToSlash(name), content)
		})
	}
}

// programs adds what is executable in some folders.
func programs(most int64, roots ...string) filler {
	return func(add adder) error {
		left := most
		for n, root := range roots {
			err := tree(left, root, func(name string) bool {
				info, err := os.Stat(name)
				return err == nil && info.Mode()&0o111 != 0
			})(func(name string, content []byte) error {
				left -= int64(len(content))
				return add(fmt.Sprintf("%d/%s", n, name), content)
			})
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		return nil
	}
}

// packed puts each file into gzip.
func (f filler) packed() filler {
	return func(add adder) error {
		return f(func(name string, content []byte) error {
			var b bytes.Buffer
			z := gzip.NewWriter(&b)
			_, err := z.Write(content)
			if err = errors.Join(err, z.Close()); err != nil {
				return err
			}
			return add(name+".gz", b.Bytes())
		})
	}
}

// generatedFile is how long generated files are.
const generatedFile = 1 << 20

// generated adds files that are made, of each sort in turn; all of them differ.
func generated(most int64, sorts ...func(r *rand.Rand, b []byte) []byte) filler {
	return func(add adder) error {
		r := rand.New(rand.NewPCG(2026, 12))
		b := make([]byte, 0, generatedFile+4096)
		for n, left := 0, most; left > 0; n++ {
			b = b[:0]
			for len(b) < generatedFile {
				b = sorts[n%len(sorts)](r, b)
			}
			left -= int64(len(b))
			if err := add(fmt.Sprintf("var/%d/file%06d", n%len(sorts), n), b); err != nil {
				return err
			}
		}
		return nil
	}
}

// logLines appends a line of a log.
func logLines(r *rand.Rand, b []byte) []byte {
	return fmt.Appendf(b, "2026-11-%02dT%02d:%02d:%02d.%03dZ %s request %s method=%s path=/api/v1/items/%d/parts status=%d took=%dms user agent of a browser\n",
		1+r.IntN(28), r.IntN(24), r.IntN(60), r.IntN(60), r.IntN(1000), [...]string{"INFO ", "DEBUG", "WARN "}[r.IntN(3)], benchkit.Word(r, 8),
		[...]string{"GET", "PUT", "POST"}[r.IntN(3)], r.IntN(100_000), 200+r.IntN(4), r.IntN(900))
}

// binaryTables appends what programs and their data are full of: small numbers of
// two, four and eight bytes, offsets, code-like noise, and names in UTF-16.
func binaryTables(r *rand.Rand, b []byte) []byte {
	for range 64 {
		b = binary.LittleEndian.AppendUint32(b, uint32(r.IntN(1<<12)))
		b = binary.LittleEndian.AppendUint16(b, uint16(r.IntN(1<<9)))
		b = binary.LittleEndian.AppendUint64(b, 0x400000+uint64(r.IntN(1<<20)))
	}
	for range 64 {
		b = binary.LittleEndian.AppendUint64(b, r.Uint64()&0x00ff00ffffff)
	}
	for _, c := range "name of a thing " + benchkit.Word(r, 4) {
		b = binary.LittleEndian.AppendUint16(b, uint16(c))
	}
	return append(b, 0, 0)
}

// layer is one that was written.
type layer struct {
	path          string
	plain, packed int64
	files         int
}

// sized counts and hashes what is written.
type sized struct {
	w   io.Writer
	sum interface {
		io.Writer
		Sum(b []byte) []byte
	}
	n int64
}

func (s *sized) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	s.n += int64(n)
	_, _ = s.sum.Write(p[:n]) // a hash takes all
	return n, err
}

func (s *sized) digest() string { return hex.EncodeToString(s.sum.Sum(nil)) }

// writeImage writes an image with one layer as an OCI layout.
func writeImage(dir string, k kind) (l layer, err error) {
	blobs := filepath.Join(dir, "blobs", "sha256")
	if err := os.MkdirAll(blobs, 0o755); err != nil {
		return l, err
	}
	l, digest, diff, err := writeLayer(blobs, k)
	if err != nil {
		return l, err
	}
	put := func(mediaType string, doc any) (map[string]any, error) {
		text, err := json.Marshal(doc)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(text)
		name := hex.EncodeToString(sum[:])
		return map[string]any{"mediaType": mediaType, "digest": "sha256:" + name, "size": len(text)}, os.WriteFile(filepath.Join(blobs, name), text, 0o644)
	}
	config, err := put("application/vnd.oci.image.config.v1+json", map[string]any{
		"architecture": "amd64", "os": "linux", "rootfs": map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + diff}},
	})
	if err != nil {
		return l, err
	}
	const manifestType = "application/vnd.oci.image.manifest.v1+json"
	manifest, err := put(manifestType, map[string]any{
		"schemaVersion": 2, "mediaType": manifestType, "config": config,
		"layers": []any{map[string]any{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": "sha256:" + digest, "size": l.packed}},
	})
	if err != nil {
		return l, err
	}
	index, err := json.Marshal(map[string]any{"schemaVersion": 2, "manifests": []any{manifest}})
	return l, errors.Join(err, os.WriteFile(filepath.Join(dir, "index.json"), index, 0o644),
		os.WriteFile(filepath.Join(dir, "oci-layout"), []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o644))
}

// writeLayer writes the archive in gzip, under its digest; diff is that of what
// is in it.
func writeLayer(blobs string, k kind) (l layer, digest, diff string, err error) {
	path := filepath.Join(blobs, "layer")
	f, err := os.Create(path)
	if err != nil {
		return l, "", "", err
	}
	packed := &sized{w: f, sum: sha256.New()}
	level := gzip.DefaultCompression
	if k.once {
		level = gzip.BestSpeed
	}
	z, err := gzip.NewWriterLevel(packed, level)
	if err != nil {
		return l, "", "", errors.Join(err, f.Close())
	}
	plain := &sized{w: z, sum: sha256.New()}
	t := tar.NewWriter(plain)
	err = k.fill(func(name string, content []byte) error {
		l.files++
		err := t.WriteHeader(&tar.Header{Name: strings.TrimPrefix(name, "/"), Mode: 0o644, Size: int64(len(content)), Typeflag: tar.TypeReg})
		if err == nil {
			_, err = t.Write(content)
		}
		return err
	})
	if err = errors.Join(err, t.Close(), z.Close(), f.Close()); err != nil {
		return l, "", "", err
	}
	l.path, l.plain, l.packed = filepath.Join(blobs, packed.digest()), plain.n, packed.n
	return l, packed.digest(), plain.digest(), os.Rename(path, l.path)
}
