package rules_test

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
	"github.com/zricethezav/gitleaks/v8/detect"
	"github.com/zricethezav/gitleaks/v8/logging"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/rules"
)

const base62 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

func random(seed uint64, alphabet string, n int) string {
	r := rand.New(rand.NewPCG(seed, 7))
	var b strings.Builder
	for range n {
		b.WriteByte(alphabet[r.IntN(len(alphabet))])
	}
	return b.String()
}

// token is a value that gitleaks' github-pat rule matches.
func token(seed uint64) string { return "gh" + "p_" + random(seed, base62, 36) }

// awsKey is a value that gitleaks' aws-access-token rule matches.
func awsKey(seed uint64) string {
	return "AK" + "IA" + random(seed, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16)
}

func newMatcher(t testing.TB, o rules.Options) *rules.Matcher {
	t.Helper()
	m, err := rules.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func hits(m *rules.Matcher, data, path string, base int64) []scanners.Hit {
	found := m.AppendHits(nil, scanners.Chunk{Data: []byte(data), Path: path, Base: base, Final: true})
	slices.SortFunc(found, func(a, b scanners.Hit) int {
		return cmp.Or(cmp.Compare(a.Span.Start, b.Span.Start), cmp.Compare(a.Rule, b.Rule))
	})
	return found
}

func TestSpans(t *testing.T) {
	m := newMatcher(t, rules.Options{})
	tok, aws := token(1), awsKey(2)
	tests := []struct {
		name, before, after string
	}{
		{"alone", "", ""},
		{"first line", "token ", " and more\n"},
		{"second line", "one\ntoken ", "\nthree\n"},
		{"last line without newline", "one\ntwo\ntoken ", ""},
		{"CRLF", "one\r\ntoken ", "\r\nthree\r\n"},
		{"empty lines before", "\n\n\n", "\n\n"},
		{"behind bytes that are not UTF-8", "\xff\xfe\x00 \n\xff ", "\n"},
		{"behind wide characters", "żółw 龍\n鳥 ", " 鳥\n"},
	}
	for _, tt := range tests {
		for _, want := range []struct{ rule, value string }{{"github-pat", tok}, {"aws-access-token", aws}} {
			t.Run(tt.name+"/"+want.rule, func(t *testing.T) {
				found := hits(m, tt.before+want.value+tt.after, "a.txt", 1000)
				if len(found) != 1 {
					t.Fatalf("got %d hits, want 1", len(found))
				}
				h := found[0]
				start := int64(1000 + len(tt.before))
				wantSpan := scanners.Span{Start: start, End: start + int64(len(want.value))}
				if h.Rule != want.rule || h.Span != wantSpan || h.Form != fingerprints.FormRaw {
					t.Errorf("got rule %s span %v form %s, want %s %v raw", h.Rule, h.Span, h.Form, want.rule, wantSpan)
				}
				if string(h.Value.Reveal()) != want.value {
					t.Error("the value is another one")
				}
				if !h.Match.Contains(h.Span) {
					t.Errorf("match %v does not contain span %v", h.Match, h.Span)
				}
			})
		}
	}
}

func TestDecodedSpans(t *testing.T) {
	m := newMatcher(t, rules.Options{})
	tok := token(3)
	b64 := base64.StdEncoding.EncodeToString
	tests := []struct {
		name, encoded string
		form          fingerprints.Form
	}{
		{"base64", b64([]byte("x=" + tok + " end")), fingerprints.FormBase64},
		{"base64 alone", b64([]byte(tok)), fingerprints.FormBase64},
		{"hex", hex.EncodeToString([]byte(tok)), fingerprints.FormHex},
		{"base64 twice", b64([]byte(b64([]byte(tok)))), fingerprints.FormBase64},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, before := range []string{"", "first\nsecond: ", "first\n" + awsKey(9) + "\nthird "} {
				for _, after := range []string{"", "\nlast", " more\n"} {
					text := before + tt.encoded + after
					var found []scanners.Hit
					for _, h := range hits(m, text, "", 0) {
						if h.Rule == "github-pat" {
							found = append(found, h)
						}
					}
					if len(found) != 1 {
						t.Fatalf("got %d hits", len(found))
					}
					got := text[found[0].Span.Start:found[0].Span.End]
					if got != tt.encoded || found[0].Form != tt.form {
						t.Errorf("span holds %d bytes at %d, want the %d encoded ones at %d; form %s, want %s",
							len(got), found[0].Span.Start, len(tt.encoded), len(before), found[0].Form, tt.form)
					}
					if string(found[0].Value.Reveal()) != tok {
						t.Error("the value is not the decoded one")
					}
				}
			}
		})
	}
	plain := newMatcher(t, rules.Options{DecodeDepth: -1})
	if n := len(hits(plain, b64([]byte(tok)), "", 0)); n != 0 {
		t.Errorf("without decoding: %d hits, want none", n)
	}
}

