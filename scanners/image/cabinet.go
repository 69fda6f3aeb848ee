package image

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"sync"

	"revenant/fingerprints"
	"revenant/scanners"
)

// cabinet puts repositories together out of layers, and keeps those open that fit, so
// that their contents can be read. One that was closed is put together anew when it is
// asked for. Safe for concurrent use.
type cabinet struct {
	w     *work
	limit int64
	data  sync.Mutex // of the contents that are at hand
	mu    sync.Mutex
	open  []*drawer // the one that was used last is the last
	ended bool
}

// drawer is a repository that is open.
type drawer struct {
	g     *generation
	repo  GitRepository
	items map[[2]string]scanners.Item // by path and locator
	users int
}

// Of what is put together at once.
const (
	atATime   = 64
	fileCost  = 4 << 10  // of each file, beside its bytes
	sharedMax = 32 << 20 // a file that several have
)

func (w *work) cabinet() *cabinet {
	if w.src.cabinet == nil {
		limit := w.src.o.Spool
		if limit <= 0 {
			limit = defaultSpool
		}
		w.src.cabinet = &cabinet{w: w, limit: limit}
	}
	return w.src.cabinet
}

// read reads generations that are not known, some at a time: a layer is passed once
// for all of them. What is read for the first time is remembered.
func (c *cabinet) read(ctx context.Context, list []*generation) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var todo []*generation
	for _, g := range list {
		if g.read == nil {
			todo = append(todo, g)
		}
	}
	for some := range slices.Chunk(todo, atATime) {
		for _, g := range c.together(ctx, some, len(some) > 1) {
			c.together(ctx, []*generation{g}, false)
		}
	}
}

// together reads some; those that have no room beside the others are returned.
func (c *cabinet) together(ctx context.Context, list []*generation, others bool) (alone []*generation) {
	f := &filling{w: c.w, limit: c.limit, repos: map[*generation]GitRepository{}, failed: map[*generation]error{}, others: others}
	defer f.close()
	f.fill(ctx, list)
	for _, g := range list {
		if ctx.Err() != nil {
			return nil
		}
		err := f.failed[g]
		if errors.Is(err, errBeside) {
			alone = append(alone, g)
			continue
		}
		if err == nil {
			err = c.keep(ctx, g, f.repos[g])
			delete(f.repos, g)
		}
		if err != nil && ctx.Err() == nil {
			g.read = failure(err)
		}
		if g.read != nil {
			g.read.passing = g.read.passing || f.broken
			c.w.remember(g)
		}
	}
	return alone
}

// keep reads a repository and puts it into the cabinet.
func (c *cabinet) keep(ctx context.Context, g *generation, r GitRepository) error {
	h, items, err := readHistory(ctx, g, r)
	if err != nil {
		return errors.Join(err, r.Close())
	}
	if g.read == nil {
		g.read = h
		if c.hold(ctx, h, items) {
			return r.Close()
		}
	}
	d := &drawer{g: g, repo: r, items: map[[2]string]scanners.Item{}}
	for _, it := range items {
		d.items[[2]string{it.Path, it.Locator}] = it
	}
	c.open = append(c.open, d)
	c.tidy()
	return nil
}

// hold keeps the contents of a repository while there is room, and reports whether all
// of them were: then it is not needed any more.
func (c *cabinet) hold(ctx context.Context, h *history, items []scanners.Item) (all bool) {
	all = true
	for i, it := range items {
		k := &h.Items[i]
		if it.Size < 0 || c.w.reader.survey.kept.Add(it.Size) > keptBytes {
			c.w.reader.survey.kept.Add(-max(it.Size, 0))
			all = false
			continue
		}
		rc, err := it.Open(ctx)
		if err == nil {
			k.data, err = io.ReadAll(io.LimitReader(rc, it.Size+1))
			err = errors.Join(err, rc.Close())
		}
		if err != nil || int64(len(k.data)) != it.Size {
			c.w.reader.survey.kept.Add(-it.Size)
			k.data, all = nil, false
		}
	}
	return all
}

// more counts an item that a content is given out as.
func (c *cabinet) more(k *committed) {
	c.data.Lock()
	defer c.data.Unlock()
	k.given++
}

// less is a content for one of its items, if it is at hand; the last one takes it.
func (c *cabinet) less(k *committed) []byte {
	c.data.Lock()
	defer c.data.Unlock()
	data := k.data
	if k.given--; k.given <= 0 && data != nil {
		c.w.reader.survey.kept.Add(-int64(len(data)))
		k.data = nil
	}
	return data
}

// tidy closes what does not fit, and nobody reads from.
func (c *cabinet) tidy() {
	var bytes int64
	for i := len(c.open) - 1; i >= 0; i-- {
		d := c.open[i]
		if bytes += d.g.bytes; (bytes > c.limit || len(c.open)-i > atATime) && d.users == 0 && i < len(c.open)-1 {
			_ = d.repo.Close() // it goes with the folder that it is in
			c.open = slices.Delete(c.open, i, i+1)
			bytes -= d.g.bytes
		}
	}
}

// close closes all.
func (c *cabinet) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var err error
	for _, d := range c.open {
		err = errors.Join(err, d.repo.Close())
	}
	c.open, c.ended = nil, true
	return err
}

// opening opens a content of a repository.
func (c *cabinet) opening(g *generation, k *committed) func(context.Context) (io.ReadCloser, error) {
	return func(ctx context.Context) (io.ReadCloser, error) {
		if data := c.less(k); data != nil {
			return io.NopCloser(bytes.NewReader(data)), nil
		}
		d, err := c.take(ctx, g)
		if err != nil {
			return nil, err
		}
		it, has := d.items[[2]string{k.Path, k.Locator}]
		if !has {
			c.give(d)
			return nil, errChanged
		}
		rc, err := it.Open(ctx)
		if err != nil {
			c.give(d)
			return nil, err
		}
		return &borrowed{ReadCloser: rc, back: sync.OnceFunc(func() { c.give(d) })}, nil
	}
}

// borrowed is a content of a repository that stays open for it.
type borrowed struct {
	io.ReadCloser
	back func()
}

// Close implements io.Closer.
func (b *borrowed) Close() error {
	defer b.back()
	return b.ReadCloser.Close()
}

// take is an open repository, put together anew where it is not.
func (c *cabinet) take(ctx context.Context, g *generation) (*drawer, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := func() int { return slices.IndexFunc(c.open, func(d *drawer) bool { return d.g == g }) }
	if at() < 0 && !c.ended {
		c.again(ctx, g)
	}
	i := at()
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case i < 0:
		return nil, &scanners.SkipError{Reason: fingerprints.SkipUnreadable, Detail: "the repository in the layer cannot be read again", Size: -1}
	}
	d := c.open[i]
	d.users++
	c.open = append(slices.Delete(c.open, i, i+1), d)
	return d, nil
}

// again opens one that was closed, or of which it is remembered what it has.
func (c *cabinet) again(ctx context.Context, g *generation) {
	f := &filling{w: c.w, limit: c.limit, repos: map[*generation]GitRepository{}, failed: map[*generation]error{}}
	defer f.close()
	if f.fill(ctx, []*generation{g}); f.failed[g] == nil && ctx.Err() == nil {
		_ = c.keep(ctx, g, f.repos[g]) // the caller tells
		delete(f.repos, g)
	}
}

func (c *cabinet) give(d *drawer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d.users--
	c.tidy()
}
