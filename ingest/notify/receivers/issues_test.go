package receivers_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/api/wire"
	"revenant/ingest/notify"
	"revenant/ingest/notify/receivers"
)

// forge is a tracker as GitHub's or GitLab's API shows it.
type forge struct {
	t      testing.TB
	gitLab bool
	// answer may answer a call in place of the forge.
	answer func(w http.ResponseWriter, call string) bool

	mu     sync.Mutex
	issues []*kept
	calls  []string
}

// kept is an issue of the forge.
type kept struct {
	title, body, state, label string
	comments                  []string
}

func (f *forge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	root, credential := "/api/repos/acme/leaks/issues", r.Header.Get("Authorization") == "Bearer "+token
	if f.gitLab {
		root, credential = "/api/projects/acme%2Fleaks/issues", r.Header.Get("Private-Token") == token
	}
	rest, ours := strings.CutPrefix(r.URL.EscapedPath(), root)
	if !credential || !ours {
		f.t.Errorf("%s %s, credential %t", r.Method, r.URL.EscapedPath(), credential)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	call := r.Method + " " + rest
	f.calls = append(f.calls, call)
	if f.answer != nil && f.answer(w, call) {
		return
	}
	number, about, _ := strings.Cut(strings.TrimPrefix(rest, "/"), "/")
	var in map[string]any
	if r.Method != http.MethodGet {
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			f.t.Error(err)
		}
	}
	switch n, _ := strconv.Atoi(number); {
	case rest == "" && r.Method == http.MethodGet:
		f.list(w, r)
	case rest == "":
		label, _ := in["labels"].(string)
		if list, is := in["labels"].([]any); is {
			label, _ = list[0].(string)
		}
		f.issues = append(f.issues, &kept{title: text(in, "title"), body: f.body(in), state: "open", label: label})
		f.write(w, f.shown(len(f.issues)))
	case n < 1 || n > len(f.issues) || f.issues[n-1] == nil:
		w.WriteHeader(http.StatusNotFound)
	case about != "" && r.Method == http.MethodGet:
		var out []map[string]any
		for _, c := range f.issues[n-1].comments {
			out = append(out, map[string]any{"body": c})
		}
		f.write(w, out)
	case about != "":
		f.issues[n-1].comments = append(f.issues[n-1].comments, text(in, "body"))
		f.write(w, map[string]any{})
	default:
		f.edit(f.issues[n-1], in)
		f.write(w, f.shown(n))
	}
}

func text(in map[string]any, key string) string {
	s, _ := in[key].(string)
	return s
}

func (f *forge) body(in map[string]any) string {
	if f.gitLab {
		return text(in, "description")
	}
	return text(in, "body")
}

func (f *forge) edit(k *kept, in map[string]any) {
	k.title, k.body = text(in, "title"), f.body(in)
	switch text(in, "state") + text(in, "state_event") {
	case "open", "reopen":
		k.state = "open"
	case "closed", "close":
		k.state = "closed"
	}
}

func (f *forge) shown(n int) map[string]any {
	k := f.issues[n-1]
	state := k.state
	if f.gitLab && state == "open" {
		state = "opened"
	}
	return map[string]any{"number": n, "iid": n, "state": state, "title": k.title, "body": k.body, "description": k.body}
}

func (f *forge) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	page, _ := strconv.Atoi(q.Get("page"))
	var all []map[string]any
	for i, k := range f.issues {
		if k != nil && k.label == q.Get("labels") {
			all = append(all, f.shown(i+1))
		}
	}
	all = append(all, map[string]any{"number": 999, "iid": 999, "state": "open", "body": "no mark", "pull_request": map[string]any{}})
	from := min((page-1)*100, len(all))
	f.write(w, all[from:min(from+100, len(all))])
}

func (f *forge) write(w http.ResponseWriter, what any) {
	if err := json.NewEncoder(w).Encode(what); err != nil {
		f.t.Error(err)
	}
}

// to makes a sender to the forge, as a process that just started.
func (f *forge) to(t testing.TB) func() notify.Sender {
	t.Helper()
	server := secure(t, f.ServeHTTP)
	return func() notify.Sender {
		r := notify.Receiver{GitHub: &notify.GitHub{Repository: "acme/leaks", API: server.URL + "/api/", Token: ref(t, "env:TOKEN")}}
		if f.gitLab {
			r = notify.Receiver{GitLab: &notify.GitLab{Project: "acme/leaks", API: server.URL + "/api", Token: ref(t, "env:TOKEN")}}
		}
		return sender(t, r, deps(map[string]string{"TOKEN": token}, server))
	}
}

