package image

import (
	"cmp"
	"context"
	"io"
	"math/bits"
	"runtime"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/semaphore"
)

// Bounds of what is in memory while layers are read.
const (
	parcelBytes = 1 << 20  // of files that are screened one after the other
	largeFile   = 8 << 20  // longer ones are not screened beside others in one buffer
	streamBytes = 64 << 20 // longer ones are screened as they are read, and take so much
	flightBytes = 80 << 20 // of all that is read and not yet screened

	// leastParcels is how many of the smallest parcels are in flight at the least, and
	// parcelsPerDesk for each that screens: what is read far ahead has left the caches
	// when it is screened, and takes memory.
	leastParcels   = 8
	parcelsPerDesk = 3
)

// screening is what the layers that are read at the same time share.
type screening struct {
	screen func(ctx context.Context, data []byte) bool
	stream func(ctx context.Context, r io.Reader) bool // nil: large files are held
	named  func(path string) bool                      // nil: none is
	onFile func(bytes int64)

	small chan struct{}       // one for each of the smallest parcels; who waits for it holds none
	room  *semaphore.Weighted // bytes of buffers; who waits for it holds none
	desks chan struct{}       // one for each that screens
	pools [7]sync.Pool        // of *[]byte, from parcelBytes on each of twice the size
}

func newScreening(o Options) *screening {
	desks := runtime.GOMAXPROCS(0)
	return &screening{
		screen: o.Screen, stream: o.Stream, named: o.Named, onFile: o.Progress,
		small: make(chan struct{}, max(leastParcels, parcelsPerDesk*desks)),
		room:  semaphore.NewWeighted(flightBytes), desks: make(chan struct{}, desks),
	}
}

// class is the pool of buffers that hold so many bytes.
func class(size int64) int { return bits.Len64(uint64(max(size, parcelBytes)-1) / parcelBytes) }

// parcel is files that are screened by those who have a desk, in a buffer that is used
// again.
type parcel struct {
	buf   *[]byte
	class int
	used  int
	files []packed
	next  atomic.Int32 // the file that nobody has taken yet
	desks atomic.Int32 // of those who have not left it
}

type packed struct {
	entry    int
	from, to int
}

// parcel waits until there is room for so many bytes.
func (s *screening) parcel(ctx context.Context, size int64) (*parcel, error) {
	p := &parcel{class: class(size)}
	if p.class == 0 {
		select {
		case s.small <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if err := s.room.Acquire(ctx, parcelBytes<<p.class); err != nil {
		if p.class == 0 {
			<-s.small
		}
		return nil, err
	}
	var has bool
	if p.buf, has = s.pools[p.class].Get().(*[]byte); !has {
		b := make([]byte, parcelBytes<<p.class)
		p.buf = &b
	}
	return p, nil
}

func (s *screening) back(p *parcel) {
	s.pools[p.class].Put(p.buf)
	s.room.Release(parcelBytes << p.class)
	if p.class == 0 {
		<-s.small
	}
}

// intake takes the files of one layer.
type intake struct {
	s *screening
	// hold is told of what may hold something, with its bytes if they are at hand;
	// they are borrowed. Calls overlap.
	hold func(entry int, size int64, data []byte)
	wg   sync.WaitGroup
	p    *parcel // what is being filled
	read int64   // bytes of all files
}

// file takes a file's content. Of one that breaks off what there is of it is
// looked at, too.
func (in *intake) file(ctx context.Context, m member, body io.Reader) error {
	switch {
	case m.sparse: // how much of it there is nobody knows
		return in.large(ctx, m.number, -1, body)
	case m.size > streamBytes:
		return in.large(ctx, m.number, m.size, body)
	}
	size := m.size
	if in.p == nil || int64(len(*in.p.buf)-in.p.used) < size {
		in.send(ctx)
		var err error
		if in.p, err = in.s.parcel(ctx, size); err != nil {
			return err
		}
	}
	p := in.p
	n, err := io.ReadFull(body, (*p.buf)[p.used:p.used+int(size)])
	p.files = append(p.files, packed{m.number, p.used, p.used + n})
	p.used += n
	in.read += int64(n)
	if size > largeFile {
		in.send(ctx)
	}
	return err
}

// named takes a file whose content is looked at whatever screening says.
func (in *intake) named(ctx context.Context, m member, body io.Reader) error {
	var data []byte
	var err error
	if size := m.size; m.sparse || size > largeFile {
		in.hold(m.number, -1, nil)
	} else if data, err = io.ReadAll(io.LimitReader(body, size)); err == nil {
		in.hold(m.number, size, data)
	}
	n, rest := io.Copy(io.Discard, body)
	n += int64(len(data))
	in.read += n
	in.told(n)
	return cmp.Or(err, rest, ctx.Err())
}

// large screens a file that is not held in memory. Nothing else of the layer is read
// meanwhile.
func (in *intake) large(ctx context.Context, entry int, size int64, body io.Reader) error {
	if in.s.stream == nil {
		in.hold(entry, size, nil)
		return nil
	}
	in.send(ctx)
	weight := int64(streamBytes)
	if size >= 0 {
		weight = min(size, weight)
	}
	if err := in.s.room.Acquire(ctx, weight); err != nil {
		return err
	}
	defer in.s.room.Release(weight)
	c := &counted{r: body}
	if look(func() bool { return in.s.stream(ctx, c) }) {
		in.hold(entry, size, nil)
	}
	in.read += c.at
	in.told(c.at)
	return ctx.Err()
}

// send has what was gathered screened.
func (in *intake) send(ctx context.Context) {
	p := in.p
	if in.p = nil; p == nil {
		return
	}
	// All take files of it, so that nobody is idle while the last ones take long.
	n := min(len(p.files), cap(in.s.desks))
	p.desks.Store(int32(n))
	for range n {
		in.wg.Go(func() { in.desk(ctx, p) })
	}
}

// desk screens files of a parcel until there are none left.
func (in *intake) desk(ctx context.Context, p *parcel) {
	in.s.desks <- struct{}{}
	defer func() {
		<-in.s.desks
		if p.desks.Add(-1) == 0 {
			in.s.back(p)
		}
	}()
	for k := p.next.Add(1); int(k) <= len(p.files); k = p.next.Add(1) {
		f := p.files[k-1]
		data := (*p.buf)[f.from:f.to:f.to]
		if look(func() bool { return in.s.screen(ctx, data) }) {
			in.hold(f.entry, int64(len(data)), data)
		}
		in.told(int64(len(data)))
	}
}

// look screens. What a matcher fails on is given out, where it is told of.
func look(screen func() bool) (found bool) {
	defer func() {
		if recover() != nil {
			found = true
		}
	}()
	return screen()
}

func (in *intake) told(bytes int64) {
	if in.s.onFile != nil {
		in.s.onFile(bytes)
	}
}

// end waits until everything was screened.
func (in *intake) end(ctx context.Context) {
	in.send(ctx)
	in.wg.Wait()
}
