package views

import (
	"bytes"
	"encoding/binary"
)

// coat undoes what stands before and after every line of armour, as when a
// script writes a key to a file line by line.
type coat struct {
	out           *stretches
	on            int // where the next line of the armour begins; 0: there is none
	before, after int // how long what stands before the last line was, and after it
	mark          int // where armour begins next, as far as it was looked for
}

// armourMark is what armour begins with.
const armourMark = "-----BEGIN "

// line looks at a line and the beginning of the next one.
func (s *coat) line(data []byte, start, end, next int) {
	follows := data[next:min(len(data), next+faraway)]
	if s.on != start || start == 0 {
		if !s.marked(data, start, end) {
			return
		}
		from, ok := s.begins(data[start:end], follows)
		if !ok {
			return
		}
		start += from // another thing may stand before what the lines begin with
	}
	in := data[start:end]
	s.out.put(cut(start, start+s.before), true)
	s.out.put(cut(end-s.after, end), true)
	s.on = 0
	if s.wears(in, follows) && !bytes.Contains(in, []byte("-----END ")) {
		s.on = next
	}
}

// marked reports whether the mark of armour stands in the line. Lines come in order:
// there is one look through the text, and not one for each.
func (s *coat) marked(data []byte, start, end int) bool {
	if s.mark < start {
		s.mark = markAt(data, start)
	}
	return s.mark < end
}

// markAt is where the mark of armour stands from a place on; the end of data when it
// does not. Most texts have few hyphens. Where they have many, as logs do, pairs of bytes
// are looked at, four at a time: five hyphens in a row are two of them, and what has one
// is hardly ever met.
func markAt(data []byte, p int) int {
	const row, few = len("-----"), 64
	at := p
	for met := 0; (met-4)*few < at-p; met++ {
		i := bytes.IndexByte(data[at:], '-')
		if i < 0 {
			return len(data)
		}
		if at += i; bytes.HasPrefix(data[at:], []byte(armourMark)) {
			return at
		}
		at++
	}
	const hyphens, ones, highs = 0x2d2d2d2d2d2d2d2d, 0x0001000100010001, 0x8000800080008000
	for p = at; at < len(data); at += 8 {
		if len(data)-at >= 8 {
			if v := binary.LittleEndian.Uint64(data[at:]) ^ hyphens; (v-ones)&^v&highs == 0 {
				continue
			}
		}
		for from := max(p, at-row+1); from < min(len(data), at+8); from++ {
			if bytes.HasPrefix(data[from:], []byte(armourMark)) {
				return from
			}
		}
	}
	return len(data)
}

// begins reports whether armour begins in the line, and the next line has the
// same before and after it; from is where that begins.
func (s *coat) begins(in, follows []byte) (from int, ok bool) {
	if len(in) < len("-----BEGIN KEY-----") {
		return 0, false
	}
	at := bytes.Index(in, []byte(armourMark))
	if at < 0 || armoured(in) {
		return 0, false
	}
	to := bytes.LastIndex(in, []byte("-----")) + len("-----")
	if to <= at+len(armourMark) {
		return 0, false
	}
	s.after = len(in) - to
	for from = 0; from <= at; from++ {
		if s.before = at - from; s.wears(in[from:], follows) && (s.before > 0 || at == 0) {
			return from, true
		}
		from = max(from, at-deepest-1) // the whole line, or not much of it
	}
	return 0, false
}

// wears reports whether the line at the beginning of follows has the same
// before and after it as in has.
func (s *coat) wears(in, follows []byte) bool {
	n := bytes.IndexByte(follows, '\n')
	if n < 0 {
		n = len(follows)
	}
	line := bytes.TrimSuffix(follows[:n], []byte("\r"))
	return len(line) > s.before+s.after && bytes.Equal(line[:s.before], in[:s.before]) && bytes.HasSuffix(line, in[len(in)-s.after:])
}
