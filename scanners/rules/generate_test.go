package rules_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"regexp/syntax"
	"strings"
	"testing"
	"unicode"

	"github.com/zricethezav/gitleaks/v8/config"
)

// generator makes texts that a pattern matches, nearly matches, or might have
// been expected to match.
type generator struct {
	*rand.Rand
	rules []config.Rule
	trees []*syntax.Regexp
}

func newGenerator(t testing.TB, rules []config.Rule, seed uint64) *generator {
	t.Helper()
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 3)), rules: rules}
	for _, r := range rules {
		expr := ""
		if r.Regex != nil {
			expr = r.Regex.String()
		}
		tree, err := syntax.Parse(expr, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		g.trees = append(g.trees, tree)
	}
	return g
}

// example is a text that the rule's pattern most likely matches.
func (g *generator) example(rule int) string {
	var b strings.Builder
	g.write(&b, g.trees[rule])
	return b.String()
}

func (g *generator) write(b *strings.Builder, re *syntax.Regexp) {
	switch re.Op {
	case syntax.OpLiteral:
		for _, r := range re.Rune {
			if re.Flags&syntax.FoldCase != 0 {
				for range g.IntN(3) {
					if f := unicode.SimpleFold(r); f < 128 || g.IntN(40) == 0 {
						r = f
					}
				}
			}
			b.WriteRune(r)
		}
	case syntax.OpCharClass:
		i := 2 * g.IntN(len(re.Rune)/2)
		for range 8 { // ASCII when it can be
			if re.Rune[i] < 128 {
				break
			}
			i = 2 * g.IntN(len(re.Rune)/2)
		}
		lo, hi := re.Rune[i], re.Rune[i+1]
		if lo < 128 && g.IntN(20) > 0 {
			hi = min(hi, 126)
		}
		b.WriteRune(lo + rune(g.IntN(int(max(hi-lo, 0))+1)))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteByte(" abcXYZ059=:'\"\\/.-"[g.IntN(18)])
	case syntax.OpConcat, syntax.OpCapture:
		for _, sub := range re.Sub {
			g.write(b, sub)
		}
	case syntax.OpAlternate:
		g.write(b, re.Sub[g.IntN(len(re.Sub))])
	case syntax.OpStar, syntax.OpPlus, syntax.OpQuest, syntax.OpRepeat:
		for range g.times(re) {
			g.write(b, re.Sub[0])
		}
	default: // the empty ones
	}
}

func (g *generator) times(re *syntax.Regexp) int {
	lo, hi := 0, 1
	switch re.Op {
	case syntax.OpStar:
		hi = 12
	case syntax.OpPlus:
		lo, hi = 1, 12
	case syntax.OpRepeat:
		lo, hi = re.Min, re.Max
		if hi < 0 {
			hi = lo + 12
		}
		if hi > lo+60 && g.IntN(4) > 0 {
			hi = lo + 60
		}
	default:
	}
	switch g.IntN(6) {
	case 0:
		return lo
	case 1:
		return hi
	default:
		return lo + g.IntN(hi-lo+1)
	}
}

// miss is a text with one thing wrong.
func (g *generator) miss(text string) string {
	if text == "" {
		return text
	}
	i := g.IntN(len(text))
	switch g.IntN(4) {
	case 0:
		return text[:i] + text[i+1:]
	case 1:
		return text[:i] + string(g.stray()) + text[i+1:]
	case 2:
		return text[:i] + string(g.stray()) + text[i:]
	default:
		return text[:i]
	}
}

func (g *generator) stray() []byte {
	return []byte([]string{"\n", " ", "\xff", "é", "0", "a", "_", "=", "\"", "\r", "\\n", "K", "ſ", "-", "Z", "\xe2\x84"}[g.IntN(16)])
}

// around is what stands next to secrets.
func (g *generator) around() string {
	pool := []string{
		"", "", "", " ", "\n", "\r\n", "\t", "\"", "'", "x", "_", "key=", "token: \"", "é", "\xff", "// ", "\\n", ";", "; secret = ",
		"password=", "the quick brown fox ", "\n\n\n", "api.", "-----", "{\"a\":\"", "\"}\n", " " + "gitleaks" + ":allow\n", "import {", "%20", "\\u0041",
	}
	return pool[g.IntN(len(pool))]
}

// filler is plain text long enough to part what stands around it.
func (g *generator) filler() string {
	words := []string{
		"the", "key", "of a", "token", "is\n", "told", "api:", "curl", "data: x\n", "kind: secret", "-----BEGIN PRIVATE KEY-----\n", "https://a.b/c",
		"%d", "C:\\users", "auth = ", "ey", "some_long_identifier_name", "password", "\n\n", "0123456789abcdef",
	}
	var b strings.Builder
	for n := 150 + g.IntN(900); b.Len() < n; {
		b.WriteString(words[g.IntN(len(words))])
		b.WriteByte(' ')
	}
	return b.String()
}

// text is a stretch built around some rules.
func (g *generator) text() string {
	var b strings.Builder
	apart := g.IntN(2) == 0
	for range 1 + g.IntN(4) {
		if apart {
			b.WriteString(g.filler())
		}
		rule := g.IntN(len(g.rules))
		b.WriteString(g.around())
		b.WriteString(g.encoded(g.piece(rule)))
		b.WriteString(g.around())
	}
	if apart {
		b.WriteString(g.filler())
	}
	return b.String()
}

func (g *generator) piece(rule int) string {
	switch g.IntN(5) {
	case 0:
		return g.miss(g.example(rule))
	case 1:
		kw := "token"
		if k := g.rules[rule].Keywords; len(k) > 0 {
			kw = k[g.IntN(len(k))]
		}
		return kw + g.around() + "= '" + random(g.Uint64(), base62, 8+g.IntN(40)) + "'"
	default:
		return g.example(rule)
	}
}

func (g *generator) encoded(text string) string {
	switch g.IntN(12) {
	case 0:
		return base64.StdEncoding.EncodeToString([]byte(text))
	case 1:
		return base64.RawURLEncoding.EncodeToString([]byte(text))
	case 2:
		return hex.EncodeToString([]byte(text))
	case 3:
		return base64.StdEncoding.EncodeToString([]byte(hex.EncodeToString([]byte(text))))
	case 4:
		var b strings.Builder
		for _, c := range []byte(text) {
			if c < 128 && g.IntN(2) == 0 {
				fmt.Fprintf(&b, "%%%02X", c)
			} else {
				b.WriteByte(c)
			}
		}
		return b.String()
	case 5:
		var b strings.Builder
		form := []string{"\\u%04x", "\\\\U%04X", "U+%04X "}[g.IntN(3)]
		for _, r := range text {
			fmt.Fprintf(&b, form, r)
		}
		return b.String()
	default:
		return text
	}
}
