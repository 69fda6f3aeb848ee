package distribution_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"revenant/scanners/image/distribution"
)

func content(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{7}).Read(b)
	return b
}

// cutting serves a blob and breaks off after so many bytes of each answer.
func cutting(blob []byte, after int, ranges bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		from := 0
		if text, is := strings.CutPrefix(r.Header.Get("Range"), "bytes="); is && ranges {
			begin, _, _ := strings.Cut(text, "-")
			from, _ = strconv.Atoi(begin)
			w.Header().Set("Content-Range", "bytes "+strconv.Itoa(from)+"-"+strconv.Itoa(len(blob)-1)+"/"+strconv.Itoa(len(blob)))
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(blob)-from))
		if from > 0 {
			w.WriteHeader(http.StatusPartialContent)
		}
		_, _ = w.Write(blob[from:min(from+after, len(blob))])
		if from+after < len(blob) {
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
	}
}

// TestBlobsGoOn: what breaks off goes on where it stopped.
func TestBlobsGoOn(t *testing.T) {
	blob := content(9 << 20)
	failing, refusing := 0, false
	tests := map[string]struct {
		serve    http.HandlerFunc
		size     int64
		want     int // bytes; all of them unless err
		err      error
		requests int
	}{
		"whole":               {cutting(blob, len(blob), true), int64(len(blob)), len(blob), nil, 1},
		"whole, of no size":   {cutting(blob, len(blob), true), -1, len(blob), nil, 1},
		"cut again and again": {cutting(blob, 2<<20, true), int64(len(blob)), len(blob), nil, 5},
		"cut, of no size":     {cutting(blob, 2<<20, true), -1, len(blob), nil, 5},
		"cut at once":         {cutting(blob, 10, true), int64(len(blob)), 60, distribution.ErrUnreachable, 6},
		"no ranges, cut once": {func(w http.ResponseWriter, r *http.Request) {
			failing++
			cutting(blob, []int{5 << 20, 9 << 20}[min(failing-1, 1)], false)(w, r)
		}, int64(len(blob)), len(blob), nil, 2},
		"no ranges, cut again": {cutting(blob, 5<<20, false), int64(len(blob)), 5 << 20, distribution.ErrUnreachable, 5},
		"shorter than it says": {cutting(blob[:1<<20], 1<<20, true), 2 << 20, 1 << 20, nil, 1},
		"longer than it says":  {cutting(blob, len(blob), true), 1 << 20, len(blob), nil, 1},
		"another range": {func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") == "" {
				cutting(blob, 5<<20, true)(w, r)
				return
			}
			w.Header().Set("Content-Range", "bytes 0-9/10")
			w.WriteHeader(http.StatusPartialContent)
		}, int64(len(blob)), 5 << 20, distribution.ErrUnreachable, 2},
		"gone meanwhile": {func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") == "" {
				cutting(blob, 5<<20, true)(w, r)
				return
			}
			http.NotFound(w, r)
		}, int64(len(blob)), 5 << 20, distribution.ErrNotFound, 2},
		"nothing behind it": {func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") == "" {
				cutting(blob, 5<<20, true)(w, r)
				return
			}
			w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
		}, -1, 5 << 20, nil, 2},
		"no ranges, said so": {func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.Header.Get("Range") != "":
				w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
			case refusing:
				cutting(blob, len(blob), true)(w, r)
			default:
				refusing = true
				cutting(blob, 5<<20, true)(w, r)
			}
		}, int64(len(blob)), len(blob), nil, 3},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			host, seen := serve(t, tt.serve)
			r, _ := repository(t, distribution.Options{Registry: host})
			rc, err := r.Blob(t.Context(), digest(blob), tt.size)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(rc)
			if !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) {
				t.Errorf("error %v, want %v", err, tt.err)
			}
			if len(got) != tt.want || !bytes.Equal(got, blob[:len(got)]) {
				t.Errorf("%d bytes, want %d", len(got), tt.want)
			}
			if n := seen.count("/v2/team/shop/blobs/"); n != tt.requests {
				t.Errorf("%d requests, want %d", n, tt.requests)
			}
			if err := rc.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestEndless: a body without end is left.
func TestEndless(t *testing.T) {
	host, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		for chunk := make([]byte, 1<<20); ; {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	r, _ := repository(t, distribution.Options{Registry: host})
	rc, err := r.Blob(t.Context(), digest(nil), 10)
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, rc)
	if err != nil || n < 64<<20 || n > 66<<20 {
		t.Errorf("%d bytes, %v", n, err)
	}
	_ = rc.Close()
}

// TestSlow: a server that hangs, before an answer or within it, is not waited for
// for ever; and an interrupted scan waits for nothing.
func TestSlow(t *testing.T) {
	hang := func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	tests := map[string]http.HandlerFunc{
		"before an answer": hang,
		"within it": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "abc")
			_ = http.NewResponseController(w).Flush()
			hang(w, r)
		},
	}
	for name, h := range tests {
		t.Run(name, func(t *testing.T) {
			host, _ := serve(t, h)
			r, _ := repository(t, distribution.Options{Registry: host, Idle: 30 * time.Millisecond})
			if _, err := r.Manifest(t.Context(), "1"); !errors.Is(err, distribution.ErrUnreachable) {
				t.Errorf("a manifest: %v", err)
			}
			rc, err := r.Blob(t.Context(), digest(nil), 100)
			if err == nil {
				_, err = io.ReadAll(rc)
				_ = rc.Close()
			}
			if !errors.Is(err, distribution.ErrUnreachable) {
				t.Errorf("a blob: %v", err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			host, _ = serve(t, func(w http.ResponseWriter, r *http.Request) { cancel(); h(w, r) })
			r, _ = repository(t, distribution.Options{Registry: host, Idle: time.Hour})
			if _, err := r.Manifest(ctx, "1"); !errors.Is(err, context.Canceled) {
				t.Errorf("interrupted: %v", err)
			}
		})
	}
}
