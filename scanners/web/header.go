package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// RetryAfter reads the header of this name, RFC 9110 section 10.2.3: seconds, or
// a date, which is counted from the server's own clock: the two machines' may be
// hours apart.
func RetryAfter(h http.Header, now time.Time) (time.Duration, bool) {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if text == "" {
		return 0, false
	}
	if n, err := strconv.ParseFloat(text, 64); err == nil && n >= 0 {
		return time.Duration(min(n, float64(maxWait/time.Second)) * float64(time.Second)), true
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0, true // there is one: it is a limit, for a time that is not said
	}
	return Between(Clock(h, now), at), true
}

// maxWait bounds what a header can say.
const maxWait = 365 * 24 * time.Hour

// Clock is the server's, or ours where it does not tell.
func Clock(h http.Header, now time.Time) time.Time {
	if at, err := http.ParseTime(h.Get("Date")); err == nil {
		return at
	}
	return now
}

// Between is a wait from one moment to another, never below zero.
func Between(from, to time.Time) time.Duration {
	return min(max(to.Sub(from), 0), maxWait)
}

// Next finds the link to the next page, RFC 8288: <URL>; rel="next", ...
func Next(h http.Header) string {
	for _, text := range h.Values("Link") {
		for text != "" {
			var link, params string
			link, params, text = cutLink(text)
			if isNext(params) {
				return link
			}
		}
	}
	return ""
}

// cutLink takes the first link off: commas may also be in URLs and in quotes.
func cutLink(text string) (link, params, rest string) {
	_, text, found := strings.Cut(text, "<")
	if !found {
		return "", "", ""
	}
	link, text, found = strings.Cut(text, ">")
	if !found {
		return "", "", ""
	}
	quoted := false
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '"':
			quoted = !quoted
		case text[i] == '\\' && quoted:
			i++
		case text[i] == ',' && !quoted:
			return link, text[:i], text[i+1:]
		}
	}
	return link, text, ""
}

func isNext(params string) bool {
	for param := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(param, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "rel") {
			continue
		}
		for rel := range strings.FieldsSeq(strings.Trim(strings.TrimSpace(value), `"`)) {
			if strings.EqualFold(rel, "next") {
				return true
			}
		}
		return false // of several rel, the first counts
	}
	return false
}

// Begins is the first offset of a Content-Range, "bytes 5-9/10"; -1: not said.
func Begins(h http.Header) int64 {
	unit, text, _ := strings.Cut(strings.TrimSpace(h.Get("Content-Range")), " ")
	first, _, found := strings.Cut(text, "-")
	n, err := strconv.ParseInt(strings.TrimSpace(first), 10, 64)
	if !found || err != nil || n < 0 || !strings.EqualFold(unit, "bytes") {
		return -1
	}
	return n
}
