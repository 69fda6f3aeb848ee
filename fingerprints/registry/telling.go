package registry

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/keys"
	"revenant/fingerprints/registration"
	"revenant/fingerprints/store"
)

// Scans elsewhere, of laptops and pipelines, look with the edge pack and tell what
// they found. They see strong values alone, so theirs are extents of their own: they
// make nothing gone that they could not see, and are never what coverage or a proof
// rests on.
const (
	extentTold     = "strong values"           // all of the source
	extentToldPart = "strong values of a part" // a change, a commit
)

// ErrForged says that ids of a scan do not belong together, or to what is registered.
var ErrForged = errors.New("the results are no scan's of this installation: their ids do not belong together")

// keptRequests is for how long what was asked for with a key is known.
const keptRequests = 24 * time.Hour

// TellScan records what a scan elsewhere found, or the next part of it. Telling it
// again changes nothing. ErrForged where ids do not fit.
func (r *Registry) TellScan(ctx context.Context, a Actor, q wire.ScanResults) (wire.ScanTold, error) {
	var skips []fingerprints.Skip
	for _, s := range q.Skips {
		if !slices.Contains(fingerprints.SkipReasons(), s.Reason) {
			return wire.ScanTold{}, badInput("skips", "use a reason that there is")
		}
		skips = append(skips, fingerprints.Skip(s))
	}
	run, told, err := r.toldScan(ctx, a, q)
	if err != nil || told.Unchanged {
		return told, err
	}
	obs, err := run.toldSightings(ctx, q)
	if err != nil {
		return told, err
	}
	recorded, err := run.Record(ctx, obs)
	if err != nil {
		return told, err
	}
	for _, rec := range recorded {
		if told.Recorded++; rec.New {
			told.New++
		}
	}
	if err := run.Skips(ctx, skips); err != nil || q.End == nil {
		return told, err
	}
	done, err := run.Finish(ctx, Outcome{
		Progress: Progress{Items: q.End.Items, Bytes: q.End.Bytes, Through: q.End.Through}, Complete: q.End.Complete && q.Whole,
	})
	told.Gone = len(done.Gone)
	return told, err
}

func toldKey(q wire.ScanResults) [sha256.Size]byte { return sha256.Sum256([]byte("scan/" + q.ID)) }

