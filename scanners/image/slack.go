package image

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"path"
	"strconv"
	"strings"
)

// An archive is made of blocks, and its headers of fields. What stands in them beside
// what is meant to, nobody who unpacks it sees: behind the zero that ends a text, in
// texts that a later header overrides, behind the end of a content.

// slack gathers what an entry's headers hold beside what a member has of them, a line
// each.
type slack struct {
	h    *tar.Header
	m    *member
	out  []byte
	size int64 // of the content, as the entry's own header says
	rest int64 // bytes that were read behind that
}

func (s *slack) add(text []byte) {
	if text = bytes.Trim(text, "\x00"); len(text) >= leastText {
		s.out = append(append(s.out, text...), '\n')
	}
}

// ordinary reports whether a header holds nothing but its entry: most do, so it takes
// little time.
func ordinary(block []byte, h *tar.Header, m *member) bool {
	switch string(block[257:265]) {
	case magicNone, magicUstar, magicGNU:
	default:
		return false
	}
	return holds(block[:100], h.Name) && !strings.Contains(h.Name, "..") &&
		holds(block[157:257], h.Linkname) && (h.Linkname == "" || m.kind == kindSymlink) &&
		holds(block[265:297], h.Uname) && holds(block[297:329], h.Gname) &&
		octal(block[100:156]) && octal(block[329:345]) && zero(block[345:])
}

// How formats of archives are told.
const (
	magicNone  = "\x00\x00\x00\x00\x00\x00\x00\x00"
	magicUstar = "ustar\x0000"
	magicGNU   = "ustar  \x00"
)

// holds reports whether a field holds a text and nothing else.
func holds(field []byte, text string) bool {
	return len(text) <= len(field) && string(field[:len(text)]) == text && zero(field[len(text):])
}

// octal reports whether fields, of so many times eight bytes, hold numbers: digits, what
// stands around them, and some signs that make no text.
func octal(fields []byte) bool {
	var all uint64
	for ; len(fields) >= 8; fields = fields[8:] {
		all |= binary.LittleEndian.Uint64(fields)
	}
	return all&0xc8c8c8c8c8c8c8c8 == 0
}

func zero(field []byte) bool { return bytes.Equal(field, zeroBlock[:len(field)]) }

// all looks at an entry's headers.
func (s *slack) all(blocks []byte) {
	for len(blocks) >= tarBlock {
		block := blocks[:tarBlock]
		blocks, s.size = blocks[tarBlock:], max(sizeField(block), 0)
		if kind := block[156]; kind != tar.TypeXHeader && kind != tar.TypeXGlobalHeader && kind != tar.TypeGNULongName && kind != tar.TypeGNULongLink {
			s.last(block)
			break
		}
		data := min(s.size, int64(len(blocks)))
		s.before(block, blocks[:data])
		behind := min(upToBlock(data), int64(len(blocks)))
		s.zeros(blocks[data:behind])
		blocks = blocks[behind:]
	}
	if s.rest = int64(len(blocks)); !numbers(blocks) { // the map of a sparse file
		s.add(blocks)
	}
	s.names()
}

// sizeField is the size that a header says; below 0: none.
func sizeField(block []byte) int64 {
	field := block[124:136]
	if field[0]&0x80 != 0 { // in base 256
		return int64(binary.BigEndian.Uint64(field[4:]))
	}
	text, _, _ := bytes.Cut(bytes.Trim(field, " \x00"), []byte{0})
	if len(text) == 0 {
		return 0
	}
	n, err := strconv.ParseInt(string(text), 8, 64)
	if err != nil {
		return -1
	}
	return n
}

// before looks at a header that stands before an entry's own, and at its content.
func (s *slack) before(block, data []byte) {
	name := upToZero(block[:100])
	if kind := block[156]; kind == tar.TypeXHeader || kind == tar.TypeXGlobalHeader {
		if !s.derived(string(name)) {
			s.add(name)
		}
		s.records(data)
	} else {
		text := upToZero(data)
		if !saidIn(text, s.h.Name) && !saidIn(text, s.h.Linkname) {
			s.add(text)
		}
		s.add(data[len(text):])
		if string(name) != "././@LongLink" {
			s.add(name)
		}
	}
	s.add(block[157:257])
	s.fields(block, "", "")
}

