package archives

import (
	"bufio"
	"errors"
	"io"
)

// decoded reads a stream that begins behind its keyword; nil: its filters are not known.
func (d *pdfDoc) decoded(dict pdfItem, at int64) io.Reader {
	var names []string
	switch f := d.get(dict.get("Filter", "F")); f.kind {
	case pdfName:
		names = []string{string(f.text)}
	case pdfArray:
		if len(f.list) > pdfNames {
			return nil
		}
		for _, v := range f.list {
			names = append(names, string(d.get(v).text))
		}
	default:
	}
	var line [2]byte
	if n, _ := d.file(line[:], at); n == 2 && line == [2]byte{'\r', '\n'} {
		at++
	}
	at++
	for _, name := range names {
		if !packs(name) {
			return nil
		}
	}
	src := &pdfAt{d: d, at: at}
	if n := d.get(dict.get("Length")); n.kind == pdfNumber {
		if end, ok := d.streamEnd(at, n.num); ok {
			src.end = end
		}
	}
	if len(names) == 0 && src.end == 0 {
		return &pdfPaid{d: d, r: inStream{bufio.NewReaderSize(src, 4<<10)}} // its length is not true
	}
	r := pdfFilters(names, bufio.NewReaderSize(src, 4<<10))
	if r = d.predicted(dict, r); r == nil {
		return nil
	}
	return &pdfPaid{d: d, r: r}
}

// predicted undoes the prediction of what came out of the last filter.
func (d *pdfDoc) predicted(dict pdfItem, r io.Reader) io.Reader {
	parms := d.get(dict.get("DecodeParms", "DP"))
	if parms.kind == pdfArray && len(parms.list) > 0 {
		parms = d.get(parms.list[len(parms.list)-1])
	}
	number := func(name string, other int) int {
		if v := d.get(parms.get(name)); v.kind == pdfNumber {
			return int(min(max(v.num, 0), 1<<16))
		}
		return other
	}
	switch p := number("Predictor", 1); {
	case p <= 1:
		return r
	case p < 10: // that of TIFF is for pictures
		return nil
	}
	bits := number("Colors", 1) * number("BitsPerComponent", 8)
	if bits > 1<<10 {
		return nil
	}
	row := (number("Columns", 1)*bits + 7) / 8
	return &pdfPredicted{r: bufio.NewReader(r), step: (bits + 7) / 8, last: make([]byte, row), row: make([]byte, row+1)}
}

// pdfPredicted undoes the filters of PNG (ISO 15948, 9.2).
type pdfPredicted struct {
	r         io.Reader
	step      int
	row, last []byte
	rest      []byte
}

func (p *pdfPredicted) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		n, err := io.ReadFull(p.r, p.row)
		if n < 2 {
			if err == nil || errors.Is(err, io.ErrUnexpectedEOF) {
				err = io.EOF
			}
			return 0, err
		}
		p.undo(p.row[0], p.row[1:n])
		copy(p.last, p.row[1:n])
		p.rest = p.last[:n-1]
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

func (p *pdfPredicted) undo(kind byte, row []byte) {
	for i := range row {
		var left, corner byte
		if i >= p.step {
			left, corner = row[i-p.step], p.last[i-p.step]
		}
		up := p.last[i]
		switch kind {
		case 1:
			row[i] += left
		case 2:
			row[i] += up
		case 3:
			row[i] += byte((int(left) + int(up)) / 2)
		case 4:
			row[i] += paeth(left, up, corner)
		}
	}
}

// paeth is the neighbour that is nearest to left + up - corner.
func paeth(left, up, corner byte) byte {
	abs := func(n int) int { return max(n, -n) }
	a, b := abs(int(up)-int(corner)), abs(int(left)-int(corner))
	c := abs(int(left) + int(up) - 2*int(corner))
	switch {
	case a <= b && a <= c:
		return left
	case b <= c:
		return up
	}
	return corner
}

// pdfPaid reads what is charged.
type pdfPaid struct {
	d *pdfDoc
	r io.Reader
}

func (p *pdfPaid) Read(b []byte) (int, error) {
	if p.d.work < 0 {
		return 0, errRatio
	}
	for range idleReads {
		n, err := p.r.Read(b)
		p.d.work -= int64(max(n, 0))
		if n > 0 || err != nil || len(b) == 0 {
			return max(n, 0), err
		}
	}
	return 0, io.ErrNoProgress
}
