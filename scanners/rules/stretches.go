package rules

import "strings"

// stretches walks over what looks encoded in a text, as one pass of gitleaks'
// pattern finds it: leftmost, without overlap, at each place percent before
// escapes before hexadecimal before base64.
type stretches struct {
	*alphabets
	text                string
	pos                 int
	percent, code, back int // the next %, U+ and \u from pos on; len(text): none
}

func (a *alphabets) stretches(text string) *stretches {
	return &stretches{alphabets: a, text: text, percent: -1, code: -1, back: -1}
}

// next is the next stretch.
func (s *stretches) next() (encoded, bool) {
	for s.pos < len(s.text) {
		special := s.special()
		if e, ok := s.run(s.pos, special); ok {
			s.pos = e.end
			return e, true
		}
		s.pos = special
		if special == len(s.text) {
			break
		}
		if e, ok := s.at(special); ok {
			s.pos = e.end
			return e, true
		}
		// Nothing here but perhaps the inside of a run.
		if e, ok := s.runAt(special); ok {
			s.pos = e.end
			return e, true
		}
		s.pos++
	}
	return encoded{}, false
}

// special is the next place where an encoding with a mark may begin.
func (s *stretches) special() int {
	if s.percent < s.pos {
		s.percent = indexFrom(s.text, s.pos, "%")
	}
	if s.code < s.pos {
		s.code = indexFrom(s.text, s.pos, "U+")
	}
	if s.back < s.pos {
		s.back = s.pos
		for s.back < len(s.text) {
			s.back = indexFrom(s.text, s.back, `\`)
			if s.escaped(s.back) > 0 {
				break
			}
			s.back++
		}
		s.back = min(s.back, len(s.text))
	}
	return min(s.percent, s.code, s.back)
}

// run finds the first run of base64 or hexadecimal that starts in [from, to).
func (s *stretches) run(from, to int) (encoded, bool) {
	for from < to {
		// Is the last character that the shortest run from here has one of it?
		probe := from + minBase64 - 1
		if probe >= len(s.text) {
			return encoded{}, false
		}
		if !s.base64[s.text[probe]] {
			from = probe + 1
			continue
		}
		start := probe
		for start > from && s.base64[s.text[start-1]] {
			start--
		}
		if start >= to {
			return encoded{}, false
		}
		if e, ok := s.runAt(start); ok {
			return e, true
		}
		from = start
		for from < len(s.text) && s.base64[s.text[from]] {
			from++
		}
	}
	return encoded{}, false
}

// runAt is the run of hexadecimal or base64 at a place.
func (s *stretches) runAt(at int) (encoded, bool) {
	hex := at
	for hex < len(s.text) && s.hex[s.text[hex]] != 0xff {
		hex++
	}
	if hex-at >= minHex {
		return encoded{extent{at, hex}, hexadecimal}, true
	}
	end := hex
	for end < len(s.text) && s.base64[s.text[end]] {
		end++
	}
	if end-at < minBase64 {
		return encoded{}, false
	}
	for range 2 {
		if end < len(s.text) && s.text[end] == '=' {
			end++
		}
	}
	return encoded{extent{at, end}, base64ish}, true
}

// at is the stretch with a mark at a place.
func (s *stretches) at(at int) (encoded, bool) {
	switch s.text[at] {
	case '%':
		if !s.percentAt(at) {
			return encoded{}, false
		}
		line := at + 3
		if n := strings.IndexByte(s.text[line:], '\n'); n >= 0 {
			line += n
		} else {
			line = len(s.text)
		}
		end := at + 3
		for i := line; ; {
			i = strings.LastIndexByte(s.text[at+3:i], '%')
			if i < 0 {
				break
			}
			if i += at + 3; i+3 <= line && s.percentAt(i) {
				end = i + 3
				break
			}
		}
		return encoded{extent{at, end}, percent}, true
	case 'U':
		end := at
		for s.codePoint(end) {
			end += 6
			if end < len(s.text) {
				end++ // the white space behind
			}
		}
		return encoded{extent{at, end}, escape}, end > at
	default:
		end := at
		for n := s.escaped(end); n > 0; n = s.escaped(end) {
			end += n
		}
		return encoded{extent{at, end}, escape}, end > at
	}
}

func (s *stretches) percentAt(i int) bool {
	return i+3 <= len(s.text) && s.hex[s.text[i+1]] != 0xff && s.hex[s.text[i+2]] != 0xff
}

func (s *stretches) fourHex(i int) bool {
	if i+4 > len(s.text) {
		return false
	}
	for _, c := range []byte(s.text[i : i+4]) {
		if s.hex[c] == 0xff {
			return false
		}
	}
	return true
}

// codePoint reports whether U+0041 and white space, or the end, stand there.
func (s *stretches) codePoint(i int) bool {
	return strings.HasPrefix(s.text[i:], "U+") && s.fourHex(i+2) &&
		(i+6 == len(s.text) || strings.IndexByte("\t\n\f\r ", s.text[i+6]) >= 0)
}

// escaped is the length of the \u0041 or \\u0041 there, 0 for none.
func (s *stretches) escaped(i int) int {
	start := i
	for range 2 {
		if i < len(s.text) && s.text[i] == '\\' {
			i++
		}
	}
	if i == start || i >= len(s.text) || s.text[i]|0x20 != 'u' || !s.fourHex(i+1) {
		return 0
	}
	return i + 5 - start
}
