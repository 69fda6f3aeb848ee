package redact_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"revenant/ingest/redact"
	"revenant/ingest/scan"
	"revenant/scanners"
)

// slot is a writer that is looked at from outside.
type slot struct {
	mu   sync.Mutex
	b    bytes.Buffer
	fail error
}

func (s *slot) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return 0, s.fail
	}
	return s.b.Write(p)
}

func (s *slot) said() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.b.String()
	s.b.Reset()
	return out
}

func (k *kit) writer(t *testing.T, out io.Writer) *redact.Writer {
	t.Helper()
	s, err := redact.New(out, redact.Options{Engine: k.engine, Marks: scan.NewMarks(k)})
	if err != nil {
		t.Fatal(err)
	}
	return redact.NewWriter(t.Context(), s, time.Now)
}

// TestWriter: what is written goes out when its time has come, and all of it
// before Close returns, also when the context has ended.
func TestWriter(t *testing.T) {
	v := value(1, 24)
	k := newKit(t, v)
	synctest.Test(t, func(t *testing.T) {
		var out slot
		s, err := redact.New(&out, redact.Options{Engine: k.engine, Marks: scan.NewMarks(k)})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		w := redact.NewWriter(ctx, s, time.Now)
		for _, c := range []struct {
			in   string
			wait time.Duration
			want string
		}{
			{"all is well.\nk=" + string(v[:9]), 25 * ms, "all is well.\n"},
			{string(v[9:]), 25 * ms, ""},
			{"\n", 250 * ms, "k=" + mark(0) + "\n"},
			{"", time.Hour, ""},
			{"half", 250 * ms, "half"},
		} {
			if n, err := io.WriteString(w, c.in); n != len(c.in) || err != nil {
				t.Fatalf("%d of %q: %v", n, c.in, err)
			}
			time.Sleep(c.wait)
			synctest.Wait()
			if got := out.said(); got != c.want {
				t.Errorf("behind %q: %q, want %q", c.in, got, c.want)
			}
		}
		_, _ = w.Write(v)
		if err := w.Close(); err != nil || out.said() != mark(0) {
			t.Errorf("closing: %v", err)
		}
		if _, err := io.WriteString(w, "x"); !errors.Is(err, redact.ErrClosed) {
			t.Errorf("written behind the end: %v", err)
		}
		if err := w.Close(); err != nil {
			t.Errorf("closing again: %v", err)
		}
	})
}

// TestWriterMuch: more than may wait goes through, from several goroutines.
func TestWriterMuch(t *testing.T) {
	v := value(1, 24)
	k := newKit(t, v)
	var out slot
	w := k.writer(t, &out)
	block := strings.Repeat("all is well. ", 1000) + "\n"
	var wg sync.WaitGroup
	const writers, each = 4, 200
	for range writers {
		wg.Go(func() {
			for range each {
				if _, err := io.WriteString(w, block+string(v)+"\n"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if got := out.said(); got != strings.Repeat(block+mark(0)+"\n", writers*each) {
		t.Errorf("%d bytes came through, with %d marks", len(got), strings.Count(got, mark(0)))
	}
}

// breaking is a matcher that panics with what it reads.
type breaking struct{}

func (breaking) Overlap() int { return 10 }

func (breaking) AppendHits([]scanners.Hit, scanners.Chunk) []scanners.Hit { panic("content") }

// TestWriterFailures: a writer behind it that fails, and an engine that does, end
// it; what was not looked at does not go out, and nobody waits.
func TestWriterFailures(t *testing.T) {
	k, bad := newKit(t, value(1, 24)), newKit(t, value(1, 24))
	bad.engine = &scanners.Engine{Matchers: []scanners.Matcher{breaking{}}}
	for name, c := range map[string]struct {
		kit  *kit
		out  *slot
		want string
	}{
		"the writer": {k, &slot{fail: io.ErrShortWrite}, io.ErrShortWrite.Error()},
		"the engine": {bad, &slot{}, "looking at the stream failed"},
	} {
		w := c.kit.writer(t, c.out)
		block := strings.Repeat("all is well.\n", 10_000)
		var err error
		for n := 0; err == nil && n < 10_000; n++ {
			_, err = io.WriteString(w, block)
		}
		closed := w.Close()
		for _, e := range []error{err, closed} {
			if e == nil || !strings.Contains(e.Error(), c.want) || strings.Contains(e.Error(), "content") {
				t.Errorf("%s: %v", name, e)
			}
		}
		if got := c.out.said(); got != "" {
			t.Errorf("%s: %d bytes went out", name, len(got))
		}
	}
}
