package session

import (
	"errors"
	"mime"
	"net/http"
	"strings"
	"time"

	"revenant/api/guard"
	"revenant/fingerprints/registry"
)

// byToken signs in with a token of a form.
func (s *Server) byToken(w http.ResponseWriter, r *http.Request) {
	const way = "token"
	if !s.form(w, r) || r.PostForm.Get("token") == "" {
		s.refuse(w, r, way, malformed, nil)
		return
	}
	if s.o.Locks.Wait(guard.Address(r)) > 0 {
		s.refuse(w, r, way, locked, nil)
		return
	}
	in, err := s.o.Registry.SignInWithToken(r.Context(), value(strings.TrimSpace(r.PostForm.Get("token"))), s.shown(r.Header.Get("Cookie")), guard.Address(r), s.o.Terms)
	if err != nil {
		s.failed(r, way, wordOf(err), "")
		s.refuse(w, r, way, wordOf(err), err)
		return
	}
	s.o.Locks.Succeeded(guard.Address(r))
	s.signedIn(w, r, in, way, r.PostForm.Get("next"))
}

// byLink signs in with a code that counts once.
func (s *Server) byLink(w http.ResponseWriter, r *http.Request) {
	const way = "link"
	w.Header().Set("Referrer-Policy", "no-referrer") // the code is in the address
	if s.o.Locks.Wait(guard.Address(r)) > 0 {
		s.refuse(w, r, way, locked, nil)
		return
	}
	in, err := s.o.Registry.SignInByCode(r.Context(), value(r.URL.Query().Get("code")), s.shown(r.Header.Get("Cookie")), guard.Address(r), s.o.Terms)
	if err != nil {
		s.failed(r, way, wordOf(err), "")
		s.refuse(w, r, way, wordOf(err), err)
		return
	}
	s.o.Locks.Succeeded(guard.Address(r))
	s.signedIn(w, r, in, way, "/")
}

// failed counts a try against the address, and against the person where that is
// known, unless it failed because of the server.
func (s *Server) failed(r *http.Request, way, word, who string) {
	if word == away || word == internal || word == busy || word == locked {
		return
	}
	wait := s.o.Locks.Failed(guard.Address(r))
	if who != "" {
		wait = max(wait, s.o.Locks.Failed(who))
	}
	if wait > 0 && s.o.Locks.Record() {
		s.record(r, way, locked, who)
	}
}

// signOut ends the session that a browser shows, or with everywhere=yes all of them.
func (s *Server) signOut(w http.ResponseWriter, r *http.Request) {
	everywhere := s.form(w, r) && r.PostForm.Get("everywhere") == "yes"
	a, is := s.Who(r)
	s.dropCookie(w, sessionCookie)
	if is {
		id := a.Session
		if everywhere {
			id = ""
		}
		if _, err := s.o.Registry.EndSessions(r.Context(), a, id); err != nil && !errors.Is(err, registry.ErrNoSession) {
			s.refuse(w, r, "sign-out", wordOf(err), err)
			return
		}
		s.observe("sign-out", "done")
	}
	http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
}

// form reads a form that was posted.
func (s *Server) form(w http.ResponseWriter, r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return false
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(patience)) // where it can be set; who sends slowly waits alone
	return r.ParseForm() == nil
}
