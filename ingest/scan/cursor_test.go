package scan_test

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"revenant/ingest/scan"
)

// An interruption in the middle of a batch leaves the cursor before the batch:
// what was cut off is read again, and nothing is missed.
func TestCursorStaysBeforeWhatWasCutOff(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	src := &memory{id: "dir:/x", per: 2}
	for i := range 4 {
		src.items = append(src.items, item("dir:/x", fmt.Sprint("f", i), "nothing here"))
	}
	src.items[3].Open = func(context.Context) (io.ReadCloser, error) {
		cancel()
		return io.NopCloser(strings.NewReader("nothing here")), nil
	}
	out := mustRun(t, src, setup{matcher: &literal{overlap: 64}, ctx: ctx, change: func(o *scan.Options) { o.Workers = 1 }})
	if !out.Interrupted {
		t.Fatal("the scan was not interrupted: nothing is proven")
	}
	if !slices.Contains(out.sink.log, "cursor after 2") || slices.Contains(out.sink.log, "cursor after 4") {
		t.Errorf("steps %q, want the cursor after the first batch and no further", out.sink.log)
	}
	if got := string(out.sink.done[0].Cursor); got != "after 2" {
		t.Errorf("the scan ends with cursor %q", got)
	}
}
