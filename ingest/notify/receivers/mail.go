package receivers

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"html/template"
	"net"
	netmail "net/mail"
	"net/textproto"
	"strconv"
	"strings"
	"sync"
	texttemplate "text/template"

	gomail "github.com/wneessen/go-mail"

	"revenant/api/wire"
	"revenant/ingest/notify"
	"revenant/ingest/report"
)

// mailer sends a message as text and HTML through one server.
type mailer struct {
	config notify.Mail
	client client
	roots  *x509.CertPool
	host   string
	port   int
	text   *texttemplate.Template
	html   *template.Template
}

func newMail(c notify.Mail, d Deps) (*mailer, error) {
	m := &mailer{config: c, client: newClient(d), roots: d.Roots, host: c.Server, port: 587}
	if c.TLS == notify.MailImplicit {
		m.port = 465
	}
	if host, port, err := net.SplitHostPort(c.Server); err == nil {
		m.host = host
		if m.port, err = strconv.Atoi(port); err != nil {
			return nil, fmt.Errorf("%w: the port of a mail server is a number", notify.ErrConfig)
		}
	}
	var err error
	if m.text, err = texttemplate.New("text").Parse(mailText); err != nil {
		return nil, err
	}
	m.html, err = template.New("html").Parse(mailHTML)
	return m, err
}

