package views

import (
	"context"
	"math/bits"
	"sync"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/byteclass"
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
	defer f.idle.Put(k)
	k.looking = looking{data: l.Data, layer: l, yield: yield}
	k.run(ctx)
	return !k.finish()
}

// pass is one look through a layer.
type pass struct {
	looking
	classes byteclass.Signs
	all     []*stretches

	slashes slashes
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
	add := func(s *stretches, like scanners.Text, c around) *stretches {
		s.looking, s.like, s.around = &k.looking, like, c
		k.all = append(k.all, s)
		return s
	}
	alike := func(f fingerprints.Form) scanners.Text { return scanners.Text{Form: f, Alike: true} }
	guess := func(f fingerprints.Form) scanners.Text { return scanners.Text{Form: f, Alike: true, Guessed: true} }
	line := around{near: nearby, far: faraway, ends: &ends}
	k.slashes.out = add(&stretches{}, alike(fingerprints.FormBackslash), line)
	k.slashes.hex = add(&stretches{}, guess(fingerprints.FormBackslash), line)
	k.percent.out = add(&stretches{}, alike(fingerprints.FormPercent), line)
	k.entity.out = add(&stretches{}, alike(fingerprints.FormHTML), line)
	k.mail.out = add(&stretches{}, alike(fingerprints.FormQuotedPrintable), line)
	k.quotes.double = add(&stretches{}, alike(fingerprints.FormQuoted), line)
	k.quotes.single = add(&stretches{}, alike(fingerprints.FormQuoted), line)
	k.quotes.shell = add(&stretches{}, alike(fingerprints.FormBackslash), line)
	k.joints.sure = add(&stretches{}, alike(fingerprints.FormJoined), line)
	k.joints.guess = add(&stretches{}, guess(fingerprints.FormJoined), around{far: wrapped, ends: &spaces})
	k.control.out = add(&stretches{}, alike(fingerprints.FormTerminal), line)
	k.lines.prefix = add(&stretches{}, alike(fingerprints.FormPrefixed), around{near: nearby, far: faraway, ends: &ends, lines: true})
	k.lines.wrap = add(&stretches{}, guess(fingerprints.FormWrapped), around{far: wrapped, ends: &spaces})
	k.tags.out = add(&stretches{}, alike(fingerprints.FormMarkup), line)
	k.tags.hidden = add(&stretches{}, alike(fingerprints.FormWrapped), line)
	return k
}

// run looks through the layer until ctx ends or nobody wants more.
func (k *pass) run(ctx context.Context) {
	for from := 0; from < len(k.data) && !k.stopped && ctx.Err() == nil; from += byteclass.SignTile {
		words := k.classes.Classify(k.data[from:min(from+byteclass.SignTile, len(k.data))])
		each(k.classes.Signs[:words], from, k.sign)
		each(k.classes.Quotes[:words], from, k.quote)
		each(k.classes.Breaks[:words], from, k.brk)
	}
}

// each calls f for every bit.
func each(bitmap []uint64, from int, f func(p int)) {
	for i, m := range bitmap {
		for ; m != 0; m &= m - 1 {
			f(from + 64*i + bits.TrailingZeros64(m))
		}
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
	k.slashes.done, k.percent.done, k.entity.done, k.mail.done = 0, 0, 0, 0
	k.quotes.done, k.quotes.shelled, k.joints.done, k.control.done, k.tags.done = 0, 0, 0, 0, 0
	k.joints.list = 0
	k.lines.forget()
	return stopped
}

// sign looks at a byte that escapes and the like begin with.
func (k *pass) sign(p int) {
	switch k.data[p] {
	case '\\':
		k.slashes.at(k.data, p)
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
	default:
		k.tags.invisible(k.data, p)
	}
}

// quote looks at a quote.
func (k *pass) quote(p int) {
	k.quotes.at(k.data, p)
	k.joints.at(k.data, p)
}

// brk looks at the end of a line, or at a control character.
func (k *pass) brk(p int) {
	switch k.data[p] {
	case '\n', '\r':
		k.lines.at(k.data, p)
	case 0x1b, '\b':
		k.control.at(k.data, p)
	}
}