// state is the forge in words: "#1 open 2 comments: title".
func (f *forge) state() (out []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, k := range f.issues {
		if k != nil {
			out = append(out, fmt.Sprintf("#%d %s, %d comments: %s", i+1, k.state, len(k.comments), k.title))
		}
	}
	return out
}

// grouped is a message about a group with so many open findings.
func grouped(id string, open int, e wire.Event) notify.Message {
	m := message(id, event(e, "conf/a.env"))
	g := notify.Group{Secret: "billing/db", Version: 3, Source: "git:example.org/shop"}
	m.Group = &notify.GroupState{Group: g, Key: g.Key(), Open: open}
	for range open {
		m.Group.First = append(m.Group.First, event("", "conf/a.env"))
	}
	return m
}

func forges(t *testing.T, fn func(t *testing.T, f *forge)) {
	t.Helper()
	for name, gitLab := range map[string]bool{"GitHub": false, "GitLab": true} {
		t.Run(name, func(t *testing.T) { fn(t, &forge{t: t, gitLab: gitLab}) })
	}
}

const title = "[revenant] Leaked secret: billing/db@3 in git:example.org/shop"

// An issue is opened, commented on, closed and opened again, also by processes
// that know of it by its mark alone.
func TestIssues(t *testing.T) {
	forges(t, func(t *testing.T, f *forge) {
		start := f.to(t)
		s := start()
		send := func(what string, m notify.Message, want ...string) {
			t.Helper()
			if err := s.Send(t.Context(), m); err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			if d := cmp.Diff(want, f.state()); d != "" {
				t.Errorf("%s (-want +got):\n%s", what, d)
			}
		}
		send("cleared before it was told", grouped("msg_0", 0, wire.EventCleared))
		send("opened", grouped("msg_1", 1, wire.EventOpened), "#1 open, 0 comments: "+title)
		if f.issues[0].label != "revenant" || !strings.Contains(f.issues[0].body, "conf/a.env:7") {
			t.Errorf("the issue: %+v", f.issues[0])
		}
		send("more", grouped("msg_2", 2, wire.EventOpened), "#1 open, 1 comments: "+title)
		s = start()
		send("one less", grouped("msg_3", 1, wire.EventCleared), "#1 open, 2 comments: "+title)
		send("cleared", grouped("msg_4", 0, wire.EventCleared), "#1 closed, 3 comments: "+title)
		send("cleared again", grouped("msg_5", 0, wire.EventCleared), "#1 closed, 3 comments: "+title)
		s = start()
		send("returned", grouped("msg_6", 1, wire.EventReturned), "#1 open, 4 comments: "+title)

		other := grouped("msg_7", 1, wire.EventOpened)
		other.Group.Version = 4
		other.Group.Key = other.Group.Group.Key()
		second := strings.Replace(title, "@3", "@4", 1)
		send("another group", other, "#1 open, 4 comments: "+title, "#2 open, 0 comments: "+second)

		f.issues[0] = nil // somebody removed it
		if err := s.Send(t.Context(), grouped("msg_8", 1, wire.EventChanged)); err == nil {
			t.Fatal("a removed issue takes comments")
		}
		again := grouped("msg_8", 1, wire.EventChanged)
		again.Attempt = 2
		send("removed", again, "#2 open, 0 comments: "+second, "#3 open, 0 comments: "+title)

		all := message("msg_9", event(wire.EventOpened, "a.env"))
		all.Kind, all.Total = wire.NotifySummary, 900
		summary := "#4 open, 0 comments: [revenant] 900 findings from before notifications began"
		send("a summary", all, "#2 open, 0 comments: "+second, "#3 open, 0 comments: "+title, summary)
		send("the summary again", all, "#2 open, 0 comments: "+second, "#3 open, 0 comments: "+title, summary)
	})
}

