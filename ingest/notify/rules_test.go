package notify_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/ingest/credential"
	"revenant/ingest/notify"
)

// Everything that a configuration can get wrong is said with its place and the
// way out, and nothing that may be a credential is repeated.
func TestValidate(t *testing.T) {
	ref := func(text string) credential.Ref {
		r, err := credential.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	const canary = "canary-4f1a"
	key := ref("env:KEY")
	mail := func(change func(*notify.Mail)) notify.Receiver {
		m := &notify.Mail{Server: "smtp.example.org:587", From: "a@example.org", To: []string{"B <b@example.org>"}}
		change(m)
		return notify.Receiver{Name: "r", Mail: m}
	}
	chat := hook(t, "chat")
	for name, c := range map[string]struct {
		receiver notify.Receiver
		rule     notify.Rule
		config   notify.Config
		want     string // empty: valid
	}{
		"hook":                 {receiver: hook(t, "r")},
		"hook, address secret": {receiver: notify.Receiver{Name: "r", Webhook: &notify.Webhook{URLFrom: key, Secret: key}}},
		"slack":                {receiver: notify.Receiver{Name: "r", Slack: &notify.Slack{URLFrom: key}}},
		"mail":                 {receiver: mail(func(*notify.Mail) {})},
		"mail, signed in":      {receiver: mail(func(m *notify.Mail) { m.User, m.Password, m.TLS = "me", key, notify.MailImplicit })},
		"mail, this machine":   {receiver: mail(func(m *notify.Mail) { m.Server, m.TLS = "127.0.0.1:2525", notify.MailNone })},
		"github":               {receiver: notify.Receiver{Name: "r", GitHub: &notify.GitHub{Repository: "acme/leaks", Token: key}}},
		"gitlab":               {receiver: notify.Receiver{Name: "r", GitLab: &notify.GitLab{Project: "acme/sub/leaks", API: "https://gitlab.example.org/api/v4", Token: key}}},
		"loopback":             {receiver: notify.Receiver{Name: "r", Webhook: &notify.Webhook{URL: "http://localhost:8080/x", Secret: key}}},
		"rule":                 {rule: notify.Rule{Name: "all", Verdicts: fingerprints.Verdicts(), MinSeverity: fingerprints.SeverityHigh, Owners: []string{"team-*"}, Events: wire.Events(), Receivers: []string{"chat"}}},

		"no name":           {receiver: notify.Receiver{Name: canary + " x", Slack: &notify.Slack{URLFrom: key}}, want: "receivers[1].name: not valid: give it a name"},
		"same name":         {receiver: chat, want: "receivers[1] (chat).name: not valid: two receivers"},
		"no kind":           {receiver: notify.Receiver{Name: "r"}, want: "receivers[1] (r): not valid: give exactly one"},
		"two kinds":         {receiver: notify.Receiver{Name: "r", Webhook: chat.Webhook, Slack: &notify.Slack{URLFrom: key}}, want: "give exactly one"},
		"window":            {receiver: notify.Receiver{Name: "r", Webhook: chat.Webhook, Window: -time.Second}, want: "(r).window: not valid: give a time up to"},
		"no address":        {receiver: notify.Receiver{Name: "r", Webhook: &notify.Webhook{Secret: key}}, want: "webhook: not valid: give url, or url_from"},
		"two addresses":     {receiver: notify.Receiver{Name: "r", Webhook: &notify.Webhook{URL: "https://x", URLFrom: key, Secret: key}}, want: "give url, or url_from"},
		"http":              {receiver: notify.Receiver{Name: "r", Webhook: &notify.Webhook{URL: "http://example.org/" + canary, Secret: key}}, want: "webhook.url: not valid: use https"},
		"password":          {receiver: notify.Receiver{Name: "r", Webhook: &notify.Webhook{URL: "https://u:" + canary + "@example.org", Secret: key}}, want: "no user or password"},
		"no URL":            {receiver: notify.Receiver{Name: "r", Webhook: &notify.Webhook{URL: canary, Secret: key}}, want: "give an address such as"},
		"no key":            {receiver: notify.Receiver{Name: "r", Webhook: &notify.Webhook{URL: "https://x"}}, want: "webhook.secret: not valid: say where the key lies"},
		"slack nowhere":     {receiver: notify.Receiver{Name: "r", Slack: &notify.Slack{}}, want: "slack.url_from: not valid"},
		"mail nowhere":      {receiver: mail(func(m *notify.Mail) { m.Server = "" }), want: "mail.server: not valid: give HOST"},
		"mail in the clear": {receiver: mail(func(m *notify.Mail) { m.TLS = notify.MailNone }), want: "mail.tls: not valid: none is for a server on this machine"},
		"mail by magic":     {receiver: mail(func(m *notify.Mail) { m.TLS = "auto" }), want: "mail.tls: not valid: use starttls"},
		"half a login":      {receiver: mail(func(m *notify.Mail) { m.User = "me" }), want: "mail.password: not valid: give user and password"},
		"to nobody":         {receiver: mail(func(m *notify.Mail) { m.To = nil }), want: "mail.to: not valid: give at least one"},
		"from nobody":       {receiver: mail(func(m *notify.Mail) { m.From = "x\r\nBcc: y@example.org" }), want: "mail.from: not valid: give an address such as"},
		"no repository":     {receiver: notify.Receiver{Name: "r", GitHub: &notify.GitHub{Repository: "acme", Token: key}}, want: "github.repository: not valid: give OWNER/NAME"},
		"no token":          {receiver: notify.Receiver{Name: "r", GitHub: &notify.GitHub{Repository: "acme/x"}}, want: "github.token: not valid"},
		"no project":        {receiver: notify.Receiver{Name: "r", GitLab: &notify.GitLab{Project: "a b", Token: key}}, want: "gitlab.project: not valid"},
		"label":             {receiver: notify.Receiver{Name: "r", GitLab: &notify.GitLab{Project: "a/b", Token: key, Label: "x,y"}}, want: "gitlab.label: not valid"},
		"rule for nobody":   {rule: notify.Rule{Name: "x"}, want: "rules[1] (x).receivers: not valid: name at least one"},
		"unknown receiver":  {rule: notify.Rule{Name: "x", Receivers: []string{canary}}, want: "no receiver is called so: chat"},
		"verdict":           {rule: notify.Rule{Name: "x", Verdicts: []fingerprints.Verdict{canary}, Receivers: []string{"chat"}}, want: "(x).verdicts: not valid: use compromised, leaked,"},
		"severity":          {rule: notify.Rule{Name: "x", MinSeverity: canary, Receivers: []string{"chat"}}, want: "(x).min_severity: not valid: use critical,"},
		"event":             {rule: notify.Rule{Name: "x", Events: []wire.Event{canary}, Receivers: []string{"chat"}}, want: "(x).events: not valid: use opened,"},
		"glob":              {rule: notify.Rule{Name: "x", Sources: []string{"["}, Receivers: []string{"chat"}}, want: "(x).sources: not valid: give globs"},
		"same rule":         {rule: notify.Rule{Name: "first", Receivers: []string{"chat"}}, want: "two rules have this name"},
		"give up":           {config: notify.Config{GiveUpAfter: time.Second}, want: "give_up_after: not valid"},
		"link":              {config: notify.Config{URL: "http://revenant.example.org"}, want: "notifications.url: not valid: use https"},
	} {
		t.Run(name, func(t *testing.T) {
			config := c.config
			config.Receivers = []notify.Receiver{chat}
			config.Rules = []notify.Rule{everything("chat")}
			config.Rules[0].Name = "first"
			if c.receiver.Name != "" {
				config.Receivers = append(config.Receivers, c.receiver)
			}
			if c.rule.Name != "" {
				config.Rules = append(config.Rules, c.rule)
			}
			err := config.Validate()
			if c.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if !errors.Is(err, notify.ErrConfig) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), canary) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if len(strings.Split(err.Error(), "\n")) != 1 {
				t.Errorf("more than one thing is wrong: %v", err)
			}
		})
	}
}

