package rest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints/registration"
	"revenant/fingerprints/registry"
)

// lookUpBytes is how long the JSON of every answer to a look-up is, and lookUpStep
// what the time that it takes is a multiple of: neither says whether anything was
// known.
const (
	lookUpBytes = 16 << 10
	lookUpStep  = 50 * time.Millisecond
)

func (s *server) lookUpRoutes() {
	type request struct {
		Body struct {
			Tags []string `json:"tags" minItems:"64" maxItems:"64" nullable:"false" doc:"Keyed hashes of values in hex, made with the lookup keys of an edge key file, one for each epoch; random ones fill the list up."`
		}
	}
	type answer struct{ Body wire.LookedUp }
	add(s, route{
		id: "look-up", method: http.MethodPost, path: "/lookups", scope: registry.ScopeLookup, summary: "Which of 64 values are registered ones that no edge pack has",
		long: "For hooks and pipelines, where the server's configuration allows it (`lookups.daily`). It tests guesses, so a token has a number of them in a day: 429 beyond. Every answer is as long as any other.",
	}, func(ctx context.Context, a registry.Actor, in *request) (*answer, error) {
		defer paced(ctx, time.Now())
		tags, err := tagsOf(in.Body.Tags)
		if err != nil {
			return nil, err
		}
		known, left, err := s.o.Registry.LookUp(ctx, a, tags, s.o.LookUps)
		if errors.Is(err, registry.ErrLookUpsSpent) {
			return nil, s.spent(err)
		}
		if err != nil {
			return nil, err
		}
		out, err := padded(known, left)
		return &answer{out}, err
	})
}

func tagsOf(texts []string) ([]registration.LookupTag, error) {
	out := make([]registration.LookupTag, len(texts))
	for i, text := range texts {
		b, err := hex.DecodeString(text)
		if err != nil || len(b) != len(out[i]) {
			return nil, invalidAt("/tags", errors.New("a tag is 32 digits of hex"))
		}
		copy(out[i][:], b)
	}
	return out, nil
}

// paced waits until a multiple of lookUpStep has passed.
func paced(ctx context.Context, began time.Time) {
	took := time.Since(began)
	wait := time.NewTimer(took.Truncate(lookUpStep) + lookUpStep - took)
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-ctx.Done():
	}
}

// padded is an answer of lookUpBytes. What finds no room in it is counted.
func padded(known [][]wire.KnownVersion, left int) (wire.LookedUp, error) {
	out := wire.LookedUp{Known: []wire.KnownValue{}, Left: left}
	length := func() (int, error) {
		b, err := json.Marshal(out)
		return len(b), err
	}
	const room = 64 // for More
	for i, versions := range known {
		if len(versions) == 0 {
			continue
		}
		out.Known = append(out.Known, wire.KnownValue{Asked: i, Versions: versions})
		n, err := length()
		if err != nil {
			return out, err
		}
		if n > lookUpBytes-room {
			out.Known = out.Known[:len(out.Known)-1]
			out.More++
		}
	}
	n, err := length()
	if err != nil {
		return out, err
	}
	random := make([]byte, (lookUpBytes-n+1)/2)
	_, _ = rand.Read(random) // never fails
	out.Pad = hex.EncodeToString(random)[:lookUpBytes-n]
	return out, nil
}

// spent is the answer to who has no look-ups left: it says when the next day begins.
func (s *server) spent(err error) *problem {
	p := newProblem(http.StatusTooManyRequests, "lookups-spent", err.Error())
	now := s.o.Now().UTC()
	p.after = int(math.Ceil(now.Truncate(24 * time.Hour).Add(24 * time.Hour).Sub(now).Seconds()))
	return p
}
