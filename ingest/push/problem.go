package push

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// refusal is why a post is not taken. Its texts are constants.
type refusal struct {
	status  int
	outcome Outcome
	detail  string
	retry   int    // seconds after which to come again; 0: not said
	scheme  string // how to say who one is, of a 401
}

// problem is RFC 9457's.
type problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
}

// write answers. What cannot be written has nobody who reads it.
func (r *refusal) write(w http.ResponseWriter) {
	if r.retry > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(r.retry))
	}
	if r.scheme != "" {
		w.Header().Set("WWW-Authenticate", r.scheme)
	}
	answer(w, r.status, "application/problem+json", problem{Title: http.StatusText(r.status), Status: r.status, Detail: r.detail})
}

func answer(w http.ResponseWriter, status int, kind string, what any) {
	text, err := json.Marshal(what)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n'))
}

func malformed(detail string) *refusal {
	return &refusal{status: http.StatusBadRequest, outcome: Malformed, detail: detail}
}

func tooLarge() *refusal {
	return &refusal{status: http.StatusRequestEntityTooLarge, outcome: TooLarge, detail: "This is longer than is taken."}
}

func unsupported(detail string) *refusal {
	return &refusal{status: http.StatusUnsupportedMediaType, outcome: Unsupported, detail: detail}
}

func busy() *refusal {
	return &refusal{status: http.StatusServiceUnavailable, outcome: Busy, detail: "Too much comes in at once. Come again.", retry: 5}
}

func slow() *refusal {
	return &refusal{status: http.StatusRequestTimeout, outcome: Slow, detail: "It came too slowly."}
}

func failed() *refusal {
	return &refusal{status: http.StatusServiceUnavailable, outcome: Failed, detail: "It could not be taken in. Come again.", retry: 30}
}
