package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
)

// result is one registry, filled and measured.
type result struct {
	place, shape    string
	registered      time.Duration
	filled          []part
	again           part
	verdicts, reads []timing
	busy            timing // verdict changes while scans record
	findings        int
	size            int64
}

// part is a stretch of recording.
type part struct {
	sightings int
	took      time.Duration
	memory    int64 // resident at its end, in bytes
}

func (p part) rate() float64 { return float64(p.sightings) / p.took.Seconds() }

// timing is what somebody waits for: the command, and from its beginning until a
// reader has seen what it did.
type timing struct {
	what string
	took time.Duration
	seen time.Duration // 0: nothing to see
	note string
}

// tenths is how many parts the filling is told in.
const tenths = 10

func soak(ctx context.Context, o options, p place, s shape) (r result, err error) {
	at, err := p.fresh()
	if err != nil {
		return r, err
	}
	b, err := newBed(ctx, o, at, s)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, b.store.Close()) }()
	r = result{place: p.name, shape: s.name}
	if r.registered, err = b.register(ctx); err != nil {
		return r, fmt.Errorf("registering: %w", err)
	}
	if err := b.fill(ctx, &r); err != nil {
		return r, fmt.Errorf("filling: %w", err)
	}
	if r.reads, err = b.reads(ctx, &r); err != nil {
		return r, fmt.Errorf("reading: %w", err)
	}
	if r.verdicts, err = b.changes(ctx); err != nil {
		return r, fmt.Errorf("changing verdicts: %w", err)
	}
	if r.busy, err = b.whileRecording(ctx); err != nil {
		return r, fmt.Errorf("changing verdicts while scans record: %w", err)
	}
	r.size, err = p.size(ctx, at)
	return r, err
}

// fill scans every source once, and a few of them again.
func (b *bed) fill(ctx context.Context, r *result) error {
	m, err := b.reg.Meta(ctx, b.actor)
	if err != nil {
		return err
	}
	record := func(from, to int) (part, error) {
		began := time.Now()
		for n := from; n < to; n++ {
			if err := b.scan(ctx, n, m); err != nil {
				return part{}, err
			}
		}
		p := part{sightings: (to - from) * b.perSource(), took: time.Since(began)}
		var err error
		p.memory, err = resident()
		fmt.Printf("%s, %s: sources %d to %d: %.0f sightings a second, %d MB\n", r.place, r.shape, from, to, p.rate(), p.memory/1e6)
		return p, err
	}
	for i := range tenths {
		from, to := i*b.o.sources/tenths, (i+1)*b.o.sources/tenths
		if from == to {
			continue
		}
		p, err := record(from, to)
		if err != nil {
			return err
		}
		r.filled = append(r.filled, p)
	}
	r.again, err = record(0, max(1, b.o.sources/tenths))
	return err
}

// timed measures one call.
func timed(what string, fn func() (note string, err error)) (timing, error) {
	began := time.Now()
	note, err := fn()
	if err != nil {
		return timing{}, fmt.Errorf("%s: %w", what, err)
	}
	return timing{what: what, took: time.Since(began), note: note}, nil
}

