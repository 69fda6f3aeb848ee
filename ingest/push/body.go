package push

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"strings"
)

// firstRead is how much memory a body takes before any of it has come.
const firstRead = 32 << 10

// read reads a webhook's body. Memory is taken as bytes come and not as a header
// promises, and out of what all bodies have together; release gives it back.
func (h *Handler) read(w http.ResponseWriter, r *http.Request) (body []byte, release func(), no *refusal) {
	limit := h.o.MaxBody
	if r.ContentLength > limit {
		return nil, nil, tooLarge()
	}
	control := http.NewResponseController(w)
	// Not every writer can: then the server's own limits hold.
	_ = control.SetReadDeadline(after(h.o.BodyTime))
	from := http.MaxBytesReader(w, r.Body, limit)
	var taken int64
	release = func() { h.bodies.Release(taken) }
	for {
		if len(body) == cap(body) {
			size := min(max(2*int64(cap(body)), firstRead), limit+1)
			if !h.bodies.TryAcquire(size - int64(cap(body))) {
				release()
				return nil, nil, busy()
			}
			taken = size
			body = append(make([]byte, 0, size), body...)
		}
		n, err := from.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if errors.Is(err, io.EOF) {
			return body, release, nil
		}
		if err != nil {
			release()
			return nil, nil, unread(err)
		}
	}
}

// unread says why a body did not come to its end.
func unread(err error) *refusal {
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		return tooLarge()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return slow()
	}
	return malformed("The body broke off.")
}

// encoded reports whether a body is packed; webhooks never are.
func encoded(h http.Header) bool {
	for _, v := range h.Values("Content-Encoding") {
		if v != "" && !strings.EqualFold(v, "identity") {
			return true
		}
	}
	return false
}

// payload takes the JSON out of a body: the body itself, or the field payload
// of a form, as GitHub and Gitea can send it. Types that end in json or +json
// are JSON.
func payload(h http.Header, body []byte) ([]byte, *refusal) {
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	switch {
	case err != nil || len(h.Values("Content-Type")) != 1:
	case kind == "application/json" || strings.HasPrefix(kind, "application/") && strings.HasSuffix(kind, "+json"):
		return body, nil
	case kind == "application/x-www-form-urlencoded":
		return formPayload(string(body))
	}
	return nil, unsupported("Send application/json.")
}

func formPayload(text string) ([]byte, *refusal) {
	var out []byte
	found := 0
	for pair := range strings.SplitSeq(text, "&") {
		value, is := strings.CutPrefix(pair, "payload=")
		if !is {
			continue
		}
		plain, err := url.QueryUnescape(value)
		if err != nil {
			return nil, malformed("The form is damaged.")
		}
		out = []byte(plain)
		found++
	}
	if found != 1 {
		return nil, malformed("The form has not one field called payload.")
	}
	return out, nil
}
