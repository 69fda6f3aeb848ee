package strength

import (
	_ "embed"
	"strings"
	"sync"
)

// The lists are part of strength/v1 and never change: words.txt has common
// passwords and words, the most common first; bigrams.txt says which letter may
// follow which in a word. Both were written for this package.
var (
	//go:embed words.txt
	wordList string
	//go:embed bigrams.txt
	bigramList string
)

// words is the dictionary, read once.
var words = sync.OnceValue(func() *dictionary { return newDictionary(wordList, bigramList) })

// dictionary is read-only.
type dictionary struct {
	rank    map[string]int // from 1
	longest int
	starts  map[[leastWord]byte]bool // first letters of the words, and last ones reversed
	follow  [26]uint32               // bit: letter that may follow
}

func newDictionary(list, bigrams string) *dictionary {
	d := &dictionary{rank: map[string]int{}, starts: map[[leastWord]byte]bool{}}
	for w := range strings.FieldsSeq(list) {
		d.rank[w] = len(d.rank) + 1
		d.longest = max(d.longest, len(w))
		n := len(w)
		d.starts[[leastWord]byte([]byte(w))] = true
		d.starts[[leastWord]byte{w[n-1], w[n-2], w[n-3]}] = true
	}
	for line := range strings.Lines(bigrams) {
		first, after, _ := strings.Cut(strings.TrimSpace(line), " ")
		for _, c := range after {
			d.follow[first[0]-'a'] |= 1 << (c - 'a')
		}
	}
	return d
}

func (d *dictionary) find(word []byte) (rank int, ok bool) {
	rank, ok = d.rank[string(word)]
	return rank, ok
}

func (d *dictionary) findReversed(word []byte) (rank int, ok bool) {
	var buf [32]byte
	if len(word) > len(buf) {
		return 0, false
	}
	for i, c := range word {
		buf[len(word)-1-i] = c
	}
	return d.find(buf[:len(word)])
}

// Bounds of what reads like a word.
const (
	consonantRun = 4
	vowelRun     = 4
)

// plausible reports whether lower-case letters read like a word: usual pairs,
// vowels between the consonants.
func (d *dictionary) plausible(w []byte) bool {
	vowels, consonants, either := 0, 0, false
	for i, c := range w {
		if !lowerLetter(c) || i > 0 && d.follow[w[i-1]-'a']&(1<<(c-'a')) == 0 {
			return false
		}
		if strings.IndexByte("aeiouy", c) >= 0 {
			vowels, consonants, either = vowels+1, 0, true
		} else {
			vowels, consonants = 0, consonants+1
		}
		if vowels > vowelRun || consonants > consonantRun {
			return false
		}
	}
	return either
}

// foldings is how many ways of reading leet spelling there are, with the plain
// one first.
const foldings = 3

// fold returns raw in lower case; ways 1 and 2 undo leet spelling too, and
// differ in what 1, !, |, 7 and 6 stand for.
func fold(raw []byte, way int) []byte {
	const leet = "04@3$5819!7+|6"
	plain := [foldings]string{leet, "oaaessbigittig", "oaaessblglltlb"}
	out := make([]byte, len(raw))
	for i, c := range raw {
		out[i] = c
		if upperLetter(c) {
			out[i] = c | 0x20
		} else if at := strings.IndexByte(leet, c); at >= 0 {
			out[i] = plain[way][at]
		}
	}
	return out
}
