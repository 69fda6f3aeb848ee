package rest

import (
	"errors"
	"net/http"
	"net/url"
)

// queryProblem refuses a query of which a part would be dropped when it is read: what
// cannot be decoded, and what is there twice. The answer would be one to another
// question. nil: there is no such part.
func (s *server) queryProblem(u url.URL) *problem {
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return newProblem(http.StatusBadRequest, "malformed", "The query cannot be read: parts are parted by &, and %, & and ; in them are sent as %25, %26 and %3B.")
	}
	for name, values := range query {
		if len(values) < 2 {
			continue
		}
		at := ""
		if s.words[name] {
			at = "/" + name
		}
		return invalidAt(at, errors.New("given more than once: where it takes several, they go with commas"))
	}
	return nil
}
