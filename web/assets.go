package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"

	"github.com/klauspost/compress/gzip"
)

//go:embed static templates
var files embed.FS

// asset is a file of the page: its name holds a hash of its content, so that it is
// kept for ever.
type asset struct {
	kind    string // media type
	plain   []byte
	zipped  []byte // by gzip; nil: it gets no smaller
	address string
}

// assets are all of them, by address and by name.
type assets struct{ byAddress, byName map[string]asset }

func readAssets() (assets, error) {
	out := assets{byAddress: map[string]asset{}, byName: map[string]asset{}}
	err := fs.WalkDir(files, "static", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		a, err := newAsset(strings.TrimPrefix(name, "static/"), b)
		out.byAddress[a.address] = a
		out.byName[strings.TrimPrefix(name, "static/")] = a
		return err
	})
	return out, err
}

func newAsset(name string, content []byte) (asset, error) {
	sum := sha256.Sum256(content)
	ext := path.Ext(name)
	a := asset{kind: mime.TypeByExtension(ext), plain: content}
	if ext == ".js" { // what the machine's own table says differs
		a.kind = "text/javascript; charset=utf-8"
	}
	a.address = "/static/" + strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:8]) + ext
	z, err := zipped(content)
	if len(z) < len(content) {
		a.zipped = z
	}
	return a, err
}

func zipped(b []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(b); err != nil {
		return nil, err
	}
	err = w.Close()
	return out.Bytes(), err
}

// address is where an asset is; "" for one that is not there.
func (a assets) address(name string) string { return a.byName[name].address }

// serve answers with an asset.
func (a assets) serve(w http.ResponseWriter, r *http.Request) {
	found, has := a.byAddress[r.URL.Path]
	if !has {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", found.kind)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Vary", "Accept-Encoding")
	body := found.plain
	if found.zipped != nil && takesGzip(r) {
		h.Set("Content-Encoding", "gzip")
		body = found.zipped
	}
	_, _ = w.Write(body)
}

// takesGzip reports whether a client reads gzip.
func takesGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		coding, weight, _ := strings.Cut(strings.TrimSpace(part), ";")
		if coding == "gzip" {
			return strings.ReplaceAll(weight, " ", "") != "q=0"
		}
	}
	return false
}
