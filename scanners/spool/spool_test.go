package spool_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"revenant/scanners/spool"
)

// Wherever the border between memory and file lies, random access gives what
// was written, and the budget is whole again at the end.
func TestReadAt(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789"), 20_000)
	for _, budget := range []int64{0, 100, 32 << 10, 100_000, 1 << 20} {
		memory := budget
		s := spool.New(&memory)
		rest, err := s.Fill(bytes.NewReader(data), 1<<20)
		if err != nil || s.Size() != int64(len(data)) {
			t.Fatalf("budget %d: %d bytes, %v", budget, s.Size(), err)
		}
		if _, err := rest.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("budget %d: what is left ends in %v", budget, err)
		}
		got, err := io.ReadAll(io.NewSectionReader(s, 0, s.Size()))
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("budget %d: read %d bytes, %v", budget, len(got), err)
		}
		for _, off := range []int64{0, 99, 32<<10 - 5, 99_998, 199_990} {
			p := make([]byte, 10)
			if n, err := s.ReadAt(p, off); n != 10 || err != nil && !errors.Is(err, io.EOF) || !bytes.Equal(p, data[off:off+10]) {
				t.Errorf("budget %d: at %d %q, %v", budget, off, p[:n], err)
			}
		}
		if n, err := s.ReadAt(make([]byte, 1), s.Size()); n != 0 || !errors.Is(err, io.EOF) {
			t.Errorf("budget %d: behind the end %d, %v", budget, n, err)
		}
		s.Close()
		if memory != budget {
			t.Errorf("budget %d: %d given back", budget, memory)
		}
	}
}

func TestFillStops(t *testing.T) {
	memory := int64(4)
	s := spool.New(&memory)
	defer s.Close()
	r := strings.NewReader("0123456789")
	rest, err := s.Fill(r, 6)
	if err != nil || rest != io.Reader(r) || s.Size() != 6 {
		t.Fatalf("%d bytes, %v", s.Size(), err)
	}
	if left, _ := io.ReadAll(rest); string(left) != "6789" {
		t.Errorf("left %q", left)
	}
	rest, err = s.Fill(iotest.ErrReader(io.ErrUnexpectedEOF), 100)
	if _, readErr := io.ReadAll(rest); err != nil || !errors.Is(readErr, io.ErrUnexpectedEOF) {
		t.Errorf("a reader that fails: %v, then %v", err, readErr)
	}
}
