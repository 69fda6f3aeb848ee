package distribution

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"revenant/scanners/web"
)

// Bounds of going on with a blob.
const (
	maxBreaks   = 5       // in a row, with less than a stride between them
	maxRestarts = 3       // where the server begins anew
	stride      = 1 << 20 // bytes that make up for a break
	surplus     = 64 << 20
)

// Blob opens the one with a digest. size is what it should have, -1: not known. A
// body that breaks off goes on where it stopped, or is begun anew where the server
// cannot; what it holds is not verified. At most 64 MiB more than its size are
// read.
func (r *Repository) Blob(ctx context.Context, digest string, size int64) (io.ReadCloser, error) {
	if strings.ContainsAny(digest, "/?#%\\") {
		return nil, r.c.fault(ErrNotFound, "no blob has such a digest")
	}
	b := &blob{r: r, ctx: ctx, digest: digest, size: size}
	if err := b.open(); err != nil {
		return nil, err
	}
	return b, nil
}

type blob struct {
	r      *Repository
	ctx    context.Context
	digest string
	size   int64

	body     io.ReadCloser
	at       int64 // bytes given out
	full     int64 // where this body ends, as the server says; -1: it does not
	trusted  bool  // an end is an end
	whole    bool  // the server gives no parts
	breaks   int
	restarts int
	last     int64 // where it broke off last
	err      error
}

// open asks from where it stands.
func (b *blob) open() error {
	header := http.Header{"Accept": {"*/*"}, "Accept-Encoding": {"identity"}}
	if b.at > 0 && !b.whole {
		text := fmt.Sprintf("bytes=%d-", b.at)
		if b.size > b.at { // some registries take no range without an end
			text += strconv.FormatInt(b.size-1, 10)
		}
		header.Set("Range", text)
	}
	resp, err := b.r.c.ask(b.ctx, b.r.door, http.MethodGet, b.r.c.url(b.r.at.RepositoryStr()+"/blobs/"+b.digest, ""), header)
	if err != nil {
		return err
	}
	b.full = -1
	b.trusted = resp.ContentLength >= 0 || len(resp.TransferEncoding) > 0 || resp.ProtoMajor > 1
	switch {
	case resp.StatusCode == http.StatusOK:
		if resp.ContentLength >= 0 {
			b.full = resp.ContentLength
		}
	case resp.StatusCode == http.StatusPartialContent && b.at > 0 && web.Begins(resp.Header) == b.at:
		if resp.ContentLength >= 0 {
			b.full = b.at + resp.ContentLength
		}
		b.body = resp.Body
		return nil
	case resp.StatusCode == http.StatusRequestedRangeNotSatisfiable && b.at > 0:
		_ = resp.Body.Close()
		if b.size > b.at && !b.whole {
			b.whole = true
			return b.open()
		}
		b.body, b.full, b.trusted = http.NoBody, b.at, true
		return nil
	default:
		return b.r.c.status(resp, b.r.door)
	}
	b.body = resp.Body
	if b.at == 0 {
		return nil
	}
	if b.restarts++; b.restarts > maxRestarts {
		_ = resp.Body.Close()
		return b.r.c.fault(ErrUnreachable, brokenOff)
	}
	if _, err := io.CopyN(io.Discard, resp.Body, b.at); err != nil {
		_ = resp.Body.Close()
		return errBroken
	}
	return nil
}

// errBroken: a body ended before its end.
var errBroken = errors.New("broken off")

// Read implements io.Reader. Its errors are the client's, or the context's.
func (b *blob) Read(p []byte) (int, error) {
	for b.err == nil {
		if b.size >= 0 && b.at >= b.size+surplus {
			b.err = io.EOF // its digest is another
			break
		}
		n, err := b.body.Read(p)
		b.at += int64(n)
		switch {
		case err == nil:
			return n, nil
		case errors.Is(err, io.EOF) && b.ended():
			b.err = io.EOF
		default:
			b.err = b.resume()
		}
		if n > 0 {
			return n, nil
		}
	}
	return 0, b.err
}

// ended reports whether the end of a body is that of the blob.
func (b *blob) ended() bool {
	return b.trusted && (b.full < 0 || b.at >= b.full) || b.size >= 0 && b.at >= b.size
}

// resume goes on after a body broke off.
func (b *blob) resume() error {
	_ = b.body.Close()
	for try := 0; ; try++ {
		if b.at >= b.last+stride {
			b.breaks = 0
		}
		b.last = b.at
		if b.breaks++; b.breaks > maxBreaks {
			return b.r.c.fault(ErrUnreachable, brokenOff)
		}
		if err := b.r.c.breathe(b.ctx, try); err != nil {
			return err
		}
		if err := b.open(); !errors.Is(err, errBroken) {
			return err
		}
	}
}

// Close implements io.Closer.
func (b *blob) Close() error {
	if b.err == nil {
		b.err = errors.New("read after close")
	}
	return b.body.Close()
}
