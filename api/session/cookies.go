package session

import (
	"net/http"
	"time"

	"revenant/fingerprints"
)

// The cookies, without the prefix that binds them to the host and to TLS.
const (
	sessionCookie = "revenant-session"
	flightCookie  = "revenant-sign-in"
)

// hostPrefix has browsers take a cookie from this host alone, over TLS, for all
// paths: no neighbour under the same domain can plant one.
const hostPrefix = "__Host-"

func (s *Server) cookieName(name string) string {
	if s.secure {
		return hostPrefix + name
	}
	return name
}

// setCookie gives the browser a cookie that no script can read.
func (s *Server) setCookie(w http.ResponseWriter, name string, v fingerprints.Value, lasts time.Duration) {
	http.SetCookie(w, &http.Cookie{
		Name: s.cookieName(name), Value: string(v.Reveal()), Path: "/", MaxAge: int(lasts / time.Second), Secure: s.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

func (s *Server) dropCookie(w http.ResponseWriter, name string) {
	http.SetCookie(w, &http.Cookie{Name: s.cookieName(name), Path: "/", MaxAge: -1, Secure: s.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

// shown is the session among the cookies of a header; empty for none, and for
// several: one of them was planted.
func (s *Server) shown(header string) fingerprints.Value { return s.cookie(header, sessionCookie) }

func (s *Server) cookie(header, name string) fingerprints.Value {
	if header == "" || len(header) > maxForm {
		return fingerprints.Value{}
	}
	list, err := http.ParseCookie(header)
	if err != nil {
		return fingerprints.Value{}
	}
	found := ""
	for _, c := range list {
		if c.Name != s.cookieName(name) {
			continue
		}
		if found != "" && found != c.Value {
			return fingerprints.Value{}
		}
		found = c.Value
	}
	if found == "" {
		return fingerprints.Value{}
	}
	return value(found)
}

// Credential is what a request shows, a token or a session; empty for nothing. It is
// not looked up.
func (s *Server) Credential(r *http.Request) string {
	if header := r.Header.Get("Authorization"); header != "" {
		return header
	}
	return string(s.shown(r.Header.Get("Cookie")).Reveal())
}
