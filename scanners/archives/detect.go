package archives

import (
	"bytes"
	"errors"
	"io"

	"github.com/klauspost/compress/zlib"
)

type kind int

const (
	kindNone kind = iota
	kindZip
	kindTar
	kindAr
	kindGzip
	kindBzip2
	kindXz
	kindZstd
	kindLz4
	kindZlib
	kind7z
	kindSQLite
	kindSQLiteWAL
	kindSQLiteJournal
	kindUnsupported
)

// headSize is how much of a content is looked at to recognise it.
const headSize = 4 << 10

// stream reports whether a format holds one content without a name.
func (k kind) stream() bool { return k >= kindGzip && k <= kindZlib }

// magics are the formats that their first bytes tell.
func magics() []struct {
	magic string
	kind  kind
} {
	return []struct {
		magic string
		kind  kind
	}{
		{"PK\x03\x04", kindZip},
		{"PK\x05\x06", kindZip},
		{"PK\x07\x08PK\x03\x04", kindZip}, // one part of a split archive
		{"\x1f\x8b\x08", kindGzip},
		{"\xfd7zXZ\x00", kindXz},
		{"\x28\xb5\x2f\xfd", kindZstd},
		{"\x04\x22\x4d\x18", kindLz4},
		{"\x02\x21\x4c\x18", kindLz4},
		{"7z\xbc\xaf\x27\x1c", kind7z},
		{"!<arch>\n", kindAr},
		{sqliteMagic, kindSQLite},
		{walMagic, kindSQLiteWAL},
		{walMagicBig, kindSQLiteWAL},
		{journalMagic, kindSQLiteJournal},
		{"Rar!\x1a\x07", kindUnsupported},
		{"MSCF\x00\x00\x00\x00", kindUnsupported}, // cab
		{"LZIP\x01", kindUnsupported},
		{"xar!\x00\x1c", kindUnsupported},
	}
}

// detect recognises a content by its first bytes.
func detect(head []byte) kind {
	for _, m := range magics() {
		if bytes.HasPrefix(head, []byte(m.magic)) {
			return m.kind
		}
	}
	switch {
	case len(head) >= 10 && bytes.HasPrefix(head, []byte("BZh")) && head[3] >= '1' && head[3] <= '9' &&
		(string(head[4:10]) == "1AY&SY" || string(head[4:10]) == "\x17\x72\x45\x38\x50\x90"):
		return kindBzip2
	case len(head) >= 8 && head[0]&0xf0 == 0x50 && string(head[1:4]) == "\x2a\x4d\x18":
		return kindZstd // a skippable frame first
	case isJournal(head):
		return kindSQLiteJournal
	case isTarHeader(head):
		return kindTar
	case isZlib(head):
		return kindZlib
	}
	return kindNone
}

// isZlib has nothing but two bytes to go by, so it also inflates the head.
func isZlib(head []byte) bool {
	if len(head) < 8 || head[0] != 0x78 || (int(head[0])<<8|int(head[1]))%31 != 0 || head[1]&0x20 != 0 {
		return false
	}
	z, err := zlib.NewReader(bytes.NewReader(head))
	if err != nil {
		return false
	}
	n, err := io.Copy(io.Discard, io.LimitReader(z, 64<<10))
	return n > 0 && (err == nil || errors.Is(err, io.ErrUnexpectedEOF) && len(head) == headSize)
}

// program reports whether a content starts like a program, behind which a zip
// may stand.
func program(head []byte) bool {
	for _, m := range []string{"MZ", "#!", "\x7fELF", "\xcf\xfa\xed\xfe"} {
		if bytes.HasPrefix(head, []byte(m)) {
			return true
		}
	}
	return false
}
