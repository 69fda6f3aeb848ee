package receivers_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/ingest/notify"
	"revenant/ingest/notify/receivers"
)

type block struct {
	Type string
	Text *struct{ Type, Text string }
}

type slackMessage struct {
	Text   string
	Blocks []block
}

// slackGets sends a message and returns what Slack would get.
func slackGets(t testing.TB, m notify.Message) slackMessage {
	t.Helper()
	var got slackMessage
	server := secure(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = json.Unmarshal(body, &got)
		}
		if err != nil {
			t.Error(err)
		}
		if strings.Contains(string(body), "password=") {
			t.Error("it holds what stands around a hit")
		}
		_, _ = io.WriteString(w, "ok")
	})
	s := sender(t, notify.Receiver{Slack: &notify.Slack{URLFrom: ref(t, "env:URL")}}, deps(map[string]string{"URL": server.URL + "/secret-path"}, server))
	if err := s.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestSlack(t *testing.T) {
	got := slackGets(t, message("msg_a", event(wire.EventOpened, "conf/a.env")))
	want := "*Leaked secret: billing/db_password@3*\n`git:example.org/shop conf/a.env:7`\ncritical, tip, owner team-a\n" +
		"In use, and it stands where it should not: rotate it, then remove this copy.\n<https://revenant.example.org/findings/rv1:00|show>"
	if got.Text != "Leaked secret: billing/db_password@3" || len(got.Blocks) != 3 || got.Blocks[0].Type != "header" || got.Blocks[1].Text.Text != want {
		t.Errorf("got %+v", got)
	}
	summary := message("msg_b", event(wire.EventOpened, "a"))
	summary.Kind, summary.Total = wire.NotifySummary, 900
	summary.Counts[0].Count = 900
	if got = slackGets(t, summary); got.Text != "900 findings from before notifications began" || got.Blocks[1].Text.Text != "900 leaked" {
		t.Errorf("a summary: %+v", got)
	}
}

func TestSlackHostile(t *testing.T) {
	e := event(wire.EventOpened, hostile)
	e.Finding.Owner, e.Finding.Matches = hostile, nil
	e.Finding.Rule = hostile
	source := wire.NotificationEvent{Event: wire.EventSourceFailing, Source: hostile, Detail: hostile, Severity: fingerprints.SeverityMedium}
	got := slackGets(t, message("msg_a", e, source))
	for _, b := range got.Blocks[1:3] {
		text := b.Text.Text
		lines := strings.Split(text, "\n")
		plain := lines[0] + "\n" + lines[2] // the other one is code
		for _, bad := range []string{"<!", "<b>", "`b`", "\x1b", "\u202e", "\r"} {
			if strings.Contains(text, bad) {
				t.Errorf("%q is in %q", bad, text)
			}
		}
		for _, bad := range []string{"*c*", "_d_|", "`|"} {
			if strings.Contains(plain, bad) {
				t.Errorf("%q is in %q", bad, plain)
			}
		}
		if n := utf8.RuneCountInString(text); n > 3000 {
			t.Errorf("a section of %d characters", n)
		}
	}
}

// FuzzSlack wants every section to fit, and nothing in it to be an entity that
// the message did not make itself.
func FuzzSlack(f *testing.F) {
	f.Add(hostile)
	f.Add(strings.Repeat("&", 1000))
	f.Add("\xff`<@U1>")
	f.Fuzz(func(t *testing.T, text string) {
		e := event(wire.EventOpened, text)
		e.Finding.Owner, e.Finding.Rule, e.Finding.Matches, e.URL = text, text, nil, ""
		m := message("msg_a", e)
		m.URL = ""
		body, err := receivers.SlackBody(m)
		var got slackMessage
		if err == nil {
			err = json.Unmarshal(body, &got)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range got.Blocks[1:] {
			if utf8.RuneCountInString(b.Text.Text) > 3000 || strings.ContainsAny(b.Text.Text, "<>") || strings.Count(b.Text.Text, "\n") > 3 {
				t.Errorf("%q becomes %q", text, b.Text.Text)
			}
		}
	})
}
