package views

import (
	"bytes"

	"revenant/fingerprints"
	"revenant/scanners/escapes"
)

// patchBreak reports whether the line that ends at p, where its end is escaped, is one of
// a patch of git: the mark, or a full line.
func patchBreak(data []byte, p int) bool {
	const full = 1 + patchLine/4*5
	return p > full && data[p-full] == 'z' && data[p-full-1] == 'n' || p > 0 && data[p-1] == 'h' && bytes.HasSuffix(data[:p], []byte(patchMark))
}

// longestObject is how long the objects are that a line of a patch stands in.
const longestObject = 4 << 10

// patchObjects yields the lines of a patch that a log has one by one, in objects of JSON:
// the mark stands at p, in the line at a place.
func (k *spotting) patchObjects(at, p int) (goOn bool) {
	data, b := k.layer.Data, &k.built
	key := keyBefore(data[at:p])
	if len(key) == 0 {
		return true
	}
	for at < len(data) {
		end := lineStop(data[:min(len(data), at+longestObject)], at)
		v := bytes.Index(data[at:end], key)
		if v < 0 {
			break
		}
		kept := len(b.out)
		if !b.escaped(data[:end], at+v+len(key)) {
			b.cutTo(kept)
			break
		}
		line := bytes.TrimRight(b.out[kept:], "\r\n")
		b.cutTo(kept + len(line))
		if string(line) != patchMark && len(line) > 0 && !patchHead(line) && !isPatchLine(line) {
			b.cutTo(kept)
			break
		}
		k.done = end - 1
		b.push('\n', end-1, end)
		at = end + 1
	}
	like := text(fingerprints.FormPrefixed)
	like.Alike = true
	return b.texts(k.layer, like, k.yield)
}

// keyBefore is the name of the string that begins where b ends, with its quotes and the
// colon; empty when there is none.
func keyBefore(b []byte) []byte {
	n := len(b) - 1
	if n < 0 || b[n] != '"' {
		return nil
	}
	for n > 0 && blank(b[n-1]) {
		n--
	}
	if n < 2 || b[n-1] != ':' || b[n-2] != '"' {
		return nil
	}
	from := bytes.LastIndexByte(b[:n-2], '"')
	return b[max(from, 0):]
}

// escaped appends what the string of JSON at a place is; false when it does not end.
func (b *built) escaped(data []byte, at int) bool {
	for at < len(data) && data[at] != '"' {
		u := escapes.Literal(data[at], 1)
		if data[at] == '\\' {
			u = escapes.Backslash(data[at:])
		}
		for _, c := range u.Out[:u.N] {
			b.push(c, at, at+u.Width)
		}
		at += u.Width
	}
	return at < len(data)
}

// cutTo forgets all but the first n bytes.
func (b *built) cutTo(n int) { b.out, b.start, b.end = b.out[:n], b.start[:n], b.end[:n] }
