package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
	"revenant/ingest/watch"
)

func (s *server) watchRoutes() []route {
	const one = "/watches/{name}"
	return []route{
		{path: "/watches", scope: registry.ScopeRead, do: s.watches},
		{path: "/watches/new", scope: registry.ScopeAdmin, do: s.newWatch},
		{method: http.MethodPost, path: "/watches", scope: registry.ScopeAdmin, do: s.addWatch},
		{path: one, scope: registry.ScopeRead, do: s.watch},
		{method: http.MethodPost, path: one + "/scan", scope: registry.ScopeScan, do: s.scanWatch},
		{method: http.MethodPost, path: one + "/change", scope: registry.ScopeAdmin, do: s.changeWatch},
		{method: http.MethodPost, path: one + "/remove", scope: registry.ScopeAdmin, do: s.removeWatch},
	}
}

// watchList is a page of watches.
type watchList struct {
	Refused bool
	Failed  bool // those alone whose newest scan failed
	Rows    []watchRow
	Next    string
	First   string
}

func (s *server) watches(r *http.Request, a registry.Actor) (page, error) {
	p := page{name: "watches", title: "Watches", nav: "sources"}
	in := r.URL.Query()
	if refused, err := s.refuses(r, &p, in.Get("after"), in.Get("group")); refused || err != nil {
		p.data = watchList{Refused: true}
		return p, err
	}
	f, kept := store.WatchFilter{Parent: in.Get("group"), After: in.Get("after"), Limit: pageSize + 1}, url.Values{}
	if in.Get("outcome") == registry.WatchFailed {
		f.Outcome = registry.WatchFailed
		kept.Set("outcome", f.Outcome)
	}
	rows, err := s.watchRows(r, a, f)
	if err != nil {
		return p, err
	}
	if in.Get("group") != "" {
		kept.Set("group", in.Get("group"))
	}
	d := watchList{Rows: rows, Failed: f.Outcome != ""}
	if len(rows) > pageSize {
		d.Rows = rows[:pageSize]
		kept.Set("after", d.Rows[pageSize-1].Name)
		d.Next = "/watches?" + kept.Encode()
		kept.Del("after")
	}
	if in.Get("after") != "" {
		d.First = strings.TrimSuffix("/watches?"+kept.Encode(), "?")
	}
	p.data = d
	return p, nil
}

// watchPage is a watch, with the scan of it that is under way.
type watchPage struct {
	watchRow
	Members int // of a group
}

func (s *server) watch(r *http.Request, a registry.Actor) (page, error) {
	w, err := s.o.Registry.Watch(r.Context(), a, param(r, "name"))
	if err != nil {
		return page{}, err
	}
	rows, err := s.watchRows(r, a, store.WatchFilter{Source: w.SourceID, Parent: w.Parent})
	if err != nil {
		return page{}, err
	}
	d := watchPage{watchRow: watchRow{Watch: registry.WatchView(w)}}
	for _, x := range rows {
		if x.Name == w.Name {
			d.watchRow = x
		}
	}
	members, err := s.o.Registry.Watches(r.Context(), a, store.WatchFilter{Parent: w.Name})
	d.Members = len(members)
	return page{name: "watch", title: w.Name, nav: "sources", data: d}, err
}

// watchForm is what somebody wants watched, as they wrote it.
type watchForm struct {
	Name, Kind, Place, Args, Schedule, Credential string

	Kinds   []watchKind
	Problem string
}

// watchKind is a kind of place that can be watched.
type watchKind struct{ Word, What string }

func watchKinds() []watchKind {
	return []watchKind{
		{"git", "a repository: https://git.example.org/acme/shop.git"},
		{"dir", "a folder of the server's machine: /srv/notes"},
		{"image", "an image, a repository or a registry: registry.example.org/shop"},
		{"logs", "the logs of a CI system: https://git.example.org/acme/shop"},
		{"kafka", "topics: broker.example.org:9092"},
	}
}

func (s *server) newWatch(*http.Request, registry.Actor) (page, error) {
	return watchFormPage(watchForm{Kind: "git"})
}

func watchFormPage(f watchForm) (page, error) {
	f.Kinds = watchKinds()
	p := page{name: "watch-new", title: "Watch a place", nav: "sources", data: f}
	if f.Problem != "" {
		p.status = http.StatusUnprocessableEntity
	}
	return p, nil
}

