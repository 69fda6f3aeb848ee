package rules_test

import (
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/zricethezav/gitleaks/v8/config"
	"github.com/zricethezav/gitleaks/v8/detect"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/rules"
)

// oracle is gitleaks' own detector beside the matcher.
type oracle struct {
	detector *detect.Detector
	matcher  *rules.Matcher
	rules    []config.Rule
	differ   map[string]int // counted by category
}

// asked is how much is compared with gitleaks: a sample that every run of the
// tests has time for; full, some minutes; all, also what takes an hour.
func asked() string { return os.Getenv("REVENANT_ORACLE") }

// texts is how many texts of n are compared.
func texts(n uint64) uint64 {
	if asked() == "" {
		return n / 5
	}
	return n
}

// crash is the one category of difference: where gitleaks runs out of bounds
// reckoning where a decoded match came from, the other findings stay.
const crash = "gitleaks panics"

func newOracle(t testing.TB, o rules.Options) *oracle {
	t.Helper()
	m := newMatcher(t, o) // turns gitleaks' log off
	cfg, err := rules.Load(o)
	if err != nil {
		t.Fatal(err)
	}
	d := detect.NewDetector(cfg)
	d.MaxDecodeDepth = rules.DefaultDecodeDepth
	out := &oracle{detector: d, matcher: m, differ: map[string]int{}}
	for _, id := range cfg.OrderedRules {
		out.rules = append(out.rules, cfg.Rules[id])
	}
	return out
}

// told is a finding as both sides tell it.
type told struct {
	Rule, Secret, Tags string
	Start              int // of the match
	Entropy            float64
}

// want asks gitleaks.
func (o *oracle) want(text, path string) (out []told, ok bool) {
	defer func() {
		if recover() != nil {
			o.differ[crash]++
			out, ok = nil, false
		}
	}()
	for _, f := range o.detector.Detect(detect.Fragment{Raw: text, FilePath: path}) {
		w := told{Rule: f.RuleID, Secret: f.Secret, Tags: strings.Join(f.Tags, " "), Entropy: rounded(float64(f.Entropy))}
		if strings.HasPrefix(f.Match, "file detected: ") && f.StartColumn == 0 {
			w.Secret = path
		} else {
			w.Start = startOf(text, f.StartLine, f.StartColumn)
			if !strings.Contains(w.Tags, "decode-depth:") {
				w.Start = skipped(text, w.Start, f.Match)
			}
		}
		out = append(out, w)
	}
	return sorted(out), true
}

func rounded(f float64) float64 { return math.Round(f*1e4) / 1e4 }

// startOf is the offset of gitleaks' line (from 0) and column (from 1, counted
// from the newline before the line).
func startOf(text string, line, column int) int {
	at := -1
	for range line {
		i := strings.IndexByte(text[min(at+1, len(text)):], '\n')
		if i < 0 {
			at = len(text)
			break
		}
		at += 1 + i
	}
	return max(at, 0) + column - 1
}

// skipped goes over the newlines that gitleaks takes off the match but not
// off its position.
func skipped(text string, at int, match string) int {
	for at >= 0 && at < len(text) && text[at] == '\n' && !strings.HasPrefix(text[at:], match) {
		at++
	}
	return at
}

// got asks the matcher, and checks what must hold of any hit.
func (o *oracle) got(t testing.TB, text, path string) []told {
	t.Helper()
	var out []told
	for _, h := range o.matcher.AppendHits(nil, scanners.Chunk{Data: []byte(text), Path: path, Final: true}) {
		secret := string(h.Value.Reveal())
		out = append(out, told{
			Rule: h.Rule, Secret: secret, Tags: strings.Join(h.Tags, " "), Start: int(h.Match.Start), Entropy: rounded(float64(h.Entropy)),
		})
		if h.PathOnly {
			continue
		}
		if h.Span.Start < 0 || h.Span.End > int64(len(text)) || h.Span.Len() < 0 || !h.Match.Contains(h.Span) {
			t.Errorf("rule %s: span %v, match %v of %d bytes", h.Rule, h.Span, h.Match, len(text))
		} else if h.Form == fingerprints.FormRaw && text[h.Span.Start:h.Span.End] != secret {
			t.Errorf("rule %s: other bytes at %v", h.Rule, h.Span)
		}
	}
	return sorted(out)
}

