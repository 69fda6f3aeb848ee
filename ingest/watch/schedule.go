package watch

import (
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	cron "github.com/netresearch/go-cron"

	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
)

// ErrSchedule is for a schedule that cannot be read.
var ErrSchedule = errors.New("a schedule is how long to wait after a scan, as in 30m or 6h, cron's five fields, as in \"15 3 * * *\", or, of topics, follow")

// Shortest is the shortest time between the end of a scan and the next.
const Shortest = 10 * time.Second

// Schedule says when a watch is scanned again. The zero value: on demand alone.
type Schedule struct {
	every  time.Duration
	cron   cron.Schedule
	follow bool
}

// Follows reports whether what is watched is a stream that is read on and on.
func (s Schedule) Follows() bool { return s.follow }

// Follows reports whether a watch is followed, and not scanned again and again.
func Follows(w store.Watch) bool { return w.Schedule == registry.ScheduleFollow }

// ParseSchedule reads a schedule. Cron's fields are those of the local zone, or
// of the one that a leading CRON_TZ=Zone names.
func ParseSchedule(text string) (Schedule, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return Schedule{}, nil
	}
	if text == registry.ScheduleFollow {
		return Schedule{follow: true}, nil
	}
	if d, err := time.ParseDuration(text); err == nil {
		if d < Shortest {
			return Schedule{}, fmt.Errorf("%w: at least %s", ErrSchedule, Shortest)
		}
		return Schedule{every: d}, nil
	}
	s, err := cron.ParseStandard(text)
	if err != nil || strings.HasPrefix(text, "@every") {
		return Schedule{}, ErrSchedule
	}
	return Schedule{cron: s}, nil
}

// jitterShare is how much of the time between two scans may be added, so that
// not all watches are due at once; jitterMost bounds it.
const (
	jitterShare = 10
	jitterMost  = 10 * time.Minute
)

// Next is when a watch is due after a scan that ended at a time; the zero time:
// on demand alone. Jitter goes by the name, and is the same each time.
func (s Schedule) Next(name string, at time.Time) time.Time {
	var next time.Time
	switch {
	case s.every > 0:
		next = at.Add(s.every)
	case s.cron != nil:
		next = s.cron.Next(at)
	}
	if next.IsZero() {
		return next
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	most := min(next.Sub(at)/jitterShare, jitterMost)
	if most <= 0 {
		return next
	}
	return next.Add(time.Duration(h.Sum64() % uint64(most)))
}

// First is when a watch that was just added is due: now; a stream is followed, and
// never due.
func First(schedule string, now time.Time) time.Time {
	if schedule == registry.ScheduleFollow {
		return time.Time{}
	}
	return now
}

// NextAfterChange is when a watch is due after somebody rescheduled, paused or
// resumed it: by its schedule, or when it was to be, where that has passed.
func NextAfterChange(w store.Watch, now time.Time) time.Time {
	schedule, err := ParseSchedule(w.Schedule)
	if schedule.Follows() {
		return time.Time{}
	}
	if err != nil || w.Paused || !w.NextRun.IsZero() && w.NextRun.Before(now) {
		return w.NextRun
	}
	return schedule.Next(w.Name, now)
}

// latest is when a watch is due at the latest, whatever happened, and when else.
func latest(w store.Watch, now time.Time) (latest, instead time.Time) {
	schedule, err := ParseSchedule(w.Schedule)
	next := schedule.Next(w.Name, now)
	if err != nil || next.IsZero() {
		return now.Add(lastRetry), now
	}
	return next.Add(jitterMost), next
}

// How long a watch waits whose scan failed, at first and at the most.
const (
	firstRetry = 30 * time.Second
	lastRetry  = 6 * time.Hour
)

// Retry is when a watch is due again whose scan failed so many times in a row:
// sooner than its schedule says at first, and not more often than that later. Of a
// stream its follower says it.
func (s Schedule) Retry(name string, at time.Time, failures int) time.Time {
	if s.follow {
		return time.Time{}
	}
	wait := lastRetry
	if failures < 10 {
		wait = min(lastRetry, firstRetry<<max(0, failures-1))
	}
	retry := at.Add(wait)
	if next := s.Next(name, at); !next.IsZero() && next.After(at) && next.Before(retry) {
		return next
	}
	return retry
}
