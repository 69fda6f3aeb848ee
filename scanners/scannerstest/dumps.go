package scannerstest

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// Dumps are a content as dumps show it, by the name of the tool: numbers, and beside
// them the text.
func Dumps(content []byte) map[string]string {
	row := func(per int, line func(at int, part []byte) string) string {
		var b strings.Builder
		for at := 0; at < len(content); at += per {
			b.WriteString(line(at, content[at:min(len(content), at+per)]) + "\n")
		}
		return b.String()
	}
	text := func(part []byte) string {
		return strings.Map(func(r rune) rune {
			if r < ' ' || r > '~' {
				return '.'
			}
			return r
		}, string(part))
	}
	groups := func(part []byte, n int) string {
		var out []string
		for len(part) > n {
			out, part = append(out, hex.EncodeToString(part[:n])), part[n:]
		}
		return strings.Join(append(out, hex.EncodeToString(part)), " ")
	}
	return map[string]string{
		"xxd":        row(16, func(at int, p []byte) string { return fmt.Sprintf("%08x: %-39s  %s", at, groups(p, 2), text(p)) }),
		"xxd -c 32":  row(32, func(at int, p []byte) string { return fmt.Sprintf("%08x: %-79s  %s", at, groups(p, 2), text(p)) }),
		"xxd -g1":    row(16, func(at int, p []byte) string { return fmt.Sprintf("%08x: %-47s  %s", at, groups(p, 1), text(p)) }),
		"hexdump -C": row(16, func(at int, p []byte) string { return fmt.Sprintf("%08x  %-47s  |%s|", at, groups(p, 1), text(p)) }),
		"od -t x1z":  row(16, func(at int, p []byte) string { return fmt.Sprintf("%07o %-47s  >%s<", at, groups(p, 1), text(p)) }),
		"tcpdump -X": row(16, func(at int, p []byte) string { return fmt.Sprintf("\t0x%04x:  %-39s  %s", at, groups(p, 2), text(p)) }),
		"curl":       row(16, func(at int, p []byte) string { return fmt.Sprintf("%04x: %-47s %s", at, groups(p, 1), text(p)) }),
		"strace": row(16, func(at int, p []byte) string {
			return fmt.Sprintf(" | %05x  %-48s  %-16s |", at, groups(p, 1), text(p))
		}),
		"Netty": row(16, func(at int, p []byte) string { return fmt.Sprintf("|%08x| %-47s |%-16s|", at, groups(p, 1), text(p)) }),
		"od -t d1z": row(16, func(at int, p []byte) string {
			return fmt.Sprintf("%07o%s  >%s<", at, strings.Trim(fmt.Sprintf("%4d", p), "[]"), text(p))
		}),
	}
}

// Shows is a piece of a value that a text shows, as it is or in hexadecimal; empty where
// there is none so long. Marks for what was taken out should not be in the text.
func Shows(text, value string, least int) string {
	digits := strings.NewReplacer(" ", "", ":", "", "-", "").Replace(strings.ToLower(text))
	for i := 0; i+least <= len(value); i++ {
		piece := value[i : i+least]
		if strings.Contains(text, piece) || strings.Contains(digits, hex.EncodeToString([]byte(piece))) {
			return piece
		}
	}
	return ""
}
