package pack

import (
	"crypto/sha256"
	"encoding/binary"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
)

// rowsOf is the list of one epoch with the given MACs; row i has id i.
func rowsOf(macs ...[macLen]byte) rowList {
	l := list{size: rowLen, dir: []uint32{0, uint32(len(macs))}}
	for i, m := range macs {
		l.records = append(l.records, m[:]...)
		l.records = append(l.records, make([]byte, 15)...)
		l.records = append(l.records, byte(i))
		l.records = binary.BigEndian.AppendUint32(l.records, uint32(i))
	}
	return rowList{l}
}

// Every byte of the stored half of a MAC counts, and so do the bytes that a
// bucket is chosen by.
func TestWholeMACDecides(t *testing.T) {
	sum := sha256.Sum256([]byte("a value"))
	stored := [macLen]byte(sum[:])
	rows := rowsOf(stored, stored)
	both := []fingerprints.RowID{{}, {15: 1}}
	if diff := cmp.Diff(both, rows.appendRows(nil, sum[:])); diff != "" {
		t.Fatalf("rows (-want +got):\n%s", diff)
	}
	for i := range macLen {
		near := sum
		near[i] ^= 1
		if got := rows.appendRows(nil, near[:]); got != nil {
			t.Errorf("byte %d of the MAC does not count: rows %v", i, got)
		}
		if _, ok := rows.label(both[0], near[:]); ok {
			t.Errorf("byte %d of the MAC does not count for labels", i)
		}
	}
	if unit, ok := rows.label(both[1], sum[:]); !ok || unit != 1 {
		t.Errorf("label of the second row: %d, %v", unit, ok)
	}
	if _, ok := rows.label(fingerprints.RowID{15: 9}, sum[:]); ok {
		t.Error("a row that is not there has a label")
	}
}
