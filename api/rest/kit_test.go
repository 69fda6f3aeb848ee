package rest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"revenant/api/rest"
	"revenant/fingerprints"
	"revenant/fingerprints/keys"
	"revenant/fingerprints/registration"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
	"revenant/fingerprints/store/postgrestest"
	"revenant/fingerprints/store/sqlstore"
	"revenant/ingest/jobs"
	"revenant/ingest/search"
)

// kit is an API over a registry in a file.
type kit struct {
	t     *testing.T
	reg   *registry.Registry
	store store.Store
	ring  *keys.Ring
	now   time.Time
	rand  *rand.ChaCha8
	h     http.Handler
	logs  bytes.Buffer
	said  bytes.Buffer // every answer

	// What a test may change: what is refused as a registered value, and what
	// a watch is refused for.
	refused   string
	redacted  int
	searching search.Options
	spec      error
}

const master = "rvct_master"

func newKit(t *testing.T) *kit {
	t.Helper()
	return newKitAt(t, filepath.Join(t.TempDir(), "registry.db"))
}

// lookUpsOfADay is how many an actor has at a kit's API.
const lookUpsOfADay = 8

// newKitAt is one over a registry in a file or a database. The changes are of what the
// API stands on.
func newKitAt(t *testing.T, place string, changes ...func(*rest.Options)) *kit {
	t.Helper()
	var seed [32]byte
	copy(seed[:], t.Name())
	k := &kit{t: t, now: time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC), rand: rand.NewChaCha8(seed)}
	st, err := sqlstore.Open(t.Context(), place, sqlstore.Options{Access: sqlstore.CreateIfMissing})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	k.store = st
	if k.ring, err = keys.NewRing(k.rand, k.now); err != nil {
		t.Fatal(err)
	}
	if k.reg, err = registry.New(registry.Options{Store: st, Ring: k.ring, Now: func() time.Time { return k.now }, Rand: k.rand}); err != nil {
		t.Fatal(err)
	}
	if _, err := k.reg.Init(t.Context(), me()); err != nil {
		t.Fatal(err)
	}
	queue, err := jobs.Open(t.Context(), filepath.Join(t.TempDir(), "jobs.db"), jobs.Options{Worker: "w", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = queue.Close() })
	k.searching = search.Options{Registry: k.reg, Actor: me(), Now: func() time.Time { return k.now }}
	r := chi.NewRouter()
	o := rest.Options{
		LookUps:  lookUpsOfADay,
		Registry: k.reg, Queue: queue, Owner: registry.Local("api"), Token: fingerprints.NewValue([]byte(master)),
		Spec: func(name string, scan []string, schedule, credential string) (registry.WatchSpec, error) {
			return registry.WatchSpec{Name: name, Kind: "dir", Location: "/srv", Schedule: schedule, Credential: credential}, k.spec
		},
		Refuse: func(_ context.Context, texts ...string) error {
			if k.refused != "" && strings.Contains(strings.Join(texts, "\n"), k.refused) {
				return registry.ErrValueInName
			}
			return nil
		},
		Redact: func(context.Context, registry.Actor, registry.Scope) (int, error) { return k.redacted, nil },
		Search: func() *search.Index { return search.Store(k.searching) },
		Wake:   func() {}, Now: func() time.Time { return k.now }, Log: slog.New(slog.NewTextHandler(&k.logs, nil)),
	}
	for _, change := range changes {
		change(&o)
	}
	rest.Mount(r, o)
	k.h = r
	return k
}

// onBoth does something with a kit on each kind of database.
func onBoth(t *testing.T, do func(*testing.T, *kit)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { do(t, newKit(t)) })
	t.Run("postgres", func(t *testing.T) {
		if testing.Short() { // the race detector, which runs the short ones, sees the same code with SQLite
			return
		}
		do(t, newKitAt(t, postgrestest.Start(t, postgrestest.Options{}).Schema(t)))
	})
}

func me() registry.Actor { return registry.Local("me") }

// text is a random value of letters and digits.
func (k *kit) text(n int) string {
	const alnum = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	r := rand.New(k.rand)
	b := make([]byte, n)
	for i := range b {
		b[i] = alnum[r.IntN(len(alnum))]
	}
	return string(b)
}

// add registers a value, and returns the row of its field.
func (k *kit) add(name, value string) []fingerprints.RowID {
	k.t.Helper()
	_, err := k.reg.Add(k.t.Context(), me(), registry.AddRequest{Name: name, Owner: "payments", Fields: []registry.Field{{Value: fingerprints.NewValue([]byte(value))}}})
	if err != nil {
		k.t.Fatal(err)
	}
	return k.rowsOf(name)
}

// found records where a value was found; rows are the fields that have it.
func (k *kit) found(source, path, value string, rows ...fingerprints.RowID) fingerprints.FindingID {
	k.t.Helper()
	aud, ok := registration.IdentityAudience([]byte(value))
	if !ok {
		k.t.Fatal("the test's value is too weak to have an id")
	}
	key := k.ring.Identity(aud)
	v, p := key.ValueID([]byte(value)), key.PathID([]byte(path))
	o := store.Observed{
		FindingID: key.FindingID(v, source, p), Value: v, Rows: rows, SourceID: source, Path: path, PathID: p,
		Sighting: fingerprints.Sighting{Start: 10, End: 10 + int64(len(value)), Line: 2, Form: fingerprints.FormRaw, Presence: fingerprints.PresenceTip},
	}
	if len(rows) == 0 {
		o.Sighting.Rule = "generic-api-key"
	}
	st, err := k.reg.Status(k.t.Context(), me())
	if err != nil {
		k.t.Fatal(err)
	}
	s, err := k.reg.BeginScan(k.t.Context(), me(), registry.ScanStart{SourceID: source, PackRevision: st.PackRevision, FieldRevision: st.FieldRevision})
	if err != nil {
		k.t.Fatal(err)
	}
	if _, err := s.Record(k.t.Context(), []registry.Observation{{Observed: o, RawPath: path}}); err != nil {
		k.t.Fatal(err)
	}
	if _, err := s.Finish(k.t.Context(), registry.Outcome{Complete: true}); err != nil {
		k.t.Fatal(err)
	}
	return o.FindingID
}

// token makes a token with scopes.
func (k *kit) token(scopes ...registry.Scope) string {
	k.t.Helper()
	_, shown, err := k.reg.AddToken(k.t.Context(), me(), registry.TokenRequest{Name: "t" + k.text(12), Scopes: scopes})
	if err != nil {
		k.t.Fatal(err)
	}
	return string(shown.Reveal())
}

// ask sends a request; a body that is no string is sent as JSON.
func (k *kit) ask(token, method, path string, body any) *httptest.ResponseRecorder {
	k.t.Helper()
	text, is := body.(string)
	if !is && body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			k.t.Fatal(err)
		}
		text = string(b)
	}
	r := httptest.NewRequestWithContext(k.t.Context(), method, path, strings.NewReader(text))
	if text != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	k.h.ServeHTTP(w, r)
	k.said.Write(w.Body.Bytes())
	for name, values := range w.Header() {
		k.said.WriteString(name + strings.Join(values, " "))
	}
	return w
}

// must asks as the owner and reads the answer.
func (k *kit) must(status int, method, path string, body, into any) {
	k.t.Helper()
	w := k.ask(master, method, path, body)
	if w.Code != status {
		k.t.Fatalf("%s %s: %d, want %d: %s", method, path, w.Code, status, w.Body)
	}
	if into != nil {
		if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
			k.t.Fatalf("%s %s: %v", method, path, err)
		}
	}
}
