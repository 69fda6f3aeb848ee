package fingerprints_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
)

// The axes of correlation. A rule's empty column stands for every value of
// its axis.
const (
	yes, no = "yes", "no"

	windowNone = "no window"
	windowOpen = "open"
	windowOver = "over"

	homeNone    = "not allowed"
	homeForever = "allowed without end"
	homeUntil   = "allowed until later"
	homeOver    = "was allowed"

	unknown = "unknown"
)

// rule is one row of the decision table: the design's table of verdicts, with
// nothing left to the order of the rows.
type rule struct {
	registered, state, compromised, presence, window, home string
	want                                                   fingerprints.Verdict
}

func rules() []rule {
	const here, away = "present", "not present"
	const allowed, notAllowed = "allowed", "not allowed now"
	return []rule{
		{"", "", "", away, "", "", fingerprints.VerdictCleared},
		{no, "", "", here, "", "", fingerprints.VerdictUnregistered},
		{yes, "", yes, here, "", "", fingerprints.VerdictCompromised},
		{yes, "pending", no, here, "", "", fingerprints.VerdictPremature},
		{yes, "active", no, here, "", notAllowed, fingerprints.VerdictLeaked},
		{yes, "active", no, here, "", allowed, fingerprints.VerdictAllowed},
		{yes, "superseded", no, here, windowNone, notAllowed, fingerprints.VerdictLagging},
		{yes, "superseded", no, here, windowOpen, notAllowed, fingerprints.VerdictLagging},
		{yes, "superseded", no, here, windowOver, notAllowed, fingerprints.VerdictOverdue},
		{yes, "superseded", no, here, "", allowed, fingerprints.VerdictAllowed},
		{yes, "retired", no, here, "", "", fingerprints.VerdictStale},
		{yes, "abandoned", no, here, "", "", fingerprints.VerdictStale},
		{yes, unknown, no, here, "", "", fingerprints.VerdictLeaked},
	}
}

// combination is one point of the space that the rules divide up.
type combination struct {
	registered, state, compromised, presence, window, home string
}

func (c combination) String() string {
	return fmt.Sprintf("registered=%s state=%s compromised=%s presence=%s window=%s home=%s",
		c.registered, c.state, c.compromised, c.presence, c.window, c.home)
}

// present is the reading of presence that verdicts need; it is spelled out
// here so that it does not follow the code.
func present(p string) string {
	if p == "gone" || p == "expired" {
		return "not present"
	}
	return "present"
}

func (r rule) covers(c combination) bool {
	homes := map[string][]string{
		"":                {homeNone, homeForever, homeUntil, homeOver},
		"allowed":         {homeForever, homeUntil},
		"not allowed now": {homeNone, homeOver},
	}
	match := func(pattern, value string) bool { return pattern == "" || pattern == value }
	return match(r.registered, c.registered) && match(r.state, c.state) && match(r.compromised, c.compromised) &&
		match(r.presence, present(c.presence)) && match(r.window, c.window) && slices.Contains(homes[r.home], c.home)
}

func axes() (states, presences []string) {
	for _, s := range fingerprints.States() {
		states = append(states, string(s))
	}
	for _, p := range fingerprints.Presences() {
		presences = append(presences, string(p))
	}
	return append(states, unknown), append(presences, unknown)
}

func combinations() []combination {
	var all []combination
	states, presences := axes()
	for _, registered := range []string{yes, no} {
		for _, state := range states {
			for _, compromised := range []string{yes, no} {
				for _, presence := range presences {
					for _, window := range []string{windowNone, windowOpen, windowOver} {
						for _, home := range []string{homeNone, homeForever, homeUntil, homeOver} {
							all = append(all, combination{registered, state, compromised, presence, window, home})
						}
					}
				}
			}
		}
	}
	return all
}

var correlateNow = time.Date(2026, 11, 24, 10, 40, 0, 0, time.UTC)

