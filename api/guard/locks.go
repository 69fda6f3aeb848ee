package guard

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// freeTries fail without a wait.
	freeTries = 5
	// firstWait follows the next one; it doubles with each.
	firstWait = 10 * time.Second
	// longestWait bounds it.
	longestWait = 15 * time.Minute
	// forgotten is after how long without a failure nothing is held against anybody.
	forgotten = time.Hour
	// mostKept bounds how many senders are remembered.
	mostKept = 20_000
	// recordsPerSecond and recordsAtOnce bound how many refusals are recorded: whoever
	// tries does not fill the audit log.
	recordsPerSecond, recordsAtOnce = 1, 30
)

// Locks keep those away for growing times who fail to sign in again and again. It is
// safe for concurrent use. Each server of an installation counts by itself.
type Locks struct {
	now     func() time.Time
	mu      sync.Mutex
	kept    *recent[tries]
	records *rate.Limiter
}

type tries struct {
	failed int
	last   time.Time
	until  time.Time // locked until then
}

// NewLocks locks nobody yet.
func NewLocks(now func() time.Time) *Locks {
	return &Locks{now: now, kept: newRecent[tries](mostKept), records: rate.NewLimiter(recordsPerSecond, recordsAtOnce)}
}

// Wait is how long the one of an address, or of any other name, is kept away; 0:
// they are not.
func (l *Locks) Wait(who string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.kept.get(network(who))
	if t == nil {
		return 0
	}
	return max(0, t.until.Sub(l.now()))
}

// Failed counts a failure, and returns for how long they are kept away from now on.
func (l *Locks) Failed(who string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	key, now := network(who), l.now()
	t := l.kept.get(key)
	if t == nil || now.Sub(t.last) > forgotten {
		t = &tries{}
		l.kept.put(key, t)
	}
	t.failed++
	t.last = now
	over := t.failed - freeTries
	if over <= 0 {
		return 0
	}
	wait := longestWait
	if over < 8 {
		wait = min(longestWait, firstWait<<(over-1))
	}
	t.until = now.Add(wait)
	return wait
}

// Succeeded forgets failures.
func (l *Locks) Succeeded(who string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kept.drop(network(who))
}

// Record reports whether a refusal is to be recorded; too many at once are not.
func (l *Locks) Record() bool { return l.records.AllowN(l.now(), 1) }
