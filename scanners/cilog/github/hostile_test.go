package github_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/cilog"
	"revenant/scanners/cilog/github"
)

// TestArchiveFails: where the archive cannot be had, jobs are read one by one.
func TestArchiveFails(t *testing.T) {
	good := zipped(t, file{"a/1_s.txt", strings.Repeat("A", 4000)})
	crowd := func(n int) []byte {
		var out bytes.Buffer
		w := zip.NewWriter(&out)
		for i := range n {
			if _, err := w.CreateHeader(&zip.FileHeader{Name: fmt.Sprintf("a/%d_%s.txt", i, strings.Repeat("n", 60_000))}); err != nil {
				t.Fatal(err)
			}
		}
		_ = w.Close()
		return out.Bytes()
	}
	tests := map[string]struct {
		status   int
		archive  []byte
		stored   func(w http.ResponseWriter) bool
		requests int // for the archive
	}{
		"404":                     {http.StatusNotFound, nil, nil, 1},
		"500 for ever":            {http.StatusInternalServerError, nil, nil, 5},
		"empty":                   {0, []byte{}, nil, 1},
		"no archive":              {0, []byte("<html>"), nil, 1},
		"too long":                {0, append(bytes.Repeat([]byte{0}, 1<<20), good...), nil, 1},
		"without its end":         {0, good[:len(good)-30], nil, 1},
		"a directory without end": {0, crowd(300), nil, 1},
		"cut short": {0, good, func(w http.ResponseWriter) bool {
			w.Header().Set("Content-Length", fmt.Sprint(len(good)))
			_, _ = w.Write(good[:20])
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, 2},
		"storage 404": {0, good, func(w http.ResponseWriter) bool { w.WriteHeader(404); return true }, 1},
		"storage redirects in circles": {0, good, func(w http.ResponseWriter) bool {
			w.Header().Set("Location", "/again")
			w.WriteHeader(302)
			return true
		}, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newForge(t)
			f.start(1, "main")
			f.now = f.now.Add(time.Hour)
			a := f.logs(1, 1, []jobJSON{job(11, "a", "s")})
			a.archive, a.status, f.jobs[11] = tt.archive, tt.status, "log of 11"
			p := f.open(func(o *github.Options) { o.MaxArchive = 1 << 20; o.MaxLog = 1 << 20 })
			if name == "a directory without end" {
				p = f.open(nil)
			}
			f.stored = func(w http.ResponseWriter, r *http.Request) bool {
				return !strings.HasPrefix(r.URL.Path, "/job/") && tt.stored != nil && tt.stored(w)
			}
			runs, _ := all(t, p, cilog.Query{})
			f.counts()
			got, _ := read(t, p, runs[0])
			if diff := cmp.Diff([]told{{"a", "job 11", "log of 11"}}, got); diff != "" {
				t.Errorf("logs (-want +got):\n%s", diff)
			}
			if n := f.counts()["logs"]; n != tt.requests {
				t.Errorf("%d requests for the archive, want %d", n, tt.requests)
			}
		})
	}
}

// TestArchiveRefused: what no other request would mend is an error.
func TestArchiveRefused(t *testing.T) {
	for status, want := range map[int]error{410: cilog.ErrExpired, 403: cilog.ErrDenied, 401: cilog.ErrDenied, 429: cilog.ErrLimited} {
		f := newForge(t)
		f.start(1, "main")
		f.logs(1, 1, []jobJSON{job(11, "a", "s")}).status = status
		p := f.open(nil)
		runs, _ := all(t, p, cilog.Query{})
		f.counts()
		_, err := p.Logs(t.Context(), runs[0])
		if !errors.Is(err, want) {
			t.Errorf("%d: error %v", status, err)
		}
		if n := f.counts(); n["jobs"] != 0 {
			t.Errorf("%d: requests %v", status, n)
		}
	}
	f := newForge(t)
	f.start(1, "main")
	f.logs(1, 1, nil)
	p := f.open(nil)
	runs, _ := all(t, p, cilog.Query{})
	f.remove(1)
	if _, err := p.Logs(t.Context(), runs[0]); !errors.Is(err, cilog.ErrDeleted) {
		t.Errorf("a deleted run: %v", err)
	}
}

