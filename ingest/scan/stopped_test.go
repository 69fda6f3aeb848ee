package scan_test

import (
	"context"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
	"revenant/ingest/scan"
	"revenant/scanners"
)

// looker is a source that looked at its contents itself, and is stopped before it
// has given any out.
type looker struct {
	memory
	stop context.CancelFunc
}

func (l *looker) Next(context.Context) (scanners.Batch, error) {
	l.stop()
	n := min(l.at+10, len(l.items))
	b := scanners.Batch{Items: l.items[l.at:n], Found: true}
	if l.at = n; n == len(l.items) {
		return b, context.Canceled
	}
	return b, nil
}

// What a source had found when the scan was interrupted is looked at and recorded,
// for as long as that may take; nothing is called complete.
func TestFoundBeforeInterruption(t *testing.T) {
	for name, c := range map[string]struct {
		grace    time.Duration
		slow     bool
		findings int
	}{
		"time enough":  {time.Minute, false, 25},
		"without time": {time.Nanosecond, true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			gen := random(91, 24)
			m := &literal{generic: []planted{{gen, row(0)}}, overlap: 64}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			src := &looker{memory{id: "dir:/x"}, cancel}
			for i := range 25 {
				it := item("dir:/x", fmt.Sprint("f", i), gen)
				if open := it.Open; c.slow {
					it.Open = func(ctx context.Context) (io.ReadCloser, error) {
						<-ctx.Done()
						return open(ctx)
					}
				}
				src.items = append(src.items, it)
			}
			out := mustRun(t, src, setup{matcher: m, ctx: ctx, change: func(o *scan.Options) { o.Grace = c.grace }})
			// Stopped early enough, no scan began that could be called anything.
			complete := slices.ContainsFunc(out.sink.done, func(s store.Scan) bool { return s.Complete })
			if !out.Interrupted || out.Complete || complete || out.Skips[fingerprints.SkipInterrupted] == 0 {
				t.Errorf("got %+v", out.Result)
			}
			if len(out.findings) != c.findings || len(out.sink.obs) != c.findings {
				t.Errorf("%d findings, %d recorded, want %d", len(out.findings), len(out.sink.obs), c.findings)
			}
			want := map[bool]int{true: scan.ExitFindings, false: scan.ExitIncomplete}[c.findings > 0]
			if got := scan.ExitCode(out.Outcome(), scan.DefaultExitRules()); got != want {
				t.Errorf("exit code %d, want %d", got, want)
			}
		})
	}
}
