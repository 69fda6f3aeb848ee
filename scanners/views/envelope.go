package views

import (
	"bytes"

	"revenant/scanners/byteclass"
)

// envelope puts together what programs log line by line in objects of JSON, one to a
// line: what was encoded and wrapped, and armour. The key that two lines have in common
// tells which of an object's strings it is.
type envelope struct {
	on     int    // where a line begins that goes on with what was put together
	key    []byte // of the string that it stands in, with its quotes
	armour bool   // it is armour
}

// How much longer or shorter the next line is that goes on with an encoded piece: times
// and numbers are not always as long, and the last piece is shorter.
const (
	mostLonger  = 16
	mostShorter = 100
)

// end looks at the object in the line data[start:end] and at the one in data[next:stop].
func (e *envelope) end(s *lines, data []byte, start, end, next, stop int) {
	if next >= len(data) || data[next] != '{' || data[start] != '{' {
		return
	}
	on := e.on == start && start > 0
	x, y := data[start:end], data[next:min(stop, next+longestLogged)]
	if !on && !s.stamp.marked && !alikeLines(x, y) {
		return
	}
	v, w := e.pieces(x, y, on)
	if v.from >= v.to || w.from < 0 {
		return
	}
	piece, after := x[v.from:v.to], y[w.from:w.to]
	armour := on && e.armour || bytes.Contains(piece, []byte("-----BEGIN "))
	if !armour && (!encodedAt(after) || on && !all(piece, &wordly)) {
		return
	}
	e.on, e.armour = next, armour && !bytes.Contains(after, []byte("-----END "))
	between := splice{at: start + v.to, end: next + w.from, n: 1, out: [8]byte{'\n'}}
	if between.at < s.cut {
		return
	}
	s.prefix.putIn(between, start+v.from, next+w.to)
	s.cut = between.end
}

// alikeLines is a quick look at whether two lines may hold pieces of what is encoded.
func alikeLines(x, y []byte) bool {
	d := len(x) - len(y)
	return -mostLonger <= d && d <= mostShorter && longRun(x)
}

// pieces are where in two objects the strings stand that one goes on in the other, without
// the escapes of their lines' ends.
func (e *envelope) pieces(x, y []byte, on bool) (v, w extent) {
	if on {
		v = valueOf(x, e.key)
	} else {
		v, e.key = longestPiece(x)
	}
	if w = valueOf(y, e.key); v.from >= 0 && w.from >= 0 {
		v.to = v.from + len(withoutEnd(x[v.from:v.to]))
		w.to = w.from + len(withoutEnd(y[w.from:w.to]))
	}
	return v, w
}

// longRun reports whether there may be a piece of what is encoded in a line: a longer
// run of characters of base64 than words are.
func longRun(line []byte) bool {
	for ; len(line) >= 64; line = line[64:] {
		m := byteclass.RunWord(line)
		m &= m >> 8
		m &= m >> 4
		m &= m >> 2
		if m&(m>>1)&0x0001000100010001 != 0 { // of thirty-two in a row, sixteen are aligned
			return true
		}
	}
	run := 0
	for _, c := range line {
		if run++; !wordly[c] {
			run = 0
		}
		if run >= 16 {
			return true
		}
	}
	return false
}

// longestPiece is where in an object the longest string stands that is a piece of what
// is encoded, or armour, and its key with the quotes.
func longestPiece(object []byte) (best extent, key []byte) {
	var before []byte
	for at := bytes.IndexByte(object, '"'); at >= 0; {
		end := stringEnd(object, at+1)
		if end < 0 {
			break
		}
		v := object[at+1 : end]
		behind := skip(object, end+1, blank)
		switch {
		case behind < len(object) && object[behind] == ':':
			before = object[at : end+1]
		case before == nil:
		case bytes.Contains(v, []byte("-----BEGIN ")):
			return extent{at + 1, end}, before
		case len(v) > best.to-best.from && isPiece(v):
			best, key = extent{at + 1, end}, before
		}
		i := bytes.IndexByte(object[end+1:], '"')
		if i < 0 {
			break
		}
		at = end + 1 + i
	}
	return best, key
}

// longestID is how long the names of requests, traces, commits and sessions are at the
// most that logs are full of: a SHA-256 in base64 has 44 characters.
const longestID = 44

// isPiece reports whether a string ends as a line does of what is encoded and wrapped.
func isPiece(v []byte) bool {
	v = withoutEnd(v)
	return len(v) > longestID && all(v[len(v)-bodyPiece:], &wordly)
}

// encodedAt reports whether a string goes on with what is encoded.
func encodedAt(v []byte) bool {
	return len(v) > 0 && all(v[:min(len(v), bodyPiece)], &wordly)
}

func all(b []byte, class *[256]bool) bool {
	for _, c := range b {
		if !class[c] {
			return false
		}
	}
	return true
}

// valueOf is where the string stands that a key has in an object; from is -1 where it
// has none.
func valueOf(object, key []byte) extent {
	for from := 0; ; {
		i := bytes.Index(object[from:], key)
		if i < 0 || len(key) == 0 {
			return extent{-1, -1}
		}
		from += i + len(key)
		at := skip(object, from, blank)
		if at == len(object) || object[at] != ':' {
			continue
		}
		if at = skip(object, at+1, blank); at == len(object) || object[at] != '"' {
			return extent{-1, -1}
		}
		if end := stringEnd(object, at+1); end >= 0 {
			return extent{at + 1, end}
		}
		return extent{-1, -1}
	}
}

// stringEnd is where a string of JSON ends that begins before at: at its quote; -1
// where it does not end.
func stringEnd(b []byte, at int) int {
	for to := at; ; to++ {
		i := bytes.IndexByte(b[to:], '"')
		if i < 0 {
			return -1
		}
		if to += i; !protected(b, at, to) {
			return to
		}
	}
}
