package redact

import "time"

// arrivals say when what is held came, from the first byte that is held on.
type arrivals struct {
	list []arrival
	last time.Time // when the last byte came
}

// arrival says that what stands from a place on came at a time, or a little
// later.
type arrival struct {
	at   int
	when time.Time
}

// add notes bytes that come, those of one moment together.
func (a *arrivals) add(at int, now time.Time, moment time.Duration) {
	a.last = now
	if n := len(a.list); n == 0 || now.Sub(a.list[n-1].when) >= moment {
		a.list = append(a.list, arrival{at, now})
	}
}

// oldest is when the first byte that is held came.
func (a *arrivals) oldest() time.Time {
	if len(a.list) == 0 {
		return a.last
	}
	return a.list[0].when
}

// before is where what came before a time ends; to where that is everything.
func (a *arrivals) before(when time.Time, to int) int {
	for i := len(a.list) - 1; i >= 0 && a.list[i].when.After(when); i-- {
		to = a.list[i].at
	}
	return to
}

// forget drops what stands before a place.
func (a *arrivals) forget(to int) {
	n := 0
	for n+1 < len(a.list) && a.list[n+1].at <= to {
		n++
	}
	a.list = append(a.list[:0], a.list[n:]...)
	if len(a.list) > 0 {
		a.list[0].at = max(a.list[0].at, to)
	}
}

// forgetAll says that nothing is held.
func (a *arrivals) forgetAll() { a.list = a.list[:0] }

// shift tells that what was in the buffer moved.
func (a *arrivals) shift(by int) {
	for i := range a.list {
		a.list[i].at -= by
	}
}