// A configuration as people write it is read as it is meant.
func TestConfigText(t *testing.T) {
	const text = `{"url": "https://revenant.example.org", "receivers": [
		{"name": "chat", "slack": {"url_from": "env:SLACK_URL"}},
		{"name": "team", "mail": {"server": "smtp.example.org", "tls": "starttls", "from": "a@example.org", "to": ["b@example.org"]}}],
		"rules": [{"name": "bad", "verdicts": ["leaked", "stale"], "min_severity": "high", "receivers": ["chat", "team"]}]}`
	var c notify.Config
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
	if c.Receivers[0].Slack.URLFrom.String() != "env:SLACK_URL" || len(c.Rules[0].Verdicts) != 2 {
		t.Errorf("read as %+v", c)
	}
}

// The table of what a receiver is told, by what it was told and what is.
func TestTurn(t *testing.T) {
	seen := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	f := func(v fingerprints.Verdict, s fingerprints.Status) registry.FeedFinding {
		return registry.FeedFinding{Finding: registry.Finding{Verdict: v, Status: s, Severity: fingerprints.SeverityHigh, FirstSeen: seen}}
	}
	leaked, stale := f("leaked", "open"), f("stale", "open")
	cleared, allowed, accepted := f("cleared", "open"), f("allowed", "open"), f("leaked", "accepted")
	later := f("stale", "open")
	later.VerdictSince = seen.Add(time.Hour)
	common := f("leaked", "open")
	common.TooCommon = true
	minor := f("leaked", "open")
	minor.Severity = fingerprints.SeverityLow
	for _, c := range []struct {
		told string
		now  registry.FeedFinding
		want string // event, word
	}{
		{"", leaked, "opened leaked"},
		{"", later, "changed stale"},
		{"", cleared, " "},
		{"", allowed, " "},
		{"", accepted, " "},
		{"", common, " "},
		{"", minor, " "},
		{"leaked", leaked, " "},
		{"leaked", minor, " "},
		{"leaked", stale, "changed stale"},
		{"leaked", cleared, "cleared cleared"},
		{"leaked", allowed, "settled settled"},
		{"leaked", accepted, "settled settled"},
		{"leaked", common, "settled settled"},
		{"cleared", cleared, " "},
		{"cleared", stale, "returned stale"},
		{"cleared", accepted, " "},
		{"cleared", minor, " "},
		{"settled", accepted, " "},
		{"settled", leaked, "reopened leaked"},
		{"settled", cleared, " cleared"},
		{"a word of another version", leaked, "changed leaked"},
	} {
		event, word := notify.Turn(notify.Rule{Name: "r", MinSeverity: fingerprints.SeverityMedium}, c.told, c.now)
		if got := event + " " + word; got != c.want {
			t.Errorf("told %q, now %s, %s, %s: %q, want %q", c.told, c.now.Verdict, c.now.Status, c.now.Severity, got, c.want)
		}
	}
}

// Groups that differ have keys that do, and a key never changes.
func TestGroupKey(t *testing.T) {
	groups := []notify.Group{
		{Secret: "a", Version: 1, Source: "s"},
		{Secret: "a", Version: 2, Source: "s"},
		{Secret: "a", Version: 1, Source: "t"},
		{Rule: "a", Source: "s"},
		{Source: "s"},
		{Health: true, Source: "s"},
		{Rule: `a","source":"s`, Source: "s"},
	}
	var keys []string
	for _, g := range groups {
		keys = append(keys, g.Key())
	}
	slices.Sort(keys)
	if n := len(slices.Compact(keys)); n != len(groups) {
		t.Errorf("%d keys of %d groups", n, len(groups))
	}
	if d := cmp.Diff("8106df82ca594fca4618dca37ba40df9", groups[0].Key()); d != "" {
		t.Errorf("issues that are there would not be found again:\n%s", d)
	}
}