func TestSecretGroup(t *testing.T) {
	config := "[[rules]]\nid = 'grouped'\nregex = '''\\n?key ([a-z]+) = ([0-9a-f]{12})'''\nsecretGroup = 2\n"
	m := newMatcher(t, rules.Options{Contents: []byte(config)})
	secret := "0123" + "456789ab" // split: a scan of this file stays quiet
	text := "zero\n\nkey abc = " + secret + "\n"
	found := hits(m, text, "f", 0)
	if len(found) != 1 {
		t.Fatalf("got %d hits, want 1", len(found))
	}
	got := []string{text[found[0].Span.Start:found[0].Span.End], text[found[0].Match.Start:found[0].Match.End]}
	if diff := gocmp.Diff([]string{secret, "key abc = " + secret}, got); diff != "" {
		t.Error(diff)
	}
}

func TestPathRule(t *testing.T) {
	m := newMatcher(t, rules.Options{})
	found := hits(m, "whatever", "keys/store.p12", 0)
	if len(found) != 1 || !found[0].PathOnly || string(found[0].Value.Reveal()) != "keys/store.p12" {
		t.Fatalf("got %d hits, want the path as the only one", len(found))
	}
	if n := len(hits(m, "whatever", "keys/store.p12", 64<<20)); n != 0 {
		t.Errorf("a later chunk of the content: %d hits, want none", n)
	}
}

