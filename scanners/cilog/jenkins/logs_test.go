package jenkins_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/scanners/cilog"
	"revenant/scanners/cilog/jenkins"
)

func read(t *testing.T, p *jenkins.Project, r cilog.Run, l cilog.Log) (string, error) {
	t.Helper()
	rc, err := p.Open(context.Background(), r, l)
	if err != nil {
		return "", err
	}
	defer rc.Close()
	b, err := io.ReadAll(rc)
	return string(b), err
}

func check(t *testing.T, err, want error, teach string) {
	t.Helper()
	if !errors.Is(err, want) || want == nil && err != nil {
		t.Errorf("%v, want %v", err, want)
		return
	}
	if err != nil && (strings.Contains(err.Error(), token()) || !strings.Contains(err.Error(), teach)) {
		t.Errorf("it says %v", err)
	}
}

func TestLogs(t *testing.T) {
	c := newController(t)
	_, p := c.job("app", builds(3, 3)...)
	var all []cilog.Run
	if _, err := p.Runs(context.Background(), cilog.Query{}, func(page []cilog.Run) bool { all = append(all, page...); return true }); err != nil {
		t.Fatal(err)
	}
	begin := len(c.since(0))
	logs, err := p.Logs(context.Background(), all[0])
	want := []cilog.Log{{Key: "console@" + all[0].Changed, Path: "console", URL: c.url + "/job/app/3/console", Began: all[0].Began, Size: -1}}
	if diff := cmp.Diff(want, logs); diff != "" || err != nil {
		t.Errorf("%v, logs (-want +got):\n%s", err, diff)
	}
	if n := len(c.since(begin)); n != 0 {
		t.Errorf("%d requests for what is known", n)
	}
	if got, err := read(t, p, all[0], logs[0]); got != "done\n" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	going := all[0]
	going.Going = true
	if logs, err = p.Logs(context.Background(), going); err != nil || !logs[0].Going {
		t.Errorf("%+v, %v", logs, err)
	}
}

func TestMatrix(t *testing.T) {
	c := newController(t)
	b := &build{Number: 9, At: day, Log: "parent\n", Matrix: []*build{
		{Number: 9, Config: "jdk=21,os=linux/arm 64%", At: day.Add(time.Second), Log: "linux\n"},
		{Number: 4, Config: "jdk=8,os=linux", At: day, Log: "of an older build\n"},
		{Number: 9, Config: "jdk=21,os=mac", At: day.Add(2 * time.Second), Log: "mac\n", InProgress: true},
		{Number: 9, Config: "jdk=21,os=mac", At: day, Log: "again\n"},
	}}
	b.Matrix[0].Config = strings.ReplaceAll(b.Matrix[0].Config, "/", "_") // no name has a slash
	_, p := c.job("app", b)
	var run cilog.Run
	if _, err := p.Runs(context.Background(), cilog.Query{}, func(page []cilog.Run) bool { run = page[0]; return true }); err != nil {
		t.Fatal(err)
	}
	logs, err := p.Logs(context.Background(), run)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range logs {
		text, err := read(t, p, run, l)
		got = append(got, fmt.Sprintf("%s|%s|%s|%v|%v|%s", l.Path, l.Part, strings.TrimSpace(text), err, l.Going, strings.TrimPrefix(l.URL, c.url)))
	}
	want := []string{
		"console||parent|<nil>|false|/job/app/9/console",
		"jdk=21,os=linux_arm 64%/console|configuration 1|linux|<nil>|false|/job/app/jdk=21%2Cos=linux_arm%2064%25/9/console",
		"jdk=21,os=mac/console|configuration 3|mac|<nil>|true|/job/app/jdk=21%2Cos=mac/9/console",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("logs (-want +got):\n%s", diff)
	}
	b.Matrix = nil
	if logs, err = p.Logs(context.Background(), run); err != nil || len(logs) != 1 {
		t.Errorf("no matrix any more: %v, %v", logs, err)
	}
	b.Number = 10
	if _, err = p.Logs(context.Background(), run); !errors.Is(err, cilog.ErrExpired) {
		t.Errorf("discarded: %v", err)
	}
}

