package registered

import (
	"hash/maphash"
	"reflect"
	"slices"
	"strings"

	"revenant/scanners"
)

// Count runs AppendHits and returns what it cost.
func Count(m *Matcher, c scanners.Chunk) ([]scanners.Hit, Stats) {
	w := m.newWork()
	w.search(&text{data: c.Data, form: "raw", base: c.Base}, 0)
	return w.hits, w.stats
}

// MeetInMemo looks two spans up in turn, n times each, after making them share
// a pair of the memo's places, and counts the MACs.
func MeetInMemo(m *Matcher, a, b []byte, n int) int64 {
	w := m.newWork()
	m.seed = maphash.MakeSeed()
	for w.sum(a, 1)>>(64-memoBits) != w.sum(b, 1)>>(64-memoBits) {
		m.seed = maphash.MakeSeed()
	}
	for range n {
		w.check(a, 1)
		w.check(b, 1)
	}
	return w.stats.MACs
}

// Left says where a search of a content leaves bytes that hold one of some parts.
func Left(m *Matcher, c scanners.Chunk, parts []string) []string {
	w := m.newWork()
	w.search(&text{data: c.Data, form: "raw", base: c.Base}, 0)
	w.forget()
	l := leftovers{parts: parts, seen: map[uintptr]bool{reflect.ValueOf(m).Pointer(): true}}
	l.walk("work", reflect.ValueOf(w))
	return l.found
}

type leftovers struct {
	parts []string
	seen  map[uintptr]bool // what pointers lead to
	found []string
}

// walk looks at all that a value leads to, with the room that slices have, and
// says whether others of its type may lead to bytes.
func (l *leftovers) walk(name string, v reflect.Value) (may bool) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() && !l.seen[v.Pointer()] {
			l.seen[v.Pointer()] = true
			l.walk(name, v.Elem())
		}
	case reflect.Interface:
		if !v.IsNil() {
			l.walk(name, v.Elem())
		}
	case reflect.String:
		l.look(name, v.String())
	case reflect.Struct:
		for i := range v.NumField() {
			may = l.walk(name+"."+v.Type().Field(i).Name, v.Field(i)) || may
		}
		return may
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice {
			v = v.Slice3(0, v.Cap(), v.Cap())
		}
		if v.Type().Elem().Kind() == reflect.Uint8 {
			l.look(name, string(v.Bytes()))
			return true
		}
		for i := range v.Len() {
			if !l.walk(name+"[]", v.Index(i)) {
				return false
			}
		}
	case reflect.Map:
		for at := v.MapRange(); at.Next(); {
			l.walk(name+"[]", at.Key())
			l.walk(name+"[]", at.Value())
		}
	default:
		return false
	}
	return true
}

func (l *leftovers) look(name, held string) {
	for _, part := range l.parts {
		if strings.Contains(held, part) && !slices.Contains(l.found, name) {
			l.found = append(l.found, name)
		}
	}
}
