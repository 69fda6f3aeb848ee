package baseline_test

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/ingest/baseline"
	"revenant/ingest/scan"
)

func clock() time.Time { return time.Date(2026, 5, 6, 23, 8, 9, 0, time.UTC) }

func day(s string) time.Time {
	t, err := time.Parse("2006-01-02", s)
	if err != nil {
		panic(err)
	}
	return t
}

const id = "bl1:00112233445566778899aabbccddeeff"

// known is a generic finding.
func known(change func(*scan.Known)) scan.Known {
	k := scan.Known{
		BaselineID: id, Path: "src/app.env", Shown: "src/app.env", Commit: "0123456789abcdef0123456789abcdef01234567",
		Rules: []string{"generic-api-key", "other-key"}, Span: wire.Region{Line: 7}, Whole: wire.Region{Line: 6},
		Value: fingerprints.NewValue([]byte("some value")),
	}
	if change != nil {
		change(&k)
	}
	return k
}

func file(t *testing.T, name, content string) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestTolerated(t *testing.T) {
	sum := sha1.Sum([]byte("some value"))
	report := func(file, commit, secret string) string {
		return fmt.Sprintf(`[{"RuleID":"generic-api-key","File":%q,"Commit":%q,"Secret":%q,"StartLine":6,"EndLine":6}]`, file, commit, secret)
	}
	secrets := func(file, hash string) string {
		return fmt.Sprintf(`{"version":"1.5.0","plugins_used":[],"results":{%q:[{"type":"Secret Keyword","filename":%q,"hashed_secret":%q,"line_number":99}]}}`, file, file, hash)
	}
	none, copied, all := scan.TolerateNone, scan.TolerateSighting, scan.TolerateFinding
	for name, c := range map[string]struct {
		content string
		ignore  bool
		change  func(*scan.Known)
		want    scan.Tolerated
		late    bool
	}{
		"by its value":                        {content: id + "\n", want: all},
		"until today":                         {content: id + " until=2026-05-06\n", want: all},
		"run out":                             {content: id + " until=2026-05-05\n", want: none},
		"twice, the longer counts":            {content: id + " until=2026-05-05\n" + id + "\n", want: all},
		"another value":                       {content: "bl1:" + strings.Repeat("0", 32), want: none},
		"registered by its value":             {content: id, change: func(k *scan.Known) { k.Secret = "db" }, want: all},
		"by its place":                        {content: "at:src/app.env:generic-api-key:0\n", want: copied},
		"by its place, without a key":         {content: "at:src/app.env:generic-api-key:0\n", change: func(k *scan.Known) { k.BaselineID = "" }, want: copied},
		"another copy":                        {content: "at:src/app.env:generic-api-key:1\n", want: none},
		"a registered value by a rule":        {content: "at:src/app.env:generic-api-key:0\n", change: func(k *scan.Known) { k.Secret = "db" }, want: none},
		"a weak registered value":             {content: "at:src/app.env:secret/db:0\n", change: func(k *scan.Known) { k.Secret, k.BaselineID = "db", "" }, want: copied},
		"a strong registered one by place":    {content: "at:src/app.env:secret/db:0\n", change: func(k *scan.Known) { k.Secret = "db" }, want: none},
		"a path with blanks and colons":       {content: "at:a%20b%3Ac:generic-api-key:0\n", change: func(k *scan.Known) { k.Path = "a b:c" }, want: copied},
		"gitleaks":                            {content: report("src/app.env", "", "some value"), want: all},
		"gitleaks, of the folder's name":      {content: report("./repo/src/app.env", "", "some value"), want: all},
		"gitleaks, from Windows":              {content: report(`repo\src\app.env`, "", "some value"), want: all},
		"gitleaks, another value":             {content: report("src/app.env", "", "other value"), want: none},
		"gitleaks, another file":              {content: report("app.env", "", "some value"), want: none},
		"gitleaks, another rule":              {content: strings.Replace(report("src/app.env", "", "some value"), "generic-api", "aws", 1), want: none},
		"gitleaks, the second rule":           {content: strings.Replace(report("src/app.env", "", "some value"), "generic-api-key", "other-key", 1), want: all},
		"gitleaks, registered":                {content: report("src/app.env", "", "some value"), change: func(k *scan.Known) { k.Secret = "db" }, want: none},
		"gitleaks, redacted":                  {content: report("src/app.env", "", "REDACTED"), want: copied},
		"gitleaks, redacted in part":          {content: report("src/app.env", "", "some..."), want: copied},
		"gitleaks, redacted, its commit":      {content: report("src/app.env", "0123456789abcdef0123456789abcdef01234567", "REDACTED"), want: all, late: true},
		"gitleaks, redacted, another commit":  {content: report("src/app.env", "ff23456789abcdef0123456789abcdef01234567", "REDACTED"), want: none, late: true},
		"gitleaks, nothing":                   {content: "[]", want: none},
		"detect-secrets":                      {content: secrets("src/app.env", hex.EncodeToString(sum[:])), want: all},
		"detect-secrets, registered":          {content: secrets("src/app.env", hex.EncodeToString(sum[:])), change: func(k *scan.Known) { k.Secret = "db" }, want: none},
		"detect-secrets, another value":       {content: secrets("src/app.env", strings.Repeat("0", 40)), want: none},
		"detect-secrets, another file":        {content: secrets("src/app", hex.EncodeToString(sum[:])), want: none},
		"ignored at a line":                   {ignore: true, content: "# why\nsrc/app.env:generic-api-key:6\n", want: copied},
		"ignored at the value's line":         {ignore: true, content: "src/app.env:generic-api-key:7\n", want: copied},
		"ignored at another line":             {ignore: true, content: "src/app.env:generic-api-key:8\n", want: none},
		"ignored by another rule":             {ignore: true, content: "src/app.env:aws-access-token:6\n", want: none},
		"ignored in a commit":                 {ignore: true, content: "0123456789abcdef0123456789abcdef01234567:src/app.env:generic-api-key:6\n", want: all, late: true},
		"ignored in another commit":           {ignore: true, content: "1123456789abcdef0123456789abcdef01234567:src/app.env:generic-api-key:6\n", want: none, late: true},
		"ignored, registered":                 {ignore: true, content: "src/app.env:generic-api-key:6\n", change: func(k *scan.Known) { k.Secret = "db" }, want: none},
		"ignored, a file with a colon":        {ignore: true, content: "src:app.env:generic-api-key:6\n", change: func(k *scan.Known) { k.Path = "src:app.env" }, want: copied},
		"in a folder":                         {content: "in:src/**:generic-api-key\n", want: copied},
		"in a folder, any rule":               {content: "in:**/*.env:* until=2026-05-06 owner=a\n", want: copied},
		"in a folder, the second":             {content: "in:src/*:other-key\n", want: copied},
		"in a folder, another rule":           {content: "in:src/**:aws\n", want: none},
		"in another folder":                   {content: "in:docs/**:*\n", want: none},
		"in a folder, run out":                {content: "in:src/**:* until=2026-05-05\n", want: none},
		"in a folder, registered":             {content: "in:**:*\n", change: func(k *scan.Known) { k.Secret = "db" }, want: none},
		"in a folder with a blank":            {content: "in:a%20b/*:*\n", change: func(k *scan.Known) { k.Path = "a b/c" }, want: copied},
		"an empty baseline":                   {content: "", want: none},
		"a baseline of comments":              {content: baseline.Head + "\n", want: none},
		"an entry with a field of the future": {content: id + " colour=red\n", want: all},
	} {
		t.Run(name, func(t *testing.T) {
			s := baseline.New(clock, "repo")
			read := s.Read
			if c.ignore {
				read = s.ReadIgnore
			}
			if err := read(file(t, "f", c.content)); err != nil {
				t.Fatal(err)
			}
			if _, got := s.Tolerate(known(c.change)); got != c.want || s.Late() != c.late {
				t.Errorf("%v, late %v; want %v, %v", got, s.Late(), c.want, c.late)
			}
			byValue := strings.HasPrefix(name, "detect-secrets") || strings.HasPrefix(name, "gitleaks") && c.content != "[]" && !strings.Contains(c.content, "REDACTED") && !strings.Contains(c.content, `...`)
			if s.Values() != byValue {
				t.Errorf("it asks for values: %v", s.Values())
			}
			matched := c.want != none || strings.HasSuffix(name, "run out")
			if strings.Contains(c.content, ":") && (len(s.Unused()) == 0) != matched {
				t.Errorf("unused: %v", s.Unused())
			}
			if len(s.Over()) > 0 != strings.HasSuffix(name, "run out") {
				t.Errorf("over: %v", s.Over())
			}
		})
	}
}

