package views

import (
	"bytes"
	"unicode/utf8"
)

// Languages without an escape for a sign call a function for it ('a'||CHR(39)||'b'), or
// put a literal in a literal ("a${'$'}b", "{{ '{{' }}").

// longestCall is how long a call is that makes a character of a number.
const longestCall = 40

// charCall reads such a call at i: chr(39), CHAR(38), ChrW(34), String.fromCharCode(36).
func charCall(data []byte, i int) (r rune, end int) {
	data = data[:min(len(data), i+longestCall)]
	name := i
	for i < len(data) && (alnums[data[i]] && !digit(data[i]) || data[i] == '.' || data[i] == '_') {
		i++
	}
	if i == name || i == len(data) || data[i] != '(' || !makesChar(data[name:i]) {
		return 0, 0
	}
	i++
	for from := i; i < len(data) && digit(data[i]) && i-from < 6; i++ {
		r = r*10 + rune(data[i]-'0')
	}
	if i == len(data) || data[i] != ')' || r < ' ' {
		return 0, 0
	}
	return r, i + 1
}

// makesChar reports whether a function's name says that it makes a character of a number.
func makesChar(name []byte) bool {
	for _, last := range [...]string{"chr", "char", "chrw", "unichr", "fromcharcode", "fromcodepoint"} {
		if n := len(name) - len(last); n >= 0 && (n == 0 || len(last) > 4 || name[n-1] == '.' || name[n-1]|0x20 == 'n') && bytes.EqualFold(name[n:], []byte(last)) {
			return true
		}
	}
	return false
}

// spell reads calls that make characters, joined by operators, at i. What they make is
// put into the joint. Commas separate all of them or none.
func (j *joint) spell(data []byte, i int) (end int) {
	for end = i; ; {
		r, to := charCall(data, i)
		if to == 0 || j.n+utf8.RuneLen(r) > len(j.out) || utf8.RuneLen(r) < 0 {
			return end
		}
		j.n += utf8.EncodeRune(j.out[j.n:], r)
		end, j.open = to, true
		i = j.space(data, to)
		n := operator(data[i:])
		if n == 0 || (data[i] == ',') != j.comma {
			return end
		}
		if i = j.space(data, i+n); i < len(data) && isQuote(data[i]) {
			j.open = false
			return i
		}
	}
}

// joinsLeft are the bytes that a literal may have before it that is joined to something.
var joinsLeft = set("|+&.~>{ ")

// before looks at what stands before the quote at p: calls that make characters, and
// literals in literals.
func (k *pass) before(p int) {
	data, i := k.data, p
	for i > 0 && blanks[data[i-1]] && p-i < 2 {
		i--
	}
	if i == 0 {
		return
	}
	switch c := data[i-1]; c {
	case '{':
		k.inserted(p, i-1)
	case '|', '+', '&', '.', '~', '>':
		for n := 0; i > 0 && data[i-1] == c && n < 2; n++ {
			i--
		}
		if c == '>' && i > 0 && data[i-1] == '<' {
			i--
		}
		for n := 0; i > 0 && blanks[data[i-1]] && n < 2; n++ {
			i--
		}
		if i > 0 && data[i-1] == ')' {
			k.joints.leading(data, i, p)
		}
	}
}

// leading undoes calls that end at i and make the characters that the literal at p is
// joined to.
func (s *joints) leading(data []byte, i, p int) {
	from := i
	for low := max(s.done, p-farJoint); ; {
		call := callBefore(data, low, from)
		if call < 0 {
			break
		}
		from = call
		for from > low && between[data[from-1]] {
			from--
		}
		if from == call || from == low || data[from-1] != ')' {
			from = call
			break
		}
	}
	var j joint
	if from == i || j.spell(data, from) != p || j.open {
		return
	}
	s.done = p
	s.guess.put(splice{at: from, end: p + 1, n: j.n, out: j.out}, true)
}

// callBefore is where the call of a function with a number begins that ends at i; -1
// when there is none.
func callBefore(data []byte, low, i int) int {
	i--
	for low = max(low, i-longestCall); i > low && digit(data[i-1]); i-- {
	}
	if i <= low || data[i-1] != '(' {
		return -1
	}
	for i--; i > low && (alnums[data[i-1]] || data[i-1] == '.'); i-- {
	}
	return i
}

// longestInserted is how many signs a literal stands for that is put into another one.
const longestInserted = 4

// inserted undoes a literal that is put into another one: its quote stands at p, and the
// brace before it at b.
func (k *pass) inserted(p, b int) {
	data := k.data
	if b == 0 || p < k.filled.done {
		return
	}
	double := data[b-1] == '{'
	if !double && data[b-1] != '$' && data[b-1] != '#' {
		return
	}
	u := splice{at: b - 1}
	i := p + 1
	for ; i < len(data) && data[i] != data[p]; i++ {
		if u.n == longestInserted || data[i] <= ' ' || alnums[data[i]] {
			return
		}
		u.out[u.n] = data[i]
		u.n++
	}
	if u.end = closing(data, i+1, double); u.end == 0 || u.n == 0 {
		return
	}
	k.filled.done = u.end
	k.filled.out.put(u, inside(data, u.at, u.end) || u.at > 0 && isQuote(data[u.at-1]))
}

// closing is where the braces end that close what was put in, one or two of them; zero
// where none do.
func closing(data []byte, i int, double bool) (end int) {
	for n := 0; i < len(data) && blanks[data[i]] && n < 2; n++ {
		i++
	}
	if double && i+1 < len(data) && data[i] == '}' && data[i+1] == '}' {
		return i + 2
	}
	if !double && i < len(data) && data[i] == '}' {
		return i + 1
	}
	return 0
}
