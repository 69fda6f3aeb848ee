package push

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/go-chi/chi/v5"
	"golang.org/x/sync/semaphore"

	"revenant/fingerprints"
)

// Handler takes posts. It is safe for concurrent use.
type Handler struct {
	o      Options
	router chi.Router
	rings  map[Provider]*keyring
	bodies *semaphore.Weighted // bytes of webhooks in memory
	texts  atomic.Int64        // logs that come in
}

// sender is how a provider's posts are known and read.
type sender struct {
	provider Provider
	claim    func(*http.Request) (claim, bool)
	// parse makes events of a payload. errIgnored: there is nothing in it for us;
	// another error: it is not such a payload.
	parse  func(post) ([]Event, error)
	scheme string // of WWW-Authenticate
	// each event has a delivery of its own, which a replay has too.
	each bool
}

// post is what a parser is given.
type post struct {
	header http.Header
	query  func(name string) string
	body   []byte // JSON, of bounded depth
}

var (
	errIgnored = errors.New("nothing that matters here")
	errShape   = errors.New("not what such a post looks like")
)

func senders() []sender {
	const mac = "HMAC-SHA256"
	return []sender{
		{provider: GitHub, claim: ofGitHub, parse: parseGitHub, scheme: mac},
		{provider: GitLab, claim: ofGitLab, parse: parseGitLab, scheme: mac},
		{provider: Gitea, claim: ofGitea, parse: parseGitea, scheme: mac},
		{provider: Git, claim: ofGit, parse: parseGit, scheme: mac},
		{provider: Registry, claim: bearer, parse: parseRegistry, scheme: `Basic realm="revenant"`, each: true},
	}
}

// New returns a handler with a route for each provider that has secrets.
func New(o Options) (*Handler, error) {
	if o.Sink == nil {
		return nil, errors.New("what is pushed needs a Sink")
	}
	h := &Handler{o: o.filled(), router: chi.NewRouter(), rings: map[Provider]*keyring{}}
	h.bodies = semaphore.NewWeighted(h.o.MaxBodies)
	h.router.NotFound(func(w http.ResponseWriter, _ *http.Request) {
		(&refusal{status: http.StatusNotFound}).write(w)
	})
	h.router.MethodNotAllowed(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Allow", http.MethodPost)
		(&refusal{status: http.StatusMethodNotAllowed}).write(w)
	})
	for _, s := range senders() {
		if h.keep(s.provider) {
			h.router.Post("/hooks/"+string(s.provider), h.hook(s))
		}
	}
	if h.keep(Logs) {
		h.router.Post("/logs/*", h.log)
	}
	for p := range h.o.Secrets {
		if h.rings[p] == nil && len(h.o.Secrets[p]) > 0 {
			return nil, errors.New("there are secrets for a provider that does not exist")
		}
	}
	return h, nil
}

// keep makes a provider's ring; false: it has no secrets.
func (h *Handler) keep(p Provider) bool {
	secrets := slices.DeleteFunc(slices.Clone(h.o.Secrets[p]), func(s Secret) bool { return s == nil })
	if len(secrets) > 0 {
		h.rings[p] = &keyring{fetch: secrets, now: h.o.Now}
	}
	return len(secrets) > 0
}

// Check fetches every secret, and says which cannot be used and why.
func (h *Handler) Check(ctx context.Context) error {
	var wrong []error
	for _, p := range []Provider{GitHub, GitLab, Gitea, Git, Registry, Logs} {
		if ring := h.rings[p]; ring != nil {
			wrong = append(wrong, ring.check(ctx, p))
		}
	}
	return errors.Join(wrong...)
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.router.ServeHTTP(w, r) }

// taken is the one answer to whatever was signed rightly, whether it concerns a
// source or not.
type taken struct {
	Status string `json:"status"`
}

func (h *Handler) hook(s sender) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if no := h.take(w, r, s); no != nil {
			h.refuse(r.Context(), w, s.provider, no)
			return
		}
		answer(w, http.StatusAccepted, "application/json", taken{Status: "taken"})
	}
}

func (h *Handler) refuse(ctx context.Context, w http.ResponseWriter, p Provider, no *refusal) {
	h.count(p, no.outcome)
	h.o.Log.LogAttrs(ctx, slog.LevelWarn, "push refused", slog.String("provider", string(p)), slog.String("outcome", string(no.outcome)))
	no.write(w)
}

func (h *Handler) count(p Provider, o Outcome) {
	if h.o.Counters != nil {
		h.o.Counters.Count(p, o)
	}
}

