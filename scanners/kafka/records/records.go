// Package records reads what a Kafka broker answers to a fetch: batches of records
// as they lie in a partition's log, message format 2 (since Kafka 0.11).
//
// It promises: every batch has the range of offsets that it stands for, also one
// that holds no records any more, that cannot be unpacked or whose checksum is
// wrong, so that a reader can go on behind it and say what it did not read; memory
// is bounded by Limit, whatever a batch says of itself; what is given out points
// into one buffer for each batch. It refuses: to drop a record without a word.
//
// The formats are those of Kafka's protocol guide and of the documentation of its
// message format.
package records

import (
	"encoding/binary"
	"hash/crc32"
	"math"
	"time"
)

// Record is one message. Key and Value are nil where the log says null; a null
// value is a tombstone in a compacted topic.
type Record struct {
	Offset  int64
	Time    time.Time
	Key     []byte
	Value   []byte
	Headers []Header
}

// Header is one of a record's headers.
type Header struct{ Name, Value []byte }

// Batch is a stretch of a partition's log.
type Batch struct {
	First, Last int64 // offsets, both included
	// Control says that the batch holds marks of transactions and no messages.
	Control bool
	Records []Record
	// Problem says why the records of the batch could not be read, or not all;
	// empty: they could. It holds no content.
	Problem string
	Size    int64 // bytes in the log
}

// Limits of one batch.
const (
	// Limit is how many bytes a batch may unpack to: no broker takes a message that
	// is longer than an int, and few are set to take more than a hundredth of this.
	Limit = 256 << 20
	// headerSize is that of a batch up to its records.
	headerSize = 61
	// lengthAt is where the length of a batch stands, and what is counted in it
	// begins behind it.
	lengthAt, lengthEnd = 8, 12
	magicAt             = 16
	crcAt               = 17
	attributesAt        = 21
	lastDeltaAt         = 23
	firstTimeAt         = 27
	maxTimeAt           = 35
	countAt             = 57
	least               = 7 // bytes of the shortest record, its length included
)

// Attributes of a batch.
const (
	codecBits  = 0x07
	appendTime = 0x08
	control    = 0x20
)

// Room is memory to unpack to; nil: it is made.
type Room interface {
	// Take returns an empty buffer with room for n bytes at the least.
	Take(n int) []byte
	// Keep says what of the buffer that was taken last is used.
	Keep(b []byte)
}

// Append appends the batches of a record set to dst, those that end before offset
// from left out, and records before it, too: a broker gives out whole batches. A
// last batch that was cut off is left for the next fetch.
func Append(dst []Batch, set []byte, from int64, room Room) []Batch {
	for len(set) > magicAt {
		length := int64(int32(binary.BigEndian.Uint32(set[lengthAt:])))
		first := int64(binary.BigEndian.Uint64(set))
		if length < magicAt+1-lengthEnd || length+lengthEnd > int64(len(set)) || first < 0 || first > math.MaxInt64-math.MaxInt32-1 {
			return dst
		}
		b := batch(set[:length+lengthEnd], room)
		set = set[length+lengthEnd:]
		if b.Last < from {
			continue
		}
		for len(b.Records) > 0 && b.Records[0].Offset < from {
			b.Records = b.Records[1:]
		}
		b.First = max(b.First, from)
		dst = append(dst, b)
	}
	return dst
}

// Cut reports whether a record set is no more than the beginning of a batch, and
// how long that is.
func Cut(set []byte) (size int64, cut bool) {
	if len(set) < lengthEnd {
		return 0, len(set) > 0
	}
	size = int64(int32(binary.BigEndian.Uint32(set[lengthAt:]))) + lengthEnd
	return size, size > int64(len(set))
}

// batch reads one batch, all of which is there.
func batch(b []byte, room Room) Batch {
	out := Batch{First: int64(binary.BigEndian.Uint64(b)), Size: int64(len(b))}
	out.Last = out.First
	switch magic := b[magicAt]; {
	case magic < 2:
		out.Problem = "it was written in a format from before Kafka 0.11"
		return out
	case magic > 2:
		out.Problem = "it has a format that is not known"
		return out
	case len(b) < headerSize:
		out.Problem = "it is shorter than its header"
		return out
	}
	out.Last = max(out.First, out.First+int64(int32(binary.BigEndian.Uint32(b[lastDeltaAt:]))))
	attributes := binary.BigEndian.Uint16(b[attributesAt:])
	out.Control = attributes&control != 0
	if crc32.Checksum(b[attributesAt:], crc32.MakeTable(crc32.Castagnoli)) != binary.BigEndian.Uint32(b[crcAt:]) {
		out.Problem = "its checksum is wrong"
		return out
	}
	body, why := unpack(attributes&codecBits, b[headerSize:], room)
	out.Problem = why
	p := parser{
		rest: body, first: out.First, last: out.Last,
		began: int64(binary.BigEndian.Uint64(b[firstTimeAt:])),
	}
	if attributes&appendTime != 0 {
		p.at, p.same = int64(binary.BigEndian.Uint64(b[maxTimeAt:])), true
	}
	count := int(int32(binary.BigEndian.Uint32(b[countAt:])))
	out.Records = p.records(count)
	if out.Problem == "" && (p.bad || len(p.rest) > 0) {
		out.Problem = "its records are damaged"
	}
	return out
}
