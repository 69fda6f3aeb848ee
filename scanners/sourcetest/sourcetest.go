// Package sourcetest is the conformance suite that every Source runs.
package sourcetest

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
	"revenant/scanners"
)

// maxBatches ends a source that never does.
const maxBatches = 1 << 20

// Subject is a source under test.
type Subject struct {
	// New opens the same place anew, from a cursor (nil: from the start).
	New func(t *testing.T, cursor []byte) scanners.Source
	// Want maps the path of each item that holds content to that content;
	// items of other paths may come too.
	Want map[string]string
	// Skips are the paths and reasons that must be listed.
	Skips map[string]fingerprints.SkipReason
	// Resumes: the source makes cursors.
	Resumes bool
}

// Seen is one item with what it held.
type Seen struct{ Path, Locator, Content string }

// Run checks what the contract promises.
func Run(t *testing.T, s Subject) {
	t.Run("content and skips", func(t *testing.T) { content(t, s) })
	t.Run("same order", func(t *testing.T) { order(t, s) })
	t.Run("end stays the end", func(t *testing.T) { end(t, s) })
	t.Run("cancelled", func(t *testing.T) { cancelled(t, s) })
	if s.Resumes {
		t.Run("resumes from every cursor", func(t *testing.T) { resume(t, s) })
	}
}

// Drain reads a source to its end: items with their content, skips (those that
// Open and Read tell of included), and the cursor of each batch.
func Drain(t *testing.T, src scanners.Source) (items []Seen, skips []fingerprints.Skip, cursors [][]byte) {
	t.Helper()
	for range maxBatches {
		b, err := src.Next(context.Background())
		if err != nil && !errors.Is(err, io.EOF) {
			t.Fatalf("the source ended with %v", err)
		}
		skips = append(skips, b.Skipped...)
		for _, it := range b.Items {
			content, skip := read(t, it)
			if skip != nil {
				skips = append(skips, fingerprints.Skip{Path: it.Path, Locator: it.Locator, Reason: skip.Reason, Detail: skip.Detail, Size: skip.Size})
			}
			items = append(items, Seen{it.Path, it.Locator, content})
		}
		if b.Cursor != nil {
			cursors = append(cursors, b.Cursor)
		}
		if err != nil {
			return items, skips, cursors
		}
	}
	t.Fatal("the source does not end")
	return nil, nil, nil
}

func read(t *testing.T, it scanners.Item) (string, *scanners.SkipError) {
	t.Helper()
	asSkip := func(err error) *scanners.SkipError {
		var s *scanners.SkipError
		if !errors.As(err, &s) {
			t.Errorf("an item failed without saying how it is listed: %T", err)
			return &scanners.SkipError{Reason: fingerprints.SkipUnreadable}
		}
		if it.Path != "" && len(it.Path) > 3 && strings.Contains(s.Error(), it.Path) {
			t.Error("an error repeats the path")
		}
		return s
	}
	rc, err := it.Open(context.Background())
	if err != nil {
		return "", asSkip(err)
	}
	b, err := io.ReadAll(rc)
	closeErr := rc.Close()
	if err == nil {
		err = closeErr
	}
	if err != nil {
		return string(b), asSkip(err)
	}
	return string(b), nil
}

func content(t *testing.T, s Subject) {
	src := s.New(t, nil)
	defer src.Close()
	if src.Kind() == "" {
		t.Error("the source has no kind")
	}
	items, skips, cursors := Drain(t, src)
	got := map[string]string{}
	for _, it := range items {
		if _, wanted := s.Want[it.Path]; wanted {
			got[it.Path] += it.Content
		}
	}
	if diff := cmp.Diff(s.Want, got); diff != "" {
		t.Errorf("contents (-want +got):\n%s", diff)
	}
	listed := map[string]fingerprints.SkipReason{}
	for _, k := range skips {
		if k.Reason == "" {
			t.Error("a skip without a reason")
		}
		if k.Size < -1 {
			t.Errorf("a skip of %d bytes", k.Size)
		}
		if k.Path != "" {
			listed[k.Path] = k.Reason
		}
	}
	want := s.Skips
	if want == nil {
		want = map[string]fingerprints.SkipReason{}
	}
	if diff := cmp.Diff(want, listed); diff != "" {
		t.Errorf("skips (-want +got):\n%s", diff)
	}
	for _, c := range cursors {
		for path := range s.Want {
			if len(path) > 3 && strings.Contains(string(c), path) {
				t.Error("a cursor holds a path")
			}
		}
	}
}

func order(t *testing.T, s Subject) {
	a, b := s.New(t, nil), s.New(t, nil)
	defer a.Close()
	defer b.Close()
	if a.ID() != b.ID() {
		t.Errorf("ids differ: %q, %q", a.ID(), b.ID())
	}
	first, _, _ := Drain(t, a)
	second, _, _ := Drain(t, b)
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("two passes differ:\n%s", diff)
	}
}

func end(t *testing.T, s Subject) {
	src := s.New(t, nil)
	Drain(t, src)
	for range 3 {
		if b, err := src.Next(context.Background()); !errors.Is(err, io.EOF) || len(b.Items) > 0 {
			t.Fatalf("after the end: %d items, %v", len(b.Items), err)
		}
	}
	if err := errors.Join(src.Close(), src.Close()); err != nil {
		t.Errorf("closing twice: %v", err)
	}
}

func cancelled(t *testing.T, s Subject) {
	src := s.New(t, nil)
	defer src.Close()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := src.Next(ctx); err == nil || errors.Is(err, io.EOF) && len(s.Want) > 0 {
		t.Errorf("a cancelled source goes on: %v", err)
	}
}

// resume checks that nothing behind a cursor is missed.
func resume(t *testing.T, s Subject) {
	src := s.New(t, nil)
	defer src.Close()
	all, _, cursors := Drain(t, src)
	if len(all) > 1 && len(cursors) == 0 {
		t.Fatal("no cursor")
	}
	for n, c := range cursors {
		again := s.New(t, c)
		rest, _, _ := Drain(t, again)
		again.Close()
		if len(rest) > len(all) {
			t.Fatalf("cursor %d: %d items after it, %d in all", n, len(rest), len(all))
		}
		if diff := cmp.Diff(all[len(all)-len(rest):], rest); diff != "" && len(rest) > 0 {
			t.Errorf("cursor %d: the rest is no tail of the whole:\n%s", n, diff)
		}
		if before := len(all) - len(rest); before == 0 && n > 0 {
			t.Errorf("cursor %d: nothing was saved", n)
		}
	}
}
