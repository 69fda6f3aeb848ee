package notify

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/registry"
)

// concerns reports whether a rule selects a finding.
func (r Rule) concerns(f registry.Finding) bool {
	verdict := f.Verdict != fingerprints.VerdictAllowed && f.Verdict != fingerprints.VerdictCleared
	if len(r.Verdicts) > 0 {
		verdict = slices.Contains(r.Verdicts, f.Verdict) && f.Verdict != fingerprints.VerdictCleared
	}
	status := f.Status == fingerprints.StatusOpen || f.Status == ""
	if len(r.Statuses) > 0 {
		status = slices.Contains(r.Statuses, f.Status)
	}
	return verdict && status && !f.TooCommon && r.severe(f.Severity) && globs(r.Sources, f.Source) &&
		globs(r.Owners, owners(f)...) && globs(r.Secrets, secrets(f)...)
}

func (r Rule) severe(s fingerprints.Severity) bool {
	if r.MinSeverity == "" {
		return true
	}
	ranks := fingerprints.Severities()
	return slices.Index(ranks, s) <= slices.Index(ranks, r.MinSeverity) // an unknown severity is told
}

// tells reports whether a rule lets an event through.
func (r Rule) tells(e wire.Event) bool { return len(r.Events) == 0 || slices.Contains(r.Events, e) }

// ofSource reports whether a rule tells an event of a source: one that names the
// event, or one that selects by nothing but sources.
func (r Rule) ofSource(e wire.Event, source string) bool {
	if !globs(r.Sources, source) {
		return false
	}
	if len(r.Events) > 0 {
		return slices.Contains(r.Events, e)
	}
	return len(r.Verdicts)+len(r.Statuses)+len(r.Owners)+len(r.Secrets) == 0
}

func owners(f registry.Finding) []string {
	out := []string{f.Owner}
	for _, m := range f.Matches {
		out = append(out, m.Owner)
	}
	return out
}

func secrets(f registry.Finding) []string {
	var out []string
	for _, m := range f.Matches {
		out = append(out, m.Secret)
	}
	return out
}

// globs reports whether one of the globs matches one of the texts; without globs
// everything does.
func globs(list []string, texts ...string) bool {
	return len(list) == 0 || slices.ContainsFunc(list, func(g string) bool {
		return slices.ContainsFunc(texts, func(t string) bool { return doublestar.MatchUnvalidated(g, t) })
	})
}

// addressee is a receiver with the rules that name it.
type addressee struct {
	Receiver
	rules []Rule
}

func (c Config) addressees() []addressee {
	var out []addressee
	for _, r := range c.Receivers {
		a := addressee{Receiver: r}
		for _, rule := range c.Rules {
			if slices.Contains(rule.Receivers, r.Name) {
				a.rules = append(a.rules, rule)
			}
		}
		if len(a.rules) > 0 {
			out = append(out, a)
		}
	}
	return out
}

// print is a fingerprint of what the rules select, without their names and
// receivers: it changes when other findings may be selected.
func (a addressee) print() string {
	rules := slices.Clone(a.rules)
	for i := range rules {
		rules[i].Name, rules[i].Receivers, rules[i].Events = "", nil, nil
	}
	text, err := json.Marshal(rules)
	if err != nil {
		panic("notify: rules are plain data: " + err.Error())
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

func (a addressee) concerns(f registry.Finding) bool {
	return slices.ContainsFunc(a.rules, func(r Rule) bool { return r.concerns(f) })
}

// tells reports whether an event of a finding is to be told: by a rule that
// selects the finding, or, where none does any more, by any.
func (a addressee) tells(e wire.Event, f registry.Finding) bool {
	concerned := a.concerns(f)
	return slices.ContainsFunc(a.rules, func(r Rule) bool { return r.tells(e) && (!concerned || r.concerns(f)) })
}

// What is told of a finding that asks for nobody; otherwise its verdict is.
const (
	wordCleared = string(fingerprints.VerdictCleared)
	wordSettled = string(wire.EventSettled)
)

// turn is what an addressee is to be told of a finding.
type turn struct {
	event wire.Event // empty: nothing
	was   string
	word  string // what it will have been told; empty: as before
}

// turn compares a finding with what was told of it; told is empty when nothing
// was.
func (a addressee) turn(told string, f registry.FeedFinding) turn {
	concerned := a.concerns(f.Finding)
	verdict := string(f.Verdict)
	switch told {
	case "":
		if !concerned {
			return turn{}
		}
		if f.VerdictSince.After(f.FirstSeen) {
			return turn{event: wire.EventChanged, word: verdict}
		}
		return turn{event: wire.EventOpened, word: verdict}
	case wordCleared, wordSettled:
		switch {
		case concerned && told == wordCleared:
			return turn{event: wire.EventReturned, was: told, word: verdict}
		case concerned:
			return turn{event: wire.EventReopened, was: told, word: verdict}
		case verdict == wordCleared && told == wordSettled:
			return turn{word: wordCleared}
		}
		return turn{}
	}
	switch {
	case verdict == wordCleared:
		return turn{event: wire.EventCleared, was: told, word: wordCleared}
	case !concerned && asksNobody(f.Finding):
		return turn{event: wire.EventSettled, was: told, word: wordSettled}
	case verdict != told:
		return turn{event: wire.EventChanged, was: told, word: verdict}
	}
	return turn{}
}

func asksNobody(f registry.Finding) bool {
	return f.Verdict == fingerprints.VerdictAllowed || !fingerprints.Standing{Status: f.Status, TooCommon: f.TooCommon}.Alerts()
}

// urgent reports whether an event does not wait for others.
func urgent(e wire.Event, s fingerprints.Severity) bool {
	switch e {
	case wire.EventOpened, wire.EventChanged, wire.EventReturned, wire.EventReopened:
		return s == fingerprints.SeverityCritical
	case wire.EventSettled, wire.EventCleared, wire.EventSourceFailing, wire.EventSourceRecovered:
	}
	return false
}

// due reports whether what waits for a receiver is to be sent.
func (a addressee) due(now, oldest time.Time) bool { return !now.Before(oldest.Add(a.window())) }
