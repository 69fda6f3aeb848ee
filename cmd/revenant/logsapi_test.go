package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// toldLog is an entry of a JSON report, as far as these tests look at it.
type toldLog struct {
	Verdict, File, Locator, Link, Presence, Form, Date, Source, Message string
	Refs                                                                []string
}

func (b *box) toldOfLogs(r ran) (out []toldLog) {
	b.t.Helper()
	if err := json.Unmarshal([]byte(r.stdout), &out); err != nil {
		b.t.Fatalf("%v\n%s\n%s", err, r.stdout, r.stderr)
	}
	slices.SortFunc(out, func(x, y toldLog) int { return strings.Compare(fmt.Sprint(x), fmt.Sprint(y)) })
	return out
}

// logsOf is a box with a registry of one retired value and a server.
func logsOf(t *testing.T) (b *box, s *actions, value string, scan []string) {
	b, s = newBox(t), newActions(t)
	b.env = append(b.env, "REVENANT_GITHUB_TOKEN="+s.token)
	value = newCanary(rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1)), "").value
	b.must(0, "", "init")
	b.must(0, value, "secret", "add", "billing/db")
	b.must(0, "", "secret", "retire", "billing/db@1", "--no-successor")
	return b, s, value, []string{"logs", s.api.URL + "/acme/shop", "--provider", "github", "-f", "json", "-r", "-", "-q"}
}

// TestLogsOfRuns: findings in the logs of runs, what a rescan asks for, and what
// becomes of logs that are gone.
func TestLogsOfRuns(t *testing.T) {
	b, s, value, scan := logsOf(t)
	for id := 1; id <= 150; id++ {
		s.run(id, actionsStep{"Set up job", "Current runner version: '2.300.0'"}, actionsStep{"Run tests", fmt.Sprintf("ok  shop/pkg%d 0.0%ds\nPASS", id, id%10)})
	}
	s.runs[20].Jobs[0].Steps[1].Log += "\n+ psql postgres://shop:" + value + "@db/shop"
	s.runs[70].Jobs[0].Steps[1].Log += "\ntoken in base64: " + base64.StdEncoding.EncodeToString([]byte(value))
	host := strings.TrimPrefix(s.api.URL, "http://")
	first := b.toldOfLogs(b.must(1, "", scan...))
	want := []toldLog{
		{
			"stale", "build/Run tests", "run 130 job 13000 step 2", s.api.URL + "/acme/shop/actions/runs/130/job/13000#step:2:3", "retained", "raw",
			"2026-05-06T09:18:10Z", "ci:github:" + host + "/acme/shop", "CI",
			[]string{"main"},
		},
		{
			"stale", "build/Run tests", "run 80 job 8000 step 2", s.api.URL + "/acme/shop/actions/runs/80/job/8000#step:2:3", "retained", "base64",
			"2026-05-06T08:28:10Z", "ci:github:" + host + "/acme/shop", "CI",
			[]string{"main"},
		},
	}
	if diff := cmp.Diff(want, first); diff != "" {
		t.Fatalf("findings (-want +got):\n%s", diff)
	}
	t.Logf("the first scan of 150 runs: %v", s.counted())
	again := b.toldOfLogs(b.must(1, "", scan...))
	if diff := cmp.Diff(want, again); diff != "" {
		t.Errorf("a rescan (-want +got):\n%s", diff)
	}
	asked := s.counted()
	t.Logf("a rescan with nothing new: %v", asked)
	if asked["archive"] > 0 || asked["jobs"] > 0 || asked["list"] > 1 || asked["logs"] > 2 {
		t.Errorf("a rescan asks for %v", asked)
	}
	s.run(151, actionsStep{"Set up job", "none"}, actionsStep{"Run tests", "PASS\n" + value})
	s.runs[21].Deleted = true // run 130
	s.runs[71].Expired = true // run 80
	got := b.toldOfLogs(b.must(1, "", scan...))
	if len(got) != 2 || got[0].Presence != "expired" || got[1].Locator != "run 151 job 15100 step 2" {
		t.Errorf("with one new, one deleted, one expired: %+v", got)
	}
	if asked := s.counted(); asked["archive"] != 1 || asked["jobs"] > 1 {
		t.Errorf("with one new: %v", asked)
	}
	s.runs[0].Deleted = true
	if got := b.toldOfLogs(b.must(0, "", scan...)); len(got) != 1 || got[0].Presence != "expired" || got[0].Verdict != "cleared" {
		t.Errorf("with only an expired one left: %+v", got)
	}
	var known []struct{ Verdict, Presence string }
	if err := json.Unmarshal([]byte(b.must(0, "", "findings", "list", "--json").stdout), &known); err != nil {
		t.Fatal(err)
	}
	for _, f := range known {
		if f.Verdict != "cleared" {
			t.Errorf("the registry has %+v", f)
		}
	}
	if len(s.leaked) > 0 {
		t.Errorf("credentials came to the storage host: %v", s.leaked)
	}
	if found := (canaries{{"value", value}, {"token", s.token}}).inTree(t, b.dir); len(found) > 0 {
		t.Errorf("written in clear: %v", found)
	}
}

