package views

import (
	"revenant/fingerprints"
	"revenant/scanners"
)

// built is a text being put together, with the stretch of the layer that each
// byte came from. Its zero value is empty.
type built struct {
	out        []byte
	start, end []int32
}

// push appends a byte that came from a stretch.
func (b *built) push(c byte, start, end int) {
	b.out = append(b.out, c)
	b.start = append(b.start, int32(start))
	b.end = append(b.end, int32(end))
}

// append appends what another has.
func (b *built) append(o *built) {
	b.out, b.start, b.end = append(b.out, o.out...), append(b.start, o.start...), append(b.end, o.end...)
}

// full reports whether there is enough for a piece.
func (b *built) full(l scanners.Layer) bool { return len(b.out) >= max(l.Piece, 2*l.Overlap) }

// last is the last n bytes alone, in the same memory.
func (b *built) last(n int) built {
	from := len(b.out) - n
	return built{
		out: append(b.out[:0], b.out[from:]...), start: append(b.start[:0], b.start[from:]...), end: append(b.end[:0], b.end[from:]...),
	}
}

// forget drops every trace of what was built.
func (b *built) forget() {
	b.reset()
	if wipe(&b.out); b.out == nil {
		*b = built{}
	}
}

func (b *built) reset() { b.out, b.start, b.end = b.out[:0], b.start[:0], b.end[:0] }

// texts yields what was built, as one text or as pieces that overlap, and
// forgets it. It returns false when yield did.
func (b *built) texts(l scanners.Layer, like scanners.Text, yield func(scanners.Text) bool) bool {
	defer b.reset()
	for from := 0; from < len(b.out); {
		to := min(from+l.Piece, len(b.out))
		t := like
		t.Data = b.out[from:to:to]
		base := from
		t.Origin = func(from, to int) (int, int) {
			return int(b.start[base+from]), int(b.end[base+to-1])
		}
		if !yield(t) {
			return false
		}
		if to == len(b.out) {
			break
		}
		from = to - l.Overlap
	}
	return true
}

// text is how a finder announces its texts.
func text(form fingerprints.Form) scanners.Text { return scanners.Text{Form: form} }
