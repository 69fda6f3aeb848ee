package archives

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A document's XML has a value in pieces as soon as somebody corrected it: each
// piece is a run with properties of its own. The view `text` is what a reader
// sees: without tags, entities undone, a paragraph a line.

// isDocument recognises the XML parts of office documents: of Office Open XML,
// OpenDocument and Word 2003.
func isDocument(head []byte) bool {
	head = bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
	if !bytes.HasPrefix(head, []byte("<")) {
		return false
	}
	known := false
	for _, name := range []string{
		"schemas.openxmlformats.org/", "purl.oclc.org/ooxml/", "urn:oasis:names:tc:opendocument:",
		"schemas.microsoft.com/office/word/", "urn:schemas-microsoft-com:office:spreadsheet",
	} {
		known = known || bytes.Contains(head, []byte(name))
	}
	// Parts that only have attributes.
	for _, root := range []string{"<Types", "<Relationships", "<manifest:manifest"} {
		known = known && !bytes.Contains(head, []byte(root))
	}
	return known
}

// document visits the text of a part.
func (e *container) document(ctx context.Context) error {
	e.packed = true
	in := &counted{r: io.NewSectionReader(e.at, 0, e.size)}
	_, err := e.view(ctx, file{name: "text", in: &in.n}, 0, func(yield func([]byte) bool) error {
		d := &documentText{r: bufio.NewReaderSize(in, 32<<10), out: newOutbox(yield)}
		return d.run()
	})
	return err
}

// documentText turns XML into text.
type documentText struct {
	r       *bufio.Reader
	out     *outbox
	pending string // what stands before the next text, if there is any
	blank   []byte // whitespace that may turn out to be layout of the XML
	deleted bool   // inside of a text that a revision deleted
	later   []byte // deleted text of this paragraph
	some    bool   // anything was written
}

// Bounds of what a document can make us keep.
const (
	maxTag    = 64
	maxEntity = 12
	maxBlank  = 4 << 10
	maxLater  = 64 << 10
)

func (d *documentText) run() error {
	for !d.out.gone {
		c, err := d.r.ReadByte()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return errDamaged
		}
		switch c {
		case '<':
			d.markup()
		case '&':
			d.entity()
		default:
			d.plain()
		}
	}
	d.endParagraph("\n")
	if d.some {
		d.out.text("\n")
	}
	return d.out.flush()
}

// plain takes a run of text.
func (d *documentText) plain() {
	if err := d.r.UnreadByte(); err != nil {
		return
	}
	for {
		_, _ = d.r.Peek(1)
		b, _ := d.r.Peek(d.r.Buffered())
		n := bytes.IndexAny(b, "<&")
		if n < 0 {
			n = len(b)
		}
		d.write(b[:n])
		_, _ = d.r.Discard(n)
		if n == 0 || n < len(b) {
			return
		}
	}
}

// write takes text. Whitespace with a line break between two tags is layout.
func (d *documentText) write(b []byte) {
	if len(bytes.TrimLeft(b, " \t\r\n")) == 0 {
		d.blank = append(d.blank, b[:min(len(b), max(maxBlank-len(d.blank), 0))]...)
		return
	}
	if len(d.blank) > 0 {
		blank := d.blank
		d.blank = nil
		d.put(blank)
	}
	d.put(b)
}

// put writes text, and before it what separates it from the last.
func (d *documentText) put(b []byte) {
	if d.deleted {
		d.later = append(d.later, b[:min(len(b), maxLater-len(d.later))]...)
		return
	}
	if d.some && d.pending != "" {
		d.out.text(d.pending)
	}
	d.pending, d.some = "", true
	_, _ = d.out.Write(b)
}

// endText decides on whitespace when a tag comes.
func (d *documentText) endText() {
	if len(d.blank) > 0 && !bytes.ContainsAny(d.blank, "\r\n") {
		d.put(d.blank)
	}
	d.blank = d.blank[:0]
}

