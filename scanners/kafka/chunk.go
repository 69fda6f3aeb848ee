package kafka

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/kafka/records"
)

// Paths of what a message consists of. A header's path goes on with its name.
const (
	PathKey    = "@key"
	PathValue  = "@value"
	PathHeader = "@header/"
)

// chunk is what one fetch gave of a partition, on its way.
type chunk struct {
	place
	sourceID    string
	incarnation int
	start       int64           // everything from here on was read
	pos         Position        // when all of it is stored
	batches     []records.Batch // of records
	memory      *memory         // that they lie in; nil: they have their own
	skips       []fingerprints.Skip
	size        int64 // in memory
	end         bool  // nothing comes any more
	err         error // why, where that was not to be
	done        chan struct{}

	// Written by look before done is closed:
	items []scanners.Item
	read  scanners.Counts // of what was not given out as an item
}

// chunk begins a chunk where the partition stands. The lock is held, or the
// partition nobody's.
func (r *Reader) chunk(p *partition) *chunk {
	return &chunk{
		place: p.place, sourceID: r.SourceID(p.topic), incarnation: abs(p.incarnation), start: p.start, pos: p.position(p.next),
		done: make(chan struct{}),
	}
}

// push hands a chunk on, to be looked at and to be given out in its turn.
func (r *Reader) push(c *chunk) {
	r.spent(c.size)
	select {
	case r.queue <- c:
	case <-r.closing:
		return
	}
	select {
	case r.work <- c:
	case <-r.closing:
	}
}

// add takes the records of a batch.
func (c *chunk) add(b records.Batch) {
	c.pos.Next = b.Last + 1
	if b.Problem != "" {
		c.skip(fingerprints.SkipBadRecord, fmt.Sprintf("%s: of the batch of offsets %d to %d %d were read: %s", c.where(), b.First, b.Last, len(b.Records), b.Problem), b.Size)
	}
	if b.Control {
		return
	}
	c.batches = append(c.batches, b)
	c.size += b.Size
	for _, rec := range b.Records {
		c.size += int64(len(rec.Key)+len(rec.Value)) + 128
	}
}

func (c *chunk) lastRecord() *records.Record {
	for i := len(c.batches) - 1; i >= 0; i-- {
		if list := c.batches[i].Records; len(list) > 0 {
			return &list[len(list)-1]
		}
	}
	return nil
}

// where names the partition for people.
func (c *chunk) where() string {
	s := fmt.Sprintf("partition %d", c.part)
	if c.incarnation > 1 {
		s = fmt.Sprintf("incarnation %d %s", c.incarnation, s)
	}
	return s
}

// skip lists what was not read.
func (c *chunk) skip(why fingerprints.SkipReason, detail string, size int64) {
	locator := fmt.Sprintf("%s offset %d", c.where(), max(0, c.pos.Next-1))
	c.skips = append(c.skips, fingerprints.Skip{Path: PathValue, Locator: locator, Reason: why, Detail: detail, Size: size})
}

// text is a part of a record that is looked at.
type text struct {
	record *records.Record
	header int // which; -1: none
	path   string
	data   []byte
}

// texts are what the records of a chunk consist of, and the same for a Screen.
type texts struct {
	list []text
	data [][]byte
}

// add adds a part of a record.
func (t *texts) add(r *records.Record, header int, path string, data []byte) {
	t.list, t.data = append(t.list, text{r, header, path, data}), append(t.data, data)
}

// forget lets the records go and keeps the room.
func (t *texts) forget() {
	clear(t.list)
	clear(t.data)
	t.list, t.data = t.list[:0], t.data[:0]
}

// look finds the messages that may hold something. t is room for it.
func (c *chunk) look(ctx context.Context, screen Screen, t *texts) {
	defer close(c.done)
	defer c.memory.release()
	c.fill(t)
	defer t.forget()
	for _, data := range t.data {
		c.read.Bytes += int64(len(data))
	}
	defer func() { c.batches = nil }()
	given := text{}
	give := func(i int) {
		x := t.list[i]
		if x.header >= 0 && x.record == given.record && x.header == given.header {
			return // by its name and by its value
		}
		given = x
		c.items = append(c.items, c.item(x))
		c.read.Bytes -= int64(len(x.data))
	}
	if screen == nil {
		for i := range t.list {
			give(i)
		}
		c.read.Items = 0
		return
	}
	screen.Texts(ctx, t.data, give)
	c.read.Items = max(0, c.read.Items-int64(len(c.items)))
}

// fill adds what the records consist of, and counts them. A header whose name may be
// one is shown with it.
func (c *chunk) fill(t *texts) {
	for _, b := range c.batches {
		c.read.Items += int64(len(b.Records))
		for i := range b.Records {
			r := &b.Records[i]
			if len(r.Key) > 0 {
				t.add(r, -1, PathKey, r.Key)
			}
			if len(r.Value) > 0 {
				t.add(r, -1, PathValue, r.Value)
			}
			for n, h := range r.Headers {
				t.add(r, n, "", h.Value)
				if len(h.Name) > longName {
					t.add(r, n, "", h.Name)
				}
			}
		}
	}
}

// longName is how long a header's name is at most that is not looked at: no secret
// is that short.
const longName = 7

// item is a part of a record as the pipeline takes it. It has a copy of it: what it
// was fetched with is let go.
func (c *chunk) item(t text) scanners.Item {
	r, path, data := t.record, t.path, t.data
	locator := fmt.Sprintf("%s offset %d", c.where(), r.Offset)
	if t.header >= 0 {
		h := r.Headers[t.header]
		path, data = PathHeader+string(h.Name), h.Value
		for n := range t.header {
			if bytes.Equal(r.Headers[n].Name, h.Name) {
				locator = fmt.Sprintf("%s offset %d header %d", c.where(), r.Offset, t.header+1)
			}
		}
	}
	body := bytes.Clone(data)
	return scanners.Item{
		SourceID: c.sourceID, Path: strings.Clone(path), Locator: locator, Recurs: true, Presence: fingerprints.PresenceRetained,
		At: r.Time, Size: int64(len(body)),
		Stream: &scanners.StreamAt{Name: Stream(c.incarnation, c.part), Offset: r.Offset, Since: c.start},
		Open:   func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil },
	}
}
