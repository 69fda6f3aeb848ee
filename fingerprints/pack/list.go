package pack

import (
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"math/bits"

	"revenant/fingerprints"
)

// Records are sorted by their first 8 bytes as a big-endian number; a
// directory of 1<<dirBits+1 starts, by the top bits of that number, leads to a
// handful of them.

const (
	tagLen    = 8 + 3 + 3 + 1
	spreadLen = tagLen + 3 + 3
	macLen    = 16
	rowLen    = macLen + 16 + 4

	flagPrivateKey = 1 // the other bits of the flags are the index of the epoch
	maxEpochs      = 128
)

var errDirectory = errors.New("a directory is out of order")

// list is sorted records of one length.
type list struct {
	dirBits uint
	size    int // of a record
	dir     []uint32
	records []byte
}

// dirBitsFor gives buckets of about 8 records.
func dirBitsFor(n int) uint { return uint(bits.Len(uint(n / 8))) }

// bucket returns the records that may begin with key.
func (l *list) bucket(key uint64) []byte {
	if len(l.records) == 0 {
		return nil
	}
	i := key >> (64 - l.dirBits)
	return l.records[int(l.dir[i])*l.size : int(l.dir[i+1])*l.size]
}

// check makes bucket safe for every key.
func (l *list) check() error {
	n := len(l.records) / l.size
	if len(l.dir) != 1<<l.dirBits+1 || l.dir[0] != 0 || int(l.dir[len(l.dir)-1]) != n {
		return errDirectory
	}
	for i := range len(l.dir) - 1 {
		if l.dir[i] > l.dir[i+1] {
			return errDirectory
		}
	}
	return nil
}

// tagList is the records of regions.
type tagList struct {
	list
	epochs []uint32
}

func (l *tagList) appendCandidates(dst []Candidate, tag uint64) []Candidate {
	for b := l.bucket(tag); len(b) > 0; b = b[l.size:] {
		if binary.BigEndian.Uint64(b) != tag {
			continue
		}
		epoch := int(b[14] >> 1)
		if epoch >= len(l.epochs) {
			continue
		}
		c := Candidate{Offset: uint24(b[8:]), Length: uint24(b[11:]), Epoch: l.epochs[epoch], Kind: KindValue}
		if b[14]&flagPrivateKey != 0 {
			c.Kind = KindPrivateKey
		}
		if l.size == spreadLen {
			c.Others = [2]uint32{uint24(b[15:]), uint24(b[18:])}
		}
		dst = append(dst, c)
	}
	return dst
}

// rowList is the MACs of one epoch.
type rowList struct{ list }

// appendRows appends the rows whose MAC begins with the first 16 bytes of sum.
func (l *rowList) appendRows(dst []fingerprints.RowID, sum []byte) []fingerprints.RowID {
	for b := l.bucket(binary.BigEndian.Uint64(sum)); len(b) > 0; b = b[rowLen:] {
		if subtle.ConstantTimeCompare(b[:macLen], sum[:macLen]) == 1 {
			dst = append(dst, fingerprints.RowID(b[macLen:]))
		}
	}
	return dst
}

// label returns the place of a row's label.
func (l *rowList) label(row fingerprints.RowID, sum []byte) (unit uint32, ok bool) {
	for b := l.bucket(binary.BigEndian.Uint64(sum)); len(b) > 0; b = b[rowLen:] {
		if subtle.ConstantTimeCompare(b[:macLen], sum[:macLen]) == 1 && fingerprints.RowID(b[macLen:]) == row {
			return binary.BigEndian.Uint32(b[macLen+16:]), true
		}
	}
	return 0, false
}

func uint24(b []byte) uint32 { return uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2]) }

func appendUint24(b []byte, v uint32) []byte { return append(b, byte(v>>16), byte(v>>8), byte(v)) }