// raw makes an archive of one deflated file that declares a size of its own.
func raw(t *testing.T, content []byte, declared uint64) []byte {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	e, err := w.Create("a/1_s.txt")
	if err == nil {
		_, err = e.Write(content)
	}
	if err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	b := out.Bytes()
	dir := bytes.LastIndex(b, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint32(b[dir+24:], uint32(declared))
	return b
}

// TestHostileEntries: a file that is damaged, or more than it says or may be,
// costs what follows in it and nothing else.
func TestHostileEntries(t *testing.T) {
	zeros := make([]byte, 5<<20)
	damagedAt := func(b []byte) []byte {
		b = bytes.Clone(b)
		b[60] ^= 0xff
		return b
	}
	tests := map[string]struct {
		archive []byte
		most    int64 // that may be read
		reason  fingerprints.SkipReason
	}{
		"bomb that tells":      {raw(t, zeros, 5<<20), 0, fingerprints.SkipTooLarge},
		"bomb that lies":       {raw(t, zeros, 1000), 1000, fingerprints.SkipUnreadable},
		"shorter than it says": {raw(t, []byte("x"), 1000), 1, fingerprints.SkipUnreadable},
		"damaged":              {damagedAt(raw(t, []byte(strings.Repeat("xyz", 1000)+"abc"), 3003)), 3003, fingerprints.SkipUnreadable},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newForge(t)
			f.start(1, "main")
			f.logs(1, 1, []jobJSON{job(11, "a", "s")}).archive = tt.archive
			p := f.open(func(o *github.Options) { o.MaxLog = 1 << 20 })
			runs, _ := all(t, p, cilog.Query{})
			logs, err := p.Logs(t.Context(), runs[0])
			if err != nil || len(logs) != 1 {
				t.Fatal(err, logs)
			}
			if err = logs[0].Missing; err == nil {
				var got string
				got, err = text(t, p, runs[0], logs[0])
				if int64(len(got)) > tt.most {
					t.Errorf("read %d bytes", len(got))
				}
			}
			var skip *scanners.SkipError
			if !errors.As(err, &skip) || skip.Reason != tt.reason {
				t.Errorf("error %v, want %s", err, tt.reason)
			}
			if _, err := text(t, p, runs[0], logs[0]); err == nil {
				t.Error("it can be opened all the same")
			}
		})
	}
}

// All of an archive together is bounded, too.
func TestRunIsBounded(t *testing.T) {
	f := newForge(t)
	f.start(1, "main")
	f.logs(1, 1, []jobJSON{job(11, "a")}, file{"a/1_x.txt", "12345"}, file{"a/2_y.txt", "123456"}, file{"a/3_z.txt", "123"})
	p := f.open(func(o *github.Options) { o.MaxRun = 10 })
	runs, _ := all(t, p, cilog.Query{})
	got, _ := read(t, p, runs[0])
	want := []told{{"a/x", "job 11 step 1", "12345"}, {"a/y", "job 11 step 2", "missing"}, {"a/z", "job 11 step 3", "123"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("logs (-want +got):\n%s", diff)
	}
}

// TestEndlessJobLog: a log by itself is bounded as it is read.
func TestEndlessJobLog(t *testing.T) {
	f := newForge(t)
	f.start(1, "main")
	f.now = f.now.Add(time.Hour)
	f.logs(1, 1, []jobJSON{job(11, "a", "s")}).status = http.StatusNotFound
	f.stored = func(w http.ResponseWriter, _ *http.Request) bool {
		for {
			if _, err := w.Write(make([]byte, 1<<16)); err != nil {
				return true
			}
		}
	}
	p := f.open(func(o *github.Options) { o.MaxLog = 1 << 20 })
	runs, _ := all(t, p, cilog.Query{})
	logs, err := p.Logs(t.Context(), runs[0])
	if err != nil {
		t.Fatal(err)
	}
	got, err := text(t, p, runs[0], logs[0])
	var skip *scanners.SkipError
	if len(got) != 1<<20 || !errors.As(err, &skip) || skip.Reason != fingerprints.SkipTooLarge {
		t.Errorf("read %d bytes, %v", len(got), err)
	}
}
