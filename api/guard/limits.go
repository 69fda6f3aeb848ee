package guard

import (
	"crypto/sha256"
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"revenant/api/wire"
)

// Limits bound how many requests are answered. It is safe for concurrent use. Each
// server of an installation counts by itself.
type Limits struct {
	now         func() time.Time
	credential  func(*http.Request) string
	perSender   int
	perAddress  int
	mu          sync.Mutex
	senders     *recent[rate.Limiter]
	addresses   *recent[rate.Limiter]
	refusedSeen func()
}

// LimitOptions say how much is answered; 0: without bounds.
type LimitOptions struct {
	// PerSender are requests in a minute with one token or session, PerAddress those
	// from one address (of IPv6: its network of 64 bits).
	PerSender, PerAddress int
	// Credential is what a request shows, token or cookie; it is kept as a hash.
	Credential func(*http.Request) string
	// Refused is told of each request that is not answered; nil: nobody is.
	Refused func()
	Now     func() time.Time
}

// NewLimits has answered nothing yet.
func NewLimits(o LimitOptions) *Limits {
	return &Limits{
		now: o.Now, credential: o.Credential, perSender: o.PerSender, perAddress: o.PerAddress, refusedSeen: o.Refused,
		senders: newRecent[rate.Limiter](mostKept), addresses: newRecent[rate.Limiter](mostKept),
	}
}

// atOnce is what may come in one go of what is allowed in a minute.
func atOnce(perMinute int) int { return max(perMinute/6, 1) }

// Handler answers 429 with Retry-After to what is too much. A sender counts against
// its address, too: who makes tokens up is bounded by that.
func (l *Limits) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if wait := l.take(r); wait > 0 {
			if l.refusedSeen != nil {
				l.refusedSeen()
			}
			tooMany(w, wait)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// take counts a request, and returns how long to wait where it is too much.
func (l *Limits) take(r *http.Request) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if wait := l.from(l.addresses, network(Address(r)), l.perAddress); wait > 0 {
		return wait
	}
	if shown := l.credential(r); shown != "" {
		sum := sha256.Sum256([]byte(shown))
		return l.from(l.senders, string(sum[:]), l.perSender)
	}
	return 0
}

func (l *Limits) from(kept *recent[rate.Limiter], key string, perMinute int) time.Duration {
	if perMinute <= 0 {
		return 0
	}
	one := kept.get(key)
	if one == nil {
		one = rate.NewLimiter(rate.Limit(float64(perMinute)/60), atOnce(perMinute))
		kept.put(key, one)
	}
	now := l.now()
	need := one.ReserveN(now, 1)
	wait := need.DelayFrom(now)
	if wait > 0 {
		need.CancelAt(now)
	}
	return wait
}

func tooMany(w http.ResponseWriter, wait time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	w.Header().Set("Content-Type", wire.ProblemType)
	w.WriteHeader(http.StatusTooManyRequests)
	b, _ := json.Marshal(wire.Problem{
		Title: http.StatusText(http.StatusTooManyRequests), Status: http.StatusTooManyRequests, Code: "too-many", Detail: "Too many requests: Retry-After says when to come again.",
	})
	_, _ = w.Write(append(b, '\n'))
}
