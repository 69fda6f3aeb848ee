package web

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
)

// param is a part of a request's path, as it was before at escaped it.
func param(r *http.Request, name string) string {
	text := chi.URLParam(r, name)
	if r.URL.RawPath == "" { // the router saw the path unescaped
		return text
	}
	plain, err := url.PathUnescape(text)
	if err != nil {
		return text
	}
	return plain
}

// refOf is the version that a request's path names; number 0 where it is none.
func refOf(r *http.Request) fingerprints.VersionRef {
	n, err := strconv.Atoi(param(r, "version"))
	if err != nil || n < 1 {
		n = -1 // no version has it
	}
	return fingerprints.VersionRef{Name: param(r, "name"), Number: n}
}

// badForm says what would do in a field of a form.
func badForm(field, want string) error {
	return &registry.InputError{Input: field, Want: want, Kind: registry.ErrInput}
}

// isValue reports whether an error says that a text holds a registered value.
func isValue(err error) bool { return errors.Is(err, registry.ErrValueInName) }

// duration reads how long a form says, as in 24h or 7d; "": zero.
func duration(field, text string) (time.Duration, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return 0, nil
	}
	if days, is := strings.CutSuffix(text, "d"); is {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 && n <= 3650 {
			return time.Duration(n) * day, nil
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, badForm(field, "use a duration, as in 24h, 30m or 7d")
	}
	return d, nil
}

// dayOnly is how a form writes a day.
const dayOnly = "2006-01-02"

// dayOf reads the day of a form, as its beginning in UTC; "": the zero time.
func dayOf(field, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(dayOnly, text)
	if err != nil {
		return t, badForm(field, "use a day, as in 2026-12-31")
	}
	return t, nil
}

// throughDay is the end of the day that a form has, as the command line takes one: the
// day itself is within.
func throughDay(field, text string) (time.Time, error) {
	t, err := dayOf(field, text)
	if err == nil && !t.IsZero() {
		t = t.Add(day)
	}
	return t, err
}

// doneChanged is done, with the verdicts that changed.
func doneChanged(to, word string, changes []registry.VerdictChange) (page, error) {
	q := url.Values{}
	for _, c := range changes {
		q.Add("changed", string(c.From)+"."+string(c.To)+"."+strconv.Itoa(c.Count))
	}
	if len(q) > 0 {
		to += "?" + q.Encode()
	}
	return done(to, word)
}

// changesOf reads what doneChanged wrote; what is no change of verdicts is left out.
func changesOf(r *http.Request) []registry.VerdictChange {
	known := map[string]bool{}
	for _, v := range fingerprints.Verdicts() {
		known[string(v)] = true
	}
	var out []registry.VerdictChange
	for _, text := range r.URL.Query()["changed"] {
		parts := strings.Split(text, ".")
		if len(parts) != 3 || !known[parts[0]] || !known[parts[1]] {
			continue
		}
		if n, err := strconv.Atoi(parts[2]); err == nil && n > 0 {
			out = append(out, registry.VerdictChange{From: fingerprints.Verdict(parts[0]), To: fingerprints.Verdict(parts[1]), Count: n})
		}
	}
	return out
}
