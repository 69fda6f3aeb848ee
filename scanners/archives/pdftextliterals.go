package archives

// Strings, and pictures in the middle of programs (ISO 32000-2, 7.3.4 and 8.9.7).

// literal reads a string in parentheses.
func (l *pdfLexer) literal() (pdfItem, error) {
	from := len(l.room)
	for deep := 1; ; {
		c, ok := l.next()
		if !ok {
			return pdfItem{}, l.end()
		}
		if len(l.room)-from >= pdfLongItem {
			return pdfItem{}, errPDFLong
		}
		switch c {
		case '(':
			deep++
		case ')':
			if deep--; deep == 0 {
				return pdfItem{kind: pdfString, text: l.room[from:len(l.room):len(l.room)]}, nil
			}
		case '\\':
			l.escape()
			continue
		case '\r':
			if b := l.peek(1); len(b) == 1 && b[0] == '\n' {
				l.i++
			}
			c = '\n'
		}
		l.room = append(l.room, c)
	}
}

func (l *pdfLexer) escape() {
	c, _ := l.next()
	switch c {
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case '\n':
		return
	case '\r':
		if b := l.peek(1); len(b) == 1 && b[0] == '\n' {
			l.i++
		}
		return
	}
	if c >= '0' && c <= '7' {
		for c -= '0'; ; l.i++ {
			b := l.peek(1)
			if len(b) == 0 || b[0] < '0' || b[0] > '7' || c >= 0o40 {
				break
			}
			c = c<<3 | (b[0] - '0')
		}
	}
	l.room = append(l.room, c)
}

// hex reads a string in angle brackets.
func (l *pdfLexer) hex() (pdfItem, error) {
	from, half := len(l.room), -1
	for {
		c, ok := l.next()
		if !ok {
			return pdfItem{}, l.end()
		}
		if c == '>' {
			break
		}
		d := hexDigit(c)
		switch {
		case d < 0:
		case half < 0:
			half = d
		default:
			l.room = append(l.room, byte(half<<4|d))
			half = -1
		}
		if len(l.room)-from >= pdfLongItem {
			return pdfItem{}, errPDFLong
		}
	}
	if half >= 0 {
		l.room = append(l.room, byte(half<<4))
	}
	return pdfItem{kind: pdfString, text: l.room[from:len(l.room):len(l.room)]}, nil
}

// passPicture goes behind a picture in the middle of a program.
func (l *pdfLexer) passPicture() error {
	for range 256 {
		t, err := l.token()
		if err != nil {
			return err
		}
		if t.kind == pdfWord && string(t.text) == "ID" {
			break
		}
	}
	for l.to("EI") {
		before := l.buf[max(l.i-3, 0)]
		b := l.peek(12)
		ends := pdfSpace(before) && (len(b) == 0 || pdfSpace(b[0]))
		for _, c := range b { // bytes of a picture may look like the end
			ends = ends && (pdfSpace(c) && c != 0 || c > ' ' && c < 0x7f)
		}
		if ends {
			l.room = l.room[:0]
			return nil
		}
	}
	return l.end()
}
