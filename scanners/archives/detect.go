package archives

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/bits"

	"github.com/ulikunitz/xz/lzma"

	"revenant/scanners/inflate"
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
	kindSnappy
	kindLzma
	kindBrotli // nothing but its name tells it
	kindMozLz4
	kindZlib
	kind7z
	kindSQLite
	kindSQLiteWAL
	kindSQLiteJournal
	kindCompound
	kindCpio
	kindRPM
	kindPgDump
	kindRedis
	kindPgHeap
	kindPDF
	kindPack
	kindDocument // part of an office document: its text is shown
	kindTexts    // of a spreadsheet: its texts are shown
	kindMacro    // its text is shown; nothing but its folder tells it
	kindUnsupported
)

// headSize is how much of a content is looked at to recognise it.
const headSize = 4 << 10

// stream reports whether a format holds one content without a name.
func (k kind) stream() bool { return k >= kindGzip && k <= kindZlib }

// shows reports whether a format is searched as text too, and not opened.
func (k kind) shows() bool { return k == kindDocument || k == kindTexts || k == kindMacro }

// magic is what a format begins with.
type magic struct {
	magic string
	kind  kind
}

// byFirst are magics by their first bytes: most contents begin with none of those.
var byFirst = func() (t [256][]magic) {
	for _, m := range magics() {
		t[m.magic[0]] = append(t[m.magic[0]], m)
	}
	return t
}()

// magics are the formats that their first bytes tell.
func magics() []magic {
	return []magic{
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
		{compoundMagic, kindCompound},
		{cpioNew, kindCpio},
		{cpioSummed, kindCpio},
		{cpioOld, kindCpio},
		{rpmMagic, kindRPM},
		{pgMagic, kindPgDump},
		{redisMagic, kindRedis},
		{pdfMagic, kindPDF},
		{packMagic2, kindPack},
		{packMagic3, kindPack},
		{biffMagic, kindTexts},
		{"\xff\x06\x00\x00sNaPpY", kindSnappy},
		{"\xff\x06\x00\x00S2sTwO", kindSnappy},
		{mozMagic, kindMozLz4},
		{"Rar!\x1a\x07", kindUnsupported},
		{"MSCF\x00\x00\x00\x00", kindUnsupported}, // cab
		{"LZIP\x01", kindUnsupported},
		{"xar!\x00\x1c", kindUnsupported},
		{"\x45\x3d\xcd\x28", kindUnsupported}, // cramfs
		{"LRZI\x00", kindUnsupported},
		{"MSWIM\x00\x00\x00", kindUnsupported},
		{"PAR1\x15", kindUnsupported}, // Parquet
		{"Obj\x01", kindUnsupported},  // Avro
	}
}

// byLook are the formats without a plain magic, the surest first.
var byLook = []struct {
	is   func(head []byte) bool
	kind kind
}{
	{isBzip2, kindBzip2},
	{isSkippable, kindZstd},
	{unsupported, kindUnsupported},
	{isDocument, kindDocument},
	{isLzma, kindLzma},
	{isJournal, kindSQLiteJournal},
	{isTarHeader, kindTar},
	{isPgPage, kindPgHeap},
	{isZlib, kindZlib},
}

// detect recognises a content by its first bytes.
func detect(head []byte) kind {
	if len(head) == 0 {
		return kindNone
	}
	for _, m := range byFirst[head[0]] {
		if bytes.HasPrefix(head, []byte(m.magic)) {
			return m.kind
		}
	}
	for _, l := range byLook {
		if l.is(head) {
			return l.kind
		}
	}
	if bytes.Contains(head[:min(len(head), pdfLead)], []byte(pdfMagic)) {
		return kindPDF
	}
	return kindNone
}

func isBzip2(head []byte) bool {
	return len(head) >= 10 && string(head[:3]) == "BZh" && head[3] >= '1' && head[3] <= '9' &&
		(string(head[4:10]) == "1AY&SY" || string(head[4:10]) == "\x17\x72\x45\x38\x50\x90")
}

