package archives

import (
	"cmp"
	"encoding/binary"
	"io"
	"math"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// rows writes records as text, a line for each column that holds something:
//
//	name="github"
//	github.token="..."
//
// A name that stands in a row before a value belongs to it, as in tables of
// settings, so it is part of the value's label. Values are written as they are.
type rows struct {
	p      *pass
	names  []string // of the columns, as far as they are known
	stored []extent // cells that were written whole
	page   []extent // of the sheet at hand
	sheet  uint32
	buf    [4 << 10]byte
}

// maxExtents bounds what is remembered of where cells stand.
const maxExtents = 1 << 20

// row writes a record. It reports whether the reader wants more.
func (x *rows) row(c cell, out *outbox) bool {
	if c.sheet != x.sheet {
		x.endPage()
		x.sheet = c.sheet
	}
	r := x.p.payload(c)
	places := []extent{{c.start, c.end}}
	r.visit = func(e extent) {
		if len(places) < maxExtents {
			places = append(places, e)
		}
	}
	columns, ok := r.columns()
	switch {
	case ok:
		x.values(r, columns, out)
	case x.p.lenient:
		return !out.gone
	default: // no record, or a damaged one: its bytes
		x.p.damaged = true
		_, _ = out.Write(c.local)
		out.text("\n")
		return !out.gone
	}
	if !r.cut && !out.gone {
		x.page = append(x.page, places...)
	}
	return !out.gone
}

// endPage keeps where the cells of a sheet stand, joined where they touch.
func (x *rows) endPage() {
	slices.SortFunc(x.page, func(a, b extent) int { return cmp.Compare(a.start, b.start) })
	for _, e := range x.page {
		if n := len(x.stored); n > 0 && x.stored[n-1].end == e.start {
			x.stored[n-1].end = e.end
		} else if n < maxExtents {
			x.stored = append(x.stored, e)
		}
	}
	x.page = x.page[:0]
}

// values writes the columns of a record.
func (x *rows) values(r *payload, columns []column, out *outbox) {
	key := ""
	for i, c := range columns {
		if out.gone {
			return
		}
		if c.kind < 12 {
			x.number(r, c, key, i, out)
			continue
		}
		if c.size == 0 {
			continue
		}
		out.text(lineLabel(key, x.names, i))
		name := nameLike{}
		x.copy(r, c, out, &name)
		out.text("\"\n")
		if c.text() && name.ok() {
			key = string(name.b)
		}
	}
}

// lineLabel begins a column's line.
func lineLabel(key string, names []string, i int) string {
	name := ""
	if i < len(names) {
		name = names[i]
	}
	switch {
	case key == "" && name == "":
		return "\""
	case key == "" || name == "":
		return key + name + "=\""
	}
	return key + "." + name + "=\""
}

// label names a column in a path.
func label(names []string, i int) string {
	if i < len(names) && names[i] != "" {
		return names[i]
	}
	return strconv.Itoa(i + 1)
}

// number writes a number of three bytes or more: smaller ones are no secret.
func (x *rows) number(r *payload, c column, key string, i int, out *outbox) {
	var b [8]byte
	if n, err := io.ReadFull(r, b[8-c.size:]); err != nil || n < 3 {
		return
	}
	v := int64(binary.BigEndian.Uint64(b[:]) << (64 - 8*c.size)) //nolint:gosec // the bits are the number's
	text := strconv.FormatInt(v>>(64-8*c.size), 10)
	if c.kind == 7 {
		text = strconv.FormatFloat(math.Float64frombits(binary.BigEndian.Uint64(b[:])), 'g', 15, 64)
	}
	out.text(lineLabel(key, x.names, i) + text + "\"\n")
}

// copy writes one value.
func (x *rows) copy(r *payload, c column, out *outbox, name *nameLike) {
	s := &section{p: r, left: c.size}
	wide := c.text() && (x.p.b.encoding == encodingUTF16LE || x.p.b.encoding == encodingUTF16BE)
	var from io.Reader = s
	if wide {
		from = &utf16Reader{r: s, big: x.p.b.encoding == encodingUTF16BE}
	}
	buf := x.buf[:]
	for !out.gone {
		n, err := from.Read(buf)
		name.add(buf[:n])
		_, _ = out.Write(buf[:n])
		if err != nil {
			break
		}
	}
}

// nameLike gathers a value that may be the name of the next.
type nameLike struct {
	b   []byte
	not bool
}

// maxKey is how long a name may be to be told before a value.
const maxKey = 64

func (n *nameLike) add(b []byte) {
	if n.not = n.not || len(n.b)+len(b) > maxKey; n.not {
		return
	}
	for _, c := range b {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && c != '_' && c != '-' && c != '.' {
			n.not = true
			return
		}
	}
	n.b = append(n.b, b...)
}

// ok reports whether it is a name: some letters in what names are made of.
func (n *nameLike) ok() bool {
	return !n.not && slices.ContainsFunc(n.b, func(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' })
}

// utf16Reader reads UTF-16 as UTF-8.
type utf16Reader struct {
	r    io.Reader
	big  bool
	in   [1 << 10]byte
	have int  // bytes in in
	high rune // the first half of a pair
	out  []byte
	err  error
}

func (u *utf16Reader) Read(p []byte) (int, error) {
	for len(u.out) == 0 {
		if u.err != nil {
			return 0, u.err
		}
		u.fill()
	}
	n := copy(p, u.out)
	u.out = u.out[n:]
	return n, nil
}

func (u *utf16Reader) fill() {
	n, err := u.r.Read(u.in[u.have:])
	u.have += n
	u.err = err
	u.out = u.out[:0]
	i := 0
	for ; i+1 < u.have; i += 2 {
		c := rune(u.in[i]) | rune(u.in[i+1])<<8
		if u.big {
			c = rune(u.in[i+1]) | rune(u.in[i])<<8
		}
		u.unit(c)
	}
	u.have = copy(u.in[:], u.in[i:u.have])
	if u.err != nil && (u.high != 0 || u.have > 0) {
		u.out = utf8.AppendRune(u.out, utf8.RuneError)
		u.high, u.have = 0, 0
	}
}

// unit takes the next half of a pair, or a whole character.
func (u *utf16Reader) unit(c rune) {
	if u.high != 0 {
		pair := utf16.DecodeRune(u.high, c)
		u.high = 0
		u.out = utf8.AppendRune(u.out, pair)
		if pair != utf8.RuneError {
			return
		}
	}
	if c >= 0xd800 && c < 0xdc00 {
		u.high = c
		return
	}
	u.out = utf8.AppendRune(u.out, c)
}
