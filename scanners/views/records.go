package views

import (
	"bytes"

	"revenant/fingerprints"
)

// Images of programs for small machines, as their programmers write them: lines of hex
// digits with an address and a sum.

// record is one line of Intel's or Motorola's.
type record struct {
	address uint32
	from    int // of the digits of its bytes
	n       int // bytes; 0: it has none
	next    int // behind the line
}

// longestRecord is how long such a line is at the most.
const longestRecord = 2*(1+4+255+1) + 2

// records reads the lines from p on that are records, yields what they hold, and goes
// on behind them.
func (k *spotting) records(p int) (goOn bool) {
	data, b := k.layer.Data, &k.built
	if r, ok := recordAt(data, 0); ok && r.next == p { // nothing stands before the first line
		p = 0
	}
	next := uint32(0)
	for at := p; at < len(data); {
		r, ok := recordAt(data, at)
		if !ok {
			break
		}
		at = r.next
		k.done = at - 1 // the end of the last line may begin what is found next
		if r.n == 0 {
			continue
		}
		if uint16(r.address) != uint16(next) && len(b.out) > 0 { // something is left out
			b.push(border[0], r.from, r.from+2)
			b.push(border[1], r.from, r.from+2)
		}
		for i := r.from; i < r.from+2*r.n; i += 2 {
			v, _ := digitsIn(data[i:i+2], 16)
			b.push(v, i, i+2)
		}
		next = r.address + uint32(r.n)
		if b.full(k.layer) {
			kept := *b
			if !b.texts(k.layer, text(fingerprints.FormDump), k.yield) || k.ctx.Err() != nil {
				return false
			}
			*b = kept.last(k.layer.Overlap)
		}
	}
	if len(b.out) < leastList {
		b.reset()
		return true
	}
	return b.texts(k.layer, text(fingerprints.FormDump), k.yield)
}

// recordAt reads the record that the line at p is; false when it is none.
func recordAt(data []byte, p int) (r record, ok bool) {
	line := data[p:min(len(data), p+longestRecord+2)]
	if n := bytes.IndexByte(line, '\n'); n >= 0 {
		line, r.next = line[:n], p+n+1
	} else if len(line) < longestRecord+2 {
		r.next = len(data)
	} else {
		return r, false
	}
	line = bytes.TrimSuffix(line, []byte("\r"))
	switch {
	case len(line) > 0 && line[0] == ':':
		return intelRecord(r, line[1:], p+1)
	case len(line) > 1 && line[0] == 'S':
		return motorolaRecord(r, line[1], line[2:], p+2)
	}
	return r, false
}

// summed reads digits of which the last two bytes are a sum; false when it is wrong.
func summed(digits []byte, want byte) (head [6]byte, ok bool) {
	sum := byte(0)
	for i := 0; i+1 < len(digits); i += 2 {
		v, good := digitsIn(digits[i:i+2], 16)
		if !good {
			return head, false
		}
		if i/2 < len(head) {
			head[i/2] = v
		}
		sum += v
	}
	return head, len(digits)%2 == 0 && sum == want
}

// intelRecord reads count, address, kind, bytes, and what makes their sum zero.
func intelRecord(r record, digits []byte, at int) (record, bool) {
	const around = 5 // bytes of it that are none of the image
	if len(digits) < 2*around {
		return r, false
	}
	n, ok := digitsIn(digits[:2], 16)
	if !ok || len(digits) != 2*(around+int(n)) {
		return r, false
	}
	head, ok := summed(digits, 0)
	if ok && head[3] == 0 {
		r.address, r.from, r.n = uint32(head[1])<<8|uint32(head[2]), at+2*(around-1), int(n)
	}
	return r, ok && head[3] <= 5
}

// motorolaRecord reads a record of some kind: how much follows, address, bytes, and a sum.
func motorolaRecord(r record, kind byte, digits []byte, at int) (record, bool) {
	if kind < '0' || kind > '9' || len(digits) < 8 {
		return r, false
	}
	n, ok := digitsIn(digits[:2], 16)
	if !ok || len(digits) != 2+2*int(n) {
		return r, false
	}
	head, ok := summed(digits, 0xff)
	width := 2 // of the address
	switch kind {
	case '0', '1':
	case '2', '3':
		width = int(kind-'0') + 1
	default:
		return r, ok
	}
	for _, v := range head[1 : 1+width] {
		r.address = r.address<<8 | uint32(v)
	}
	r.from, r.n = at+2*(1+width), int(n)-width-1
	return r, ok && r.n >= 0
}