// isSkippable reports whether a frame of zstd begins that is to be skipped: others follow.
func isSkippable(head []byte) bool {
	return len(head) >= 8 && head[0]&0xf0 == 0x50 && string(head[1:4]) == "\x2a\x4d\x18"
}

// unsupported recognises formats that are listed and have no plain magic.
func unsupported(head []byte) bool {
	if len(head) < 30 {
		return false
	}
	switch {
	case head[0] == 0x1f && head[1] == 0x9d: // compress(1): then the bits of its codes
		return head[2]&0x60 == 0 && head[2]&0x1f >= 9 && head[2]&0x1f <= 16
	case string(head[2:4]) == "-l" && head[6] == '-': // LHA: its method between hyphens
		return head[4] == 'h' || head[4] == 'z'
	case string(head[:4]) == "\x7fELF": // an AppImage: a program and a squashfs
		return string(head[8:11]) == "AI\x02"
	case string(head[:4]) == "hsqs": // squashfs, of version 4
		return head[28] == 4 && head[29] == 0
	case len(head) >= 1028 && string(head[1024:1028]) == "\xe2\xe1\xf5\xe0": // EROFS, behind room for a loader
		return true
	}
	return false
}

// isZlib has nothing but two bytes to go by, so it also inflates the head.
func isZlib(head []byte) bool {
	if len(head) < 8 || head[0] != 0x78 || (int(head[0])<<8|int(head[1]))%31 != 0 || head[1]&0x20 != 0 {
		return false
	}
	z, err := inflate.NewZlib(bufio.NewReader(bytes.NewReader(head)))
	if err != nil {
		return false
	}
	n, err := io.Copy(io.Discard, io.LimitReader(z, 64<<10))
	return n > 0 && (err == nil || errors.Is(err, io.ErrUnexpectedEOF) && len(head) == headSize)
}

// isLzma has no magic to go by: properties, the size of a dictionary as writers
// choose it, a size, and the zero that every stream begins with.
func isLzma(head []byte) bool {
	if len(head) < 18 || head[0] >= 9*5*5 || head[13] != 0 {
		return false
	}
	dictionary := binary.LittleEndian.Uint32(head[1:])
	top := bits.Len32(dictionary)
	round := top > 12 && (dictionary<<(33-top) == 0 || dictionary<<(34-top) == 0) || dictionary == 1<<32-1
	size := binary.LittleEndian.Uint64(head[5:])
	return round && (size == 1<<64-1 || size < 1<<38) && size > 0 && lzmaBegins(head)
}

// lzmaFirst is how much of a stream is unpacked to recognise it: less than the
// smallest dictionary, in which matches reach back to the beginning then.
const lzmaFirst = 1 << 10

// lzmaBegins unpacks the head.
func lzmaBegins(head []byte) bool {
	z, err := lzma.ReaderConfig{DictCap: lzma.MinDictCap}.NewReader(bytes.NewReader(withDictionary(head, lzma.MinDictCap)))
	if err != nil {
		return false
	}
	n, err := io.Copy(io.Discard, io.LimitReader(z, lzmaFirst))
	return n > 0 && (err == nil || errors.Is(err, io.ErrUnexpectedEOF) && len(head) == headSize)
}

// withDictionary is an LZMA head with another size of the dictionary.
func withDictionary(head []byte, size uint32) []byte {
	head = bytes.Clone(head)
	binary.LittleEndian.PutUint32(head[1:], size)
	return head
}

// program reports whether a content starts like a program, behind which a zip
// may stand.
func program(head []byte) bool {
	for _, m := range []string{"MZ", "#!", "\x7fELF", "\xcf\xfa\xed\xfe", "Cr24"} {
		if bytes.HasPrefix(head, []byte(m)) {
			return true
		}
	}
	return false
}
