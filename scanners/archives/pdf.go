package archives

import (
	"bufio"
	"bytes"
	"context"
	"encoding/ascii85"
	"encoding/hex"
	"errors"
	"io"
	"strconv"

	"revenant/scanners/inflate"
)

// PDF documents, from ISO 32000: the text of pages (pdftext.go), and what the other
// streams hold that a filter packed.
// Objects are found by their keywords, not by the tables, which damage, updates
// and writers' errors make unreliable.
const (
	pdfMagic  = "%PDF-"
	pdfLead   = 1 << 10 // readers take a header this far from the begin
	pdfBack   = 4 << 10 // how far before a stream its dictionary may begin
	pdfWindow = 256 << 10
	pdfNames  = 8 // filters of one stream
)

// pdf visits the packed streams of a document.
func (e *container) pdf(ctx context.Context) error {
	if e.pdfLocked(ctx) {
		e.w.skip(e.content.Path, errEncrypted.Error())
		return nil
	}
	d, err := e.pdfText(ctx)
	if err != nil {
		return err
	}
	buf := make([]byte, pdfWindow)
	for pos := int64(0); pos < e.size && ctx.Err() == nil; {
		from := max(pos-pdfBack, 0)
		n, _ := e.at.ReadAt(buf[:min(pdfWindow, e.size-from)], from)
		if int64(n) <= pos-from {
			break
		}
		next, goOn, err := e.pdfWindow(ctx, d, buf[:n], int(pos-from), from)
		if err != nil || !goOn {
			return err
		}
		if next < from+int64(n) && from+int64(n) >= e.size {
			break
		}
		pos = max(next, from+int64(n)-5)
	}
	return ctx.Err()
}

// pdfWindow opens the streams that begin in b, from i on, and says where to go
// on. A dictionary stands behind the stream before.
func (e *container) pdfWindow(ctx context.Context, d pdfTold, b []byte, i int, from int64) (next int64, goOn bool, err error) {
	for back := max(i-pdfBack, 0); ; {
		n := bytes.Index(b[i:], []byte("stream"))
		if n < 0 {
			return from + int64(i), true, nil
		}
		s := pdfStream(b[back : i+n])
		i += n + len("stream")
		back = i
		told := d.streams[from+int64(i)]
		if len(s.filters) == 0 || told == pdfWhole {
			continue
		}
		if told == pdfBegun {
			s.first = d.first
		}
		end, goOn, err := e.pdfMember(ctx, s, from+int64(i))
		if err != nil || !goOn || end >= from+int64(len(b)) {
			return end, goOn, err
		}
		i = max(i, int(end-from))
		back = i
	}
}

// pdfLocked reports whether a trailer names a key: then all is encrypted.
func (e *container) pdfLocked(ctx context.Context) bool {
	for pos := int64(0); pos >= 0; {
		if pos = e.next(ctx, pos, "/Encrypt"); pos < 0 {
			break
		}
		pos += int64(len("/Encrypt"))
		b := make([]byte, 8)
		n, _ := e.at.ReadAt(b, pos)
		b = bytes.TrimLeft(b[:n], " \t\r\n")
		if len(b) > 1 && len(b) < 8 && b[0] >= '0' && b[0] <= '9' || bytes.HasPrefix(b, []byte("<<")) {
			return true
		}
	}
	return false
}

// pdfObject is a stream's name and the filters that packed it.
type pdfObject struct {
	name    string
	filters []string
	first   int // from which content on finds are the same copies; 0: none
}

// pdfStream reads the dictionary that ends where b ends. Without filters that
// pack anything there is nothing to open.
func pdfStream(b []byte) (s pdfObject) {
	b = bytes.TrimRight(b[max(len(b)-pdfBack, 0):], " \t\r\n")
	if !bytes.HasSuffix(b, []byte(">>")) {
		return s
	}
	i := bytes.LastIndex(b, []byte(" obj"))
	if i < 0 {
		return s
	}
	words := bytes.Fields(b[max(i-24, 0):i])
	if len(words) >= 2 {
		s.name = "object-" + string(bytes.TrimLeft(words[len(words)-2], "endobj"))
	}
	dict := b[i+4:]
	f := bytes.Index(dict, []byte("/Filter"))
	if f < 0 {
		return s
	}
	rest := bytes.TrimLeft(dict[f+len("/Filter"):], " \t\r\n")
	if bytes.HasPrefix(rest, []byte("[")) {
		end := max(bytes.IndexByte(rest, ']'), 1)
		rest = rest[1:end]
	} else if len(rest) > 0 {
		rest = rest[:1+max(bytes.IndexAny(rest[1:], "/ \t\r\n>"), 0)]
	}
	packed := false
	for _, name := range bytes.Split(rest, []byte("/")) {
		name := string(bytes.TrimSpace(name))
		if name == "" {
			continue
		}
		s.filters = append(s.filters, name)
		packed = packed || packs(name)
	}
	if !packed || len(s.filters) > pdfNames {
		s.filters = nil
	}
	return s
}

