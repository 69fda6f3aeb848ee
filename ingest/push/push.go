// Package push takes what other systems send when something changed: webhooks
// of GitHub, GitLab, Gitea and Forgejo, posts of git hooks, notifications of
// container registries, and the text of logs.
//
// It promises: nothing of a post is looked at before its sender is known by a
// secret that both sides hold, compared in constant time; a post that is sent
// again is known by what was signed of it; an answer does not tell whether a
// repository is watched; bodies are bounded, in all of them together too, and
// neither written to a log nor repeated in an answer; once the last byte is
// there the Sink is called without waiting for anything. Log text is passed on
// while it comes, and never held whole.
//
// It refuses: to ask anybody anything, to decide what is scanned, and to vouch
// for the addresses that a post names (see Event).
package push

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"revenant/fingerprints"
)

// Provider is the kind of system that sends.
type Provider string

// Providers, each with a route of its own.
const (
	GitHub   Provider = "github"   // POST /hooks/github
	GitLab   Provider = "gitlab"   // POST /hooks/gitlab
	Gitea    Provider = "gitea"    // POST /hooks/gitea, Forgejo and Gogs too
	Git      Provider = "git"      // POST /hooks/git, whatever runs a hook of git
	Registry Provider = "registry" // POST /hooks/registry, container registries
	Logs     Provider = "logs"     // POST /logs/SOURCE
)

// Event is one thing that changed somewhere. Its texts are free of control
// characters and bounded in length; names of refs, tags and jobs may hold a
// secret all the same, and are for scanning and not for logs.
type Event struct {
	// Kind is git, image or ci, and says which of the last three fields count.
	Kind     fingerprints.SourceKind
	Provider Provider
	// Delivery is what the sender calls this post; letters, digits, dots, dashes
	// and underscores, or empty.
	Delivery string
	// Sources are the normalised ids that the place can have, the likeliest first:
	// over https and ssh a repository may have different hosts.
	Sources []string
	// Locations are the addresses that the sender says the place has, without
	// credentials. They are claims: who clones what a post names can be led
	// anywhere. Read a source by the address that was stored when it was added.
	Locations []string
	// Changes are the refs that changed, a thousand at most. They are a hint: a scan
	// reads all refs afresh.
	Changes []Change
	Run     Run
	Image   Image
}

// Change is what became of one ref.
type Change struct {
	Ref string // as in refs/heads/main
	// Old and New are object ids in hexadecimal; empty: it was or is not there, or
	// the sender does not say.
	Old, New string
	Deleted  bool
}

// Run is a run of a CI system, or one job of it, that is over.
type Run struct {
	ID      string
	Attempt int // 0: not said
	// Job is the job's id; empty: the whole run is over.
	Job string
}

// Image is an image that was pushed, or removed.
type Image struct {
	Digest, Tag string // either may be empty
	MediaType   string
	Deleted     bool
}

// Log is what a sender says of the text that it posts.
type Log struct {
	Source   string // its id, which registry.CheckSourceID accepts
	Run, Job string // as the sender calls them; may be empty
	Format   Format
}

// Format is how log text is to be read.
type Format string

// Formats of log text.
const (
	FormatText   Format = "text"   // lines
	FormatNDJSON Format = "ndjson" // a JSON value a line
)

// Result is what came of log text.
type Result struct {
	Findings int `json:"findings"` // alerting ones
	New      int `json:"new"`      // of them
	Skipped  int `json:"skipped"`  // parts that were not read
}

// Sink is given what was pushed. Its methods are called at once from several
// goroutines.
type Sink interface {
	// Pushed takes an event in. It should store it and return: the sender waits,
	// GitHub for ten seconds. ErrUnknown: no source has one of the ids. After any
	// other error the sender is told to come again. The same event may come twice.
	Pushed(context.Context, Event) error
	// Text scans a log while it comes in; r fails where it is cut off, too long or
	// not what its encoding says. ErrUnknown: there is no such source.
	Text(ctx context.Context, l Log, r io.Reader) (Result, error)
}

// ErrUnknown is a Sink's answer to what concerns no source that it has.
var ErrUnknown = errors.New("no source is called so")

// Outcome is what became of a post, or of one event in it.
type Outcome string

