// Package stamps reads what programs write before the lines of a log: times,
// streams, names of containers and of hosts, levels, notes that are not shown.
//
// It promises: a line says by itself what stands before it, so that no answer
// depends on what else is in the log; linear in a line, of which it looks at no
// more than Longest bytes; nothing of the line is kept but hashes of names. It
// refuses: to know which program wrote the log.
package stamps

import (
	"bytes"
	"encoding/binary"

	"revenant/scanners/escapes"
)

// Longest is how much of a line its stamp can take.
const Longest = longestNote + 512

// Stamp is what stands before a line, token by token, because two lines may share
// only the first of them. The zero value is that of a line without one.
type Stamp struct {
	tokens [longestStamp + 1]token
	n      int
	part   bool
	goesOn bool
}

// Part reports whether the line is not whole: it goes on in the next one.
func (s *Stamp) Part() bool { return s.part }

// GoesOn reports whether the line goes on with the one before.
func (s *Stamp) GoesOn() bool { return s.goesOn }

// Len is how many bytes of the line the stamp takes.
func (s *Stamp) Len() int {
	if s.n == 0 {
		return 0
	}
	return int(s.tokens[s.n-1].end)
}

// token is one of them. Lines of one program have equal signs.
type token struct {
	sign uint32
	end  int32 // in the line
}

// Signs of tokens that say nothing else; those of names are hashes.
const (
	signDate = iota + 1
	signClock
	signMonth
	signSeconds
	signStep
	signStream
	signPart
	signControl
	signNote
	signLevel
	signHost
	signPriority
	firstName
)

const (
	// longestStamp is how many tokens a stamp has at the most.
	longestStamp = 10
	// longestName is how long the names in it are.
	longestName = 80
	// longestNote is how long the notes are that Jenkins hides in its lines.
	longestNote = 3 << 10
)

// add notes a token that ends at a place of the line.
func (s *Stamp) add(sign uint32, end int) {
	s.tokens[s.n] = token{sign, int32(end)}
	s.n++
}

// starts are the bytes that stamps begin with.
var starts = set("0123456789[#<\x1b\xefABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")

// Starts reports whether a stamp can begin with a byte.
func Starts(c byte) bool { return starts[c] }

// Read reads the stamp of a line.
func (s *Stamp) Read(line []byte) {
	s.n, s.part, s.goesOn = 0, false, false
	s.read(line, 0)
}

// ReadLike is Read for a line that likely begins as the one does that a stamp was
// read of, which is faster.
func (s *Stamp) ReadLike(line []byte, like *Stamp, likeLine []byte) {
	s.n, s.part, s.goesOn = 0, false, false
	k := 0
	for k < like.n && like.tokens[k].sign <= signStream {
		k++
	}
	at := 0
	if k > 0 && !like.goesOn {
		if end := int(like.tokens[k-1].end); end <= len(line) && end <= len(likeLine) && alike(line[:end], likeLine[:end]) {
			s.n, at = k, end
			copy(s.tokens[:k], like.tokens[:k])
		}
	}
	s.read(line, at)
}

// alike reports whether two beginnings of lines differ in digits only.
func alike(x, y []byte) bool {
	const high, three, low, bit, six = 0xf0f0f0f0f0f0f0f0, 0x3030303030303030, 0x0f0f0f0f0f0f0f0f, 0x1010101010101010, 0x0606060606060606
	for ; len(x) >= 8; x, y = x[8:], y[8:] {
		a, b := binary.LittleEndian.Uint64(x), binary.LittleEndian.Uint64(y)
		d := a ^ b
		// A byte of odd has the bit where one of the two is no digit.
		odd := (a&high^three)>>4 + low | (a&low + six) | (b&low + six)
		if d&high != 0 || (d+low)&odd&bit != 0 {
			return false
		}
	}
	for i, c := range x {
		if c != y[i] && (!digit(c) || !digit(y[i])) {
			return false
		}
	}
	return true
}

// read reads tokens from a place on.
func (s *Stamp) read(line []byte, at int) {
	if at == len(line) || !starts[line[at]] {
		return
	}
	if at == 0 && bytes.HasPrefix(line, []byte("\ufeff")) {
		at = len("\ufeff")
	}
	for s.n < longestStamp && at < len(line) {
		end := s.next(line, at)
		if end <= at {
			return
		}
		at = end
	}
}

// next reads the token at a place and the blanks behind it, and returns where
// that ends; 0 when there is none.
func (s *Stamp) next(line []byte, at int) int {
	rest := line[at:]
	switch c := rest[0]; {
	case c == 0x1b:
		return s.control(line, at)
	case c == '[':
		return s.bracket(line, at)
	case c == '#':
		return s.step(line, at)
	case c == '<':
		return s.priority(line, at)
	case digit(c):
		return s.time(line, at)
	case letter(c):
		return s.word(line, at)
	}
	return 0
}