// endParagraph shows what a revision deleted, behind what it left.
func (d *documentText) endParagraph(separator string) {
	if len(d.later) > 0 {
		later := d.later
		d.later, d.deleted = nil, false
		d.pending = "\n"
		d.put(later)
	}
	d.pending = separator
}

// entity undoes a reference to a character.
func (d *documentText) entity() {
	b, _ := d.r.Peek(maxEntity)
	end := bytes.IndexByte(b, ';')
	if end < 0 {
		d.write([]byte("&"))
		return
	}
	name := string(b[:end])
	text := map[string]string{"lt": "<", "gt": ">", "amp": "&", "quot": `"`, "apos": "'"}[name]
	if text == "" && len(name) > 1 && name[0] == '#' {
		digits, base := name[1:], 10
		if digits[0] == 'x' || digits[0] == 'X' {
			digits, base = digits[1:], 16
		}
		if n, err := strconv.ParseUint(digits, base, 21); err == nil {
			text = string(utf8.AppendRune(nil, rune(n)))
		}
	}
	if text == "" {
		d.write([]byte("&"))
		return
	}
	_, _ = d.r.Discard(end + 1)
	if len(d.blank) > 0 || len(bytes.TrimSpace([]byte(text))) > 0 {
		d.write([]byte(text))
		return
	}
	d.put([]byte(text)) // whitespace that somebody meant
}

// markup takes what stands in angle brackets.
func (d *documentText) markup() {
	b, _ := d.r.Peek(8)
	switch {
	case bytes.HasPrefix(b, []byte("!--")):
		d.until("-->", nil)
	case bytes.HasPrefix(b, []byte("![CDATA[")):
		_, _ = d.r.Discard(8)
		d.until("]]>", d.write)
	case bytes.HasPrefix(b, []byte("?")):
		d.until("?>", nil)
	default:
		d.tag()
	}
}

// until passes over everything up to an end mark.
func (d *documentText) until(end string, do func([]byte)) {
	for {
		_, _ = d.r.Peek(len(end))
		b, _ := d.r.Peek(d.r.Buffered())
		n := bytes.Index(b, []byte(end))
		skip := n + len(end)
		if n < 0 {
			n = max(len(b)-len(end)+1, 0)
			skip = n
			if len(b) < len(end) { // the end of the file
				n, skip = len(b), len(b)
			}
		}
		if do != nil && n > 0 {
			do(b[:n])
		}
		_, _ = d.r.Discard(skip)
		if skip > n || len(b) < len(end) {
			return
		}
	}
}

// tag takes a tag: its name tells where text belongs together.
func (d *documentText) tag() {
	d.endText()
	var name []byte
	var quote, last byte
	named := false
	for {
		c, err := d.r.ReadByte()
		if err != nil {
			return
		}
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '>':
			d.element(string(name), last == '/')
			return
		case c == '"' || c == '\'':
			quote = c
		case c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '/' && len(name) > 0:
			named = true
		case !named && len(name) < maxTag:
			name = append(name, c)
		}
		last = c
	}
}

// element says what a tag means for the text.
func (d *documentText) element(name string, empty bool) {
	name, end := strings.CutPrefix(name, "/")
	name = name[strings.LastIndexByte(name, ':')+1:]
	if end || empty {
		if separator := separators(name); separator != "" {
			d.endParagraph(separator)
		}
	}
	switch name {
	case "delText", "delInstrText":
		d.deleted = !end && !empty
	case "tab":
		if !end && d.some {
			d.put([]byte("\t"))
		}
	case "s": // a space, in OpenDocument
		if empty {
			d.put([]byte(" "))
		}
	case "br", "cr", "line-break", "fldChar":
		d.pending = "\n"
	}
}

// separators is what stands behind an element that is a paragraph or a cell. Of
// a spreadsheet's texts the next is often the neighbour.
func separators(name string) string {
	switch name {
	case "p", "h", "tr", "row", "table-row", "list-item", "Row", "Paragraph", "title":
		return "\n"
	case "tc", "c", "table-cell", "Cell":
		return " , "
	case "si":
		return " ,\n"
	}
	return ""
}
