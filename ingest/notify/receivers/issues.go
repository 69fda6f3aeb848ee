package receivers

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"revenant/api/wire"
	"revenant/ingest/notify"
	"revenant/ingest/report"
)

// tracker is a place that keeps issues.
type tracker interface {
	// list calls fn with each issue that has the label and changed since.
	list(ctx context.Context, since time.Time, fn func(issue)) error
	create(ctx context.Context, title, body string) (issue, error)
	edit(ctx context.Context, number int, e edit) error
	comment(ctx context.Context, number int, body string) error
	// comments calls fn with comments of an issue, the latest ones at least.
	comments(ctx context.Context, number int, fn func(body string)) error
}

// issue is what is known of one.
type issue struct {
	number      int
	closed      bool
	title, body string
}

// edit is what of an issue is to change; a nil state leaves it as it is.
type edit struct {
	title, body string
	state       state
}

type state int

const (
	keepState state = iota
	openState
	closedState
)

// issues keeps one issue for each group of findings: opened when there is
// something, commented on when that changes, closed when nothing is left, opened
// again when it comes back. An issue is found again by a hidden mark in its text.
// What it does depends on what the issue is like, so doing it again does nothing.
type issues struct {
	to  tracker
	now func() time.Time

	mu     sync.Mutex // one message at a time
	known  map[string]issue
	listed time.Time
}

func newIssues(to tracker, now func() time.Time) *issues {
	return &issues{to: to, now: now, known: map[string]issue{}}
}

// overlap is how far back issues are listed again: clocks differ.
const overlap = 10 * time.Minute

func (s *issues) Send(ctx context.Context, m notify.Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.refresh(ctx); err != nil {
		return err
	}
	mark := markOf("message", m.ID)
	if m.Group != nil {
		mark = markOf("group", m.Group.Key)
	}
	err := s.settle(ctx, m, mark)
	var answer *statusError
	if errors.As(err, &answer) && (answer.code == http.StatusNotFound || answer.code == http.StatusGone) {
		if _, has := s.known[mark]; has {
			// Somebody removed the issue: the next attempt makes another.
			delete(s.known, mark)
			answer.Refused = false
		}
	}
	return err
}

// refresh learns of issues that others made or changed.
func (s *issues) refresh(ctx context.Context) error {
	began := s.now()
	since := s.listed
	if !since.IsZero() {
		since = since.Add(-overlap)
	}
	err := s.to.list(ctx, since, func(i issue) {
		for _, mark := range marks(i.body) {
			if old, has := s.known[mark]; !has || i.number <= old.number {
				s.known[mark] = i // of two, the older one
			}
		}
	})
	if err == nil {
		s.listed = began
	}
	return err
}

func (s *issues) settle(ctx context.Context, m notify.Message, mark string) error {
	is, has := s.known[mark]
	open := m.Group == nil || m.Group.Open > 0
	title, body := issueText(m, mark)
	switch {
	case !has && open:
		made, err := s.to.create(ctx, title, body)
		if err != nil {
			return err
		}
		made.title, made.body = title, body
		s.known[mark] = made
		return nil
	case !has || m.Group == nil, is.closed && !open:
		return nil
	}
	if err := s.say(ctx, m, is); err != nil {
		return err
	}
	e := edit{title: title, body: body}
	switch {
	case open && is.closed:
		e.state = openState
	case !open:
		e.state = closedState
		e.title, e.body = is.title, is.body // it stays what it was about
	}
	if e.state == keepState && e.title == is.title && e.body == is.body {
		return nil
	}
	if err := s.to.edit(ctx, is.number, e); err != nil {
		return err
	}
	is.title, is.body, is.closed = e.title, e.body, !open
	s.known[mark] = is
	return nil
}

// say comments on what happened, once.
func (s *issues) say(ctx context.Context, m notify.Message, is issue) error {
	mark := markOf("message", m.ID)
	if m.Attempt > 1 {
		said := false
		err := s.to.comments(ctx, is.number, func(body string) { said = said || slices.Contains(marks(body), mark) })
		if err != nil || said {
			return err
		}
	}
	return s.to.comment(ctx, is.number, commentText(m, mark))
}

