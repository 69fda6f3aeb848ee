package rules

import (
	"math/bits"
	"sync"

	"revenant/scanners/byteclass"
)

// character is the best known byte of a symbol.
func character(symbol uint8) byte {
	if symbol < byteclass.Symbols/2 {
		return symbol + ' '
	}
	return symbol + '@'
}

// frequency is about how often a byte is of the symbol, in source and logs.
func frequency(symbol uint8) float64 {
	const letters = "\x4a\x0d\x21\x22\x6a\x14\x12\x16\x42\x02\x07\x2b\x1a\x3d\x3c\x19\x02\x3b\x3c\x52\x1a\x0b\x0a\x07\x0f\x03"
	switch c := character(symbol); {
	case c == ' ':
		return 0.12
	case 'a' <= c && c <= 'z':
		return float64(letters[c-'a']) / 1200
	case '0' <= c && c <= '9': // one digit follows another
		return 0.05
	default:
		return 0.01
	}
}

// symbolsOf are the symbols of a set of bytes.
func symbolsOf(set *byteSet) (symbols uint64) {
	for i, word := range set {
		for ; word != 0; word &= word - 1 {
			symbols |= 1 << byteclass.Symbol(byte(64*i+bits.TrailingZeros64(word)))
		}
	}
	return symbols
}

// share is how often ordinary text has one of the symbols.
func share(symbols uint64) float64 {
	if symbols == anySymbol {
		return 1
	}
	var sum float64
	for ; symbols != 0; symbols &= symbols - 1 {
		sum += frequency(uint8(bits.TrailingZeros64(symbols)))
	}
	return min(sum, 1)
}

// anySymbol are all symbols.
const anySymbol = ^uint64(0)

// gramShare is how often ordinary text has a gram of three sets of symbols: as was
// measured of those that are usual, and else as often as its letters let expect.
func gramShare(symbols [gram]uint64) float64 {
	product, combinations := 1.0, 1
	for _, s := range symbols {
		product *= share(s)
		combinations *= bits.OnesCount64(s)
	}
	usual := measuredShares()
	switch {
	case symbols[0] == anySymbol:
		return usual.pairsOf(symbols[1], symbols[2], product)
	case symbols[gram-1] == anySymbol:
		return usual.pairsOf(symbols[0], symbols[1], product)
	case combinations > manyGrams:
		return product
	}
	var sum float64
	rest := 0
	each(symbols[0], func(x int) {
		each(symbols[1], func(y int) {
			each(symbols[2], func(z int) { add(usual.grams[x][y][z], &sum, &rest) })
		})
	})
	sum += min(product, float64(rest)*usualFrom(len(usualGrams)))
	if one := symbols[0]; one == symbols[1] && one == symbols[2] && combinations == 1 {
		return max(sum, repeated)
	}
	return sum
}

// repeated is how often one symbol stands in a row at the least, for patterns that look
// for it: rows of them are long, and few kinds of text have most of them, as base64 has of
// zeros and tables of signs.
const repeated = 0.002

// manyGrams is how many grams are looked up at the most.
const manyGrams = 1 << 7

// measured are the classes of what ordinary text has often, from 1; 0 is what it has less
// often than any class.
type measured struct {
	pairs [byteclass.Symbols][byteclass.Symbols]uint8
	grams [byteclass.Symbols][byteclass.Symbols][byteclass.Symbols]uint8
}

var measuredShares = sync.OnceValue(func() *measured {
	m := &measured{}
	for class, pairs := range usualPairs {
		for ; len(pairs) > 1; pairs = pairs[2:] {
			m.pairs[byteclass.Symbol(pairs[0])][byteclass.Symbol(pairs[1])] = uint8(class) + 1
		}
	}
	for class, grams := range usualGrams {
		for ; len(grams) > 2; grams = grams[3:] {
			m.grams[byteclass.Symbol(grams[0])][byteclass.Symbol(grams[1])][byteclass.Symbol(grams[2])] = uint8(class) + 1
		}
	}
	return m
})

// usualFrom is the least share of a class, from 1.
func usualFrom(class int) float64 { return 2 * mostUsual / float64(int(1)<<class) }

// pairsOf is the share of two sets in a row, of which the product of their own shares is
// known.
func (m *measured) pairsOf(x, y uint64, product float64) float64 {
	if bits.OnesCount64(x)*bits.OnesCount64(y) > manyGrams {
		return max(product, noisePair)
	}
	var sum float64
	rest := 0
	each(x, func(x int) { each(y, func(y int) { add(m.pairs[x][y], &sum, &rest) }) })
	return max(sum+min(product, float64(rest)*usualFrom(len(usualPairs))), noisePair)
}

// noisePair is how often two letters stand in a row in noise.
const noisePair = 0.00025

// add adds the share of a class to a sum, and counts what has none.
func add(class uint8, sum *float64, rest *int) {
	if class == 0 {
		*rest++
		return
	}
	const middle = 1.4 // of a class, that begins with one
	*sum += middle * usualFrom(int(class))
}

// each calls f with all symbols of a set.
func each(set uint64, f func(symbol int)) {
	for ; set != 0; set &= set - 1 {
		f(bits.TrailingZeros64(set))
	}
}
