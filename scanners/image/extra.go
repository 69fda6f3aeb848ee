package image

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"revenant/fingerprints"
)

// What files of a saved image hold beside what its documents name is content as well:
// files that nothing names, what is told between them, and what stands behind.

// extra is what stands in an archive beside its files.
type extra struct {
	lines  []byte   // of headers and between files, a line each
	frames [][]byte // beside the compressed stream
	cut    bool     // there was more than is kept
}

// mostExtra is how much of either is kept.
const mostExtra = 1 << 20

func (x *extra) text(line []byte) {
	switch {
	case len(line) < leastText:
	case len(x.lines)+len(line) > mostExtra:
		x.cut = true
	default:
		x.lines = append(append(x.lines, line...), '\n')
	}
}

func (x *extra) texts(lines ...[]byte) {
	for _, l := range lines {
		x.text(l)
	}
}

// beside keeps what an archive's stream holds beside it.
func (x *extra) beside(_ string, content io.Reader, size int64) error {
	kept := 0
	for _, f := range x.frames {
		kept += len(f)
	}
	data, err := io.ReadAll(io.LimitReader(content, int64(mostExtra-kept)))
	x.frames = append(x.frames, data)
	x.cut = x.cut || size < 0 || size > int64(len(data)) && err == nil
	return err
}

// contents are those of an archive that are no files of an image.
func (a *archive) contents(name string, skip skipper) (out []blob) {
	add := func(at string, size int64, open func() (io.ReadCloser, error)) {
		out = append(out, blob{
			path: at, digest: fileDigest(fmt.Sprint(at, len(out))), size: size,
			open: func(context.Context) (io.ReadCloser, error) { return open() },
		})
	}
	for _, text := range append(slices.Clone(a.extra.frames), a.extra.lines) {
		if len(text) > 0 {
			add(archivePath, int64(len(text)), func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text)), nil })
		}
	}
	for _, e := range a.older {
		add(archivePath+"!"+e.name, e.size, func() (io.ReadCloser, error) { return a.openAt(e.archived) })
	}
	if a.rest > 0 {
		add(archivePath, -1, func() (io.ReadCloser, error) { return a.openAt(archived{offset: a.rest, size: -1}) })
	}
	if a.extra.cut {
		skip(archivePath, name, fingerprints.SkipTooLarge, "more than 1 MiB stands in it beside its files: not all of that was searched")
	}
	return out
}

// others are files that no document names, as they stand there.
func (s *saved) others(pictures []picture) (out []blob, err error) {
	names, err := s.files.names(".")
	if err != nil {
		return nil, err
	}
	used := map[string]bool{"index.json": true, "manifest.json": true}
	first := map[string]string{} // what stands for a layer
	for _, p := range pictures {
		for _, name := range p.docs {
			used[name] = true
		}
		for _, l := range p.layers {
			if first[l.digest] == "" {
				first[l.digest], used[l.name] = l.name, true
			}
		}
	}
	said := saidBy(pictures)
	for _, name := range names {
		if used[name] || strings.HasPrefix(name, "blobs/") || s.plain(name, said) {
			continue
		}
		b := s.blob(name, v1.Descriptor{Size: -1})
		b.path = archivePath + "!" + name
		b.digest = fileDigest(name)
		out = append(out, b)
	}
	return out, nil
}

// fileDigest stands in the place of a digest where a content has a name alone, which may
// hold a secret.
func fileDigest(name string) string {
	sum := sha256.Sum256([]byte(name))
	return "file-" + hex.EncodeToString(sum[:8])
}

// saidBy is what images say of themselves, as text.
func saidBy(pictures []picture) string {
	var out strings.Builder
	for _, p := range pictures {
		for _, word := range slices.Concat(p.names, wordsOf(p.config)) {
			out.WriteString(word + "\n")
		}
	}
	return out.String()
}

// plain reports whether a file says its format's version, or what images say, and no
// more: docker wrote each configuration once more for programs before 1.10.
func (s *saved) plain(name, said string) bool {
	base := name[strings.LastIndexByte(name, '/')+1:]
	if base != "json" && base != "repositories" && base != "oci-layout" && base != "VERSION" {
		return false
	}
	doc, err := document(s.files, name)
	if err != nil {
		return false
	}
	switch base {
	case "oci-layout":
		return strings.Join(strings.Fields(string(doc)), "") == `{"imageLayoutVersion":"1.0.0"}`
	case "VERSION":
		return strings.TrimSpace(string(doc)) == "1.0"
	}
	return json.Valid(doc) && !slices.ContainsFunc(wordsOf(doc), func(word string) bool {
		return !plainWord.MatchString(word) && !layerID.MatchString(word) && !strings.Contains(said, word)
	})
}

// layerID is how docker names layers.
var layerID = regexp.MustCompile(`^[0-9a-f]{64}$`)
