package notify

import (
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/scanners/kafka"
)

// ErrConfig is wrapped by what Validate finds.
var ErrConfig = errors.New("not valid")

// Validate says everything that is wrong, each with its place and what would do.
// It looks at no credential and asks no receiver.
func (c Config) Validate() error {
	v := &validation{}
	if c.URL != "" {
		v.web("url", c.URL)
	}
	if c.GiveUpAfter != 0 && (c.GiveUpAfter < minGiveUp || c.GiveUpAfter > maxGiveUp) {
		v.say("give_up_after", "give a time from %s to %s", minGiveUp, maxGiveUp)
	}
	names := map[string]bool{}
	for i, r := range c.Receivers {
		at := v.at("receivers", i, r.Name)
		if names[r.Name] {
			v.say(at+".name", "two receivers have this name: each needs its own")
		}
		names[r.Name] = true
		v.receiver(at, r)
	}
	rules := map[string]bool{}
	for i, r := range c.Rules {
		at := v.at("rules", i, r.Name)
		if rules[r.Name] {
			v.say(at+".name", "two rules have this name: each needs its own")
		}
		rules[r.Name] = true
		v.rule(at, r, names)
	}
	return errors.Join(v.wrong...)
}

// validation gathers what is wrong.
type validation struct{ wrong []error }

func (v *validation) say(at, format string, args ...any) {
	v.wrong = append(v.wrong, fmt.Errorf("notifications.%s: %w: %s", at, ErrConfig, fmt.Sprintf(format, args...)))
}

// at names an entry of a list; a name that is no name is not repeated.
func (v *validation) at(list string, i int, name string) string {
	at := fmt.Sprintf("%s[%d]", list, i)
	if fingerprints.CheckName(name) != nil {
		v.say(at+".name", "give it a name of letters, digits and . _ - /")
		return at
	}
	return at + " (" + name + ")"
}

func (v *validation) receiver(at string, r Receiver) {
	if r.Window < 0 || r.Window > maxWindow {
		v.say(at+".window", "give a time up to %s", maxWindow)
	}
	kinds := 0
	if r.Webhook != nil {
		kinds++
		v.webhook(at+".webhook", *r.Webhook)
	}
	if r.Slack != nil {
		kinds++
		if r.Slack.URLFrom.IsZero() {
			v.say(at+".slack.url_from", "say where the address of the incoming webhook lies, such as env:SLACK_URL: it is a credential")
		}
	}
	if r.Mail != nil {
		kinds++
		v.mail(at+".mail", *r.Mail)
	}
	if r.GitHub != nil {
		kinds++
		v.github(at+".github", *r.GitHub)
	}
	if r.GitLab != nil {
		kinds++
		v.gitlab(at+".gitlab", *r.GitLab)
	}
	if r.Kafka != nil {
		kinds++
		v.kafka(at+".kafka", *r.Kafka)
		if r.Window != 0 {
			v.say(at+".window", "records do not wait for each other: leave it out")
		}
	}
	if kinds != 1 {
		v.say(at, "give exactly one of webhook, slack, mail, github, gitlab and kafka")
	}
}

func (v *validation) webhook(at string, w Webhook) {
	switch {
	case (w.URL == "") == w.URLFrom.IsZero():
		v.say(at, "give url, or url_from where the address is a secret itself")
	case w.URL != "":
		v.web(at+".url", w.URL)
	}
	if w.Secret.IsZero() {
		v.say(at+".secret", "say where the key lies that signs, such as file:/run/secrets/webhook: without it the receiver cannot tell who sends")
	}
}

// web wants an address without a password in it; the address is not repeated.
func (v *validation) web(at, text string) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		v.say(at, "give an address such as https://example.org/hook")
	case u.User != nil:
		v.say(at, "an address holds no user or password: give it by url_from, or in a header of a proxy")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		v.say(at, "use https: http is for this machine alone")
	}
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (v *validation) mail(at string, m Mail) {
	host, _, err := net.SplitHostPort(m.Server)
	if err != nil {
		host = m.Server
	}
	if host == "" || strings.ContainsAny(host, " /@") {
		v.say(at+".server", "give HOST or HOST:PORT")
	}
	switch m.TLS {
	case "", MailStartTLS, MailImplicit:
	case MailNone:
		if !loopback(host) || !m.Password.IsZero() {
			v.say(at+".tls", "none is for a server on this machine, without a password: use starttls or implicit")
		}
	default:
		v.say(at+".tls", "use starttls, implicit or none")
	}
	if (m.User == "") != m.Password.IsZero() {
		v.say(at+".password", "give user and password, or neither")
	}
	for name, list := range map[string][]string{"from": {m.From}, "to": m.To} {
		if len(list) == 0 {
			v.say(at+"."+name, "give at least one address")
		}
		for _, a := range list {
			if parsed, err := mail.ParseAddress(a); err != nil || strings.ContainsAny(parsed.Name+parsed.Address, "\r\n") {
				v.say(at+"."+name, "give an address such as security@example.org")
			}
		}
	}
}

