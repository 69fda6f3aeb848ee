package scan

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/archives"
)

// members is what the contents inside archives share.
type members struct {
	mu       sync.Mutex // of redactor
	redactor redactor
	large    chan struct{} // held while a large member is scanned
}

// largeMember is from where on members are scanned one at a time: an item's
// weight knows nothing of what is packed in it.
const largeMember = 8 << 20

// text redacts a member's path.
func (m *members) text(ctx context.Context, path string) text {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.redactor.scan(ctx, []string{path})[0]
}

// inside is one item with what is packed in it.
type inside struct {
	p        *pipeline
	j        *job
	top      *content
	last     map[valueKey]int // the last content that a value was found in
	reported map[uint64]bool  // findings in members' names that were given out
	crew     *scanners.Crew
	ahead    backlog[*member] // that were read, and are told of in this order
	path     text             // of the last member or skip
	redact   func(path string) text
}

// expand scans the item, and before it its members.
func (in *inside) expand(ctx context.Context, r io.Reader) error {
	in.redact = func(path string) text { return in.p.members.text(ctx, path) }
	if in.p.o.Archives == nil {
		return in.whole(ctx, archives.Content{}, r)
	}
	in.crew = in.p.o.Engine.Crew()
	defer in.drop()
	if err := in.p.o.Archives.Expand(ctx, r, in.j.item.Path, in); err != nil {
		return fmt.Errorf("opening: %w", err)
	}
	return in.settle(ctx, true)
}

// Content scans the item itself or a member.
func (in *inside) Content(ctx context.Context, k archives.Content, r io.Reader) error {
	if k.Parent == 0 || k.First > 0 { // what its members hold is known before
		if err := in.settle(ctx, true); err != nil {
			return err
		}
	}
	if k.Parent == 0 {
		return in.whole(ctx, k, r)
	}
	m := &member{self: k, l: largely{r: r, done: ctx.Done(), slot: in.p.members.large}}
	m.content = in.crew.Start(ctx, &m.l, in.judged(k.Path))
	in.ahead.add(m, m.content.Size())
	return in.settle(ctx, m.content.Long())
}

// member is one that was read and is looked at, or what was not read.
type member struct {
	self    archives.Content
	l       largely
	content *scanners.Started // nil: skip is told of
	skip    fingerprints.Skip
}

// settle tells of members in their order, of all of them or until there is room for more.
func (in *inside) settle(ctx context.Context, all bool) error {
	for in.ahead.some(all) {
		if err := in.tell(ctx, in.ahead.next()); err != nil {
			return err
		}
	}
	return nil
}

// drop forgets the members that nobody is told of any more.
func (in *inside) drop() {
	for in.ahead.some(true) {
		if m := in.ahead.next(); m.content != nil {
			m.content.Drop()
		} else {
			in.skip(m.skip)
		}
	}
}

// tell tells of what is packed in the item, or was not read.
func (in *inside) tell(ctx context.Context, m *member) error {
	if m.content == nil {
		in.skip(m.skip)
		return nil
	}
	return in.member(ctx, m)
}

// whole scans the item's own bytes.
func (in *inside) whole(ctx context.Context, k archives.Content, r io.Reader) (err error) {
	in.top.inside, in.top.self = in, k
	in.j.bytes, err = in.p.o.Engine.Scan(ctx, r, in.judged(in.j.item.Path), in.window(ctx, in.top))
	return err
}

// judged is the path that rules look at.
func (in *inside) judged(path string) string { return strings.TrimPrefix(path, in.j.item.Outside) }

func (in *inside) window(ctx context.Context, c *content) func(scanners.Window) error {
	return func(w scanners.Window) error { return c.window(ctx, w) }
}

// member tells of a member.
func (in *inside) member(ctx context.Context, m *member) (err error) {
	k, c := m.self, in.p.newContent(in.j)
	c.path, c.inside, c.self = in.text(k.Path), in, k
	defer func() {
		if recover() != nil { // its text could hold content
			in.skip(fingerprints.Skip{Path: k.Path, Reason: fingerprints.SkipUnreadable, Detail: "a matcher failed on it: please report", Size: -1})
		}
		if endErr := c.end(); err == nil {
			err = endErr
		}
	}()
	c.out = in.p.mentions(in.j, c.path, "@path", k.Parent, in.reported)
	for _, s := range c.out {
		in.saw(s.value, k)
	}
	in.j.record.member(c.path)
	defer m.l.release()
	_, err = m.content.Finish(ctx, in.window(ctx, c))
	if err != nil && ctx.Err() == nil && !errors.Is(err, errStopped) {
		in.skip(fingerprints.Skip{Path: k.Path, Reason: fingerprints.SkipUnreadable, Detail: "cannot be read", Size: -1})
		return nil
	}
	return err
}

// Skip lists what an archive did not give, behind the members before it.
func (in *inside) Skip(s fingerprints.Skip) {
	if !in.ahead.some(true) {
		in.skip(s)
		return
	}
	in.ahead.add(&member{skip: s}, 0)
}

func (in *inside) skip(s fingerprints.Skip) {
	in.j.skipped(in.text(s.Path), s)
}

// text redacts a path, the last one for nothing.
func (in *inside) text(path string) text {
	if path == in.j.item.Path {
		return in.j.path
	}
	if in.path.raw != path {
		in.path = in.redact(path)
	}
	return in.path
}

// saw notes that a value was found in a content.
func (in *inside) saw(key valueKey, k archives.Content) {
	if in != nil && k.Parent > 0 {
		in.last[key] = k.Number
	}
}

// unseen leaves out what was found in a member already: hits in stretches that
// are a member as it is, and in a compressed container values that its members
// hold.
func (c *content) unseen(hits []scanners.Hit) []scanners.Hit {
	if c.self.First == 0 {
		return hits
	}
	kept := hits[:0]
	for _, h := range hits {
		again := c.self.Covered(h.Span.Start, h.Span.End) ||
			c.self.Packed && c.inside.last[c.p.valueKey(h)] >= c.self.First
		if h.PathOnly || !again {
			kept = append(kept, h)
		}
	}
	return kept
}

// largely waits for its turn once a content turns out to be large.
type largely struct {
	r    io.Reader
	n    int64
	done <-chan struct{}
	slot chan struct{}
	held bool
}

func (l *largely) Read(p []byte) (int, error) {
	if l.n > largeMember && !l.held {
		select {
		case l.slot <- struct{}{}:
			l.held = true
		case <-l.done:
			return 0, context.Canceled
		}
	}
	n, err := l.r.Read(p)
	l.n += int64(n)
	return n, err
}

func (l *largely) release() {
	if l.held {
		<-l.slot
	}
}
