package views_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/views"
)

// TestOrdinaryLogs has objects one to a line, with names of requests and traces that are
// encoded in them: no line goes on in the next, and nothing is put together.
func TestOrdinaryLogs(t *testing.T) {
	for name, id := range map[string]func(i int) string{
		"a trace's id": func(i int) string { return fmt.Sprintf("%016x%016x", i*7919, i*104729) },
		"a UUID":       func(i int) string { return fmt.Sprintf("%08x-3f2a-4b1c-9d8e-%012x", i*7919, i*104729) },
		"a commit":     func(i int) string { return fmt.Sprintf("%020x%020x", i*7919, i*104729) },
		"a session":    func(i int) string { return text(uint64(i), 43, alnum) },
	} {
		var b strings.Builder
		for i := range 200 {
			fmt.Fprintf(&b, `{"level":"info","ts":"2026-11-24T00:%02d:%02d.520561Z","msg":"request done","id":"%s","took_ms":%d}`+"\n", i/60%60, i%60, id(i), i%900)
		}
		l := scanners.Layer{Data: []byte(b.String()), Piece: 1 << 20, Overlap: 1 << 10, NoGuesses: true}
		views.New().View(context.Background(), l, func(t2 scanners.Text) bool {
			if t2.Form == fingerprints.FormPrefixed {
				t.Errorf("%s: %.80q was put together", name, t2.Data)
				return false
			}
			return true
		})
	}
}
