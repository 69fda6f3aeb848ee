package rules

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"regexp/syntax"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"unicode/utf8"
)

// TestSharedMachine lets several search with one machine while others make it start
// over; each finds what package regexp finds.
func TestSharedMachine(t *testing.T) {
	for _, pattern := range []string{
		`(?i)\bkey\b[ \t]{0,20}(?s:.){0,40}?([a-z0-9]{4,12})(?:\s|$)`,
		`(?:a|b){3,30}(?:c|$)`,
		`[\w.-]{0,50}?(?:secret|token)(?:[ \t\w.-]{0,20})[=:]\B.`,
		`é+\b|(?m:^x.*$)`,
	} {
		tree, err := syntax.Parse(pattern, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		p, ok := newProgram(tree.Simplify())
		if !ok {
			t.Fatalf("%s: no program", pattern)
		}
		m := newMachine(p)
		behind := make([]func() *regexp.Regexp, maxMixed+1) // so many runes
		for n := range behind {
			behind[n] = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(fmt.Sprintf(`^(?s:.{%d})(?:%s)`, n, pattern)) })
		}
		var all sync.WaitGroup
		var found atomic.Int64
		for n := range 4 {
			all.Go(func() {
				r := rand.New(rand.NewPCG(uint64(n), 51))
				a := newAutomaton(m)
				for i := range 12_000 {
					text := mixed(r)
					runes := r.IntN(min(r.IntN(4)*20, utf8.RuneCountInString(text)) + 1)
					at, want := len(string([]rune(text)[:runes])), -1
					if loc := behind[runes]().FindStringIndex(text); loc != nil {
						want = loc[1]
						found.Add(1)
					}
					if end, _ := a.match(text, at, sideBefore(text, at), false); end != want {
						t.Errorf("%s in %q at %d: ends at %d, want %d", pattern, text, at, end, want)
						return
					}
					if i%100 == 99 && n == 0 {
						m.reset()
					}
				}
			})
		}
		all.Wait()
		if found.Load() < 50 {
			t.Errorf("%s: %d matches", pattern, found.Load())
		}
	}
}

// maxMixed is how many runes mixed has at the most.
const maxMixed = 60

// mixed is a text of words and signs that patterns ask for.
func mixed(r *rand.Rand) string {
	words := []string{"key", " ", "\t", "\n", "a", "b", "ab", "c", "x", "é", "secret", "token", "=", ":", "0z9", ".", "-", "_", "ſ"}
	var b strings.Builder
	for n := r.IntN(maxMixed/6 + 1); n > 0; n-- {
		b.WriteString(words[r.IntN(len(words))])
	}
	return b.String()
}

// TestExpressions: what values and names are held against matches where package regexp
// says so.
func TestExpressions(t *testing.T) {
	all := map[string]*pattern{
		"reference": reference, "location": location, "number": number, "digest": digest, "notation": notation, "publicName": publicName,
		"namesPart": namesPart, "sealed": sealed, "camelName": camelName, "lowerName": lowerName, "actionName": actionName, "wordFile": wordFile,
		"exampleFile": exampleFile, "madeFile": madeFile, "identifier": identifier, "standIn": standIn,
	}
	pieces := []string{
		"${", "{{", "%s", "<", ">", "]", "[", "(", ")", "->", "::", "$", "@", "://", "/", ".", "-", "_", ":", "+", "=", "\\u00", "12", "7", "1.2.3", "0x", "T", "é",
		"\xff", "\n", " ", "pass", "Key", "TOKEN", "secret", "_id", "enc", "vault", "op", "http", "localhost", "main", "test", "example", "README", "min", "sha256",
		"md5", "messages", ".json", "yarn", "package-lock", ".lock", "0123456789", "ABCDEF", "-0000-0000-0000-0123456789ab", "01234567", "$2a$", "{SSHA}", "pbkdf2", ".go", ".md", ".js", "a", "bc", "Xy", "Get-", "\u212a", "\u017f",
	}
	r := rand.New(rand.NewPCG(1, 81))
	matched := map[string]int{}
	for range 30_000 {
		var b strings.Builder
		for range r.IntN(7) {
			b.WriteString(pieces[r.IntN(len(pieces))])
		}
		text := b.String()
		for name, e := range all {
			want := e.regexp().MatchString(text)
			if got := e.matches(text); got != want {
				t.Fatalf("%s matches %q: %v, package regexp says %v", name, text, got, want)
			}
			if want {
				matched[name]++
			}
		}
	}
	for name, e := range all {
		if matched[name] == 0 {
			t.Errorf("%s matched nothing", name)
		}
		if e.machine() == nil {
			t.Errorf("%s has no automaton", name)
		}
	}
}
