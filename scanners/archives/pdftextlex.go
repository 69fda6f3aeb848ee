package archives

import (
	"bytes"
	"errors"
	"io"
	"slices"
)

// The syntax of PDF, from ISO 32000-2, 7.2 and 7.3: what objects, the programs that
// draw pages and the tables of characters are written in. Known libraries (ledongthuc/pdf,
// pdfcpu) hold whole documents and panic or never end on hostile ones, hence our own.
const (
	pdfDeep      = 64      // arrays and dictionaries in each other
	pdfLongItem  = 1 << 20 // a string
	pdfLongWord  = 4 << 10 // a name, a number, a word
	pdfMostItems = 1 << 17 // in one object
	pdfMostRoom  = 4 << 20 // its strings and words
	pdfBehind    = 32      // what is kept of what was read
)

type pdfKind uint8

const (
	pdfNull pdfKind = iota
	pdfNumber
	pdfString
	pdfName
	pdfArray
	pdfDict
	pdfRef
	pdfWord
	pdfMark // a bracket
)

// pdfItem is an object, or a word of a program.
type pdfItem struct {
	kind pdfKind
	num  float64
	text []byte
	list []pdfItem // of a dictionary: names, each before its value
}

// get is a value of a dictionary, of the last of several names that is there.
func (v pdfItem) get(names ...string) (found pdfItem) {
	if v.kind != pdfDict {
		return found
	}
	for i := 0; i+1 < len(v.list); i++ {
		if v.list[i].kind != pdfName {
			continue
		}
		for _, name := range names {
			if string(v.list[i].text) == name {
				found = v.list[i+1]
			}
		}
		i++
	}
	return found
}

// strings reports whether there are strings in an item.
func (v pdfItem) strings() bool {
	return v.kind == pdfString || slices.ContainsFunc(v.list, pdfItem.strings)
}

// items is how many items are in one.
func (v pdfItem) items() int {
	n := len(v.list)
	for _, v := range v.list {
		n += v.items()
	}
	return n
}

// is reports whether an item is a name.
func (v pdfItem) is(name string) bool { return v.kind == pdfName && string(v.text) == name }

// id is the number of the object that is referred to, or 0.
func (v pdfItem) id() uint32 {
	if v.kind == pdfRef && v.num > 0 && v.num < 1<<32 {
		return uint32(v.num)
	}
	return 0
}

// pdfLexer reads items.
type pdfLexer struct {
	more    func(p []byte, at int64) (int, error) // nil: all of it is in buf
	base    int64                                 // where buf begins
	buf     []byte
	i       int
	err     error // why there is no more
	room    []byte
	items   int
	comment func([]byte) // nil: they are passed over
}

func pdfLexerOf(b []byte) *pdfLexer { return &pdfLexer{buf: b, err: io.EOF} }

func newPDFLexer(size int, more func(p []byte, at int64) (int, error)) *pdfLexer {
	return &pdfLexer{more: more, buf: make([]byte, 0, size)}
}

func (l *pdfLexer) pos() int64 { return l.base + int64(l.i) }

// seek goes elsewhere.
func (l *pdfLexer) seek(at int64) {
	if at >= l.base && at <= l.base+int64(len(l.buf)) {
		l.i = int(at - l.base)
		return
	}
	if l.more == nil {
		l.i = len(l.buf)
		return
	}
	l.base, l.buf, l.i, l.err = at, l.buf[:0], 0, nil
}

// fill gets more behind what there is, and keeps some of what was read.
func (l *pdfLexer) fill() bool {
	if l.err != nil {
		return false
	}
	if from := max(l.i-pdfBehind, 0); from > 0 {
		n := copy(l.buf, l.buf[from:])
		l.base, l.buf, l.i = l.base+int64(from), l.buf[:n], l.i-from
	}
	if len(l.buf) == cap(l.buf) { // nothing was read since
		return false
	}
	for range idleReads {
		n, err := l.more(l.buf[len(l.buf):cap(l.buf)], l.base+int64(len(l.buf)))
		l.buf = l.buf[:len(l.buf)+max(n, 0)]
		if l.err = err; n > 0 {
			return true
		} else if err != nil {
			return false
		}
	}
	l.err = io.ErrNoProgress
	return false
}

