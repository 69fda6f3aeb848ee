package scanners_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/scannerstest"
)

// rot13 is a viewer: what stands between braces is rotated, and may have
// braces of another kind in it.
type rot13 struct{ open, shut byte }

func (rot13) Reach() int { return 64 }

func (r rot13) View(_ context.Context, l scanners.Layer, yield func(scanners.Text) bool) {
	open, shut := r.open, r.shut
	if l.Depth > 0 {
		open, shut = '<', '>'
	}
	for p := 0; ; {
		i := bytes.IndexByte(l.Data[p:], open)
		if i < 0 {
			return
		}
		from := p + i + 1
		n := bytes.IndexByte(l.Data[from:], shut)
		if n < 0 {
			return
		}
		t := scanners.Text{Form: "rot13", Data: bytes.Map(func(c rune) rune {
			if c|0x20 >= 'a' && c|0x20 <= 'z' {
				return c&0x20 | ((c&^0x20-'A'+13)%26 + 'A')
			}
			return c
		}, l.Data[from:from+n]), Origin: func(a, b int) (int, int) { return from + a, from + b }}
		if !yield(t) {
			return
		}
		p = from + n + 1
	}
}

func collect(t *testing.T, e *scanners.Engine, text string) ([]string, []fingerprints.Skip) {
	t.Helper()
	var hits []scanners.Hit
	var skips []fingerprints.Skip
	_, err := e.Scan(context.Background(), strings.NewReader(text), "p", func(w scanners.Window) error {
		hits = append(hits, w.Hits...)
		skips = append(skips, w.Skips...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return scannerstest.Describe(hits), skips
}

func TestViews(t *testing.T) {
	text := "needle {arrqyr} " + strings.Repeat("hay ", 30) + "{<n needle>} {nothing}"
	e := &scanners.Engine{Matchers: []scanners.Matcher{literal{text: "needle"}}, Viewer: rot13{'{', '}'}}
	want, _ := collect(t, e, text)
	if len(want) != 3 {
		t.Fatalf("%d hits: %v", len(want), want)
	}
	for i, at := range []int{0, 8, strings.LastIndex(text, "needle")} {
		prefix := fmt.Sprintf("%d-%d ", at, at+6)
		if !strings.HasPrefix(want[i], prefix) {
			t.Errorf("hit %d is %s, want it at %s", i, want[i], prefix)
		}
	}
	if !strings.Contains(want[1], " rot13 ") {
		t.Errorf("form: %s", want[1])
	}
	for _, chunk := range []int{1, 5, 17, 100} {
		e.ChunkSize = chunk
		if got, _ := collect(t, e, text); cmp.Diff(want, got) != "" {
			t.Errorf("chunks of %d:\n%s", chunk, cmp.Diff(want, got))
		}
	}
	e = &scanners.Engine{Matchers: e.Matchers, Viewer: e.Viewer, ViewDepth: -1}
	if got, _ := collect(t, e, text); len(got) != 2 {
		t.Errorf("without views: %v", got)
	}
}

// doubling yields all of a text, twice as long, at every depth.
type doubling struct{}

func (doubling) Reach() int { return 0 }

func (doubling) View(_ context.Context, l scanners.Layer, yield func(scanners.Text) bool) {
	d := slices.Concat(l.Data, l.Data)
	if !yield(scanners.Text{Form: "double", Data: d, Origin: func(int, int) (int, int) { return 0, len(l.Data) }}) {
		return
	}
	yield(scanners.Text{Form: "lost", Unread: "too odd", Origin: func(int, int) (int, int) { return 1, 3 }})
}

// TestViewsAreBounded: what decodes to ever more is cut, and listed.
func TestViewsAreBounded(t *testing.T) {
	e := &scanners.Engine{Matchers: []scanners.Matcher{literal{text: "needle"}}, Viewer: doubling{}, ViewDepth: 100}
	hits, skips := collect(t, e, strings.Repeat("x", 4<<10)+"needle")
	if len(hits) != 1 {
		t.Errorf("%d hits", len(hits))
	}
	beyond := slices.IndexFunc(skips, func(s fingerprints.Skip) bool { return strings.Contains(s.Detail, "bound") })
	odd := slices.IndexFunc(skips, func(s fingerprints.Skip) bool { return s.Detail == "too odd" })
	if beyond < 0 || odd < 0 || skips[beyond].Reason != fingerprints.SkipEncoded || len(skips) > 200 {
		t.Errorf("skips: %+v", skips)
	}
}

// guesser is a rule; a line with "fine" excuses what it finds.
type guesser struct{ literal }

func (guesser) Excused(data []byte, from, to int) bool {
	return bytes.Contains(data, []byte("fine"))
}

// guessed yields texts that are guesses.
type guessed struct{ rot13 }

func (g guessed) View(ctx context.Context, l scanners.Layer, yield func(scanners.Text) bool) {
	g.rot13.View(ctx, l, func(t scanners.Text) bool { t.Guessed = true; return yield(t) })
}

// decoder is a rule that decodes by itself, as gitleaks' do: it finds what it
// found once more.
type decoder struct{ literal }

func (d decoder) AppendHits(dst []scanners.Hit, c scanners.Chunk) []scanners.Hit {
	n := len(dst)
	dst = d.literal.AppendHits(dst, c)
	for _, h := range dst[n:] {
		h.Form = fingerprints.FormBackslash
		dst = append(dst, h)
	}
	return dst
}

// begins is a rule that finds what its text begins, up to a blank.
type begins struct{ literal }

func (b begins) AppendHits(dst []scanners.Hit, c scanners.Chunk) []scanners.Hit {
	n := len(dst)
	dst = b.literal.AppendHits(dst, c)
	for i := n; i < len(dst); i++ {
		for h := &dst[i]; h.Span.End < int64(len(c.Data)) && c.Data[h.Span.End] >= '0' && c.Data[h.Span.End] <= '9'; {
			h.Span.End++
			h.Value = fingerprints.NewValue(c.Data[h.Span.Start:h.Span.End])
		}
	}
	return dst
}

// unhyphened is a viewer: hyphens stand for nothing.
type unhyphened struct{}

func (unhyphened) Reach() int { return 64 }

func (unhyphened) View(_ context.Context, l scanners.Layer, yield func(scanners.Text) bool) {
	var out []byte
	var at []int
	for i, c := range l.Data {
		if c != '-' {
			out, at = append(out, c), append(at, i)
		}
	}
	if len(out) > 0 && len(out) < len(l.Data) {
		yield(scanners.Text{Form: "unhyphened", Alike: true, Data: out, Origin: func(from, to int) (int, int) { return at[from], at[to-1] + 1 }})
	}
}

// TestRepeats: a rule's hit is told of once, as plainly and as wholly as it can
// be.
func TestRepeats(t *testing.T) {
	for name, c := range map[string]struct {
		m    scanners.Matcher
		v    scanners.Viewer
		text string
		want []string
	}{
		"decoded by the rule, too":    {decoder{literal{text: "needle", rule: "r"}}, rot13{'{', '}'}, "a needle", []string{"2-8 r raw"}},
		"decoded, views off":          {decoder{literal{text: "needle", rule: "r"}}, nil, "a needle", []string{"2-8 r raw", "2-8 r backslash-escaped"}},
		"cut short":                   {begins{literal{text: "needle", rule: "r"}}, unhyphened{}, "a needle12-34", []string{"2-13 r unhyphened"}},
		"whole, something else after": {begins{literal{text: "needle", rule: "r"}}, unhyphened{}, "a needle12-x", []string{"2-10 r raw"}},
	} {
		e := &scanners.Engine{Matchers: []scanners.Matcher{c.m}, Viewer: c.v}
		var got []string
		_, err := e.Scan(context.Background(), strings.NewReader(c.text), "p", func(w scanners.Window) error {
			for _, h := range w.Hits {
				got = append(got, fmt.Sprintf("%d-%d %s %s", h.Span.Start, h.Span.End, h.Rule, h.Form))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(got)
		slices.Sort(c.want)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

func TestViewsOfRules(t *testing.T) {
	rule := guesser{literal{text: "needle", rule: "r"}}
	sure := literal{text: "needle"}
	for name, c := range map[string]struct {
		m    scanners.Matcher
		v    scanners.Viewer
		text string
		want int
	}{
		"found":              {rule, rot13{'{', '}'}, "{arrqyr}", 1},
		"excused":            {rule, rot13{'{', '}'}, "{arrqyr} fine", 0},
		"guessed":            {rule, guessed{rot13{'{', '}'}}, "{arrqyr}", 0},
		"guessed, confirmed": {sure, guessed{rot13{'{', '}'}}, "{arrqyr}", 1},
	} {
		e := &scanners.Engine{Matchers: []scanners.Matcher{c.m}, Viewer: c.v}
		if got, _ := collect(t, e, c.text); len(got) != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// altered is a viewer of noise: its text is the chunk with one byte taken for something
// else, in which a stream breaks off.
type altered struct{ at, gone int }

func (altered) Reach() int { return 64 }

func (v altered) View(_ context.Context, l scanners.Layer, yield func(scanners.Text) bool) {
	if l.Depth > 0 {
		yield(scanners.Text{Form: "stream", Unread: "it breaks off", Origin: func(int, int) (int, int) { return v.at, len(l.Data) }})
		return
	}
	yield(scanners.Text{Form: "altered", Data: slices.Concat(l.Data[:v.gone], l.Data[v.gone+1:]), Origin: func(from, to int) (int, int) {
		if from >= v.gone {
			from++
		}
		if to > v.gone {
			to++
		}
		return from, to
	}})
}

// TestToldWhereItStands: what cannot be read of a text is told where it begins in what
// the text was made of something else, and not where the chunk has it as it is.
func TestToldWhereItStands(t *testing.T) {
	for v, want := range map[altered]int{{at: 0, gone: 9}: 0, {at: 8, gone: 3}: 0, {at: 8, gone: 9}: 1, {at: 8, gone: 8}: 0, {at: 38, gone: 3}: 1} {
		e := &scanners.Engine{Matchers: []scanners.Matcher{literal{text: "needle"}}, Viewer: v}
		_, skips := collect(t, e, "0123456789abcdefghijklmnopqrstuvwxyzABCD")
		if len(skips) != want {
			t.Errorf("a stream at %d, with the byte at %d gone: %v, want %d", v.at, v.gone, skips, want)
		}
	}
	e := &scanners.Engine{Matchers: []scanners.Matcher{literal{text: "needle"}}, Viewer: spread{}}
	if _, skips := collect(t, e, "aabbccddeeff"); len(skips) != 1 {
		t.Errorf("in an encoding: %v", skips)
	}
}

// spread is a viewer of an encoding: two bytes are one.
type spread struct{}

func (spread) Reach() int { return 64 }

func (spread) View(_ context.Context, l scanners.Layer, yield func(scanners.Text) bool) {
	if l.Depth > 0 {
		yield(scanners.Text{Form: "stream", Unread: "it breaks off", Origin: func(int, int) (int, int) { return 0, len(l.Data) }})
		return
	}
	var half []byte
	for i := 0; i < len(l.Data); i += 2 {
		half = append(half, l.Data[i])
	}
	yield(scanners.Text{Form: "spread", Data: half, Origin: func(from, to int) (int, int) { return 2 * from, 2 * to }})
}
