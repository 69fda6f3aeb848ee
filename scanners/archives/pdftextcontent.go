package archives

import (
	"context"
	"errors"
	"io"
	"math"
)

// Programs that draw pages (ISO 32000-2, 7.8.2, 8.4 and 9.4).
const (
	pdfStack    = 64      // saved states
	pdfForms    = 16      // forms in each other
	pdfOperands = 1 << 16 // of one operator
	pdfAgain    = 8       // how much more it counts to run a program another time
	pdfOften    = 1 << 12 // after how many operators bounds are looked at
)

// pdfState is what q saves.
type pdfState struct {
	matrix  pdfMatrix
	font    pdfItem
	size    float64
	char    float64 // after each glyph
	word    float64 // after each blank
	stretch float64
	leading float64
}

// pdfPage draws a page: as text.
type pdfPage struct {
	d         *pdfDoc
	ctx       context.Context
	lines     *pdfLines
	resources pdfItem
	now       pdfState
	saved     []pdfState
	text      pdfMatrix
	line      pdfMatrix
	args      []pdfItem
	glyphs    []byte
	forms     int
	marks     int    // marked contents in each other
	stands    int    // the one whose text is told; 0: none
	stand     []byte // that text
	odd       bool   // not all could be made text
	count     int
	using     *pdfFont              // that of now; nil: it is to be looked up
	inline    map[*pdfItem]*pdfFont // fonts that are no objects
}

// draw runs the program in a stream. What was drawn before is run without a word.
func (p *pdfPage) draw(num uint32) error {
	o := p.d.look(num)
	if o.stream == 0 {
		return nil
	}
	p.d.work -= pdfProgram
	before := p.d.work
	r := p.d.decoded(o.v, o.stream)
	if r == nil {
		return nil
	}
	mute := p.lines.mute
	_, again := p.d.streams[o.stream]
	if again {
		p.lines.newline()
		p.lines.mute = true
	} else {
		p.d.streams[o.stream] = pdfBegun
	}
	odd := p.odd
	p.odd = false
	l := newPDFLexer(16<<10, func(b []byte, _ int64) (int, error) { return r.Read(b) })
	l.comment = p.lines.aside
	err := p.run(l)
	if errors.Is(err, io.EOF) {
		err = nil
		if !p.odd && !again {
			p.d.streams[o.stream] = pdfWhole
		}
	}
	p.odd = odd
	if p.lines.mute = mute; again {
		p.lines.some, p.lines.blank = false, true
		p.d.work -= pdfAgain * (before - p.d.work)
	}
	if stop := p.d.stopped(p.ctx); stop != nil {
		return stop
	}
	if p.lines.out.gone {
		return errStopped
	}
	if errors.Is(err, errPDFLong) {
		p.d.say(errPDFLong)
	}
	return nil // what is damaged is told of by its bytes
}

func (p *pdfPage) run(l *pdfLexer) error {
	for !p.lines.out.gone {
		t, err := l.token()
		if err != nil {
			return err
		}
		switch {
		case t.kind == pdfMark && t.num == '<':
			l.items = 0
			if t, err = l.composed(t, 0); err != nil {
				return err
			}
			p.args = append(p.args, t)
		case t.kind == pdfMark:
		case t.kind != pdfWord || pdfValue(t.text):
			p.args = append(p.args, t)
		case string(t.text) == "BI":
			if err := l.passPicture(); err != nil {
				return err
			}
			p.args = p.args[:0]
		default:
			if err := p.operator(string(t.text)); err != nil {
				return err
			}
			p.args, l.room = p.args[:0], l.room[:0]
			if p.count++; p.count%pdfOften == 0 {
				if err := p.d.stopped(p.ctx); err != nil {
					return err
				}
			}
		}
		if len(p.args) > pdfOperands {
			return errPDFLong
		}
	}
	return errStopped
}

func pdfValue(word []byte) bool {
	s := string(word)
	return s == "true" || s == "false" || s == "null"
}

// num is an operand, counted from the last.
func (p *pdfPage) num(back int) float64 {
	if i := len(p.args) - back; i >= 0 && p.args[i].kind == pdfNumber {
		return p.args[i].num
	}
	return 0
}

// matrix is the last six operands.
func (p *pdfPage) matrix() pdfMatrix {
	return pdfMatrix{p.num(6), p.num(5), p.num(4), p.num(3), p.num(2), p.num(1)}
}

