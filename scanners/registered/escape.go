package registered

import (
	"html"
	"slices"
	"unicode/utf16"
	"unicode/utf8"

	"revenant/fingerprints"
)

// escape is one layer of escaping.
type escape uint8

const (
	escBackslash escape = iota // JSON, C, YAML and the like
	escShell                   // backslash and any character
	escSingle                  // '\'' and '"'"' in single quotes of a shell
	escPercent                 // %XX
	escForm                    // %XX and + for a space
	escHTML                    // &name; &#1; &#x1;
	escQuotes                  // doubled single quotes: SQL, YAML
	escDouble                  // doubled double quotes: CSV
	escWrap                    // line breaks and indentation
	escLines                   // line breaks alone
)

// form is how a value is reported whose outermost layer is the escape.
func (e escape) form() fingerprints.Form {
	switch e {
	case escBackslash, escShell, escSingle:
		return fingerprints.FormBackslash
	case escPercent, escForm:
		return fingerprints.FormPercent
	case escHTML:
		return fingerprints.FormHTML
	case escQuotes, escDouble:
		return fingerprints.FormQuoted
	case escWrap, escLines:
		return fingerprints.FormWrapped
	}
	return fingerprints.FormRaw
}

// unit is what one step of unescaping consumed and yields.
type unit struct {
	width int // bytes consumed, at least 1
	n     int // bytes of out
	out   [8]byte
}

func literal(b byte, width int) unit { return unit{width: width, n: 1, out: [8]byte{b}} }

func skipped(width int) unit { return unit{width: width} }

func character(r rune, width int) unit {
	u := unit{width: width}
	u.n = utf8.EncodeRune(u.out[:], r)
	return u
}

// next unescapes at the start of in, which is not empty. Bytes that are no
// escape stand for themselves.
func (e escape) next(in []byte) unit {
	c := in[0]
	switch {
	case c == '\\' && e == escBackslash:
		return backslash(in)
	case c == '\\' && e == escShell && len(in) > 1:
		if in[1] == '\n' {
			return skipped(2)
		}
		return literal(in[1], 2)
	case c == '\'' && e == escSingle:
		return single(in)
	case c == '%' && (e == escPercent || e == escForm):
		if b, ok := hexByte(in, 1); ok {
			return literal(b, 3)
		}
	case c == '+' && e == escForm:
		return literal(' ', 1)
	case c == '&' && e == escHTML:
		return entity(in)
	case (e == escQuotes && c == '\'' || e == escDouble && c == '"') && len(in) > 1 && in[1] == c:
		return literal(c, 2)
	case e == escWrap && (c == '\n' || c == '\r' && len(in) > 1 && in[1] == '\n'):
		return skipped(breakLength(in))
	case e == escLines && (c == '\n' || c == '\r' && len(in) > 1 && in[1] == '\n'):
		if c == '\r' {
			return skipped(2)
		}
		return skipped(1)
	}
	return literal(c, 1)
}

// breakLength is the length of the line break and the indentation after it
// that in starts with; 0 when it starts with none.
func breakLength(in []byte) int {
	n := 0
	for n < len(in) && (in[n] == '\r' || in[n] == '\n') {
		n++
	}
	if n == 0 {
		return 0
	}
	for n < len(in) && (in[n] == ' ' || in[n] == '\t') {
		n++
	}
	return n
}

func hexByte(in []byte, at int) (byte, bool) {
	if len(in) < at+2 {
		return 0, false
	}
	hi, lo := nibble[in[at]], nibble[in[at+1]]
	return hi<<4 | lo&15, hi < 16 && lo < 16
}

// hexNumber reads exactly n hex digits.
func hexNumber(in []byte, at, n int) (rune, bool) {
	if len(in) < at+n {
		return 0, false
	}
	var r rune
	for _, c := range in[at : at+n] {
		if nibble[c] > 15 {
			return 0, false
		}
		r = r<<4 | rune(nibble[c])
	}
	return r, true
}

