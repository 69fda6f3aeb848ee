package privatekeys

import (
	"slices"
	"sync"
)

// Containers are found by literals. The scanner looks at two bytes out of
// every four: a literal has five bytes that are looked for, so one of their
// four pairs stands where it looks.

// clue is what a literal hints at.
type clue uint8

const (
	clueArmour  clue = iota // BEGIN
	cluePuTTY               // PuTTY-User-Key-File
	clueJWK                 // "kty"
	clueXML                 // <RSAKeyValue>
	clueOpenSSH             // openssh-key-v1
	clueDER                 // version and what follows it
	clueBody                // base64 of OpenSSH or DER, without armour
	clueNested              // base64 of armour
)

// literal is looked for by five bytes at offset window of its text; the body
// that it belongs to begins back bytes before the text.
type literal struct {
	clue   clue
	text   string
	window int
	back   int
}

const (
	stride    = 4
	windowLen = 5
)

func literals() []literal {
	out := []literal{
		{clueArmour, "BEGIN", 0, 0},
		{cluePuTTY, "PuTTY-User-Key-File", 2, 0},
		{clueJWK, `"kty"`, 0, 0},
		{clueJWK, `"kty\`, 0, 0},
		{clueJWK, `'kty'`, 0, 0},
		{clueJWK, `kty&quot;`, 0, 0},
		{clueXML, "RSAKeyValue", 1, 0},
		{clueOpenSSH, "openssh-key-v1", 7, 0},
		{clueBody, "b3BlbnNzaC1rZXktdjE", 10, 0},
		{clueNested, "LS0tLS1CRUdJTi", 6, 0},
		{clueNested, "LS0tLSBCRUdJTi", 6, 0},
		{clueNested, "UHVUVFktVXNlci1LZXktRmlsZ", 0, 0},
	}
	return append(out, bodyHeads()...)
}

// derHead reports whether b begins as the content of a private key does: the
// version, the next tag, and the first byte of its length.
func derHead(b []byte) bool {
	if len(b) < windowLen || b[0] != tagInteger || b[1] != 1 || b[2] > 1 {
		return false
	}
	version, tag, n := b[2], b[3], b[4]
	switch tag {
	case tagSequence:
		return n >= 0x05 && n <= 0x1f || n == 0x81 || n == 0x82
	case tagInteger:
		return n == 0x81 || n == 0x82 || version == 0 && n >= 0x21 && n <= 0x61
	case tagOctets:
		return version == 1 && n >= 0x0e && n <= 0x42
	}
	return false
}

// derHeads lists what derHead accepts.
func derHeads() []string {
	var out []string
	for _, tag := range []byte{tagSequence, tagInteger, tagOctets} {
		for version := byte(0); version <= 1; version++ {
			for n := range 256 {
				if head := []byte{tagInteger, 1, version, tag, byte(n)}; derHead(head) {
					out = append(out, string(head))
				}
			}
		}
	}
	return out
}

// bodyHeads lists the heads of DER as they stand in base64 that starts with
// them, for every width of the SEQUENCE's length.
func bodyHeads() []literal {
	seen := map[string]bool{}
	var out []literal
	for _, head := range derHeads() {
		for width := 2; width <= 4; width++ {
			first := (width*8 + 5) / 6 // the first character of known bits alone
			text := encode(append(make([]byte, width), head...))[first:]
			text = text[:windowLen]
			if key := text + string(rune('0'+first)); !seen[key] {
				seen[key] = true
				out = append(out, literal{clueBody, text, 0, first})
			}
		}
	}
	return out
}

// encode is base64 without padding; the last character may lack bits, which
// are zero.
func encode(b []byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	var out []byte
	for bit := 0; bit < len(b)*8; bit += 6 {
		w := uint(b[bit/8]) << 8
		if bit/8+1 < len(b) {
			w |= uint(b[bit/8+1])
		}
		out = append(out, alphabet[w>>(10-bit%8)&63])
	}
	return string(out)
}

// pair is where two bytes stand in a literal's window; literal is -1 for the
// heads of DER, which are judged by derHead.
type pair struct{ literal, offset int }

// scanner finds literals. It is immutable after newScanner.
type scanner struct {
	literals []literal
	groups   [][]pair
	heads    [1 << 16]uint8 // index in groups of two bytes, 0: none
}

// finder is built once and never changed.
var finder = sync.OnceValue(func() *scanner { return newScanner(literals()) })

func newScanner(all []literal) *scanner {
	s := &scanner{literals: all, groups: [][]pair{nil}}
	for i, l := range all {
		s.add(i, l.text[l.window:])
	}
	for _, head := range derHeads() {
		s.add(-1, head)
	}
	return s
}

func (s *scanner) add(literal int, window string) {
	for o := range stride {
		at := uint16(window[o]) | uint16(window[o+1])<<8
		if s.heads[at] == 0 {
			if len(s.groups) > 255 {
				panic("privatekeys: too many literals")
			}
			s.heads[at] = uint8(len(s.groups))
			s.groups = append(s.groups, nil)
		}
		g := s.heads[at]
		if p := (pair{literal, o}); !slices.Contains(s.groups[g], p) {
			s.groups[g] = append(s.groups[g], p)
		}
	}
}

// each calls found for every literal in data, in order of position within a
// few bytes, until it returns false.
func (s *scanner) each(data []byte, found func(l literal, at int) bool) {
	for p := 0; p+1 < len(data); p += stride {
		g := s.heads[uint16(data[p])|uint16(data[p+1])<<8]
		if g == 0 {
			continue
		}
		for _, c := range s.groups[g] {
			l := literal{clue: clueDER}
			at := p - c.offset
			if c.literal >= 0 {
				l = s.literals[c.literal]
				at -= l.window
			}
			if at < 0 || at+len(l.text) > len(data) || string(data[at:at+len(l.text)]) != l.text {
				continue
			}
			if c.literal < 0 && !derHead(data[at:]) {
				continue
			}
			if !found(l, at) {
				return
			}
		}
	}
}

// derStart finds the SEQUENCE whose content begins at the position; -1 when
// there is none.
func derStart(data []byte, content int) int {
	for width := 2; width <= 4; width++ {
		at := content - width
		if at < 0 || data[at] != tagSequence {
			continue
		}
		n := data[at+1]
		if width == 2 && n < 0x80 || width > 2 && n == byte(0x80+width-2) {
			return at
		}
	}
	return -1
}