// Whatever call fails, the message that is sent again leaves the same behind as
// one that was sent once.
func TestIssuesBroken(t *testing.T) {
	forges(t, func(t *testing.T, f *forge) {
		start := f.to(t)
		for _, m := range []notify.Message{
			grouped("msg_1", 1, wire.EventOpened), grouped("msg_2", 2, wire.EventOpened), grouped("msg_3", 0, wire.EventCleared), grouped("msg_4", 1, wire.EventReturned),
		} {
			fail := 0 // the call that fails, after it was done or before
			for attempt := 1; ; attempt++ {
				m.Attempt = attempt
				n := 0
				f.answer = func(w http.ResponseWriter, _ string) bool {
					if n++; n == fail {
						panic(http.ErrAbortHandler)
					}
					return false
				}
				fail = attempt
				if attempt > 6 {
					f.answer = nil
				}
				if err := start().Send(t.Context(), m); err == nil {
					break
				} else {
					secretless(t, err)
				}
			}
		}
		f.answer = nil
		if d := cmp.Diff([]string{"#1 open, 3 comments: " + title}, f.state()); d != "" {
			t.Error(d)
		}
	})
}

// A comment whose answer was lost is not made again.
func TestIssuesAnswerLost(t *testing.T) {
	forges(t, func(t *testing.T, f *forge) {
		s := f.to(t)()
		if err := s.Send(t.Context(), grouped("msg_1", 1, wire.EventOpened)); err != nil {
			t.Fatal(err)
		}
		mark := receivers.MarkOf("message", "msg_2")
		f.issues[0].comments = append(f.issues[0].comments, "said\n"+mark)
		m := grouped("msg_2", 2, wire.EventOpened)
		m.Attempt = 2
		if err := s.Send(t.Context(), m); err != nil || len(f.issues[0].comments) != 1 {
			t.Errorf("%d comments, %v", len(f.issues[0].comments), err)
		}
	})
}

func TestIssuesLimits(t *testing.T) {
	for name, c := range map[string]struct {
		gitLab bool
		code   int
		header map[string]string
		after  time.Duration
	}{
		"secondary": {false, 403, map[string]string{"Retry-After": "60"}, time.Minute},
		"used up":   {false, 403, map[string]string{"X-Ratelimit-Remaining": "0", "X-Ratelimit-Reset": strconv.FormatInt(at().Add(time.Hour).Unix(), 10), "Date": at().Format(http.TimeFormat)}, time.Hour + time.Second},
		"forbidden": {false, 403, map[string]string{"X-Ratelimit-Remaining": "4999"}, 0},
		"GitLab":    {true, 429, map[string]string{"Retry-After": "42"}, 42 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			f := &forge{t: t, gitLab: c.gitLab, answer: func(w http.ResponseWriter, _ string) bool {
				for k, v := range c.header {
					w.Header().Set(k, v)
				}
				w.WriteHeader(c.code)
				return true
			}}
			err := f.to(t)().Send(t.Context(), grouped("msg_1", 1, wire.EventOpened))
			var e *notify.SendError
			if !errors.As(err, &e) || e.After != c.after || e.Refused {
				t.Errorf("got %+v, %v", e, err)
			}
		})
	}
}

// Issues are found on whatever page of the list they are.
func TestIssuesPages(t *testing.T) {
	forges(t, func(t *testing.T, f *forge) {
		for i := range 250 {
			f.issues = append(f.issues, &kept{title: "x", label: "revenant", state: "open", body: receivers.MarkOf("group", fmt.Sprintf("%032x", i))})
		}
		m := grouped("msg_1", 1, wire.EventOpened)
		f.issues = append(f.issues, &kept{title: "x", label: "revenant", state: "closed", body: "text\n" + receivers.MarkOf("group", m.Group.Key)})
		if err := f.to(t)().Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		if len(f.issues) != 251 || f.issues[250].state != "open" || f.issues[250].title != title {
			t.Errorf("%d issues, the last %+v", len(f.issues), f.issues[len(f.issues)-1])
		}
	})
}

func TestIssuesNotAnAPI(t *testing.T) {
	f := &forge{t: t, answer: func(w http.ResponseWriter, _ string) bool {
		_, err := w.Write([]byte("<html>" + token))
		return err == nil
	}}
	err := f.to(t)().Send(t.Context(), grouped("msg_1", 1, wire.EventOpened))
	var e *notify.SendError
	if !errors.As(err, &e) || !strings.Contains(e.Words, "not of its API") {
		t.Errorf("got %v", err)
	}
	secretless(t, err)
}