func (v *validation) github(at string, g GitHub) {
	if owner, name, ok := strings.Cut(g.Repository, "/"); !ok || fingerprints.CheckName(owner) != nil || fingerprints.CheckName(name) != nil || strings.Contains(name, "/") {
		v.say(at+".repository", "give OWNER/NAME")
	}
	if g.API != "" {
		v.web(at+".api", g.API)
	}
	if g.Token.IsZero() {
		v.say(at+".token", "say where the token lies, such as env:GITHUB_TOKEN; it may write issues of this repository and nothing else")
	}
	v.label(at, g.Label)
}

func (v *validation) gitlab(at string, g GitLab) {
	if fingerprints.CheckName(g.Project) != nil {
		v.say(at+".project", "give GROUP/NAME, or the project's number")
	}
	if g.API != "" {
		v.web(at+".api", g.API)
	}
	if g.Token.IsZero() {
		v.say(at+".token", "say where the token lies, such as env:GITLAB_TOKEN; a project access token with the scope api and the role Reporter does")
	}
	v.label(at, g.Label)
}

func (v *validation) kafka(at string, k Kafka) {
	if len(k.Brokers) == 0 {
		v.say(at+".brokers", "give at least one HOST:PORT")
	}
	for _, b := range k.Brokers {
		if host, port, err := net.SplitHostPort(b); err != nil || host == "" || port == "" {
			v.say(at+".brokers", "give each as HOST:PORT")
		}
	}
	if !kafka.IsTopic(k.Topic) {
		v.say(at+".topic", "give the name of a topic: letters, digits and . _ -")
	}
	if !k.TLS && (k.CAFile != "" || k.CertFile != "" || k.KeyFile != "") {
		v.say(at+".tls", "certificates are for encrypted connections: give tls: true")
	}
	if (k.CertFile == "") != (k.KeyFile == "") {
		v.say(at+".key_file", "cert_file and key_file belong together: give both")
	}
	if k.SASL != "" {
		words(v, at+".sasl", []string{k.SASL}, kafka.Mechanisms())
	}
	if (k.SASL == "") != k.Login.IsZero() {
		v.say(at+".login", "give sasl, and where USER:PASSWORD lies, such as env:KAFKA_LOGIN, or neither")
	}
}

func (v *validation) label(at, label string) {
	if label != "" && fingerprints.CheckName(label) != nil {
		v.say(at+".label", "use letters, digits and . _ - /")
	}
}

func (v *validation) rule(at string, r Rule, receivers map[string]bool) {
	words(v, at+".verdicts", r.Verdicts, fingerprints.Verdicts())
	words(v, at+".statuses", r.Statuses, fingerprints.Statuses())
	words(v, at+".events", r.Events, wire.Events())
	if r.MinSeverity != "" {
		words(v, at+".min_severity", []fingerprints.Severity{r.MinSeverity}, fingerprints.Severities())
	}
	for name, globs := range map[string][]string{"owners": r.Owners, "sources": r.Sources, "secrets": r.Secrets} {
		for _, g := range globs {
			if g == "" || !doublestar.ValidatePattern(g) {
				v.say(at+"."+name, "give globs, such as git:github.com/acme/**")
			}
		}
	}
	if len(r.Receivers) == 0 {
		v.say(at+".receivers", "name at least one receiver")
	}
	for _, name := range r.Receivers {
		if !receivers[name] {
			v.say(at+".receivers", "no receiver is called so: %s", strings.Join(sorted(receivers), ", "))
		}
	}
}

func sorted(names map[string]bool) []string {
	var out []string
	for n := range names {
		if fingerprints.CheckName(n) == nil {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	if len(out) == 0 {
		return []string{"there are none"}
	}
	return out
}

func words[W ~string](v *validation, at string, given, known []W) {
	for _, w := range given {
		if !slices.Contains(known, w) {
			list := make([]string, len(known))
			for i, k := range known {
				list[i] = string(k)
			}
			v.say(at, "use %s", strings.Join(list, ", "))
		}
	}
}