// derived reports whether a name is made of the entry's, as programs do for what stands
// before it.
func (s *slack) derived(name string) bool {
	if name == "././@PaxHeader" || strings.HasPrefix(s.h.Name, name) {
		return true
	}
	parts := strings.Split(name, "/")
	for i, p := range parts {
		if strings.HasPrefix(p, "PaxHeader") {
			return strings.HasPrefix(cleaned(s.h.Name), cleaned(path.Join(append(parts[:i:i], parts[i+1:]...)...)))
		}
	}
	return false
}

// records looks at records of pax: of those with one key the last counts, of headers the
// last before the entry.
func (s *slack) records(data []byte) {
	for len(data) > 0 {
		length, _, has := bytes.Cut(data, []byte{' '})
		n, err := strconv.Atoi(string(length))
		if !has || err != nil || n <= len(length)+1 || n > len(data) {
			s.add(data)
			return
		}
		record := bytes.TrimSuffix(data[len(length)+1:n], []byte{'\n'})
		data = data[n:]
		key, value, _ := bytes.Cut(record, []byte{'='})
		last, has := s.h.PAXRecords[string(key)]
		switch string(key) {
		case "GNU.sparse.offset", "GNU.sparse.numbytes": // which are numbers, and are put together
			has, last = true, string(value)
		case "path":
			has = has && s.h.Name == last
		}
		if !has || last != string(value) {
			s.add(record)
		}
	}
}

// last looks at an entry's own header.
func (s *slack) last(block []byte) {
	if name := upToZero(block[:100]); !saidIn(name, s.h.Name) {
		s.add(name)
	}
	s.text(block[157:257], s.h.Linkname)
	s.fields(block, s.h.Uname, s.h.Gname)
}

// fields looks at what all headers have.
func (s *slack) fields(block []byte, owner, group string) {
	s.tail(block[:100])
	s.numbers(block[100:156])
	if string(block[257:262]) != "ustar" {
		s.zeros(block[257:])
		return
	}
	s.text(block[265:297], owner)
	s.text(block[297:329], group)
	s.numbers(block[329:345])
	rest := block[345:]
	switch {
	case zero(rest):
	case string(block[257:265]) == magicGNU && (rest[0] == 0 || !strings.HasPrefix(s.h.Name, string(upToZero(rest)))): // of GNU's, most of which have no prefix
		s.numbers(rest)
	case string(block[508:]) == "tar\x00": // of star
		s.text(block[345:476], s.h.Name)
		s.numbers(block[476:508])
	default:
		s.text(block[345:500], s.h.Name)
		s.zeros(block[500:])
	}
}

// text looks at a field of which a text has what stands before its zero.
func (s *slack) text(field []byte, text string) {
	if !saidIn(upToZero(field), text) {
		s.add(field)
		return
	}
	s.tail(field)
}

// tail looks at what stands behind the zero that ends a text.
func (s *slack) tail(field []byte) { s.zeros(field[len(upToZero(field)):]) }

func (s *slack) zeros(field []byte) {
	if !zero(field) {
		s.add(field)
	}
}

func (s *slack) numbers(fields []byte) {
	if !numbers(fields) {
		s.add(fields)
	}
}

// names looks at what of an entry's names is not in those of its member.
func (s *slack) names() {
	if strings.Contains(s.h.Name, "..") && strings.Contains("/"+s.h.Name+"/", "/../") {
		s.add([]byte(s.h.Name))
	}
	if len(s.h.Linkname) >= leastText && (s.m.target == "" || s.m.kind == kindHardlink && strings.Contains(s.h.Linkname, "..")) {
		s.add([]byte(s.h.Linkname))
	}
}

// saidIn reports whether a field holds nothing that a text does not.
func saidIn(field []byte, text string) bool {
	return len(field) < leastText || string(field) == text || strings.Contains(text, string(field))
}

func upToZero(field []byte) []byte {
	if i := bytes.IndexByte(field, 0); i >= 0 {
		return field[:i]
	}
	return field
}

// ofNumbers are the bytes of fields that hold numbers and nothing else.
var ofNumbers = func() (t [256]bool) {
	for _, c := range "\x00\x01 \n0123456789" {
		t[c] = true
	}
	return t
}()

func numbers(field []byte) bool {
	for _, c := range field {
		if !ofNumbers[c] {
			return false
		}
	}
	return true
}