func sorted(list []told) []told {
	slices.SortFunc(list, func(a, b told) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return list
}

// compare fails when the two differ, and counts the findings.
func (o *oracle) compare(t testing.TB, text, path, name string) int {
	t.Helper()
	want, ok := o.want(text, path)
	if !ok {
		return 0
	}
	if diff := gocmp.Diff(want, o.got(t, text, path)); diff != "" {
		t.Errorf("%s: -gitleaks +revenant\n%s\n%q", name, diff, text[:min(len(text), 2000)])
	}
	return len(want)
}

// TestOracleExamples: what each rule's pattern generates, alone and encoded,
// whole and damaged.
func TestOracleExamples(t *testing.T) {
	o := newOracle(t, rules.Options{})
	g := newGenerator(t, o.rules, 1)
	hit := 0
	for i, r := range o.rules {
		found := 0
		for n := range 12 {
			example := g.example(i)
			text := g.around() + example + g.around()
			switch n % 3 {
			case 1:
				text = g.around() + g.miss(example) + g.around()
			case 2:
				text = g.encoded(example) + g.around()
			}
			path := ""
			if r.Path != nil {
				path = []string{"a.php", "b.tf", "c.yaml", "nuget.config", "d.p12"}[g.IntN(5)]
			}
			found += o.compare(t, text, path, r.RuleID)
			if t.Failed() {
				return
			}
		}
		if found > 0 {
			hit++
		}
	}
	t.Logf("%d of %d rules had findings; differences %v", hit, len(o.rules), o.differ)
	if hit < len(o.rules)*9/10 {
		t.Errorf("only %d of %d rules had findings", hit, len(o.rules))
	}
}

// TestOracleTexts: several rules, keywords and encodings in one text.
func TestOracleTexts(t *testing.T) {
	o := newOracle(t, rules.Options{})
	found := 0
	for seed := range texts(1500) {
		g := newGenerator(t, o.rules, 100+seed)
		found += o.compare(t, g.text(), "", fmt.Sprint("seed ", seed))
		if t.Failed() {
			return
		}
	}
	t.Logf("%d findings; differences %v", found, o.differ)
	if found < int(texts(500)) {
		t.Errorf("only %d findings", found)
	}
}

// TestOracleSource: Go's own source, a sample of it.
func TestOracleSource(t *testing.T) {
	o := newOracle(t, rules.Options{})
	every, budget := 31, 3<<20
	if asked() != "" {
		every, budget = 7, 12<<20
	}
	found, size, n := 0, 0, 0
	root := filepath.Join(runtime.GOROOT(), "src")
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || size > budget {
			return err
		}
		if n++; n%every != 0 {
			return nil
		}
		content, err := os.ReadFile(name)
		if err != nil || len(content) > 300<<10 {
			return err
		}
		size += len(content)
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		found += o.compare(t, string(content), filepath.ToSlash(rel), rel)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d findings in %d bytes; differences %v", found, size, o.differ)
	if size == 0 {
		t.Error("nothing was compared")
	}
}

func FuzzOracle(f *testing.F) {
	o := newOracle(f, rules.Options{})
	for seed := range uint64(40) {
		f.Add(newGenerator(f, o.rules, seed).text(), "a/b.yaml")
	}
	f.Fuzz(func(t *testing.T, text, path string) {
		o.compare(t, text, path, "fuzzed")
	})
}

// odd is a configuration with all that the default one lacks.
const odd = `
[[allowlists]]
condition = "AND"
paths = ['''(?i)\.md$''', '''docs/''']
stopwords = ["sample"]
[[allowlists]]
regexTarget = "line"
regexes = ['''nosec$''', '''(?i)ignore this''']
[[rules]]
id = "primary"
regex = '''prim-([a-z]{4,6})(-[0-9]+)?'''
secretGroup = 2
keywords = ["prim"]
tags = ["a", "b"]
[[rules.required]]
id = "companion"
withinLines = 2
[[rules.required]]
id = "hidden"
withinColumns = 12
[[rules]]
id = "companion"
regex = '''comp=\w+'''
[[rules]]
id = "hidden"
regex = '''(?m)^hid:\S+$'''
skipReport = true
[[rules]]
id = "generic-word"
regex = '''(?i)\bword\s*=\s*"?([k-s]{3,20}|\d+)'''
entropy = 1.5
keywords = ["word"]
[[rules.allowlists]]
regexTarget = "match"
regexes = ['''=\s*"?mm''']
[[rules.allowlists]]
condition = "AND"
regexes = ['''^\d+$''']
stopwords = ["11", "22"]
[[rules]]
id = "starts with anything"
regex = '''[^a-z]+zq[0-9](?:$|[^0-9])'''
[[rules]]
id = "anything, with a keyword"
regex = '''.{3,9}?(\d\d|x+)z\b'''
keywords = ["seek", "sift"]
[[rules]]
id = "empty"
regex = '''(?m)(q*)$'''
keywords = ["qqq"]
[[rules]]
id = "by path"
path = '''(?i)\.key$'''
keywords = ["pem"]
[[rules]]
id = "content by path"
path = '''^$|\.md$'''
regex = '''doc: ?(?s:.{1,5})end'''
[[rules]]
id = "folded"
regex = '''(?i)(?:sk|ks)-task-[^\s"]{2,8}'''
keywords = ["sk-", "Ks-"]
[[rules]]
id = "lines"
regex = '''\n*line\n+[^\n]{2,}\n*'''
[[rules]]
id = "behind a boundary"
regex = '''\B-\bbnd\B\w{2}|\Abnd|bnd\z'''
`

// TestOracleOdd: what the default configuration does not use.
func TestOracleOdd(t *testing.T) {
	o := newOracle(t, rules.Options{Contents: []byte(odd)})
	words := []string{
		"seek", "s\u0130ft", "word = ", "word=\"", "klmnopq", "mmnnoopp", "11", "22", "123", "prim-abcde-77", "prim-abcd", "comp=x", "\nhid:aa\n", "\n", "\n\n", "qqq",
		"pem", "doc: a", "end", "SK-taſk-ab", "\u212as-TASK-é\xff", "line\n", "\n\nline", " ", "zq1", "12z", "xxz", "ſk-task-zz", "-bnd_x", "bnd", "-bndxx",
		" nosec\n", "sample", "IGNORE THIS", "\r", "", "\xff", "é", "%41%42", "\\u0062nd", "İ", "klm", "gitleaks" + ":allow",
	}
	paths := []string{"", "docs/a.md", "a.md", "x.key", "docs/b", "a.txt"}
	found := 0
	for seed := range texts(6000) {
		g := newGenerator(t, o.rules, seed)
		var b strings.Builder
		for range 2 + g.IntN(14) {
			if g.IntN(3) == 0 {
				b.WriteString(g.encoded(g.example(g.IntN(len(o.rules)))))
			} else {
				b.WriteString(words[g.IntN(len(words))])
			}
			if seed%3 == 0 && g.IntN(3) == 0 {
				b.WriteString(g.filler())
			}
		}
		found += o.compare(t, b.String(), paths[g.IntN(len(paths))], fmt.Sprint("seed ", seed))
		if t.Failed() {
			return
		}
	}
	t.Logf("%d findings; differences %v", found, o.differ)
	if found < int(texts(5000)) {
		t.Errorf("only %d findings", found)
	}
}
