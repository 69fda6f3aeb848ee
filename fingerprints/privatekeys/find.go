package privatekeys

import (
	"bytes"
	"slices"
)

// Parse reads the one private key, or the one armoured secret, that the input
// consists of or holds. Certificates and public keys beside it are ignored.
func Parse(input []byte) (Key, error) {
	all, err := ParseAll(input)
	if err != nil {
		return Key{}, err
	}
	if len(all) > 1 {
		return Key{}, ErrSeveral
	}
	return all[0], nil
}

// ParseAll reads every distinct private key or armoured secret in the input,
// in order. It returns ErrNoKey when there is none.
func ParseAll(input []byte) ([]Key, error) {
	s := newSearch(input)
	s.derive = true
	s.budget += 1 << 20
	s.run(everyClue)
	var out []Key
	seen := map[string]bool{}
	for _, f := range s.found {
		if !seen[string(f.Key.Canonical)] {
			seen[string(f.Key.Canonical)] = true
			out = append(out, f.Key)
		}
	}
	if len(out) == 0 {
		return nil, ErrNoKey
	}
	return out, nil
}

// Find returns the private keys and armoured secrets in data, in order and
// not overlapping. Work is linear in len(data) whatever the data is.
func Find(data []byte) []Found {
	s := newSearch(data)
	s.run(everyClue)
	return s.found
}

// Around returns the DER or OpenSSH container in data, which are decoded
// bytes, that encloses the byte at pos.
func Around(data []byte, pos int) (Found, bool) {
	if pos < 0 || pos >= len(data) {
		return Found{}, false
	}
	from := max(0, pos-MaxContainer/4)
	s := newSearch(data[from:min(len(data), pos+MaxContainer/4)])
	s.last = pos - from
	s.run(func(c clue) bool { return c == clueDER || c == clueOpenSSH })
	for _, f := range s.found {
		f.Start, f.End = f.Start+from, f.End+from
		if f.Start <= pos && pos < f.End {
			return f, true
		}
	}
	return Found{}, false
}

func everyClue(clue) bool { return true }

// search is one pass over some bytes.
type search struct {
	reading
	data  []byte
	found []Found
	last  int // clues behind it are not followed
	done  int // end of the last container found
	body  *run
	left  int  // characters that may still be gathered
	inner bool // data were decoded from base64 already
	jwk   int  // where the last JWK was looked for
}

func newSearch(data []byte) *search {
	return &search{
		reading: reading{budget: 1000 + len(data)/256},
		data:    data, last: len(data), left: 8*len(data) + 1<<20, jwk: -1,
	}
}

func (s *search) run(want func(clue) bool) {
	finder().each(s.data, func(l literal, at int) bool {
		if want(l.clue) && at >= s.done {
			s.follow(l, at)
		}
		return at <= s.last
	})
	slices.SortStableFunc(s.found, func(a, b Found) int { return a.Start - b.Start })
}

// add keeps a container unless it begins inside the one before.
func (s *search) add(start, end int, k Key) {
	for len(s.found) > 0 {
		prev := s.found[len(s.found)-1]
		if prev.End <= start {
			break
		}
		if prev.Start <= start {
			return
		}
		s.found = s.found[:len(s.found)-1] // it was inside this one
	}
	s.found = append(s.found, Found{Start: start, End: end, Key: k})
	s.done = end
}

func (s *search) follow(l literal, at int) {
	switch l.clue {
	case clueArmour:
		if a, ok := armourAt(s.data, at); ok {
			if k, ok := s.fromArmour(a); ok {
				s.add(a.start, a.end, k)
			}
		}
	case cluePuTTY:
		s.putty(at)
	case clueJWK:
		s.jsonWebKey(at)
	case clueXML:
		s.xml(at)
	case clueOpenSSH:
		if k, n, f := s.fromOpenSSH(s.data[at:]); f == isKey {
			s.add(at, at+n, k)
		}
	case clueDER:
		start := derStart(s.data, at)
		if start < s.done {
			return
		}
		if k, n, f := s.fromDER(s.data[start:]); f == isKey {
			s.add(start, start+n, k)
		}
	case clueBody:
		s.bare(at - l.back)
	case clueNested:
		s.nested(at)
	}
}

// gathered returns the run that holds the character at start.
func (s *search) gathered(start int) *run {
	if r := s.body; r != nil && start >= r.start && start < r.end {
		if i, ok := slices.BinarySearch(r.at, int32(start-r.start)); ok &&
			(len(r.chars) < maxRun || len(r.chars)-i > maxBody) {
			return r
		}
	}
	if s.left <= 0 {
		return nil
	}
	s.body = gather(s.data, start, linePrefix(s.data, start))
	s.left -= s.body.end - start
	return s.body
}

// bare reads base64 without armour that begins at start.
func (s *search) bare(start int) {
	if start < s.done || s.data[start] != 'M' && s.data[start] != 'b' {
		return
	}
	r := s.gathered(start)
	if r == nil {
		return
	}
	if k, n, f := s.fromBinary(r.bytesAt(start)); f == isKey {
		s.add(start, r.endOf(start, n), k)
	}
}

// nested reads armour that is wrapped in base64 as a whole, as Kubernetes
// does.
func (s *search) nested(start int) {
	if s.inner || start < s.done {
		return
	}
	r := s.gathered(start)
	if r == nil {
		return
	}
	i, ok := slices.BinarySearch(r.at, int32(start-r.start))
	if !ok || r.nested[i%4] {
		return
	}
	r.nested[i%4] = true
	in := newSearch(r.bytesAt(start))
	in.inner, in.derive = true, s.derive
	in.run(everyClue)
	for _, f := range in.found {
		from := min(i+f.Start/3*4+f.Start%3, len(r.at)-1)
		s.add(r.start+int(r.at[from]), r.endOf(start, f.End), f.Key)
	}
}

// IsContainer reports whether the input as a whole is one key's container:
// beside it there are only space, quotes, certificates, public keys, and the
// lines that OpenSSL writes before them.
func IsContainer(input []byte) bool {
	found := Find(input)
	if len(found) == 0 {
		return false
	}
	rest := slices.Clone(input[:found[0].Start])
	for i, f := range found {
		if !bytes.Equal(f.Key.Canonical, found[0].Key.Canonical) {
			return false
		}
		next := len(input)
		if i+1 < len(found) {
			next = found[i+1].Start
		}
		rest = append(append(rest, '\n'), input[f.End:next]...)
	}
	switch string(beside(plain(rest))) {
	case "", `{"keys":[]}`:
		return true
	}
	return false
}

// beside drops from text what may stand beside a key, and all space.
func beside(text []byte) []byte {
	for {
		at := bytes.Index(text, []byte("BEGIN "))
		if at < 0 {
			break
		}
		a, ok := armourAt(text, at)
		if !ok || !a.closed || !open(a.label) {
			return text
		}
		text = append(bytes.Clone(text[:a.start]), text[a.end:]...)
	}
	var out []byte
	for line := range bytes.Lines(text) {
		line = bytes.Trim(line, " \n\"'\\")
		switch {
		case bytes.HasPrefix(line, []byte("Bag Attributes")), bytes.HasPrefix(line, []byte("Key Attributes")),
			bytes.HasPrefix(line, []byte("localKeyID:")), bytes.HasPrefix(line, []byte("friendlyName:")),
			bytes.HasPrefix(line, []byte("subject=")), bytes.HasPrefix(line, []byte("issuer=")),
			bytes.HasPrefix(line, []byte("#")):
		default:
			out = append(out, bytes.ReplaceAll(line, []byte(" "), nil)...)
		}
	}
	return out
}
