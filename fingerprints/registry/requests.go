package registry

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"revenant/fingerprints/store"
)

// Errors of requests that have a key.
var (
	// ErrUnderWay says that the same request is being done.
	ErrUnderWay = errors.New("the same request is being done: ask again in a minute")
	// ErrKeyUsed says that a key was used for something else.
	ErrKeyUsed = errors.New("this key was used for another request within a day: draw a new one")
)

// abandonedAfter is for how long a request may be under way: whoever did it has died.
const abandonedAfter = time.Minute

// ClaimRequest notes that something is asked for with a key. It returns the request
// as it was answered before, and false where it is to be done now: then comes
// AnswerRequest, or ReleaseRequest where it was not done.
func (r *Registry) ClaimRequest(ctx context.Context, a Actor, need Scope, q store.Request) (was store.Request, answered bool, err error) {
	err = r.update(ctx, a, need, "taking a request", func(c *change) error {
		if _, err := c.tx.ForgetRequests(ctx, c.at.Add(-keptRequests)); err != nil {
			return err
		}
		q.Actor, q.At = a.Name, c.at
		was, err = c.tx.Request(ctx, a.Name, q.Key)
		answered = err == nil && !was.Answered.IsZero()
		switch {
		case errors.Is(err, store.ErrNotFound):
			return c.tx.PutRequest(ctx, q)
		case err != nil:
			return err
		case was.Operation != q.Operation || was.Body != q.Body:
			return ErrKeyUsed
		case answered:
			return nil
		case c.at.Sub(was.At) < abandonedAfter:
			return ErrUnderWay
		}
		return c.tx.PutRequest(ctx, q)
	})
	return was, answered, err
}

// AnswerRequest keeps what of an answer may be stored; nil where nothing may.
func (r *Registry) AnswerRequest(ctx context.Context, a Actor, need Scope, q store.Request) error {
	return r.update(ctx, a, need, "taking a request", func(c *change) error {
		q.Actor, q.At, q.Answered = a.Name, c.at, c.at
		return c.tx.PutRequest(ctx, q)
	})
}

// ReleaseRequest forgets a request that was not done.
func (r *Registry) ReleaseRequest(ctx context.Context, a Actor, need Scope, key [sha256.Size]byte) error {
	return r.update(ctx, a, need, "taking a request", func(c *change) error { return c.tx.RemoveRequest(ctx, a.Name, key) })
}