// toldScan is the scan that results belong to, begun where it was not. A part that
// was told before is answered as unchanged.
func (r *Registry) toldScan(ctx context.Context, a Actor, q wire.ScanResults) (*ScanRun, wire.ScanTold, error) {
	var told wire.ScanTold
	known, err := r.request(ctx, a, ScopeScan, toldKey(q))
	if err != nil {
		return nil, told, err
	}
	run := &ScanRun{reg: r, actor: a, source: q.Source, extent: toldExtent(q), owners: map[fingerprints.RowID]rowSecret{}}
	if known.Subject == "" {
		if run, err = r.BeginScan(ctx, a, ScanStart{
			SourceID: q.Source, Kind: q.Kind, Extent: toldExtent(q), FieldRevision: q.FieldRevision, PackRevision: q.PackRevision, Generic: q.Generic,
		}); err != nil {
			return nil, told, err
		}
		told.Scan = run.id
		return run, told, r.update(ctx, a, ScopeScan, "beginning a scan", func(c *change) error {
			if _, err := c.tx.ForgetRequests(ctx, c.at.Add(-keptRequests)); err != nil {
				return err
			}
			return c.tx.PutRequest(ctx, store.Request{
				Actor: a.Name, Key: toldKey(q), Operation: "tell-scan", Body: sha256.Sum256([]byte(q.Source)), At: c.at, Subject: strconv.FormatInt(run.id, 10),
			})
		})
	}
	if known.Operation != "tell-scan" || known.Body != sha256.Sum256([]byte(q.Source)) {
		return nil, told, fmt.Errorf("recording what a scan found: %w", ErrForged)
	}
	if run.id, err = strconv.ParseInt(known.Subject, 10, 64); err != nil {
		return nil, told, fmt.Errorf("recording what a scan found: %w", ErrForged)
	}
	told.Scan = run.id
	var scan store.Scan
	err = r.view(ctx, a, ScopeScan, func(v *view) (err error) {
		scan, err = v.tx.ScanByID(ctx, run.id)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		err = ErrUnknownSource
	}
	told.Unchanged = err == nil && !scan.FinishedAt.IsZero()
	return run, told, err
}

func toldExtent(q wire.ScanResults) string {
	if q.Whole {
		return extentTold
	}
	return extentToldPart
}

// request is what was asked for with a key; zero where it was not.
func (r *Registry) request(ctx context.Context, a Actor, need Scope, key [sha256.Size]byte) (store.Request, error) {
	if !a.May(need) {
		return store.Request{}, r.Refuse(ctx, a, need, "recording what a scan found")
	}
	var out store.Request
	err := r.view(ctx, a, need, func(v *view) (err error) {
		out, err = v.tx.Request(ctx, a.Name, key)
		if errors.Is(err, store.ErrNotFound) || err == nil && v.now.Sub(out.At) > keptRequests {
			out, err = store.Request{}, nil
		}
		return err
	})
	return out, err
}

// toldSightings are the sightings of results, each with ids that fit: the finding's
// is made of the value's, the source's and the path's, and registered fields have
// that value.
func (s *ScanRun) toldSightings(ctx context.Context, q wire.ScanResults) ([]Observation, error) {
	ring := s.reg.ring.Load()
	if ring == nil {
		return nil, ErrNoRing
	}
	key := ring.Identity(fingerprints.AudienceEdge)
	var out []Observation
	err := s.reg.view(ctx, s.actor, ScopeScan, func(v *view) error {
		out = nil
		open := registration.New(ring, s.reg.rand, nil)
		for i, f := range q.Findings {
			o, err := observedOf(f)
			if err != nil {
				return fmt.Errorf("recording what a scan found: finding %d: %w", i, err)
			}
			o.SourceID, o.Sighting.Finding = q.Source, o.FindingID
			if !fits(key, o, f) {
				return fmt.Errorf("recording what a scan found: %w", ErrForged)
			}
			for _, row := range o.Rows {
				known, err := v.tx.FieldByID(ctx, row)
				if err != nil {
					return fmt.Errorf("recording what a scan found: %w", errors.Join(ErrForged, ignoreNotFound(err)))
				}
				if e, err := open.Open(known); err != nil || e.ValueID != o.Value {
					return fmt.Errorf("recording what a scan found: %w", ErrForged)
				}
			}
			out = append(out, Observation{Observed: o, RawPath: o.Path})
		}
		return nil
	})
	return out, err
}

// mostLocated is up to which ordinal a hit of a value without an id is looked for.
const mostLocated = 1024

// fits reports whether a finding's id is what its value, source and path make.
func fits(key keys.IdentityKey, o store.Observed, f wire.FoundAt) bool {
	if !strings.Contains(f.Path, "[secret ") && !strings.Contains(f.Path, "[redacted]") && o.PathID != key.PathID([]byte(f.Path)) {
		return false
	}
	if !o.Value.IsZero() {
		return o.FindingID == key.FindingID(o.Value, o.SourceID, o.PathID)
	}
	if len(o.Rows) > 0 {
		return false
	}
	for n := range uint32(mostLocated) {
		if o.FindingID == key.LocatedFindingID(o.SourceID, o.PathID, f.Rule, n) {
			return true
		}
	}
	return false
}

// observedOf reads a sighting.
func observedOf(f wire.FoundAt) (store.Observed, error) {
	o := store.Observed{FindingID: f.ID, Path: f.Path, Owner: f.Owner, Overflow: f.More}
	if err := readID(o.Value[:], f.Value); f.Value != "" && err != nil {
		return o, err
	}
	if err := readID(o.PathID[:], f.PathID); err != nil {
		return o, err
	}
	for _, text := range f.Fields {
		var row fingerprints.RowID
		if err := readID(row[:], text); err != nil {
			return o, err
		}
		o.Rows = append(o.Rows, row)
	}
	if f.Start < 0 || f.End < f.Start || f.Line < 0 || f.Column < 0 || f.More < 0 || !slices.Contains(fingerprints.Presences(), f.Presence) || f.Presence == fingerprints.PresenceGone {
		return o, badInput("findings", "a place is none")
	}
	o.Sighting = fingerprints.Sighting{
		Locator: f.Locator, Start: f.Start, End: f.End, Line: f.Line, Column: f.Column, EndLine: f.EndLine, EndColumn: f.EndColumn,
		Form: f.Form, Rule: f.Rule, Within: f.Within, Presence: f.Presence, URL: f.URL, At: f.At, Commit: f.Commit, Author: f.Author,
	}
	if len(o.Rows) > 0 {
		o.Sighting.Row = o.Rows[0]
	}
	return o, nil
}

func readID(dst []byte, text string) error {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(dst) {
		return badInput("findings", "an id is none")
	}
	copy(dst, b)
	return nil
}
