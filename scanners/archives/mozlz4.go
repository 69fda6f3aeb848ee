package archives

import (
	"bufio"
	"encoding/binary"
	"io"
)

// mozMagic begins a file of Firefox and Thunderbird: sessions (recovery.jsonlz4 and its
// like hold cookies and what was typed into forms), search engines, add-ons. Behind it
// are the size of the content, and one block of LZ4
// (https://searchfox.org/mozilla-central/source/dom/system/IOUtils.cpp,
// https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md).
const mozMagic = "mozLz40\x00"

// mozWindow is how far a match of LZ4 reaches back.
const mozWindow = 64 << 10

// mozLz4 reads the block as it comes, with no more memory than its window.
type mozLz4 struct {
	b    *bufio.Reader
	size int64 // bytes that are to come
	err  error

	ring     [mozWindow]byte
	at       int // where the next byte is put
	written  int64
	literals int64 // left of the sequence
	match    int64
	back     int  // how far
	begun    bool // the literals of a sequence were read, its match is to be
	token    byte
}

func newMozLz4(b *bufio.Reader) *mozLz4 {
	m := &mozLz4{b: b}
	head := make([]byte, len(mozMagic)+4)
	if _, err := io.ReadFull(b, head); err != nil {
		m.err = errDamaged
		return m
	}
	if m.size = int64(binary.LittleEndian.Uint32(head[len(mozMagic):])); m.size > 0 {
		m.sequence()
	}
	return m
}

// Read implements io.Reader.
func (m *mozLz4) Read(p []byte) (n int, err error) {
	for n < len(p) && m.err == nil && m.written < m.size {
		switch {
		case m.literals > 0:
			k, err := m.b.Read(p[n:][:min(int64(len(p)-n), m.literals, m.size-m.written)])
			switch {
			case k == 0 && err != nil:
				m.err = errDamaged
			case k == 0:
				return n, nil
			}
			for _, c := range p[n : n+k] {
				m.keep(c)
			}
			m.literals -= int64(k)
			n += k
		case m.begun:
			m.matched()
		case m.match > 0:
			p[n] = m.ring[(m.at-m.back)&(mozWindow-1)]
			m.keep(p[n])
			m.match--
			n++
		default:
			m.sequence()
		}
	}
	switch {
	case n > 0:
		return n, nil
	case m.err != nil:
		return 0, m.err
	case m.written == m.size:
		return 0, io.EOF
	}
	return 0, nil
}

// keep notes a byte of the content.
func (m *mozLz4) keep(c byte) {
	m.ring[m.at] = c
	m.at = (m.at + 1) & (mozWindow - 1)
	m.written++
}

// sequence reads what begins a sequence: how many literals follow.
func (m *mozLz4) sequence() {
	if m.token, m.err = m.b.ReadByte(); m.err == nil {
		m.literals, m.err = m.length(m.token >> 4)
		m.begun = true
	}
	if m.err != nil {
		m.err = errDamaged
	}
}

// matched reads what follows the literals: how far back the match is, and its length.
func (m *mozLz4) matched() {
	m.begun = false
	low, err := m.b.ReadByte()
	if err != nil {
		m.err = errDamaged
		return
	}
	high, err := m.b.ReadByte()
	if err == nil {
		m.match, err = m.length(m.token & 15)
	}
	m.match += 4
	if m.back = int(high)<<8 | int(low); err != nil || m.back == 0 || int64(m.back) > m.written {
		m.err = errDamaged
	}
}

// length is a length that begins with four bits.
func (m *mozLz4) length(bits byte) (int64, error) {
	n := int64(bits)
	for more := bits == 15; more; {
		c, err := m.b.ReadByte()
		if err != nil || n > m.size {
			return 0, errDamaged
		}
		n += int64(c)
		more = c == 255
	}
	return n, nil
}