func (p *pdfPage) operator(op string) error {
	switch op {
	case "q":
		if len(p.saved) < pdfStack {
			p.saved = append(p.saved, p.now)
		}
	case "Q":
		if n := len(p.saved); n > 0 {
			p.now, p.saved, p.using = p.saved[n-1], p.saved[:n-1], nil
		}
	case "cm":
		p.now.matrix = p.matrix().by(p.now.matrix)
	case "Do":
		if n := len(p.args); n > 0 {
			return p.form(p.resource("XObject", p.args[n-1].text).id())
		}
	case "BMC", "BDC", "DP", "EMC":
		p.marked(op)
	default:
		if !p.state(op) && !p.show(op) && !pdfDraws(op) {
			p.odd = true
		}
	}
	return nil
}

// state changes what the next glyphs are shown with.
func (p *pdfPage) state(op string) bool {
	switch op {
	case "BT":
		p.text, p.line = pdfMatrix{a: 1, d: 1}, pdfMatrix{a: 1, d: 1}
	case "ET":
	case "Tf":
		if n := len(p.args); n > 1 {
			p.now.font, p.now.size, p.using = p.resource("Font", p.args[n-2].text), p.num(1), nil
		}
	case "Tc":
		p.now.char = p.num(1)
	case "Tw":
		p.now.word = p.num(1)
	case "Tz":
		p.now.stretch = p.num(1) / 100
	case "TL":
		p.now.leading = p.num(1)
	case "Tr", "Ts":
	case "Td":
		p.next(p.num(2), p.num(1))
	case "TD":
		p.now.leading = -p.num(1)
		p.next(p.num(2), p.num(1))
	case "T*":
		p.next(0, -p.now.leading)
	case "Tm":
		p.line = p.matrix()
		p.text = p.line
		p.lines.run = 0
	default:
		return false
	}
	return true
}

// next goes to another line, or to another place on this one.
func (p *pdfPage) next(x, y float64) {
	p.line = pdfMatrix{a: 1, d: 1, e: x, f: y}.by(p.line)
	p.text = p.line
	p.lines.run = 0
}

// show shows what stands before an operator.
func (p *pdfPage) show(op string) bool {
	switch op {
	case "'", `"`:
		if op == `"` {
			p.now.word, p.now.char = p.num(3), p.num(2)
		}
		p.next(0, -p.now.leading)
		if n := len(p.args); n > 0 {
			p.glyph(p.args[n-1].text)
		}
	case "Tj", "TJ":
		for _, v := range p.args {
			switch v.kind {
			case pdfString:
				p.glyph(v.text)
			case pdfNumber:
				p.lines.kern -= v.num / 1000
				p.text = pdfMatrix{a: 1, d: 1, e: -v.num / 1000 * p.now.size * p.now.stretch}.by(p.text)
			default:
			}
		}
	default:
		return false
	}
	return true
}

// glyph shows one string.
func (p *pdfPage) glyph(b []byte) {
	f := p.font()
	m := p.text.by(p.now.matrix)
	size := p.now.size * p.now.stretch
	length := math.Hypot(m.a, m.b)
	wide, high := math.Abs(size)*length, math.Abs(p.now.size)*math.Hypot(m.c, m.d)
	if !(wide > 0 && high > 0 && wide < math.MaxFloat32) {
		wide, high, length = 1, 1, 1
	}
	if size < 0 {
		length = -length
	}
	p.lines.move(m.e, m.f, m.a/length, m.b/length, wide, high, f.guessed)
	var x float64
	p.glyphs = p.glyphs[:0]
	for len(b) > 0 {
		code, n := f.next(b)
		b = b[max(n, 1):]
		var known bool
		p.glyphs, known = f.text(p.glyphs, code, n)
		p.lines.run++
		if !known {
			p.odd = true
			p.d.say(errPDFFont)
		}
		x += f.width(code)*size + p.now.char*p.now.stretch
		if n == 1 && code == ' ' {
			x += p.now.word * p.now.stretch
		}
	}
	p.lines.put(p.glyphs)
	p.text = pdfMatrix{a: 1, d: 1, e: x}.by(p.text)
	end := p.text.by(p.now.matrix)
	p.lines.x, p.lines.y = end.e, end.f
}
