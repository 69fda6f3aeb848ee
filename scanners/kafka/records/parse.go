package records

import (
	"encoding/binary"
	"math"
	"time"
)

// parser reads records off the body of a batch.
type parser struct {
	rest        []byte
	first, last int64 // offsets of the batch
	began, at   int64 // milliseconds
	same        bool  // all records have the time at
	bad         bool
}

// records reads count records, fewer where the body is damaged.
func (p *parser) records(count int) []Record {
	if count <= 0 {
		return nil
	}
	out := make([]Record, 0, min(count, len(p.rest)/least))
	for range count {
		r, ok := p.record()
		if !ok {
			p.bad = true
			return out
		}
		if n := len(out); n > 0 && r.Offset <= out[n-1].Offset {
			p.bad = true
			return out
		}
		out = append(out, r)
	}
	return out
}

// record reads one record. What stands in it beyond what is known is left out, as
// newer brokers may add to it.
func (p *parser) record() (r Record, ok bool) {
	length, ok := p.varint()
	if !ok || length < 0 || length > int64(len(p.rest)) {
		return r, false
	}
	in := parser{rest: p.rest[:length]}
	p.rest = p.rest[length:]
	if len(in.rest) == 0 {
		return r, false
	}
	in.rest = in.rest[1:] // attributes of a record are not used
	later, ok1 := in.varint()
	offset, ok2 := in.varint()
	if !ok1 || !ok2 || offset < 0 || offset > math.MaxInt32 || p.first+offset > p.last {
		return r, false
	}
	r.Offset = p.first + offset
	at := p.began + later
	if p.same {
		at = p.at
	}
	if at > 0 {
		r.Time = time.UnixMilli(at).UTC()
	}
	if r.Key, ok = in.bytes(); !ok {
		return r, false
	}
	if r.Value, ok = in.bytes(); !ok {
		return r, false
	}
	headers, ok := in.varint()
	if !ok || headers < 0 || headers > int64(len(in.rest)) {
		return r, false
	}
	for range headers {
		var h Header
		if h.Name, ok = in.bytes(); !ok {
			return r, false
		}
		if h.Value, ok = in.bytes(); !ok {
			return r, false
		}
		r.Headers = append(r.Headers, h)
	}
	return r, true
}

// varint reads a number in zigzag encoding.
func (p *parser) varint() (int64, bool) {
	v, n := binary.Varint(p.rest)
	if n <= 0 {
		return 0, false
	}
	p.rest = p.rest[n:]
	return v, true
}

// bytes reads a length and as many bytes; nil for null.
func (p *parser) bytes() ([]byte, bool) {
	n, ok := p.varint()
	if !ok || n > int64(len(p.rest)) {
		return nil, false
	}
	if n < 0 {
		return nil, true
	}
	b := p.rest[:n:n]
	p.rest = p.rest[n:]
	return b, true
}
