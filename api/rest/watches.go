package rest

import (
	"context"
	"errors"
	"net/http"
	"time"

	"revenant/api/control"
	"revenant/api/wire"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
	"revenant/ingest/credential"
	"revenant/ingest/watch"
)

// WatchName names a watch.
type WatchName struct {
	Name string `path:"name" minLength:"1" maxLength:"200" doc:"The watch's name; a slash is sent as %2F."`
}

type watchOut struct{ Body wire.Watch }

func (s *server) watchRoutes() {
	type watchPage struct {
		Body struct {
			Watches []wire.Watch `json:"watches" nullable:"false"`
			Next    string       `json:"next,omitempty" doc:"Of after, for the next page; absent on the last."`
		}
	}
	type listIn struct {
		Page
		Group  string `query:"group" maxLength:"200" doc:"Members of this group."`
		Source string `query:"source" maxLength:"2048" doc:"Those that scan this source."`
	}
	add(s, route{id: "list-watches", method: http.MethodGet, path: "/watches", scope: registry.ScopeRead, summary: "What is watched, in order of name"},
		func(ctx context.Context, a registry.Actor, in *listIn) (*watchPage, error) {
			all, err := s.o.Registry.Watches(ctx, a, store.WatchFilter{After: in.After, Parent: in.Group, Source: in.Source, Limit: in.Limit + 1})
			rows, next := paged(all, in.Limit, func(w store.Watch) string { return w.Name })
			out := &watchPage{}
			out.Body.Watches, out.Body.Next = []wire.Watch{}, next
			for _, w := range rows {
				out.Body.Watches = append(out.Body.Watches, registry.WatchView(w))
			}
			return out, err
		})
	add(s, route{id: "get-watch", method: http.MethodGet, path: "/watches/{name}", scope: registry.ScopeRead, summary: "A watch, and how its last scan ended"},
		func(ctx context.Context, a registry.Actor, in *WatchName) (*tagged[wire.Watch], error) {
			w, err := s.o.Registry.Watch(ctx, a, in.Name)
			return withTag(registry.WatchView(w), err)
		})
	s.watchChanges()
	s.stateRoutes()
}

// watchChanges are the operations that change what is watched.
func (s *server) watchChanges() {
	type watchRequest struct {
		Body struct {
			Name       string   `json:"name" minLength:"1" maxLength:"200"`
			Scan       []string `json:"scan" minItems:"1" maxItems:"200" nullable:"false" doc:"A scanning command and its arguments; paths are absolute, and the server's."`
			Schedule   string   `json:"schedule,omitempty" maxLength:"256" doc:"A duration, cron's fields, or, of topics, follow; without it on demand alone."`
			Credential string   `json:"credential,omitempty" maxLength:"2048" doc:"Where it lies: env:NAME, file:PATH or command:LINE."`
		}
	}
	add(s, route{id: "add-watch", method: http.MethodPost, path: "/watches", scope: registry.ScopeAdmin, status: http.StatusCreated, summary: "Watch something"},
		func(ctx context.Context, a registry.Actor, in *watchRequest) (*watchOut, error) {
			if _, err := watch.ParseSchedule(in.Body.Schedule); err != nil {
				return nil, invalidAt("/schedule", err)
			}
			spec, err := s.o.Spec(in.Body.Name, in.Body.Scan, in.Body.Schedule, in.Body.Credential)
			if store.Away(err) {
				return nil, err
			}
			if err != nil {
				return nil, invalidAt("/scan", err)
			}
			w, err := s.o.Registry.AddWatch(ctx, a, spec, watch.First(spec.Schedule, s.o.Now()))
			if err == nil {
				s.o.Wake()
			}
			return &watchOut{registry.WatchView(w)}, err
		})
	type watchChangeRequest struct {
		WatchName
		Body struct {
			Paused     *bool   `json:"paused,omitempty"`
			Schedule   *string `json:"schedule,omitempty" maxLength:"256" doc:"A duration, cron's fields, or, of topics, follow; empty: on demand alone."`
			Credential *string `json:"credential,omitempty" maxLength:"2048" doc:"Where it lies: env:NAME, file:PATH or command:LINE; empty: none is needed."`
		}
	}
	add(s, route{id: "change-watch", method: http.MethodPatch, path: "/watches/{name}", scope: registry.ScopeAdmin, summary: "Change when a watch is scanned, or where its credential lies", long: "What is left out stays as it is."},
		func(ctx context.Context, a registry.Actor, in *watchChangeRequest) (*watchOut, error) {
			change := registry.WatchChange(in.Body)
			if err := s.checkChange(ctx, a, in.Name, change); err != nil {
				return nil, err
			}
			w, err := s.changeWatch(ctx, a, in.Name, change)
			return &watchOut{registry.WatchView(w)}, err
		})
	type removedAnswer struct {
		Body struct {
			Removed int `json:"removed" doc:"It, and of a group its members."`
		}
	}
	add(s, route{id: "remove-watch", method: http.MethodDelete, path: "/watches/{name}", scope: registry.ScopeAdmin, summary: "Watch it no longer; findings stay"},
		func(ctx context.Context, a registry.Actor, in *WatchName) (*removedAnswer, error) {
			n, err := s.o.Registry.RemoveWatch(ctx, a, in.Name)
			out := &removedAnswer{}
			out.Body.Removed = n + 1
			return out, err
		})
	type wantedAnswer struct {
		Body struct {
			Wanted bool `json:"wanted"`
		}
	}
	add(s, route{id: "scan-watch", method: http.MethodPost, path: "/watches/{name}/scan", scope: registry.ScopeScan, status: http.StatusAccepted, summary: "Scan it before others"},
		func(ctx context.Context, a registry.Actor, in *WatchName) (*wantedAnswer, error) {
			err := s.o.Registry.WantScan(ctx, a, in.Name, registry.WantedAsked)
			if err == nil {
				s.o.Wake()
			}
			out := &wantedAnswer{}
			out.Body.Wanted = true
			return out, err
		})
	for word, paused := range map[string]bool{"pause": true, "resume": false} {
		add(s, route{id: word + "-watch", method: http.MethodPost, path: "/watches/{name}/" + word, scope: registry.ScopeAdmin, summary: map[bool]string{true: "Scan it no more until it is resumed", false: "Scan it again"}[paused]},
			func(ctx context.Context, a registry.Actor, in *WatchName) (*watchOut, error) {
				w, err := s.changeWatch(ctx, a, in.Name, registry.WatchChange{Paused: &paused})
				return &watchOut{registry.WatchView(w)}, err
			})
	}
}

