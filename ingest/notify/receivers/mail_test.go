package receivers_test

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/api/wire"
	"revenant/ingest/notify"
)

// mailServer speaks as much SMTP as a client needs.
type mailServer struct {
	web      *httptest.Server // whose certificate it has
	tls      *tls.Config
	implicit bool
	plain    bool              // it does not offer STARTTLS
	answers  map[string]string // to a command, in place of a yes
	addr     string

	mu    sync.Mutex
	mails []string
	auth  []string // what AUTH PLAIN said
	to    []string
	clear []string // commands that came without TLS
}

func startMail(t testing.TB, s *mailServer) *mailServer {
	t.Helper()
	s.web = secure(t, http.NotFound)
	s.tls = &tls.Config{Certificates: s.web.TLS.Certificates, MinVersion: tls.VersionTLS12}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = listener.Addr().String()
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			all.Go(func() { s.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		all.Wait()
	})
	return s
}

// serve is one conversation.
func (s *mailServer) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	secured := s.implicit
	if s.implicit {
		conn = tls.Server(conn, s.tls)
	}
	in := bufio.NewReader(conn)
	say := func(text string) { _, _ = io.WriteString(conn, text+"\r\n") }
	say("220 test ESMTP")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		verb, rest, _ := strings.Cut(line, " ")
		verb = strings.ToUpper(verb)
		s.mu.Lock()
		if !secured {
			s.clear = append(s.clear, verb)
		}
		s.mu.Unlock()
		if answer, has := s.answers[verb]; has {
			say(answer)
			continue
		}
		switch verb {
		case "EHLO":
			if secured || s.plain {
				say("250-test\r\n250 AUTH PLAIN")
			} else {
				say("250-test\r\n250 STARTTLS")
			}
		case "STARTTLS":
			say("220 go")
			conn = tls.Server(conn, s.tls)
			in, secured = bufio.NewReader(conn), true
		case "AUTH":
			_, text, _ := strings.Cut(rest, " ")
			raw, _ := base64.StdEncoding.DecodeString(text)
			s.note(func() { s.auth = append(s.auth, string(raw)) })
			say("235 yes")
		case "RCPT":
			s.note(func() { s.to = append(s.to, rest) })
			say("250 yes")
		case "DATA":
			say("354 go")
			mail, err := readData(in)
			if err != nil {
				return
			}
			s.note(func() { s.mails = append(s.mails, mail) })
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 yes")
		}
	}
}

func (s *mailServer) note(fn func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fn()
}

func readData(in *bufio.Reader) (string, error) {
	var b strings.Builder
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return "", err
		}
		if line == ".\r\n" {
			return b.String(), nil
		}
		b.WriteString(strings.TrimPrefix(line, "."))
	}
}

func (s *mailServer) receiver(t testing.TB, how notify.MailTLS) notify.Receiver {
	t.Helper()
	m := &notify.Mail{Server: s.addr, TLS: how, From: "Revenant <revenant@example.org>", To: []string{"a@example.org", "B <b@example.org>"}}
	if how != notify.MailNone {
		m.User, m.Password = "me", ref(t, "env:PASSWORD")
	}
	return notify.Receiver{Mail: m}
}