// Outcomes.
const (
	Accepted    Outcome = "accepted"
	Unknown     Outcome = "unknown"     // of no source that is watched
	Replayed    Outcome = "replayed"    // taken in before
	Ignored     Outcome = "ignored"     // of a kind that changes nothing here
	Unsigned    Outcome = "unsigned"    // not signed, or wrongly
	Stale       Outcome = "stale"       // signed too long ago, or for later
	Malformed   Outcome = "malformed"   // not what such a post looks like
	TooLarge    Outcome = "too-large"   // longer than is taken
	Unsupported Outcome = "unsupported" // of a type or encoding that is not taken
	Slow        Outcome = "slow"        // the body did not come in time
	Busy        Outcome = "busy"        // too much at once
	Failed      Outcome = "failed"      // the Sink, or a secret that is not to be had
)

// Counters count. It is called at once from several goroutines.
type Counters interface {
	Count(Provider, Outcome)
}

// Secret fetches a secret that a sender holds too. It is asked again after a
// minute, and where a signature does not fit, so that a new one counts at once.
type Secret func(context.Context) (fingerprints.Value, error)

// MinSecret is how many bytes a secret must have: from a signature that somebody
// saw, a short one can be guessed.
const MinSecret = 16

// Deliveries remember what was taken in. Keys are hexadecimal, 64 characters.
type Deliveries interface {
	Seen(ctx context.Context, key string) (bool, error)
	Remember(ctx context.Context, key string) error
}

// Options say what is taken, and from whom. Zero values have a default unless
// said otherwise.
type Options struct {
	// Sink is required.
	Sink Sink
	// Secrets are those of each provider's senders: one of them must fit, so that
	// the old and the new one count while they are changed. A provider without any
	// has no route. Those of Registry and Logs are tokens.
	Secrets map[Provider][]Secret
	// Deliveries: nil: NewMemory of 10,000 for a day.
	Deliveries Deliveries
	// Counters: nil: nothing is counted.
	Counters Counters
	// Log: nil: nothing is logged.
	Log *slog.Logger
	// MaxBody is how long a webhook may be, 25 MiB. MaxBodies is how much of all of
	// them is in memory at once, 64 MiB or what one may have: what is beyond is told
	// to come again.
	MaxBody, MaxBodies int64
	// MaxText is how long a log may be after decompression, 1 GiB. MaxTexts is how
	// many logs come in at once, 8.
	MaxText  int64
	MaxTexts int
	// BodyTime is how long a webhook's body may take, 30 seconds. Idle is how long
	// log text may pause, a minute.
	BodyTime, Idle time.Duration
	// SinkTime is how long Pushed may take, 10 seconds; it ends also where the
	// sender has gone, so that what has arrived whole is not lost.
	SinkTime time.Duration
	// Window is how far the time of a signature may be from ours, 5 minutes.
	Window time.Duration
	Now    func() time.Time
}

// Defaults of Options.
const (
	defaultBody    = 25 << 20
	defaultBodies  = 64 << 20
	defaultText    = 1 << 30
	defaultTexts   = 8
	defaultTime    = 30 * time.Second
	defaultIdle    = time.Minute
	defaultSink    = 10 * time.Second
	defaultWindow  = 5 * time.Minute
	defaultKept    = 10_000
	defaultKeeping = 24 * time.Hour
)

func (o Options) filled() Options {
	set := func(at *int64, to int64) {
		if *at <= 0 {
			*at = to
		}
	}
	lasting := func(at *time.Duration, to time.Duration) {
		if *at <= 0 {
			*at = to
		}
	}
	set(&o.MaxBody, defaultBody)
	set(&o.MaxBodies, max(defaultBodies, o.MaxBody+1))
	o.MaxBodies = max(o.MaxBodies, o.MaxBody+1)
	set(&o.MaxText, defaultText)
	lasting(&o.BodyTime, defaultTime)
	lasting(&o.Idle, defaultIdle)
	lasting(&o.SinkTime, defaultSink)
	lasting(&o.Window, defaultWindow)
	if o.MaxTexts <= 0 {
		o.MaxTexts = defaultTexts
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Deliveries == nil {
		o.Deliveries = NewMemory(defaultKept, defaultKeeping, o.Now)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}
