package recall_test

import (
	"encoding/pem"
	"fmt"
	"math/rand/v2"
	"strings"
)

// pemText lays a file of one armoured key out anew.
func pemText(lay func(head, body, foot string) string) coder {
	return func(_ *rand.Rand, in []byte) (coded, bool) {
		block, _ := pem.Decode(in)
		if block == nil {
			return coded{}, false
		}
		lines := strings.Split(strings.TrimSpace(string(in)), "\n")
		end := len(lines) - 1
		var m maker
		m.carry(len(in), lay(lines[0], strings.Join(lines[1:end], ""), lines[end]))
		return m.coded, true
	}
}

// perLine puts a text before and after every line of the file.
func perLine(before, after string) coder {
	return pemText(func(head, body, foot string) string {
		var b strings.Builder
		for _, l := range strings.Split(head+"\n"+cut(body, 64, "\n")+"\n"+foot, "\n") {
			b.WriteString(before + l + after)
		}
		return b.String()
	})
}

// cut breaks s into lines.
func cut(s string, width int, sep string) string {
	var b strings.Builder
	for len(s) > width {
		b.WriteString(s[:width] + sep)
		s = s[width:]
	}
	return b.String() + s
}

// rewrapped is the file with other line breaks, also between the armour and
// the body.
func rewrapped(width int, sep string) coder {
	return pemText(func(head, body, foot string) string { return head + sep + cut(body, width, sep) + sep + foot })
}

// bodyOnly is the file without its first and last line.
func bodyOnly(width int, sep string) coder {
	return pemText(func(_, body, _ string) string { return cut(body, width, sep) })
}

// der is what the armour holds.
func der() coder {
	return func(_ *rand.Rand, in []byte) (coded, bool) {
		block, _ := pem.Decode(in)
		if block == nil {
			return coded{}, false
		}
		var m maker
		m.carry(len(in), string(block.Bytes))
		return m.coded, true
	}
}

// armourRows are what becomes of private keys and nothing else.
func armourRows() []row {
	rows := []row{
		{name: "literal \\n", code: chain(escaping("\n", `\n`), frame(`KEY="`, "\"\n"))},
		{name: "literal \\r\\n", code: chain(escaping("\n", `\r\n`), frame(`KEY="`, "\"\n"))},
		{name: "literal \\\\n", code: chain(escaping("\n", `\\n`), frame(`{"key":"{\"k\":\"`, `\"}"}`))},
		{name: "CRLF", code: chain(escaping("\n", "\r\n"))},
		{name: "indented", code: chain(frame("  key: |\n", ""), indented("    "), frame("", "\nnext: 1\n"))},
		{name: "indented with tabs", code: indented("\t\t")},
		{name: "folded: blanks for line breaks", code: chain(rewrapped(64, " "), frame("KEY=", "\n"))},
		{name: "blank lines between", code: rewrapped(64, "\n\n")},
		{name: "one line", code: chain(rewrapped(1<<20, ""), frame("KEY=", "\n"))},
		{name: "body on one line", code: rewrapped(1<<20, "\n")},
		{name: "body only", code: chain(bodyOnly(64, "\n"), frame("\n", "\n")), bare: true},
		{name: "body only, one line", code: chain(bodyOnly(1<<20, ""), frame(`"key": "`, "\"\n")), bare: true},
		{name: "body only, indented", code: chain(bodyOnly(64, "\n      "), frame("key: >\n      ", "\n")), bare: true},
		{name: "re-wrapped at 76", code: rewrapped(76, "\n")},
		{name: "re-wrapped at 32", code: rewrapped(32, "\n")},
		{name: "re-wrapped at 100, CRLF", code: rewrapped(100, "\r\n")},
		{name: "concatenated in source", code: chain(perLine(`    "`, "\\n\" +\n"), frame("String key =\n", "    \"\";\n")), sure: true},
		{name: "adjacent literals in source", code: chain(perLine(`    "`, "\\n\"\n"), frame("key = (\n", ")\n")), sure: true},
		{name: "list of lines", code: chain(perLine(`  "`, "\",\n"), frame("[\n", "  \"\"\n]\n")), sure: true},
		{name: "heredoc of echo", code: perLine(`echo "`, "\" >> key.pem\n"), sure: true},
		{name: "lines behind timestamps", code: prefixed(prefixes(), 0), sure: true},
		{name: "lines in a patch, mail or comment", code: prefixed(quoting(), 0), sure: true},
		{name: "HTML line breaks", code: chain(rewrapped(64, "<br>\n"), frame("<pre>", "</pre>")), sure: true},
		{name: "XML", code: chain(escaping("\n", "&#10;"), frame(`<key value="`, `"/>`))},
		{name: "DER", code: chain(der(), frame("\x00\x00", "\x00\x00")), bare: true, text: noText},
		{name: "DER in hex", code: chain(der(), list("%02x", "", 0, ""), frame(`"`, `"`)), bare: true},
		{name: "DER as C array", code: chain(der(), list("0x%02x", ", ", 12, "  "), frame("unsigned char k[] = {\n  ", "\n};\n")), bare: true},
		{name: "DER in base64url", code: chain(der(), base64URLRaw(), frame(`"`, `"`)), bare: true},
		{name: "DER, hexdump -C", code: chain(der(), hexdumpC(), frame("$ hexdump -C k\n", "")), bare: true},
	}
	for i := range rows {
		rows[i].group, rows[i].keys = "private keys", onlyKeys
		rows[i].name = fmt.Sprintf("PEM, %s", rows[i].name)
	}
	return rows
}
