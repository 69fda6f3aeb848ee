package privatekeys

import (
	"bytes"
	"strings"
)

// armour is a block between a header and a footer of dashes.
type armour struct {
	start, end int    // the whole, with header and footer
	label      string // "RSA PRIVATE KEY"
	body       []byte // what stands between, as it is
	prefix     []byte // what precedes the header on its line
	closed     bool   // there is a footer
}

const (
	minDashes = 4 // RFC 4716 has four, RFC 7468 five
	maxLabel  = 64
	maxPrefix = 128
)

// armourAt reads the block whose header has BEGIN at the position.
func armourAt(data []byte, at int) (armour, bool) {
	i := at
	if i > 0 && data[i-1] == ' ' {
		i--
	}
	dashes := 0
	for i > 0 && data[i-1] == '-' && dashes < 5 {
		i--
		dashes++
	}
	if dashes < minDashes {
		return armour{}, false
	}
	label, n := labelOf(data[at+len("BEGIN"):])
	if label == "" {
		return armour{}, false
	}
	from := at + len("BEGIN") + n
	a := armour{start: i, label: label, prefix: linePrefix(data, i)}
	limit := min(len(data), from+MaxArmoured)
	stop := bytes.Index(data[from:limit], []byte("----"))
	if stop < 0 {
		a.end = min(limit, from+MaxContainer)
		a.body = data[from:a.end]
		return a, true
	}
	a.end = from + stop
	a.body = data[from:a.end]
	foot := a.end
	for foot < len(data) && (data[foot] == '-' || data[foot] == ' ') && foot < a.end+8 {
		foot++
	}
	if bytes.HasPrefix(data[foot:], []byte("END")) {
		if same, n := labelOf(data[foot+3:]); same == label {
			a.end, a.closed = foot+3+n, true
		}
	}
	return a, true
}

// labelOf reads " RSA PRIVATE KEY-----" and says how long it is. In query
// strings a space is + or %20.
func labelOf(b []byte) (string, int) {
	var label []byte
	i := 0
	for i < len(b) && len(label) < maxLabel {
		switch c := b[i]; {
		case c >= 'A' && c <= 'Z' || c >= '0' && c <= '9':
			label = append(label, c)
		case c == ' ' || c == '+':
			label = append(label, ' ')
		case bytes.HasPrefix(b[i:], []byte("%20")):
			label = append(label, ' ')
			i += 2
		case c == '-':
			from := i
			for i < len(b) && b[i] == '-' && i < from+5 {
				i++
			}
			if i-from < minDashes || label == nil {
				return "", 0
			}
			return strings.TrimSpace(string(label)), i
		default:
			return "", 0
		}
		i++
	}
	return "", 0
}

// linePrefix is what precedes the position on its line; a line may begin
// behind an escaped break.
func linePrefix(data []byte, at int) []byte {
	from := max(0, at-maxPrefix)
	line := data[from:at]
	if i := bytes.LastIndexByte(line, '\n'); i >= 0 {
		line = line[i+1:]
	}
	for _, escaped := range []string{`\n`, `\r`} {
		if i := bytes.LastIndex(line, []byte(escaped)); i >= 0 {
			line = line[i+2:]
		}
	}
	return plain(line)
}

// open reports whether armour of this label holds nothing that is kept
// secret.
func open(label string) bool {
	if strings.Contains(label, "PRIVATE") {
		return false
	}
	for _, word := range []string{"CERTIFICATE", "PUBLIC", "PARAMETERS", "CRL", "SIGNATURE", "SIGNED", "REQUEST"} {
		if strings.Contains(label, word) {
			return true
		}
	}
	return false
}

// fromArmour reads the key, or the body, of a block.
func (r *reading) fromArmour(a armour) (Key, bool) {
	if open(a.label) {
		return Key{}, false
	}
	var first, whole []byte
	for _, chars := range bodies(a.body, a.prefix) {
		body := decode(chars)
		if len(body) < 16 {
			continue
		}
		k, n, f := r.fromBinary(body)
		switch {
		case f == isKey:
			return k, true
		case f == foreign && whole == nil:
			whole = body[:n]
		case first == nil:
			first = body
		}
	}
	switch {
	case whole != nil:
		return armoured(whole), true
	case first == nil || !a.closed:
		return Key{}, false
	case binaryLabel(a.label) && !bytes.Contains(a.body, []byte("ENCRYPTED")):
		return Key{}, false // it would have been read: it is no whole key
	}
	return armoured(first), true
}

// binaryLabel reports whether the body is DER or OpenSSH's format, so that
// what cannot be read is broken.
func binaryLabel(label string) bool {
	switch label {
	case "PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "DSA PRIVATE KEY",
		"OPENSSH PRIVATE KEY", "PKCS12":
		return true
	}
	return false
}

// fromBinary reads the container at the start of decoded bytes.
func (r *reading) fromBinary(b []byte) (Key, int, fate) {
	if bytes.HasPrefix(b, []byte(sshMagic)) {
		return r.fromOpenSSH(b)
	}
	return r.fromDER(b)
}