// control reads a control sequence, or all of a note of Jenkins.
func (s *Stamp) control(line []byte, at int) int {
	const note = "\x1b[8mha:"
	if bytes.HasPrefix(line[at:], []byte(note)) {
		in := line[at:min(len(line), at+longestNote)]
		if i := bytes.Index(in, []byte("\x1b[0m")); i > 0 {
			s.add(signNote, at+i+len("\x1b[0m"))
			return at + i + len("\x1b[0m")
		}
	}
	end := escapes.Sequence(line, at+1)
	if end < 0 {
		return 0
	}
	end = s.coloured(line, end)
	s.add(signControl, end)
	return end
}

// coloured is where a name ends that stands between a colour and the end of it,
// with the blank behind; else its beginning.
func (s *Stamp) coloured(line []byte, at int) int {
	end := nameEnd(line, at)
	bar := end
	for bar < len(line) && bar < end+longestName && (line[bar] == ' ' || line[bar] == '|') {
		bar++
	}
	if end == at || bar == len(line) || line[bar] != 0x1b {
		return at
	}
	behind := escapes.Sequence(line, bar+1)
	if behind < 0 || bar == end && (behind == len(line) || line[behind] != ' ') {
		return at
	}
	s.add(hash(line[at:end]), bar)
	if bar == end {
		behind++
	}
	return behind
}

// bracket reads a time or a name in brackets, and what TeamCity writes behind.
func (s *Stamp) bracket(line []byte, at int) int {
	in := at + 1
	for in < len(line) && line[in] == ' ' { // of the kernel's seconds
		in++
	}
	sign, end := bracketed(line, in)
	if end == in || end >= len(line) || line[end] != ']' {
		return 0
	}
	end++
	if sign < firstName && end+1 < len(line) && line[end+1] == ':' && line[end] != ':' {
		end += 2
	}
	behind := end
	if behind < len(line) && line[behind] == '\t' {
		behind++
	}
	if behind < len(line) && line[behind] == ' ' { // what is indented more is the line's own
		behind++
	}
	if behind == end {
		return 0
	}
	s.add(sign, behind)
	return behind
}

// bracketed reads a time or a name at a place.
func bracketed(line []byte, in int) (sign uint32, end int) {
	if sign, end = timeAt(line, in); sign != 0 {
		return sign, end
	}
	for end = in; end < len(line) && end < in+longestName && (nameChars[line[end]] || line[end] == '/' || line[end] == ' '); {
		end++
	}
	return counting(line[in:end]), end
}

// priority reads the number that syslog begins with, and its version.
func (s *Stamp) priority(line []byte, at int) int {
	end := skip(line, at+1, digit)
	if s.n > 0 || end == at+1 || end == len(line) || line[end] != '>' {
		return 0
	}
	end++
	if version := skip(line, end, digit); version > end && version < len(line) && line[version] == ' ' {
		end = version + 1
	}
	s.add(signPriority, end)
	return end
}

// step reads what BuildKit writes: the number of a step and its seconds.
func (s *Stamp) step(line []byte, at int) int {
	end := skip(line, at+1, digit)
	if end == at+1 || end == len(line) || line[end] != ' ' {
		return 0
	}
	n := hash(line[at:end])
	_, end = secondsAt(line, end+1)
	if end == 0 || end == len(line) || line[end] != ' ' {
		return 0
	}
	s.add(n, end+1)
	return end + 1
}

// time reads a time and what may stand behind it.
func (s *Stamp) time(line []byte, at int) int {
	if s.n > 0 && s.tokens[s.n-1].sign == signDate {
		if end := s.stream(line, at); end > 0 {
			return end
		}
	}
	sign, end := timeAt(line, at)
	if sign == 0 || end == len(line) || !blank(line[end]) {
		return 0
	}
	if sign == signSeconds {
		return 0 // a number stands at the beginning of many lines
	}
	end++                                                         // what is indented more is the line's own
	if sign == signClock && end < len(line) && line[end] == ' ' { // but for Jenkins' second blank
		end++
	}
	s.add(sign, end)
	return end
}

// stream reads GitLab's number and kind of a stream.
func (s *Stamp) stream(line []byte, at int) int {
	if at+4 > len(line) || !hex(line[at]) || !hex(line[at+1]) || line[at+2] != 'O' && line[at+2] != 'E' || line[at+3] != ' ' && line[at+3] != '+' {
		return 0
	}
	s.goesOn = line[at+3] == '+'
	s.add(signStream, at+4)
	return at + 4
}

