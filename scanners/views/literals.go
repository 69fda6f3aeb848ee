package views

import "bytes"

// longestLiteral bounds what is shown of a literal beside a joint: documents
// and keys stand in one.
const longestLiteral = 8 << 10

// literals finds where the literals on both sides of a joint begin and end.
// Joints come in order, and no stretch is looked at twice for one kind of quote.
type literals struct {
	from  int    // where the literals begin that were joined last
	end   int    // the joint that they were joined by ends here
	ahead [3]int // the next quote of each kind
}

// around is where the literal that ends with the quote at p begins, and the one
// that begins at q ends. Nothing before the end of the last joint is looked at.
func (s *literals) around(data []byte, p, q, last int) (from, to int) {
	floor := max(0, p-longestLiteral, last)
	from = opening(data, floor, p)
	if from == floor && s.end == last && last > 0 {
		from = max(s.from, p-longestLiteral)
	}
	s.from, s.end = from, q
	return from, s.close(data, q)
}

// opening is where what the quote at p closes begins; floor when it begins
// earlier.
func opening(data []byte, floor, p int) int {
	for i := p; ; {
		i = bytes.LastIndexByte(data[floor:i], data[p])
		if i < 0 {
			return floor
		}
		i += floor
		if i > floor && data[i-1] == data[p] { // doubled
			i--
		} else if !protected(data, floor, i) {
			return i + 1
		}
	}
}

// close is where the literal that begins at q ends.
func (s *literals) close(data []byte, q int) int {
	kind := data[q-1]
	known := &s.ahead[quoteKind(kind)]
	if *known >= q {
		return min(*known, q+longestLiteral)
	}
	to := q
	for limit := min(len(data), q+longestLiteral); ; to++ {
		n := bytes.IndexByte(data[to:limit], kind)
		if n < 0 {
			to = limit
			break
		}
		to += n
		if to+1 < limit && data[to+1] == kind { // doubled
			to++
		} else if !protected(data, q, to) {
			break
		}
	}
	*known = to
	return to
}

// protected reports whether a backslash stands before the quote at p and is no
// escaped one.
func protected(data []byte, floor, p int) bool {
	n := 0
	for p-n > floor && n < 16 && data[p-n-1] == '\\' {
		n++
	}
	return n%2 == 1
}

// calls tells lists of literals that a call joins from all others.
type calls struct {
	end    int // of the list that was looked at last
	joined bool
}

// nameBefore and nameBehind are how far from a list the call that joins it is
// looked for.
const nameBefore, nameBehind = 32, 12

// join reports whether the list that the literal that ends at p is in is
// joined by the call that it is in or by one behind it.
func (s *calls) join(data []byte, p, last int) bool {
	if p < s.end {
		return s.joined
	}
	from := opening(data, max(0, p-longestLiteral, last), p)
	s.end = listEnd(data, p)
	s.joined = joinsBefore(data[max(0, from-nameBefore):from]) || joinsBehind(data[min(len(data), s.end):min(len(data), s.end+nameBehind)])
	return s.joined
}

// listEnd is where the list ends whose first literal ends at p.
func listEnd(data []byte, p int) int {
	limit := data[:min(len(data), p+longestLiteral)]
	for {
		var j joint
		i := j.space(limit, p+1)
		if i >= len(limit) || limit[i] != ',' {
			return i
		}
		i = j.space(limit, i+1)
		if i >= len(limit) || !isQuote(limit[i]) {
			return i
		}
		kind := limit[i]
		for p = i + 1; p < len(limit) && (limit[p] != kind || protected(limit, i, p)); p++ {
		}
		if p == len(limit) {
			return p
		}
	}
}

// callEnds is what the names end with that joinsBefore looks for.
var callEnds = set("([")

// joinsBefore reports whether b ends with what begins a list that is joined:
// concat!(, CONCAT(, join([, implode("", [.
func joinsBefore(b []byte) bool {
	for n := len(b); n > 0 && b[n-1] != '\n' && b[n-1] != ';'; n-- {
		if b = b[:n]; !callEnds[b[n-1]] {
			continue
		}
		for _, name := range [...]string{"concat!(", "oncat(", "ONCAT(", "join([", "join((", "mplode("} {
			if bytes.HasSuffix(b, []byte(name)) {
				return true
			}
		}
	}
	return false
}

// joinsBehind reports whether b, which begins where a list ends, joins it.
func joinsBehind(b []byte) bool {
	if len(b) < 2 || b[0] != ']' && b[0] != ')' && b[0] != '}' {
		return false
	}
	b = bytes.TrimLeft(b[1:], ") \n\t")
	return bytes.HasPrefix(b, []byte(".join")) || bytes.HasPrefix(b, []byte("-join")) || bytes.HasPrefix(b, []byte("|join"))
}
