package store

import (
	"context"
	"crypto/sha256"
	"time"
)

// Request is something that was asked for and may be asked for again, since whoever
// asks did not hear the answer: it is known by who asks and by a key of theirs, of
// which a hash is stored.
type Request struct {
	Actor     string
	Key       [sha256.Size]byte
	Operation string
	Body      [sha256.Size]byte // hash of what was asked for
	At        time.Time
	// Answered is when it was done; zero: it is under way, or whoever did it died.
	Answered time.Time
	Status   int    // of the answer
	Answer   []byte // of it, what may be stored; nil: nothing
	Subject  string // what it is about, where it is asked for in parts; "": nothing
}

// RequestTx is the requests.
type RequestTx interface {
	// PutRequest inserts or replaces by actor and key.
	PutRequest(ctx context.Context, r Request) error
	// Request is by actor and key; ErrNotFound.
	Request(ctx context.Context, actor string, key [sha256.Size]byte) (Request, error)
	RemoveRequest(ctx context.Context, actor string, key [sha256.Size]byte) error
	// ForgetRequests removes those that are older, and says how many.
	ForgetRequests(ctx context.Context, before time.Time) (int, error)
}