// word reads what begins with a letter: a month, a stream of CRI's format, the
// name of a container, a level.
func (s *Stamp) word(line []byte, at int) int {
	if s.n > 0 && s.tokens[s.n-1].sign <= signMonth {
		return s.behindTime(line, at)
	}
	if end := monthEnd(line, at); end > 0 {
		s.add(signMonth, end)
		return end
	}
	if end := klogEnd(line, at); end > 0 {
		s.add(signDate, end)
		return end
	}
	end := nameEnd(line, at)
	bar := skip(line, end, blank)
	if bar > end && bar+1 < len(line) && bar-at < longestName && line[bar] == '|' && line[bar+1] == ' ' {
		s.add(hash(line[at:end]), bar+2)
		return bar + 2
	}
	return 0
}

// behindTime reads what begins with a letter behind a date or a time.
func (s *Stamp) behindTime(line []byte, at int) int {
	rest := line[at:]
	switch s.tokens[s.n-1].sign {
	case signDate:
		if rest[0] == 's' && len(rest) >= len("stdout F ") && (bytes.HasPrefix(rest, []byte("stdout ")) || bytes.HasPrefix(rest, []byte("stderr "))) &&
			rest[8] == ' ' && (rest[7] == 'F' || rest[7] == 'P') {
			s.part = rest[7] == 'P'
			s.add(signPart, at+9)
			return at + 9
		}
	case signMonth:
		if end := hostEnd(line, at); end > 0 {
			s.add(signHost, end)
			return end
		}
	}
	if end := levelEnd(line, at); end > 0 {
		s.add(signLevel, end)
		return end
	}
	return 0
}

// hash is a sign for a name.
func hash(name []byte) uint32 {
	h := uint32(2166136261)
	for _, c := range name {
		h = (h ^ uint32(c)) * 16777619
	}
	return h | 1<<31
}

// counting is a sign for a name in which numbers are alike.
func counting(name []byte) uint32 {
	h := uint32(2166136261)
	for i, c := range name {
		if digit(c) {
			if c = '0'; i > 0 && digit(name[i-1]) {
				continue
			}
		}
		h = (h ^ uint32(c)) * 16777619
	}
	return h | 1<<31
}

var nameChars = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-")

// nameEnd is where the name at a place ends.
func nameEnd(line []byte, at int) int {
	end := at
	for end < len(line) && end < at+longestName && nameChars[line[end]] {
		end++
	}
	return end
}

// timeAt reads a date with a time, a time alone, or seconds; 0 when there is none.
func timeAt(line []byte, at int) (sign uint32, end int) {
	if day := dateEnd(line, at); day > 0 {
		if day < len(line) && (line[day] == 'T' || line[day] == ' ') && shaped(line, day+1, "00:00:00") {
			return signDate, zoneEnd(line, day+1+len("00:00:00"))
		}
		return 0, at
	}
	if shaped(line, at, "00:00:00") {
		return signClock, zoneEnd(line, at+len("00:00:00"))
	}
	if sign, end = secondsAt(line, at); sign != 0 {
		return sign, end
	}
	return 0, at
}

// dateEnd is where a date ends that begins at a place: as ISO 8601 has it, as Go and
// nginx, as log4j does with two digits of the year, as Tomcat; 0 where none does.
func dateEnd(line []byte, at int) int {
	if len(line)-at < len("00/00/00") {
		return 0
	}
	switch {
	case line[at+4] == '-' && shaped(line, at, "0000-00-00"), line[at+4] == '/' && shaped(line, at, "0000/00/00"):
		return at + len("0000-00-00")
	case line[at+2] == '/' && shaped(line, at, "00/00/00"):
		return at + len("00/00/00")
	case line[at+2] == '-' && len(line)-at > len("00-Jan-0000") && line[at+6] == '-' && letter(line[at+3]) && shaped(line, at, "00") && shaped(line, at+7, "0000"):
		return at + len("00-Jan-0000")
	}
	return 0
}

// klogEnd is where what klog writes before a line ends: level and day, time, thread,
// place; 0 where it does not stand at a place.
func klogEnd(line []byte, at int) int {
	const shape = "0000 00:00:00.000000"
	if c := line[at]; c != 'I' && c != 'W' && c != 'E' && c != 'F' || !shaped(line, at+1, shape) {
		return 0
	}
	thread := skip(line, at+1+len(shape), blank)
	place := skip(line, skip(line, thread, digit), blank)
	end := nameEnd(line, place)
	if place == thread || end == place || end == len(line) || line[end] != ':' {
		return 0
	}
	if end = skip(line, end+1, digit); end+1 < len(line) && line[end] == ']' && line[end+1] == ' ' {
		return end + 2
	}
	return 0
}

