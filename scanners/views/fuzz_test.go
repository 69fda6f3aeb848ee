package views_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"revenant/scanners"
	"revenant/scanners/views"
)

// codings are all of them.
func codings() []coding {
	return slices.Concat(base64Codings(), hexCodings(), base32Codings(), listCodings(), dumpCodings(), literalCodings(), uuCodings()[:3], base85Codings()[:5], recordCodings())
}

// FuzzViews looks through any text: every text that comes of it says where it
// came from, in bounds and in order.
func FuzzViews(f *testing.F) {
	for i, c := range codings() {
		f.Add([]byte(c.encode([]byte("some text, "+generic+fmt.Sprint(i)))), uint8(i%3))
	}
	for _, pack := range streams(f) {
		f.Add([]byte(base64Codings()[0].encode(pack([]byte("a text in a stream, a text in a stream")))), uint8(0))
		f.Add(append([]byte{0xcf}, pack([]byte("a text in a stream, a text in a stream"))...), uint8(1))
	}
	for i, s := range []string{
		patchTop + patchPart(f, "literal", []byte("a text in a patch")) + patchPart(f, "delta", gitDelta("a text", "in a patch")),
		strings.ReplaceAll(patchTop, "\n", "\n> ") + strings.ReplaceAll(patchPart(f, "delta", gitDelta("a text")), "\n", "\n> "),
		base64.StdEncoding.EncodeToString(bare(f, []byte("a text in a stream, a text in a stream"), 9)),
		base64.StdEncoding.EncodeToString(bare(f, []byte(text(1, 300, alnum)), 9)),
		richTop + `a {\b wo}{\i rd\'20}\u233?\bin3 }}}\par}`, `.a { content: "\000041\000042 \4f" }`, `a85decode('9jqo^\\\'')`,
	} {
		f.Add([]byte(s), uint8(i%3))
	}
	v := views.New()
	f.Fuzz(func(t *testing.T, data []byte, depth uint8) {
		before := bytes.Clone(data)
		out := 0
		v.View(context.Background(), scanners.Layer{Data: data, Depth: int(depth % 3), Piece: 256, Overlap: 64}, func(x scanners.Text) bool {
			if x.Form == "" || len(x.Data) == 0 && x.Unread == "" {
				t.Fatalf("a text without a form or bytes: %+v", x)
			}
			out += len(x.Data)
			last := 0
			for i := range max(1, len(x.Data)) {
				from, to := x.Origin(i, i+1)
				if from < 0 || to <= from || to > len(data) {
					t.Fatalf("%s: byte %d of %d comes from %d-%d of %d", x.Form, i, len(x.Data), from, to, len(data))
				}
				if from < last {
					t.Fatalf("%s: byte %d comes from %d, the one before from %d", x.Form, i, from, last)
				}
				last = from
			}
			if n := len(x.Data); n > 1 {
				first, _ := x.Origin(0, 1)
				_, end := x.Origin(n-1, n)
				if a, b := x.Origin(0, n); a != first || b != end {
					t.Fatalf("%s: all comes from %d-%d, its ends from %d and %d", x.Form, a, b, first, end)
				}
			}
			return out < 64<<20
		})
		if !bytes.Equal(before, data) {
			t.Fatal("the text was changed")
		}
	})
}

// FuzzPlanted plants encoded values in any surroundings: both are found,
// however the content is cut.
func FuzzPlanted(f *testing.F) {
	k := newKit(f)
	cs := codings()
	for i := range cs {
		f.Add([]byte("before "), []byte(" after"), uint8(i), uint8(i*7), uint16(900+i))
	}
	f.Fuzz(func(t *testing.T, before, after []byte, which, front uint8, chunk uint16) {
		if len(before)+len(after) > 1000 {
			return
		}
		c := cs[int(which)%len(cs)]
		plain := append(words(int(front)%90), " "+string(k.value)+" "+generic+" ;"...)
		lead := string(before) + "\n\n= "
		if c.form == "dump" {
			lead = string(before) + "\n\n"
		}
		content := lead + c.encode(plain) + "\n\n" + string(after)
		at := len(words(int(front)%90)) + 1
		hits, _ := k.scan(t, content, 0)
		for _, v := range []string{string(k.value), generic} {
			from, to := c.place(plain, at, at+len(v))
			at += len(v) + 1
			if !slices.ContainsFunc(hits, func(h scanners.Hit) bool {
				return string(h.Value.Reveal()) == v && int(h.Span.Start) == len(lead)+from && int(h.Span.End) == len(lead)+to
			}) {
				t.Fatalf("%s: %q is not at %d-%d: %v\nin %q", c.name, v, len(lead)+from, len(lead)+to, describe(hits), content)
			}
		}
		want := fmt.Sprint(describe(hits))
		hits, _ = k.scan(t, content, 64+int(chunk)%4096)
		if got := fmt.Sprint(describe(hits)); got != want {
			t.Fatalf("%s, chunks of %d:\n%s, want\n%s\nin %q", c.name, 64+int(chunk)%4096, got, want, content)
		}
	})
}
