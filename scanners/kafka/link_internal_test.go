package kafka

import (
	"errors"
	"testing"
)

// FuzzFetch: whatever a broker answers is read within its bounds.
func FuzzFetch(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x01a\x00\x00\x00\x01\x00\x00\x00\x07\x00\x00" +
		"\x00\x00\x00\x00\x00\x00\x00\x09\x00\x00\x00\x00\x00\x00\x00\x09\x00\x00\x00\x00\x00\x00\x00\x02\xff\xff\xff\xff\x00\x00\x00\x03abc"))
	f.Fuzz(func(t *testing.T, body []byte) {
		list, err := parseFetch(body)
		size := 0
		for _, a := range list {
			size += len(a.set) + len(a.topic)
		}
		if err != nil && len(list) > 0 || size > len(body) {
			t.Fatalf("%d answers of %d bytes in %d, %v", len(list), size, len(body), err)
		}
	})
}

func TestParseFetch(t *testing.T) {
	list, err := parseFetch([]byte("\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x01a\x00\x00\x00\x01\x00\x00\x00\x07\x00\x03" +
		"\x00\x00\x00\x00\x00\x00\x00\x09\x00\x00\x00\x00\x00\x00\x00\x09\x00\x00\x00\x00\x00\x00\x00\x02\xff\xff\xff\xff\x00\x00\x00\x03abc"))
	if err != nil || len(list) != 1 || list[0].topic != "a" || list[0].part != 7 || list[0].end != 9 || list[0].first != 2 || string(list[0].set) != "abc" || !errors.Is(list[0].err, errAbsent) {
		t.Errorf("got %+v, %v", list, err)
	}
	if _, err := parseFetch([]byte("\x00\x00\x00\x00\x00\x1d")); !errors.Is(err, ErrDenied) {
		t.Errorf("a refusal: %v", err)
	}
}
