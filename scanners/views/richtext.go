package views

import (
	"bytes"
	"unicode/utf8"

	"revenant/fingerprints"
)

// RTF is text in braces with words behind backslashes: a word that is written in two
// colours, or that its author corrected, is cut by them.

// richText is one such document being read.
type richText struct {
	k     *spotting
	data  []byte
	from  int
	at    int
	stack [maxRich]richGroup
	depth int // of groups, which may be more than the stack keeps
	like  int // characters that stand for the last one where it cannot be shown
}

// richGroup is what a pair of braces holds.
type richGroup struct {
	hidden bool // none of its text is shown
	like   int
}

const (
	richMark = `{\rtf`
	maxRich  = 64
	richWord = 32 // characters of a word at the most
	richMost = 16 // characters that stand for one
	// richLong is how long a document is of which an end is missed.
	richLong = 64 << 10
)

// hiddenWords are words behind which something stands that is no text.
var hiddenWords = map[string]bool{
	"fonttbl": true, "colortbl": true, "stylesheet": true, "pict": true, "objdata": true, "listtable": true, "rsidtbl": true,
	"themedata": true, "colorschememapping": true, "latentstyles": true, "datastore": true, "listoverridetable": true,
}

// signWords are words that stand for characters.
var signWords = map[string]string{
	"par": "\n", "line": "\n", "sect": "\n", "page": "\n", "row": "\n", "cell": "\t", "tab": "\t",
	"lquote": "'", "rquote": "'", "ldblquote": `"`, "rdblquote": `"`, "endash": "\u2013", "emdash": "\u2014", "bullet": "\u2022",
}

// richText reads the document that may begin at p.
func (k *spotting) richText(p int) (goOn bool) {
	if p < k.rich || !bytes.HasPrefix(k.layer.Data[p:], []byte(richMark)) {
		return true
	}
	r := &richText{k: k, data: k.layer.Data, from: p, at: p}
	r.stack[0].like = 1
	goOn = r.read()
	k.rich = r.at
	return goOn
}

// read reads the document to the end of its outermost group.
func (r *richText) read() (goOn bool) {
	b, like := &r.k.built, text(fingerprints.FormBackslash)
	like.Alike = true
	for r.at < len(r.data) {
		switch c := r.data[r.at]; c {
		case '{':
			r.open()
		case '}':
			r.at++
			r.like = 0
			if r.depth--; r.depth <= 0 {
				return b.texts(r.k.layer, like, r.k.yield)
			}
		case '\\':
			r.control()
		case '\r', '\n':
			r.at++
		default:
			r.show(string(c), r.at+1)
		}
		if b.full(r.k.layer) {
			kept := *b
			if !b.texts(r.k.layer, like, r.k.yield) || r.k.ctx.Err() != nil {
				return false
			}
			*b = kept.last(r.k.layer.Overlap)
		}
	}
	if r.at-r.from > richLong {
		like.Unread = "a document of RTF that is cut off"
	}
	return b.texts(r.k.layer, like, r.k.yield)
}

// open begins a group, which is like the one that it is in.
func (r *richText) open() {
	outer := *r.group()
	r.at++
	r.depth++
	r.like = 0
	*r.group() = outer
}

// group is the one at hand.
func (r *richText) group() *richGroup { return &r.stack[min(r.depth, maxRich-1)] }

// show puts what data[r.at:end] stands for into the text.
func (r *richText) show(s string, end int) {
	if r.like > 0 {
		r.like--
	} else if !r.group().hidden {
		for i := range len(s) {
			r.k.built.push(s[i], r.at, end)
		}
	}
	r.at = end
}

// control reads what a backslash begins.
func (r *richText) control() {
	p := r.at + 1
	if p >= len(r.data) {
		r.at = p
		return
	}
	switch c := r.data[p]; {
	case alnums[c] && !digit(c):
		r.word(p)
	case c == '\'':
		v, ok := hexAt(r.data, p+1, 2)
		if !ok {
			r.at = p + 1
			return
		}
		if v < 0x80 || v >= 0xa0 { // the others differ from page to page
			r.show(string(v), p+3)
		} else {
			r.show("?", p+3)
		}
	case c == '\\' || c == '{' || c == '}':
		r.show(string(c), p+1)
	case c == '~':
		r.show(" ", p+1)
	case c == '_':
		r.show("-", p+1)
	case c == '\n' || c == '\r':
		r.show("\n", p+1)
	case c == '*':
		r.group().hidden = true
		r.at = p + 1
	default:
		r.at = p + 1
	}
}

// word reads a word, which begins at p, with its number and the blank that ends it.
func (r *richText) word(p int) {
	name, n, end := r.named(p)
	switch {
	case name == "u":
		r.like = 0
		if n > 0 && n <= utf8.MaxRune && !r.group().hidden {
			r.show(string(rune(n)), end)
		}
		r.like = r.group().like
	case name == "uc":
		r.group().like = min(n, richMost)
	case name == "bin":
		end += min(n, len(r.data)-end)
	case hiddenWords[name]:
		r.group().hidden = true
	case signWords[name] != "":
		r.like = 0
		r.show(signWords[name], end)
	}
	r.at = end
}

// named reads a word at p and the number behind it, which is 0 where there is none; those
// of characters may be negative.
func (r *richText) named(p int) (name string, n, end int) {
	rest := r.data[p:min(len(r.data), p+richWord)]
	k := skip(rest, 0, func(c byte) bool { return alnums[c] && !digit(c) })
	name, end = string(rest[:k]), p+k
	minus := k+1 < len(rest) && rest[k] == '-' && digit(rest[k+1])
	if minus {
		end++
	}
	for from := end; end < len(r.data) && end-from < len("2147483648") && digit(r.data[end]); end++ {
		n = 10*n + int(r.data[end]-'0')
	}
	if end < len(r.data) && r.data[end] == ' ' {
		end++
	}
	switch {
	case minus && name == "u":
		n = 1<<16 - n
	case minus:
		n = 0
	}
	return name, n, end
}