// reads measures what people look at.
func (b *bed) reads(ctx context.Context, r *result) ([]timing, error) {
	page := func(f store.FindingFilter) func() (string, error) {
		return func() (string, error) {
			f.Limit = 50
			list, err := b.reg.Findings(ctx, b.actor, f)
			return fmt.Sprint(len(list), " findings"), err
		}
	}
	ref := fingerprints.VersionRef{Name: common, Number: 1}
	var out []timing
	for _, c := range []struct {
		what string
		fn   func() (string, error)
	}{
		{"first page of findings", page(store.FindingFilter{})},
		{"of one source", page(store.FindingFilter{SourceID: sourceID(b.o.sources / 2)})},
		{"of the common secret", page(store.FindingFilter{Secret: common})},
		{"of another secret", page(store.FindingFilter{Secret: b.values[1].name})},
		{"with verdict `leaked`", page(store.FindingFilter{Verdicts: []fingerprints.Verdict{fingerprints.VerdictLeaked}})},
		{"with verdict `stale`, of which there are none", page(store.FindingFilter{Verdicts: []fingerprints.Verdict{fingerprints.VerdictStale}})},
		{"status: everything counted, as for metrics", func() (string, error) {
			st, err := b.reg.Status(ctx, b.actor)
			for _, n := range st.Findings {
				r.findings += n
			}
			return fmt.Sprint(r.findings, " findings"), err
		}},
		{"secrets, all", func() (string, error) {
			list, err := b.reg.List(ctx, b.actor, registry.ListFilter{})
			return fmt.Sprint(len(list), " secrets"), err
		}},
		{"sources, all, with their verdicts", func() (string, error) {
			list, err := b.reg.Sources(ctx, b.actor)
			return fmt.Sprint(len(list), " sources"), err
		}},
		{"the common secret with all of its versions", func() (string, error) {
			v, err := b.reg.Show(ctx, b.actor, common)
			return fmt.Sprint(len(v.Versions), " version"), err
		}},
		{"coverage of a version", func() (string, error) {
			c, err := b.reg.Coverage(ctx, b.actor, ref)
			return fmt.Sprint(len(c.Sources), " sources"), err
		}},
		{"doctor", func() (string, error) {
			list, err := b.reg.Doctor(ctx, b.actor, registry.DoctorOptions{})
			return fmt.Sprint(len(list), " checks"), err
		}},
		{"audit verify", func() (string, error) {
			a, err := b.reg.VerifyAudit(ctx, b.actor, nil)
			return fmt.Sprint(a.Records, " records"), err
		}},
		{"pack for the workers", func() (string, error) {
			var size counter
			info, err := b.reg.BuildPack(ctx, b.actor, registry.PackRequest{Audience: fingerprints.AudienceCore}, &size)
			return fmt.Sprintf("%d fields, %.1f MB", info.Fields, float64(size)/1e6), err
		}},
	} {
		t, err := timed(c.what, c.fn)
		if err != nil {
			return nil, err
		}
		fmt.Printf("%s, %s: %s: %v\n", r.place, r.shape, t.what, t.took.Round(time.Millisecond))
		out = append(out, t)
	}
	return out, nil
}

// counter counts what is written.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

var _ io.Writer = (*counter)(nil)

// step is a command, and the verdict that a reader waits for; empty: none.
type step struct {
	what string
	want fingerprints.Verdict
	fn   func() (string, error)
}

// homes are the steps that allow places, and take that back.
func (b *bed) homes(ctx context.Context) []step {
	var home, narrow int64
	allow := func(id *int64, path string) (string, error) {
		out, err := b.reg.Allow(ctx, b.actor, registry.AllowRequest{Name: common, Path: path, Reason: "measured"})
		if err != nil {
			return "", err
		}
		*id = out.Home.ID
		return total(out.Verdicts)
	}
	unallow := func(id *int64) (string, error) {
		out, err := b.reg.Unallow(ctx, b.actor, common, *id)
		if err != nil {
			return "", err
		}
		return total(out.Verdicts)
	}
	return []step{
		{"`allow`, every path", fingerprints.VerdictAllowed, func() (string, error) { return allow(&home, "") }},
		{"`unallow` of it", fingerprints.VerdictLeaked, func() (string, error) { return unallow(&home) }},
		{"`allow`, a tenth of the paths", "", func() (string, error) { return allow(&narrow, "services/module-00*/**") }},
		{"`unallow` of that", fingerprints.VerdictLeaked, func() (string, error) { return unallow(&narrow) }},
	}
}

// total is how many verdicts changed.
func total(list []registry.VerdictChange) (string, error) {
	n := 0
	for _, v := range list {
		n += v.Count
	}
	return fmt.Sprint(n), nil
}

func moved(c registry.Changed, err error) (string, error) {
	if err != nil {
		return "", err
	}
	return total(c.Verdicts)
}

// lives are the steps of versions' lives.
func (b *bed) lives(ctx context.Context) []step {
	first := fingerprints.VersionRef{Name: common, Number: 1}
	generic := fmt.Sprintf("unregistered-%032d", b.perSource()-1)
	return []step{
		{"`rotate`", fingerprints.VerdictLagging, func() (string, error) {
			r, err := b.reg.Rotate(ctx, b.actor, registry.RotateRequest{Name: common, Fields: fields(b.value()), Window: time.Hour})
			if err != nil {
				return "", err
			}
			return total(r.Verdicts)
		}},
		{"`activate`: back", fingerprints.VerdictLeaked, func() (string, error) {
			return moved(b.reg.Activate(ctx, b.actor, first, registry.ActivateOptions{}))
		}},
		{"`supersede`", fingerprints.VerdictLagging, func() (string, error) {
			return moved(b.reg.Supersede(ctx, b.actor, first, registry.SupersedeOptions{Window: time.Hour}))
		}},
		{"`retire`", fingerprints.VerdictStale, func() (string, error) {
			return moved(b.reg.Retire(ctx, b.actor, first, registry.RetireOptions{NoSuccessor: true}))
		}},
		{"`compromise`", fingerprints.VerdictCompromised, func() (string, error) { return moved(b.reg.Compromise(ctx, b.actor, first)) }},
		{"`secret add` of a value that was seen", "", func() (string, error) {
			r, err := b.reg.Add(ctx, b.actor, registry.AddRequest{Name: "late/value", Fields: fields(generic)})
			if err != nil {
				return "", err
			}
			return total(r.Verdicts)
		}},
		{"`secret import` of one value", "", func() (string, error) {
			done := false
			_, err := b.reg.Import(ctx, b.actor, func() (registry.ImportRecord, error) {
				if done {
					return registry.ImportRecord{}, io.EOF
				}
				done = true
				return registry.ImportRecord{Name: "late/other", Fields: fields(b.value())}, nil
			}, registry.ImportOptions{})
			return "0", err
		}},
	}
}