// take takes one post in.
func (h *Handler) take(w http.ResponseWriter, r *http.Request, s sender) *refusal {
	c, keys, no := h.known(r, s)
	if no != nil {
		return no
	}
	if encoded(r.Header) {
		return unsupported("Send it without Content-Encoding.")
	}
	body, release, no := h.read(w, r)
	if no != nil {
		return no
	}
	defer release()
	text, no := payload(r.Header, body)
	if no != nil && c.token == "" && !c.fits(keys, body, body) {
		return h.unsigned(s) // who is not known is told nothing else
	}
	if no != nil {
		return no
	}
	if c.token == "" && !c.fits(keys, body, text) && !c.fits(h.rings[s.provider].again(r.Context()), body, text) {
		return h.unsigned(s)
	}
	if !shallow(text) {
		return malformed("This is nested too deeply.")
	}
	events, err := s.parse(post{header: r.Header, query: r.URL.Query().Get, body: text})
	switch {
	case errors.Is(err, errIgnored) || err == nil && len(events) == 0:
		h.count(s.provider, Ignored)
		return nil
	case err != nil:
		return malformed("This does not look like what it says that it is.")
	}
	return h.pass(r.Context(), s, c.key(s.provider, body), events)
}

func (h *Handler) unsigned(s sender) *refusal {
	return &refusal{status: http.StatusUnauthorized, outcome: Unsigned, scheme: s.scheme}
}

// known looks at what the headers say before the body is read: a token is
// compared here, and a signature that is too old needs no body.
func (h *Handler) known(r *http.Request, s sender) (claim, []fingerprints.Value, *refusal) {
	c, ok := s.claim(r)
	if !ok {
		return c, nil, h.unsigned(s)
	}
	if d := h.o.Now().Sub(c.at); !c.at.IsZero() && (d > h.o.Window || d < -h.o.Window) {
		no := h.unsigned(s)
		no.outcome = Stale
		return c, nil, no
	}
	keys, err := h.rings[s.provider].current(r.Context())
	if err != nil {
		h.o.Log.LogAttrs(r.Context(), slog.LevelError, "push has no usable secret", slog.String("provider", string(s.provider)))
		return c, nil, failed()
	}
	if c.token != "" && !held(keys, c.token) && !held(h.rings[s.provider].again(r.Context()), c.token) {
		return c, nil, h.unsigned(s)
	}
	return c, keys, nil
}

// pass hands events to the Sink, those that it was given before left out. Where
// it fails on one, the sender comes again with all of them.
func (h *Handler) pass(ctx context.Context, s sender, once string, events []Event) *refusal {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), h.o.SinkTime)
	defer cancel()
	for i, e := range events {
		key := ""
		switch {
		case s.each && e.Delivery != "":
			key = keyOf(s.provider, "event", []byte(e.Delivery))
		case !s.each && once != "":
			key = keyOf(s.provider, "part", []byte(once), []byte(strconv.Itoa(i)))
		}
		if no := h.passOne(ctx, key, e); no != nil {
			return no
		}
	}
	return nil
}

func (h *Handler) passOne(ctx context.Context, key string, e Event) *refusal {
	if key != "" {
		// A memory that fails costs a look at a source; refusing would lose a post.
		if seen, err := h.o.Deliveries.Seen(ctx, key); err == nil && seen {
			h.count(e.Provider, Replayed)
			return nil
		}
	}
	switch err := h.o.Sink.Pushed(ctx, e); {
	case errors.Is(err, ErrUnknown):
		h.count(e.Provider, Unknown)
		return nil // and not remembered: it may be sent again when the source was added
	case err != nil:
		h.o.Log.LogAttrs(ctx, slog.LevelError, "push not taken in", slog.String("provider", string(e.Provider)), slog.String("delivery", e.Delivery))
		return failed()
	}
	h.count(e.Provider, Accepted)
	if key != "" {
		if err := h.o.Deliveries.Remember(ctx, key); err != nil {
			h.o.Log.LogAttrs(ctx, slog.LevelWarn, "push not remembered", slog.String("provider", string(e.Provider)))
		}
	}
	return nil
}

// maxDepth is how deeply a payload may be nested; those of providers are below
// ten.
const maxDepth = 64

// shallow reports whether JSON is of bounded depth; what is none the parser finds
// out.
func shallow(text []byte) bool {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch b := text[i]; {
		case quoted && b == '\\':
			i++
		case b == '"':
			quoted = !quoted
		case quoted:
		case b == '{' || b == '[':
			if depth++; depth > maxDepth {
				return false
			}
		case b == '}' || b == ']':
			depth--
		}
	}
	return true
}

// after is a deadline by the machine's clock, which connections go by.
func after(d time.Duration) time.Time { return time.Now().Add(d) }
