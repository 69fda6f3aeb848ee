package remedy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/ingest/remedy"
)

func finding(source, path string, verdict fingerprints.Verdict, presence fingerprints.Presence, locators ...string) wire.FindingDetail {
	d := wire.FindingDetail{FindingView: wire.FindingView{
		ID: "rv1:3f2a9c3f2a9c3f2a9c3f2a9c3f2a9c3f", Source: source, Path: path, Verdict: verdict, Presence: presence, Places: len(locators),
	}}
	if verdict != fingerprints.VerdictUnregistered {
		d.Matches = []wire.FindingMatch{{Secret: "billing/db-password", Version: 1, Field: "value", State: fingerprints.StateRetired}}
	}
	if verdict == fingerprints.VerdictLeaked {
		d.Matches[0].State = fingerprints.StateActive
	}
	for _, l := range locators {
		d.Sightings = append(d.Sightings, wire.SightingView{Locator: l, Presence: presence})
	}
	return d
}

func commands(d wire.FindingDetail) string {
	var all []string
	for _, s := range remedy.Steps(d) {
		all = append(all, s.Commands...)
	}
	return strings.Join(all, "\n")
}

// Each verdict, and each kind of place, has its commands.
func TestSteps(t *testing.T) {
	const stale, leaked, unregistered = fingerprints.VerdictStale, fingerprints.VerdictLeaked, fingerprints.VerdictUnregistered
	for name, c := range map[string]struct {
		d          wire.FindingDetail
		want, none []string
	}{
		"leaked":       {finding("dir:/srv", "a", leaked, "tip"), []string{"revenant secret rotate billing/db-password", "revenant secret retire billing/db-password@1", "revenant prove billing/db-password@1"}, nil},
		"stale":        {finding("dir:/srv", "a", stale, "tip"), []string{`"${EDITOR:-vi}" -- /srv/a`, "revenant dir /srv"}, []string{"rotate", "retire"}},
		"unregistered": {finding("dir:/srv", "a", unregistered, "tip"), []string{"revenant secret adopt 3f2a9c3f", "revenant findings dismiss 3f2a9c3f"}, []string{"prove"}},
		"lagging":      {finding("dir:/srv", "a", fingerprints.VerdictLagging, "tip"), []string{"revenant secret retire billing/db-password@1"}, []string{"rotate"}},
		"premature":    {finding("dir:/srv", "a", fingerprints.VerdictPremature, "tip"), []string{"revenant secret abandon billing/db-password@1"}, nil},
		"packed":       {finding("dir:/srv", "b.zip!a", stale, "tip"), []string{"rm -i -- /srv/b.zip"}, []string{"EDITOR"}},
		"git tip":      {finding("git:git.example.org/acme/shop", "a b", stale, "tip", "blob:1"), []string{`./'a b'`, "git clone --mirror https://git.example.org/acme/shop.git", "git filter-repo --replace-text"}, nil},
		"git history":  {finding("git:git.example.org/acme/shop", "a", stale, "history", "blob:1"), []string{"git filter-repo"}, []string{"EDITOR"}},
		"git stash":    {finding("git:git.example.org/acme/shop", "a", stale, "unreachable", "blob:1"), []string{"git gc --prune=now"}, []string{"filter-repo"}},
		"image":        {finding("image:r.example.org/shop", "@env/KEY", stale, "metadata", "image sha256:ab"), []string{"crane delete r.example.org/shop@sha256:ab"}, nil},
		"layer":        {finding("image:r.example.org/shop", "a", stale, "visible", "layer sha256:ab entry 3"), []string{"crane ls r.example.org/shop", "grep -q sha256:ab"}, nil},
		"github":       {finding("ci:github:github.com/acme/shop", "build/test", stale, "retained", "run 7 attempt 2 job 3 step 4"), []string{"gh api --method DELETE repos/acme/shop/actions/runs/7/logs"}, nil},
		"ghes":         {finding("ci:github:gh.example.org/acme/shop", "build/test", stale, "retained", "run 7"), []string{"--hostname gh.example.org"}, nil},
		"gitlab":       {finding("ci:gitlab:gitlab.com/acme/web/shop", "test", stale, "retained", "run 7 job 9"), []string{"https://gitlab.com/api/v4/projects/acme%2Fweb%2Fshop/jobs/9/erase"}, nil},
		"jenkins":      {finding("ci:jenkins:ci.example.org/acme/shop", "console", stale, "retained", "run 12"), []string{"https://ci.example.org/job/acme/job/shop/12/doDelete"}, nil},
		"kafka": {
			finding("kafka:abc/orders", "@value", stale, "retained", "partition 2 offset 7", "partition 0 offset 5", "partition 2 offset 41 header 1"),
			[]string{`{"topic":"orders","partition":0,"offset":6},{"topic":"orders","partition":2,"offset":42}`, "kafka-delete-records.sh"},
			nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := commands(c.d)
			for _, want := range c.want {
				if !strings.Contains(got, want) {
					t.Errorf("%s is not there:\n%s", want, got)
				}
			}
			for _, none := range c.none {
				if strings.Contains(got, none) {
					t.Errorf("%s is there:\n%s", none, got)
				}
			}
		})
	}
	if steps := remedy.Steps(finding("dir:/srv", "a", fingerprints.VerdictCleared, "gone")); steps != nil {
		t.Errorf("what is cleared has %d steps", len(steps))
	}
}

