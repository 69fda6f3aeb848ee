package push_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"revenant/ingest/push"
)

func zipped(t testing.TB, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func zstded(t testing.TB, text string, o ...zstd.EOption) string {
	t.Helper()
	z, err := zstd.NewWriter(nil, o...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = z.Close() }()
	return string(z.EncodeAll([]byte(text), nil))
}

func TestLogText(t *testing.T) {
	text := strings.Repeat("2026-11-20T12:00:00Z a line with a leak\n", 1000)
	base := logText("ci:mine:host/x", text)
	plain := push.Log{Source: "ci:mine:host/x", Format: push.FormatText}
	packed := func(body, kind string) message {
		m := base.with("Content-Encoding", kind)
		m.body = body
		return m
	}
	to := func(path string) message {
		m := base
		m.to = path
		return m
	}
	tests := map[string]struct {
		message
		want push.Log
	}{
		"plain":         {base, plain},
		"no type":       {base.with("Content-Type", ""), plain},
		"curl's type":   {base.with("Content-Type", "application/x-www-form-urlencoded"), plain},
		"octets":        {base.with("Content-Type", "application/octet-stream"), plain},
		"NDJSON":        {base.with("Content-Type", "application/x-ndjson"), push.Log{Source: "ci:mine:host/x", Format: push.FormatNDJSON}},
		"gzip":          {packed(zipped(t, text), "gzip"), plain},
		"two gzips":     {packed(zipped(t, text[:4000])+zipped(t, text[4000:]), "x-gzip"), plain},
		"zstd":          {packed(zstded(t, text), "ZSTD"), plain},
		"identity":      {packed(text, "identity"), plain},
		"run and job":   {to("/logs/ci:mine:host/x?run=12&job=build%20it"), push.Log{Source: "ci:mine:host/x", Run: "12", Job: "build it", Format: push.FormatText}},
		"escaped":       {to("/logs/ci%3Amine%3Ahost%2Fa%20b"), push.Log{Source: "ci:mine:host/a b", Format: push.FormatText}},
		"escaped twice": {to("/logs/ci:jenkins:host/feature%252Fx"), push.Log{Source: "ci:jenkins:host/feature%2Fx", Format: push.FormatText}},
		"own kind":      {to("/logs/syslog:web-1"), push.Log{Source: "syslog:web-1", Format: push.FormatText}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			o := newOurs(t, nil)
			got, answer := o.status(t, tt.message)
			if got != 200 || answer != `{"bytes":40000,"findings":1000,"new":0,"skipped":0}`+"\n" {
				t.Errorf("answer %d: %s", got, answer)
			}
			if diff := cmp.Diff([]push.Log{tt.want}, o.logs); diff != "" {
				t.Errorf("log (-want +got):\n%s", diff)
			}
			if o.texts[tt.want.Source] != text {
				t.Error("the text is another")
			}
		})
	}
}

func TestLogRefused(t *testing.T) {
	base := logText("ci:mine:host/x", "text")
	text := strings.Repeat("a line\n", 1000)
	damaged := []byte(zipped(t, text))
	damaged[len(damaged)-6] ^= 1 // its checksum
	packed := func(body, kind string) message {
		m := base.with("Content-Encoding", kind)
		m.body = body
		return m
	}
	to := func(path string) message {
		m := base
		m.to = path
		return m
	}
	tests := map[string]struct {
		message
		want int
	}{
		"no source":      {to("/logs/"), 400},
		"no kind":        {to("/logs/nothing"), 400},
		"a repository":   {to("/logs/git:host/x"), 400},
		"an image":       {to("/logs/image:host/x"), 400},
		"a folder":       {to("/logs/dir:/srv"), 400},
		"a topic":        {to("/logs/kafka:c/t"), 400},
		"two lines":      {to("/logs/ci:mine:host%0Ax"), 400},
		"long":           {to("/logs/ci:" + strings.Repeat("x", 5000)), 400},
		"not UTF-8":      {to("/logs/ci:mine:%ff"), 400},
		"odd run":        {to("/logs/ci:mine:host/x?run=a%00b"), 400},
		"long job":       {to("/logs/ci:mine:host/x?job=" + strings.Repeat("x", 2000)), 400},
		"other type":     {base.with("Content-Type", "image/png"), 415},
		"two types":      {base.twice("Content-Type"), 415},
		"two encodings":  {base.with("Content-Encoding", "gzip").twice("Content-Encoding"), 415},
		"both":           {packed(text, "gzip, zstd"), 415},
		"brotli":         {packed(text, "br"), 415},
		"no gzip":        {packed(text, "gzip"), 400},
		"empty gzip":     {packed("", "gzip"), 400},
		"cut gzip":       {packed(zipped(t, text)[:30], "gzip"), 400},
		"damaged gzip":   {packed(string(damaged), "gzip"), 400},
		"behind gzip":    {packed(zipped(t, text)+"text", "gzip"), 400},
		"no zstd":        {packed(text, "zstd"), 400},
		"cut zstd":       {packed(zstded(t, text)[:20], "zstd"), 400},
		"zstd of memory": {packed(zstded(t, strings.Repeat(text, 3000), zstd.WithWindowSize(64<<20)), "zstd"), 415},
		"too long":       {packed(strings.Repeat("x", 20<<20+1), ""), 413},
		"gzip bomb":      {packed(zipped(t, strings.Repeat("x", 20<<20+1)), "gzip"), 413},
		"zstd bomb":      {packed(zstded(t, strings.Repeat("x", 20<<20+1), zstd.WithWindowSize(1<<20)), "zstd"), 413},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			o := newOurs(t, func(opts *push.Options) { opts.MaxText = 20 << 20 })
			if got, text := o.status(t, tt.message); got != tt.want {
				t.Errorf("answer %d: %s", got, text)
			}
			if o.counted()["logs accepted"] > 0 {
				t.Error("it counts as taken in")
			}
		})
	}
	o := newOurs(t, func(opts *push.Options) { opts.MaxText = 20 << 20 })
	if got, _ := o.status(t, packed(zipped(t, strings.Repeat("x", 20<<20)), "gzip")); got != 200 {
		t.Errorf("as long as is taken: %d", got)
	}
	o.failWith(push.ErrUnknown)
	if got, _ := o.status(t, base); got != 404 { // the text is thrown away, and who sent it must know
		t.Errorf("unknown: %d", got)
	}
	o.failWith(errors.New("away"))
	if got, _ := o.status(t, base); got != 503 {
		t.Errorf("failed: %d", got)
	}
}

