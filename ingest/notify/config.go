package notify

import (
	"time"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/ingest/credential"
)

// Config is what is to be told to whom. The zero Config tells nobody anything.
type Config struct {
	// URL is where people reach the server, for links; empty: no links.
	URL       string     `json:"url,omitempty" koanf:"url"`
	Receivers []Receiver `json:"receivers,omitempty" koanf:"receivers"`
	Rules     []Rule     `json:"rules,omitempty" koanf:"rules"`
	// GiveUpAfter is how long a message is tried; zero: a day.
	GiveUpAfter time.Duration `json:"give_up_after,omitempty" koanf:"give_up_after"`
}

// Receiver is somebody who is told. Exactly one of the kinds is set.
type Receiver struct {
	Name string `json:"name" koanf:"name"`
	// Window is how long events are gathered before they are sent together; zero:
	// 30 seconds. What is critical does not wait.
	Window  time.Duration `json:"window,omitempty" koanf:"window"`
	Webhook *Webhook      `json:"webhook,omitempty" koanf:"webhook"`
	Slack   *Slack        `json:"slack,omitempty" koanf:"slack"`
	Mail    *Mail         `json:"mail,omitempty" koanf:"mail"`
	GitHub  *GitHub       `json:"github,omitempty" koanf:"github"`
	GitLab  *GitLab       `json:"gitlab,omitempty" koanf:"gitlab"`
	Kafka   *Kafka        `json:"kafka,omitempty" koanf:"kafka"`
}

// Webhook is a program that takes revenant.notification/v1, signed as Standard
// Webhooks says.
type Webhook struct {
	URL string `json:"url,omitempty" koanf:"url"`
	// URLFrom is where the address lies, where it is a secret itself.
	URLFrom credential.Ref `json:"url_from,omitempty" koanf:"url_from"`
	// Secret signs; "whsec_" and base64, or a text of at least 24 bytes.
	Secret credential.Ref `json:"secret" koanf:"secret"`
}

// Slack is an incoming webhook of Slack, or of what speaks its language.
type Slack struct {
	URLFrom credential.Ref `json:"url_from" koanf:"url_from"` // the address is the credential
}

// MailTLS says how a mail server is spoken to.
type MailTLS string

// The ways. There is no way to ask for TLS and go on without.
const (
	MailStartTLS MailTLS = "starttls" // the default
	MailImplicit MailTLS = "implicit"
	MailNone     MailTLS = "none" // on loopback alone, and without a password
)

// Mail is a mailbox.
type Mail struct {
	Server   string         `json:"server" koanf:"server"` // HOST or HOST:PORT
	TLS      MailTLS        `json:"tls,omitempty" koanf:"tls"`
	User     string         `json:"user,omitempty" koanf:"user"`
	Password credential.Ref `json:"password,omitempty" koanf:"password"`
	From     string         `json:"from" koanf:"from"`
	To       []string       `json:"to" koanf:"to"`
}

// GitHub is a repository whose issues tell of findings, one issue for a version
// or rule in a source.
type GitHub struct {
	Repository string         `json:"repository" koanf:"repository"` // OWNER/NAME
	API        string         `json:"api,omitempty" koanf:"api"`     // empty: https://api.github.com
	Token      credential.Ref `json:"token" koanf:"token"`
	Label      string         `json:"label,omitempty" koanf:"label"` // empty: revenant
}

// GitLab is a project whose issues tell of findings, as GitHub's do.
type GitLab struct {
	Project string         `json:"project" koanf:"project"`       // GROUP/NAME, or a number
	API     string         `json:"api,omitempty" koanf:"api"`     // empty: https://gitlab.com/api/v4
	Token   credential.Ref `json:"token" koanf:"token"`           // scope api, role Reporter
	Label   string         `json:"label,omitempty" koanf:"label"` // empty: revenant
}

// Kafka is a topic that gets a record, revenant.event/v1, for each event, at once. It is
// waited for longer than for people: thirty days.
type Kafka struct {
	Brokers []string `json:"brokers" koanf:"brokers"` // HOST:PORT
	Topic   string   `json:"topic" koanf:"topic"`
	TLS     bool     `json:"tls,omitempty" koanf:"tls"`
	// PEM files: authorities in place of the system's, a certificate to show and its key.
	CAFile   string `json:"ca_file,omitempty" koanf:"ca_file"`
	CertFile string `json:"cert_file,omitempty" koanf:"cert_file"`
	KeyFile  string `json:"key_file,omitempty" koanf:"key_file"`
	// SASL is how to log in: plain, scram-sha-256 or scram-sha-512; empty: nobody does.
	SASL  string         `json:"sasl,omitempty" koanf:"sasl"`
	Login credential.Ref `json:"login,omitempty" koanf:"login"` // USER:PASSWORD
}

// Rule says what is told to whom. Empty lists and words select everything that
// asks for somebody: open findings whose verdict is not allowed or cleared.
type Rule struct {
	Name        string                 `json:"name" koanf:"name"`
	Verdicts    []fingerprints.Verdict `json:"verdicts,omitempty" koanf:"verdicts"`
	MinSeverity fingerprints.Severity  `json:"min_severity,omitempty" koanf:"min_severity"`
	Statuses    []fingerprints.Status  `json:"statuses,omitempty" koanf:"statuses"`
	// Globs: * stops at /, ** does not. An owner is the finding's or its secret's.
	Owners  []string `json:"owners,omitempty" koanf:"owners"`
	Sources []string `json:"sources,omitempty" koanf:"sources"`
	Secrets []string `json:"secrets,omitempty" koanf:"secrets"`
	// Events narrows what is told of what the rule selects.
	Events    []wire.Event `json:"events,omitempty" koanf:"events"`
	Receivers []string     `json:"receivers" koanf:"receivers"`
}

const (
	defaultWindow = 30 * time.Second
	maxWindow     = 24 * time.Hour
	defaultGiveUp = 24 * time.Hour
	minGiveUp     = time.Minute
	maxGiveUp     = 30 * 24 * time.Hour
)

func (r Receiver) window() time.Duration {
	switch {
	case r.each():
		return 0
	case r.Window == 0:
		return defaultWindow
	}
	return r.Window
}

// grouped receivers keep one issue for each group of findings.
func (r Receiver) grouped() bool { return r.GitHub != nil || r.GitLab != nil }

func (c Config) giveUpAfter() time.Duration {
	if c.GiveUpAfter == 0 {
		return defaultGiveUp
	}
	return c.GiveUpAfter
}
