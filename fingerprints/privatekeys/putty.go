package privatekeys

import (
	"bytes"
	"strings"
)

// putty reads a PPK (PuTTY user's guide, appendix C), version 2 or 3, whose
// first line begins at the position.
func (s *search) putty(at int) {
	text := s.data[at:min(len(s.data), at+MaxContainer)]
	if next := bytes.Index(text[1:], []byte("PuTTY-User-Key-File")); next >= 0 {
		text = text[:1+next]
	}
	version := len("PuTTY-User-Key-File")
	if len(text) < version+4 || text[version] != '-' || text[version+1] != '2' && text[version+1] != '3' {
		return
	}
	mac := bytes.Index(text, []byte("Private-MAC:"))
	if mac < 0 {
		return
	}
	end := mac + len("Private-MAC:")
	for end < len(text) && text[end] == ' ' {
		end++
	}
	for end < len(text) && nibble(text[end]) < 16 {
		end++
	}
	name := section(text[:mac], "PuTTY-User-Key-File-"+string(text[version+1])+":", "Encryption:")
	cipher := section(text[:mac], "Encryption:", "Comment:")
	prefix := linePrefix(s.data, at)
	public := blob(section(text[:mac], "Public-Lines:", "Private-Lines:"), prefix)
	private := blob(section(text, "Private-Lines:", "Private-MAC:"), prefix)
	kind := word(name)
	if word(cipher) != "none" {
		if len(private) > 0 && len(public) > 0 && len(private[0]) >= 16 && word(cipher) != "" {
			s.add(at, at+end, armoured(private[0]))
		}
		return
	}
	for _, pub := range public {
		for _, priv := range private {
			if k, f := s.fromPuTTY(kind, pub, priv); f == isKey {
				s.add(at, at+end, k)
				return
			}
		}
	}
}

// section is the text between two markers; nil when one is missing.
func section(text []byte, from, to string) []byte {
	_, after, ok := bytes.Cut(text, []byte(from))
	if !ok {
		return nil
	}
	in, _, ok := bytes.Cut(after, []byte(to))
	if !ok {
		return nil
	}
	return in
}

// word is the first word of a header's value.
func word(b []byte) string {
	text := strings.TrimLeft(string(plain(b)), " \n")
	end := strings.IndexFunc(text, func(r rune) bool { return r != '-' && (r > 'z' || !alnum(byte(r))) })
	if end < 0 {
		return text
	}
	return text[:end]
}

// blob reads "3" and three lines of base64, in every way that bodies does.
func blob(b, prefix []byte) [][]byte {
	if b == nil {
		return nil
	}
	text := bytes.TrimLeft(plain(b), " ")
	n := 0
	for n < len(text) && text[n] >= '0' && text[n] <= '9' {
		n++
	}
	text = text[n:]
	// Version 3 has its key derivation between the blobs.
	if i := bytes.Index(text, []byte("Key-Derivation:")); i >= 0 {
		text = text[:i]
	}
	var out [][]byte
	for _, chars := range bodies(text, prefix) {
		if d := decode(chars); len(d) > 0 {
			out = append(out, d)
		}
	}
	return out
}
