package web

import (
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"math"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/ingest/search/query"
)

// view is what templates see of a request and its page.
type view struct {
	Title string
	Nav   string
	Who   registry.Actor
	Theme string // light, dark, or "" as the reader's system has it
	Here  string // path and query of the page, for forms that come back to it
	Said  string // what was just done
	Data  any
}

// May reports whether the reader may do something.
func (v view) May(scope string) bool { return v.Who.May(registry.Scope(scope)) }

func (s *server) viewOf(r *http.Request, a registry.Actor, p page) view {
	v := view{Title: p.title, Nav: p.nav, Who: a, Theme: themeOf(r), Here: r.URL.RequestURI(), Said: said(r.URL.Query().Get("said")), Data: p.data}
	if r.Method != http.MethodGet || p.hushed || !s.repeatable(r) {
		v.Here = "/"
	}
	return v
}

// repeatable reports whether the conditions of an address hold no registered value, so
// that they can stand in the page.
func (s *server) repeatable(r *http.Request) bool {
	var texts []string
	for key, list := range r.URL.Query() {
		texts = append(append(texts, key), list...)
	}
	return len(texts) == 0 || s.o.Refuse(r.Context(), texts...) == nil
}

// said is what a word of done is told as; "" for one that is none.
func said(word string) string {
	return map[string]string{
		"accepted": "Accepted.", "dismissed": "Dismissed as a false positive.", "assigned": "The owner was set.", "due": "The due date was set.", "due-by-verdict": "The due date follows from the verdict again.", "reopened": "Reopened.", "noted": "The note was kept.",
		"superseded": "Superseded.", "retired": "Retired: every copy of it is stale from now on.", "activated": "Activated.", "abandoned": "Abandoned.", "compromised": "Marked as compromised.",
		"acknowledged": "Acknowledged.", "unchanged": "It was like that already: nothing was written.", "allowed": "The place is allowed.", "forbidden": "The place is no longer allowed.",
		"watched": "It is watched, and scanned now.", "paused": "Paused.", "resumed": "Resumed.", "disabled": "Disabled, and signed out.", "enabled": "Enabled.", "out": "Signed out everywhere.", "out-there": "That session was ended.", "out-others": "Signed out everywhere else.", "revoked": "Revoked: what is shown with it is refused from now on.",
		"again": "It is sent again now, and tried for a day.", "taken-back": "The decision was taken back.", "moved": "It has its new id; the old ids of its findings lead here still.", "forgotten": "Forgotten, with everything that was found in it.", "saved": "Saved.", "removed": "Removed.", "asked": "A scan was asked for.", "none": "Nothing was selected.",
	}[word]
}

// parse reads every page's template, each with the layout and the parts.
func (s *server) parse() (map[string]*template.Template, error) {
	shared, err := template.New("").Funcs(s.funcs()).ParseFS(files, "templates/layout.html", "templates/parts.html", "templates/registry-parts.html")
	if err != nil {
		return nil, err
	}
	out := map[string]*template.Template{}
	err = eachTemplate(files, func(name string) error {
		one, err := shared.Clone()
		if err != nil {
			return err
		}
		out[strings.TrimSuffix(path.Base(name), ".html")], err = one.ParseFS(files, name)
		return err
	})
	return out, err
}

func eachTemplate(fsys embed.FS, fn func(name string) error) error {
	names, err := fs.Glob(fsys, "templates/*.html")
	if err != nil {
		return err
	}
	for _, name := range names {
		if base := path.Base(name); base == "layout.html" || strings.HasSuffix(base, "parts.html") {
			continue
		}
		if err := fn(name); err != nil {
			return err
		}
	}
	return nil
}

