package image

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"revenant/fingerprints"
	"revenant/scanners"
)

// errBeside: there is no room for a repository beside others.
var errBeside = errors.New("no room beside others")

// filling has repositories take their files.
type filling struct {
	w      *work
	limit  int64
	others bool // several are filled at once
	bytes  int64
	repos  map[*generation]GitRepository
	failed map[*generation]error
	broken bool // a layer could not be read to where its files are
}

// wanted is a file that a repository takes.
type wanted struct {
	g    *generation
	file int
}

func (f *filling) close() {
	for _, r := range f.repos {
		_ = r.Close() // it goes with the folder that it is in
	}
}

// fill passes layers, in the order in which the generations have them.
func (f *filling) fill(ctx context.Context, list []*generation) {
	var order []int
	layers := map[int]map[int][]wanted{}
	for _, g := range list {
		g.taken, g.bytes = nil, 0
		r, err := f.w.src.o.Repositories.New()
		if err != nil {
			f.failed[g] = err
			continue
		}
		f.repos[g] = r
		for n, file := range g.files {
			at := file.from
			if layers[at.layer] == nil {
				layers[at.layer] = map[int][]wanted{}
				order = append(order, at.layer)
			}
			layers[at.layer][at.entry] = append(layers[at.layer][at.entry], wanted{g, n})
		}
	}
	for _, at := range order {
		if err := f.pass(ctx, f.w.layers[at].blob, layers[at]); err != nil {
			f.broken = true
		}
	}
}

// pass reads a layer as far as something is wanted of it.
func (f *filling) pass(ctx context.Context, b blob, entries map[int][]wanted) error {
	l, err := begin(ctx, b)
	if err != nil {
		return err
	}
	defer l.end()
	for left := len(entries); left > 0; {
		m, body, err := l.next()
		if err != nil {
			return err
		}
		list := entries[m.number]
		if len(list) == 0 {
			continue
		}
		left--
		f.hand(list, m, body)
		if err := ctx.Err(); err != nil {
			return err
		}
		if l.un.failed != nil {
			return l.un.failed
		}
	}
	return nil
}

// hand gives a file to all that want it.
func (f *filling) hand(list []wanted, m member, body io.Reader) {
	var whole []byte
	for _, to := range list {
		if f.failed[to.g] != nil {
			continue
		}
		if err := f.fits(to.g, m.size); err != nil {
			f.fail(to.g, err)
			continue
		}
		in := body
		if len(list) > 1 {
			if whole == nil {
				whole, _ = io.ReadAll(io.LimitReader(body, sharedMax+1)) // what breaks off is no object
			}
			if in = bytes.NewReader(whole); len(whole) > sharedMax {
				f.fail(to.g, errShared)
				continue
			}
		}
		to.g.taken = append(to.g.taken, to.file)
		if err := f.repos[to.g].Take(to.g.files[to.file].name, m.size, in); err != nil {
			f.fail(to.g, err)
		}
	}
}

var errShared = &scanners.SkipError{Reason: fingerprints.SkipTooLarge, Detail: "it shares a large file with another by a hard link", Size: -1}

// fits counts a file, and says whether there is room for it.
func (f *filling) fits(g *generation, size int64) error {
	g.bytes += size + fileCost
	f.bytes += size + fileCost
	switch {
	case g.bytes > f.limit:
		return &scanners.SkipError{Reason: fingerprints.SkipTooLarge, Detail: fmt.Sprintf("a git repository of more than %d MiB", f.limit>>20), Size: -1}
	case f.bytes > f.limit && f.others:
		return errBeside
	}
	return nil
}

// fail ends a repository.
func (f *filling) fail(g *generation, err error) {
	f.failed[g] = err
	f.bytes -= g.bytes
	if r := f.repos[g]; r != nil {
		delete(f.repos, g)
		_ = r.Close() // it goes with the folder that it is in
	}
}
