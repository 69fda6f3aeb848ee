package registry_test

import (
	"strings"
	"testing"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
)

// What an interrupted scan recorded under a blob's name becomes the finding at the
// path that a later scan knows, with what people said of it, and only there.
func TestStandIns(t *testing.T) {
	const repo, blob = "git:example.org/app", "blob:0123456789abcdef0123456789abcdef01234567"
	k := newKit(t)
	at := func(path, locator, value string) registry.Observation {
		o := k.seen(repo, path, value)
		o.Sighting.Locator = locator
		return o
	}
	name := "@blob/" + strings.TrimPrefix(blob, "blob:")
	value, second, third := k.text(32), k.text(32), k.text(32)
	weak := at(name, blob, third)
	weak.Value, weak.FindingID, weak.Sighting.Start = fingerprints.ValueID{}, "rv1:00000000000000000000000000000001", 500
	cut := k.begin(repo, "")
	if _, err := cut.Record(k.ctx, []registry.Observation{
		at(name, blob, value), at(name+"!a.txt", blob, second), weak, at("@blob/ffff", "blob:ffff", value),
	}); err != nil {
		t.Fatal(err)
	}
	k.finish(cut, false)
	old := string(at(name, blob, value).FindingID)
	if _, err := k.reg.Accept(k.ctx, me(), old, k.now.Add(1000*time.Hour), "known"); err != nil {
		t.Fatal(err)
	}

	placed := weak
	placed.Path, placed.RawPath, placed.FindingID = "c.env", "c.env", "rv1:00000000000000000000000000000002"
	run := k.begin(repo, "")
	list := []registry.Observation{
		at("a.env", blob, value), at("copy/a.env", blob, value), at("b.zip!a.txt", blob, second), at("b.zip!b.txt", blob, second), placed,
		at("@blob/ffff", "blob:ffff", value), // nothing names it: it stays
	}
	for range 2 { // recording again changes nothing
		got, err := run.Record(k.ctx, list)
		if err != nil {
			t.Fatal(err)
		}
		if got[0].New || got[0].FindingID != list[0].FindingID {
			t.Errorf("the placed one: %+v", got[0])
		}
	}
	k.finish(run, true)
	found, err := k.reg.Findings(k.ctx, me(), store.FindingFilter{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		aliases, status := 0, fingerprints.StatusOpen
		switch f.Path {
		case "a.env":
			aliases, status = 1, fingerprints.StatusAccepted
		case "b.zip!a.txt", "c.env":
			aliases = 1
		}
		if len(f.Aliases) != aliases || f.Status != status || f.Presence != fingerprints.PresenceTip {
			t.Errorf("%s: %s, %s, %d aliases", f.Path, f.Status, f.Presence, len(f.Aliases))
		}
	}
	if len(found) != 6 {
		t.Errorf("%d findings, want 6", len(found))
	}
	shown, err := k.reg.Finding(k.ctx, me(), old)
	if err != nil || shown.Path != "a.env" || shown.Reason != "known" {
		t.Errorf("by its old id: %+v, %v", shown.FindingView, err)
	}
	// A scan that is interrupted again records under the same finding.
	again := k.begin(repo, "")
	if _, err := again.Record(k.ctx, []registry.Observation{at(name, blob, value)}); err != nil {
		t.Fatal(err)
	}
	k.finish(again, false)
	if found, err := k.reg.Findings(k.ctx, me(), store.FindingFilter{}); err != nil || len(found) != 6 {
		t.Errorf("interrupted again: %d findings, %v", len(found), err)
	}
}