func TestConfig(t *testing.T) {
	tok, aws := token(4), awsKey(5)
	text := tok + "\n" + aws + "\ncustom-123456\n"
	dir := t.TempDir()
	write := func(name, text string) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	custom := "[[rules]]\nid = 'custom'\nregex = '''custom-[0-9]{6}'''\n"
	inner := write("inner.toml", custom)
	outer := write("outer.toml", "[extend]\npath = '"+inner+"'\n[[rules]]\nid = 'custom'\ndescription = 'mine'\n")
	tests := []struct {
		name string
		o    rules.Options
		want []string
	}{
		{"default", rules.Options{}, []string{"github-pat", "aws-access-token"}},
		{"own rules only", rules.Options{Contents: []byte(custom)}, []string{"custom"}},
		{
			"extends the default",
			rules.Options{Contents: []byte("[extend]\nuseDefault = true\n" + custom)},
			[]string{"github-pat", "aws-access-token", "custom"},
		},
		{
			"disabled rule",
			rules.Options{Contents: []byte("[extend]\nuseDefault = true\ndisabledRules = ['github-pat']\n")},
			[]string{"aws-access-token"},
		},
		{
			"allowlist for a rule of the default",
			rules.Options{Contents: []byte(
				"[extend]\nuseDefault = true\n[[allowlists]]\ntargetRules = ['github-pat']\nregexes = ['''gh.*''']\n")},
			[]string{"aws-access-token"},
		},
		{
			"older allowlist",
			rules.Options{Contents: []byte("[extend]\nuseDefault = true\n[allowlist]\nregexes = ['''AKIA.*''']\n")},
			[]string{"github-pat"},
		},
		{
			"override in part",
			rules.Options{Contents: []byte("[extend]\nuseDefault = true\n[[rules]]\nid = 'github-pat'\nregex = '''nothing-here'''\n")},
			[]string{"aws-access-token"},
		},
		{"extends a file", rules.Options{Path: outer}, []string{"custom"}},
		{"path of a file", rules.Options{Path: inner}, []string{"custom"}},
	}
	for range 3 { // gitleaks' own loader forgets extends the second time
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				var got []string
				for _, h := range hits(newMatcher(t, tt.o), text, "x.txt", 0) {
					got = append(got, h.Rule)
				}
				if diff := gocmp.Diff(tt.want, got); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

func TestBadConfig(t *testing.T) {
	secret := token(6)
	tests := []struct {
		name string
		o    rules.Options
	}{
		{"no file", rules.Options{Path: filepath.Join(t.TempDir(), "none.toml")}},
		{"a directory", rules.Options{Path: t.TempDir()}},
		{"no TOML", rules.Options{Contents: []byte("PASSWORD=" + secret + "\n")}},
		{"bad pattern", rules.Options{Contents: []byte("[[rules]]\nid='a'\nregex='''(" + secret + "'''\n")}},
		{"no id", rules.Options{Contents: []byte("[[rules]]\nregex='''a'''\n")}},
		{"wrong type", rules.Options{Contents: []byte("rules = 'x'\n")}},
		{"group that is not there", rules.Options{Contents: []byte("[[rules]]\nid='a'\nregex='''a'''\nsecretGroup=3\n")}},
		{"both extends", rules.Options{Contents: []byte("[extend]\nuseDefault=true\npath='x'\n")}},
		{"missing extend", rules.Options{Contents: []byte("[extend]\npath='/does/not/exist.toml'\n")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := rules.New(tt.o)
			if !errors.Is(err, rules.ErrBadConfig) {
				t.Fatalf("got %v", err)
			}
			if strings.Contains(err.Error(), secret) {
				t.Error("the error repeats the file")
			}
		})
	}
}

// TestAgainstGitleaks compares with gitleaks' own findings, counted by rule
// and value, on texts assembled at random.
func TestAgainstGitleaks(t *testing.T) {
	m := newMatcher(t, rules.Options{})
	oracle, err := detect.NewDetectorDefaultConfig()
	if err != nil {
		t.Fatal(err)
	}
	oracle.MaxDecodeDepth = rules.DefaultDecodeDepth
	for seed := range uint64(150) {
		text := assemble(seed)
		var want, got []string
		for _, f := range oracle.DetectString(text) {
			want = append(want, f.RuleID+" "+f.Secret)
		}
		for _, h := range hits(m, text, "", 0) {
			got = append(got, h.Rule+" "+string(h.Value.Reveal()))
			span := text[h.Span.Start:h.Span.End]
			if h.Form == fingerprints.FormRaw && span != string(h.Value.Reveal()) {
				t.Errorf("seed %d: rule %s: the span holds other bytes than the value", seed, h.Rule)
			}
			if !h.Match.Contains(h.Span) || h.Span.Len() == 0 {
				t.Errorf("seed %d: rule %s: span %v, match %v", seed, h.Rule, h.Span, h.Match)
			}
		}
		slices.Sort(want)
		slices.Sort(got)
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Fatalf("seed %d: %s", seed, diff)
		}
	}
}

func assemble(seed uint64) string {
	r := rand.New(rand.NewPCG(seed, 1))
	pieces := []func() string{
		func() string { return token(r.Uint64()) },
		func() string { return awsKey(r.Uint64()) },
		func() string { return "\n" },
		func() string { return "\r\n\n" },
		func() string { return " words and more words " },
		func() string { return "api_key = \"" + random(r.Uint64(), base62, 32) + "\"" },
		func() string { return base64.StdEncoding.EncodeToString([]byte(" " + token(r.Uint64()) + " ")) },
		func() string {
			return hex.EncodeToString([]byte("api_key = '" + random(r.Uint64(), base62, 28) + "'\n"))
		},
		func() string {
			return "%41%42%43" + base64.StdEncoding.EncodeToString([]byte(awsKey(r.Uint64()))) + "%3D"
		},
		func() string { return string([]byte{0xff, 0, 0x80}) },
		func() string { return `A` },
	}
	var b strings.Builder
	for range r.IntN(24) {
		b.WriteString(pieces[r.IntN(len(pieces))]())
		if r.IntN(3) > 0 {
			b.WriteByte(" \n;"[r.IntN(3)])
		}
	}
	return b.String()
}

// TestConcurrent runs one matcher from many goroutines; -race watches.
func TestConcurrent(t *testing.T) {
	m := newMatcher(t, rules.Options{})
	text := assemble(11) + "\n" + base64.StdEncoding.EncodeToString([]byte(token(12))) + "\n" + token(13)
	want := len(hits(m, text, "a", 0))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				if got := len(hits(m, text, "a", 0)); got != want {
					t.Errorf("got %d hits, want %d", got, want)
				}
			}
		})
	}
	wg.Wait()
}

