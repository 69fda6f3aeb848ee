package strength

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// IsCommon reports whether a value is a word or a password that stands in
// ordinary text by itself, so that its hits would be noise: a word of the list,
// also inflected, in leet spelling or with a usual ending; a repetition, a
// sequence, a run over the keyboard or a date.
func IsCommon(raw []byte) bool {
	if len(raw) == 0 || len(raw) > 64 {
		return false
	}
	return commonWord(raw) || repetition(raw) || onePattern(raw)
}

// commonWord looks the value up as it is and without a usual ending.
func commonWord(raw []byte) bool {
	d := words()
	for _, end := range []string{"", "1", "12", "123", "1234", "12345", "123456", "01", "007", "00", "69", "2", "3", "7", "!", "1!", "!!", "123!", "@123", "_123", "#1", "?", "."} {
		base, ok := bytes.CutSuffix(raw, []byte(end))
		if !ok || len(base) < 4 {
			continue
		}
		for way := range foldings {
			if d.inflected(string(fold(base, way))) {
				return true
			}
		}
	}
	return false
}

// inflected looks a word and its usual stems up.
func (d *dictionary) inflected(w string) bool {
	if d.rank[w] > 0 {
		return true
	}
	for _, end := range []string{"s", "es", "ed", "d", "ing", "er", "r", "ers", "ly", "al", "ally", "ment", "ments", "ness", "less", "ful", "able", "ity", "ion", "ions"} {
		stem, ok := strings.CutSuffix(w, end)
		if ok && len(stem) >= 4 && (d.rank[stem] > 0 || d.rank[stem+"e"] > 0) {
			return true
		}
	}
	return false
}

// repetition: a block of up to 4 bytes, a sequence or a word, again and again.
func repetition(raw []byte) bool {
	p := period(raw)
	switch {
	case p == len(raw):
		return false
	case p <= 4:
		return true
	}
	block := raw[:p]
	return onePattern(block) || len(raw)%p == 0 && words().rank[string(fold(block, 0))] > 0
}

// onePattern: a sequence, a run over the keyboard or a date from end to end.
func onePattern(raw []byte) bool {
	p := newPatterns(raw)
	var steps []step
	steps = p.appendSequence(steps, 0)
	steps = p.appendKeyboard(steps, 0)
	steps = p.appendDates(steps, 0)
	for _, s := range steps {
		if s.end == len(raw) && s.cost < 20*unit {
			return true
		}
	}
	return false
}

// decoded returns the text that a value is the base64 or hex of.
func decoded(raw []byte) ([]byte, bool) {
	if len(raw) < 8 {
		return nil, false
	}
	if b, err := hex.DecodeString(string(raw)); err == nil {
		return b, readable(b)
	}
	s := strings.TrimRight(string(raw), "=")
	for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		if b, err := enc.DecodeString(s); err == nil && readable(b) {
			return b, true
		}
	}
	return nil, false
}

func readable(b []byte) bool {
	for _, c := range b {
		if (c < ' ' || c > '~') && c != '\n' && c != '\r' && c != '\t' {
			return false
		}
	}
	return true
}
