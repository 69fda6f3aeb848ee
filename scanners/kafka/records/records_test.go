package records_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/kafka-go/protocol"

	"revenant/scanners/kafka/records"
)

// written is a batch as kafka-go writes it, with its first offset.
func written(t testing.TB, first int64, codec protocol.Attributes, list ...protocol.Record) []byte {
	t.Helper()
	var out bytes.Buffer
	set := protocol.RecordSet{Version: 2, Attributes: codec, Records: protocol.NewRecordReader(list...)}
	if _, err := set.WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	b := out.Bytes()[4:]
	binary.BigEndian.PutUint64(b, uint64(first))
	return b
}

// edited changes a batch's header and makes its checksum right again.
func edited(b []byte, edit func(b []byte) []byte) []byte {
	b = edit(bytes.Clone(b))
	binary.BigEndian.PutUint32(b[8:], uint32(len(b)-12))
	binary.BigEndian.PutUint32(b[17:], crc32.Checksum(b[21:], crc32.MakeTable(crc32.Castagnoli)))
	return b
}

func moment() time.Time { return time.UnixMilli(1_700_000_000_123).UTC() }

func messages() []protocol.Record {
	return []protocol.Record{
		{Time: moment(), Key: protocol.NewBytes([]byte("k")), Value: protocol.NewBytes([]byte("one")), Headers: []protocol.Header{{Key: "h", Value: []byte("x")}, {Key: "none"}}},
		{Time: moment().Add(time.Second), Key: protocol.NewBytes([]byte("k2"))},
		{Time: moment().Add(time.Minute), Value: protocol.NewBytes([]byte(strings.Repeat("three ", 100)))},
	}
}

func wanted(first int64) []records.Record {
	return []records.Record{
		{Offset: first, Time: moment(), Key: []byte("k"), Value: []byte("one"), Headers: []records.Header{{[]byte("h"), []byte("x")}, {[]byte("none"), nil}}},
		{Offset: first + 1, Time: moment().Add(time.Second), Key: []byte("k2")},
		{Offset: first + 2, Time: moment().Add(time.Minute), Value: []byte(strings.Repeat("three ", 100))},
	}
}

func TestCodecs(t *testing.T) {
	for name, codec := range map[string]protocol.Attributes{"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4} {
		t.Run(name, func(t *testing.T) {
			set := append(written(t, 100, codec, messages()...), written(t, 103, codec, messages()...)...)
			got := records.Append(nil, set, 100, nil)
			if len(got) != 2 || got[0].First != 100 || got[0].Last != 102 || got[1].First != 103 || got[0].Problem+got[1].Problem != "" {
				t.Fatalf("got %+v", got)
			}
			if diff := cmp.Diff([][]records.Record{wanted(100), wanted(103)}, [][]records.Record{got[0].Records, got[1].Records}); diff != "" {
				t.Errorf("records (-want +got):\n%s", diff)
			}
			got = records.Append(nil, set, 104, nil)
			if len(got) != 1 || got[0].First != 104 || len(got[0].Records) != 2 {
				t.Errorf("from the middle on: %+v", got)
			}
		})
	}
}

