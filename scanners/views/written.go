package views

import (
	"context"
	"math/bits"
	"sync"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/byteclass"
	"revenant/scanners/escapes"
)

// written finds what people and programs do to text so that it can be written
// somewhere: escapes, quotes, concatenation, line breaks, prefixes, control
// sequences, tags. One pass tells the bytes apart that any of it begins with.
type written struct{ idle *sync.Pool } // of *pass

func newWritten() written {
	return written{idle: &sync.Pool{New: func() any { return newPass() }}}
}

func (f written) view(ctx context.Context, l scanners.Layer, yield func(scanners.Text) bool) bool {
	k, _ := f.idle.Get().(*pass)
	k.looking = looking{data: l.Data, layer: l, yield: yield}
	k.run(ctx)
	stopped := k.finish()
	f.idle.Put(k) // not when yield panics: something would be left in it
	return !stopped
}

// pass is one look through a layer.
type pass struct {
	looking
	classes byteclass.Signs
	doubles byteclass.Doubles
	trails  uint64 // whether the byte before the word is not ASCII
	all     []*stretches

	slashes slashes
	carets  marks
	ticks   marks
	doubled doubled
	filled  marks
	octals  octals
	latin   latin
	marked  composed
	percent percent
	entity  entity
	mail    mail
	quotes  quotes
	joints  joints
	control control
	lines   lines
	tags    tags
}

func newPass() *pass {
	k := &pass{}
	add := func(s *stretches, like scanners.Text, c shown) *stretches {
		s.looking, s.like, s.shown, s.line = &k.looking, like, c, -1
		k.all = append(k.all, s)
		return s
	}
	alike := func(f fingerprints.Form) scanners.Text { return scanners.Text{Form: f, Alike: true} }
	guess := func(f fingerprints.Form) scanners.Text { return scanners.Text{Form: f, Alike: true, Guessed: true} }
	line := shown{near: nearby, far: faraway, ends: &wordEnds}
	lines := line
	lines.lines = true
	k.slashes.out = add(&stretches{}, alike(fingerprints.FormBackslash), line)
	k.slashes.hex = add(&stretches{}, guess(fingerprints.FormBackslash), line)
	k.percent.out = add(&stretches{}, alike(fingerprints.FormPercent), line)
	k.percent.out.also = k.percent.pluses
	k.carets.out = add(&stretches{}, guess(fingerprints.FormBackslash), line)
	k.ticks.out = add(&stretches{}, guess(fingerprints.FormBackslash), line)
	k.entity.out = add(&stretches{}, alike(fingerprints.FormHTML), line)
	k.mail.out = add(&stretches{}, alike(fingerprints.FormQuotedPrintable), lines)
	k.mail.guess = add(&stretches{}, guess(fingerprints.FormQuotedPrintable), lines)
	k.quotes.double = add(&stretches{}, alike(fingerprints.FormQuoted), line)
	k.quotes.single = add(&stretches{}, alike(fingerprints.FormQuoted), line)
	k.quotes.shell = add(&stretches{}, alike(fingerprints.FormBackslash), line)
	k.joints.sure = add(&stretches{}, alike(fingerprints.FormJoined), line)
	k.joints.guess = add(&stretches{}, guess(fingerprints.FormJoined), shown{far: wrapped, ends: &spaces})
	k.control.out = add(&stretches{}, alike(fingerprints.FormTerminal), line)
	k.control.guess = add(&stretches{}, guess(fingerprints.FormTerminal), shown{near: phrase, far: wrapped, ends: &spaces})
	k.lines.prefix = add(&stretches{}, alike(fingerprints.FormPrefixed), lines)
	k.lines.team.out = add(&stretches{}, alike(fingerprints.FormBackslash), line)
	k.lines.marks = add(&stretches{}, guess(fingerprints.FormPrefixed), shown{near: phrase, far: wrappedLine, ends: &spaces, lines: true})
	k.lines.coat.out = add(&stretches{}, alike(fingerprints.FormPrefixed), lines)
	k.lines.wrap = add(&stretches{}, scanners.Text{Form: fingerprints.FormWrapped, Alike: true, Guessed: true, Apart: true}, shown{far: wrapped, ends: &spaces})
	k.lines.feeds = add(&stretches{}, scanners.Text{Form: fingerprints.FormWrapped, Alike: true, Guessed: true, Bare: true}, shown{near: faraway, far: faraway, ends: &wordEnds, lines: true})
	k.lines.fold = add(&stretches{}, alike(fingerprints.FormWrapped), shown{near: nearby, far: faraway, ends: &wordEnds, lines: true})
	k.lines.block = add(&stretches{}, guess(fingerprints.FormPrefixed), shown{near: nearby, far: faraway, ends: &wordEnds, lines: true})
	k.tags.out = add(&stretches{}, alike(fingerprints.FormMarkup), line)
	k.tags.hidden = add(&stretches{}, alike(fingerprints.FormWrapped), line)
	k.addOdd(func(f fingerprints.Form) *stretches {
		s := add(&stretches{}, guess(f), shown{near: phrase, far: wrapped, ends: &spaces})
		s.odd = true
		return s
	})
	k.lines.forget()
	return k
}

