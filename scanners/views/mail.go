package views

import (
	"bytes"

	"revenant/scanners/escapes"
)

// mail undoes quoted-printable (RFC 2045) and its kin in headers (RFC 2047).
type mail struct {
	out   *stretches // where there is more of it
	guess *stretches // anywhere: base64 ends with an equals sign, and passwords have some
	done  int
	asked int    // up to where signs of it were looked for
	signs [2]int // the last two, each one behind; 0: none
}

// mailNear is how far away there has to be more of it for rules to look.
const mailNear = 1 << 10

// sure reports whether there are two signs of quoted-printable near p that nothing
// else would have.
func (s *mail) sure(data []byte, p int) bool {
	to := min(len(data), p+mailNear)
	for i := max(s.asked, p-mailNear); i < to; i++ {
		n := bytes.IndexByte(data[i:to], '=')
		if n < 0 {
			break
		}
		if i += n; s.sign(data, i) {
			s.signs = [2]int{i + 1, s.signs[0]}
		}
	}
	s.asked = max(s.asked, to)
	return s.signs[1] > 0 && s.signs[1] > p-mailNear || wrappedByMail(data, p)
}

// wrappedByMail reports whether a line of several words ends at p, or one that goes on
// from such a line, that is as long as mail makes lines, to a few characters.
func wrappedByMail(data []byte, p int) bool {
	const longest, shortest = 76, 72 // with the equals sign
	if p+1 < len(data) && data[p+1] != '\n' && data[p+1] != '\r' {
		return false
	}
	low := max(0, p-longest)
	start := low + bytes.LastIndexByte(data[low:p], '\n') + 1
	if n := p + 1 - start; n < shortest || n > longest {
		return false
	}
	above := bytes.TrimSuffix(data[max(0, start-3):start], []byte("\n"))
	return bytes.IndexByte(data[start:p], ' ') > 0 || bytes.HasSuffix(bytes.TrimSuffix(above, []byte("\r")), []byte("="))
}

// sign reports whether the equals sign at p is of quoted-printable and hardly of anything
// else: an escape without doubt, or the end of a line of several words as long as mail has
// them.
func (*mail) sign(data []byte, p int) bool {
	end := p + 1
	if end < len(data) && data[end] == '\r' {
		end++
	}
	if end+1 < len(data) && data[end] == '\n' {
		return fullLine(data, p) && bytes.IndexByte(data[p-leastFull:p], ' ') >= 0 && goesOn(data, p, end+1)
	}
	_, ok := escapes.Hex(data, p+1)
	return ok && doubtless(data, p)
}

// put undoes something, for all where that is sure.
func (s *mail) put(data []byte, c splice, worth bool) {
	sure := s.sure(data, c.at)
	if sure {
		s.out.put(c, worth)
	}
	s.guess.put(c, worth && !sure)
}

// at looks at an equals sign.
func (s *mail) at(data []byte, p int) {
	if p < s.done || p+2 >= len(data) {
		if p == len(data)-2 && data[p+1] == '\n' {
			s.soft(data, p, p+2)
		}
		return
	}
	switch c := data[p+1]; {
	case c == '\n':
		s.soft(data, p, p+2)
	case c == '\r' && data[p+2] == '\n':
		s.soft(data, p, p+3)
	case c == '?':
		s.encodedWord(data, p)
	default:
		if b, ok := escapes.Hex(data, p+1); ok {
			s.done = p + 3
			s.put(data, splice{at: p, end: p + 3, n: 1, out: [8]byte{b}}, doubtless(data, p))
		}
	}
}

// soft leaves a soft line break out.
func (s *mail) soft(data []byte, p, end int) {
	if s.done = end; stampedAt(data, end) {
		return // what is soft is undone behind the stamps
	}
	if p == 0 || end == len(data) || !graphic(data[p-1]) && !blanks[data[p-1]] || !goesOn(data, p, end) {
		s.put(data, cut(p, end), false)
		return
	}
	if to := armourEnd(data, p, end); to > end || s.sure(data, p) { // armour is nothing else
		s.guess.put(cut(p, end), false)
		s.out.putIn(cut(p, end), p, to)
		return
	}
	s.guess.putIn(cut(p, end), p, end)
}

