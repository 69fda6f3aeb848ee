package rest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"revenant/api/wire"
	"revenant/fingerprints/registry"
)

const (
	mostListeners = 200
	eventEvery    = time.Second
	eventBatch    = 100
	heartbeat     = 15 * time.Second
	checkEvery    = 4 * time.Second  // whether who listens still may
	eventPatience = 10 * time.Second // for a listener that does not read
)

func (s *server) eventRoutes() {
	type in struct {
		Last string `header:"Last-Event-ID" maxLength:"8192" doc:"Where a listener was before; it hears what came since."`
	}
	r := route{
		id: "listen", method: http.MethodGet, path: "/events", scope: registry.ScopeRead, summary: "Findings as they change, as server-sent events",
		long: "Each event is named `finding`, carries a finding as it is now, and an id to go on from. The same finding may be told again without a change. A line that begins with a colon says that the server is there.",
	}
	op := s.operation(r)
	op.Responses = map[string]*huma.Response{"200": {Description: "Events", Content: map[string]*huma.MediaType{
		"text/event-stream": {Schema: s.api.OpenAPI().Components.Schemas.Schema(typeOf[wire.FindingView](), true, "FindingView")},
	}}}
	huma.Register(s.api, op, func(ctx context.Context, q *in) (*huma.StreamResponse, error) {
		a := actorOf(ctx)
		at, err := s.from(ctx, a, q.Last)
		if err != nil {
			return nil, s.problemOf(ctx, r.id, err)
		}
		if s.listening.Add(1) > mostListeners {
			s.listening.Add(-1)
			return nil, newProblem(http.StatusTooManyRequests, "too-many", "Too many listen already: try again later.")
		}
		return &huma.StreamResponse{Body: func(out huma.Context) {
			defer s.listening.Add(-1)
			s.tell(ctx, a, at, out)
		}}, nil
	})
}

// from is the place in the feed that a listener names, else its end.
func (s *server) from(ctx context.Context, a registry.Actor, last string) (registry.FeedPosition, error) {
	if last == "" {
		return s.o.Registry.FeedEnd(ctx, a)
	}
	var at registry.FeedPosition
	b, err := base64.RawURLEncoding.DecodeString(last)
	if err == nil {
		err = json.Unmarshal(b, &at)
	}
	if err != nil {
		return at, newProblem(http.StatusUnprocessableEntity, "invalid", "Last-Event-ID is the id of an event of this server.")
	}
	if len(a.Teams) > 0 {
		at.Page = registry.FeedRest{} // they were told none with names of secrets, and try some
	}
	return at, nil
}

// tell writes events until the listener goes or the context ends.
func (s *server) tell(ctx context.Context, a registry.Actor, at registry.FeedPosition, out huma.Context) {
	out.SetHeader("Content-Type", "text/event-stream")
	out.SetHeader("X-Accel-Buffering", "no")
	w := eventWriter(out)
	if w == nil || w.send(": there\n\n") != nil {
		return
	}
	tick := time.NewTicker(eventEvery)
	defer tick.Stop()
	quiet, unchecked := time.Duration(0), time.Duration(0)
	nameless := at // the newest position without names of secrets, which others may own
	for {
		page, err := s.o.Registry.Changes(ctx, a, at, eventBatch)
		if err != nil {
			_ = s.problemOf(ctx, "listen", err) // it is logged; the listener comes again
			return
		}
		if len(page.Findings) > 0 && !s.still(ctx, a) {
			return
		}
		for i, f := range page.Findings {
			quiet = 0
			behind := at // who goes on from there hears the whole page again
			if i == len(page.Findings)-1 {
				behind = page.Next
			}
			if len(a.Teams) > 0 && len(behind.Page.Secrets) > 0 {
				behind = nameless
			}
			if w.event(f.Finding, behind) != nil {
				return
			}
		}
		at = page.Next
		if len(at.Page.Secrets) == 0 {
			nameless = at
		}
		if page.More {
			continue
		}
		if unchecked += eventEvery; unchecked > checkEvery {
			unchecked = 0
			if !s.still(ctx, a) {
				return
			}
		}
		if quiet += eventEvery; quiet > heartbeat {
			quiet = 0
			if w.send(": there\n\n") != nil {
				return
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// still reports whether the listener may hear what they do, however much there is
// to tell: whose token or session ended hears no more, nor does who is of other teams
// by now.
func (s *server) still(ctx context.Context, a registry.Actor) bool {
	now, err := s.authenticate(ctx, shownIn(ctx))
	return err == nil && now.Name == a.Name && now.May(registry.ScopeRead) && slices.Equal(now.Teams, a.Teams)
}

// listener writes events to one connection.
type listener struct {
	w http.ResponseWriter
	c *http.ResponseController
}

func eventWriter(out huma.Context) *listener {
	w, is := out.BodyWriter().(http.ResponseWriter)
	if !is {
		return nil
	}
	return &listener{w, http.NewResponseController(w)}
}

// event writes a finding, with where a listener goes on from behind it.
func (l *listener) event(f wire.FindingView, behind registry.FeedPosition) error {
	body, err := json.Marshal(f)
	if err != nil {
		return err
	}
	id, err := json.Marshal(behind)
	if err != nil {
		return err
	}
	return l.send("event: finding\nid: " + base64.RawURLEncoding.EncodeToString(id) + "\ndata: " + string(body) + "\n\n")
}

func (l *listener) send(text string) error {
	_ = l.c.SetWriteDeadline(time.Now().Add(eventPatience))
	if _, err := l.w.Write([]byte(text)); err != nil {
		return err
	}
	return l.c.Flush()
}
