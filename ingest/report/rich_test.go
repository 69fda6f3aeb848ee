package report_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/pack/packtest"
	"revenant/ingest/scan"
	"revenant/scanners"
	"revenant/scanners/archives"
	"revenant/scanners/files"
	"revenant/scanners/gitrepo"
	"revenant/scanners/registered"
	"revenant/scanners/rules"
	"revenant/scanners/views"
)

// The values that are planted, by index of what packtest registers.
const (
	stale = iota
	leaked
	lagging
	compromised
	homely // active, and allowed where it stands
	registeredValues
	generic = registeredValues // and one more
)

// plant is a value that no dictionary knows.
func plant(n int) string {
	const alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"
	r := rand.New(rand.NewPCG(uint64(n), 77))
	b := make([]byte, 32)
	for i := range b {
		b[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(b)
}

func plants() []string {
	var out []string
	for i := range registeredValues + 2 {
		out = append(out, plant(i))
	}
	return out
}

// began is the clock of the scan.
func began() time.Time { return time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC) }

// labels says what the registry would.
type labels struct{ rows []fingerprints.RowID }

func (l labels) Labels(_ context.Context, rows []fingerprints.RowID, _ fingerprints.Value) ([]scan.Label, error) {
	known := []scan.Label{
		stale:       {Secret: "billing/db-password", Version: 3, Field: "password", State: fingerprints.StateRetired, Owner: "payments"},
		leaked:      {Secret: "shop/api-token", Version: 1, Field: "value", State: fingerprints.StateActive, Class: fingerprints.ClassThirdParty},
		lagging:     {Secret: "mail/relay", Version: 7, Field: "password", State: fingerprints.StateSuperseded, WindowEnds: began().Add(time.Hour)},
		compromised: {Secret: "old/deploy-key", Version: 2, Field: "value", State: fingerprints.StateActive, Compromised: true},
		homely:      {Secret: "ci/runner", Version: 1, Field: "value", State: fingerprints.StateActive},
	}
	var out []scan.Label
	for _, r := range rows {
		label := known[slices.Index(l.rows, r)]
		label.Row = r
		out = append(out, label)
	}
	return out, nil
}

func (l labels) Homes(_ context.Context, secret, _, _ string) ([]scan.Home, error) {
	if secret == "ci/runner" {
		return []scan.Home{{ID: 1}}, nil
	}
	return nil, nil
}

// triage has accepted one finding.
type triage struct{ accepted fingerprints.FindingID }

func (t triage) Standings(_ context.Context, ids []fingerprints.FindingID) (map[fingerprints.FindingID]fingerprints.Standing, error) {
	out := map[fingerprints.FindingID]fingerprints.Standing{}
	if slices.Contains(ids, t.accepted) {
		out[t.accepted] = fingerprints.Standing{Status: fingerprints.StatusAccepted}
	}
	return out, nil
}

// hostile are names that something on the way could stumble over.
func hostile() []string {
	return []string{
		"line\nbreak.env", `quote"'.env`, "]]><x a=\".txt", "<script>alert(1)<!--.txt", "=cmd|' calc'!A0.csv", "@SUM(A1).csv", "+1.csv", "-1.csv",
		"::error file=a%0Aworkflow.txt", "\x1b[31mred\x1b[0m.txt", "straße/密钥.env", "a:b.txt", "`tick`|pipe|.md", "[link](javascript:x).md",
		"@everyone #1.md", "{0} {{x}}.txt", "\xff\xfe.bin", "\u202eevil.txt", "..%2f..%2fetc.txt", "bang!.txt",
	}
}

// tree writes the folder that is scanned.
func tree(t *testing.T, v []string) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), "app")
	write := func(name, content string) {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, began(), began().Add(-time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	write("app/.env", "# settings\nDB_PASSWORD="+v[stale]+"\nTOKEN="+v[leaked]+"\n")
	write("app/config.yml", "größe: 1\nschlüssel: \""+v[leaked]+"\" # ä\n")
	write("vault/runner.txt", v[homely]+"\n")
	write("docs/encoded.txt", "base64 "+base64.StdEncoding.EncodeToString([]byte(v[stale]))+"\nhex "+hex.EncodeToString([]byte(v[lagging]))+"\n")
	write("src/main.py", "api_key = \""+v[generic]+"\"\n\napi_key = \""+v[generic]+"\"\n")
	write("src/settings.py", "# accepted\nclient_secret = \""+v[generic+1]+"\"\n")
	write("nested.zip", zipped(t, map[string]string{"inner/conf.env": "A=1\nPASS=" + v[compromised] + "\n", "deep.zip": zipped(t, map[string]string{"x<y>.txt": v[stale]})}))
	write("broken.gz", "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03cut off")
	for i, name := range hostile() {
		write("hostile/"+name, fmt.Sprintf("%d\nkey: %s\n", i, v[leaked]))
	}
	write("../outside", "")
	if err := os.Symlink("../outside", filepath.Join(root, "link-out")); err != nil {
		t.Fatal(err)
	}
	return root
}

func zipped(t *testing.T, members map[string]string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	names := make([]string, 0, len(members))
	for name := range members {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(members[name])); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// repository has one value in three versions of a file, at the tip, and another in
// history only, on a branch with a hostile name.
func repository(t *testing.T, v []string) string {
	t.Helper()
	dir := t.TempDir()
	commit := 0
	git := func(args ...string) {
		c := exec.CommandContext(t.Context(), "git", append([]string{"-C", dir}, args...)...)
		when := fmt.Sprintf("%d +0000", 1_700_000_000+commit*86_400)
		c.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null", "GIT_AUTHOR_DATE="+when, "GIT_COMMITTER_DATE="+when,
			"GIT_AUTHOR_NAME=Ada Example", "GIT_AUTHOR_EMAIL=ada@example.org", "GIT_COMMITTER_NAME=Ada Example", "GIT_COMMITTER_EMAIL=ada@example.org")
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	save := func(name, content, message string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		git("add", ".")
		git("commit", "-q", "-m", message)
		commit++
	}
	git("init", "-q", "-b", "main")
	for i := range 3 {
		save("deploy.cfg", strings.Repeat("#\n", i)+"password = "+v[stale]+"\n", fmt.Sprint("version ", i))
	}
	save("gone.cfg", "token = "+v[compromised]+"\n", "a mistake, =cmd")
	save("gone.cfg", "token = taken out\n", "take it out")
	git("branch", "wip/<b>|x")
	return dir
}

// scanned is the whole scan: what every format is written from.
type scanned struct {
	findings []wire.Finding
	summary  wire.Summary
}

// once holds the scan, which takes a while and is the same for every test.
var once struct {
	sync.Once
	scanned
}

// rich scans a folder, a repository and records.
func rich(t *testing.T) scanned {
	t.Helper()
	once.Do(func() { once.scanned = scanRich(t) })
	if len(once.findings) == 0 {
		t.Fatal("the scan failed")
	}
	return once.scanned
}

func scanRich(t *testing.T) scanned {
	t.Helper()
	v := plants()
	var raw [][]byte
	for _, s := range v[:registeredValues] {
		raw = append(raw, []byte(s))
	}
	built := packtest.New(t, fingerprints.AudienceCore, raw...)
	exact, err := registered.New(built.Pack)
	if err != nil {
		t.Fatal(err)
	}
	patterns, err := rules.New(rules.Options{})
	if err != nil {
		t.Fatal(err)
	}
	matchers := []scanners.Matcher{exact, patterns}
	core := built.Ring.Identity(fingerprints.AudienceCore)
	o := scan.Options{
		Engine: &scanners.Engine{Matchers: matchers, Viewer: views.New()}, PathMatchers: matchers,
		Archives: &archives.Expander{Limits: archives.DefaultLimits(), Now: began},
		Labels:   labels{built.Rows}, Now: began, Seed: maphash.MakeSeed(),
		Identities: &scan.Identities{Edge: built.Ring.Identity(fingerprints.AudienceEdge), Core: &core},
	}
	root, repo := tree(t, v), repository(t, v)
	accepted := ""
	for range 2 { // the first time finds out what is accepted
		out := runAll(t, o, v, root, repo)
		if accepted != "" {
			return out
		}
		for _, f := range out.findings {
			if f.Path == "src/settings.py" {
				accepted = string(f.ID)
			}
		}
		o.Triage = triage{fingerprints.FindingID(accepted)}
	}
	t.Fatal("what is accepted was not found")
	return scanned{}
}

func runAll(t *testing.T, o scan.Options, v []string, root, repo string) scanned {
	t.Helper()
	dir, err := files.NewDir(files.DirOptions{Root: root, SourceID: "dir:/srv/app"})
	if err != nil {
		t.Fatal(err)
	}
	git, err := gitrepo.New(t.Context(), gitrepo.Options{
		Path: repo, SourceID: "git:example.org/team/app", Workers: 1,
		Screen: func(context.Context, []byte) bool { return true },
	})
	if err != nil {
		t.Fatal(err)
	}
	record, err := json.Marshal(map[string]string{"source": "chat:ops", "path": "/2026/05/06", "url": "https://chat.example.org/p/1", "text": "try " + v[leaked]})
	if err != nil {
		t.Fatal(err)
	}
	records := files.NewNDJSON(strings.NewReader(string(record)+"\nno JSON\n"), files.NDJSONOptions{})
	var out scanned
	var total scan.Result
	o.Emit = func(f wire.Finding) error { out.findings = append(out.findings, f); return nil }
	o.Skip = func(k wire.Skip) error { out.summary.Skips = append(out.summary.Skips, k); return nil }
	for _, src := range []scanners.Source{dir, git, records} {
		o.Source = src
		r, err := scan.Run(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		total.Add(r)
		if err := src.Close(); err != nil {
			t.Fatal(err)
		}
	}
	out.summary.Sources, out.summary.Items, out.summary.Bytes = total.Sources, total.Items, total.Bytes
	out.summary.Findings, out.summary.Sightings = total.Findings, total.Sightings
	out.summary.Complete, out.summary.Registered = total.Complete, registeredValues
	out.summary.StartedAt, out.summary.Duration = began(), 1500*time.Millisecond
	out.summary.Notes = []wire.Note{{SourceID: "git:example.org/team/app", Text: "git cat-file was asked 2 times for what could not be read here"}}
	for _, reason := range []fingerprints.SkipReason{fingerprints.SkipUnreadable, fingerprints.SkipSymlink, fingerprints.SkipArchive, fingerprints.SkipBadRecord} {
		if n := total.Skips[reason]; n > 0 {
			out.summary.SkipCounts = append(out.summary.SkipCounts, wire.SkipCount{Reason: reason, Count: n})
		}
	}
	return out
}