// changes measures commands that change verdicts, and when a reader sees it.
func (b *bed) changes(ctx context.Context) ([]timing, error) {
	var out []timing
	for _, c := range append(b.homes(ctx), b.lives(ctx)...) {
		feed, err := b.reg.FeedEnd(ctx, b.actor)
		if err != nil {
			return nil, err
		}
		began, saw := time.Now(), make(chan error, 1)
		var seen time.Duration
		if c.want == "" {
			saw <- nil
		} else {
			go func() {
				err := b.watch(ctx, c.want, feed)
				seen = time.Since(began)
				saw <- err
			}()
		}
		t, err := timed(c.what, c.fn)
		if err = errors.Join(err, <-saw); err != nil {
			return nil, fmt.Errorf("%s: %w", c.what, err)
		}
		t.seen = seen
		fmt.Printf("%s: %v, seen after %v, %s verdicts\n", t.what, t.took.Round(time.Millisecond), t.seen.Round(time.Millisecond), t.note)
		out = append(out, t)
	}
	return out, nil
}

// longestWatch is how long a reader waits for a verdict.
const longestWatch = 10 * time.Minute

// watch looks again and again until a reader sees a verdict of the common secret's
// in three places: a page of findings, their counts, the feed.
func (b *bed) watch(ctx context.Context, want fingerprints.Verdict, feed registry.FeedPosition) error {
	ctx, cancel := context.WithTimeout(ctx, longestWatch)
	defer cancel()
	for _, sees := range []func() (bool, error){
		func() (bool, error) {
			list, err := b.reg.Findings(ctx, b.actor, store.FindingFilter{Secret: common, Limit: 50})
			return len(list) > 0 && !slices.ContainsFunc(list, func(f registry.Finding) bool { return f.Verdict != want }), err
		},
		func() (bool, error) {
			counts, err := b.reg.Verdicts(ctx, b.actor, store.FindingFilter{Secret: common})
			return len(counts) == 1 && counts[want] > 0, err
		},
		func() (bool, error) {
			page, err := b.reg.Changes(ctx, b.actor, feed, 50)
			return slices.ContainsFunc(page.Findings, func(f registry.FeedFinding) bool { return f.Verdict == want }), err
		},
	} {
		for {
			is, err := sees()
			if err != nil {
				return fmt.Errorf("waiting until the findings are %s: %w", want, err)
			}
			if is {
				break
			}
			time.Sleep(time.Millisecond) // there is nothing to wait for but another answer
		}
	}
	return nil
}

// busyChanges is how many verdict changes are made while scans record.
const busyChanges = 20

// whileRecording changes the state of a version again and again while a scan
// records as fast as it can: both want the one lock for writing.
func (b *bed) whileRecording(ctx context.Context) (timing, error) {
	m, err := b.reg.Meta(ctx, b.actor)
	if err != nil {
		return timing{}, err
	}
	scanning, stop := context.WithCancel(ctx)
	failed := make(chan error, 1)
	go func() {
		for n := 0; ; n++ {
			if err := b.scan(scanning, n%b.o.sources, m); err != nil {
				if scanning.Err() != nil {
					err = nil
				}
				failed <- err
				return
			}
		}
	}()
	var took []time.Duration
	for n := range busyChanges {
		v := fingerprints.VersionRef{Name: b.values[1+3*n%(len(b.values)-1)].name, Number: 1}
		t, err := timed("compromise", func() (string, error) {
			_, err := b.reg.Compromise(ctx, b.actor, v)
			return "", err
		})
		if err != nil {
			stop()
			return timing{}, errors.Join(err, <-failed)
		}
		took = append(took, t.took)
	}
	stop()
	slices.Sort(took)
	return timing{what: "busy", took: took[len(took)/2], seen: took[len(took)-1]}, <-failed
}
