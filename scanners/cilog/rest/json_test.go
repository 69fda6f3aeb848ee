package rest_test

import (
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/scanners/cilog"
	"revenant/scanners/cilog/rest"
)

type value struct{ Name string }

func TestJSONReadsAndRemembers(t *testing.T) {
	c, _ := client(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", "Sun, 01 Mar 2026 09:00:00 GMT")
		w.Header().Set("ETag", `"one"`)
		switch {
		case r.URL.Path != "/api/v3/things" || r.Header.Get("Authorization") != "Bearer "+token() || r.Header.Get("Accept") != "application/json":
			w.WriteHeader(http.StatusTeapot)
		case r.Header.Get("If-None-Match") == `"one"`:
			w.WriteHeader(http.StatusNotModified)
		default:
			w.Header().Set("Link", `<http://inner.example/api/v3/things?page=1>; rel="prev", <http://inner.example/api/v3/things?page=3&a=b,c>; rel="next"`)
			_, _ = io.WriteString(w, `{"Name":"x"}`)
		}
	}), nil)
	var v value
	a, err := c.JSON(t.Context(), "things?page=2", "", &v)
	if err != nil || v.Name != "x" || a.ETag != `"one"` || a.NotModified {
		t.Fatalf("JSON = %+v, %v, read %+v", a, err, v)
	}
	if want := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC); !a.Date.Equal(want) {
		t.Errorf("date %v, want %v", a.Date, want)
	}
	if want := strings.TrimSuffix(c.Base(), "/") + "/things?page=3&a=b,c"; a.Next != want {
		t.Errorf("next page %q, want %q on the host that was named", a.Next, want)
	}
	a, err = c.JSON(t.Context(), "/things?page=2", a.ETag, &v)
	if err != nil || !a.NotModified || v.Name != "x" {
		t.Fatalf("asked again: %+v, %v, value %+v", a, err, v)
	}
	if n := c.Counts(); n.Requests != 2 || n.NotModified != 1 || n.Bytes != 12 || n.Retries != 0 {
		t.Errorf("counts %+v", n)
	}
}

// TestStatuses has a row for each answer that is no success: what it means, and
// how often it is asked for.
func TestStatuses(t *testing.T) {
	const reset = 1772366400 // 2026-03-01 12:00:00 UTC, where the clock begins
	tests := map[string]struct {
		status   int
		header   map[string]string
		body     string
		want     error
		requests int64
	}{
		"401":                            {401, nil, "", cilog.ErrDenied, 1},
		"403":                            {403, map[string]string{"X-RateLimit-Remaining": "10", "X-RateLimit-Reset": "1"}, "", cilog.ErrDenied, 1},
		"403, nothing left, for an hour": {403, map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": strconv.Itoa(reset + 3600)}, "", cilog.ErrLimited, 1},
		"403, nothing left, for 50 s":    {403, map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": strconv.Itoa(reset + 50)}, "", cilog.ErrLimited, 3},
		"403 with Retry-After":           {403, map[string]string{"Retry-After": "50"}, "", cilog.ErrLimited, 3},
		"403 whose body tells":           {403, nil, "a secondary limit", cilog.ErrLimited, 3},
		"404":                            {404, nil, "", rest.ErrNotFound, 1},
		"410":                            {410, nil, "", cilog.ErrExpired, 1},
		"429 with Retry-After":           {429, map[string]string{"Retry-After": "7200"}, "", cilog.ErrLimited, 1},
		"451":                            {451, nil, "", cilog.ErrDenied, 1},
		"407":                            {407, nil, "", cilog.ErrUnreachable, 1},
		"418":                            {418, nil, "", cilog.ErrUnreachable, 1},
		"500":                            {500, nil, "", cilog.ErrUnreachable, 5},
		"502":                            {502, nil, "", cilog.ErrUnreachable, 5},
		"503":                            {503, nil, "", cilog.ErrUnreachable, 5},
		"504":                            {504, nil, "", cilog.ErrUnreachable, 5},
		"503 with Retry-After beyond":    {503, map[string]string{"Retry-After": "7200"}, "", cilog.ErrUnreachable, 1},
		"a page for people":              {200, nil, "<html>", cilog.ErrUnreachable, 1},
		"half an answer":                 {200, nil, `{"Name":`, cilog.ErrUnreachable, 1},
		"two answers":                    {200, nil, `{} {}`, cilog.ErrUnreachable, 1},
		"an unasked 304":                 {304, nil, "", cilog.ErrUnreachable, 1},
		"an empty answer":                {200, nil, "", cilog.ErrUnreachable, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c, clock := client(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Date", "Sun, 01 Mar 2026 12:00:00 GMT")
				for k, v := range tt.header {
					w.Header().Set(k, v)
				}
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.body)
			}), func(o *rest.Options) {
				o.Limited = func(body []byte) bool { return strings.Contains(string(body), "secondary limit") }
				o.Kind = func(string) string { return "the list of runs" }
			})
			var v value
			_, err := c.JSON(t.Context(), "secretpath?token="+token(), "", &v)
			if !errors.Is(err, tt.want) {
				t.Fatalf("error %v, want %v", err, tt.want)
			}
			if n := c.Counts().Requests; n != tt.requests {
				t.Errorf("%d requests, want %d; slept %v", n, tt.requests, clock.naps())
			}
			var e *rest.Error
			if !errors.As(err, &e) || e.Host == "" || e.Kind != "the list of runs" || tt.status != 200 && e.Status != tt.status {
				t.Errorf("error %+v lacks what callers look at", e)
			}
			for _, canary := range []string{token(), "secretpath", "html", "secondary"} {
				if strings.Contains(err.Error(), canary) {
					t.Errorf("error %q repeats %q", err, canary)
				}
			}
			var slept time.Duration
			for _, d := range clock.naps() {
				slept += d
			}
			if slept > 2*time.Minute || slept != c.Counts().Waited {
				t.Errorf("slept %v, counted %v", slept, c.Counts().Waited)
			}
		})
	}
}

