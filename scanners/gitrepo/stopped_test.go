package gitrepo_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/gitrepo"
)

// stoppedAt is what a source gives out when ctx ends after so many looks, and
// whether it said that it had not read everything.
func stoppedAt(t *testing.T, dir string, placing time.Duration, looks int64) (items []scanners.Item, notes []string, cut bool) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var looked atomic.Int64
	s, err := gitrepo.New(ctx, gitrepo.Options{
		Path: dir, SourceID: "git:example.org/test", Workers: 1, Placing: placing,
		Screen: func(_ context.Context, data []byte) bool {
			if looked.Add(1) == looks {
				cancel()
			}
			return bytes.Contains(data, []byte(mark))
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	for {
		b, err := s.Next(ctx)
		items, notes = append(items, b.Items...), append(notes, b.Notes...)
		if !b.Found {
			t.Fatal("it does not say that it looked at contents itself")
		}
		for _, k := range b.Skipped {
			if k.Reason == fingerprints.SkipUnreadable {
				t.Errorf("stopped after %d: %s cannot be read: %s", looks, k.Locator, k.Detail)
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return items, notes, false
		case errors.Is(err, context.Canceled):
			return items, notes, true
		case err != nil:
			t.Fatal(err)
		}
	}
}

// What was found is given out, wherever the scan is stopped: at its place, or
// where there was no time to look for that, by the name of the object. Nothing is
// called lost.
func TestStoppedGivesOut(t *testing.T) {
	for name, placing := range map[string]time.Duration{"placed": 0, "no time": -1} {
		t.Run(name, func(t *testing.T) {
			r, _ := hidden(t, "sha1")
			whole, _, cut := stoppedAt(t, r.dir, 0, -1)
			if cut || len(whole) < 5 {
				t.Fatalf("%d items, cut %t", len(whole), cut)
			}
			places := map[string]bool{}
			for _, it := range whole {
				places[it.Path+" "+it.Locator+" "+string(it.Presence)] = true
			}
			found, stoodIn, stops := 0, 0, 0
			for looks := int64(1); ; looks += 3 {
				items, notes, cut := stoppedAt(t, r.dir, placing, looks)
				if !cut {
					break
				}
				stops++
				found = max(found, len(items))
				if !strings.Contains(strings.Join(notes, ""), "interrupted when ") {
					t.Errorf("stopped after %d: nobody is told how far it was: %q", looks, notes)
				}
				for _, it := range items {
					at := it.Path + " " + it.Locator + " " + string(it.Presence)
					switch {
					case placing < 0 && strings.HasPrefix(it.Path, scanners.BlobPath):
						stoodIn++
					case placing < 0 && strings.HasPrefix(it.Path, "@"), places[at]:
					case it.Path == "@reflog", it.Path == "@config", it.Path == "@ref": // what was not looked at yet may hold something
					default:
						t.Errorf("stopped after %d: %s", looks, at)
					}
				}
			}
			if stops < 3 || found < 3 || (stoodIn > 0) != (placing < 0) {
				t.Errorf("%d stops, at most %d found, %d without a place", stops, found, stoodIn)
			}
		})
	}
}