// backslash reads one escape of JSON, C, JavaScript, YAML, Go and the like.
func backslash(in []byte) unit {
	if len(in) < 2 {
		return literal('\\', 1)
	}
	switch c := in[1]; c {
	case 'n':
		return literal('\n', 2)
	case 't':
		return literal('\t', 2)
	case 'r':
		return literal('\r', 2)
	case 'b':
		return literal('\b', 2)
	case 'f':
		return literal('\f', 2)
	case 'v':
		return literal('\v', 2)
	case 'a':
		return literal('\a', 2)
	case 'e':
		return literal(0x1b, 2)
	case 'x':
		if b, ok := hexByte(in, 2); ok {
			return literal(b, 4)
		}
	case 'u', 'U':
		return unicodeEscape(in)
	case '0', '1', '2', '3', '4', '5', '6', '7':
		n := 1
		v := 0
		for ; n < len(in) && n < 4 && in[n] >= '0' && in[n] <= '7' && v*8 < 256; n++ {
			v = v*8 + int(in[n]-'0')
		}
		return literal(byte(v), n)
	case '\n', '\r': // a continued line
		return skipped(1 + breakLength(in[1:]))
	default:
		if c >= 0x21 && c < 0x7f || c == ' ' || c == '\t' {
			return literal(c, 2)
		}
	}
	return literal('\\', 1)
}

// unicodeEscape reads \uXXXX, with surrogates, \u{X...} and \UXXXXXXXX.
func unicodeEscape(in []byte) unit {
	if in[1] == 'U' {
		if r, ok := hexNumber(in, 2, 8); ok && r >= 0 && r <= utf8.MaxRune {
			return character(r, 10)
		}
		return literal('\\', 1)
	}
	if len(in) > 3 && in[2] == '{' {
		for n := 3; n < len(in) && n <= 11; n++ {
			if in[n] != '}' {
				continue
			}
			if r, ok := hexNumber(in, 3, n-3); ok && n > 3 {
				return character(r, n+1)
			}
			break
		}
		return literal('\\', 1)
	}
	r, ok := hexNumber(in, 2, 4)
	if !ok {
		return literal('\\', 1)
	}
	if utf16.IsSurrogate(r) && len(in) >= 12 && in[6] == '\\' && in[7] == 'u' {
		if low, ok := hexNumber(in, 8, 4); ok {
			if full := utf16.DecodeRune(r, low); full != utf8.RuneError {
				return character(full, 12)
			}
		}
	}
	return character(r, 6)
}

// single reads a quote that was put into single quotes.
func single(in []byte) unit {
	for _, quote := range []string{`'\''`, `'"'"'`} {
		if len(in) >= len(quote) && string(in[:len(quote)]) == quote {
			return literal('\'', len(quote))
		}
	}
	return literal(in[0], 1)
}

// longestEntity bounds the search for the end of an HTML entity.
const longestEntity = 32

// entity reads one HTML character reference.
func entity(in []byte) unit {
	for n := 2; n < len(in) && n < longestEntity; n++ {
		switch c := in[n]; {
		case c == ';':
			if s := html.UnescapeString(string(in[:n+1])); len(s) <= 8 && s != string(in[:n+1]) {
				u := unit{width: n + 1, n: len(s)}
				copy(u.out[:], s)
				if in[1] == '#' && s == "\ufffd" { // out of range or zero: leave it alone
					return literal('&', 1)
				}
				return u
			}
			return literal('&', 1)
		case c != '#' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z'):
			return literal('&', 1)
		}
	}
	return literal('&', 1)
}

// scheme is one or more layers of escaping, the outermost first.
type scheme struct {
	layers  []escape
	trigger uint8 // characters that must stand near: bits of triggers
	sign    byte  // what its escapes start with, where stretches of them are probed
	outer   int   // the scheme without the innermost layer; -1 when there is none
}

