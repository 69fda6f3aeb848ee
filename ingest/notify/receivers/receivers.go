// Package receivers sends notifications: to a signed webhook, to Slack's incoming
// incoming webhooks, by SMTP, as issues of GitHub and GitLab, and as records of a topic.
//
// It promises: credentials are fetched anew for each message and stand in no
// error; redirects are not followed; nothing of an answer is kept but its status
// and its limits; nothing that came from a source is markup, a mention, a header
// or a link where it is shown. A message that is sent again looks the same to
// whoever keeps ids: webhook-id, Message-ID and the hidden marks of issues.
package receivers

import (
	"context"
	"crypto/x509"
	"fmt"
	"time"

	"revenant/ingest/credential"
	"revenant/ingest/notify"
	"revenant/scanners/kafka"
)

// Deps are what senders stand on; the zero Deps is ready.
type Deps struct {
	Credentials credential.Resolver
	Now         func() time.Time
	// Roots are the authorities that are trusted; nil: the system's.
	Roots *x509.CertPool
}

// New makes the senders of a configuration, by the names of their receivers. It
// asks nobody.
func New(c notify.Config, d Deps) (map[string]notify.Sender, error) {
	if d.Now == nil {
		d.Now = time.Now
	}
	web := newClient(d)
	out := map[string]notify.Sender{}
	for _, r := range c.Receivers {
		switch {
		case r.Webhook != nil:
			out[r.Name] = &webhook{config: *r.Webhook, client: web}
		case r.Slack != nil:
			out[r.Name] = &slack{config: *r.Slack, client: web}
		case r.Mail != nil:
			m, err := newMail(*r.Mail, d)
			if err != nil {
				return nil, fmt.Errorf("receiver %s: %w", r.Name, err)
			}
			out[r.Name] = m
		case r.Kafka != nil:
			config := *r.Kafka
			out[r.Name] = NewTopic(config.Topic, func(ctx context.Context) (kafka.Config, error) { return TopicConfig(ctx, config, d.Credentials) })
		case r.GitHub != nil:
			out[r.Name] = newIssues(newGitHub(*r.GitHub, web), d.Now)
		case r.GitLab != nil:
			out[r.Name] = newIssues(newGitLab(*r.GitLab, web), d.Now)
		default:
			return nil, fmt.Errorf("receiver %s: %w: it is of no kind", r.Name, notify.ErrConfig)
		}
	}
	return out, nil
}