// checkChange refuses a change that no watch, or not this one, can have.
func (s *server) checkChange(ctx context.Context, a registry.Actor, name string, w registry.WatchChange) error {
	if w.Schedule != nil {
		if _, err := watch.ParseSchedule(*w.Schedule); err != nil {
			return invalidAt("/schedule", err)
		}
		known, err := s.o.Registry.Watch(ctx, a, name)
		if err != nil {
			return err
		}
		if *w.Schedule == registry.ScheduleFollow && known.Kind != "kafka" {
			return invalidAt("/schedule", errors.New("follow is for topics of kafka"))
		}
	}
	if w.Credential == nil || *w.Credential == "" {
		return nil
	}
	if _, err := credential.Parse(*w.Credential); err != nil {
		return invalidAt("/credential", err)
	}
	return s.o.Refuse(ctx, *w.Credential)
}

func (s *server) changeWatch(ctx context.Context, a registry.Actor, name string, change registry.WatchChange) (store.Watch, error) {
	w, err := s.o.Registry.ChangeWatch(ctx, a, name, change, func(w store.Watch) time.Time { return watch.NextAfterChange(w, s.o.Now()) })
	if err == nil {
		s.o.Wake()
	}
	return w, err
}

// invalidAt is for a place of the body, with an error that repeats nothing.
func invalidAt(pointer string, err error) *problem {
	p := newProblem(http.StatusUnprocessableEntity, "invalid", "Something that was sent is not valid.")
	p.Errors = []wire.ProblemAt{{Pointer: pointer, Detail: err.Error()}}
	return p
}

func (s *server) stateRoutes() {
	type status struct{ Body control.Status }
	add(s, route{id: "get-status", method: http.MethodGet, path: "/status", scope: registry.ScopeRead, summary: "The registry and the server in numbers"},
		func(ctx context.Context, a registry.Actor, _ *struct{}) (*status, error) {
			st, err := control.StatusOf(ctx, s.o.Registry, a, s.o.Queue)
			return &status{st}, err
		})
	type workerPage struct {
		Body struct {
			Workers []wire.Worker `json:"workers" nullable:"false"`
		}
	}
	add(s, route{id: "list-workers", method: http.MethodGet, path: "/workers", scope: registry.ScopeRead, summary: "Processes that scan, and what is under way"},
		func(ctx context.Context, a registry.Actor, _ *struct{}) (*workerPage, error) {
			all, err := s.o.Registry.Workers(ctx, a)
			out := &workerPage{}
			out.Body.Workers = []wire.Worker{}
			for _, w := range all {
				out.Body.Workers = append(out.Body.Workers, wire.Worker(w))
			}
			return out, err
		})
}