// asItComes is a Sink that tells of each read.
type asItComes struct {
	*ours
	read chan string
	end  error
}

func (s *asItComes) Text(_ context.Context, _ push.Log, r io.Reader) (push.Result, error) {
	b := make([]byte, 100)
	for {
		n, err := r.Read(b)
		if n > 0 {
			s.read <- string(b[:n])
		}
		if err != nil {
			s.end = err
			return push.Result{Findings: 1}, nil // a Sink that does not mind how it ended
		}
	}
}

// TestLogStreams: text is passed on while it comes, and one that stops coming is
// given up, whatever the Sink makes of it.
func TestLogStreams(t *testing.T) {
	s := &asItComes{read: make(chan string)}
	s.ours = newOurs(t, func(opts *push.Options) { opts.Sink, opts.Idle = s, 2*time.Second })
	server := httptest.NewServer(s.h)
	defer server.Close()
	r, w := io.Pipe()
	type end struct {
		status int
		err    error
	}
	ended := make(chan end, 1)
	go func() {
		got, err := post(t, server.URL, logText("ci:mine:host/x", ""), r)
		ended <- end{got, err}
	}()
	for _, line := range []string{"first\n", "second\n"} {
		if _, err := io.WriteString(w, line); err != nil {
			t.Fatal(err)
		}
		if got := <-s.read; got != line {
			t.Errorf("read %q", got)
		}
	}
	if e := <-ended; e.err == nil && e.status != http.StatusRequestTimeout {
		t.Errorf("answer %d", e.status)
	}
	_ = w.Close()
	if s.end == nil || errors.Is(s.end, io.EOF) || !strings.Contains(s.end.Error(), "slow") {
		t.Errorf("the Sink saw the end %v", s.end)
	}
	if got := s.counted(); got["logs slow"] != 1 {
		t.Errorf("counted %v", got)
	}
}

// TestLogsTogether: only so many come in at once.
func TestLogsTogether(t *testing.T) {
	s := &asItComes{read: make(chan string)}
	s.ours = newOurs(t, func(opts *push.Options) { opts.Sink, opts.MaxTexts = s, 1 })
	server := httptest.NewServer(s.h)
	defer server.Close()
	r, w := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		got, _ := post(t, server.URL, logText("ci:mine:host/x", ""), r)
		ended <- got
	}()
	if _, err := io.WriteString(w, "text"); err != nil {
		t.Fatal(err)
	}
	<-s.read
	resp := s.send(t, logText("ci:mine:host/y", ""))
	if resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" {
		t.Errorf("a second: %d", resp.StatusCode)
	}
	_ = resp.Body.Close()
	_ = w.Close()
	if got := <-ended; got != 200 {
		t.Errorf("the first: %d", got)
	}
	if got, _ := s.status(t, logText("ci:mine:host/y", "")); got != 200 {
		t.Errorf("afterwards: %d", got)
	}
}