// TestQuiet: gitleaks' events carry findings, so no event may be made at all.
func TestQuiet(t *testing.T) {
	newMatcher(t, rules.Options{})
	for name, event := range map[string]*zerolog.Event{
		"trace": logging.Trace(), "warn": logging.Warn(), "error": logging.Error(),
	} {
		if event.Enabled() {
			t.Errorf("gitleaks logs at level %s", name)
		}
	}
}

// TestInterrupted: a chunk that would take minutes ends with its context.
func TestInterrupted(t *testing.T) {
	m := newMatcher(t, rules.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	engine := scanners.Engine{Matchers: []scanners.Matcher{m}}
	n := 0
	slow := strings.NewReader(random(8, base62, 8<<20))
	_, err := engine.Scan(ctx, slow, "a", func(scanners.Window) error { n++; return nil })
	if !errors.Is(err, context.Canceled) || n != 0 {
		t.Errorf("%d windows, %v", n, err)
	}
	if got := m.AppendHitsUntil(ctx, nil, scanners.Chunk{Data: []byte(token(9)), Final: true}); len(got) != 0 {
		t.Errorf("%d hits after the end", len(got))
	}
}

func FuzzSpans(f *testing.F) {
	m := newMatcher(f, rules.Options{})
	for seed := range uint64(6) {
		f.Add([]byte(assemble(seed)), "a/b.txt")
	}
	f.Fuzz(func(t *testing.T, data []byte, path string) {
		for _, h := range m.AppendHits(nil, scanners.Chunk{Data: data, Path: path, Base: 5, Final: true}) {
			if h.PathOnly {
				continue
			}
			if h.Span.Start < 5 || h.Span.End > int64(5+len(data)) || h.Span.Len() < 0 || !h.Match.Contains(h.Span) {
				t.Fatalf("rule %s: span %v, match %v of %d bytes", h.Rule, h.Span, h.Match, len(data))
			}
		}
	})
}

// A mark in the line of a finding lets it through, unless others are to judge.
func TestMarked(t *testing.T) {
	text := []byte("x = ours-abcdefghijkl # " + "gitleaks" + ":allow\n")
	for marked, want := range map[bool]int{false: 0, true: 1} {
		m, err := rules.New(rules.Options{Contents: []byte("[[rules]]\nid = 'ours'\nregex = 'ours-[a-z]{12}'\n"), Marked: marked})
		if err != nil {
			t.Fatal(err)
		}
		named, unknown := m.Named([]string{"ours", "theirs"})
		if got := len(named.AppendHits(nil, scanners.Chunk{Data: text, Path: "a", Final: true})); got != want || len(unknown) != 1 {
			t.Errorf("marked %v, by name: %d hits, want %d; unknown: %v", marked, got, want, unknown)
		}
		if none, _ := m.Named(nil); none.Rules() != 0 {
			t.Errorf("%d rules of no name", none.Rules())
		}
		if got := len(m.AppendHits(nil, scanners.Chunk{Data: text, Path: "a", Final: true})); got != want || m.Excused(text, 4, 20) == marked {
			t.Errorf("marked %v: %d hits, want %d", marked, got, want)
		}
	}
}