// Plain text is what is written until now, whole.
func TestConsole(t *testing.T) {
	c := newController(t)
	b := &build{Number: 1, At: day, Building: true, Log: note + "one\ntwo\r\nthr"}
	_, p := c.job("app", b)
	run := cilog.Run{ID: "1"}
	for _, l := range []cilog.Log{{Key: "console@1", Going: true}, {Key: "console@1"}, {Key: "console"}} {
		begin := len(c.since(0))
		if got, err := read(t, p, run, l); got != "one\ntwo\r\nthr" || err != nil || len(c.since(begin)) != 1 {
			t.Errorf("%+v: %q, %v", l, got, err)
		}
	}
	for _, text := range []string{"No such file: a/log\n", "No such file: ", "No", "No such file: x", strings.Repeat("No such file: log", 1000)} {
		b.Log = text
		if got, err := read(t, p, run, cilog.Log{Key: "console"}); got != text || err != nil {
			t.Errorf("a log that tells of a file: %q, %v", got, err)
		}
	}
	b.Log = ""
	_, err := read(t, p, run, cilog.Log{Key: "console"})
	check(t, err, cilog.ErrDeleted, "its log is not")
	if strings.Contains(err.Error(), "/var") {
		t.Errorf("it says %v", err)
	}
}

// A console that grows is read as far as it is, over several answers, and
// offsets are those of the file, not of what came.
func TestConsoleThatGrows(t *testing.T) {
	c := newController(t)
	c.bare = true
	b := &build{Number: 1, At: day, Building: true, InProgress: true}
	var want strings.Builder
	for i := range 20 {
		b.Log += fmt.Sprintf("%sline %d\n", note, i)
		fmt.Fprintf(&want, "line %d\r\n", i)
	}
	b.Log += "begun, with no end"
	_, p := c.job("app", b)
	run := cilog.Run{ID: "1", Going: true}
	l := cilog.Log{Key: "console@1", Going: true}
	if got, err := read(t, p, run, l); got != want.String() || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if n := len(c.since(2)); n != 8 {
		t.Errorf("%d answers", n)
	}

	// It ends while it is read: the last line comes too.
	answers := 0
	c.before = func(http.ResponseWriter, *http.Request) bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		if answers++; answers == 5 {
			b.Log += "\nFinished: SUCCESS\n"
			b.Building, b.InProgress = false, false
		}
		return false
	}
	got, err := read(t, p, run, l)
	if got != want.String()+"begun, with no end\r\nFinished: SUCCESS\r\n" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestConsoleThatIsOdd(t *testing.T) {
	c := newController(t)
	c.bare = true
	b := &build{Number: 1, At: day}
	_, p := c.job("app", b)
	run := cilog.Run{ID: "1"}
	_, err := read(t, p, run, cilog.Log{Key: "console"})
	check(t, err, cilog.ErrDeleted, "its log is not")
	if got, err := read(t, p, run, cilog.Log{Key: "console", Going: true}); got != "" || err != nil {
		t.Errorf("a log that has not begun: %q, %v", got, err)
	}

	b.InProgress, b.Log = true, "one\ntwo\n" // an old server does not say that it is
	got, err := read(t, p, run, cilog.Log{Key: "console"})
	if got != "one\r\ntwo\r\n" {
		t.Errorf("%q", got)
	}
	check(t, err, cilog.ErrUnreachable, "its log has not")

	answer := func(size, more, body string) {
		c.before = func(w http.ResponseWriter, r *http.Request) bool {
			if strings.HasSuffix(r.URL.Path, "/consoleText") {
				return false
			}
			if size != "" {
				w.Header().Set("X-Text-Size", size)
			}
			w.Header().Set("X-More-Data", more)
			fmt.Fprint(w, body)
			return true
		}
	}
	answer("", "true", "all there is")
	if got, err := read(t, p, run, cilog.Log{Key: "console"}); got != "all there is" || err != nil {
		t.Errorf("a proxy took the size away: %q, %v", got, err)
	}
	n := 0
	c.before = func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/consoleText") {
			return false
		}
		n++
		w.Header().Set("X-Text-Size", fmt.Sprint(100-n))
		w.Header().Set("X-More-Data", "true")
		fmt.Fprint(w, "x")
		return true
	}
	got, err = read(t, p, run, cilog.Log{Key: "console", Going: true})
	if got != "x" {
		t.Errorf("%q", got)
	}
	check(t, err, cilog.ErrUnreachable, "begun anew")

	n = 0
	c.before = func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/consoleText") {
			return false
		}
		n++
		w.Header().Set("X-Text-Size", fmt.Sprint(n))
		w.Header().Set("X-More-Data", "true")
		return true
	}
	_, err = read(t, p, run, cilog.Log{Key: "console", Going: true})
	check(t, err, cilog.ErrUnreachable, "said to grow")
	if n > 20 {
		t.Errorf("%d requests for nothing", n)
	}
}