// addOdd adds what is seldom written so, and is not guessed of what is guessed already.
func (k *pass) addOdd(add func(fingerprints.Form) *stretches) {
	k.slashes.points = add(fingerprints.FormBackslash)
	k.percent.points = add(fingerprints.FormPercent)
	k.octals.out = add(fingerprints.FormBackslash)
	k.latin.out = add(fingerprints.FormRaw)
	k.marked.out = add(fingerprints.FormRaw)
	k.filled.out = add(fingerprints.FormJoined)
	k.doubled.unit.out = add(fingerprints.FormQuoted)
	for _, signs := range doubledSigns {
		m := &marks{out: add(fingerprints.FormQuoted)}
		for _, c := range []byte(signs) {
			k.doubled.signs[c] = m
		}
	}
}

// run looks through the layer until ctx ends or nobody wants more.
func (k *pass) run(ctx context.Context) {
	for from := 0; from < len(k.data) && !k.stopped && ctx.Err() == nil; from += byteclass.SignTile {
		tile := k.data[from:min(from+byteclass.SignTile, len(k.data))]
		words := k.classes.Classify(tile)
		k.signsAt(k.classes.Signs[:words], from)
		k.quotesAt(k.classes.Quotes[:words], from)
		k.breaksAt(k.classes.Breaks[:words], from)
		if !k.oddly() {
			continue
		}
		k.doubles.Classify(tile)
		k.doublesAt(k.doubles.Signs[:words], from)
		k.latinAt(&k.doubles, words, from)
	}
}

// finish yields what is left, forgets the layer, and reports whether nobody
// wants more.
func (k *pass) finish() (stopped bool) {
	for _, s := range k.all {
		s.finish()
	}
	stopped = k.stopped
	k.looking = looking{}
	k.slashes.done, k.percent.done, k.entity.done = 0, 0, 0
	k.quotes.done, k.quotes.shelled, k.control.done, k.tags.done = 0, 0, 0, 0
	k.mail.done, k.mail.asked, k.mail.signs = 0, 0, [2]int{}
	k.carets.done, k.ticks.done, k.filled.done = 0, 0, 0
	k.latin.done, k.marked.done, k.trails = 0, 0, 0
	k.doubled.forget()
	k.percent.forget()
	k.joints.forget()
	k.lines.forget()
	return stopped
}

// What may follow a sign; nearly all are let alone for what follows.
var follows = func() (t [256]uint8) {
	for c := range 256 {
		t[c] = followsAnything
		if _, ok := escapes.Hex([]byte{byte(c), '0'}, 0); ok {
			t[c] |= followsPercent
			if c < 'a' {
				t[c] |= followsEquals
			}
		}
		if alnums[c] || c == '#' {
			t[c] |= followsAmpersand
		}
		if alnums[c] && !digit(byte(c)) || c == '/' || c == '!' {
			t[c] |= followsLess
		}
	}
	t['u'] |= followsPercent
	for _, c := range []byte("0123") {
		t[c] |= followsNumber
	}
	for _, c := range []byte("\n\r?") {
		t[c] |= followsEquals
	}
	for _, c := range []byte(" \t\n\r\"'`+.|<&~,;)\\_/#-") {
		t[c] |= followsQuote
	}
	return t
}()