// A shell takes the names of a command for names, whatever they are; a name that is
// not shown as it is stands in no command.
func TestHostileNames(t *testing.T) {
	for _, name := range []string{`'; touch owned; '`, "$(touch owned)", "`touch owned`", "a\\' b", "-rf", "~", "*", "a;b", "ä", `"`, "#x", "!x"} {
		dir := t.TempDir()
		for _, c := range strings.Split(commands(finding("dir:"+name, name, fingerprints.VerdictStale, "tip")), "\n") {
			sh := exec.CommandContext(t.Context(), "sh", "-c", `revenant() { printf '%s\n' "$@"; }; rm() { :; }; EDITOR=printf; `+strings.Replace(c, `"${EDITOR:-vi}" --`, `printf '%s\n'`, 1))
			sh.Dir = dir
			out, err := sh.CombinedOutput()
			if err != nil || !strings.Contains(string(out), name) && !strings.Contains(c, "prove") {
				t.Errorf("%q: %s: %v\n%s", name, c, err, out)
			}
		}
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("%q was run", name)
		}
	}
	for _, name := range []string{"a/[secret x@1]/b", "a/[redacted]", "a\nb", "a\x1b[2Jb", "a\u202eb"} {
		d := finding("git:git.example.org/acme/shop", name, fingerprints.VerdictStale, "tip", "blob:1")
		if got := commands(d); strings.Contains(got, name) || strings.Contains(got, "EDITOR") {
			t.Errorf("%q stands in a command:\n%s", name, got)
		}
	}
}

// The commands for a repository's history leave nothing of the value in it.
func TestHistoryIsCleaned(t *testing.T) {
	const value = "p4ss/w0rd'$(x)==>y"
	dir := t.TempDir()
	origin := filepath.Join(dir, "origin")
	env := append(os.Environ(), "HOME="+dir, "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.org", "VALUE="+value)
	run := func(script, stdin string) string {
		t.Helper()
		c := exec.CommandContext(t.Context(), "bash", "-euc", script)
		c.Dir, c.Env, c.Stdin = dir, env, strings.NewReader(stdin)
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", script, err, out)
		}
		return string(out)
	}
	run(`git init -q -b main work && cd work && printf 'pass=%s\n' "$VALUE" > app.env && git add . && git commit -qm "pass $VALUE"
		git branch old && echo other > app.env && git commit -qam second && git clone -q --bare . ../origin`, "")
	const look = `cd origin && git rev-list --objects --all | cut -d' ' -f1 | git cat-file --batch | grep -cF "$VALUE" || true`
	if was := strings.TrimSpace(run(look, "")); was != "2" {
		t.Fatalf("the value stands %s times in the history, want 2", was)
	}
	d := finding("git:file:"+origin, "app.env", fingerprints.VerdictStale, fingerprints.PresenceHistory, "blob:1")
	var script []string
	for _, s := range remedy.Steps(d) {
		if s.Title == "Take it out of history" {
			script = s.Commands
		}
	}
	run(strings.Join(script, "\n"), value+"\n")
	if now := strings.TrimSpace(run(look, "")); now != "0" {
		t.Errorf("the value stands %s times in the history still", now)
	}
	if left := run(`ls; git -C origin log --all --format=%s`, ""); strings.Contains(left, "replace.txt") || !strings.Contains(left, "second") || !strings.Contains(left, "REMOVED") {
		t.Errorf("what is left: %s", left)
	}
}
