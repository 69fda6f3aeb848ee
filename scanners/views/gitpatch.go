package views

import (
	"bytes"
	"io"

	"revenant/scanners/stamps"
)

// What git writes in patches of files that are no text (git-apply's format): "literal" or
// "delta" and a size, lines of base85 behind a character that says how many bytes a
// line has, and an empty line; for the way forth, and for the way back.

const (
	patchMark  = "GIT binary patch"
	patchLine  = 52  // bytes of a full line
	patchStamp = 256 // what may stand before the lines
	patchParts = 2   // forth and back
)

// patchLines reads the lines of a patch, behind what a log, a quotation or a diff of
// patches writes before each.
type patchLines struct {
	data  []byte
	at    int // where the next line begins
	width int // of what stands before the mark
	stamp stamps.Stamp
}

// line is where what is the patch's in the next line begins and ends, if it is what
// is says; it does not move on otherwise.
func (l *patchLines) line(is func([]byte) bool) (from, to int, ok bool) {
	if l.at >= len(l.data) {
		return 0, 0, false
	}
	end := len(l.data)
	if n := bytes.IndexByte(l.data[l.at:min(end, l.at+patchStamp+longestLine)], '\n'); n >= 0 {
		end = l.at + n
	} else if end > l.at+patchStamp+longestLine {
		return 0, 0, false
	}
	line := bytes.TrimSuffix(l.data[l.at:end], []byte("\r"))
	width := min(l.width, len(line))
	if !is(line[width:]) {
		if l.width == 0 {
			return 0, 0, false
		}
		l.stamp.Read(line)
		if width = l.stamp.Len(); !is(line[width:]) {
			return 0, 0, false
		}
	}
	from, to = l.at+width, l.at+len(line)
	l.at = min(end+1, len(l.data))
	return from, to, true
}

// patchHead reports whether a line says what the lines behind it hold.
func patchHead(line []byte) bool {
	rest, ok := bytes.CutPrefix(line, []byte("literal "))
	if !ok {
		rest, ok = bytes.CutPrefix(line, []byte("delta "))
	}
	return ok && len(rest) > 0 && skip(rest, 0, digit) == len(rest)
}

// patchBytes is how many bytes a line of base85 says it has; 0 when it is none.
func patchBytes(line []byte) (n int) {
	if len(line) < 1+5 {
		return 0
	}
	switch c := line[0]; {
	case 'A' <= c && c <= 'Z':
		n = int(c-'A') + 1
	case 'a' <= c && c <= 'z':
		n = int(c-'a') + 27
	}
	if len(line) != 1+(n+3)/4*5 {
		return 0
	}
	for _, c := range line[1:] {
		if gitDigits.digit[c] == none85 {
			return 0
		}
	}
	return n
}

func isPatchLine(line []byte) bool { return patchBytes(line) > 0 }

// gitPatch reads the patch whose mark stands at p.
func (k *spotting) gitPatch(p int) (goOn bool) {
	data := k.layer.Data
	if !bytes.HasPrefix(data[p:], []byte(patchMark)) {
		return true
	}
	start := max(0, p-patchStamp)
	if n := bytes.LastIndexByte(data[start:p], '\n'); n >= 0 {
		start += n + 1
	} else if start > 0 {
		return true
	}
	l := patchLines{data: data, at: start, width: p - start}
	if _, _, ok := l.line(func(line []byte) bool { return string(line) == patchMark }); !ok {
		return k.patchObjects(start, p)
	}
	k.done = l.at - 1
	for range patchParts {
		from, _, ok := l.line(patchHead)
		if !ok {
			break
		}
		if !k.patchPart(&l, data[from] == 'd') {
			return false
		}
		l.line(func(line []byte) bool { return len(bytes.TrimRight(line, " \t")) == 0 })
		k.done = l.at - 1
	}
	return true
}

// patchPart reads the lines of one part.
func (k *spotting) patchPart(l *patchLines, delta bool) (goOn bool) {
	body := *l
	first, end := 0, 0
	for {
		from, to, ok := l.line(isPatchLine)
		if !ok {
			break
		}
		if first == 0 {
			first = from
		}
		end = to
	}
	if end == 0 {
		return true
	}
	return k.inflated(&patchReader{lines: body}, extent{first, end}, delta)
}

// patchReader is what lines of base85 hold.
type patchReader struct {
	lines patchLines
	line  [patchLine]byte
	left  []byte
	read  int64
}

// Read implements io.Reader.
func (r *patchReader) Read(p []byte) (int, error) {
	if len(r.left) == 0 && !r.next() {
		return 0, io.EOF
	}
	n := copy(p, r.left)
	r.left = r.left[n:]
	r.read += int64(n)
	return n, nil
}

// next decodes a line; false behind the last.
func (r *patchReader) next() bool {
	from, to, ok := r.lines.line(isPatchLine)
	if !ok {
		return false
	}
	line := r.lines.data[from:to]
	n := patchBytes(line)
	for i := 0; 5*i+1 < len(line); i++ {
		v := uint64(0)
		for _, c := range line[1+5*i : 6+5*i] {
			v = v*85 + uint64(gitDigits.digit[c])
		}
		for j := range 4 {
			r.line[4*i+j] = byte(v >> (24 - 8*j))
		}
	}
	r.left = r.line[:n]
	return true
}
