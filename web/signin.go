package web

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// signInPage is what the page for signing in shows.
type signInPage struct {
	view
	Next    string
	Problem string
	OIDC    string
}

// signIn is the page on which people sign in; the forms go to the routes of package
// session.
func (s *server) signIn(w http.ResponseWriter, r *http.Request) {
	next := local(r.URL.Query().Get("next"))
	if _, known := s.o.Who(r); known {
		http.Redirect(w, r, next, http.StatusSeeOther)
		return
	}
	p := signInPage{view: view{Title: "Sign in", Theme: themeOf(r), Here: r.URL.RequestURI()}, Next: next, OIDC: s.o.SignIn.OIDC, Problem: signInProblem(r.URL.Query().Get("error"))}
	var b bytes.Buffer
	if err := s.templates["sign-in"].ExecuteTemplate(&b, "bare", p); err != nil {
		http.Error(w, "Internal error.", http.StatusInternalServerError)
		return
	}
	s.send(w, r, http.StatusOK, b.Bytes())
}

// signInProblem is what went wrong, by a word.
func signInProblem(word string) string {
	known := map[string]string{
		"token":     "That token is not valid: it may have been revoked, or has ended.",
		"link":      "That link was used, or its time is over. Ask for another.",
		"no-role":   "Nobody gave you a role here yet. Ask an administrator.",
		"busy":      "Too many are signing in now. Try again in a moment.",
		"away":      "The store cannot be reached now. Try again in a moment.",
		"denied":    "You may not use this server. Ask an administrator.",
		"disabled":  "Your account is disabled. Ask an administrator.",
		"expired":   "That took too long, or the link was used before. Begin again.",
		"locked":    "There were too many attempts. Wait a while, then try again.",
		"malformed": "What was sent could not be read. Write the token again.",
		"internal":  "Something went wrong at the server; its log says what. Try again, or tell who runs it.",
		"provider":  "The identity provider cannot be reached, or did not answer as it should. Try again.",
	}
	switch text, has := known[word]; {
	case word == "":
		return ""
	case has:
		return text
	}
	return "Signing in did not work. Try again."
}

// toSignIn sends a browser to the page for signing in, and back to where it was.
func (s *server) toSignIn(w http.ResponseWriter, r *http.Request) {
	next := "/"
	if r.Method == http.MethodGet && !asksForPart(r) {
		next = r.URL.RequestURI()
	}
	to := "/sign-in?next=" + url.QueryEscape(next)
	if asksForPart(r) {
		w.Header().Set("HX-Redirect", "/sign-in")
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// local is an address of this server: a path, else that of the first page.
func local(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") {
		return "/"
	}
	return next
}

// themeCookie is what a reader chose.
const themeCookie = "revenant_theme"

func themeOf(r *http.Request) string {
	c, err := r.Cookie(themeCookie)
	if err != nil || c.Value != "light" && c.Value != "dark" {
		return ""
	}
	return c.Value
}

// setTheme keeps the theme that a reader chose.
func (s *server) setTheme(w http.ResponseWriter, r *http.Request) {
	c := &http.Cookie{Name: themeCookie, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: r.TLS != nil, MaxAge: int((365 * 24 * time.Hour).Seconds())}
	switch word := r.PostFormValue("theme"); word {
	case "light", "dark":
		c.Value = word
	default:
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
	http.Redirect(w, r, local(r.PostFormValue("next")), http.StatusSeeOther)
}