// TestLogsNewValue: what was read is read again for a value that was registered
// since, unless only new runs are wanted.
func TestLogsNewValue(t *testing.T) {
	b, s, _, scan := logsOf(t)
	late := newCanary(rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 2)), "").value
	for id := 1; id <= 5; id++ {
		s.run(id, actionsStep{"Run", "login " + late[:min(len(late), 3*id)]})
	}
	s.runs[2].Jobs[0].Steps[0].Log = "x " + late
	b.must(0, "", append(scan, "--only", "registered")...)
	b.must(0, late, "secret", "add", "late/one")
	s.counted()
	b.must(0, "", append(scan, "--only", "registered", "--new-only")...)
	if asked := s.counted(); asked["archive"] > 0 {
		t.Errorf("--new-only asks for %v", asked)
	}
	if got := b.toldOfLogs(b.must(1, "", append(scan, "--only", "registered")...)); len(got) != 1 || got[0].Verdict != "leaked" {
		t.Errorf("findings %+v", got)
	}
	b.must(1, "", append(scan, "--only", "registered")...)
	s.counted()
	b.must(1, "", append(scan, "--only", "registered")...)
	if asked := s.counted(); asked["archive"] > 0 {
		t.Errorf("a rescan asks for %v", asked)
	}
}

// TestLogsDenied: what cannot be read is an error that teaches, and no all-clear.
func TestLogsDenied(t *testing.T) {
	b, s, _, scan := logsOf(t)
	s.run(1, actionsStep{"Run", "PASS"})
	s.token = "another"
	r := b.must(3, "", scan...)
	if !strings.Contains(r.stdout+r.stderr, "REVENANT_GITHUB_TOKEN") {
		t.Errorf("without access: %s%s", r.stdout, r.stderr)
	}
	s.api.Config.Handler = http.NotFoundHandler()
	if r := b.must(3, "", scan...); r.stdout+r.stderr == "" {
		t.Error("a project that is not there: no word")
	}
}

// TestLogsKilledAtAnyMoment kills scans of a project at random moments: the next goes on,
// and at the end the registry is that of an undisturbed run.
func TestLogsKilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 5))
	calm, s, value, scan := logsOf(t)
	rough := newBox(t)
	rough.env = append(rough.env, "REVENANT_GITHUB_TOKEN="+s.token)
	rough.must(0, "", "init")
	rough.must(0, value, "secret", "add", "billing/db")
	rough.must(0, "", "secret", "retire", "billing/db@1", "--no-successor")
	for id := 1; id <= 60; id++ {
		text := strings.Repeat(fmt.Sprintf("line of run %d\n", id), 500)
		if id%7 == 0 {
			text += "x=" + value + "\n"
		}
		s.run(id, actionsStep{"Run", text})
	}
	s.slow = 2 * time.Millisecond
	killedAndCalm(calm, rough, rng, 8, scan)
	if entries, err := os.ReadDir(rough.env[len(rough.env)-2][len("TMPDIR="):]); err == nil && len(entries) > 0 {
		t.Errorf("%d temporary files were left", len(entries))
	}
}
