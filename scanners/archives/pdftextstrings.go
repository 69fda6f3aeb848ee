package archives

import (
	"context"
	"encoding/binary"
	"hash/maphash"
	"strings"
	"unicode/utf8"
)

// Strings of objects that people read or wrote: values of forms, notes, addresses,
// titles, scripts (ISO 32000-2, 7.9.2).
const (
	pdfMostSeen = 1 << 16 // lines that are told once
	pdfField    = 1 << 9  // of a field's name
)

// visitStrings shows the strings, each once: a document that was changed holds objects
// as often as it was saved. What a content from the number before on shows is the same copy.
func (d *pdfDoc) visitStrings(ctx context.Context, before int) error {
	first := 0
	if d.e.w.number > before {
		first = before + 1
	}
	_, err := d.e.view(ctx, file{name: "strings", in: &d.read}, first, func(yield func([]byte) bool) error {
		s := &pdfStrings{d: d, out: newOutbox(yield), seen: map[uint64]struct{}{}}
		d.each(ctx, func(o pdfFound) bool {
			s.object(o.v)
			return !s.out.gone
		})
		for k := range d.packed {
			d.eachInside(ctx, &d.packed[k], func(_ int, v pdfItem) bool {
				s.object(v)
				return !s.out.gone
			})
		}
		if err := s.out.flush(); err != nil {
			return err
		}
		return d.stopped(ctx)
	})
	return err
}

type pdfStrings struct {
	d    *pdfDoc // what is looked at is charged: values may be said of many names
	out  *outbox
	seen map[uint64]struct{}
}

func (s *pdfStrings) object(v pdfItem) {
	s.d.work -= int64(len(v.list))
	switch v.kind {
	case pdfString:
		s.line("", v)
	case pdfArray:
		for _, v := range v.list {
			s.object(v)
		}
	case pdfDict:
		s.dictionary(v)
	default:
	}
}

func (s *pdfStrings) dictionary(v pdfItem) {
	field := v.get("T")
	field.text = field.text[:min(len(field.text), pdfField)]
	info := v.get("Type").kind != pdfName && (v.get("Producer").kind == pdfString || v.get("CreationDate").kind == pdfString)
	for i := 0; i+1 < len(v.list); i++ {
		if v.list[i].kind != pdfName {
			continue
		}
		key, value := string(v.list[i].text), v.list[i+1]
		i++
		name := ""
		switch {
		case pdfNoise(key):
			continue
		case key == "V" || key == "DV":
			if at := s.d.get(value); at.kind == pdfString {
				value = at
			}
			if field.kind == pdfString {
				name = pdfTextString(field.text)
			}
		case info && !pdfKnown(key):
			name = key
		}
		if value.kind == pdfString {
			s.line(name, value)
		} else {
			s.object(value)
		}
	}
}

// pdfNoise are strings that nobody reads.
func pdfNoise(key string) bool {
	switch key {
	case "ID", "Lang", "Registry", "Ordering", "CharSet", "Panose", "DA", "Limits", "CreationDate", "ModDate", "O", "U", "OE", "UE":
		return true
	}
	return false
}

// pdfKnown are what the information about a document says in every document.
func pdfKnown(key string) bool {
	switch key {
	case "Title", "Author", "Subject", "Keywords", "Creator", "Producer", "Trapped":
		return true
	}
	return false
}

// line writes a string, beside its name where it has one.
func (s *pdfStrings) line(name string, v pdfItem) {
	if s.d.work -= int64(len(v.text) + len(name)); s.d.work < 0 {
		return
	}
	text := pdfTextString(v.text)
	for _, c := range text {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' && c != '\f' {
			return // bytes of something else
		}
	}
	if text == "" {
		return
	}
	if name != "" {
		text = name + " = " + text
	}
	sum := maphash.String(s.d.seed, text)
	if _, has := s.seen[sum]; has {
		return
	}
	if len(s.seen) < pdfMostSeen {
		s.seen[sum] = struct{}{}
	}
	s.out.text(text)
	s.out.text("\n")
}

// pdfDocChars are the characters of PDFDocEncoding from 0x80 to 0xa0.
const pdfDocChars = "•†‡…—–ƒ⁄‹›−‰„“”‘’‚™ﬁﬂŁŒŠŸŽıłœšž\ufffd€"

// pdfTextString decodes a text: UTF-16 or UTF-8 with a mark, or PDFDocEncoding.
func pdfTextString(b []byte) string {
	switch {
	case len(b) > 1 && b[0] == 0xfe && b[1] == 0xff:
		return pdfUTF16(b[2:], binary.BigEndian)
	case len(b) > 1 && b[0] == 0xff && b[1] == 0xfe: // not allowed, and met
		return pdfUTF16(b[2:], binary.LittleEndian)
	case strings.HasPrefix(string(b[:min(len(b), 3)]), "\xef\xbb\xbf"):
		return strings.ToValidUTF8(string(b[3:]), "\ufffd")
	case utf8.Valid(b): // ASCII, and what writers meant
		return string(b)
	}
	chars := []rune(pdfDocChars)
	out := make([]rune, len(b))
	for i, c := range b {
		out[i] = rune(c)
		if c >= 0x80 && c <= 0xa0 {
			out[i] = chars[c-0x80]
		}
	}
	return string(out)
}
