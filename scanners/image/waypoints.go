package image

import (
	"bufio"
	"io"
	"sort"

	"revenant/scanners/inflate"
)

// stream is an archive's bytes, uncompressed, and how many of them came before what is
// read next.
type stream struct {
	counted
	io.Closer
	packed *counted      // what the file gave
	ahead  *bufio.Reader // what of that is not used yet
	failed bool          // it ended, or cannot be read further
}

func (s *stream) Read(p []byte) (int, error) {
	n, err := s.counted.Read(p)
	s.failed = s.failed || err != nil
	return n, err
}

func (s *stream) end() { _ = s.Close() } // it was read as far as was wanted

// stream reads the archive from a waypoint on. b may be nil.
func (a *archive) stream(from waypoint, b beside) (*stream, error) {
	s := &stream{packed: &counted{r: a.bytes(from.packed), at: from.packed}}
	s.ahead = bufio.NewReaderSize(s.packed, aheadBytes)
	if from.plain > 0 {
		m := &members{in: s.ahead, z: &inflate.Gzip{}, over: from.mark == nil}
		if !m.over {
			m.z.Resume(s.ahead, from.mark)
		}
		s.r, s.Closer, s.at = m, m, from.plain
		return s, nil
	}
	rc, err := decompressedFrom(s.ahead, b)
	if err != nil {
		return nil, errNoTar
	}
	s.r, s.Closer = rc, rc
	return s, nil
}

// waypoint is where a stream that gzip compressed can be begun; the zero one is its
// beginning.
type waypoint struct {
	plain, packed int64
	mark          *inflate.Mark // nil: behind the last member
}

// Waypoints of an archive.
const (
	mostWays  = 128     // each takes up to 150 KiB
	leastWays = 1 << 20 // uncompressed bytes between two
)

// waypoints are in their order, and none close to another.
type waypoints struct {
	list  []waypoint
	apart int64
}

// note makes a waypoint where a stream stands, if it is far enough from the last.
func (w *waypoints) note(s *stream) {
	m, is := s.r.(*members)
	w.apart = max(w.apart, leastWays)
	if !is || s.at-w.before(s.at).plain < w.apart {
		return
	}
	here := waypoint{plain: s.at, packed: s.packed.at - int64(s.ahead.Buffered())}
	if !m.over {
		if here.mark = m.z.Mark(); here.mark == nil {
			return
		}
	}
	if w.list = append(w.list, here); len(w.list) < mostWays {
		return
	}
	w.apart *= 2
	kept := waypoints{apart: w.apart}
	for _, l := range w.list {
		if l.plain-kept.before(l.plain).plain >= w.apart {
			kept.list = append(kept.list, l)
		}
	}
	*w = kept
}

// before is the last waypoint up to a place.
func (w *waypoints) before(plain int64) waypoint {
	i := sort.Search(len(w.list), func(i int) bool { return w.list[i].plain > plain })
	if i == 0 {
		return waypoint{}
	}
	return w.list[i-1]
}
