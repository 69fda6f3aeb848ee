package importers

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// lines reads lines of bounded length and counts them.
type lines struct {
	r    *bufio.Reader
	line int
	back []text // lines that were read ahead and given back, the next one first
}

// text is one line without its end.
type text struct {
	line int
	b    []byte
	long bool // longer than MaxLine; b is empty
}

func newLines(r io.Reader) *lines { return &lines{r: bufio.NewReaderSize(r, 64<<10)} }

// next returns the next line, or io.EOF. The bytes belong to the caller.
func (l *lines) next() (text, error) {
	if len(l.back) > 0 {
		t := l.back[0]
		l.back = l.back[1:]
		return t, nil
	}
	t := text{line: l.line + 1}
	for {
		part, err := l.r.ReadSlice('\n')
		if len(part) > 0 {
			l.line = t.line
		}
		if t.long = t.long || len(t.b)+len(part) > MaxLine+2; t.long {
			t.b = nil
		} else {
			t.b = append(t.b, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && l.line == t.line:
		case err != nil:
			return text{}, err
		}
		t.b = bytes.TrimSuffix(bytes.TrimSuffix(t.b, []byte("\n")), []byte("\r"))
		if t.line == 1 {
			t.b = bytes.TrimPrefix(t.b, []byte("\xef\xbb\xbf"))
		}
		return t, nil
	}
}

// unread gives lines back, in order.
func (l *lines) unread(ts []text) { l.back = append(ts, l.back...) }

const tooLong = "the line is longer than 2 MiB"