// goesOn reports whether the line that a soft line break ends at p goes on at next.
func goesOn(data []byte, p, next int) bool {
	return graphic(data[next]) || blanks[data[next]] && fullLine(data, p) && next+1 < len(data) && graphic(data[next+1])
}

// leastFull is how long lines are at the least that a soft line break ends: RFC 2045
// allows 76 characters, and what breaks lines fills them, up to an escape.
const leastFull = 64

// fullLine reports whether the line that ends at p is so long that it was broken. Others
// that end with an equals sign, and are followed by a blank, are assignments.
func fullLine(data []byte, p int) bool {
	return p >= leastFull && bytes.IndexByte(data[p-leastFull:p], '\n') < 0
}

// armourEnd is how far a layer is to be shown behind what is left out at data[p:end]:
// where that breaks the first line of armour, to its last.
func armourEnd(data []byte, p, end int) int {
	const begin, last = "-----BEGIN ", "-----END "
	var room [2 * len(begin)]byte
	near := append(append(room[:0], data[max(0, p-len(begin)):p]...), data[end:min(len(data), end+len(begin))]...)
	line := data[max(0, p-longestHeader):p]
	if !bytes.Contains(near, []byte(begin)) && !bytes.Contains(line[bytes.LastIndexByte(line, '\n')+1:], []byte(begin)) {
		return end
	}
	behind := data[end:min(len(data), end+longestBroken)]
	i := bytes.Index(behind, []byte(last))
	if i < 0 {
		return end + len(behind)
	}
	return min(len(data), end+i+longestHeader)
}

// longestHeader is how long the first and the last line of armour are at the most.
const longestHeader = 64

// doubtless reports whether the equals sign and the digits at p are an escape
// of quoted-printable without doubt: an assigned number has no letters of upper
// case and no other escape behind it, and seldom ends a line.
func doubtless(data []byte, p int) bool {
	if data[p+1] >= 'a' || data[p+2] >= 'a' || p > 0 && data[p-1] == '=' {
		return false
	}
	if data[p+1] == '2' && data[p+2] == '0' && (p+3 == len(data) || data[p+3] == '\n' || data[p+3] == '\r') {
		return true // a blank at the end of a line
	}
	again := p+5 < len(data) && data[p+3] == '='
	if again {
		_, again = escapes.Hex(data, p+4)
	}
	return again || data[p+1] >= '2' && data[p+2] >= 'A'
}

// longestWord bounds an encoded word; RFC 2047 says 75.
const longestWord = 128

// encodedWord undoes =?charset?Q?...?=, and what stands between two of them.
func (s *mail) encodedWord(data []byte, p int) {
	in := data[p:min(len(data), p+longestWord)]
	n := bytes.IndexByte(in[2:], '?')
	if n < 1 || n+5 > len(in) || in[n+3]|0x20 != 'q' || in[n+4] != '?' {
		return
	}
	body := n + 5
	end := bytes.Index(in[body:], []byte("?="))
	if end < 0 {
		return
	}
	end += body
	s.out.put(cut(p, p+body), true)
	for i := body; i < end; i++ {
		switch b, ok := escapes.Hex(data[:p+end], p+i+1); {
		case in[i] == '=' && ok:
			s.out.put(splice{at: p + i, end: p + i + 3, n: 1, out: [8]byte{b}}, true)
			i += 2
		case in[i] == '_':
			s.out.put(splice{at: p + i, end: p + i + 1, n: 1, out: [8]byte{' '}}, true)
		}
	}
	close := p + end + 2
	if gap := escapes.Break(data[close:]) + close; gap+1 < len(data) && data[gap] == '=' && data[gap+1] == '?' {
		close = gap // words that only a folded line separates are one
	}
	s.out.put(cut(p+end, close), true)
	s.done = close
}
