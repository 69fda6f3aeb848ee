package objects

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
)

// index is the table of a pack's objects in the order of their ids: versions 1
// and 2 of git's .idx (gitformat-pack), and what a multi-pack index says of a
// pack that has none.
type index struct {
	hash   int // bytes of an id
	n      int
	fanout []byte // 256 counts; nil: not there
	ids    []byte
	stride int // from one id to the next
	off32  []byte
	offs   int    // from one offset to the next
	off64  []byte // offsets of 2 GiB and more
	crcs   []byte // nil: none

	packSum []byte // the pack's own checksum; nil: not known
	all     []byte // the whole file, whose end is its checksum
}

const (
	fanoutSize = 256 * 4
	farOffset  = 1 << 31
)

// parseIndex reads the layout of an .idx file. Lengths are checked here, and
// the contents where they are used.
func parseIndex(data []byte, format Format) (*index, error) {
	x := &index{hash: format.Size(), all: data}
	if len(data) >= 8 && binary.BigEndian.Uint32(data) == 0xff744f63 {
		if binary.BigEndian.Uint32(data[4:]) != 2 {
			return nil, broken(ReasonFormat)
		}
		return x.parse2(data)
	}
	return x.parse1(data)
}

func (x *index) parse1(data []byte) (*index, error) {
	tail := 2 * x.hash
	if len(data) < fanoutSize+tail || !x.readFanout(data) {
		return nil, broken(ReasonIndex)
	}
	body := data[fanoutSize : len(data)-tail]
	x.stride, x.offs = 4+x.hash, 4+x.hash
	if len(body)/x.stride != x.n || len(body)%x.stride != 0 {
		return nil, broken(ReasonIndex)
	}
	if x.n > 0 {
		x.ids, x.off32 = body[4:], body
	}
	x.packSum = data[len(data)-tail : len(data)-x.hash]
	return x, nil
}

func (x *index) parse2(data []byte) (*index, error) {
	const head = 8
	tail := 2 * x.hash
	if len(data) < head+fanoutSize+tail || !x.readFanout(data[head:]) {
		return nil, broken(ReasonIndex)
	}
	body := data[head+fanoutSize : len(data)-tail]
	if len(body)/(x.hash+8) < x.n {
		return nil, broken(ReasonIndex)
	}
	x.stride, x.offs = x.hash, 4
	x.ids, body = body[:x.n*x.hash], body[x.n*x.hash:]
	x.crcs, body = body[:x.n*4], body[x.n*4:]
	x.off32, x.off64 = body[:x.n*4], body[x.n*4:]
	if len(x.off64)%8 != 0 || len(x.off64)/8 > x.n {
		return nil, broken(ReasonIndex)
	}
	x.packSum = data[len(data)-tail : len(data)-x.hash]
	return x, nil
}

// readFanout takes the counts, which must not fall.
func (x *index) readFanout(data []byte) bool {
	x.fanout = data[:fanoutSize]
	var before uint32
	for i := 0; i < fanoutSize; i += 4 {
		n := binary.BigEndian.Uint32(x.fanout[i:])
		if n < before {
			return false
		}
		before = n
	}
	x.n = int(before)
	return int64(before) < 1<<31
}

// id is the i-th id, a part of the file.
func (x *index) id(i int) []byte { return x.ids[i*x.stride : i*x.stride+x.hash] }

// offset is where the i-th object begins in the pack.
func (x *index) offset(i int) (int64, bool) {
	off := binary.BigEndian.Uint32(x.off32[i*x.offs:])
	if off < farOffset || x.off64 == nil {
		return int64(off), true
	}
	k := int(off - farOffset)
	if k >= len(x.off64)/8 {
		return 0, false
	}
	far := binary.BigEndian.Uint64(x.off64[k*8:])
	return int64(far), far < 1<<62
}

// crc is the checksum of the i-th object as it stands in the pack.
func (x *index) crc(i int) (uint32, bool) {
	if x.crcs == nil {
		return 0, false
	}
	return binary.BigEndian.Uint32(x.crcs[i*4:]), true
}

// find looks an id up.
func (x *index) find(id []byte) (int, bool) {
	lo, hi := 0, x.n
	if x.fanout != nil {
		first := int(id[0])
		hi = int(binary.BigEndian.Uint32(x.fanout[first*4:]))
		if first > 0 {
			lo = int(binary.BigEndian.Uint32(x.fanout[first*4-4:]))
		}
	}
	want := binary.BigEndian.Uint64(id)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		at := x.id(mid)
		have := binary.BigEndian.Uint64(at)
		if have == want {
			switch bytes.Compare(at, id) {
			case 0:
				return mid, true
			case -1:
				lo = mid + 1
			default:
				hi = mid
			}
			continue
		}
		if have < want {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return 0, false
}

// sound reports whether the file still is what was written.
func (x *index) sound(format Format) bool {
	if x.all == nil || len(x.all) < x.hash {
		return false
	}
	h := format.newHash()
	h.Write(x.all[:len(x.all)-x.hash])
	return bytes.Equal(h.Sum(nil), x.all[len(x.all)-x.hash:])
}

func checksum(data []byte) uint32 { return crc32.ChecksumIEEE(data) }