// TestRecovers fails for a while and then answers.
func TestRecovers(t *testing.T) {
	tests := map[string]struct {
		fail func(w http.ResponseWriter)
		min  time.Duration // of all waiting
		max  time.Duration
	}{
		"500":                 {func(w http.ResponseWriter) { w.WriteHeader(500) }, time.Second / 2, 2 * time.Second},
		"429 without a word":  {func(w http.ResponseWriter) { w.WriteHeader(429) }, time.Second / 2, 2 * time.Second},
		"Retry-After seconds": {retryLater(429, "30"), 30 * time.Second, 30 * time.Second},
		"Retry-After date": {func(w http.ResponseWriter) { // the server's clock is hours behind ours
			w.Header().Set("Date", "Sun, 01 Mar 2026 04:00:00 GMT")
			retryLater(503, "Sun, 01 Mar 2026 04:00:40 GMT")(w)
		}, 40 * time.Second, 40 * time.Second},
		"Retry-After date, no clock": {func(w http.ResponseWriter) {
			w.Header()["Date"] = nil
			retryLater(429, "Sun, 01 Mar 2026 12:00:20 GMT")(w)
		}, 20 * time.Second, 20 * time.Second},
		"Retry-After of nonsense": {retryLater(429, "soon"), time.Second / 2, 2 * time.Second},
		"a reset by a clock hours ahead": {func(w http.ResponseWriter) {
			w.Header().Set("Date", "Sun, 01 Mar 2026 20:00:00 GMT")
			w.Header().Set("X-RateLimit-Remaining", "0")
			w.Header().Set("X-RateLimit-Reset", strconv.FormatInt(time.Date(2026, 3, 1, 20, 1, 0, 0, time.UTC).Unix(), 10))
			w.WriteHeader(403)
		}, 61 * time.Second, 61 * time.Second},
		"a dropped connection": {func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, time.Second / 2, 2 * time.Second},
		"a body that breaks off": {func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"Name":`)
			panic(http.ErrAbortHandler)
		}, time.Second / 2, 2 * time.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int32
			c, clock := client(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if asked.Add(1) == 1 {
					tt.fail(w)
					return
				}
				_, _ = io.WriteString(w, `{"Name":"x"}`)
			}), nil)
			var v value
			if _, err := c.JSON(t.Context(), "things", "", &v); err != nil || v.Name != "x" {
				t.Fatalf("read %+v, %v", v, err)
			}
			n := c.Counts()
			if n.Requests != 2 || n.Retries != 1 || n.Waited < tt.min || n.Waited > tt.max || len(clock.naps()) != 1 {
				t.Errorf("counts %+v, slept %v, want %v to %v", n, clock.naps(), tt.min, tt.max)
			}
		})
	}
}

func retryLater(status int, after string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("Retry-After", after)
		w.WriteHeader(status)
	}
}

// TestLimitIsSharedAndToldBefore: who used the last request lets all others
// wait, without asking, and says so.
func TestLimitIsSharedAndToldBefore(t *testing.T) {
	var told []string
	c, clock := client(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", "Sun, 01 Mar 2026 12:00:00 GMT")
		w.Header().Set("X-RateLimit-Remaining", "0")
		w.Header().Set("X-RateLimit-Reset", strconv.FormatInt(newClock().now.Unix()+60, 10))
		_, _ = io.WriteString(w, `{}`)
	}), func(o *rest.Options) {
		o.Wait = func(why string, d time.Duration) { told = append(told, why+": "+d.String()) }
	})
	var v value
	for range 2 {
		if _, err := c.JSON(t.Context(), "things", "", &v); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]time.Duration{61 * time.Second}, clock.naps()); diff != "" {
		t.Errorf("slept (-want +got):\n%s", diff)
	}
	if len(told) != 1 || !strings.HasSuffix(told[0], "limits requests: 1m1s") {
		t.Errorf("told %q", told)
	}
}

// A Retry-After beside an answer is no limit.
func TestRetryAfterOfAnAnswer(t *testing.T) {
	c, clock := client(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "86400")
		_, _ = io.WriteString(w, `{}`)
	}), nil)
	for range 2 {
		var v value
		if _, err := c.JSON(t.Context(), "things", "", &v); err != nil || len(clock.naps()) > 0 {
			t.Fatalf("error %v, slept %v", err, clock.naps())
		}
	}
}

func TestJSONIsBounded(t *testing.T) {
	c, _ := client(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var to io.Writer = w
		if r.URL.Path == "/api/v3/bomb" {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			defer func() { _ = z.Close() }()
			to = z
		}
		spaces := []byte(strings.Repeat(" ", 1<<16))
		for {
			if _, err := to.Write(spaces); err != nil { // until the client goes
				return
			}
		}
	}), nil)
	for _, ref := range []string{"endless", "bomb"} {
		var v value
		_, err := c.JSON(t.Context(), ref, "", &v)
		if !errors.Is(err, cilog.ErrUnreachable) || !strings.Contains(err.Error(), "16 MiB") {
			t.Errorf("%s: error %v", ref, err)
		}
	}
	if n := c.Counts(); n.Bytes > 2*(17<<20) || n.Requests != 2 {
		t.Errorf("counts %+v", n)
	}
}
