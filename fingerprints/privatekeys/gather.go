package privatekeys

import (
	"bytes"
	"slices"
)

// run is a stretch of base64 in text, over line breaks, indentation, escapes
// and quoted concatenation: its characters and where each stands.
type run struct {
	start, end int
	chars      []byte
	at         []int32 // offset of each character from start
	decoded    [4][]byte
	nested     [4]bool // searched for armour inside
}

// maxRun bounds the characters of one run. Bodies are shorter than the part
// that two runs of a longer stretch share.
const (
	maxRun  = 4 * MaxContainer
	maxBody = MaxContainer / 3 * 4
)

// gather reads the run that begins at start. prefix is what stands before it
// on its line, and may stand before the others.
func gather(data []byte, start int, prefix []byte) *run {
	r := &run{start: start}
	for i := start; i < len(data) && len(r.chars) < maxRun; {
		c, n := data[i], 1
		if !sextet(c) {
			c, n = step(data[i:])
		}
		if sextet(c) {
			r.chars = append(r.chars, c)
			r.at = append(r.at, int32(i-start))
			i += n
			r.end = i
			continue
		}
		next := between(data, i, prefix)
		if next <= i {
			break
		}
		i = next
	}
	return r
}

// maxGap bounds what may stand between two lines of a run.
const maxGap = 256

// between skips what may stand inside a run: breaks and space, the line's
// prefix, and the quotes, signs and escapes of a concatenation. It returns i
// when something else stands there.
func between(data []byte, i int, prefix []byte) int {
	limit := min(len(data), i+maxGap)
	broken, quotes := false, 0
	for i < limit {
		c, n := step(data[i:limit])
		switch {
		case c == '\n':
			broken = true
			i += n
			if rest, has := bytes.CutPrefix(data[i:limit], prefix); has && len(prefix) > 0 {
				i = limit - len(rest)
				quotes += bytes.Count(prefix, []byte{'"'}) + bytes.Count(prefix, []byte{'\''})
			}
		case c == ' ' || c == 0 && data[i] == '\\' || c == '+' && n == 1 && quotes%2 == 1:
			i += n
		case sextet(c):
			return i
		case c == '"' || c == '\'':
			quotes++
			i += n
		case broken && marksLine(c), quotes > 0 && joins(c):
			i += n
		default:
			return 0
		}
	}
	return 0
}

// marksLine accepts what quotes or comments a line.
func marksLine(c byte) bool { return c == '>' || c == '#' || c == '*' || c == '|' || c == ';' }

// joins accepts what stands between two quoted parts of one text.
func joins(c byte) bool { return c == ',' || c == '.' || c == '(' || c == ')' }

// bytesAt decodes the run from a character on. Runs are decoded at most once
// for each of the four alignments.
func (r *run) bytesAt(start int) []byte {
	i, ok := slices.BinarySearch(r.at, int32(start-r.start))
	if !ok {
		return nil
	}
	phase := i % 4
	if r.decoded[phase] == nil {
		r.decoded[phase] = decode(r.chars[phase:])
	}
	if from := i / 4 * 3; from <= len(r.decoded[phase]) {
		return r.decoded[phase][from:]
	}
	return nil
}

// endOf returns where the text of the first n bytes decoded from start ends.
func (r *run) endOf(start, n int) int {
	i, ok := slices.BinarySearch(r.at, int32(start-r.start))
	if !ok {
		return r.end
	}
	last := i + (n*8+5)/6 - 1
	if last >= len(r.at) {
		return r.end
	}
	return r.start + int(r.at[last]) + 1
}
