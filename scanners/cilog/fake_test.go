package cilog_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"revenant/scanners/cilog"
)

// fake is a project in memory: a system whose mark is the number of the last
// change that was listed.
type fake struct {
	mu      sync.Mutex
	runs    []*fakeRun
	changes int
	calls   map[string]int // by the method, and by what was opened
	fail    func(call, run string) error
}

type fakeRun struct {
	id      int
	attempt int
	going   bool
	changed int
	logs    []fakeLog
	expired bool
	deleted bool
}

type fakeLog struct {
	key, path, text string
	going           bool
	missing         error
}

var epoch = time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)

// start adds a run.
func (f *fake) start(id, attempt int, logs ...fakeLog) *fakeRun {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.changes++
	r := &fakeRun{id: id, attempt: attempt, changed: f.changes, logs: logs}
	f.runs = append([]*fakeRun{r}, f.runs...)
	return r
}

// change is told when a run is not what it was.
func (f *fake) change(r *fakeRun) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.changes++
	r.changed = f.changes
}

func (f *fake) call(ctx context.Context, call, run string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.calls == nil {
		f.calls = map[string]int{}
	}
	f.calls[call]++
	if call == "open" {
		f.calls["open "+run]++
	}
	if f.fail != nil {
		if err := f.fail(call, run); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// counts are the calls since it was asked last.
func (f *fake) counts() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := f.calls
	f.calls = nil
	return out
}

func (r *fakeRun) run() cilog.Run {
	return cilog.Run{
		ID: strconv.Itoa(r.id), Attempt: r.attempt, Going: r.going, Began: epoch.Add(time.Duration(r.id) * time.Minute),
		Changed: strconv.Itoa(r.changed), URL: fmt.Sprint("https://ci.example/runs/", r.id),
	}
}

// ID implements cilog.Project.
func (*fake) ID() string { return "ci:fake:ci.example/acme/shop" }

// Runs implements cilog.Project.
func (f *fake) Runs(ctx context.Context, q cilog.Query, yield func([]cilog.Run) bool) (string, error) {
	if err := f.call(ctx, "runs", ""); err != nil {
		return "", err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	since, _ := strconv.Atoi(q.Mark)
	var all []cilog.Run
	for _, r := range f.runs {
		run := r.run()
		if r.changed > since && !r.deleted && !run.Began.Before(q.Since) {
			all = append(all, run)
		}
	}
	for page := range slices.Chunk(all, 2) {
		if !yield(page) {
			break
		}
	}
	return strconv.Itoa(f.changes), nil
}

func (f *fake) find(r cilog.Run) *fakeRun {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, have := range f.runs {
		if strconv.Itoa(have.id) == r.ID && have.attempt == r.Attempt && !have.deleted {
			return have
		}
	}
	return nil
}

// Look implements cilog.Project.
func (f *fake) Look(ctx context.Context, r cilog.Run) (cilog.Run, error) {
	if err := f.call(ctx, "look", r.ID); err != nil {
		return r, err
	}
	have := f.find(r)
	if have == nil {
		return r, cilog.ErrDeleted
	}
	return have.run(), nil
}

// Logs implements cilog.Project.
func (f *fake) Logs(ctx context.Context, r cilog.Run) ([]cilog.Log, error) {
	if err := f.call(ctx, "logs", r.ID); err != nil {
		return nil, err
	}
	have := f.find(r)
	switch {
	case have == nil:
		return nil, cilog.ErrDeleted
	case have.expired:
		return nil, cilog.ErrExpired
	}
	var out []cilog.Log
	for _, l := range have.logs {
		out = append(out, cilog.Log{Key: l.key, Path: l.path, Part: "job " + l.key, URL: r.URL + "/" + l.key, LineURL: "#L", Size: int64(len(l.text)), Going: l.going, Missing: l.missing})
	}
	return out, nil
}

// Open implements cilog.Project.
func (f *fake) Open(ctx context.Context, r cilog.Run, l cilog.Log) (io.ReadCloser, error) {
	if err := f.call(ctx, "open", r.ID); err != nil {
		return nil, err
	}
	have := f.find(r)
	switch {
	case have == nil:
		return nil, cilog.ErrDeleted
	case have.expired:
		return nil, cilog.ErrExpired
	}
	for _, log := range have.logs {
		if log.key == l.Key {
			return io.NopCloser(strings.NewReader(log.text)), nil
		}
	}
	return nil, errors.New("no such log")
}

// Kept implements cilog.Project.
func (f *fake) Kept(ctx context.Context, r cilog.Run, _ []cilog.Log) error {
	if err := f.call(ctx, "kept", r.ID); err != nil {
		return err
	}
	have := f.find(r)
	switch {
	case have == nil:
		return cilog.ErrDeleted
	case have.expired:
		return cilog.ErrExpired
	}
	return nil
}

// Close implements cilog.Project.
func (*fake) Close() error { return nil }

// shelf is a memory.
type shelf struct {
	b     []byte
	saves int
	fail  error
}

func (s *shelf) Load() ([]byte, error) { return s.b, nil }

func (s *shelf) Save(b []byte) error {
	if s.fail != nil {
		return s.fail
	}
	s.b, s.saves = bytes.Clone(b), s.saves+1
	return nil
}

// full is a project of so many runs.
func full(n int) *fake {
	f := &fake{}
	rng := rand.New(rand.NewPCG(uint64(n), 1))
	for i := 1; i <= n; i++ {
		var logs []fakeLog
		for j := range 1 + rng.IntN(3) {
			logs = append(logs, fakeLog{key: fmt.Sprint(i*10 + j), path: fmt.Sprint("job", j), text: fmt.Sprint("text of run ", i, " job ", j)})
		}
		f.start(i, 1, logs...)
	}
	return f
}
