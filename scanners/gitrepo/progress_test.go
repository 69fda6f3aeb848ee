package gitrepo_test

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"

	"revenant/scanners/gitrepo"
)

// Progress counts every object, and knows beforehand how many the packs have.
func TestProgress(t *testing.T) {
	r := newRepository(t)
	for i := range 5 {
		r.write("f"+itoa(i), "content "+itoa(i))
		r.commit("commit " + itoa(i))
	}
	r.git("repack", "-q", "-a", "-d")
	var mu sync.Mutex
	var last gitrepo.Progress
	steps := int64(0)
	src, err := gitrepo.New(t.Context(), gitrepo.Options{
		Path: r.dir, Workers: 2, Screen: func(context.Context, []byte) bool { return false },
		Progress: func(p gitrepo.Progress) {
			mu.Lock()
			defer mu.Unlock()
			steps++
			if p.Objects >= last.Objects {
				last = p
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	for err == nil {
		_, err = src.Next(t.Context())
	}
	if !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	if last.Objects != 15 || last.Total != 15 || steps != 15 || last.Bytes == 0 { // a commit, a tree and a blob each
		t.Errorf("%d steps, the last %+v", steps, last)
	}
}
