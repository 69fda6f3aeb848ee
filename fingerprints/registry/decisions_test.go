package registry_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
)

func (k *kit) decide(q registry.DecisionRequest) registry.DecisionView {
	k.t.Helper()
	if q.Reason == "" {
		q.Reason = "a test"
	}
	r, err := k.reg.Decide(k.ctx, me(), q)
	if err != nil {
		k.t.Fatal(err)
	}
	return r.Decision
}

// statuses are the statuses of known findings by source and path.
func (k *kit) statuses() map[string]fingerprints.Status {
	k.t.Helper()
	list, err := k.reg.Findings(k.ctx, me(), store.FindingFilter{})
	if err != nil {
		k.t.Fatal(err)
	}
	out := map[string]fingerprints.Status{}
	for _, f := range list {
		out[f.Source+":"+f.Path] = f.Status
	}
	return out
}

func (k *kit) wantStatuses(what string, want map[string]fingerprints.Status) {
	k.t.Helper()
	if d := cmp.Diff(want, k.statuses()); d != "" {
		k.t.Errorf("%s:\n%s", what, d)
	}
}

const other = "dir:/other"

// A decision about a value holds at every path and source, also those that are
// scanned later, until it runs out or is taken back.
func TestDecideValue(t *testing.T) {
	k := newKit(t)
	value, second := k.text(32), k.text(32)
	k.scan(src, k.seen(src, "a.env", value), k.seen(src, "b.env", second))
	k.scan(other, k.seen(other, "c.env", value))
	id := string(k.seen(src, "a.env", value).FindingID)
	before := k.head()
	d := k.decide(registry.DecisionRequest{Finding: id, Status: fingerprints.StatusFalsePositive, Owner: "payments", Until: k.now.Add(1000 * time.Hour)})
	if d.Findings != 2 || d.Present != 2 || !d.Value || d.Owner != "payments" {
		t.Errorf("%+v", d)
	}
	if got := k.actions(before); !cmp.Equal(got, []string{"finding.decide"}) {
		t.Errorf("the audit log has %v", got)
	}
	k.scan("dir:/late", k.seen("dir:/late", "x/y.env", value))
	no := fingerprints.StatusFalsePositive
	want := map[string]fingerprints.Status{
		src + ":a.env": no, src + ":b.env": fingerprints.StatusOpen, other + ":c.env": no, "dir:/late:x/y.env": no,
	}
	k.wantStatuses("decided", want)
	again, err := k.reg.Decide(k.ctx, me(), registry.DecisionRequest{Finding: id, Status: no, Owner: "payments", Until: *d.Until, Reason: "a test"})
	if err != nil || !again.Unchanged || again.Decision.ID != d.ID {
		t.Errorf("said twice: %+v, %v", again, err)
	}
	shown, err := k.reg.Finding(k.ctx, me(), id)
	if err != nil || shown.Decision != d.ID || shown.DecidedBy != "payments" || shown.Reason != "a test" || shown.Until == nil {
		t.Errorf("shown: %+v, %v", shown.FindingView, err)
	}
	// What is said of one finding stays with it, and does not take the decision up.
	if _, err := k.reg.Assign(k.ctx, me(), id, "team-x"); err != nil {
		t.Fatal(err)
	}
	if _, err := k.reg.Reopen(k.ctx, me(), id); !errors.Is(err, registry.ErrDecided) || !strings.Contains(err.Error(), "revoke 1") {
		t.Errorf("reopening: %v", err)
	}
	k.wait(2000 * time.Hour)
	for key := range want {
		want[key] = fingerprints.StatusOpen
	}
	k.wantStatuses("run out", want)
	list, err := k.reg.Decisions(k.ctx, me())
	if err != nil || len(list) != 1 || !list[0].Over || list[0].Findings != 0 {
		t.Errorf("run out: %+v, %v", list, err)
	}
	before = k.head()
	if _, err := k.reg.Revoke(k.ctx, me(), d.ID); err != nil {
		t.Fatal(err)
	}
	if got := k.actions(before); !cmp.Equal(got, []string{"finding.revoke"}) {
		t.Errorf("the audit log has %v", got)
	}
	if _, err := k.reg.Revoke(k.ctx, me(), d.ID); !errors.Is(err, registry.ErrUnknownDecision) {
		t.Errorf("revoked twice: %v", err)
	}
}

// A decision about a rule and paths follows the raw path, also of what comes
// later, and holds for no other rule and no registered value.
func TestDecideRule(t *testing.T) {
	k := newKit(t)
	mine := k.text(32)
	k.add("s", mine)
	k.scan(src, k.seen(src, "test/a", k.text(32)), k.seen(src, "app/a", k.text(32)), k.seen(src, "test/mine", mine, k.rows(ref("s", 1))...))
	d := k.decide(registry.DecisionRequest{Rule: "generic-api-key", Path: "test/**", Status: fingerprints.StatusFalsePositive})
	if d.Findings != 1 {
		t.Errorf("%+v", d)
	}
	renamed := k.seen(src, "test/b", k.text(32))
	renamed.Path = "[redacted]/b"
	alien := k.seen(src, "test/alien", k.text(32))
	alien.Sighting.Rule = "another-rule"
	k.scan(other, renamed, alien, k.seen(other, "app/test", k.text(32)))
	k.wantStatuses("decided", map[string]fingerprints.Status{
		src + ":test/a": fingerprints.StatusFalsePositive, src + ":app/a": fingerprints.StatusOpen, src + ":test/mine": fingerprints.StatusOpen,
		src + ":[redacted]/b": fingerprints.StatusFalsePositive, src + ":test/alien": fingerprints.StatusOpen, other + ":app/test": fingerprints.StatusOpen,
	})
	k.decide(registry.DecisionRequest{Rule: "*", Path: "**", Source: other, Status: fingerprints.StatusAccepted, Until: k.now.Add(time.Hour)})
	if got := k.statuses()[other+":app/test"]; got != fingerprints.StatusAccepted {
		t.Errorf("all rules of a source: %s", got)
	}
}

