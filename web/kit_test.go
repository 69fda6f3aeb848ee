package web_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"revenant/fingerprints"
	"revenant/fingerprints/keys"
	"revenant/fingerprints/registration"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
	"revenant/fingerprints/store/sqlstore"
	"revenant/fingerprints/store/storetest"
	"revenant/ingest/jobs"
	"revenant/ingest/search"
	"revenant/web"
)

// site is a dashboard over a registry in a file, served on loopback. Whoever shows
// the cookie of a name of people is signed in as that.
type site struct {
	t      *testing.T
	reg    *registry.Registry
	store  store.Store
	ring   *keys.Ring
	rand   *rand.ChaCha8
	url    string
	h      http.Handler
	people map[string]registry.Actor
	shown  map[string]fingerprints.Value // by people who have a session
	values []string                      // everything that must be nowhere
	woken  atomic.Int64

	mu   sync.Mutex
	now  time.Time
	logs bytes.Buffer
}

// cookie names who is signed in, as the tests' own way of signing in has it.
const cookie = "person"

func newSite(t *testing.T) *site {
	t.Helper()
	var seed [32]byte
	copy(seed[:], t.Name())
	s := &site{t: t, now: time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC), rand: rand.NewChaCha8(seed), shown: map[string]fingerprints.Value{}, people: map[string]registry.Actor{
		"root":   registry.Local("root"),
		"viewer": {Name: "viewer", Scopes: []registry.Scope{registry.ScopeRead}},
		"sensor": {Name: "sensor", Scopes: []registry.Scope{registry.ScopeScan}},
		"triage": {Name: "triage", Scopes: []registry.Scope{registry.ScopeRead, registry.ScopeTriage}},
	}}
	st, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "registry.db"), sqlstore.Options{Access: sqlstore.CreateIfMissing})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	s.store = st
	if s.ring, err = keys.NewRing(s.rand, s.now); err != nil {
		t.Fatal(err)
	}
	if s.reg, err = registry.New(registry.Options{Store: st, Ring: s.ring, Now: s.clock, Rand: s.rand}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.reg.Init(t.Context(), me()); err != nil {
		t.Fatal(err)
	}
	s.serve()
	return s
}

// serve puts the dashboard on loopback.
func (s *site) serve() {
	s.t.Helper()
	log := slog.New(slog.NewTextHandler(&locked{w: &s.logs, mu: &s.mu}, nil))
	queue, err := jobs.Open(s.t.Context(), filepath.Join(s.t.TempDir(), "jobs.db"), jobs.Options{Worker: "w", Log: log})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = queue.Close() })
	if _, err := queue.Add(s.t.Context(), jobs.Scan{Watch: "shop", Reason: jobs.Asked}); err != nil {
		s.t.Fatal(err)
	}
	pages, err := queue.Pages(s.t.Context(), "/jobs", log)
	if err != nil {
		s.t.Fatal(err)
	}
	w, err := web.New(web.Options{
		Jobs: pages, Registry: s.reg, Queue: queue, Now: s.clock, Log: log, Wake: func() { s.woken.Add(1) }, Who: s.who, Spec: s.spec, Refuse: s.refuse, BaseURL: "https://revenant.example.org", Terms: terms(), SignIn: web.SignIn{OIDC: "Acme SSO"},
		Search: func() *search.Index {
			return search.Store(search.Options{Registry: s.reg, Actor: me(), Now: s.clock})
		},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	r := chi.NewRouter()
	w.Mount(r)
	r.NotFound(w.Lost().ServeHTTP)
	r.Post("/auth/token", s.signIn)
	r.Post("/auth/sign-out", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: cookie, MaxAge: -1, Path: "/"})
		http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
	})
	s.h = r
	server := httptest.NewServer(r)
	s.t.Cleanup(server.Close)
	s.url = server.URL
}

// terms are those of sessions.
func terms() registry.SessionTerms {
	return registry.SessionTerms{Idle: 8 * time.Hour, Longest: 7 * 24 * time.Hour}
}

// person adds somebody who has one role, signed in from these addresses; the last of
// the sessions is the one that their cookie has.
func (s *site) person(name string, role registry.Role, from ...string) {
	s.t.Helper()
	_, err := s.reg.AddPerson(s.t.Context(), me(), registry.PersonRequest{Name: name, Display: "Ann Example", Roles: []registry.Role{role}})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, address := range from {
		_, code, err := s.reg.LinkPerson(s.t.Context(), me(), name, time.Hour)
		if err != nil {
			s.t.Fatal(err)
		}
		in, err := s.reg.SignInByCode(s.t.Context(), code, fingerprints.Value{}, address, terms())
		if err != nil {
			s.t.Fatal(err)
		}
		s.people[name], s.shown[name] = in.Actor, in.Shown
		s.later(time.Minute) // so that one is the newest
	}
}

