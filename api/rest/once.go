package rest

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"log/slog"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"revenant/fingerprints/store"
)

// mostKept bounds an answer that is kept for those who ask again, in bytes.
const mostKept = 64 << 10

// once does what is asked for with an Idempotency-Key one time: who asks again within
// a day gets the answer of then, without what is shown once.
func once[O any](ctx context.Context, s *server, r route, in any, do func() (*O, error)) (*O, error) {
	k, _ := ctx.Value(askedKey{}).(asked)
	if k.key == "" || r.method != http.MethodPost {
		return do()
	}
	body, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	q := store.Request{Key: sha256.Sum256([]byte("request/" + k.key)), Operation: r.id, Body: sha256.Sum256(body)}
	was, answered, err := s.o.Registry.ClaimRequest(ctx, k.actor, r.scope, q)
	if err != nil {
		return nil, err
	}
	if answered {
		out := new(O)
		if was.Answer == nil || json.Unmarshal(was.Answer, out) != nil {
			return nil, newProblem(http.StatusConflict, "answered", "It was done when it was asked for first; the answer is not kept.")
		}
		return out, nil
	}
	out, err := do()
	late := context.WithoutCancel(ctx) // whoever asks has gone, perhaps
	if err != nil {
		if rerr := s.o.Registry.ReleaseRequest(late, k.actor, r.scope, q.Key); rerr != nil {
			s.o.Log.WarnContext(late, "a request that failed is not forgotten yet", slog.Any("error", rerr))
		}
		return nil, err
	}
	q.Status, q.Answer = r.status, kept(out)
	if err := s.o.Registry.AnswerRequest(late, k.actor, r.scope, q); err != nil {
		s.o.Log.WarnContext(late, "the answer of a request is not kept", slog.Any("error", err))
	}
	return out, nil
}

// shownOnce is an answer that has something in it that is not stored.
type shownOnce interface {
	// storable is the answer without it.
	storable() any
}

// kept is what of an answer is stored; nil: nothing.
func kept(out any) []byte {
	if x, is := out.(shownOnce); is {
		out = x.storable()
	}
	b, err := json.Marshal(out)
	if err != nil || len(b) > mostKept {
		return nil
	}
	return b
}

// idempotencyKey describes the header.
func idempotencyKey() *huma.Param {
	longest := 255
	return &huma.Param{
		Name: "Idempotency-Key", In: "header", Description: "Anything that is drawn for this request: sent again within a day, it is answered as then, and done once. What is shown once is not in the answer again.",
		Schema: &huma.Schema{Type: "string", MaxLength: &longest},
	}
}
