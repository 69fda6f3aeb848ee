package views

import (
	"context"
	"math/bits"

	"revenant/scanners"
	"revenant/scanners/byteclass"
)

// spotted finds what begins with a few characters that are rare in a row: lists
// of character literals, uuencode, base85, and what else is in spots.go. One pass
// looks for all of them.
type spotted struct{ triples *byteclass.Triples }

func newSpotted() spotted {
	var any [256]byte
	for i := range any {
		any[i] = byte(i)
	}
	patterns := [][3]string{{"'", ",", string(any[:])}, {"\n", "M", string(any[' ' : '`'+1])}, {"b", "e", "g"}}
	return spotted{byteclass.NewTriples(append(patterns, spots(string(any[:]))...)...)}
}

func (f spotted) view(ctx context.Context, l scanners.Layer, yield func(scanners.Text) bool) bool {
	var k *spotting // most texts have nothing to be looked at
	defer func() {
		if k != nil {
			k.built.forget()
		}
	}()
	var room [tile/64 + 1]uint64
	spots := room[:0]
	for from := 0; from < len(l.Data) && ctx.Err() == nil; from += tile {
		spots = f.triples.Append(spots[:0], l.Data[from:min(from+tile+2, len(l.Data))])
		for i, w := range spots[:min(len(spots), tile/64)] {
			for ; w != 0; w &= w - 1 {
				if k == nil {
					k = &spotting{ctx: ctx, layer: l, yield: yield}
				}
				if p := from + 64*i + bits.TrailingZeros64(w); p >= k.done && !k.at(p) {
					return false
				}
			}
		}
	}
	return true
}

// spotting is one text being looked through.
type spotting struct {
	ctx   context.Context
	layer scanners.Layer
	yield func(scanners.Text) bool
	built built
	done  int // how far it was read

	rich, styled int // how far documents of RTF, and lines with escapes of CSS were
	patches      *patchStreams
	tried        int64 // bytes that came out of streams to see whether they are whole
}

// at looks at a place where something may begin. It returns false when nobody
// wants more.
func (k *spotting) at(p int) (goOn bool) {
	data, from := k.layer.Data, 0
	switch c := data[p]; {
	case c == '\'':
		from, ok := literalBefore(data, p, &k.built)
		if !ok || data[p+1] != ',' {
			return true
		}
		k.done, goOn = listLiterals(k.ctx, k.layer, from, &k.built, k.yield)
		return goOn
	case c == 'b':
		from = uuBody(data, p)
	case c != '\n' || data[p+1] != 'M':
		return k.spot(p)
	case uuLength(data, p+1) == uuLine:
		from = p + 1
	}
	if from == 0 {
		return true
	}
	k.done, goOn = uuText(k.ctx, k.layer, from, &k.built, k.yield)
	k.done-- // the end of the last line may begin what is found next
	return goOn
}
