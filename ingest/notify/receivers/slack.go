package receivers

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"unicode"

	"revenant/api/wire"
	"revenant/ingest/notify"
	"revenant/ingest/report"
)

// slack sends to an incoming webhook, in the blocks of Slack's Block Kit.
type slack struct {
	config notify.Slack
	client client
}

// maxHeader is what Slack takes as a header, in characters; of a section it takes
// 3,000.
const maxHeader = 150

type slackMessage struct {
	Text        string       `json:"text"` // for notifications and screen readers
	Blocks      []slackBlock `json:"blocks"`
	UnfurlLinks bool         `json:"unfurl_links"`
	UnfurlMedia bool         `json:"unfurl_media"`
}

type slackBlock struct {
	Type     string      `json:"type"`
	Text     *slackText  `json:"text,omitempty"`
	Elements []slackText `json:"elements,omitempty"`
}

type slackText struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

func (s *slack) Send(ctx context.Context, m notify.Message) error {
	address, err := s.client.secret(ctx, s.config.URLFrom)
	if err != nil {
		return err
	}
	body, err := json.Marshal(slackOf(m))
	if err != nil {
		return fmt.Errorf("encoding a message: %w", err)
	}
	req, err := request(ctx, http.MethodPost, string(address), body)
	if err != nil {
		return err
	}
	return s.client.tell(req)
}

func slackOf(m notify.Message) slackMessage {
	head := headline(m)
	out := slackMessage{Text: slackEscape(head)}
	out.Blocks = append(out.Blocks, slackBlock{Type: "header", Text: &slackText{"plain_text", report.Clip(head, maxHeader)}})
	if m.Kind == wire.NotifySummary {
		out.Blocks = append(out.Blocks, section(slackEscape(tally(m.Counts))))
	}
	for _, e := range m.Events {
		out.Blocks = append(out.Blocks, section(slackEvent(e)))
	}
	var foot []string
	if rest := more(m); rest != "" {
		foot = append(foot, slackEscape(rest))
	}
	if m.URL != "" {
		foot = append(foot, slackLink(m.URL, "open Revenant"))
	}
	if len(foot) > 0 {
		out.Blocks = append(out.Blocks, slackBlock{Type: "context", Elements: []slackText{{"mrkdwn", strings.Join(foot, ", ")}}})
	}
	return out
}

func section(text string) slackBlock {
	return slackBlock{Type: "section", Text: &slackText{"mrkdwn", text}}
}

// slackEvent is one event: each part is cut before it is escaped, so that no
// entity is, and even if everything has to be escaped it fits a section.
func slackEvent(e wire.NotificationEvent) string {
	lines := []string{"*" + slackEscape(what(e)) + "*", slackCode(place(e)), slackEscape(facts(e))}
	if a := advice(e); a != "" {
		lines = append(lines, slackEscape(a))
	}
	if e.URL != "" {
		lines = append(lines, slackLink(e.URL, "show"))
	}
	return strings.Join(lines, "\n")
}

// maxPart bounds each text of an event; an escaped character is five.
const maxPart = 140

// slackEscape makes text that Slack shows as it is: no mention, link or emphasis
// comes of it.
func slackEscape(s string) string {
	all := []rune(report.Printable(report.Clip(s, maxPart)))
	var b strings.Builder
	for i, r := range all {
		switch r {
		case '&':
			b.WriteString("&amp;")
		case '<':
			b.WriteString("&lt;")
		case '>':
			b.WriteString("&gt;")
		case '*', '~', '`':
			b.WriteString(string(r) + apart)
		case '_':
			b.WriteRune(r)
			if i == 0 || i == len(all)-1 || !wordy(all[i-1]) || !wordy(all[i+1]) {
				b.WriteString(apart)
			}
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// apart is a space of no width: a mark before it marks nothing.
const apart = "\u200b"

func wordy(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// slackCode is text in Slack's code: nothing ends it before its end.
func slackCode(s string) string {
	s = report.Printable(report.Clip(s, maxPart))
	if strings.TrimSpace(s) == "" {
		return ""
	}
	return "`" + strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "`", "'").Replace(s) + "`"
}

// slackLink is a link to an address of our own.
func slackLink(address, text string) string {
	safe := strings.NewReplacer("&", "&amp;", "<", "%3C", ">", "%3E", "|", "%7C", " ", "%20").Replace(address)
	return "<" + safe + "|" + slackEscape(text) + ">"
}
