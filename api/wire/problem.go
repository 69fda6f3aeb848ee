package wire

// ProblemType is the content type of a Problem.
const ProblemType = "application/problem+json"

// Problem is an answer that is no success, by RFC 9457. It never repeats what was
// sent.
type Problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	// Code is for programs: unauthorized, forbidden, not-found, conflict, state,
	// invalid, malformed, too-large, media-type, too-many, method, store-away, given-up, internal.
	Code   string      `json:"code"`
	Detail string      `json:"detail"` // with the way out
	Errors []ProblemAt `json:"errors,omitempty"`
}

// ProblemAt says where a request is not valid.
type ProblemAt struct {
	Pointer string `json:"pointer"` // JSON pointer into the body, or "/" and a parameter
	Detail  string `json:"detail"`
}