// TestRanges: each batch has its offsets, whatever is wrong with it.
func TestRanges(t *testing.T) {
	good := written(t, 50, 0, messages()...)
	packed := written(t, 50, 1, messages()...)
	for name, c := range map[string]struct {
		set     []byte
		last    int64
		records int
		problem string
		control bool
	}{
		"good": {good, 52, 3, "", false},
		"removed by compaction": {edited(good, func(b []byte) []byte {
			binary.BigEndian.PutUint32(b[57:], 0)
			binary.BigEndian.PutUint32(b[23:], 9)
			return b[:61]
		}), 59, 0, "", false},
		"longer than its records": {edited(good, func(b []byte) []byte { binary.BigEndian.PutUint32(b[23:], 9); return b }), 59, 3, "", false},
		"control":                 {edited(good, func(b []byte) []byte { b[22] |= 0x20; return b }), 52, 3, "", true},
		"a bit is wrong":          {func() []byte { b := bytes.Clone(good); b[len(b)-1] ^= 1; return b }(), 52, 0, "checksum", false},
		"unknown codec":           {edited(good, func(b []byte) []byte { b[22] |= 7; return b }), 52, 0, "not known", false},
		"not packed":              {edited(good, func(b []byte) []byte { b[22] |= 1; return b }), 52, 0, "cannot be unpacked", false},
		"packed, cut":             {edited(packed, func(b []byte) []byte { return b[:len(b)-20] }), 52, 2, "cannot be unpacked", false},
		"fewer records than said": {edited(good, func(b []byte) []byte { binary.BigEndian.PutUint32(b[57:], 9); return b }), 52, 3, "damaged", false},
		"more records than said":  {edited(good, func(b []byte) []byte { binary.BigEndian.PutUint32(b[57:], 2); return b }), 52, 2, "damaged", false},
		"a count below zero":      {edited(good, func(b []byte) []byte { binary.BigEndian.PutUint32(b[57:], 1<<31); return b }), 52, 0, "damaged", false},
		"a length that lies":      {edited(good, func(b []byte) []byte { b[61] = 0xff; b[62] = 0x7f; return b }), 52, 0, "damaged", false},
		"old format":              {func() []byte { b := bytes.Clone(good); b[16] = 1; return b }(), 50, 0, "before Kafka 0.11", false},
		"new format":              {func() []byte { b := bytes.Clone(good); b[16] = 3; return b }(), 50, 0, "not known", false},
		"an offset below":         {edited(good, func(b []byte) []byte { binary.BigEndian.PutUint32(b[23:], 1<<31); return b }), 50, 1, "damaged", false},
	} {
		t.Run(name, func(t *testing.T) {
			got := records.Append(nil, append(c.set, written(t, 70, 0, messages()...)...), 50, nil)
			if len(got) != 2 || got[1].First != 70 || len(got[1].Records) != 3 {
				t.Fatalf("what is behind it: %+v", got)
			}
			b := got[0]
			if b.First != 50 || b.Last != c.last || len(b.Records) != c.records || b.Control != c.control || !strings.Contains(b.Problem, c.problem) || (b.Problem == "") != (c.problem == "") {
				t.Errorf("got %d to %d, %d records, control %t, %q", b.First, b.Last, len(b.Records), b.Control, b.Problem)
			}
		})
	}
}

func TestAppendTime(t *testing.T) {
	set := edited(written(t, 0, 0, messages()...), func(b []byte) []byte { b[22] |= 8; return b })
	for _, r := range records.Append(nil, set, 0, nil)[0].Records {
		if !r.Time.Equal(moment().Add(time.Minute)) {
			t.Errorf("time %v", r.Time)
		}
	}
}

// TestCut: half a batch is left for the next fetch.
func TestCut(t *testing.T) {
	set := written(t, 5, 0, messages()...)
	for n := range set {
		if got := records.Append(nil, set[:n], 5, nil); len(got) > 0 {
			t.Fatalf("of %d bytes of %d came %+v", n, len(set), got)
		}
		if size, cut := records.Cut(set[:n]); cut != (n > 0) || n >= 12 && size != int64(len(set)) {
			t.Fatalf("%d bytes: %d, %t", n, size, cut)
		}
	}
}

// TestBomb: what unpacks to more than a bound is not unpacked further.
func TestBomb(t *testing.T) {
	const size = records.Limit + 1<<20
	bomb := written(t, 7, 4, protocol.Record{Value: protocol.NewBytes(make([]byte, size))})
	got := records.Append(nil, bomb, 7, nil)
	if len(got) != 1 || len(got[0].Records) > 0 || !strings.Contains(got[0].Problem, "256 MiB") || got[0].Last != 7 {
		t.Errorf("got %+v", got)
	}
}

func FuzzAppend(f *testing.F) {
	for codec := range 5 {
		f.Add(written(f, 3, protocol.Attributes(codec), messages()...), int64(4))
	}
	f.Fuzz(func(t *testing.T, set []byte, from int64) {
		if len(set) > 61 && set[16] == 2 { // else nothing is read but checksums
			at := int64(binary.BigEndian.Uint32(set[8:])) + 12
			if at > 61 && at <= int64(len(set)) {
				binary.BigEndian.PutUint32(set[17:], crc32.Checksum(set[21:at], crc32.MakeTable(crc32.Castagnoli)))
			}
		}
		for _, b := range records.Append(nil, set, from, nil) {
			if b.Last < from || b.First < from || b.First > b.Last {
				t.Fatalf("from %d came %d to %d", from, b.First, b.Last)
			}
			for i, r := range b.Records {
				if r.Offset < b.First || r.Offset > b.Last || i > 0 && r.Offset <= b.Records[i-1].Offset {
					t.Fatalf("offset %d in %d to %d", r.Offset, b.First, b.Last)
				}
			}
		}
	})
}