// The schemes that come first in the list and have a sign.
const (
	bySlash = iota
	byPercent
	byEntity
	byQuote
	byDouble
	bySingle
	byForm
	signs // how many
)

// Trigger bits.
const (
	trigBackslash = 1 << iota
	trigPercent
	trigPlus
	trigAmpersand
	trigQuote
	trigBreak
)

// schemes lists the layers that are tried around an anchor: each alone, and
// the combinations that tools make.
func schemes() []scheme {
	list := []scheme{
		bySlash:   {layers: []escape{escBackslash}, trigger: trigBackslash, sign: '\\'},
		byPercent: {layers: []escape{escPercent}, trigger: trigPercent, sign: '%'},
		byEntity:  {layers: []escape{escHTML}, trigger: trigAmpersand, sign: '&'},
		byQuote:   {layers: []escape{escQuotes}, trigger: trigQuote, sign: '\''},
		byDouble:  {layers: []escape{escDouble}, trigger: trigQuote, sign: '"'},
		bySingle:  {layers: []escape{escSingle}, trigger: trigQuote, sign: '\''},
		byForm:    {layers: []escape{escForm}, trigger: trigPlus, sign: '+'},
		{layers: []escape{escWrap}, trigger: trigBreak},
		{layers: []escape{escLines}, trigger: trigBreak},
		{layers: []escape{escShell}, trigger: trigBackslash},
		{layers: []escape{escBackslash, escBackslash}, trigger: trigBackslash},
		{layers: []escape{escBackslash, escBackslash, escBackslash}, trigger: trigBackslash},
		{layers: []escape{escBackslash, escHTML}, trigger: trigBackslash},
		{layers: []escape{escBackslash, escPercent}, trigger: trigBackslash | trigPercent},
		{layers: []escape{escBackslash, escQuotes}, trigger: trigBackslash | trigQuote},
		{layers: []escape{escBackslash, escWrap}, trigger: trigBackslash},
		{layers: []escape{escBackslash, escLines}, trigger: trigBackslash},
		{layers: []escape{escBackslash, escDouble}, trigger: trigBackslash | trigQuote},
		{layers: []escape{escBackslash, escShell}, trigger: trigBackslash},
		{layers: []escape{escBackslash, escSingle}, trigger: trigBackslash | trigQuote},
		{layers: []escape{escQuotes, escBackslash}, trigger: trigBackslash | trigQuote},
		{layers: []escape{escDouble, escBackslash}, trigger: trigBackslash | trigQuote},
		{layers: []escape{escSingle, escBackslash}, trigger: trigBackslash | trigQuote},
		{layers: []escape{escWrap, escBackslash}, trigger: trigBackslash | trigBreak},
		{layers: []escape{escLines, escBackslash}, trigger: trigBackslash | trigBreak},
		{layers: []escape{escPercent, escPercent}, trigger: trigPercent},
		{layers: []escape{escPercent, escBackslash}, trigger: trigPercent},
		{layers: []escape{escHTML, escHTML}, trigger: trigAmpersand},
		{layers: []escape{escHTML, escPercent}, trigger: trigAmpersand | trigPercent},
		{layers: []escape{escHTML, escBackslash}, trigger: trigAmpersand},
	}
	for i := range list {
		s := &list[i]
		s.outer = slices.IndexFunc(list, func(o scheme) bool {
			return slices.Equal(o.layers, s.layers[:len(s.layers)-1])
		})
	}
	return list
}

// trigger is what must stand in a text for the escape to change it.
func (e escape) trigger() uint8 {
	switch e {
	case escBackslash, escShell:
		return trigBackslash
	case escSingle, escQuotes, escDouble:
		return trigQuote
	case escPercent:
		return trigPercent
	case escForm:
		return trigPlus
	case escHTML:
		return trigAmpersand
	case escWrap, escLines:
		return trigBreak
	}
	return 0xff
}