// addWatch has a place watched; what cannot be read of the form comes back with it.
func (s *server) addWatch(r *http.Request, a registry.Actor) (page, error) {
	in := r.PostForm
	f := watchForm{Name: in.Get("name"), Kind: in.Get("kind"), Place: in.Get("place"), Args: in.Get("args"), Schedule: strings.TrimSpace(in.Get("schedule")), Credential: in.Get("credential")}
	if err := s.o.Refuse(r.Context(), f.Name, f.Kind, f.Place, f.Args, f.Schedule, f.Credential); err != nil {
		return page{}, err // a value is not repeated in the form
	}
	spec, err := s.specOf(f)
	if store.Away(err) || isValue(err) {
		return page{}, err
	}
	if err == nil {
		_, err = s.o.Registry.AddWatch(r.Context(), a, spec, watch.First(spec.Schedule, s.o.Now()))
	}
	if text, is := s.inputOf(err); is {
		f.Problem = text
		return watchFormPage(f)
	}
	if err != nil {
		return page{}, err
	}
	s.o.Wake()
	return done(at("watches", f.Name), "watched")
}

// specError is of a form of a watch that cannot be read; its text repeats nothing.
type specError struct{ error }

// Unwrap implements the interface of package errors.
func (e specError) Unwrap() error { return e.error }

// specOf reads what is to be watched.
func (s *server) specOf(f watchForm) (registry.WatchSpec, error) {
	if !slices.ContainsFunc(watchKinds(), func(k watchKind) bool { return k.Word == f.Kind }) {
		return registry.WatchSpec{}, badForm("kind", "choose one of the list")
	}
	if strings.TrimSpace(f.Place) == "" {
		return registry.WatchSpec{}, badForm("place", "say what is to be watched")
	}
	if _, err := watch.ParseSchedule(f.Schedule); err != nil {
		return registry.WatchSpec{}, badForm("schedule", err.Error())
	}
	scan := []string{f.Kind}
	for line := range strings.Lines(f.Args) {
		if arg := strings.TrimSpace(line); arg != "" {
			scan = append(scan, arg)
		}
	}
	spec, err := s.o.Spec(f.Name, append(scan, strings.TrimSpace(f.Place)), f.Schedule, strings.TrimSpace(f.Credential))
	if err != nil {
		err = specError{err}
	}
	return spec, err
}

// inputOf is what an error says of what somebody wrote; false: it says nothing of it.
func (s *server) inputOf(err error) (string, bool) {
	var bad *registry.InputError
	var spec specError
	switch {
	case errors.As(err, &bad):
		return sentence(bad.Input + ": " + bad.Way().Error()), true
	case errors.As(err, &spec):
		return sentence(spec.Error()), true
	}
	return "", false
}

// scanWatch asks for a scan before others.
func (s *server) scanWatch(r *http.Request, a registry.Actor) (page, error) {
	name := param(r, "name")
	if err := s.o.Registry.WantScan(r.Context(), a, name, registry.WantedAsked); err != nil {
		return page{}, err
	}
	s.o.Wake()
	return s.backTo(r, name, "asked")
}

// backTo is the page that a form came from, else the watch's.
func (s *server) backTo(r *http.Request, name, word string) (page, error) {
	if next := r.PostForm.Get("next"); next != "" {
		return done(local(next), word)
	}
	return done(at("watches", name), word)
}

// changeWatch pauses or resumes a watch, or sets when it is scanned.
func (s *server) changeWatch(r *http.Request, a registry.Actor) (page, error) {
	name, word := param(r, "name"), "saved"
	var c registry.WatchChange
	yes, no := true, false
	switch r.PostForm.Get("do") {
	case "pause":
		c.Paused, word = &yes, "paused"
	case "resume":
		c.Paused, word = &no, "resumed"
	default:
		text := strings.TrimSpace(r.PostForm.Get("schedule"))
		schedule, err := watch.ParseSchedule(text)
		if err != nil {
			return page{}, badForm("schedule", err.Error())
		}
		w, err := s.o.Registry.Watch(r.Context(), a, name)
		if err != nil {
			return page{}, err
		}
		if schedule.Follows() && w.Kind != "kafka" {
			return page{}, badForm("schedule", "topics alone can be followed")
		}
		c.Schedule = &text
	}
	_, err := s.o.Registry.ChangeWatch(r.Context(), a, name, c, func(w store.Watch) time.Time { return watch.NextAfterChange(w, s.o.Now()) })
	if err != nil {
		return page{}, err
	}
	s.o.Wake()
	return s.backTo(r, name, word)
}

// removeWatch ends a watch; what was found stays.
func (s *server) removeWatch(r *http.Request, a registry.Actor) (page, error) {
	if r.PostForm.Get("sure") == "" {
		return page{}, badForm("remove", "say that it is meant")
	}
	if _, err := s.o.Registry.RemoveWatch(r.Context(), a, param(r, "name")); err != nil {
		return page{}, err
	}
	return done("/watches", "removed")
}
