package watch_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"revenant/fingerprints/store"
	"revenant/ingest/watch"
)

func TestParseSchedule(t *testing.T) {
	for text, ok := range map[string]bool{
		"": true, "30m": true, "6h": true, "10s": true, "15 3 * * *": true, "*/5 * * * 1-5": true, "@hourly": true, "@daily": true,
		"CRON_TZ=Europe/Vienna 0 4 * * *": true, " 1h ": true,
		"9s": false, "0s": false, "-1h": false, "1 day": false, "* * * *": false, "60 * * * *": false, "@every 5s": false, "TZ=0": false, "x": false,
	} {
		_, err := watch.ParseSchedule(text)
		if (err == nil) != ok || err != nil && !errors.Is(err, watch.ErrSchedule) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func schedule(t *testing.T, text string) watch.Schedule {
	t.Helper()
	s, err := watch.ParseSchedule(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestNext has watches of one schedule due at different times, each at the same
// ones, never early and not much later.
func TestNext(t *testing.T) {
	at := time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)
	for _, c := range []struct {
		text  string
		after time.Duration
		late  time.Duration
	}{
		{"10s", 10 * time.Second, time.Second},
		{"1h", time.Hour, 6 * time.Minute},
		{"720h", 720 * time.Hour, 10 * time.Minute},
		{"CRON_TZ=UTC 0 8 * * *", 51*time.Minute + 51*time.Second, 6 * time.Minute},
	} {
		seen := map[time.Time]bool{}
		for i := range 100 {
			name := fmt.Sprint("watch ", i)
			next := schedule(t, c.text).Next(name, at)
			if d := next.Sub(at); d < c.after || d > c.after+c.late {
				t.Errorf("%s: %s is due after %s", c.text, name, d)
			}
			if again := schedule(t, c.text).Next(name, at); !again.Equal(next) {
				t.Errorf("%s: %s, then %s", c.text, next, again)
			}
			seen[next] = true
		}
		if len(seen) < 50 {
			t.Errorf("%s: 100 watches are due at %d moments", c.text, len(seen))
		}
	}
	if next := schedule(t, "").Next("x", at); !next.IsZero() {
		t.Errorf("on demand alone, and due at %s", next)
	}
}

// TestRetry waits longer each time, and never longer than the schedule has it at
// first.
func TestRetry(t *testing.T) {
	at := time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)
	for _, c := range []struct {
		text     string
		failures int
		want     time.Duration
	}{
		{"", 1, 30 * time.Second},
		{"", 2, time.Minute},
		{"", 5, 8 * time.Minute},
		{"", 10, 6 * time.Hour},
		{"", 1_000_000, 6 * time.Hour},
		{"168h", 1, 30 * time.Second},
		{"168h", 50, 6 * time.Hour},
	} {
		if got := schedule(t, c.text).Retry("x", at, c.failures).Sub(at); got != c.want {
			t.Errorf("%q after %d: %s, want %s", c.text, c.failures, got, c.want)
		}
	}
	if got := schedule(t, "10s").Retry("x", at, 5).Sub(at); got < 10*time.Second || got > 11*time.Second {
		t.Errorf("a watch that is scanned every 10 s waits %s", got)
	}
}

// TestNextAfterChange leaves what is due or paused as it is.
func TestNextAfterChange(t *testing.T) {
	now := time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)
	past, later := now.Add(-time.Minute), now.Add(24*time.Hour)
	at := func(schedule string, paused bool, next time.Time) time.Time {
		w := store.Watch{Name: "x", Schedule: schedule, Paused: paused}
		w.NextRun = next
		return watch.NextAfterChange(w, now)
	}
	for what, c := range map[string]struct{ got, want time.Time }{
		"due":                {at("1h", false, past), past},
		"paused":             {at("1h", true, later), later},
		"not readable":       {at("?", false, later), later},
		"on demand":          {at("", false, later), time.Time{}},
		"by its schedule":    {at("1h", false, later), schedule(t, "1h").Next("x", now)},
		"without a next one": {at("1h", false, time.Time{}), schedule(t, "1h").Next("x", now)},
	} {
		if !c.got.Equal(c.want) {
			t.Errorf("%s: %s, want %s", what, c.got, c.want)
		}
	}
}