func (m *mailer) Send(ctx context.Context, n notify.Message) error {
	msg, err := m.message(n)
	if err != nil {
		return err
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: m.host, RootCAs: m.roots}
	opts := []gomail.Option{
		gomail.WithPort(m.port), gomail.WithTimeout(perCall), gomail.WithHELO("localhost"), gomail.WithTLSConfig(config),
	}
	switch m.config.TLS {
	case notify.MailImplicit:
		// The connection is one of TLS already, and the library sees that.
		opts = append(opts, gomail.WithTLSPolicy(gomail.TLSOpportunistic))
	case notify.MailNone:
		opts = append(opts, gomail.WithTLSPolicy(gomail.NoTLS))
	case "", notify.MailStartTLS:
		opts = append(opts, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if !m.config.Password.IsZero() {
		password, err := m.client.secret(ctx, m.config.Password)
		if err != nil {
			return err
		}
		opts = append(opts, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(m.config.User), gomail.WithPassword(string(password)))
	}
	line := &mailLine{secure: m.config.TLS == notify.MailImplicit, config: config}
	defer line.close()
	c, err := gomail.NewClient(m.host, append(opts, gomail.WithDialContextFunc(line.dial))...)
	if err != nil {
		return &notify.SendError{Words: "the configuration of the mail server is of no use"}
	}
	defer context.AfterFunc(ctx, line.close)()
	return mailError(ctx, c.DialAndSendWithContext(ctx, msg))
}

// mailLine is the connection of one message. The library leaves it open where the
// greeting, TLS or signing in fails, and does not look at the context once it is
// there.
type mailLine struct {
	secure bool
	config *tls.Config

	mu   sync.Mutex
	conn net.Conn
}

func (l *mailLine) dial(ctx context.Context, network, address string) (net.Conn, error) {
	plain := &net.Dialer{Timeout: perCall}
	dial := plain.DialContext
	if l.secure {
		dial = (&tls.Dialer{NetDialer: plain, Config: l.config}).DialContext
	}
	conn, err := dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conn = conn
	return conn, nil
}

func (l *mailLine) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn != nil {
		_ = l.conn.Close() // what was said is said
	}
}

// message writes what is sent. No text of a source can end a header: it is
// printable, and the library encodes what is not ASCII.
func (m *mailer) message(n notify.Message) (*gomail.Msg, error) {
	from, err := netmail.ParseAddress(m.config.From)
	if err != nil {
		return nil, &notify.SendError{Words: "the sender's address is not valid"}
	}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if err := msg.FromFormat(from.Name, from.Address); err != nil {
		return nil, &notify.SendError{Words: "the sender's address is not valid"}
	}
	if err := msg.To(m.config.To...); err != nil {
		return nil, &notify.SendError{Words: "an address of the receivers is not valid"}
	}
	_, domain, _ := strings.Cut(from.Address, "@")
	msg.Subject("[revenant] " + report.Printable(headline(n)))
	msg.SetMessageIDWithValue(n.ID + "@" + domain)
	msg.SetDateWithValue(n.At)
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	var text, page bytes.Buffer
	data := mailOf(n)
	if err := m.text.Execute(&text, data); err != nil {
		return nil, fmt.Errorf("writing a message: %w", err)
	}
	if err := m.html.Execute(&page, data); err != nil {
		return nil, fmt.Errorf("writing a message: %w", err)
	}
	msg.SetBodyString(gomail.TypeTextPlain, text.String())
	msg.AddAlternativeString(gomail.TypeTextHTML, page.String())
	return msg, nil
}

// mailError says what went wrong without what the server said.
func mailError(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	var sent *gomail.SendError
	if errors.As(err, &sent) {
		e := &notify.SendError{Words: "the mail server failed: " + sent.Reason.String()}
		if code := sent.ErrorCode(); code != 0 {
			e.Words = fmt.Sprintf("the mail server answered %d: %s", code, sent.Reason)
			e.Refused = code == 552 || code == 554 // too large, or taken for spam: again is of no use
		}
		return e
	}
	var answer *textproto.Error
	switch {
	case errors.As(err, &answer) && answer.Code >= 530 && answer.Code <= 539:
		return &notify.SendError{Words: fmt.Sprintf("the mail server answered %d: it does not take user and password", answer.Code)}
	case errors.As(err, &answer):
		return &notify.SendError{Words: fmt.Sprintf("the mail server answered %d", answer.Code)}
	case strings.Contains(err.Error(), "STARTTLS"):
		return &notify.SendError{Words: "the mail server does not offer STARTTLS: use implicit, or another port"}
	case strings.Contains(err.Error(), "SMTP AUTH"):
		return &notify.SendError{Words: "the mail server offers no way to sign in that is safe"}
	}
	return broken(ctx, err)
}

// mailData is what the templates show.
type mailData struct {
	Headline, Tally, More, URL string
	Events                     []mailEvent
}

type mailEvent struct{ What, Place, Facts, Advice, URL string }

func mailOf(m notify.Message) mailData {
	d := mailData{Headline: report.Printable(headline(m)), More: more(m), URL: m.URL}
	if m.Kind == wire.NotifySummary {
		d.Tally = tally(m.Counts)
	}
	for _, e := range m.Events {
		d.Events = append(d.Events, mailEvent{
			What: report.Printable(what(e)), Place: report.Printable(place(e)), Facts: report.Printable(facts(e)), Advice: report.Printable(advice(e)), URL: e.URL,
		})
	}
	return d
}

const mailText = `{{.Headline}}
{{with .Tally}}{{.}}
{{end}}{{range .Events}}
* {{.What}}
  {{.Place}}
  {{.Facts}}{{with .Advice}}
  {{.}}{{end}}{{with .URL}}
  {{.}}{{end}}
{{end}}{{with .More}}
{{.}}
{{end}}{{with .URL}}
{{.}}
{{end}}`

const mailHTML = `<!doctype html><html><head><meta charset="utf-8"></head><body style="font-family:sans-serif">
<h2>{{.Headline}}</h2>
{{with .Tally}}<p>{{.}}</p>{{end}}
<ul>{{range .Events}}
<li><p><strong>{{.What}}</strong><br><code>{{.Place}}</code><br>{{.Facts}}{{with .Advice}}<br>{{.}}{{end}}{{with .URL}}<br><a href="{{.}}">show</a>{{end}}</p></li>{{end}}
</ul>
{{with .More}}<p>{{.}}</p>{{end}}
{{with .URL}}<p><a href="{{.}}">open Revenant</a></p>{{end}}
</body></html>
`