// parts reads a mail's headers and its parts by their type.
func parts(t testing.TB, text string) (netmail.Header, map[string]string) {
	t.Helper()
	m, err := netmail.ReadMessage(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for r := multipart.NewReader(m.Body, params["boundary"]); ; {
		p, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return m.Header, out
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(p) // quoted-printable is undone
		if err != nil {
			t.Fatal(err)
		}
		kind, _, _ := mime.ParseMediaType(p.Header.Get("Content-Type"))
		out[kind] = string(body)
	}
}

func TestMail(t *testing.T) {
	for _, how := range []notify.MailTLS{notify.MailStartTLS, notify.MailImplicit, ""} {
		t.Run(string(how), func(t *testing.T) {
			s := startMail(t, &mailServer{implicit: how == notify.MailImplicit})
			m := message("msg_abc", event(wire.EventOpened, "conf/a.env"))
			err := sender(t, s.receiver(t, how), deps(map[string]string{"PASSWORD": token}, s.web)).Send(t.Context(), m)
			if err != nil {
				t.Fatal(err)
			}
			for _, verb := range s.clear {
				if verb != "EHLO" && verb != "STARTTLS" {
					t.Errorf("%s was said in the clear", verb)
				}
			}
			if d := cmp.Diff([]string{"\x00me\x00" + token}, s.auth); d != "" {
				t.Error(d)
			}
			if len(s.to) != 2 || len(s.mails) != 1 {
				t.Fatalf("to %v, %d mails", s.to, len(s.mails))
			}
			h, body := parts(t, s.mails[0])
			if h.Get("Message-Id") != "<msg_abc@example.org>" || h.Get("Auto-Submitted") != "auto-generated" || h.Get("Subject") != "[revenant] Leaked secret: billing/db_password@3" {
				t.Errorf("headers %v", h)
			}
			for kind, want := range map[string]string{
				"text/plain": "git:example.org/shop conf/a.env:7", "text/html": "<code>git:example.org/shop conf/a.env:7</code>",
			} {
				if !strings.Contains(body[kind], want) {
					t.Errorf("%s: %q", kind, body[kind])
				}
			}
			if strings.Contains(s.mails[0], token) {
				t.Error("the mail holds the password")
			}
		})
	}
}

// No text of a source becomes a header, a recipient or markup.
func TestMailHostile(t *testing.T) {
	s := startMail(t, &mailServer{plain: true})
	e := event(wire.EventOpened, hostile+"<script>alert(1)</script>\r\n.\r\nMAIL FROM:<x@example.org>")
	e.Finding.Matches, e.Finding.Rule, e.Finding.Owner = nil, "x\r\nBcc: x@example.org\r\n\r\n<img src=x>", hostile
	if err := sender(t, s.receiver(t, notify.MailNone), deps(nil, s.web)).Send(t.Context(), message("msg_abc", e)); err != nil {
		t.Fatal(err)
	}
	if len(s.mails) != 1 || len(s.to) != 2 {
		t.Fatalf("%d mails to %v", len(s.mails), s.to)
	}
	h, body := parts(t, s.mails[0])
	if h.Get("Bcc") != "" || len(h["Subject"]) != 1 {
		t.Errorf("headers %v", h)
	}
	for _, bad := range []string{"<script", "<img", "\x1b", "\u202e"} {
		if strings.Contains(body["text/html"], bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	if strings.Contains(body["text/plain"], "\x1b") {
		t.Error("the text is not printable")
	}
}

func TestMailRefused(t *testing.T) {
	canary := "answer-" + token
	for name, c := range map[string]struct {
		server  *mailServer
		how     notify.MailTLS
		roots   bool
		refused bool
		words   string
	}{
		"no STARTTLS": {&mailServer{plain: true}, notify.MailStartTLS, true, false, "STARTTLS"},
		"untrusted":   {&mailServer{}, notify.MailStartTLS, false, false, "certificate"},
		"wrong login": {&mailServer{answers: map[string]string{"AUTH": "535 5.7.8 " + canary}}, notify.MailStartTLS, true, false, "user and password"},
		"no such box": {&mailServer{answers: map[string]string{"RCPT": "550 " + canary}}, notify.MailStartTLS, true, false, "550"},
		"later":       {&mailServer{answers: map[string]string{"RCPT": "451 " + canary}}, notify.MailStartTLS, true, false, "451"},
		"spam":        {&mailServer{answers: map[string]string{"DATA": "554 " + canary}}, notify.MailStartTLS, true, true, "554"},
	} {
		t.Run(name, func(t *testing.T) {
			s := startMail(t, c.server)
			d := deps(map[string]string{"PASSWORD": token}, nil)
			if c.roots {
				d = deps(map[string]string{"PASSWORD": token}, s.web)
			}
			err := sender(t, s.receiver(t, c.how), d).Send(t.Context(), message("msg_abc", event(wire.EventOpened, "a.env")))
			var e *notify.SendError
			if !errors.As(err, &e) || e.Refused != c.refused || !strings.Contains(e.Words, c.words) {
				t.Errorf("got %v", err)
			}
			secretless(t, err, "a.env", "@example.org", "answer-")
			if len(s.mails) > 0 {
				t.Error("a mail was sent")
			}
		})
	}
}
