package rules

import (
	"strings"
	"sync"
)

const (
	leastKey   = 16 // characters of a key
	leastPiece = 12 // of them without a sign that names are divided by
)

// random reports whether a value was made by chance, as keys and tokens are, and not
// of words, numbers or a row of letters. What is shorter than a key is not told.
func random(v string) bool {
	v = strings.TrimRight(v, "=")
	if len(v) < leastKey || distinct(v) < 8 || inSequence(v) {
		return false
	}
	var kinds [kindDigit + 1]int
	for i := range len(v) {
		kinds[kindOf(v[i])]++
	}
	letters, digits := kinds[kindLower]+kinds[kindUpper], kinds[kindDigit]
	switch words := inWords(v); {
	case letters < 3:
		return false
	case ofHex(v):
		return digits >= 2 && 8*digits >= len(v)
	case 2*words > letters && (digitGroups(v) < 3 || 4*words > 5*letters):
		return false
	case digits == 0:
		return len(v) >= 20 && longestPiece(v) >= 20 && 2*usualIn(strings.ToLower(v)) < len(v)
	case signKinds(v) >= 2 && classesOf(v).number() >= 3:
		return 2*changes(v) >= len(v)
	}
	return longestPiece(v) >= leastPiece && 5*changes(v) >= len(v)
}

// brief reports whether what is shorter than a key was made by chance all the same: small
// and capital letters and digits, most beside one of another kind, and no words.
func brief(v string) bool {
	c := classesOf(v)
	return len(v) >= 10 && len(v) < leastKey && c.lower && c.upper && c.digit && signKinds(v) == 0 && longestPiece(v) >= 10 &&
		distinct(v) >= 8 && 2*changes(v) >= len(v) && inWords(v) == 0 && !inSequence(v)
}

// changes is how often a character is of another kind than the one before.
func changes(v string) (n int) {
	for i := 1; i < len(v); i++ {
		if kindOf(v[i]) != kindOf(v[i-1]) {
			n++
		}
	}
	return n
}

// kind is what a character is.
type kind uint8

const (
	kindSign kind = iota
	kindLower
	kindUpper
	kindDigit
)

func kindOf(c byte) kind {
	switch {
	case 'a' <= c && c <= 'z':
		return kindLower
	case 'A' <= c && c <= 'Z':
		return kindUpper
	case '0' <= c && c <= '9':
		return kindDigit
	}
	return kindSign
}

func ofHex(v string) bool {
	lower, upper := false, false
	for _, c := range []byte(v) {
		switch {
		case 'a' <= c && c <= 'f':
			lower = true
		case 'A' <= c && c <= 'F':
			upper = true
		case c < '0' || c > '9':
			return false
		}
	}
	return lower != upper
}

// inSequence reports whether characters, or every second one, follow each other as in the
// alphabet, as they do in what stands for a key in documentation.
func inSequence(v string) bool {
	next, second := 0, 0
	for i := 1; i < len(v); i++ {
		if v[i] == v[i-1]+1 {
			next++
		}
		if i > 1 && v[i] == v[i-2]+1 {
			second++
		}
	}
	return 3*max(next, second) >= len(v)
}

// divides are the signs that divide the words of a name.
const divides = "-_./: "

// longestPiece is how long the longest stretch is without such a sign.
func longestPiece(v string) (most int) {
	for v != "" {
		n := strings.IndexAny(v, divides)
		if n < 0 {
			n = len(v)
		}
		most, v = max(most, n), strings.TrimLeft(v[n:], divides)
	}
	return most
}

// signKinds is how many different signs there are that no name has.
func signKinds(v string) (n int) {
	for i, c := range []byte(v) {
		if kindOf(c) == kindSign && strings.IndexByte(divides+"=+", c) < 0 && strings.IndexByte(v[:i], c) < 0 {
			n++
		}
	}
	return n
}

// digitGroups is how often digits begin behind a letter in the stretch that has most of
// them: names have one or two.
func digitGroups(v string) (most int) {
	n := 0
	for i := range len(v) {
		switch k := kindOf(v[i]); {
		case k == kindSign:
			n = 0
		case k == kindDigit && (i == 0 || kindOf(v[i-1]) != kindDigit):
			n++
		}
		most = max(most, n)
	}
	return most
}

// inWords is how many letters stand in words: runs of pairs that English has often.
// Those of words of five letters and more, which are no chance, count twice.
func inWords(v string) (n int) {
	for from := 0; from < len(v); {
		to := from
		for to < len(v) && kindOf(v[to]) != kindSign && kindOf(v[to]) != kindDigit {
			if to > from && kindOf(v[to]) == kindUpper && kindOf(v[to-1]) == kindLower {
				break // another word, in the manner of camels
			}
			to++
		}
		if word(strings.ToLower(v[from:to])) {
			n += (to - from) * min(2, to-from-3)
		}
		from = max(to, from+1)
	}
	return n
}

// word reports whether letters in lower case look like a word.
func word(low string) bool {
	if len(low) < 4 {
		return false
	}
	return 5*usualIn(low) >= 4*(len(low)-1)
}

// usualIn is how many pairs of letters in lower case are usual.
func usualIn(low string) (n int) {
	pairs := wordPairs()
	for i := 1; i < len(low); i++ {
		if a, b := low[i-1]-'a', low[i]-'a'; a < 26 && b < 26 && pairs[a][b] {
			n++
		}
	}
	return n
}

// wordPairs are pairs of letters that English words and names in programs have often.
var wordPairs = sync.OnceValue(func() *[26][26]bool {
	var t [26][26]bool
	for pair := range strings.FieldsSeq(`th he in er an re on at en nd ti es or te of ed is it al ar st to nt ng se ha as ou io le ve co me de hi ri ro
		ic ne ea ra ce li ch ll be ma si om ur ca el ta la ns di fo ho pe ec pr no ct us ac ot il tr ly nc et ut ss so rs un lo wa ge ie wh ee wi em
		ad ol rt po we na ul ni ts mo ow pa im mi ai sh ir su id os iv ia am fi ci vi pl ig tu ev ld ry mp fe bl ab gh ty op wo sa ay ex ke pt do ov
		ey ck og gi ag ap da ba bo bu up sp sc ou au oa oo ff fr dr gr cr cl fl sl gl br fu pu cu du lu mu ru nu ue ub uc ud uf ug um va vo ye yp ke ki
		ks ef eg ep eq ew xt ob od ok oi qu rc rd re rg rk rm rn sk sw tt tw ws af ah ak av aw az ib if ip ht iz ze za mm nn nk pp cc`) {
		t[pair[0]-'a'][pair[1]-'a'] = true
	}
	return &t
})
