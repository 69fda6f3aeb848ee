package main

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// TestSeldom has a message that comes again and again told once in a while, with
// how often it was not, and every other one each time.
func TestSeldom(t *testing.T) {
	var out bytes.Buffer
	h := newSeldom(slog.NewTextHandler(&out, nil))
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	say := func(after time.Duration, level slog.Level, text string) {
		if err := h.WithAttrs(nil).Handle(context.Background(), slog.NewRecord(at.Add(after), level, text, 0)); err != nil {
			t.Fatal(err)
		}
	}
	const away = "what is due cannot be looked up; it is tried again"
	for i := range 100 {
		say(time.Duration(i)*time.Second, slog.LevelWarn, away)
		say(time.Duration(i)*time.Second, slog.LevelError, "queue: producer: Error fetching jobs")
		say(time.Duration(i)*time.Second, slog.LevelWarn, "not scanned to the end")
	}
	say(time.Second, slog.LevelWarn, away) // a clock that jumps back
	if n := strings.Count(out.String(), away); n != 5 {
		t.Errorf("told %d times in 100 s, and once after the clock jumped back: want 4 and 1", n)
	}
	if n := strings.Count(out.String(), "not_told=29"); n != 6 {
		t.Errorf("%d times it is said how often it was not told, want 6\n%s", n, out.String())
	}
	if n := strings.Count(out.String(), "not scanned"); n != 100 {
		t.Errorf("%d other messages, want 100", n)
	}
}