// signIn takes a person's name as a token.
func (s *site) signIn(w http.ResponseWriter, r *http.Request) {
	name := r.PostFormValue("token")
	if _, known := s.people[name]; !known {
		http.Redirect(w, r, "/sign-in?error=token", http.StatusSeeOther)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: cookie, Value: name, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	http.Redirect(w, r, r.PostFormValue("next"), http.StatusSeeOther)
}

func (s *site) who(r *http.Request) (registry.Actor, bool) {
	c, err := r.Cookie(cookie)
	if err != nil {
		return registry.Actor{}, false
	}
	if shown, has := s.shown[c.Value]; has {
		a, err := s.reg.Session(r.Context(), shown, terms())
		return a, err == nil
	}
	a, known := s.people[c.Value]
	return a, known
}

// refuse refuses texts with one of the test's values.
func (s *site) refuse(_ context.Context, texts ...string) error {
	for _, v := range s.values {
		if strings.Contains(strings.Join(texts, "\n"), v) {
			return registry.ErrValueInName
		}
	}
	return nil
}

// spec takes what is to be watched as the last word of a command, and no option but
// those with =.
func (s *site) spec(name string, scan []string, schedule, credential string) (registry.WatchSpec, error) {
	for _, arg := range scan[1 : len(scan)-1] {
		if !strings.Contains(arg, "=") {
			return registry.WatchSpec{}, errors.New("git: there is no such option")
		}
	}
	return registry.WatchSpec{Name: name, Kind: scan[0], Location: scan[len(scan)-1], Schedule: schedule, Credential: credential}, nil
}

func (s *site) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// later moves the clock.
func (s *site) later(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

// locked writes under a lock.
type locked struct {
	w  *bytes.Buffer
	mu *sync.Mutex
}

// Write implements io.Writer.
func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

func me() registry.Actor { return registry.Local("me") }

// value is a random value of letters and digits, which must be shown nowhere.
func (s *site) value(n int) string {
	const alnum = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	r := rand.New(s.rand)
	b := make([]byte, n)
	for i := range b {
		b[i] = alnum[r.IntN(len(alnum))]
	}
	s.values = append(s.values, string(b))
	return string(b)
}

// add registers a secret of an owner, and returns the rows of its fields.
func (s *site) add(name, owner, value string) []fingerprints.RowID {
	s.t.Helper()
	_, err := s.reg.Add(s.t.Context(), me(), registry.AddRequest{Name: name, Owner: owner, Fields: []registry.Field{{Value: fingerprints.NewValue([]byte(value))}}})
	if err != nil {
		s.t.Fatal(err)
	}
	return s.rows(name, 1)
}

// rows are those of a version's fields.
func (s *site) rows(name string, version int) []fingerprints.RowID {
	s.t.Helper()
	return storetest.Rows(s.t, s.store, fingerprints.VersionRef{Name: name, Number: version})
}

// copyOf is a copy of a value that a scan finds.
type copyOf struct {
	path, value string
	rows        []fingerprints.RowID // empty: a rule found it
	presence    fingerprints.Presence
	context     string
	url         string
	by          string // who brought it in; "": nobody says
	at          time.Time
	locator     string
}

// scan records a complete scan of a source that found copies.
func (s *site) scan(source string, copies ...copyOf) (ids []fingerprints.FindingID) {
	s.t.Helper()
	st, err := s.reg.Status(s.t.Context(), me())
	if err != nil {
		s.t.Fatal(err)
	}
	scan, err := s.reg.BeginScan(s.t.Context(), me(), registry.ScanStart{SourceID: source, PackRevision: st.PackRevision, FieldRevision: st.FieldRevision, Generic: true})
	if err != nil {
		s.t.Fatal(err)
	}
	var obs []registry.Observation
	for _, c := range copies {
		o := s.observed(source, c)
		ids = append(ids, o.FindingID)
		obs = append(obs, registry.Observation{Observed: o, RawPath: c.path})
	}
	if _, err := scan.Record(s.t.Context(), obs); err != nil {
		s.t.Fatal(err)
	}
	if _, err := scan.Finish(s.t.Context(), registry.Outcome{Complete: true}); err != nil {
		s.t.Fatal(err)
	}
	return ids
}

func (s *site) observed(source string, c copyOf) store.Observed {
	s.t.Helper()
	aud, ok := registration.IdentityAudience([]byte(c.value))
	if !ok {
		s.t.Fatal("the test's value is too weak to have an id")
	}
	key := s.ring.Identity(aud)
	v, p := key.ValueID([]byte(c.value)), key.PathID([]byte(c.path))
	if c.presence == "" {
		c.presence = fingerprints.PresenceTip
	}
	o := store.Observed{
		FindingID: key.FindingID(v, source, p), Value: v, Rows: c.rows, SourceID: source, Path: c.path, PathID: p,
		Sighting: fingerprints.Sighting{
			Locator: c.locator, Start: 10, End: 10 + int64(len(c.value)), Line: 2, Column: 11, Form: fingerprints.FormRaw, Presence: c.presence,
			Context: c.context, URL: c.url, At: c.at,
		},
	}
	if c.by != "" {
		o.Sighting.Author, o.Sighting.Commit = c.by, "8f14e45fceea167a5a36dedd4bea2543ff7e1a02"
	}
	if len(c.rows) == 0 {
		o.Sighting.Rule = "generic-api-key"
	}
	return o
}

// answer is what the dashboard answered.
type answer struct {
	*httptest.ResponseRecorder
	body string
}

// ask sends a request as a person; "": nobody. Values are sent as a form. The answer
// is looked through for values that must be nowhere.
func (s *site) ask(person, method, target string, form url.Values, headers ...string) answer {
	s.t.Helper()
	r := httptest.NewRequestWithContext(s.t.Context(), method, target, strings.NewReader(form.Encode()))
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if person != "" {
		r.AddCookie(&http.Cookie{Name: cookie, Value: person})
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.h.ServeHTTP(w, r)
	a := answer{w, w.Body.String()}
	text := a.body
	for name, values := range w.Header() {
		text += name + strings.Join(values, " ")
	}
	if i := slices.IndexFunc(s.values, func(v string) bool { return strings.Contains(text, v) }); i >= 0 {
		s.t.Errorf("%s %s: the answer holds a value", method, target)
	}
	return a
}

// page asks for a page that has to be there.
func (s *site) page(person, target string) string {
	s.t.Helper()
	a := s.ask(person, http.MethodGet, target, nil)
	if a.Code != http.StatusOK {
		s.t.Fatalf("GET %s: %d, want 200: %s", target, a.Code, a.body)
	}
	return a.body
}

// fill makes a small organisation of findings of every verdict, and returns a
// finding of each.
func (s *site) fill() map[fingerprints.Verdict]fingerprints.FindingID {
	s.t.Helper()
	ctx, out := s.t.Context(), map[fingerprints.Verdict]fingerprints.FindingID{}
	one := func(name, owner string) (string, []fingerprints.RowID) {
		v := s.value(32)
		return v, s.add(name, owner, v)
	}
	leaked, leakedRows := one("billing/db-password", "payments")
	stale, staleRows := one("shop/api-key", "storefront")
	lagging, laggingRows := one("mail/smtp", "platform")
	bad, badRows := one("auth/signing-key", "identity")
	fresh := s.value(32)
	ids := s.scan(
		"git:git.example.org/acme/shop",
		copyOf{path: "config/prod.env", value: leaked, rows: leakedRows, context: "DB_PASSWORD=[secret billing/db-password@1]", url: "https://git.example.org/acme/shop/blob/main/config/prod.env", at: s.clock().Add(-300 * 24 * time.Hour), by: "Ada <b>Example"},
		copyOf{path: "deploy/old.yaml", value: stale, rows: staleRows, presence: fingerprints.PresenceHistory, context: "key: [secret shop/api-key@1]"},
		copyOf{path: "src/notes.txt", value: fresh, context: "token = [redacted]"},
	)
	out[fingerprints.VerdictLeaked], out[fingerprints.VerdictStale], out[fingerprints.VerdictUnregistered] = ids[0], ids[1], ids[2]
	s.count()
	s.later(36 * time.Hour)
	ids = s.scan(
		"image:registry.example.org/shop",
		copyOf{path: "app/mail.conf", value: lagging, rows: laggingRows, presence: fingerprints.PresenceVisible},
		copyOf{path: "app/jwt.pem", value: bad, rows: badRows, presence: fingerprints.PresenceShadowed},
	)
	out[fingerprints.VerdictLagging], out[fingerprints.VerdictCompromised] = ids[0], ids[1]
	for _, name := range []string{"shop/api-key", "mail/smtp"} {
		_, err := s.reg.Rotate(ctx, me(), registry.RotateRequest{Name: name, Fields: []registry.Field{{Value: fingerprints.NewValue([]byte(s.value(32)))}}})
		if err != nil {
			s.t.Fatal(err)
		}
	}
	_, err := s.reg.Retire(ctx, me(), fingerprints.VersionRef{Name: "shop/api-key", Number: 1}, registry.RetireOptions{})
	_, err2 := s.reg.Compromise(ctx, me(), fingerprints.VersionRef{Name: "auth/signing-key", Number: 1})
	if err := errors.Join(err, err2); err != nil {
		s.t.Fatal(err)
	}
	s.later(90 * time.Minute)
	s.count()
	return out
}

// count counts for today, as a server does now and then.
func (s *site) count() {
	s.t.Helper()
	if err := s.reg.KeepDay(s.t.Context(), me()); err != nil {
		s.t.Fatal(err)
	}
}