func TestConsoleFails(t *testing.T) {
	c := newController(t)
	_, p := c.job("app", &build{Number: 1, At: day, Log: "x"})
	run, l := cilog.Run{ID: "1"}, cilog.Log{Key: "console"}
	c.before = func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Content-Length", "100")
		w.Header().Set("X-Text-Size", "100")
		fmt.Fprint(w, "only this")
		return true
	}
	got, err := read(t, p, run, l)
	if got != "only this" || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("broken off: %q, %v", got, err)
	}
	c.before = func(w http.ResponseWriter, r *http.Request) bool {
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, strings.Repeat("x", 1<<16)); err != nil {
				break
			}
		}
		return true
	}
	rc, err := p.Open(context.Background(), run, l)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.CopyN(io.Discard, rc, 10<<20); n != 10<<20 || err != nil {
		t.Errorf("endless: %d bytes, %v", n, err)
	}
	if err := rc.Close(); err != nil {
		t.Error(err)
	}
	c.before = nil
	slow, err := c.server(func(o *jenkins.Options) { o.Rest.Idle = 20 * time.Millisecond }).Projects(context.Background(), "app")
	if err != nil {
		t.Fatal(err)
	}
	c.before = func(w http.ResponseWriter, r *http.Request) bool {
		fmt.Fprint(w, "slow")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		return true
	}
	if got, err = read(t, slow[0], run, l); got != "slow" || !errors.Is(err, cilog.ErrUnreachable) {
		t.Errorf("slow: %q, %v", got, err)
	}
}

// TestCost holds the figures of docs/sources.md.
func TestCost(t *testing.T) {
	c := newController(t)
	c.top.Items = []*item{{Name: "app", Builds: builds(1000, 1000)}}
	s := c.server(nil)
	all, err := s.Projects(context.Background(), "app")
	if err != nil {
		t.Fatal(err)
	}
	p := all[0]
	mark, err := p.Runs(context.Background(), cilog.Query{}, func(page []cilog.Run) bool {
		for _, r := range page {
			logs, err := p.Logs(context.Background(), r)
			if err != nil || len(logs) != 1 {
				t.Fatal(logs, err)
			}
			if _, err := read(t, p, r, logs[0]); err != nil {
				t.Fatal(err)
			}
		}
		return true
	})
	if n := s.Counts().Requests; err != nil || n != 1012 {
		t.Errorf("1,000 builds cost %d requests: %v", n, err)
	}
	_, _ = runs(t, p, cilog.Query{Mark: mark})
	if n := s.Counts().Requests; n != 1013 {
		t.Errorf("a rescan costs %d requests", n-1012)
	}
}
