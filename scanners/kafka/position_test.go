package kafka_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/scanners/kafka"
)

func TestMergePositions(t *testing.T) {
	at := func(incarnation int, start, next int64, fields uint64, generic bool) kafka.Position {
		return kafka.Position{Incarnation: incarnation, Start: start, Next: next, Fields: fields, Generic: generic}
	}
	newer := func(p kafka.Position, from int64, fields uint64) kafka.Position {
		p.Newer = &kafka.Newer{From: from, Fields: fields}
		return p
	}
	kept := func(p kafka.Position, from int64) kafka.Position {
		p.Kept = from
		return p
	}
	for name, c := range map[string]struct{ old, next, want kafka.Position }{
		"searched again behind one that goes on":    {newer(at(1, 0, 90, 5, true), 40, 9), at(1, 0, 60, 9, false), at(1, 0, 90, 9, true)},
		"the one that goes on, after that":          {at(1, 0, 90, 9, true), newer(at(1, 0, 99, 5, true), 40, 9), at(1, 0, 99, 9, true)},
		"searched again, and not up to the newer":   {newer(at(1, 0, 90, 5, true), 70, 9), at(1, 0, 60, 9, false), newer(at(1, 0, 90, 5, true), 70, 9)},
		"searched again for more than is known now": {newer(at(1, 0, 90, 5, true), 40, 9), at(1, 0, 60, 12, false), at(1, 0, 90, 9, true)},
		"newer twice":                     {newer(at(1, 0, 50, 5, true), 40, 9), newer(at(1, 0, 90, 5, true), 70, 12), newer(at(1, 0, 90, 5, true), 70, 12)},
		"what is not kept does not count": {at(1, 0, 50, 5, true), kept(at(1, 50, 90, 9, true), 50), kept(at(1, 0, 90, 9, true), 50)},
		"it goes on":                      {at(1, 0, 10, 5, true), at(1, 0, 20, 5, true), at(1, 0, 20, 5, true)},
		"an older word":                   {at(1, 0, 20, 5, true), at(1, 0, 10, 5, true), at(1, 0, 20, 5, true)},
		"for more, on its way":            {at(1, 0, 20, 5, true), at(1, 0, 10, 9, true), at(1, 0, 20, 5, true)},
		"for more, to the end":            {at(1, 0, 20, 5, true), at(1, 0, 20, 9, true), at(1, 0, 20, 9, true)},
		"from the middle on":              {at(1, 0, 20, 9, true), at(1, 10, 30, 5, false), at(1, 0, 30, 5, false)},
		"after a gap":                     {at(1, 0, 20, 5, true), at(1, 30, 40, 5, true), at(1, 30, 40, 5, true)},
		"before it, on its way":           {at(1, 50, 60, 5, true), at(1, 0, 20, 5, true), at(1, 50, 60, 5, true)},
		"before it, and up to it":         {at(1, 50, 60, 5, true), at(1, 0, 50, 5, true), at(1, 0, 60, 5, true)},
		"made anew":                       {at(1, 0, 90, 5, true), at(2, 0, 3, 5, true), at(2, 0, 3, 5, true)},
		"an older word of before that":    {at(2, 0, 3, 5, true), at(1, 0, 95, 5, true), at(2, 0, 3, 5, true)},
	} {
		t.Run(name, func(t *testing.T) {
			pack := func(p kafka.Position) []byte { return kafka.Cursor{0: p}.Rows()["0"] }
			var got kafka.Position
			if err := json.Unmarshal(kafka.MergePositions(pack(c.old), pack(c.next)), &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// FuzzPositions: what is stored may be damaged, and never ends a reading.
func FuzzPositions(f *testing.F) {
	good := kafka.Cursor{3: {Incarnation: 1, Next: 9, Witness: []byte("12345678")}}.Rows()["3"]
	f.Add(good, good)
	f.Add([]byte(`{"incarnation":-1}`), []byte(`{`))
	f.Fuzz(func(t *testing.T, old, next []byte) {
		merged := kafka.MergePositions(old, next)
		c := kafka.CursorOf(map[string][]byte{"0": merged, "x": old, "-1": next})
		if len(c) > 1 {
			t.Fatalf("%d partitions", len(c))
		}
		if p, has := c[0]; has && (p.Incarnation < 1 || p.Next < p.Start || p.Start < 0) {
			t.Fatalf("merged %+v", p)
		}
	})
}
