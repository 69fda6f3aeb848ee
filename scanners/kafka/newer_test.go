package kafka_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"revenant/scanners/kafka"
	"revenant/scanners/kafka/kafkatest"
)

// followed reads a topic on, a stretch at a time.
type followed struct {
	t *testing.T
	r *kafka.Reader
	m *memory
	f *fake
}

// until reads a stretch until so many messages came, and keeps how far it is.
func (f followed) until(n int) {
	f.t.Helper()
	early := make(chan struct{})
	src := f.r.During(time.Minute, early)
	var got found
	for ended := false; ; {
		b, err := src.Next(f.t.Context())
		got.take(f.t, b)
		if b.Cursor != nil {
			f.m.save(f.t, b.SourceID, b.Cursor)
			f.r.Stored(b.SourceID, b.Cursor)
		}
		if err != nil {
			if len(got.items) != n {
				f.t.Errorf("%d messages, want %d: %v", len(got.items), n, err)
			}
			return
		}
		if len(got.items) >= n && !ended {
			ended = true
			close(early)
		}
	}
}

func (f followed) searched(what string, fields uint64, generic, whole bool) {
	f.t.Helper()
	gotFields, gotGeneric, gotWhole := f.r.Searched(f.t.Context(), f.r.SourceID("a"))
	if gotFields != fields || gotGeneric != generic || gotWhole != whole {
		f.t.Errorf("%s: searched for %d, %v, whole %v; want %d, %v, %v", what, gotFields, gotGeneric, gotWhole, fields, generic, whole)
	}
}

func (f followed) write(n int) {
	f.t.Helper()
	var list []kafkatest.Message
	for i := range n {
		list = append(list, kafkatest.Message{Partition: i % 2, Value: fmt.Sprintf("message %d", i)})
	}
	kafkatest.Produce(f.t, f.f.client, "a", 0, list...)
}

// TestNewerValues: values that are registered while a topic is followed are looked for
// from there on; a scan that looks through what came before, beside it, closes the gap,
// also for who begins anew.
func TestNewerValues(t *testing.T) {
	f := newFake(t, 1, "a")
	var eye atomic.Uint64
	eye.Store(5)
	o := options(f.addr, &memory{})
	m := &memory{}
	o.Load, o.Follow = m.load, true
	o.Eye = func() (uint64, bool) { return eye.Load(), true }
	s := followed{t, open(t, o), m, f}
	s.write(10)
	s.until(10)
	s.searched("at first", 5, true, true)
	eye.Store(9)
	s.r.Renewed()
	s.write(10)
	s.until(10)
	s.searched("with newer values", 5, true, true)
	// Who takes over knows from where on.
	again := followed{t, open(t, o), m, f}
	again.write(2)
	again.until(2)
	again.searched("taken over", 5, true, true)
	look := options(f.addr, m)
	look.Start.Anew = true
	look.Eye = func() (uint64, bool) { return 9, false }
	s.write(4)
	if got := once(t, look, m); len(got.items) != 26 {
		t.Errorf("%d messages from the earliest on", len(got.items))
	}
	s.until(6)
	s.searched("after what came before was looked through", 9, true, true)
	again.until(4)
	again.searched("by the other", 9, true, true)
}

// TestWholeWhenStored: a stretch is whole when what was there when it began is stored,
// and not before.
func TestWholeWhenStored(t *testing.T) {
	f := newFake(t, 1, "a")
	m := &memory{}
	o := options(f.addr, m)
	o.Follow = true
	o.Eye = func() (uint64, bool) { return 5, true }
	s := followed{t, open(t, o), m, f}
	s.write(4)
	src := s.r.During(time.Minute, nil)
	var last []func()
	for n := 0; n < 4; {
		b, err := src.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		n += len(b.Items)
		last = append(last, func() { s.r.Stored(b.SourceID, b.Cursor) })
	}
	s.searched("given out and not stored", 0, false, false)
	for _, stored := range last {
		stored()
	}
	s.searched("stored", 5, true, true)
}
