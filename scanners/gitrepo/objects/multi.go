package objects

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
)

// multi is a multi-pack index (gitformat-pack): one table for many packs. It
// is a hint where a pack has its own index, and the index of those that have
// none.
type multi struct {
	index   // ids and fanout; offsets are in entries
	packs   []string
	entries []byte // pack and offset, four bytes each
	far     []byte
	byPack  map[string]int
}

// Chunks of a multi-pack index.
const (
	chunkNames   = "PNAM"
	chunkFanout  = "OIDF"
	chunkIDs     = "OIDL"
	chunkOffsets = "OOFF"
	chunkFar     = "LOFF"
)

func parseMulti(data []byte, format Format) (*multi, error) {
	const head, row = 12, 12
	tail := format.Size()
	if len(data) < head+row+tail || string(data[:4]) != "MIDX" {
		return nil, broken(ReasonIndex)
	}
	if v := data[4]; v != 1 && v != 2 || data[5] != byte(format) || data[7] != 0 {
		return nil, broken(ReasonFormat)
	}
	chunks := map[string][]byte{}
	count, end := int(data[6]), uint64(len(data)-tail)
	if len(data) < head+(count+1)*row+tail {
		return nil, broken(ReasonIndex)
	}
	for i := range count {
		at := data[head+i*row:]
		from, to := binary.BigEndian.Uint64(at[4:]), binary.BigEndian.Uint64(at[4+row:])
		if from > to || to > end {
			return nil, broken(ReasonIndex)
		}
		chunks[string(at[:4])] = data[from:to]
	}
	m := &multi{}
	m.hash, m.all = format.Size(), data
	if !m.take(chunks, int(binary.BigEndian.Uint32(data[8:]))) {
		return nil, broken(ReasonIndex)
	}
	return m, nil
}

func (m *multi) take(chunks map[string][]byte, packs int) bool {
	if len(chunks[chunkFanout]) != fanoutSize || !m.readFanout(chunks[chunkFanout]) {
		return false
	}
	m.ids, m.entries, m.far = chunks[chunkIDs], chunks[chunkOffsets], chunks[chunkFar]
	m.stride = m.hash
	if len(m.ids)/m.hash != m.n || len(m.entries)/8 != m.n {
		return false
	}
	names := chunks[chunkNames]
	if packs > len(names) {
		return false
	}
	m.byPack = make(map[string]int, packs)
	for i := range packs {
		name, rest, ok := bytes.Cut(names, []byte{0})
		if !ok || strings.ContainsAny(string(name), "/\\") {
			return false
		}
		names = rest
		base := strings.TrimSuffix(strings.TrimSuffix(string(name), ".idx"), ".pack")
		m.packs = append(m.packs, base)
		m.byPack[base] = i
	}
	return true
}

// place is where the i-th object is.
func (m *multi) place(i int) (pack int, off int64, ok bool) {
	at := m.entries[i*8:]
	pack = int(binary.BigEndian.Uint32(at))
	off = int64(binary.BigEndian.Uint32(at[4:]))
	if off >= farOffset && len(m.far) > 0 {
		k := int(off - farOffset)
		if k >= len(m.far)/8 {
			return 0, 0, false
		}
		far := binary.BigEndian.Uint64(m.far[k*8:])
		off = int64(far & (1<<62 - 1))
	}
	return pack, off, pack < len(m.packs)
}

// indexOf is an index of one pack, made of what is said here. Objects that are
// in other packs too may be missing from it.
func (m *multi) indexOf(base string) *index {
	want, ok := m.byPack[base]
	if !ok {
		return nil
	}
	x := &index{hash: m.hash, stride: m.hash, offs: 4}
	for i := range m.n {
		pack, off, ok := m.place(i)
		if !ok || pack != want {
			continue
		}
		x.ids = append(x.ids, m.id(i)...)
		if off < farOffset {
			x.off32 = binary.BigEndian.AppendUint32(x.off32, uint32(off))
		} else {
			x.off32 = binary.BigEndian.AppendUint32(x.off32, farOffset|uint32(len(x.off64)/8))
			x.off64 = binary.BigEndian.AppendUint64(x.off64, uint64(off))
		}
		x.n++
	}
	x.ids, x.off32 = slices.Clip(x.ids), slices.Clip(x.off32)
	if x.off64 == nil {
		x.off64 = []byte{} // an offset with the highest bit is none then
	}
	return x
}