// packs reports whether a filter packs text.
func packs(filter string) bool {
	switch filter {
	case "FlateDecode", "Fl", "ASCII85Decode", "A85", "ASCIIHexDecode", "AHx", "LZWDecode", "LZW", "RunLengthDecode", "RL":
		return true
	}
	return false
}

// pdfMember opens a stream whose keyword ends at pos.
func (e *container) pdfMember(ctx context.Context, s pdfObject, pos int64) (end int64, goOn bool, err error) {
	line := make([]byte, 2)
	n, _ := e.at.ReadAt(line, pos)
	switch {
	case n == 2 && line[0] == '\r' && line[1] == '\n':
		pos += 2
	case n > 0 && (line[0] == '\n' || line[0] == '\r'):
		pos++
	default:
		return pos, true, nil
	}
	in := &counted{r: io.NewSectionReader(e.at, pos, max(e.size-pos, 0))}
	b := bufio.NewReaderSize(in, 4<<10)
	f := file{name: s.name, r: pdfFilters(s.filters, b), in: &in.n, first: s.first}
	if s.name == "" {
		f.name = "stream-" + strconv.FormatInt(pos, 10)
	}
	if f.r == nil { // a picture: nothing that is text
		return pos, true, nil
	}
	e.packed = true
	goOn, err = e.member(ctx, f)
	return pos + in.n - int64(b.Buffered()), goOn, err
}

// pdfFilters undoes filters, up to one that holds a picture; nil where it is the
// first.
func pdfFilters(names []string, b *bufio.Reader) io.Reader {
	var r io.Reader = b
	for i, name := range names {
		switch name {
		case "FlateDecode", "Fl":
			r = &lateZlib{from: r}
		case "ASCII85Decode", "A85":
			r = ascii85.NewDecoder(&until{r: buffered(r), end: '~'})
		case "ASCIIHexDecode", "AHx":
			r = hex.NewDecoder(&until{r: buffered(r), end: '>', spaces: true})
		case "LZWDecode", "LZW":
			r = newLZW(buffered(r))
		case "RunLengthDecode", "RL":
			r = &runReader{r: inStream{buffered(r)}}
		default:
			if i == 0 {
				return nil
			}
			return r
		}
	}
	return r
}

// buffered is r itself, if it has a buffer: what it does not use stays there.
func buffered(r io.Reader) *bufio.Reader {
	if b, ok := r.(*bufio.Reader); ok {
		return b
	}
	return bufio.NewReader(r)
}

// lateZlib begins when it is read. What comes out of a damaged stream counts.
type lateZlib struct {
	from io.Reader
	z    io.Reader
}

func (l *lateZlib) Read(p []byte) (int, error) {
	if l.z == nil {
		z, err := inflate.NewZlib(buffered(l.from))
		if err != nil {
			return 0, errDamaged
		}
		l.z = z
	}
	n, err := l.z.Read(p)
	if errors.Is(err, inflate.ErrChecksum) { // many writers get it wrong
		err = io.EOF
	}
	return n, err
}

// until reads up to a mark.
type until struct {
	r      io.ByteReader
	end    byte
	spaces bool // are left out
	ended  bool
}

func (u *until) Read(p []byte) (n int, err error) {
	for n < len(p) && !u.ended {
		c, err := u.r.ReadByte()
		if err != nil || c == u.end {
			u.ended = true
			break
		}
		if u.spaces && (c == ' ' || c >= '\t' && c <= '\r') {
			continue
		}
		p[n] = c
		n++
	}
	if n == 0 && u.ended {
		return 0, io.EOF
	}
	return n, nil
}
