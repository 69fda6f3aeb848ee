package lineage

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
)

// FuzzNext: entries put together again are the tree, as far as it was read.
func FuzzNext(f *testing.F) {
	id := string(bytes.Repeat([]byte{7}, 20))
	f.Add([]byte("100644 a\x00"+id+"40000 b\x00"+id), 20)
	f.Add([]byte("160000 sub\x00"+id+"012345678"), 32)
	f.Add([]byte(" \x00"), 20)
	f.Fuzz(func(t *testing.T, tree []byte, size int) {
		if size != 20 {
			size = 32
		}
		var again []byte
		rest := tree
		for len(rest) > 0 {
			e, after, ok := Next(rest, size)
			if !ok {
				break
			}
			if len(e.ID) != size || len(e.Mode) > maxMode || bytes.IndexByte(e.Name, 0) >= 0 || e.Tree() && e.Link() {
				t.Fatalf("%q %q %x", e.Mode, e.Name, e.ID)
			}
			again = slices.Concat(again, e.Mode, []byte{' '}, e.Name, []byte{0}, e.ID)
			rest = after
		}
		if !bytes.Equal(slices.Concat(again, rest), tree) {
			t.Errorf("%q became %q and %q", tree, again, rest)
		}
	})
}

// FuzzCommit: what a commit says behind its head changes nothing, and its head
// is read as it is written.
func FuzzCommit(f *testing.F) {
	f.Add([]byte("tree 1\nparent 2\ncommitter A <a> 12 +0000\n"), []byte("\ntree 3\nparent 4\n"), int64(5))
	f.Add([]byte("committer > 99999999999999999999\n"), []byte(""), int64(-5))
	f.Fuzz(func(t *testing.T, head, body []byte, date int64) {
		var a, b commitHead
		parseCommit(head, &a)
		if i := bytes.Index(head, []byte("\n\n")); i < 0 && bytes.HasSuffix(head, []byte("\n")) && head[0] != '\n' {
			parseCommit(slices.Concat(head, []byte("\n"), body), &b)
			if !bytes.Equal(a.tree, b.tree) || a.date != b.date || !slices.EqualFunc(a.parents, b.parents, bytes.Equal) {
				t.Errorf("%q: %+v and %+v", head, a, b)
			}
			date &= 1<<50 - 1
			parseCommit(fmt.Appendf(slices.Clone(head), "tree ab\nparent cd\ncommitter A <x> %d +0100\n\n%s", date, body), &b)
			if string(b.tree) != "ab" || len(b.parents) != len(a.parents)+1 || b.date != date {
				t.Errorf("%q: %+v", head, b)
			}
		}
	})
}
