package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"time"

	"revenant/api/client"
	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/store"
	"revenant/ingest/scan"
)

// tellWithin is for how long a pipeline waits for a server, in all.
const tellWithin = 20 * time.Second

// teller tells a server what scans here found. A hook only notes it, and a process
// of its own tells it later; a pipeline that cannot tell goes on.
type teller struct {
	a       *app
	eye     *eye
	send    func(ctx context.Context, r wire.ScanResults) error
	lenient bool  // the scan goes on when the server does not answer
	failed  error // the first error, where it is lenient
	noted   *outbox
}

// newTeller returns who tells the server that is named; nil where none is, or where
// nothing is to be told.
func (a *app) newTeller(ctx context.Context, fl *scanFlags, e *eye) (*teller, error) {
	where, err := a.serverPlace()
	if err != nil || where.url == "" || e.ids == nil || e.session != nil || fl.noStore && !fl.tells {
		return nil, err
	}
	t := &teller{a: a, eye: e, lenient: fl.host != nil}
	if _, hook := fl.host.(*hookScan); hook {
		if t.noted, err = a.openOutbox(where); err != nil {
			return nil, nil //nolint:nilerr,nilnil // no commit waits for that
		}
		t.send = func(_ context.Context, r wire.ScanResults) error { return t.noted.put(r) }
		return t, nil
	}
	c, err := a.clientOf(ctx, where)
	if err != nil {
		if t.lenient {
			t.failed = err
			t.send = func(context.Context, wire.ScanResults) error { return err }
			return t, nil
		}
		return nil, err
	}
	t.send = sender(c, t.lenient)
	return t, nil
}

func sender(c *client.Client, lenient bool) func(ctx context.Context, r wire.ScanResults) error {
	left := tellWithin
	return func(ctx context.Context, r wire.ScanResults) error {
		if lenient {
			began := time.Now()
			defer func() { left -= time.Since(began) }()
			bounded, cancel := context.WithTimeout(ctx, max(left, 0))
			defer cancel()
			ctx = bounded
		}
		_, err := c.TellScan(ctx, r)
		return asked(err)
	}
}

// words say what could not be told; empty: nothing.
func (t *teller) words() string {
	switch {
	case t == nil:
		return ""
	case t.failed != nil:
		return fmt.Sprintf("the server was not told what was found: %v", t.failed)
	case t.noted != nil:
		return t.noted.words()
	}
	return ""
}

// toldAtOnce bounds a part of what is told.
const (
	toldAtOnce = 500
	toldBytes  = 512 << 10
)

// toldScan is a sink that tells a server.
type toldScan struct {
	t    *teller
	runs []*toldRun
	part bool // the scan is never of all of its source
}

var _ scan.Sink = (*toldScan)(nil)

// toldRun is a scan of one source that is told.
type toldRun struct {
	next  wire.ScanResults
	bytes int
	over  bool
}

// sink is what a scan of a place tells by; nil: nothing is told.
func (t *teller) sink(p scanPlace) *toldScan {
	if t == nil {
		return nil
	}
	return &toldScan{t: t, part: p.partial || p.own || p.extent != ""}
}

// BeginScan implements scan.Sink.
func (s *toldScan) BeginScan(_ context.Context, src store.Source, q store.Scan) (int64, error) {
	var id [16]byte
	if _, err := io.ReadFull(s.t.a.rand, id[:]); err != nil {
		return 0, fmt.Errorf("drawing a scan's id: %w", err)
	}
	s.runs = append(s.runs, &toldRun{next: wire.ScanResults{
		ID: hex.EncodeToString(id[:]), Source: src.ID, Kind: src.Kind, Whole: !s.part && q.Extent == "", Generic: q.Generic,
		FieldRevision: q.FieldRevision, PackRevision: q.PackRevision,
	}})
	return int64(len(s.runs)), nil
}

// Record implements scan.Sink. What is around a hit is not told: it may hold values
// that a laptop knows nothing of.
func (s *toldScan) Record(ctx context.Context, id int64, obs []scan.Observation, skips []fingerprints.Skip) ([]store.Recorded, error) {
	r := s.runs[id-1]
	for _, o := range obs {
		r.next.Findings = append(r.next.Findings, toldAt(o))
		r.bytes += 400 + len(o.Path) + len(o.Sighting.Locator) + len(o.Sighting.URL) + 40*len(o.Rows)
		if err := s.full(ctx, r); err != nil {
			return nil, err
		}
	}
	for _, k := range skips {
		r.next.Skips = append(r.next.Skips, wire.SkippedAt(k))
		r.bytes += 120 + len(k.Path) + len(k.Locator) + len(k.Detail)
		if err := s.full(ctx, r); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

func toldAt(o scan.Observation) wire.FoundAt {
	g := o.Sighting
	out := wire.FoundAt{
		ID: o.FindingID, Path: o.Path, PathID: o.PathID.String(), Owner: o.Owner, Locator: g.Locator, URL: g.URL,
		Region: wire.Region{Start: g.Start, End: g.End, Line: g.Line, Column: g.Column, EndLine: g.EndLine, EndColumn: g.EndColumn},
		Form:   g.Form, Rule: g.Rule, Presence: g.Presence, Within: g.Within, At: g.At, Commit: g.Commit, Author: g.Author, More: o.Overflow,
	}
	if !o.Value.IsZero() {
		out.Value = o.Value.String()
	}
	for _, row := range o.Rows {
		out.Fields = append(out.Fields, row.String())
	}
	return out
}

// full tells a part where it is large enough.
func (s *toldScan) full(ctx context.Context, r *toldRun) error {
	if len(r.next.Findings) < toldAtOnce && len(r.next.Skips) < toldAtOnce && r.bytes < toldBytes {
		return nil
	}
	return s.tell(ctx, r)
}

func (s *toldScan) tell(ctx context.Context, r *toldRun) error {
	err := error(nil)
	if s.t.failed == nil {
		err = s.t.send(ctx, r.next)
	}
	if err != nil && s.t.lenient {
		s.t.failed, err = err, nil
	}
	if err != nil {
		return fmt.Errorf("telling the server: %w", err)
	}
	r.next.Part++
	r.next.Findings, r.next.Skips, r.bytes = nil, nil, 0
	return nil
}

// SaveCursor implements scan.Sink: what is told is not taken up again.
func (s *toldScan) SaveCursor(context.Context, store.Scan) error { return nil }

// Finish implements scan.Sink.
func (s *toldScan) Finish(ctx context.Context, q store.Scan) error {
	r := s.runs[q.ID-1]
	r.next.End = &wire.ScanEnd{Items: q.Items, Bytes: q.Bytes, Through: q.Through, Complete: q.Complete}
	r.over = true
	return s.tell(ctx, r)
}

// end tells the rest of scans that did not come to their end.
func (s *toldScan) end(ctx context.Context) error {
	for _, r := range s.runs {
		if r.over {
			continue
		}
		r.over = true
		r.next.End = &wire.ScanEnd{}
		if err := s.tell(ctx, r); err != nil {
			return err
		}
	}
	return nil
}
