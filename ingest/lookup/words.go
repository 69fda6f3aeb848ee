package lookup

import (
	"bytes"
	"cmp"
	"net/url"
	"slices"
	"strings"

	"revenant/fingerprints/importers"
	"revenant/scanners"
)

// What a weak value may be: a word of 8 to 64 bytes. Shorter ones are not searchable
// for anybody, longer ones are rarely weak.
const (
	shortest = 8
	longest  = 64
)

// rank says how likely a word is a secret; the lowest are asked about first.
type rank uint8

const (
	named   rank = iota // under a name of secrets
	mixed               // of letters and other characters
	unmixed             // of one kind: as a rule, a word of a language
)

// words are what may be a secret, each once, with its rank.
type words struct {
	ranks map[string]rank
}

func (w *words) add(text []byte, r rank) {
	text = bytes.TrimRight(text, ".,;:!?\r")
	if len(text) < shortest || len(text) > longest {
		return
	}
	if r == mixed && !isMixed(text) {
		r = unmixed
	}
	if old, has := w.ranks[string(text)]; !has || r < old {
		w.ranks[string(text)] = r
	}
}

// content adds the words of lines that touch a stretch that is fresh; nil: all are.
func (w *words) content(data []byte, fresh []scanners.Span) {
	at, whole := int64(0), fresh == nil
	for line := range bytes.Lines(data) {
		span := scanners.Span{Start: at, End: at + int64(len(line))}
		at = span.End
		for len(fresh) > 0 && fresh[0].End <= span.Start {
			fresh = fresh[1:]
		}
		if whole || len(fresh) > 0 && fresh[0].Overlaps(span) {
			w.line(bytes.TrimRight(line, "\r\n"))
		}
	}
}

// parts of a line end at these; quotes and brackets are no part of a value that stands
// as a word.
const between = " \t\"'`,;<>(){}[]|"

func isBetween(r rune) bool { return r < 0x80 && strings.IndexByte(between, byte(r)) >= 0 }

func (w *words) line(line []byte) {
	if len(line) < shortest {
		return
	}
	if name, value, is := assigned(line); is && importers.SensitiveName(string(name)) {
		w.add(value, named)
	}
	for part := range bytes.FieldsFuncSeq(line, isBetween) {
		if len(part) < shortest {
			continue
		}
		w.add(part, mixed)
		for _, sign := range []byte{'=', ':'} {
			if i := bytes.IndexByte(part, sign); i >= 0 {
				w.add(part[i+1:], mixed)
			}
		}
		if !bytes.Contains(part, []byte("://")) {
			continue
		}
		if u, err := url.Parse(string(part)); err == nil && u.User != nil {
			if password, has := u.User.Password(); has {
				w.add([]byte(password), named)
			}
		}
	}
}

// assigned splits a line at its first = or :, and takes quotes and blanks off the
// value; the name is the last word before.
func assigned(line []byte) (name, value []byte, is bool) {
	i := bytes.IndexAny(line, "=:")
	if i < 0 {
		return nil, nil, false
	}
	before := bytes.FieldsFunc(line[:i], isBetween)
	if len(before) == 0 {
		return nil, nil, false
	}
	value = bytes.Trim(bytes.TrimLeft(line[i+1:], "=>: \t"), " \t\r,;")
	if n := len(value); n > 1 && value[0] == value[n-1] && bytes.IndexByte([]byte("\"'`"), value[0]) >= 0 {
		value = value[1 : n-1]
	}
	return before[len(before)-1], value, true
}

// isMixed reports whether a word has two kinds of characters, of lower-case letters,
// capitals, digits and others.
func isMixed(text []byte) bool {
	kinds := [4]bool{}
	for i, c := range text {
		switch {
		case 'a' <= c && c <= 'z':
			kinds[0] = true
		case 'A' <= c && c <= 'Z':
			kinds[1] = kinds[1] || i > 0 // a capital begins a sentence
		case '0' <= c && c <= '9':
			kinds[2] = true
		default:
			kinds[3] = true
		}
	}
	n := 0
	for _, has := range kinds {
		if has {
			n++
		}
	}
	return n > 1
}

// ranked are the words, the likeliest first.
func (w *words) ranked() []string {
	out := make([]string, 0, len(w.ranks))
	for text := range w.ranks {
		out = append(out, text)
	}
	slices.SortFunc(out, func(a, b string) int { return cmp.Or(cmp.Compare(w.ranks[a], w.ranks[b]), cmp.Compare(a, b)) })
	return out
}
