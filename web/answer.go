package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
)

// maxBody bounds what a form sends, in bytes.
const maxBody = 1 << 20

// policy is the Content-Security-Policy of every page: no other host, and nothing
// that stands in a page itself runs or styles.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// page is what a handler answers with.
type page struct {
	name  string // of the template
	title string
	nav   string // which entry of the navigation it belongs to
	data  any
	// part is the template of the page to answer with where htmx asks for a part of
	// it; "": the whole page.
	part   string
	status int  // 0: 200
	hushed bool // the page's own address is not repeated
	// fleeting: it shows what is shown once, so nothing keeps it.
	fleeting bool
	to       string // not "": the browser is sent there
	// raw, not nil, is written instead of a template.
	raw func(http.ResponseWriter) error
}

// done sends the browser to a page of the dashboard, which says a word; see said.
func done(to, word string) (page, error) {
	u, err := url.Parse(to)
	if err != nil {
		return page{}, err
	}
	q := u.Query()
	q.Set("said", word)
	u.RawQuery = q.Encode()
	return page{to: u.String()}, nil
}

// guarded sets what every answer says to browsers.
func (s *server) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "private, no-cache")
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		next.ServeHTTP(w, r)
	})
}

// answer finds out who asks and whether they may, and renders what the handler says.
func (s *server) answer(x route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, known := s.o.Who(r)
		if !known {
			s.toSignIn(w, r)
			return
		}
		p, err := s.entitled(x, r, a)
		if err != nil {
			p = s.fail(r, x.path, err)
		}
		s.write(w, r, a, p)
	})
}

func (s *server) entitled(x route, r *http.Request, a registry.Actor) (page, error) {
	switch {
	case x.scope == "" || a.May(x.scope):
		if r.Method != http.MethodGet {
			if err := r.ParseForm(); err != nil {
				return page{}, errForm
			}
		}
		return x.do(r, a)
	case r.Method == http.MethodGet:
		return page{}, registry.ErrForbidden
	}
	return page{}, s.o.Registry.Refuse(r.Context(), a, x.scope, r.Method+" "+x.path)
}

// write renders a page, or the part of it that was asked for.
func (s *server) write(w http.ResponseWriter, r *http.Request, a registry.Actor, p page) {
	if p.raw != nil {
		if err := p.raw(w); err != nil {
			s.o.Log.WarnContext(r.Context(), "an answer was not written to its end", slog.String("page", p.nav), slog.Any("error", err))
		}
		return
	}
	if p.to != "" {
		http.Redirect(w, r, p.to, http.StatusSeeOther)
		return
	}
	name := "layout"
	if p.part != "" && asksForPart(r) {
		name = p.part
	}
	var b bytes.Buffer
	if err := s.templates[p.name].ExecuteTemplate(&b, name, s.viewOf(r, a, p)); err != nil {
		s.o.Log.ErrorContext(r.Context(), "a page could not be rendered", slog.String("page", p.name), slog.Any("error", err))
		http.Error(w, "Internal error.", http.StatusInternalServerError)
		return
	}
	w.Header().Add("Vary", "HX-Request")
	if p.fleeting {
		w.Header().Set("Cache-Control", "no-store")
	}
	s.send(w, r, p.status, b.Bytes())
}

// asksForPart reports whether htmx asks for what replaces a part of a page.
func asksForPart(r *http.Request) bool {
	return r.Header.Get("HX-Request") == "true" && r.Header.Get("HX-Boosted") == "" && r.Header.Get("HX-History-Restore-Request") == ""
}

// send writes HTML, by gzip where it is taken, and nothing where the client has it.
func (s *server) send(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Add("Vary", "Accept-Encoding, Cookie")
	if status == 0 || status == http.StatusOK {
		sum := sha256.Sum256(body)
		tag := `W/"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
		h.Set("ETag", tag)
		if slices.Contains(strings.Split(r.Header.Get("If-None-Match"), ", "), tag) {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		status = http.StatusOK
	}
	if takesGzip(r) {
		if z, err := zipped(body); err == nil {
			h.Set("Content-Encoding", "gzip")
			body = z
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// errForm says that a form cannot be read.
var errForm = errors.New("the form cannot be read, or is larger than 1 MiB")

// trouble is a page that tells of an error.
type trouble struct {
	Title string
	Text  string // what would do
}

// fail is the page of an error: words of the registry's own, never the error's
// chain, which may name what is not the reader's.
func (s *server) fail(r *http.Request, where string, err error) page {
	status, t := http.StatusInternalServerError, trouble{"Something went wrong", "The server's log says what. Try again, or tell who runs this server."}
	var moved *registry.TransitionError
	var bad *registry.InputError
	known := func(list ...error) bool {
		i := slices.IndexFunc(list, func(target error) bool { return errors.Is(err, target) })
		if i >= 0 {
			t.Text = sentence(list[i].Error())
		}
		return i >= 0
	}
	switch {
	case known(registry.ErrForbidden):
		status, t = http.StatusForbidden, trouble{"This is not yours to do", "Your sign-in lacks the scope for it. Ask an administrator of this server."}
	case known(registry.ErrTeams):
		status, t.Title = http.StatusForbidden, "This is not yours to do"
	case known(errNoPage, registry.ErrUnknownSecret, registry.ErrUnknownVersion, registry.ErrUnknownFinding, registry.ErrUnknownSource, registry.ErrUnknownWatch,
		registry.ErrUnknownAllow, registry.ErrUnknownDecision, registry.ErrUnknownToken, registry.ErrUnknownPerson, registry.ErrNoSession, registry.ErrUnknownDelivery):
		status, t.Title = http.StatusNotFound, "There is nothing here"
	case errors.As(err, &moved):
		status, t = http.StatusConflict, trouble{"That does not go now", sentence(moved.Error())}
	case known(registry.ErrNotDecidable, registry.ErrNoValueID, registry.ErrDecided, registry.ErrAmbiguous, registry.ErrExists, registry.ErrActiveExists,
		registry.ErrNoSuccessor, registry.ErrRollback, registry.ErrNotAllowable, registry.ErrTokenExists, registry.ErrDisabled, registry.ErrRegistered):
		status, t.Title = http.StatusConflict, "That does not go now"
	case known(registry.ErrValueInName, fingerprints.ErrBadName, errForm):
		status, t.Title = http.StatusUnprocessableEntity, "That cannot be taken"
	case errors.As(err, &bad):
		status, t = http.StatusUnprocessableEntity, trouble{"That cannot be taken", sentence(bad.Input + ": " + bad.Way().Error())}
	case store.Away(err):
		status, t = http.StatusServiceUnavailable, trouble{"The store cannot be reached now", "Nothing is lost. Try again in a moment."}
	case r.Context().Err() != nil:
		status, t = http.StatusServiceUnavailable, trouble{"The request was given up", "Try again."}
	default:
		s.o.Log.ErrorContext(r.Context(), "a page failed", slog.String("page", where), slog.Any("error", err))
	}
	return page{name: "trouble", title: t.Title, data: t, status: status, hushed: true}
}

// errNoPage says that an address leads nowhere.
var errNoPage = errors.New("no page has this address")