// What cannot be read is said with the line and the way out.
func TestUnreadable(t *testing.T) {
	for content, want := range map[string]string{
		"nonsense": "neither", "{}": "neither", "[1]": "another type", `[{"a":1}]`: "neither RuleID nor File", `[{"RuleID":`: "line 1, column 11", "[\n{]": "line 2, column 2",
		id + "\nbl1": "line 2", id + " until=soon": "2027-01-31", id + " owner": "name=value", "in:docs": "in:docs/**", "in:[:*": "in:docs/**", "in:a:": "in:docs/**", "in:%zz:*": "in:docs/**", id + " owner=%zz": "name=value",
		id + "\n<<<<<<< main\n": "merge", `{"results":[]}`: "another type",
	} {
		s := baseline.New(clock)
		if err := s.Read(file(t, "f", content)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", content, err, want)
		}
	}
	if err := baseline.New(clock).Read(filepath.Join(t.TempDir(), "none")); !os.IsNotExist(err) {
		t.Errorf("no file: %v", err)
	}
	s := baseline.New(clock)
	if err := s.ReadIgnore(file(t, "f", "a:b\n\nsrc:rule:x\nsrc:rule:1\n:rule:1\n")); err != nil {
		t.Fatal(err)
	}
	if got := s.Broken(); len(got) != 3 || !strings.Contains(got[1], "line 3") {
		t.Errorf("broken: %v", got)
	}
}

