package scan

import (
	"bytes"
	"context"
	"errors"
	"io"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/archives"
)

// Screen says of contents whether Run could report anything in them, at
// whatever path they stand: a hit, or something inside that is not read.
type Screen struct {
	Engine   *scanners.Engine
	Archives *archives.Expander // nil: archives are read as the bytes that they are
	// Parts is Engine's, and looks at what contents have in common once; nil:
	// every content is looked at whole.
	Parts *scanners.Screener
}

// may reports whether the engine finds something in a content.
func (s Screen) may(ctx context.Context, data []byte) bool {
	if s.Parts != nil {
		return s.Parts.Screen(ctx, data)
	}
	return s.Engine.Screen(ctx, data)
}

// errFound ends the look into an archive.
var errFound = errors.New("found")

// Of reports whether something could be reported in data. It is safe for
// concurrent use.
func (s Screen) Of(ctx context.Context, data []byte) bool {
	if s.Archives == nil || !archives.Packed(data) {
		return s.may(ctx, data)
	}
	return s.Engine.Clean.Throughout(data, func() bool { return s.opened(ctx, sizedReader{bytes.NewReader(data)}) })
}

// opened looks at what is packed in a content, and then at the content as a scan
// does: without the stretches that were unpacked, in which noise would look like
// something.
func (s Screen) opened(ctx context.Context, r io.Reader) bool {
	v := &inspected{screen: s, crew: s.Engine.Crew()}
	defer v.drop()
	err := s.Archives.Expand(ctx, r, archives.AnyName, v)
	return v.found || v.settle(true) != nil || err != nil
}

// Stream is Of for a content that is not held in memory. It reads as far as the
// answer needs; what cannot be read to its end may hold something.
func (s Screen) Stream(ctx context.Context, r io.Reader) bool {
	if s.Archives == nil {
		return s.Engine.ScreenReader(ctx, r)
	}
	return s.opened(ctx, r)
}

// sizedReader is a content that need not be copied to be read anywhere.
type sizedReader struct{ *bytes.Reader }

// Size is that of the content.
func (r sizedReader) Size() int64 { return r.Reader.Size() }

// inspected looks for the first thing in an archive that is worth a scan.
type inspected struct {
	screen Screen
	found  bool
	crew   *scanners.Crew
	ahead  backlog[*glance]
}

// glance is a member that is looked at beside the reading.
type glance struct {
	task  *scanners.Task
	found bool
}

// Content implements archives.Visitor. Large members are looked at as they are read.
func (v *inspected) Content(ctx context.Context, c archives.Content, r io.Reader) error {
	if c.Parent == 0 {
		if v.screen.Engine.ScreenReader(ctx, r) {
			return v.end()
		}
		return nil
	}
	data, err := io.ReadAll(io.LimitReader(r, largeMember+1))
	switch {
	case err != nil:
		return v.end()
	case len(data) > largeMember:
		if v.screen.Engine.ScreenReader(ctx, io.MultiReader(bytes.NewReader(data), r)) {
			return v.end()
		}
	default:
		g := &glance{}
		g.task = v.crew.Do(func() { g.found = v.screen.may(ctx, data) })
		v.ahead.add(g, len(data))
		if err := v.settle(false); err != nil {
			return err
		}
	}
	if v.screen.Engine.Named(c.Path) || v.screen.may(ctx, []byte(c.Path[c.Parent:])) {
		v.found = true
	}
	return nil
}

// settle waits for members, for all of them or until there is room for more.
func (v *inspected) settle(all bool) error {
	for v.ahead.some(all) {
		g := v.ahead.next()
		if g.task.Wait(); g.found {
			return v.end()
		}
	}
	return nil
}

// drop waits for what nobody asks for any more.
func (v *inspected) drop() {
	for v.ahead.some(true) {
		v.ahead.next().task.Drop()
	}
}

func (v *inspected) end() error {
	v.found = true
	return errFound
}

// Skip implements archives.Visitor.
func (v *inspected) Skip(fingerprints.Skip) { v.found = true }

// Texts is Of for many contents: yes is called for each that something could be
// reported in, in order.
func (s Screen) Texts(ctx context.Context, texts [][]byte, yes func(i int)) {
	next := 0
	packed := func(to int) { // those between two that the engine finds something in
		for ; next < to; next++ {
			if s.Archives != nil && archives.Packed(texts[next]) && s.Of(ctx, texts[next]) {
				yes(next)
			}
		}
	}
	s.Engine.ScreenTexts(ctx, texts, func(i int) {
		packed(i)
		next = i + 1
		yes(i)
	})
	packed(len(texts))
}
