package main

import (
	"context"
	"fmt"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
	"revenant/ingest/scan"
)

// registrySink gives what a scan finds to the registry. Records that bring
// their own sources open one scan for each of them.
type registrySink struct {
	session *session
	resumed *registry.ScanRun // an interrupted scan that is taken up
	source  string            // its source
	runs    map[int64]*registry.ScanRun
	stands  func(locator string) bool // of what was scanned before, and is not now; nil: nothing
}

// resume takes an interrupted scan up, and returns where it stopped; nil when
// there is none.
func (k *registrySink) resume(ctx context.Context, e *eye, p scanPlace, x scan.Extent) ([]byte, error) {
	id := scan.Shown(ctx, e.engine.Matchers, e.labels, p.sourceID)
	run, err := k.session.reg.BeginScan(ctx, k.session.actor, registry.ScanStart{
		SourceID: id, Kind: p.kind, Extent: x.Name, Resume: true,
		FieldRevision: x.FieldRevision, PackRevision: x.PackRevision, Generic: x.Generic,
	})
	if err != nil {
		return nil, err
	}
	k.resumed, k.source = run, id
	return run.Cursor(), nil
}

// BeginScan implements scan.Sink.
func (k *registrySink) BeginScan(ctx context.Context, src store.Source, s store.Scan) (int64, error) {
	run := k.resumed
	if run == nil || src.ID != k.source {
		var err error
		run, err = k.session.reg.BeginScan(ctx, k.session.actor, registry.ScanStart{
			SourceID: src.ID, Kind: src.Kind, Extent: s.Extent,
			FieldRevision: s.FieldRevision, PackRevision: s.PackRevision, Generic: s.Generic,
		})
		if err != nil {
			return 0, err
		}
	}
	k.runs[run.ID()] = run
	return run.ID(), nil
}

func (k *registrySink) run(id int64) (*registry.ScanRun, error) {
	if run := k.runs[id]; run != nil {
		return run, nil
	}
	return nil, fmt.Errorf("scan %d was not begun", id)
}

// Record implements scan.Sink.
func (k *registrySink) Record(ctx context.Context, id int64, obs []scan.Observation, skips []fingerprints.Skip) ([]store.Recorded, error) {
	run, err := k.run(id)
	if err != nil {
		return nil, err
	}
	all := make([]registry.Observation, len(obs))
	for i, o := range obs {
		all[i] = registry.Observation{Observed: o.Observed, RawPath: string(o.RawPath.Reveal())}
	}
	out, err := run.Record(ctx, all)
	if err != nil {
		return nil, err
	}
	return out, run.Skips(ctx, skips)
}

// SaveCursor implements scan.Sink.
func (k *registrySink) SaveCursor(ctx context.Context, s store.Scan) error {
	run, err := k.run(s.ID)
	if err != nil {
		return err
	}
	return run.SaveCursor(ctx, progressOf(s))
}

// Finish implements scan.Sink. An interrupted scan stays open, so that it can
// be resumed.
func (k *registrySink) Finish(ctx context.Context, s store.Scan) error {
	run, err := k.run(s.ID)
	if err != nil {
		return err
	}
	_, err = run.Finish(ctx, registry.Outcome{Progress: progressOf(s), Complete: s.Complete, Stands: k.stands})
	return err
}

func progressOf(s store.Scan) registry.Progress {
	return registry.Progress{Cursor: s.Cursor, Items: s.Items, Bytes: s.Bytes, Through: s.Through}
}

// registryLabels names hits from the registry: states are those of now.
type registryLabels struct{ session *session }

// Labels implements scan.Labels.
func (l registryLabels) Labels(ctx context.Context, rows []fingerprints.RowID, _ fingerprints.Value) ([]scan.Label, error) {
	found, err := l.session.reg.FieldLabels(ctx, l.session.actor, rows)
	if err != nil {
		return nil, err
	}
	out := make([]scan.Label, len(found))
	for i, f := range found {
		v := f.Version
		out[i] = scan.Label{
			Row: f.Row, Secret: v.Secret, Version: v.Number, Field: f.Field, State: v.State, Class: f.Class,
			Owner: f.Owner, Compromised: v.Compromised(), WindowEnds: v.WindowEnds,
		}
	}
	return out, nil
}

// Homes implements scan.Labels.
func (l registryLabels) Homes(ctx context.Context, secret, sourceID, path string) ([]scan.Home, error) {
	found, err := l.session.reg.Homes(ctx, l.session.actor, secret, sourceID, path)
	if err != nil {
		return nil, err
	}
	out := make([]scan.Home, len(found))
	for i, h := range found {
		out[i] = scan.Home{ID: h.ID, Until: h.Until}
	}
	return out, nil
}

// registryTriage says what people said of findings.
type registryTriage struct{ session *session }

// Standings implements scan.Triage.
func (t registryTriage) Standings(ctx context.Context, ids []fingerprints.FindingID) (map[fingerprints.FindingID]fingerprints.Standing, error) {
	return t.session.reg.Standings(ctx, t.session.actor, ids)
}