// circumstances are the ways to write a combination down: both the far and
// the exact side of every boundary in time.
func (c combination) circumstances() []fingerprints.Circumstance {
	windows := map[string][]time.Time{
		windowNone: {{}},
		windowOpen: {correlateNow.Add(time.Hour), correlateNow.Add(time.Nanosecond)},
		windowOver: {correlateNow.Add(-time.Hour), correlateNow},
	}
	untils := map[string][]time.Time{
		homeNone:    {{}, correlateNow.Add(time.Hour)},
		homeForever: {{}},
		homeUntil:   {correlateNow.Add(time.Hour), correlateNow.Add(time.Nanosecond)},
		homeOver:    {correlateNow.Add(-time.Hour), correlateNow},
	}
	var out []fingerprints.Circumstance
	for _, w := range windows[c.window] {
		for _, u := range untils[c.home] {
			out = append(out, fingerprints.Circumstance{
				Registered: c.registered == yes, State: fingerprints.State(c.state), Compromised: c.compromised == yes,
				WindowEnds: w, Presence: fingerprints.Presence(c.presence), Allowed: c.home != homeNone, AllowedUntil: u,
			})
		}
	}
	return out
}

func TestCorrelateEveryCombination(t *testing.T) {
	used := make(map[int]int)
	for _, c := range combinations() {
		var matching []int
		for i, r := range rules() {
			if r.covers(c) {
				matching = append(matching, i)
				used[i]++
			}
		}
		if len(matching) != 1 {
			t.Fatalf("%s: rules %v apply, want one", c, matching)
		}
		want := rules()[matching[0]].want
		for _, circumstance := range c.circumstances() {
			if got := fingerprints.Correlate(circumstance, correlateNow); got != want {
				t.Errorf("%s: %s, want %s", c, got, want)
			}
		}
	}
	for i, r := range rules() {
		if used[i] == 0 {
			t.Errorf("rule %+v applies to nothing", r)
		}
	}
}

func TestCorrelateKnowsEveryVerdict(t *testing.T) {
	reached := map[fingerprints.Verdict]bool{}
	for _, r := range rules() {
		reached[r.want] = true
	}
	for _, v := range fingerprints.Verdicts() {
		if !reached[v] {
			t.Errorf("no combination leads to %s", v)
		}
		delete(reached, v)
	}
	if len(reached) > 0 {
		t.Errorf("verdicts that Verdicts does not list: %v", reached)
	}
}

func TestWorse(t *testing.T) {
	order := []fingerprints.Verdict{
		"compromised", "leaked", "premature", "stale", "overdue", "lagging", "unregistered", "allowed", "cleared",
	}
	if diff := cmp.Diff(order, fingerprints.Verdicts()); diff != "" {
		t.Errorf("order of verdicts (-want +got):\n%s", diff)
	}
	for i, a := range order {
		for j, b := range order {
			if got, want := fingerprints.Worse(a, b), order[min(i, j)]; got != want {
				t.Errorf("Worse(%s, %s) = %s, want %s", a, b, got, want)
			}
		}
	}
}

// severities is the whole table: live and dug-up copies for ordinary classes,
// then for bootstrap and cryptographic ones.
func TestSeverityOf(t *testing.T) {
	type row struct{ live, dug, liveKey, dugKey fingerprints.Severity }
	table := map[fingerprints.Verdict]row{
		"compromised":  {"critical", "critical", "critical", "critical"},
		"leaked":       {"critical", "high", "critical", "critical"},
		"premature":    {"critical", "high", "critical", "critical"},
		"overdue":      {"high", "medium", "high", "medium"},
		"stale":        {"medium", "low", "medium", "low"},
		"lagging":      {"medium", "low", "medium", "low"},
		"unregistered": {"medium", "low", "medium", "low"},
		"allowed":      {"info", "info", "info", "info"},
		"cleared":      {"info", "info", "info", "info"},
	}
	live := []fingerprints.Presence{"tip", "visible", "metadata", "retained", "never heard of"}
	classes := append(fingerprints.Classes(), "")
	for _, v := range fingerprints.Verdicts() {
		for _, class := range classes {
			for _, p := range append(fingerprints.Presences(), "never heard of") {
				r := table[v]
				isLive := slices.Contains(live, p)
				isKey := class == "bootstrap" || class == "cryptographic"
				want := r.dug
				switch {
				case isLive && isKey:
					want = r.liveKey
				case isLive:
					want = r.live
				case isKey:
					want = r.dugKey
				}
				if got := fingerprints.SeverityOf(v, class, p); got != want {
					t.Errorf("SeverityOf(%s, %q, %s) = %s, want %s", v, class, p, got, want)
				}
			}
		}
	}
}
