package registered

import (
	"bytes"
	"slices"

	"revenant/fingerprints"
	"revenant/scanners/escapes"
	"revenant/scanners/stamps"
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
	escStamp                   // what a program wrote before a line
	escDocker                  // what Docker writes between two lines
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
	case escStamp, escDocker:
		return fingerprints.FormPrefixed
	}
	return fingerprints.FormRaw
}

// unit is what one step of unescaping consumed and yields.
type unit = escapes.Unit

// next unescapes at the start of in, which is not empty. Bytes that are no
// escape stand for themselves.
func (e escape) next(in []byte) unit {
	c := in[0]
	switch {
	case c == '\\' && e == escBackslash:
		return escapes.Backslash(in)
	case c == '\\' && e == escShell && len(in) > 1:
		if in[1] == '\n' {
			return escapes.Skipped(2)
		}
		return escapes.Literal(in[1], 2)
	case c == '\'' && e == escSingle:
		return single(in)
	case c == '%' && (e == escPercent || e == escForm):
		if b, ok := escapes.Hex(in, 1); ok {
			return escapes.Literal(b, 3)
		}
	case c == '+' && e == escForm:
		return escapes.Literal(' ', 1)
	case c == '&' && e == escHTML:
		return escapes.Entity(in)
	case (e == escQuotes && c == '\'' || e == escDouble && c == '"') && len(in) > 1 && in[1] == c:
		return escapes.Literal(c, 2)
	case e == escWrap && (c == '\n' || c == '\r' && len(in) > 1 && in[1] == '\n'):
		return escapes.Skipped(escapes.Break(in))
	case e == escLines && (c == '\n' || c == '\r' && len(in) > 1 && in[1] == '\n'):
		if c == '\r' {
			return escapes.Skipped(2)
		}
		return escapes.Skipped(1)
	case e == escStamp && (c == '\n' || c == '\r' && len(in) > 1 && in[1] == '\n'):
		return stamped(in)
	case c == '\\' && e == escDocker:
		return between(in)
	}
	return escapes.Literal(c, 1)
}

// stamped reads a line break, and what a program wrote before the next line.
func stamped(in []byte) unit {
	n := 1
	if in[0] == '\r' {
		n = 2
	}
	var s stamps.Stamp
	line := in[n:min(len(in), n+stamps.Longest)]
	if i := bytes.IndexByte(line, '\n'); i >= 0 {
		line = line[:i]
	}
	s.Read(line)
	return escapes.Literal('\n', n+s.Len())
}

// longestTail is how long the rest is of a line that Docker wrote.
const longestTail = 256

// between reads an escaped line break and what Docker writes between two lines.
func between(in []byte) unit {
	const after, before = `","stream":"`, "}\n" + `{"log":"`
	n := 0
	for bytes.HasPrefix(in[n:], []byte(`\r`)) {
		n += 2
	}
	if !bytes.HasPrefix(in[n:], []byte(`\n`+after)) {
		return escapes.Literal('\\', 1)
	}
	i := bytes.Index(in[n:min(len(in), n+longestTail)], []byte(before))
	if i < 0 {
		return escapes.Literal('\\', 1)
	}
	return unit{Width: n + i + len(before), N: 2, Out: [8]byte{'\\', 'n'}}
}

// single reads a quote that was put into single quotes.
func single(in []byte) unit {
	for _, quote := range []string{`'\''`, `'"'"'`} {
		if len(in) >= len(quote) && string(in[:len(quote)]) == quote {
			return escapes.Literal('\'', len(quote))
		}
	}
	return escapes.Literal(in[0], 1)
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
		// What stands before the lines of a log, for values of several lines.
		{layers: []escape{escStamp}, trigger: trigBreak},
		{layers: []escape{escStamp, escBackslash}, trigger: trigBackslash | trigBreak},
		{layers: []escape{escStamp, escHTML}, trigger: trigAmpersand | trigBreak},
		{layers: []escape{escStamp, escPercent}, trigger: trigPercent | trigBreak},
		{layers: []escape{escStamp, escQuotes}, trigger: trigQuote | trigBreak},
		{layers: []escape{escStamp, escDouble}, trigger: trigQuote | trigBreak},
		{layers: []escape{escStamp, escShell}, trigger: trigBackslash | trigBreak},
		{layers: []escape{escStamp, escSingle}, trigger: trigQuote | trigBreak},
		{layers: []escape{escDocker}, trigger: trigBackslash | trigBreak},
		{layers: []escape{escDocker, escBackslash}, trigger: trigBackslash | trigBreak},
		{layers: []escape{escDocker, escBackslash, escBackslash}, trigger: trigBackslash | trigBreak},
		{layers: []escape{escDocker, escBackslash, escHTML}, trigger: trigBackslash | trigBreak},
		{layers: []escape{escDocker, escBackslash, escDouble}, trigger: trigBackslash | trigBreak},
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
	case escWrap, escLines, escStamp:
		return trigBreak
	case escDocker:
		return trigBackslash
	}
	return 0xff
}
