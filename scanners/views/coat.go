package views

import "bytes"

// coat undoes what stands before and after every line of armour, as when a
// script writes a key to a file line by line.
type coat struct {
	out           *stretches
	on            int // where the next line of the armour begins; 0: there is none
	before, after int // how long what stands before the last line was, and after it
}

// line looks at a line and the beginning of the next one.
func (s *coat) line(data []byte, start, end, next int) {
	in := data[start:end]
	if s.on != start || start == 0 {
		if !s.begins(in, data[next:min(len(data), next+faraway)]) {
			return
		}
	}
	s.out.put(cut(start, start+s.before), true)
	s.out.put(cut(end-s.after, end), true)
	s.on = 0
	if follows := data[next:min(len(data), next+faraway)]; s.wears(in, follows) && !bytes.Contains(in, []byte("-----END ")) {
		s.on = next
	}
}

// begins reports whether armour begins in the line, and the next line has the
// same before and after it.
func (s *coat) begins(in, follows []byte) bool {
	if len(in) < len("-----BEGIN KEY-----") || len(follows) < len(in) {
		return false
	}
	for i := 0; i < 4 && in[i] != '-'; i++ { // nearly all lines differ soon
		if in[i] != follows[i] {
			return false
		}
	}
	from := bytes.Index(in, []byte("-----BEGIN "))
	if from < 0 || armoured(in) {
		return false
	}
	to := bytes.LastIndex(in, []byte("-----")) + len("-----")
	s.before, s.after = from, len(in)-to
	return to > from+len("-----BEGIN ") && s.wears(in, follows)
}

// wears reports whether the line at the beginning of follows has the same
// before and after it as in has.
func (s *coat) wears(in, follows []byte) bool {
	n := bytes.IndexByte(follows, '\n')
	if n < 0 {
		n = len(follows)
	}
	line := bytes.TrimSuffix(follows[:n], []byte("\r"))
	return len(line) > s.before+s.after && bytes.Equal(line[:s.before], in[:s.before]) && bytes.HasSuffix(line, in[len(in)-s.after:])
}
