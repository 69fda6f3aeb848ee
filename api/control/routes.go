package control

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
	"revenant/ingest/jobs"
	"revenant/ingest/watch"
)

// Watch is a watch as the API tells it.
type Watch struct {
	Name       string          `json:"name"`
	Kind       string          `json:"kind"`
	Location   string          `json:"location,omitempty"`
	Options    json.RawMessage `json:"options,omitempty"`
	Schedule   string          `json:"schedule,omitempty"`
	Credential string          `json:"credential,omitempty"` // where it lies
	Group      string          `json:"group,omitempty"`
	Paused     bool            `json:"paused"`
	Source     string          `json:"source,omitempty"`
	Outcome    string          `json:"outcome,omitempty"` // complete, incomplete, failed, following
	Problem    string          `json:"problem,omitempty"`
	Failures   int             `json:"failures,omitempty"`
	AddedAt    time.Time       `json:"added_at"`
	QueuedAt   time.Time       `json:"queued_at,omitzero"`
	StartedAt  time.Time       `json:"started_at,omitzero"`
	FinishedAt time.Time       `json:"finished_at,omitzero"`
	NextRun    time.Time       `json:"next_run,omitzero"`
	// FieldRevision is the newest registered field that was searched for.
	FieldRevision uint64 `json:"field_revision"`
}

func watchOf(w store.Watch) Watch {
	return Watch{
		Name: w.Name, Kind: w.Kind, Location: w.Location, Options: w.Options, Schedule: w.Schedule, Credential: w.Credential, Group: w.Parent,
		Paused: w.Paused, Source: w.SourceID, Outcome: w.Outcome, Problem: w.Problem, Failures: w.Failures, AddedAt: w.AddedAt, QueuedAt: w.QueuedAt,
		StartedAt: w.StartedAt, FinishedAt: w.FinishedAt, NextRun: w.NextRun, FieldRevision: w.FieldRevision,
	}
}

// Status is how a server does.
type Status struct {
	Registry registry.Status     `json:"registry"`
	Watches  map[string]int      `json:"watches"` // by outcome, "new" without a scan
	Behind   int                 `json:"behind"`  // watches that were not searched for the newest values
	Waiting  map[jobs.Reason]int `json:"waiting"`
	Running  map[jobs.Reason]int `json:"running"`
	Workers  int                 `json:"workers"`
	Streams  []Stream            `json:"streams,omitempty"` // watches that are followed
}

func (s *server) status(w http.ResponseWriter, r *http.Request) {
	st, err := StatusOf(r.Context(), s.o.Registry, s.o.Actor, s.o.Queue)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	answer(w, http.StatusOK, st)
}

func (s *server) workers(w http.ResponseWriter, r *http.Request) {
	list, err := s.o.Registry.Workers(r.Context(), s.o.Actor)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	type worker struct {
		ID        string             `json:"id"`
		Host      string             `json:"host"`
		Version   string             `json:"version"`
		StartedAt time.Time          `json:"started_at"`
		SeenAt    time.Time          `json:"seen_at"`
		Slots     int                `json:"slots"`
		Scans     []store.WorkerScan `json:"scans,omitempty"` // under way when it was seen
	}
	out := []worker{}
	for _, x := range list {
		out = append(out, worker(x))
	}
	answer(w, http.StatusOK, map[string]any{"workers": out})
}

func (s *server) coverage(w http.ResponseWriter, r *http.Request) {
	ref, err := fingerprints.ParseRef(r.URL.Query().Get("version"))
	if err != nil {
		problem(w, http.StatusUnprocessableEntity, "version is NAME@N.")
		return
	}
	c, err := s.o.Registry.Coverage(r.Context(), s.o.Actor, ref)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	answer(w, http.StatusOK, c)
}

// maxPage bounds a page of a list.
const maxPage = 1000

func (s *server) watches(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	limit := 100
	if text := q.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxPage {
			problem(w, http.StatusUnprocessableEntity, "limit is a number from 1 to 1000.")
			return
		}
		limit = n
	}
	list, err := s.o.Registry.Watches(r.Context(), s.o.Actor, store.WatchFilter{After: q.Get("after"), Parent: q.Get("group"), Source: q.Get("source"), Limit: limit + 1})
	if err != nil {
		s.failed(w, r, err)
		return
	}
	out := struct {
		Watches []Watch `json:"watches"`
		Next    string  `json:"next,omitempty"` // of after, for the next page
	}{Watches: []Watch{}}
	for i, x := range list {
		if i == limit {
			out.Next = list[i-1].Name
			break
		}
		out.Watches = append(out.Watches, watchOf(x))
	}
	answer(w, http.StatusOK, out)
}

func (s *server) watch(w http.ResponseWriter, r *http.Request) {
	x, err := s.o.Registry.Watch(r.Context(), s.o.Actor, r.URL.Query().Get("name"))
	if err != nil {
		s.failed(w, r, err)
		return
	}
	answer(w, http.StatusOK, watchOf(x))
}

func (s *server) addWatch(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Name       string   `json:"name"`
		Scan       []string `json:"scan"`
		Schedule   string   `json:"schedule"`
		Credential string   `json:"credential"`
	}
	if !body(w, r, &in) {
		return
	}
	if _, err := watch.ParseSchedule(in.Schedule); err != nil {
		problem(w, http.StatusUnprocessableEntity, "schedule: "+err.Error())
		return
	}
	spec, err := s.o.Spec(in.Name, in.Scan, in.Schedule, in.Credential)
	if store.Away(err) {
		s.failed(w, r, err)
		return
	}
	if err != nil {
		problem(w, http.StatusUnprocessableEntity, err.Error())
		return
	}
	x, err := s.o.Registry.AddWatch(r.Context(), s.o.Actor, spec, watch.First(spec.Schedule, s.o.Now()))
	if err != nil {
		s.failed(w, r, err)
		return
	}
	s.o.Wake()
	answer(w, http.StatusCreated, watchOf(x))
}

func (s *server) removeWatch(w http.ResponseWriter, r *http.Request) {
	n, err := s.o.Registry.RemoveWatch(r.Context(), s.o.Actor, r.URL.Query().Get("name"))
	if err != nil {
		s.failed(w, r, err)
		return
	}
	answer(w, http.StatusOK, map[string]int{"removed": n + 1})
}

func (s *server) scan(w http.ResponseWriter, r *http.Request) {
	if err := s.o.Registry.WantScan(r.Context(), s.o.Actor, r.URL.Query().Get("name"), registry.WantedAsked); err != nil {
		s.failed(w, r, err)
		return
	}
	s.o.Wake()
	answer(w, http.StatusAccepted, map[string]bool{"wanted": true})
}

func (s *server) pause(paused bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		x, err := s.o.Registry.ChangeWatch(r.Context(), s.o.Actor, r.URL.Query().Get("name"), registry.WatchChange{Paused: &paused}, func(x store.Watch) time.Time {
			return watch.NextAfterChange(x, s.o.Now())
		})
		if err != nil {
			s.failed(w, r, err)
			return
		}
		s.o.Wake()
		answer(w, http.StatusOK, watchOf(x))
	}
}
