package archives

import "math"

// pdfMatrix maps points: x' = a*x + c*y + e, y' = b*x + d*y + f.
type pdfMatrix struct{ a, b, c, d, e, f float64 }

// by is first m and then n.
func (m pdfMatrix) by(n pdfMatrix) pdfMatrix {
	return pdfMatrix{
		m.a*n.a + m.b*n.c, m.a*n.b + m.b*n.d,
		m.c*n.a + m.d*n.c, m.c*n.b + m.d*n.d,
		m.e*n.a + m.f*n.c + n.e, m.e*n.b + m.f*n.d + n.f,
	}
}

const (
	pdfGap       = 0.19 // of a font's size: from here on words are apart; the narrowest blanks
	pdfGuessGap  = 0.3  // the same where widths are guessed,
	pdfGuessMore = 0.02 // and more for each glyph since the last place that is known
	pdfReturn    = 0.5  // of a font's size: from here on what begins before the last end is another line
	pdfLine      = 0.5  // of a font's size: from here on the line is another one
	pdfLeastLate = 4    // bytes of what is hidden behind another text
	pdfLateRoom  = 32 << 10
)

// pdfLines puts glyphs into words and lines by where they stand.
type pdfLines struct {
	out    *outbox
	mute   bool // was given out before
	some   bool // on this line
	blank  bool // the last one was a blank
	placed bool // x and y are true
	x, y   float64
	size   float64
	run    int     // glyphs since the last place that is not their own
	kern   float64 // how far it was moved since the last glyph, as a part of the font's size
	late   []byte  // that is told at the end of the page
	actual bool    // other text stands for the glyphs
	hidden []byte  // which these are
}

// move goes to where a text begins: in the direction (dx, dy), of a font of so large glyphs.
func (w *pdfLines) move(x, y, dx, dy, wide, high float64, guessed bool) {
	if w.placed && w.some {
		along := ((x-w.x)*dx + (y-w.y)*dy) / wide
		across := math.Abs((y-w.y)*dx-(x-w.x)*dy) / max(high, w.size)
		gap, back := pdfGap, pdfReturn
		apart := guessed && w.kern > gap // whatever the widths are
		if guessed {
			more := pdfGuessMore * float64(w.run)
			gap, back = pdfGuessGap+more, pdfReturn+2*more
		}
		switch {
		case across > pdfLine || along < -back:
			w.newline()
		case (apart || along > gap) && !w.blank:
			w.gap()
		}
	}
	w.placed, w.size, w.kern = true, high, 0
}

func (w *pdfLines) gap() {
	if w.actual && len(w.hidden) == 0 {
		w.write([]byte(" "))
		return
	}
	w.put([]byte(" "))
}

// put writes glyphs.
func (w *pdfLines) put(b []byte) {
	if len(b) == 0 {
		return
	}
	w.some, w.blank = true, b[len(b)-1] == ' '
	if w.actual {
		w.hidden = append(w.hidden, b[:min(len(b), max(pdfLateRoom-len(w.hidden), 0))]...)
		return
	}
	w.write(b)
}

func (w *pdfLines) write(b []byte) {
	if !w.mute {
		_, _ = w.out.Write(b)
	}
}

func (w *pdfLines) newline() {
	if !w.some {
		return
	}
	if w.actual && len(w.hidden) > 0 {
		w.put([]byte("\n"))
		return
	}
	w.write([]byte("\n"))
	w.some, w.blank = false, true
	if len(w.late) > pdfLateRoom {
		w.write(w.late)
		w.late = w.late[:0]
	}
}

// aside keeps what stands on no line.
func (w *pdfLines) aside(b []byte) {
	if w.mute || len(b) < pdfLeastLate {
		return
	}
	if len(w.late)+len(b) > 2*pdfLateRoom {
		w.newline()
		if len(w.late) > pdfLateRoom { // in the middle of a line
			w.write([]byte("\n"))
			w.write(w.late)
			w.late = w.late[:0]
		}
	}
	w.late = append(append(w.late, b...), '\n')
}

// end ends the page.
func (w *pdfLines) end() {
	w.stand(nil)
	w.newline()
	w.write(w.late)
	w.late = w.late[:0]
}

// stand writes the text that stands for the glyphs since it was said.
func (w *pdfLines) stand(text []byte) {
	if !w.actual {
		return
	}
	w.actual = false
	if string(text) != string(w.hidden) {
		w.aside(w.hidden)
	}
	w.hidden = w.hidden[:0]
	w.put(text)
}