// Nothing that was decided silences a registered value that has to be rotated.
func TestDecideRegistered(t *testing.T) {
	k := newKit(t)
	value := k.text(32)
	o := k.seen(src, "a.env", value)
	k.scan(src, o)
	q := registry.DecisionRequest{Finding: string(o.FindingID), Status: fingerprints.StatusAccepted, Until: k.now.Add(1e6 * time.Hour), Reason: "a test"}
	k.decide(q)
	check := func(what string, want fingerprints.Status) {
		t.Helper()
		if got := k.statuses()[src+":a.env"]; got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	check("unregistered", fingerprints.StatusAccepted)
	k.add("s", value)
	check("registered and active", fingerprints.StatusOpen)
	q.Owner = "another"
	if _, err := k.reg.Decide(k.ctx, me(), q); !errors.Is(err, registry.ErrNotDecidable) {
		t.Errorf("deciding about an active value: %v", err)
	}
	q.Status = fingerprints.StatusFalsePositive
	if _, err := k.reg.Decide(k.ctx, me(), q); !errors.Is(err, registry.ErrRegistered) {
		t.Errorf("dismissing a registered value: %v", err)
	}
	k.rotate("s", k.text(32), time.Hour)
	check("lagging", fingerprints.StatusAccepted)
	k.wait(2 * time.Hour)
	check("overdue", fingerprints.StatusOpen)
	if _, err := k.reg.Retire(k.ctx, me(), ref("s", 1), registry.RetireOptions{}); err != nil {
		t.Fatal(err)
	}
	check("stale", fingerprints.StatusAccepted)
	if _, err := k.reg.Compromise(k.ctx, me(), ref("s", 1)); err != nil {
		t.Fatal(err)
	}
	check("compromised", fingerprints.StatusOpen)
}

func TestDecideRefuses(t *testing.T) {
	k := newKit(t)
	weak := k.seen(src, "weak", k.text(32))
	weak.Value = fingerprints.ValueID{}
	weak.FindingID = "rv1:00000000000000000000000000000001"
	k.scan(src, weak)
	no := fingerprints.StatusFalsePositive
	for name, c := range map[string]struct {
		q    registry.DecisionRequest
		want error
	}{
		"no reason":     {registry.DecisionRequest{Rule: "*", Path: "**", Status: no, Reason: " "}, registry.ErrInput},
		"no end":        {registry.DecisionRequest{Rule: "*", Path: "**", Status: fingerprints.StatusAccepted, Reason: "r"}, registry.ErrInput},
		"an end before": {registry.DecisionRequest{Rule: "*", Path: "**", Status: no, Reason: "r", Until: k.now}, registry.ErrInput},
		"open":          {registry.DecisionRequest{Rule: "*", Path: "**", Status: fingerprints.StatusOpen, Reason: "r"}, registry.ErrInput},
		"no path":       {registry.DecisionRequest{Rule: "*", Status: no, Reason: "r"}, registry.ErrInput},
		"nothing":       {registry.DecisionRequest{Status: no, Reason: "r"}, registry.ErrInput},
		"both":          {registry.DecisionRequest{Finding: "0000", Rule: "*", Path: "**", Status: no, Reason: "r"}, registry.ErrInput},
		"a bad glob":    {registry.DecisionRequest{Rule: "*", Path: "[", Status: no, Reason: "r"}, registry.ErrInput},
		"unknown":       {registry.DecisionRequest{Finding: "abcdef", Status: no, Reason: "r"}, registry.ErrUnknownFinding},
		"a weak value":  {registry.DecisionRequest{Finding: string(weak.FindingID), Status: no, Reason: "r"}, registry.ErrNoValueID},
	} {
		if _, err := k.reg.Decide(k.ctx, me(), c.q); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if list, err := k.reg.Decisions(k.ctx, me()); err != nil || len(list) != 0 {
		t.Errorf("%d decisions, %v", len(list), err)
	}
}

// The examination names decisions that nothing needs any more.
func TestDoctorDecisions(t *testing.T) {
	k := newKit(t)
	k.scan(src, k.seen(src, "test/a", k.text(32)))
	k.decide(registry.DecisionRequest{Rule: "*", Path: "test/**", Status: fingerprints.StatusFalsePositive})
	k.decide(registry.DecisionRequest{Rule: "*", Path: "old/**", Status: fingerprints.StatusFalsePositive})
	k.decide(registry.DecisionRequest{Rule: "*", Path: "**", Status: fingerprints.StatusAccepted, Until: k.now.Add(time.Minute)})
	k.wait(time.Hour)
	all, err := k.reg.Doctor(k.ctx, me(), registry.DoctorOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if c.Name == "decisions" {
			if d := cmp.Diff([]string{"2: not in use", "3: ran out"}, c.Items); d != "" || c.Level != registry.CheckWarning {
				t.Errorf("%s\n%s", c.Level, d)
			}
			return
		}
	}
	t.Error("decisions are not examined")
}
