package scanners_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"testing"

	"revenant/scanners"
)

// near finds a word, unless an excuse stands before it, at most so many bytes away: it
// tells what decided.
type near struct{ reach int }

func (n near) Overlap() int { return n.reach }

func (n near) AppendHits(dst []scanners.Hit, c scanners.Chunk) []scanners.Hit {
	dst, _ = n.AppendJoinedHits(context.Background(), dst, c, func(int, int) {})
	return dst
}

// Alone implements scanners.Joint.
func (near) Alone([]byte) bool { return false }

func (n near) AppendJoinedHits(_ context.Context, dst []scanners.Hit, c scanners.Chunk, on func(from, to int)) ([]scanners.Hit, bool) {
	for at := 0; ; {
		i := bytes.Index(c.Data[at:], []byte("secret"))
		if i < 0 {
			return dst, true
		}
		i += at
		from := max(0, i-n.reach)
		on(from, i+6)
		if !bytes.Contains(c.Data[from:i], []byte("excuse")) {
			dst = append(dst, scanners.Hit{Rule: "near", Span: scanners.Span{Start: c.Base + int64(i), End: c.Base + int64(i) + 6}})
		}
		at = i + 6
	}
}

// whole finds contents that are one word: nothing beside it may stand.
type whole struct{}

func (whole) Overlap() int { return 8 }

func (whole) AppendHits(dst []scanners.Hit, c scanners.Chunk) []scanners.Hit {
	if string(c.Data) == "whole" {
		dst = append(dst, scanners.Hit{Rule: "whole", Span: scanners.Span{End: 5}})
	}
	return dst
}

// joinedWhole is whole for many contents at once.
type joinedWhole struct{ whole }

func (joinedWhole) Alone(content []byte) bool { return string(content) == "whole" }

func (w joinedWhole) AppendJoinedHits(_ context.Context, dst []scanners.Hit, c scanners.Chunk, _ func(from, to int)) ([]scanners.Hit, bool) {
	return w.AppendHits(dst, c), true
}

// TestScreenTexts compares texts that are looked at together with each by itself.
func TestScreenTexts(t *testing.T) {
	var texts [][]byte
	add := func(s ...string) {
		for _, s := range s {
			texts = append(texts, []byte(s))
		}
	}
	add("", "secret", "an excuse for the next", "secret", "excuse secret", "clean", "", "whole", "se", "cret", string(make([]byte, 5000)), "x secret")
	for i := range 3000 {
		add(fmt.Sprintf("message %d of many that hold nothing at all", i))
		if i%700 == 3 {
			add("this one has a secret in it", "excuse")
		}
	}
	for name, m := range map[string]scanners.Matcher{"decides by what is beside": near{64}, "by its own bytes": near{0}, "by the whole": whole{}, "by the whole, and says so": joinedWhole{}} {
		t.Run(name, func(t *testing.T) {
			e := &scanners.Engine{Matchers: []scanners.Matcher{m}}
			var want, got []int
			for i, text := range texts {
				if e.Screen(t.Context(), text) {
					want = append(want, i)
				}
			}
			e.ScreenTexts(t.Context(), texts, func(i int) { got = append(got, i) })
			if len(want) == 0 || !slices.Equal(want, got) {
				t.Errorf("together %v, each by itself %v", got, want)
			}
		})
	}
}
