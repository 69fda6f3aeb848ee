package rules

import (
	"strings"
	"sync"
)

// wordSet asks whether one of many words stands in a text, in any case.
type wordSet struct {
	words []string // in lower case
	once  sync.Once
	short []string            // shorter than a start
	start map[string][]string // by their first bytes
}

// wordStart is how many bytes words are told apart by first.
const wordStart = 3

func newWordSet(words []string) *wordSet { return &wordSet{words: words} }

func (w *wordSet) index() {
	w.start = map[string][]string{}
	for _, word := range w.words {
		switch {
		case word == "": // gitleaks finds it nowhere
		case len(word) < wordStart:
			w.short = append(w.short, word)
		default:
			w.start[word[:wordStart]] = append(w.start[word[:wordStart]], word)
		}
	}
}

// in reports whether text has one of the words.
func (w *wordSet) in(text string) bool {
	if len(w.words) == 0 || text == "" {
		return false
	}
	w.once.Do(w.index)
	low := strings.ToLower(text)
	for _, word := range w.short {
		if strings.Contains(low, word) {
			return true
		}
	}
	for i := 0; i+wordStart <= len(low); i++ {
		for _, word := range w.start[low[i:i+wordStart]] {
			if strings.HasPrefix(low[i:], word) {
				return true
			}
		}
	}
	return false
}
