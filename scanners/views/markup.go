package views

import "bytes"

// tags undoes what markup and typesetting put into words: tags, sections of
// CDATA, and characters that nobody sees.
type tags struct {
	out    *stretches
	hidden *stretches
	done   int
}

// longestTag bounds a tag with its attributes.
const longestTag = 256

// at looks at a less-than sign.
func (s *tags) at(data []byte, p int) {
	if p < s.done {
		return
	}
	from, end := p, tag(data, p)
	if end < 0 {
		return
	}
	if from >= s.done+3 && string(data[from-3:from]) == "]]>" {
		from -= 3
	}
	for n := tag(data, end); n > 0 && n-from < longestTag; n = tag(data, end) {
		end = n // several in a row
	}
	s.done = end
	s.out.put(cut(from, end), from > 0 && end < len(data) && wordly[data[from-1]] && wordly[data[end]])
}

// tag is where the tag at p ends; -1 when none begins there.
func tag(data []byte, p int) int {
	if p+2 >= len(data) || data[p] != '<' {
		return -1
	}
	if c := data[p+1]; c == '!' {
		if n := len("<![CDATA["); len(data)-p > n && string(data[p:p+n]) == "<![CDATA[" {
			return p + n
		}
		if in := data[p:min(len(data), p+longestTag)]; bytes.HasPrefix(in, []byte("<!--")) {
			if n := bytes.Index(in, []byte("-->")); n > 0 {
				return p + n + 3
			}
		}
		return -1
	} else if c != '/' && (c|0x20 < 'a' || c|0x20 > 'z') {
		return -1
	}
	for i := p + 2; i < min(len(data), p+longestTag); i++ {
		switch c := data[i]; {
		case c == '>':
			return i + 1
		case c == '<' || c == '\n' || c == ';' || c == '(' || c == '&':
			return -1
		}
	}
	return -1
}

// invisible looks at the first byte of a character that may be one that is not
// shown: soft hyphens, joiners, spaces without width.
func (s *tags) invisible(data []byte, p int) {
	n := hidden(data[p:])
	if n == 0 {
		return
	}
	worth := p > 0 && p+n < len(data) && graphic(data[p-1]) && graphic(data[p+n])
	s.hidden.put(cut(p, p+n), worth)
}

// hidden is the length of the character that in begins with when it is not
// shown, and 0 when it is.
func hidden(in []byte) int {
	switch {
	case len(in) >= 2 && in[0] == 0xc2 && in[1] == 0xad: // soft hyphen
		return 2
	case len(in) < 3:
	case in[0] == 0xe2 && in[1] == 0x80 && in[2] >= 0x8b && in[2] <= 0x8f: // space, joiners, marks of direction
		return 3
	case in[0] == 0xe2 && in[1] == 0x81 && in[2] >= 0xa0 && in[2] <= 0xa4: // word joiner
		return 3
	case in[0] == 0xef && in[1] == 0xbb && in[2] == 0xbf: // byte order mark
		return 3
	}
	return 0
}