// Marks are comments of HTML, which no reader shows. One counts where it is a line
// of its own: nothing that comes from a source is.

func markOf(kind, key string) string { return "<!-- revenant:" + kind + ":" + key + " -->" }

func marks(body string) []string {
	return regexp.MustCompile(`(?m)^<!-- revenant:(?:group|message):[0-9a-z_]{1,64} -->$`).FindAllString(strings.ReplaceAll(body, "\r", ""), -1)
}

// issueText is an issue's title and body. Every text of a source is code: it is
// no markup, no mention, and no command of GitLab, which stand at the start of a
// line.
func issueText(m notify.Message, mark string) (title, body string) {
	var b strings.Builder
	title = headline(m)
	events := m.Events
	if m.Group != nil {
		title = groupTitle(*m.Group)
		events = m.Group.First
	}
	if len(events) > 0 && m.Kind != wire.NotifySummary {
		b.WriteString(todo(events[0]) + "\n\n")
	}
	if m.Kind == wire.NotifySummary {
		b.WriteString("Found before notifications began: " + tally(m.Counts) + ".\n\n")
	}
	for _, e := range events {
		b.WriteString(line(e))
	}
	if n := total(m) - len(events); n > 0 {
		fmt.Fprintf(&b, "\nand %d more\n", n)
	}
	if m.URL != "" {
		fmt.Fprintf(&b, "\n[open Revenant](%s)\n", markdownURL(m.URL))
	}
	b.WriteString("\nThis issue is kept up to date, and closed when no copy is left.\n\n" + mark + "\n")
	return report.Clip("[revenant] "+report.Printable(title), maxTitle), b.String()
}

// maxTitle is what both trackers take.
const maxTitle = 240

func total(m notify.Message) int {
	if m.Group != nil {
		return m.Group.Open
	}
	return m.Total
}

// todo says what to do about an event, or about a finding of a group.
func todo(e wire.NotificationEvent) string {
	if e.Event == wire.EventSourceFailing {
		return code(e.Detail)
	}
	return report.Advice(e.Verdict)
}

func groupTitle(g notify.GroupState) string {
	if g.Health {
		return "Source cannot be read: " + g.Source
	}
	what := g.Rule
	if g.Secret != "" {
		what = fmt.Sprintf("%s@%d", g.Secret, g.Version)
	}
	if what == "" {
		what = "a value"
	}
	verdict := "unregistered"
	if len(g.First) > 0 {
		verdict = string(g.First[0].Verdict)
	}
	return fmt.Sprintf("%s secret: %s in %s", capital(verdict), what, g.Source)
}

// line is an event or a finding in a list.
func line(e wire.NotificationEvent) string {
	text := "- " + code(place(e)) + ", " + code(facts(e))
	if e.URL != "" {
		text += ", [show](" + markdownURL(e.URL) + ")"
	}
	return text + "\n"
}

// code is report.Code where there is something to show.
func code(s string) string {
	if c := report.Code(report.Clip(s, maxPlace)); c != "" {
		return c
	}
	return "-"
}

// markdownURL keeps an address inside of the parentheses of its link.
func markdownURL(address string) string {
	return strings.NewReplacer("(", "%28", ")", "%29", " ", "%20", "<", "%3C", ">", "%3E").Replace(report.Printable(address))
}

// commentText says what happened since.
func commentText(m notify.Message, mark string) string {
	var b strings.Builder
	if m.Group != nil && m.Group.Open == 0 {
		b.WriteString("Nothing is left to do here.\n\n")
	}
	for _, e := range m.Events {
		b.WriteString("- " + code(what(e)) + ", " + code(place(e)) + "\n")
	}
	if rest := more(m); rest != "" {
		b.WriteString("\n" + rest + "\n")
	}
	b.WriteString("\n" + mark + "\n")
	return b.String()
}
