package notify_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
	"revenant/ingest/notify"
)

func (k *kit) told(n *notify.Notifier, b *inbox, what string, want ...string) {
	k.t.Helper()
	k.round(n)
	if d := cmp.Diff(want, events(b.take())); d != "" {
		k.t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

// A finding is told once, and again when its verdict changes, when it goes and
// when it comes back.
func TestLife(t *testing.T) {
	k := newKit(t)
	b := &inbox{}
	n := k.notifier(b)
	k.told(n, b, "nothing")
	value, other := k.text(), k.text()
	k.add("app", value)
	a, g := k.seen("a.env", value, k.rows("app")...), k.seen("g.env", other)
	k.scan(a, g)
	k.told(n, b, "new", "opened leaked app@1 a.env", "opened unregistered generic-api-key g.env")
	k.scan(a, g)
	k.told(n, b, "scanned again")
	k.retire("app", 1)
	k.told(n, b, "retired", "changed was leaked stale app@1 a.env")
	k.add("shop", other)
	k.told(n, b, "registered", "changed was unregistered leaked shop@1 g.env")
	k.scan(g)
	k.told(n, b, "gone", "cleared was stale cleared app@1 a.env")
	k.scan(a, g)
	k.told(n, b, "back", "returned was cleared stale app@1 a.env")

	_, err := k.reg.Accept(k.ctx, me(), string(g.FindingID), k.clock().Add(time.Hour), "known")
	k.must(err)
	k.told(n, b, "accepted", "settled was leaked leaked shop@1 g.env")
	k.wait(2 * time.Hour)
	k.told(n, b, "the acceptance ended", "reopened was settled leaked shop@1 g.env")
	k.told(n, b, "nothing more")
}

// Who was never told of a finding learns of the verdict that concerns them.
func TestStaleAlone(t *testing.T) {
	k := newKit(t)
	b := &inbox{}
	n := k.notifier(b, notify.Rule{Name: "stale", Verdicts: []fingerprints.Verdict{fingerprints.VerdictStale}, Receivers: []string{"chat"}})
	value := k.text()
	k.add("app", value)
	k.told(n, b, "nothing")
	k.scan(k.seen("a.env", value, k.rows("app")...))
	k.told(n, b, "leaked")
	k.wait(time.Minute)
	k.retire("app", 1)
	k.told(n, b, "retired", "changed stale app@1 a.env")
	k.scan(k.seen("a.env", value, k.rows("app")...), k.seen("b.env", value, k.rows("app")...))
	k.told(n, b, "a new copy of a retired value", "opened stale app@1 b.env")
}

// The window of a superseded version ends by the clock alone.
func TestOverdue(t *testing.T) {
	k := newKit(t)
	b := &inbox{}
	n := k.notifier(b)
	value := k.text()
	k.add("app", value)
	k.scan(k.seen("a.env", value, k.rows("app")...))
	k.round(n)
	b.take()
	_, err := k.reg.Rotate(k.ctx, me(), registry.RotateRequest{Name: "app", Generate: true, Window: time.Hour})
	k.must(err)
	k.told(n, b, "superseded", "changed was leaked lagging app@1 a.env")
	k.wait(time.Hour)
	k.told(n, b, "the window ended", "changed was lagging overdue app@1 a.env")
}

// What was there before a receiver is one summary, however much it is, and what
// becomes of it afterwards is told.
func TestNoFlood(t *testing.T) {
	k := newKit(t)
	value := k.text()
	k.add("app", value)
	const many = 1200
	var obs []registry.Observation
	for i := range many {
		obs = append(obs, k.seen(fmt.Sprintf("f%04d", i), value, k.rows("app")...))
	}
	generic := k.seen("g.env", k.text())
	k.scan(append(obs, generic)...)
	b := &inbox{}
	n := k.notifier(b)
	k.round(n)
	got := b.take()
	if len(got) != 1 || got[0].Kind != wire.NotifySummary || got[0].Total != many+1 || len(got[0].Events) != 20 {
		t.Fatalf("got %d messages: %v", len(got), events(got))
	}
	want := []wire.NotificationCount{
		{Event: wire.EventOpened, Verdict: fingerprints.VerdictLeaked, Severity: fingerprints.SeverityCritical, Count: many},
		{Event: wire.EventOpened, Verdict: fingerprints.VerdictUnregistered, Severity: fingerprints.SeverityMedium, Count: 1},
	}
	if d := cmp.Diff(want, got[0].Counts); d != "" {
		t.Error(d)
	}
	if got[0].Events[0].Severity != fingerprints.SeverityCritical {
		t.Errorf("the worst does not come first: %+v", got[0].Events[0])
	}
	k.told(n, b, "again")

	// A change of all of them is one digest.
	k.retire("app", 1)
	k.round(n)
	got = b.take()
	if len(got) != 1 || got[0].Total != many || len(got[0].Events) != 20 || got[0].Events[0].Event != wire.EventChanged {
		t.Fatalf("got %d messages: %v", len(got), events(got))
	}

	// Another process with the same rules begins where this one stopped.
	n = k.notifier(b)
	k.told(n, b, "started again")
	k.scan(append(obs, generic, k.seen("h.env", k.text()))...)
	k.told(n, b, "new", "opened unregistered generic-api-key h.env")

	// Rules that select more: the rest is one summary.
	narrow := notify.Rule{Name: "stale", Verdicts: []fingerprints.Verdict{fingerprints.VerdictStale}, Receivers: []string{"chat"}}
	k.told(k.notifier(b, narrow), b, "narrower")
	k.scan(append(obs, generic, k.seen("h.env", k.text()), k.seen("i.env", k.text()))...)
	b.take()
	n = k.notifier(b)
	k.round(n)
	for _, e := range events(b.take()) {
		if e != "summary of 2" && e != "cleared was unregistered cleared generic-api-key h.env" {
			t.Errorf("wider: %s", e)
		}
	}
}

func TestWindow(t *testing.T) {
	k := newKit(t)
	b := &inbox{}
	n := k.notifier(b)
	k.told(n, b, "nothing")
	k.scan(k.seen("a.env", k.text()))
	k.must(n.Round(k.ctx))
	k.wait(20 * time.Second)
	k.must(n.Round(k.ctx))
	if got := b.take(); len(got) > 0 {
		t.Errorf("sent before its window was over: %v", events(got))
	}
	a := k.seen("a.env", k.text())
	k.scan(a, k.seen("b.env", k.text()))
	k.wait(11 * time.Second)
	k.must(n.Round(k.ctx))
	if got := b.take(); len(got) != 1 || got[0].Total < 3 {
		t.Errorf("not together: %v", events(got))
	}
	value := k.text()
	k.add("app", value)
	k.scan(k.seen("c.env", value, k.rows("app")...))
	k.must(n.Round(k.ctx))
	if got := b.take(); len(got) != 1 {
		t.Errorf("what is critical waited: %v", events(got))
	}
}

func TestRules(t *testing.T) {
	k := newKit(t)
	boxes := map[string]*inbox{}
	senders := map[string]notify.Sender{}
	c := notify.Config{}
	rule := func(name string, r notify.Rule) {
		boxes[name] = &inbox{}
		senders[name] = boxes[name]
		r.Name, r.Receivers = name, []string{name}
		c.Receivers, c.Rules = append(c.Receivers, hook(t, name)), append(c.Rules, r)
	}
	rule("high", notify.Rule{MinSeverity: fingerprints.SeverityHigh})
	rule("medium", notify.Rule{MinSeverity: fingerprints.SeverityMedium})
	rule("owner", notify.Rule{Owners: []string{"team-*/*"}})
	rule("source", notify.Rule{Sources: []string{"git:example.org/*"}})
	rule("elsewhere", notify.Rule{Sources: []string{"git:example.com/**"}})
	rule("secret", notify.Rule{Secrets: []string{"billing/**"}})
	rule("other", notify.Rule{Secrets: []string{"shop/**"}})
	rule("unregistered", notify.Rule{Verdicts: []fingerprints.Verdict{fingerprints.VerdictUnregistered}})
	rule("accepted", notify.Rule{Statuses: []fingerprints.Status{fingerprints.StatusAccepted}})
	rule("cleared", notify.Rule{Events: []wire.Event{wire.EventCleared}})
	n := k.with(c, senders)
	k.round(n)
	value := k.text()
	k.add("billing/db", value)
	a, g := k.seen("a.env", value, k.rows("billing/db")...), k.seen("g.env", k.text())
	k.scan(a, g)
	k.round(n)
	leaked, generic := "opened leaked billing/db@1 a.env", "opened unregistered generic-api-key g.env"
	want := func(what string, want map[string][]string) {
		t.Helper()
		for name, b := range boxes {
			if d := cmp.Diff(want[name], events(b.take())); d != "" {
				t.Errorf("%s, %s (-want +got):\n%s", what, name, d)
			}
		}
	}
	want("opened", map[string][]string{
		"high": {leaked}, "medium": {leaked, generic}, "owner": {leaked}, "source": {leaked, generic}, "secret": {leaked}, "unregistered": {generic},
	})
	_, err := k.reg.Accept(k.ctx, me(), string(g.FindingID), k.clock().Add(time.Hour), "known")
	k.must(err)
	k.round(n)
	settled := "settled was unregistered unregistered generic-api-key g.env"
	want("accepted", map[string][]string{
		"medium": {settled}, "source": {settled}, "unregistered": {settled}, "accepted": {generic},
	})
	k.scan()
	k.round(n)
	cleared := "cleared was leaked cleared billing/db@1 a.env"
	gone := "cleared was unregistered cleared generic-api-key g.env"
	want("gone", map[string][]string{
		"high": {cleared}, "medium": {cleared}, "owner": {cleared}, "source": {cleared}, "secret": {cleared}, "accepted": {gone},
		"cleared": {cleared}, // it had settled before
	})
}

func TestHealth(t *testing.T) {
	k := newKit(t)
	boxes := map[string]*inbox{"all": {}, "secrets": {}, "named": {}, "elsewhere": {}}
	c := notify.Config{Rules: []notify.Rule{
		{Name: "all", Receivers: []string{"all"}},
		{Name: "secrets", Secrets: []string{"**"}, Receivers: []string{"secrets"}},
		{Name: "named", Secrets: []string{"**"}, Events: []wire.Event{wire.EventSourceFailing}, Receivers: []string{"named"}},
		{Name: "elsewhere", Sources: []string{"git:example.com/**"}, Receivers: []string{"elsewhere"}},
	}}
	senders := map[string]notify.Sender{}
	for name, b := range boxes {
		c.Receivers, senders[name] = append(c.Receivers, hook(t, name)), b
	}
	n := k.with(c, senders)
	failing, recovered := "source-failing "+src, "source-recovered "+src
	for _, step := range []struct {
		problem string
		want    map[string][]string
	}{
		{"", nil},
		{"no\x1broute", map[string][]string{"all": {failing}, "named": {failing}}},
		{"no route, still", nil},
		{"", map[string][]string{"all": {recovered}}},
		{"", nil},
	} {
		k.must(n.Health(k.ctx, src, step.problem))
		k.round(n)
		for name, b := range boxes {
			got := b.take()
			if d := cmp.Diff(step.want[name], events(got)); d != "" {
				t.Errorf("%q, %s:\n%s", step.problem, name, d)
			}
			if len(got) > 0 && step.problem != "" && got[0].Events[0].Detail != "no?route" {
				t.Errorf("the problem is told as %q", got[0].Events[0].Detail)
			}
		}
	}
}

// A generic finding that was told keeps that when it becomes a registered one.
func TestMerged(t *testing.T) {
	k := newKit(t)
	b := &inbox{}
	n := k.notifier(b)
	k.told(n, b, "nothing")
	old := k.seen("a.env", k.text())
	k.scan(old)
	k.told(n, b, "generic", "opened unregistered generic-api-key a.env")
	value := k.text()
	k.add("app", value)
	k.scan(k.seen("a.env", value, k.rows("app")...))
	k.told(n, b, "merged", "changed was unregistered leaked app@1 a.env")
}

// What is forgotten before it is told is not told, and nothing hangs on it.
func TestForgotten(t *testing.T) {
	k := newKit(t)
	b := &inbox{}
	n := k.notifier(b)
	k.told(n, b, "nothing")
	k.scan(k.seen("a.env", k.text()))
	k.must(n.Follow(k.ctx))
	k.wait(time.Minute)
	k.must(n.Follow(k.ctx)) // a message is made
	k.must(k.reg.ForgetSource(k.ctx, me(), src))
	k.told(n, b, "forgotten")
	if back, err := n.Backlog(k.ctx); err != nil || back != (notify.Backlog{}) {
		t.Errorf("left: %+v, %v", back, err)
	}
}

func TestNewRefuses(t *testing.T) {
	k := newKit(t)
	good := notify.Config{Receivers: []notify.Receiver{hook(t, "chat")}, Rules: []notify.Rule{everything("chat")}}
	for name, o := range map[string]notify.Options{
		"no store":  {Config: good, Registry: k.reg},
		"no sender": {Config: good, Registry: k.reg, Store: k.store},
		"no rules":  {Config: notify.Config{Rules: []notify.Rule{everything("nobody")}}, Registry: k.reg, Store: k.store},
	} {
		if _, err := notify.New(o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	n := k.with(notify.Config{}, nil)
	k.must(n.Round(k.ctx))
	k.must(n.Health(k.ctx, src, "x"))
	if err := n.Retry(k.ctx, "msg_x"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("sending again what is not there: %v", err)
	}
}