const (
	followsPercent = 1 << iota
	followsEquals
	followsAmpersand
	followsLess
	followsQuote
	followsNumber
	followsAnything
)

// mayFollow is what may follow each sign but the backslash.
var mayFollow = [256]uint8{
	'%': followsPercent, '&': followsAmpersand, '=': followsEquals, '<': followsLess,
	'#': followsNumber, '^': followsAnything, 0xcc: followsAnything, 0xcd: followsAnything, 0xc2: followsAnything, 0xe2: followsAnything, 0xef: followsAnything,
}

// next is the byte behind p, and zero at the end.
func (k *pass) next(p int) byte {
	if p+1 < len(k.data) {
		return k.data[p+1]
	}
	return 0
}

// signsAt looks at bytes that escapes and the like begin with.
func (k *pass) signsAt(bitmap []uint64, from int) {
	for i, m := range bitmap {
		for ; m != 0; m &= m - 1 {
			p := from + 64*i + bits.TrailingZeros64(m)
			if c := k.data[p]; c == '\\' {
				k.slashes.at(k.data, p)
			} else if follows[k.next(p)]&mayFollow[c] != 0 {
				k.sign(c, p)
			}
		}
	}
}

func (k *pass) sign(c byte, p int) {
	switch c {
	case '%':
		k.percent.at(k.data, p)
	case '&':
		k.entity.at(k.data, p)
	case '=':
		k.mail.at(k.data, p)
	case '<':
		k.tags.at(k.data, p)
	case '^':
		k.control.caret(k.data, p)
		k.carets.caret(k.data, p)
	case '#':
		k.octals.at(k.data, p)
	case 0xcc, 0xcd:
		k.marked.at(k.data, p)
	default:
		k.tags.invisible(k.data, p)
	}
}

// quotesAt looks at quotes.
func (k *pass) quotesAt(bitmap []uint64, from int) {
	for i, m := range bitmap {
		for ; m != 0; m &= m - 1 {
			p := from + 64*i + bits.TrailingZeros64(m)
			c := k.next(p)
			if p > 0 && joinsLeft[k.data[p-1]] && k.oddly() {
				k.before(p)
			}
			if k.data[p] == '`' {
				k.ticks.tick(k.data, p)
			}
			switch {
			case follows[c]&followsQuote == 0:
				continue
			case c == ' ':
				if d := k.next(p + 1); alnums[d] && !kindOf(d) {
					continue
				}
			case c == ',' && k.name(bitmap[i:], m&(m-1), from+64*i, p):
				continue
			case c == '\'' || c == '"' || c == '\\':
				k.quotes.at(k.data, p)
			}
			k.joints.at(k.data, p)
		}
	}
}

// name reports whether the literal that follows the quote at p and a comma is
// the name of something, as far as the next quotes tell: those in m, and in the
// words behind the first.
func (k *pass) name(bitmap []uint64, m uint64, from, p int) bool {
	if m == 0 && len(bitmap) > 1 {
		bitmap, m, from = bitmap[1:], bitmap[1], from+64
	}
	if m == 0 || from+bits.TrailingZeros64(m)-p > 3 {
		return false
	}
	if m &= m - 1; m == 0 && len(bitmap) > 1 {
		m, from = bitmap[1], from+64
	}
	return m != 0 && k.next(from+bits.TrailingZeros64(m)) == ':'
}

// breaksAt looks at ends of lines and at control characters.
func (k *pass) breaksAt(bitmap []uint64, from int) {
	for i, m := range bitmap {
		for ; m != 0; m &= m - 1 {
			p := from + 64*i + bits.TrailingZeros64(m)
			switch k.data[p] {
			case '\n':
				if !k.layer.Apart {
					k.lines.end(k.data, p)
				}
			case '\r':
				k.lines.carriage(k.data, p)
			case 0x1b, '\b':
				k.control.at(k.data, p)
			}
		}
	}
}