func (l *pdfLexer) next() (byte, bool) {
	if l.i == len(l.buf) && !l.fill() {
		return 0, false
	}
	c := l.buf[l.i]
	l.i++
	return c, true
}

// peek is up to n bytes of what follows.
func (l *pdfLexer) peek(n int) []byte {
	for len(l.buf)-l.i < n && l.fill() {
	}
	return l.buf[l.i:min(l.i+n, len(l.buf))]
}

func (l *pdfLexer) end() error {
	if l.err == nil {
		return io.EOF
	}
	return l.err
}

func pdfSpace(c byte) bool {
	return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == 0
}

func pdfDelimiter(c byte) bool {
	switch c {
	case '(', ')', '<', '>', '[', ']', '{', '}', '/', '%':
		return true
	}
	return false
}

// token reads the next string, name, number, word or bracket.
func (l *pdfLexer) token() (pdfItem, error) {
	for {
		c, ok := l.next()
		switch {
		case !ok:
			return pdfItem{}, l.end()
		case len(l.room) > pdfMostRoom:
			return pdfItem{}, errPDFLong
		case pdfSpace(c) || c == ')' || c == '{' || c == '}':
		case c == '%':
			l.passComment()
		case c == '(':
			return l.literal()
		case c == '/':
			return l.name(), nil
		case c == '[', c == ']':
			return pdfItem{kind: pdfMark, num: float64(c)}, nil
		case c == '<' || c == '>':
			if b := l.peek(1); len(b) == 1 && b[0] == c {
				l.i++
				return pdfItem{kind: pdfMark, num: float64(c)}, nil
			}
			if c == '<' {
				return l.hex()
			}
		default:
			l.i--
			return l.word(), nil
		}
	}
}

// run appends the bytes up to a space or a delimiter.
func (l *pdfLexer) run() []byte {
	from := len(l.room)
	for len(l.room)-from < pdfLongWord {
		c, ok := l.next()
		if !ok {
			break
		}
		if pdfSpace(c) || pdfDelimiter(c) {
			l.i--
			break
		}
		l.room = append(l.room, c)
	}
	return l.room[from:len(l.room):len(l.room)]
}

func (l *pdfLexer) passComment() {
	from := len(l.room)
	for {
		c, ok := l.next()
		if !ok || c == '\n' || c == '\r' {
			break
		}
		if l.comment != nil && len(l.room)-from < pdfLongItem {
			l.room = append(l.room, c)
		}
	}
	if l.comment != nil {
		l.comment(l.room[from:])
	}
	l.room = l.room[:from]
}

func (l *pdfLexer) name() pdfItem {
	b := l.run()
	if bytes.IndexByte(b, '#') < 0 {
		return pdfItem{kind: pdfName, text: b}
	}
	out := b[:0]
	for i := 0; i < len(b); i++ {
		if b[i] == '#' && i+2 < len(b) && hexDigit(b[i+1]) >= 0 && hexDigit(b[i+2]) >= 0 {
			out = append(out, byte(hexDigit(b[i+1])<<4|hexDigit(b[i+2])))
			i += 2
			continue
		}
		out = append(out, b[i])
	}
	return pdfItem{kind: pdfName, text: out}
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c - 'a' + 10)
	case c >= 'A' && c <= 'F':
		return int(c - 'A' + 10)
	}
	return -1
}

// word reads a number or a word.
func (l *pdfLexer) word() pdfItem {
	b := l.run()
	var n, unit float64 = 0, 0
	digits, minus := false, false
	for _, c := range b {
		switch {
		case c >= '0' && c <= '9':
			digits = true
			if unit == 0 {
				n = n*10 + float64(c-'0')
			} else {
				n += float64(c-'0') * unit
				unit /= 10
			}
		case c == '.' && unit == 0:
			unit = 0.1
		case c == '-':
			minus = true
		case c == '+':
		default:
			return pdfItem{kind: pdfWord, text: b}
		}
	}
	if !digits {
		return pdfItem{kind: pdfWord, text: b}
	}
	if minus {
		n = -n
	}
	l.room = l.room[:len(l.room)-len(b)]
	return pdfItem{kind: pdfNumber, num: n}
}

var errPDFLong = errors.New("an object longer than the bound allows")
