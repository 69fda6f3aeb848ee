package views

// marks undoes what cmd or PowerShell puts before characters that mean
// something to it: circumflexes or backticks. Both are common for other
// reasons, so it is guessing.
type marks struct {
	out  *stretches
	done int
}

// longestMarks is how many marks in a row may be one before the other: more
// underline something or begin a block of code.
const longestMarks = 8

// caret looks at a circumflex, which cmd puts before & | < > and itself.
func (s *marks) caret(data []byte, p int) {
	if q := s.run(data, p); q > p && q < len(data) {
		switch c := data[q]; c {
		case '&', '|', '<', '>':
			s.put(q-1, c, true)
		}
	}
}

// tick looks at a backtick, which PowerShell puts before " $ and itself.
func (s *marks) tick(data []byte, p int) {
	q := s.run(data, p)
	if q == p || q >= len(data) {
		return
	}
	behind := byte(' ')
	if q+1 < len(data) {
		behind = data[q+1]
	}
	switch c := data[q]; c {
	case '"':
		s.put(q-1, c, inside(data, p, q+1))
	case '$': // of JavaScript's templates, too
		s.put(q-1, c, p > 0 && graphic(data[p-1]) && (behind != '{' || alnums[data[p-1]] || data[p-1] == '"'))
	}
}

// run undoes the pairs of equal marks at p and returns where the run ends that
// the last one may be of, when one is left; else p.
func (s *marks) run(data []byte, p int) int {
	if p < s.done || s.out.unwanted() {
		return p
	}
	q := p + 1
	for q < len(data) && data[q] == data[p] && q-p <= longestMarks {
		q++
	}
	s.done = q
	if q-p > longestMarks {
		for q < len(data) && data[q] == data[p] && q-p < longestRun {
			q++
		}
		s.done = q
		return p
	}
	worth := inside(data, p, q)
	for at := p; at+1 < q; at += 2 {
		s.put(at, data[p], worth)
	}
	if (q-p)%2 == 0 {
		return p
	}
	return q
}

// inside reports whether something that is not blank stands before p and at q.
func inside(data []byte, p, q int) bool {
	return p > 0 && q < len(data) && graphic(data[p-1]) && graphic(data[q])
}

// put undoes a mark.
func (s *marks) put(at int, c byte, worth bool) {
	s.done = max(s.done, at+2)
	s.out.put(splice{at: at, end: at + 2, n: 1, out: [8]byte{c}}, worth)
}
