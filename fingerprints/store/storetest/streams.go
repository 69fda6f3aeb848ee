package storetest

import (
	"fmt"
	"math"
	"testing"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// streamed is a sighting of finding 1 at an offset of a stream.
func streamed(stream string, offset, since int64) store.Observed {
	o := observed(1)
	o.Sighting.Locator = fmt.Sprintf("%s offset %d", stream, offset)
	o.Sighting.Presence = fingerprints.PresenceRetained
	o.Stream = &store.StreamAt{Name: stream, Offset: offset, Since: since}
	return o
}

// stretch is sightings at every offset from one on to before another.
func stretch(stream string, from, to, since int64) (out []store.Observed) {
	for offset := from; offset < to; offset++ {
		out = append(out, streamed(stream, offset, since))
	}
	return out
}

func testStreamRuns(t *testing.T, f *fixture) {
	f.source(dir)
	places := func(want int, doing string) {
		t.Helper()
		if got := f.finding(epoch(), findingID(1)).Places; got != want {
			t.Errorf("%s: %d places, want %d", doing, got, want)
		}
	}
	const most = store.MaxListed
	record := func(list []store.Observed) {
		t.Helper()
		for len(list) > 0 {
			n := min(400, len(list))
			f.record(hour(1), list[:n]...)
			list = list[n:]
		}
	}
	record(stretch("1/0", 100, 100+most, 100))
	places(most, "as many as are listed")
	record(stretch("1/0", 100+most, 2100+most, 100))
	places(most+2000, "more than are listed")
	if n := len(f.sightings(findingID(1))); n != most+1 {
		t.Errorf("%d rows, want %d", n, most+1)
	}
	for _, from := range []int64{100, 100 + most, 101 + most, 1900 + most, 2099 + most} {
		record(stretch("1/0", from, 2100+most, 100))
		places(most+2000, fmt.Sprintf("again from %d on", from))
	}
	record(stretch("1/0", 2000+most, 2200+most, 100))
	places(most+2100, "partly again")
	record(stretch("1/0", 0, 50, 0))
	places(most+2150, "what is before all of it")
	record(stretch("1/0", 0, 2200+most, 0))
	places(most+2200, "all of it from the beginning") // with 50 to 99
	record(stretch("1/0", 0, 2300+most, 0))
	places(most+2300, "and on")
	record(stretch("1/0", 9000, 9100, 9000))
	record(stretch("1/0", 9000, 9100, 9000))
	places(most+2400, "after a gap")
	record(stretch("1/1", 0, 10, 0))
	places(most+2410, "in another stream")
}

func testStreamExpires(t *testing.T, f *fixture) {
	f.source(dir)
	f.put("a", version("a", 1, fingerprints.StateActive))
	f.record(hour(1), append(stretch("1/0", 0, store.MaxListed+100, 0), streamed("1/1", 5, 0))...)
	other := observed(2)
	f.record(hour(1), other)
	expire := func(from map[string]int64, want ...fingerprints.FindingID) {
		t.Helper()
		f.update(func(tx store.Tx) error {
			got, err := tx.ExpireStreams(f.ctx, dir, hour(2), func(stream string) int64 { return from[stream] })
			f.diff("ExpireStreams", want, got)
			return err
		})
	}
	state := func(places int, p fingerprints.Presence) {
		t.Helper()
		v := f.finding(epoch(), findingID(1))
		f.diff("places, presence", []any{places, p}, []any{v.Places, v.Presence})
	}
	expire(map[string]int64{"1/0": 10})
	state(store.MaxListed+91, fingerprints.PresenceRetained)
	expire(map[string]int64{"1/0": store.MaxListed + 50}) // of the run something is kept
	state(101, fingerprints.PresenceRetained)
	expire(map[string]int64{"1/0": math.MaxInt64})
	state(1, fingerprints.PresenceRetained)
	expire(map[string]int64{"1/0": math.MaxInt64, "1/1": 6}, findingID(1))
	state(0, fingerprints.PresenceExpired)
	expire(map[string]int64{"1/0": math.MaxInt64, "1/1": 6})
	if v := f.finding(epoch(), findingID(2)); v.Presence != fingerprints.PresenceTip {
		t.Errorf("what is in no stream is %s", v.Presence)
	}
	f.record(hour(3), streamed("1/1", 6, 0))
	state(1, fingerprints.PresenceRetained)
}

func testPositions(t *testing.T, f *fixture) {
	f.source(dir)
	f.source("dir:/other")
	positions := func(source string) (out map[string][]byte) {
		t.Helper()
		f.view(func(tx store.Tx) (err error) {
			out, err = tx.Positions(f.ctx, source)
			return err
		})
		return out
	}
	put := func(source string, rows map[string][]byte) {
		t.Helper()
		f.update(func(tx store.Tx) error { return tx.PutPositions(f.ctx, source, rows) })
	}
	f.diff("none", map[string][]byte{}, positions(dir))
	put(dir, map[string][]byte{"0": []byte("a"), "1": {0, 255}})
	put(dir, map[string][]byte{"0": []byte("b")})
	put("dir:/other", map[string][]byte{"0": []byte("c")})
	f.diff("positions", map[string][]byte{"0": []byte("b"), "1": {0, 255}}, positions(dir))
	f.diff("of an unknown source", map[string][]byte{}, positions("dir:/unknown"))
	f.update(func(tx store.Tx) error {
		f.wantErr("PutPositions", tx.PutPositions(f.ctx, "dir:/unknown", nil), store.ErrNotFound)
		return nil
	})
	f.update(func(tx store.Tx) error {
		return tx.MoveSource(f.ctx, dir, "dir:/other", func(fingerprints.Finding) fingerprints.FindingID { return "" })
	})
	f.diff("moved", map[string][]byte{"0": []byte("c"), "1": {0, 255}}, positions("dir:/other"))
	f.update(func(tx store.Tx) error { return tx.ForgetSource(f.ctx, "dir:/other") })
	f.diff("forgotten", map[string][]byte{}, positions("dir:/other"))
}