// A baseline that is written tolerates what it was written for, and keeps what
// it said before of what is still there.
func TestRecorder(t *testing.T) {
	before := baseline.New(clock)
	old := file(t, "old", id+" until=2027-01-31 owner=payments reason=known%20since%20long\n"+"bl1:"+strings.Repeat("9", 32)+"\nin:testdata/**:*\n")
	if err := before.Read(old); err != nil {
		t.Fatal(err)
	}
	r := baseline.NewRecorder(before, "platform", day("2026-08-04"))
	weak := func(n uint32) scan.Known {
		return known(func(k *scan.Known) { k.BaselineID, k.Ordinal, k.Path, k.Shown = "", n, "a b:c", "a b:c" })
	}
	list := []scan.Known{known(nil), known(nil), weak(1), weak(0), known(func(k *scan.Known) { k.BaselineID, k.Secret = "bl1:"+strings.Repeat("a", 32), "db" })}
	for _, k := range list {
		if _, how := r.Tolerate(k); how == scan.TolerateNone {
			t.Error("something is not tolerated")
		}
	}
	if _, how := r.Tolerate(known(func(k *scan.Known) { k.Path, k.Shown = "testdata/x", "testdata/x" })); how != scan.TolerateSighting {
		t.Error("what a glob means is written down once more")
	}
	hidden := known(func(k *scan.Known) { k.BaselineID, k.Shown = "", "[redacted]" })
	if _, how := r.Tolerate(hidden); how != scan.TolerateNone || r.Unnamed != 1 {
		t.Error("a path that is a secret stands in a baseline")
	}
	var out bytes.Buffer
	if err := baseline.Write(&out, r.Entries()); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	want := []string{
		"at:a%20b%3Ac:generic-api-key:0 until=2026-08-04 owner=platform rule=generic-api-key path=a%20b:c",
		"at:a%20b%3Ac:generic-api-key:1 until=2026-08-04 owner=platform rule=generic-api-key path=a%20b:c",
		id + " until=2027-01-31 owner=payments rule=generic-api-key path=src/app.env reason=known%20since%20long",
		"bl1:" + strings.Repeat("a", 32) + " until=2026-08-04 owner=platform rule=secret/db path=src/app.env",
		"in:testdata/**:*",
	}
	if diff := cmp.Diff(want, lines[2:]); diff != "" {
		t.Error(diff)
	}
	after := baseline.New(clock)
	if err := after.Read(file(t, "new", out.String())); err != nil {
		t.Fatal(err)
	}
	for _, k := range list {
		if _, how := after.Tolerate(k); how == scan.TolerateNone {
			t.Errorf("not tolerated: %v", k.Path)
		}
	}
	if unused := after.Unused(); len(unused) > 1 {
		t.Error(unused)
	}
}

// Lines of two branches are joined in any order, with some of them twice.
func TestMerged(t *testing.T) {
	var lines []string
	for n := range 20 {
		lines = append(lines, fmt.Sprintf("bl1:%032x until=2026-08-%02d rule=r path=p", n, n+1))
	}
	rng := rand.New(rand.NewPCG(1, 2))
	var want string
	for range 10 {
		mixed := slices.Concat(lines, lines[:5])
		rng.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		var entries []baseline.Entry
		for _, l := range mixed {
			e, err := baseline.ParseEntry(l)
			if err != nil {
				t.Fatal(err)
			}
			entries = append(entries, e)
		}
		var out bytes.Buffer
		if err := baseline.Write(&out, entries); err != nil {
			t.Fatal(err)
		}
		if want == "" {
			want = out.String()
		}
		if out.String() != want || strings.Count(want, "bl1:") != 20 {
			t.Fatalf("another order, another file:\n%s", out.String())
		}
	}
}

func FuzzParseEntry(f *testing.F) {
	f.Add(id + " until=2027-01-31 owner=a%20b rule=r path=p:q reason=")
	f.Add("at:a%20b%3Ac:rule:0")
	f.Fuzz(func(t *testing.T, line string) {
		e, err := baseline.ParseEntry(line)
		if err != nil {
			return
		}
		again, err := baseline.ParseEntry(e.String())
		if err != nil || !cmp.Equal(again, e) {
			t.Errorf("%q is written as %q: %v", line, e, err)
		}
	})
}