// secondsAt reads a number of seconds with a fraction.
func secondsAt(line []byte, at int) (sign uint32, end int) {
	point := skip(line[:min(len(line), at+longestName)], at, digit)
	if point == at || point >= len(line) || line[point] != '.' {
		return 0, 0
	}
	if end = skip(line[:min(len(line), at+longestName)], point+1, digit); end == point+1 {
		return 0, 0
	}
	return signSeconds, end
}

// zoneEnd is where the fraction of a second and the zone end that may stand at a
// place.
func zoneEnd(line []byte, at int) int {
	if at+1 < len(line) && (line[at] == '.' || line[at] == ',') && digit(line[at+1]) {
		at = skip(line[:min(len(line), at+12)], at+1, digit)
	}
	switch {
	case at < len(line) && line[at] == 'Z':
		return at + 1
	case at < len(line) && (line[at] == '+' || line[at] == '-') && shaped(line, at+1, "00:00"):
		return at + len("+00:00")
	case at < len(line) && (line[at] == '+' || line[at] == '-') && shaped(line, at+1, "0000"):
		return at + len("+0000")
	}
	return at
}

// monthEnd is where a date as syslog has it ends, with the blank behind it; 0
// when there is none.
func monthEnd(line []byte, at int) int {
	const shape = "May 06 07:08:09 "
	if len(line) < at+len(shape) || line[at+3] != ' ' || !shaped(line, at+7, "00:00:00") || line[at+15] != ' ' {
		return 0
	}
	if !bytes.Contains([]byte("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec "), line[at:at+4]) ||
		!digit(line[at+4]) && line[at+4] != ' ' || !digit(line[at+5]) || line[at+6] != ' ' {
		return 0
	}
	return at + len(shape)
}

// hostEnd is where the name of a host and of a program end; 0 when there are
// none.
func hostEnd(line []byte, at int) int {
	host := nameEnd(line, at)
	if host == at || host == len(line) || line[host] != ' ' {
		return 0
	}
	end := host + 1
	for end < len(line) && end < host+longestName && (nameChars[line[end]] || line[end] == '/' || line[end] == '@') {
		end++
	}
	if end == host+1 || end == len(line) {
		return 0
	}
	if line[end] == '[' {
		if end = skip(line, end+1, digit); end >= len(line) || line[end] != ']' {
			return 0
		}
		end++
	}
	if end+1 < len(line) && line[end] == ':' && line[end+1] == ' ' {
		return end + 2
	}
	return 0
}

// levelEnd is where a level ends, with what stands in brackets behind it and the
// name of who logs; 0 when there is none.
func levelEnd(line []byte, at int) int {
	end := at
	for end < len(line) && line[end] >= 'A' && line[end] <= 'Z' {
		end++
	}
	if n := end - at; n < 3 || n > 8 || end == len(line) || !blank(line[end]) {
		return 0
	}
	end = skip(line, end, blank)
	if end < len(line) && line[end] == '[' {
		to := bytes.IndexByte(line[end:min(len(line), end+longestName)], ']')
		if to < 0 {
			return end
		}
		end = skip(line, end+to+1, blank)
	}
	name := nameEnd(line, end)
	switch {
	case name+1 >= len(line):
	case line[name] == ' ' && line[name+1] == '-' && name+2 < len(line) && line[name+2] == ' ':
		return name + len(" - ")
	case name > end && line[name] == ':' && line[name+1] == ' ':
		return name + len(": ")
	}
	return end
}

// shaped reports whether at a place of the line there are digits where the shape
// has them, and what else it has.
func shaped(line []byte, at int, shape string) bool {
	if len(line)-at < len(shape) {
		return false
	}
	for i := range len(shape) {
		if c := line[at+i]; shape[i] == '0' != digit(c) || shape[i] != '0' && shape[i] != c {
			return false
		}
	}
	return true
}

// Shared is how much two stamps have in common: where that ends in each line.
func Shared(x, y *Stamp) (a, b int) {
	k := 0
	for k < x.n && k < y.n && x.tokens[k].sign == y.tokens[k].sign {
		k++
	}
	if k == 0 {
		return 0, 0
	}
	return int(x.tokens[k-1].end), int(y.tokens[k-1].end)
}

func set(chars string) (t [256]bool) {
	for _, c := range []byte(chars) {
		t[c] = true
	}
	return t
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func hex(c byte) bool { return digit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func blank(c byte) bool { return c == ' ' || c == '\t' }

func skip(b []byte, i int, class func(byte) bool) int {
	for i < len(b) && class(b[i]) {
		i++
	}
	return i
}