// funcs are what templates can call.
func (s *server) funcs() template.FuncMap {
	return template.FuncMap{
		"asset": s.assets.address,
		"date":  func(t time.Time) string { return t.Format(time.DateOnly) },
		"num":   number,
		"one":   plural,
		"ago":   func(t any) template.HTML { return s.relative(moment(t)) },
		"at":    func(t any) template.HTML { return stamp(moment(t)) },
		"path":  at,
		"find":  findingsOf,
		"short": shortID,
		"hex":   func(id fingerprints.FindingID) string { return strings.TrimPrefix(string(id), "rv1:") },
		"int":   func(n uint64) int { return int(min(n, math.MaxInt32)) },
		"late":  func(t any) bool { due := moment(t); return !due.IsZero() && due.Before(s.o.Now()) },
		"words": words,
		"query": func(q string) string { return url.Values{"q": {q}}.Encode() },
		"of": func(field, value string) string {
			return query.Of(query.In{Field: query.Field(field), Values: []query.Pattern{query.Literal(value)}}).String()
		},
		"text":  fmt.Sprint,
		"minus": func(a, b int) int { return a - b },
		"least": func(a, b int) int { return min(a, b) },
		"took":  func(from time.Time, to *time.Time) string { return span(moment(to).Sub(from)) },
		"scope": scopeWords,
		"means": healthWords,
		"size":  size,
		"plus":  func(n uint64) uint64 { return n + 1 },
		"list":  func(v ...any) []any { return v },
		"cat":   func(v ...string) string { return strings.Join(v, "") },
		"frac":  func(n, of int) string { return strconv.FormatFloat(100*float64(n)/float64(max(of, 1)), 'f', 1, 64) },
	}
}

// at is the address of a page: parts of a path, of which names are escaped.
func at(parts ...any) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString("/" + url.PathEscape(fmt.Sprint(p)))
	}
	return b.String()
}

// moment is a time, or what a pointer to one points to.
func moment(t any) time.Time {
	switch t := t.(type) {
	case time.Time:
		return t
	case *time.Time:
		if t != nil {
			return *t
		}
	}
	return time.Time{}
}

const (
	day   = 24 * time.Hour
	exact = "2006-01-02 15:04 UTC"
)

// stamp is a time as it is read without a script, in UTC; app.js writes it in the
// reader's zone.
func stamp(t time.Time) template.HTML {
	if t.IsZero() {
		return `<span class="none">–</span>`
	}
	t = t.UTC()
	return template.HTML(`<time datetime="` + t.Format(time.RFC3339) + `">` + t.Format(exact) + `</time>`)
}

// relative is how long ago a time was, or how long it is until then, with the time
// itself as its title.
func (s *server) relative(t time.Time) template.HTML {
	if t.IsZero() {
		return `<span class="none">–</span>`
	}
	t = t.UTC()
	d := s.o.Now().Sub(t)
	text := span(d.Abs())
	if d < 0 && text != "now" {
		text = "in " + text
	}
	return template.HTML(`<time class="rel" datetime="` + t.Format(time.RFC3339) + `" title="` + t.Format(exact) + `">` + text + `</time>`)
}

// span is a duration in its largest unit; under a minute it is now.
func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "now"
	case d < time.Hour:
		return strconv.Itoa(int(d/time.Minute)) + " min"
	case d < 2*day:
		return strconv.Itoa(int(d/time.Hour)) + " h"
	case d < 365*day:
		return strconv.Itoa(int(d/day)) + " d"
	}
	return strconv.FormatFloat(float64(d)/float64(365*day), 'f', 1, 64) + " y"
}

// number groups the digits of a whole number by threes.
func number(n any) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// size is a number of bytes in a unit that people read.
func size(n int64) string {
	const step = 1024
	units, x := []string{"B", "KiB", "MiB", "GiB", "TiB"}, float64(n)
	i := 0
	for ; x >= step && i < len(units)-1; i++ {
		x /= step
	}
	if i == 0 {
		return strconv.FormatInt(n, 10) + " B"
	}
	return strconv.FormatFloat(x, 'f', 1, 64) + " " + units[i]
}

// plural is a number with the word that goes with it.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return number(n) + " " + many
}

// words is a name of the code as people read it.
func words(v any) string { return strings.ReplaceAll(fmt.Sprint(v), "-", " ") }

// sentence is an error's text as a sentence, without marks of code.
func sentence(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + strings.ReplaceAll(text[size:], "`", "") + "."
}
