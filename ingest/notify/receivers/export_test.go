package receivers

import (
	"encoding/json"

	"revenant/ingest/notify"
)

// SlackBody is what Slack is sent.
func SlackBody(m notify.Message) ([]byte, error) { return json.Marshal(slackOf(m)) }

// IssueText is an issue's title and body.
func IssueText(m notify.Message, mark string) (title, body string) { return issueText(m, mark) }

// CommentText is a comment of an issue.
func CommentText(m notify.Message, mark string) string { return commentText(m, mark) }

// Marks finds the hidden marks of a text.
func Marks(body string) []string { return marks(body) }

// MarkOf is a hidden mark.
func MarkOf(kind, key string) string { return markOf(kind, key) }
