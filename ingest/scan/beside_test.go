package scan_test

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
	"revenant/ingest/scan"
	"revenant/scanners"
)

// unhurried is a matcher that takes longer for some contents than for others, and fails
// on one.
type unhurried struct {
	*literal
	fails []byte
}

func (u unhurried) AppendHits(dst []scanners.Hit, c scanners.Chunk) []scanners.Hit {
	if len(u.fails) > 0 && bytes.Contains(c.Data, u.fails) {
		panic("failed on " + string(u.fails))
	}
	time.Sleep(time.Duration(len(c.Data)%5) * 200 * time.Microsecond)
	return u.literal.AppendHits(dst, c)
}

// TestMembersBesideEachOther looks at members beside each other, and tells of them, and
// of what was not read, as if they had been looked at one after the other.
func TestMembersBesideEachOther(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	reg, gen := random(1, 24), random(2, 24)
	fails := "FAILS-" + random(3, 12)
	m := unhurried{&literal{values: []planted{{reg, row(1)}}, generic: []planted{{gen, row(0)}}, overlap: 64}, []byte(fails)}
	var pairs []string
	add := func(name, content string) { pairs = append(pairs, name, content) }
	for i := range 90 {
		text := strings.Repeat(random(uint64(i), 40)+"\n", r.IntN(60))
		if i%3 == 0 {
			text += "key = " + reg + "\n"
		}
		if i%4 == 0 {
			text += "other: " + gen + "\n"
		}
		switch {
		case i == 40:
			add("fails", text+fails)
		case i%10 == 7: // not read wholly
			broken := zipOf(t, zip.Deflate, "x", text, "y", strings.Repeat(text, 9))
			add(fmt.Sprintf("broken-%d.zip", i), broken[:len(broken)*2/3])
		case i%10 == 3:
			add(fmt.Sprintf("in-%d.zip", i), zipOf(t, zip.Store, "a", text, "b-"+gen, text))
		default:
			add(fmt.Sprintf("f-%d", i), text)
		}
	}
	add("large", strings.Repeat(random(5, 63)+"\n", 40_000)+reg)
	run := func(cores int) scanned {
		src := &memory{id: "dir:/x", items: []scanners.Item{item("dir:/x", "a.zip", zipOf(t, zip.Deflate, pairs...))}}
		return mustRun(t, src, setup{matcher: m.literal, change: func(o *scan.Options) {
			opened(8)(o)
			o.Engine = &scanners.Engine{Matchers: []scanners.Matcher{m}, Parallel: cores}
		}})
	}
	want := run(1)
	if len(want.findings) < 60 || len(want.skips) < 10 {
		t.Fatalf("%d findings, %d skips", len(want.findings), len(want.skips))
	}
	failed := 0
	for _, s := range want.skips {
		if s.Reason == fingerprints.SkipUnreadable && strings.HasSuffix(s.Path, "!fails") {
			failed++
		}
	}
	if failed != 1 || strings.Contains(want.everything(), fails) {
		t.Errorf("what a matcher fails on is told of %d times", failed)
	}
	for _, cores := range []int{2, 3, 8} {
		got := run(cores)
		if diff := cmp.Diff(briefs(want.findings), briefs(got.findings)); diff != "" {
			t.Errorf("%d cores: findings (-one +more):\n%s", cores, diff)
		}
		if diff := cmp.Diff(want.skips, got.skips); diff != "" {
			t.Errorf("%d cores: skips (-one +more):\n%s", cores, diff)
		}
	}
}

// TestMembersAreDropped stops in the middle of an archive, and says so.
func TestMembersAreDropped(t *testing.T) {
	reg := random(1, 24)
	m := &literal{values: []planted{{reg, row(1)}}, overlap: 64}
	var pairs []string
	for i := range 200 {
		pairs = append(pairs, fmt.Sprintf("f-%d", i), "key = "+reg+"\n")
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	seen := 0
	stopping := stopper{literal: m, after: 60, seen: &seen, stop: stop}
	src := &memory{id: "dir:/x", items: []scanners.Item{item("dir:/x", "a.zip", zipOf(t, zip.Deflate, pairs...))}}
	out := mustRun(t, src, setup{matcher: m, ctx: ctx, change: func(o *scan.Options) {
		opened(8)(o)
		o.Engine = &scanners.Engine{Matchers: []scanners.Matcher{stopping}, Parallel: 1}
	}})
	if n := len(out.findings); !out.Interrupted || n < 20 || n > 100 {
		t.Errorf("interrupted is %v, %d findings", out.Interrupted, n)
	}
}

// stopper ends the scan once it has looked at some contents.
type stopper struct {
	*literal
	after int
	seen  *int
	stop  func()
}

func (s stopper) AppendHits(dst []scanners.Hit, c scanners.Chunk) []scanners.Hit {
	if *s.seen++; *s.seen == s.after {
		s.stop()
	}
	return s.literal.AppendHits(dst, c)
}