// checkIssue fails for a text that is more than text where it is shown.
func checkIssue(t testing.TB, title, body, mark string) {
	t.Helper()
	if len(title) > 255 || strings.ContainsAny(title, "\r\n\x1b") {
		t.Errorf("title %q", title)
	}
	if d := cmp.Diff([]string{mark}, receivers.Marks(body)); d != "" {
		t.Errorf("marks of %q:\n%s", body, d)
	}
	for _, line := range strings.Split(body, "\n") {
		if strings.HasPrefix(line, "/") || strings.HasPrefix(line, "#") {
			t.Errorf("a line is a command or a heading: %q", line)
		}
		if strings.HasPrefix(line, "- ") && strings.ContainsAny(outside(line), "@<[!*") {
			t.Errorf("a line holds more than code: %q", line)
		}
	}
	if len(body) > 60_000 {
		t.Errorf("a body of %d bytes", len(body))
	}
}

// outside leaves out what is code in a line.
func outside(line string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(line, "`")
		if at := strings.Index(line, "<code>"); at >= 0 && (!found || at < len(before)) {
			b.WriteString(line[:at])
			_, line, _ = strings.Cut(line, "</code>")
			continue
		}
		b.WriteString(before)
		if !found {
			return b.String()
		}
		_, line, _ = strings.Cut(rest, "`")
	}
}

func TestIssueHostile(t *testing.T) {
	m := message("msg_1", event(wire.EventOpened, hostile), event(wire.EventSourceFailing, hostile))
	m.URL, m.Events[0].URL, m.Events[1].URL = "", "", ""
	m.Events[1].Finding, m.Events[1].Source, m.Events[1].Detail = nil, hostile, hostile
	mark := receivers.MarkOf("message", "msg_1")
	title, body := receivers.IssueText(m, mark)
	checkIssue(t, title, body, mark)
	checkIssue(t, "", receivers.CommentText(m, mark), mark)
}

func FuzzIssue(f *testing.F) {
	f.Add(hostile)
	f.Add("<!-- revenant:group:00 -->")
	f.Add("`|`<code></code>`")
	f.Add("\xff\n/close")
	f.Fuzz(func(t *testing.T, text string) {
		e := event(wire.EventOpened, text)
		e.URL, e.Finding.Owner, e.Finding.Rule, e.Finding.Matches, e.Finding.SourceID = "", text, text, nil, text
		m := message("msg_1", slices.Repeat([]wire.NotificationEvent{e}, 20)...)
		m.URL = ""
		g := notify.Group{Rule: text, Source: text}
		m.Group = &notify.GroupState{Group: g, Key: g.Key(), Open: 21, First: m.Events}
		mark := receivers.MarkOf("group", g.Key())
		title, body := receivers.IssueText(m, mark)
		checkIssue(t, title, body, mark)
		comment := receivers.MarkOf("message", "msg_1")
		checkIssue(t, "", receivers.CommentText(m, comment), comment)
	})
}

func FuzzMarks(f *testing.F) {
	f.Add("text\n<!-- revenant:group:0011 -->\r\nmore")
	f.Add("<!-- revenant:group:<!-- revenant:message:msg_a -->")
	f.Fuzz(func(t *testing.T, body string) {
		for _, m := range receivers.Marks(body) {
			if !strings.Contains(strings.ReplaceAll(body, "\r", ""), m) || !strings.HasPrefix(m, "<!-- revenant:") || strings.Count(m, "-->") != 1 {
				t.Errorf("%q in %q", m, body)
			}
		}
		mark := receivers.MarkOf("group", notify.Group{Source: body}.Key())
		if got := receivers.Marks(body + "\n" + mark); !slices.Contains(got, mark) {
			t.Errorf("%q is not found behind %q: %q", mark, body, got)
		}
	})
}

// New asks nobody, and refuses what is of no kind.
func TestNew(t *testing.T) {
	if _, err := receivers.New(notify.Config{Receivers: []notify.Receiver{{Name: "x"}}}, receivers.Deps{}); !errors.Is(err, notify.ErrConfig) {
		t.Errorf("of no kind: %v", err)
	}
	bad := notify.Receiver{Name: "x", Mail: &notify.Mail{Server: "example.org:smtp"}}
	if _, err := receivers.New(notify.Config{Receivers: []notify.Receiver{bad}}, receivers.Deps{}); !errors.Is(err, notify.ErrConfig) {
		t.Errorf("a port that is none: %v", err)
	}
}
