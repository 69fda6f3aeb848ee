package recall_test

import (
	"slices"

	"golang.org/x/text/unicode/norm"
)

// which says what values a row is for.
type which int

const (
	everyValue which = iota
	onlyKeys
	noKeys
)

// where says what columns a row is for.
type where int

const (
	everywhere where = iota
	noText           // binary data stands in no text
)

// row is one encoding.
type row struct {
	group, name string
	code        coder
	// exact: the hit's span is the encoded value, to the byte.
	exact bool
	// gutter: the text also stands beside its digits, where it is another copy.
	gutter bool
	// bare: nothing is left of what a rule goes by.
	bare bool
	// sure: put together by guessing, which only a matcher that confirms what
	// it finds may report.
	sure   bool
	keys   which
	text   where
	number int // in the list
}

func groups() map[string]string {
	return map[string]string{
		"raw": "raw", "base64": "base64", "hex": "hex and dumps", "escapes": "escapes", "wide": "UTF-16",
		"other": "other encodings", "lists": "lists of numbers", "broken": "broken and put together", "layers": "layers",
		"private keys": "private keys", "more": "patches, base85, records and documents",
		"dumps":     "dumps of debuggers and libraries, blanks for line ends, characters of no width",
		"signs":     "signs that are doubled or spelled out, and letters by their numbers",
		"spellings": "the same value in another spelling",
	}
}

// quoted are what commonly stands around a value.
func quoted() coder {
	return frames(`password: "`, "\"\n", "KEY=", "\n", "(", ")", "<", ">", "\n", "\n", "token ", " ", "'", "'", "`", "`", "[", "]", "v=", "; ")
}

// rows lists every encoding.
func rows() []row {
	return slices.Concat(
		group("raw", rawRows()), group("base64", base64Rows()), group("hex", hexRows()), group("escapes", escapeRows()),
		group("wide", wideRows()), group("other", otherRows()), group("lists", listRows()), group("broken", brokenRows()),
		group("layers", layerRows()), armourRows(), group("more", moreRows()), group("dumps", dumpRows()), group("signs", signRows()),
		group("spellings", spellingRows()),
	)
}

func group(name string, list []row) []row {
	for i := range list {
		list[i].group = name
	}
	return list
}

func rawRows() []row {
	return []row{
		{name: "as it is", code: chain(plain(), quoted()), exact: true},
		{name: "hard against letters", code: frame("xK7", "q0"), exact: true, bare: true, keys: noKeys},
		{name: "Windows line ends", code: chain(windows(), quoted()), exact: true, sure: true},
		{name: "in a sentence", code: chain(around(60), frame("\n", "\n")), exact: true},
	}
}

func base64Rows() []row {
	std := func(k int) coder { return chain(aligned(k, 3), base64Std(), quoted()) }
	larger := func(width int, sep string) coder {
		return chain(around(300), base64Std(), wrapped(width, sep), frame("\n", "\n\n"))
	}
	return []row{
		{name: "standard, padded", code: chain(base64Std(), quoted()), exact: true},
		{name: "standard, not padded", code: chain(base64StdRaw(), quoted()), exact: true},
		{name: "URL, padded", code: chain(base64URL(), quoted()), exact: true},
		{name: "URL, not padded", code: chain(base64URLRaw(), quoted()), exact: true},
		{name: "in a larger text, 0 of 3", code: std(0), exact: true},
		{name: "in a larger text, 1 of 3", code: std(1), exact: true},
		{name: "in a larger text, 2 of 3", code: std(2), exact: true},
		{name: "in a larger text, URL", code: chain(around(100), base64URLRaw(), quoted()), exact: true},
		{name: "with a line break behind", code: chain(frame("", "\n"), base64Std(), quoted()), exact: true},
		{name: "in a path", code: chain(base64URLRaw(), frame("GET /v1/", "/items HTTP/1.1\n")), exact: true},
		{name: "wrapped at 64", code: larger(64, "\n"), exact: true},
		{name: "wrapped at 76", code: larger(76, "\n"), exact: true},
		{name: "wrapped at 64, CRLF", code: larger(64, "\r\n"), exact: true},
		{name: "wrapped at 76, CRLF", code: larger(76, "\r\n"), exact: true},
		{name: "wrapped at 76, indented", code: chain(around(300), base64Std(), wrapped(76, "\n    "), frame("data: |\n    ", "\nnext: 1\n")), exact: true},
		{name: "wrapped at 76, tabs", code: chain(around(300), base64Std(), wrapped(76, "\n\t\t"), frame("\t\t", "\n")), exact: true},
		{name: "wrapped at 76, literal \\n", code: chain(around(300), base64Std(), wrapped(76, `\n`), frame(`"`, `"`)), exact: true},
		{name: "wrapped, LDIF", code: chain(around(200), base64Std(), wrapped(60, "\n "), frame("userPassword:: ", "\nuid: x\n")), exact: true},
		{name: "twice", code: chain(base64Std(), base64Std(), quoted())},
		{name: "twice, in larger texts", code: chain(around(50), base64Std(), around(50), base64Std(), quoted())},
		{name: "twice, wrapped inside", code: chain(around(200), base64Std(), wrapped(76, "\n"), base64Std(), quoted())},
		{name: "twice, wrapped both times", code: chain(around(200), base64Std(), wrapped(76, "\n"), base64Std(), wrapped(76, "\n"), frame("\n", "\n"))},
		{name: "URL, twice", code: chain(base64URLRaw(), base64URLRaw(), quoted())},
		{name: "three times", code: chain(base64Std(), base64Std(), base64Std(), quoted())},
		{name: "three times, line breaks behind", code: chain(frame("", "\n"), base64Std(), frame("", "\n"), base64Std(), frame("", "\n"), base64Std(), quoted())},
		{name: "Docker auth", code: chain(frame("deploy:", ""), base64Std(), frame(`{"auths":{"registry.example.org":{"auth":"`, `"}}}`)), exact: true, keys: noKeys},
		{name: "Docker auth in a Secret", code: chain(frame("deploy:", ""), base64Std(), frame(`{"auths":{"registry.example.org":{"auth":"`, `"}}}`), base64Std(), frame("  .dockerconfigjson: ", "\n"))},
		{name: "Basic header", code: chain(frame("ci:", ""), base64Std(), frame("Authorization: Basic ", "\r\n")), exact: true, keys: noKeys},
		{name: "percent-encoded", code: chain(around(20), base64Std(), escaping("+", "%2B", "/", "%2F", "=", "%3D"), frame("?t=", "&x=1")), exact: true},
		{name: "JSON with \\/", code: chain(around(20), base64Std(), escaping("/", `\/`, "+", `\u002b`, "=", `\u003d`), frame(`"t":"`, `"`)), exact: true},
		{name: "data URL", code: chain(base64Std(), frame("data:text/plain;base64,", ")")), exact: true},
		{name: "of UTF-16", code: chain(around(30), frame("password: ", ""), utf16LE(), base64Std(), quoted())},
		{name: "of hex", code: chain(list("%02x", "", 0, ""), base64Std(), quoted())},
		{name: "of JSON", code: chain(jsonString(), frame(`{"v":"`, `"}`), base64Std(), quoted())},
		{name: "of percent-encoded", code: chain(percentQuery(), frame("a=b&p=", "&c=d"), base64Std(), quoted())},
	}
}

func hexRows() []row {
	return []row{
		{name: "lower case", code: chain(list("%02x", "", 0, ""), quoted()), exact: true},
		{name: "upper case", code: chain(list("%02X", "", 0, ""), quoted()), exact: true},
		{name: "in a larger text", code: chain(around(80), list("%02x", "", 0, ""), quoted()), exact: true},
		{name: "wrapped at 64", code: chain(around(100), list("%02x", "", 32, ""), frame("\n", "\n")), exact: true},
		{name: "one number", code: chain(list("%02x", "", 0, ""), frame("x = 0x", ";")), exact: true},
		{name: "SQL literal", code: chain(list("%02X", "", 0, ""), frame("VALUES (X'", "')")), exact: true},
		{name: "PostgreSQL bytea", code: chain(list("%02x", "", 0, ""), frame(`\x`, "\n")), exact: true},
		{name: "\\x", code: chain(list(`\x%02x`, "", 0, ""), quoted()), exact: true},
		{name: "\\x, upper case", code: chain(list(`\x%02X`, "", 0, ""), quoted()), exact: true},
		{name: "0x list", code: chain(list("0x%02x", ", ", 0, ""), frame("{ ", " }"))},
		{name: "0x list, no blanks", code: chain(list("0x%02X", ",", 0, ""), frame("[", "]"))},
		{name: "0x list, rows", code: chain(around(40), list("0x%02x", ", ", 12, "  "), frame("k[] = {\n  ", "\n};\n"))},
		{name: "colons", code: chain(list("%02x", ":", 0, ""), quoted())},
		{name: "colons, rows", code: chain(around(40), list("%02x", ":", 15, "    "), frame("priv:\n    ", "\n"))},
		{name: "blanks", code: chain(list("%02x", " ", 0, ""), quoted())},
		{name: "dashes", code: chain(list("%02X", "-", 0, ""), quoted())},
		{name: "commas, Windows registry", code: chain(around(60), utf16LE(), list("%02x", ",", 25, "  "), escaping("\n", "\\\n"), frame(`"k"=hex(2):`, "\n"))},
		{name: "xxd", gutter: true, code: chain(around(60), xxd(), frame("$ xxd f\n", ""))},
		{name: "xxd -p", code: chain(around(100), list("%02x", "", 30, ""), frame("\n", "\n")), exact: true},
		{name: "hexdump -C", gutter: true, code: chain(around(60), hexdumpC(), frame("$ hexdump -C f\n", ""))},
		{name: "hexdump", code: chain(around(60), hexdumpWords(), frame("$ hexdump f\n", ""))},
		{name: "od -t x1", code: chain(around(60), odHex(), frame("\n", ""))},
		{name: "od -A x -t x1z", gutter: true, code: chain(around(60), odHexChars(), frame("\n", ""))},
		{name: "od -b", code: chain(around(60), odOctal(), frame("\n", ""))},
		{name: "od -c", code: chain(around(60), odChars(), frame("\n", ""))},
		{name: "Format-Hex", gutter: true, code: chain(around(60), formatHex(), frame("\n", ""))},
		{name: "certutil -encodehex", gutter: true, code: chain(around(60), certutil(), frame("\n", ""))},
		{name: "twice", code: chain(list("%02x", "", 0, ""), list("%02x", "", 0, ""), quoted())},
	}
}

func escapeRows() []row {
	str := frames(`{"k":"`, `"}`, `"k": "x `, ` y",`+"\n", `["`, `"]`)
	return []row{
		{name: "percent, query", code: chain(percentQuery(), frame("?k=", "&x=1")), exact: true},
		{name: "percent, path", code: chain(percentPath(), frame("/a/", "/b ")), exact: true},
		{name: "percent, full", code: chain(percentFull("%%%02X"), frame("?k=", "&x=1")), exact: true},
		{name: "percent, full, lower case", code: chain(percentFull("%%%02x"), frame("?k=", "&x=1")), exact: true},
		{name: "percent, twice", code: chain(percentQuery(), percentQuery(), frame("?k=", "&x=1")), exact: true},
		{name: "percent, full, twice", code: chain(percentFull("%%%02X"), percentQuery(), frame("?k=", "&x=1"))},
		{name: "URL user-info", code: chain(userInfo(), frame("postgres://app:", "@db.example.org:5432/shop\n")), exact: true},
		{name: "JSON", code: chain(jsonString(), str), exact: true},
		{name: "JSON, twice", code: chain(jsonString(), frame(`{"k":"`, `"}`), jsonString(), frame(`{"m":"`, `"}`)), exact: true},
		{name: "JSON, three times", code: chain(jsonString(), frame(`{"k":"`, `"}`), jsonString(), frame(`{"m":"`, `"}`), jsonString(), frame(`{"n":"`, `"}`)), exact: true},
		{name: "JSON with \\/", code: chain(jsonSlashes(), str), exact: true},
		{name: "JSON of Go", code: chain(jsonGo(), str), exact: true},
		{name: "JSON, ASCII only", code: chain(jsonASCII(), str), exact: true},
		{name: "JSON, \\u0041 for all", code: chain(jsonFull(), str), exact: true},
		{name: "JSON, \\u00AF for all", code: chain(jsonFullUpper(), str), exact: true},
		{name: "shell, single quotes", code: chain(shellSingle(), frame("export K='", "'\n")), exact: true},
		{name: "shell, double quotes", code: chain(shellDouble(), frame(`export K="`, "\"\n")), exact: true},
		{name: "shell, $'...'", code: chain(shellANSI(), frame("K=$'", "'\n")), exact: true},
		{name: "shell, printf %q", code: chain(shellOctal(), frame("K=$'", "'\n")), exact: true},
		{name: "shell, backslashes", code: chain(shellSlashes(), frame("export K=", "\n")), exact: true},
		{name: "shell in JSON", code: chain(shellSingle(), frame("K='", "'"), jsonString(), frame(`{"run":"`, `"}`))},
		{name: "PowerShell, backticks", code: chain(line(protected("`", "`$\"")), frame(`$k = "`, "\"\n")), exact: true},
		{name: "cmd, carets", code: chain(line(protected("^", "^&|<>")), frame("set K=", "\r\n")), exact: true},
		{name: "SQL", code: chain(escaping("'", "''"), frame("IDENTIFIED BY '", "';\n")), exact: true},
		{name: "MySQL", code: chain(escaping("'", `\'`, `"`, `\"`, `\`, `\\`, "\n", `\n`), frame("VALUES ('", "');\n")), exact: true},
		{name: "YAML, single quotes", code: chain(line(escaping("'", "''")), frame("k: '", "'\n")), exact: true},
		{name: "YAML, double quotes", code: chain(jsonString(), frame(`k: "`, "\"\n")), exact: true},
		{name: "YAML, folded", code: chain(foldedAtSpaces("    "), frame("k: >-\n    ", "\nm: 1\n")), exact: true},
		{name: "YAML, block", code: chain(indented("    "), frame("k: |\n", "\nm: 1\n"))},
		{name: "TOML and INI", code: chain(line(plain()), frame("k = '''", "'''\n")), exact: true},
		{name: "CSV", code: chain(escaping(`"`, `""`), frame(`1,"`, `",x`+"\n")), exact: true},
		{name: "properties", code: chain(properties(), frame("db.password=", "\n")), exact: true},
		{name: "C string", code: chain(cString(), frame(`char *k = "`, "\";\n")), exact: true},
		{name: "octal for all", code: chain(eachByte(octal), frame(`"`, `"`)), exact: true},
		{name: "PHP, single quotes", code: chain(protected(`\`, `'\`), frame("$k = '", "';\n")), exact: true},
		{name: "regular expression", code: chain(line(protected(`\`, `\.+*?()|[]{}^$`)), frame("/^", "$/")), exact: true},
		{name: "HTML, named", code: chain(htmlNamed(), frame("<td>", "</td>")), exact: true},
		{name: "HTML of Go", code: chain(htmlGo(), frame(`<input value="`, `">`)), exact: true},
		{name: "HTML, decimal for all", code: chain(htmlNumeric("&#%d;"), frame("<td>", "</td>")), exact: true},
		{name: "HTML, hexadecimal for all", code: chain(htmlNumeric("&#x%x;"), frame("<td>", "</td>")), exact: true},
		{name: "HTML in JSON", code: chain(htmlNamed(), jsonString(), str), exact: true},
		{name: "CDATA", code: chain(plain(), frame("<![CDATA[", "]]>")), exact: true},
	}
}

func signRows() []row {
	return []row{
		{name: "$ doubled", code: chain(line(doubling("$")), frame("      PASSWORD: ", "\n")), sure: true},
		{name: "$ and % doubled, systemd", code: chain(line(doubling("$%")), frame("ExecStart=/bin/app -p \"", "\"\n")), sure: true},
		{name: "percent, % doubled", code: chain(userInfo(), escaping("%", "%%"), frame("url = postgres://app:", "@db.example.org/shop\n")), sure: true},
		{name: "{ and } doubled", code: chain(line(doubling("{}")), frame("k = f\"", "\"\n")), sure: true},
		{name: "@ doubled", code: chain(line(doubling("@")), frame("text\n@k = ", "\n@\n")), sure: true},
		{name: "# doubled", code: chain(line(doubling("#")), frame("<cfset k=\"", "\">\n")), sure: true},
		{name: "$ in a literal of its own", code: chain(line(escaping("$", "${'$'}")), frame("val k = \"x", "\"\n")), sure: true},
		{name: "quotes by calls, SQL", code: chain(line(escaping("'", "'||CHR(39)||'")), frame("VALUES ('x", "');\n")), sure: true},
		{name: "quotes by calls, Basic", code: chain(line(escaping(`"`, `" & Chr(34) & "`)), frame(`k = "x`, "\"\r\n")), sure: true},
		{name: "quotes by calls, PHP", code: chain(line(escaping("'", "'.chr(39).'")), frame("$k = 'x", "';\n")), sure: true},
		{name: "characters as \\xFC", code: chain(line(foreignAs(`\x%02X`, `\u%04X`)), frame(`k: "`, "\"\n")), sure: true},
		{name: "characters as \\x{fc}", code: chain(line(foreignAs(`\x{%x}`, `\x{%x}`)), frame(`k => "`, "\",\n"))},
		{name: "escape() of JavaScript", code: chain(foreignAs("%%%02X", "%%u%04X", "%;= &<>\"'\\"), frame("k=", ";\n")), sure: true},
		{name: "LDAP, small letters", code: chain(foreignBytes(`\%02x`), frame("k=", ",o=x\n")), sure: true},
		{name: "bytes as #303", code: chain(foreignBytes("#%03o"), frame("k=", ";\n")), sure: true},
		{name: "marks apart from letters", code: chain(eachRune(func(r rune) string { return norm.NFD.String(string(r)) }), frame("k=", ";\n")), sure: true},
	}
}

func wideRows() []row {
	return []row{
		{name: "LE", code: chain(around(30), utf16LE(), frame("\r\n", "\r\n"))},
		{name: "BE", code: chain(around(30), utf16BE(), frame("\n", "\n"))},
		{name: "LE with mark", code: chain(around(30), utf16LE(), frame("\n\xff\xfe", "\n"))},
		{name: "BE with mark", code: chain(around(30), utf16BE(), frame("\n\xfe\xff", "\n"))},
		{name: "LE, nothing around", code: chain(utf16LE(), frame("\x00\x00", "\x00\x00"))},
		{name: "BE, nothing around", code: chain(utf16BE(), frame("\x01\x02", "\x00\x00"))},
		{name: "LE of base64", code: chain(around(10), base64Std(), frame("k: ", "\r\n"), utf16LE(), frame("\n", "\n"))},
		{name: "LE of JSON", code: chain(jsonString(), frame(`{"k":"`, `"}`), utf16LE(), frame("\n", "\n"))},
		{name: "PowerShell's encoded command", code: powershell()},
	}
}

func otherRows() []row {
	return []row{
		{name: "quoted-printable", code: chain(quotedPrintable("\r\n"), frame("\r\n", "\r\n"))},
		{name: "quoted-printable, LF", code: chain(quotedPrintable("\n"), frame("\n", "\n"))},
		{name: "base32, padded", code: chain(base32Std(), quoted())},
		{name: "base32, not padded", code: chain(base32Raw(), quoted())},
		{name: "base32, lower case", code: chain(base32Lower(), quoted())},
		{name: "base32 in a larger text", code: chain(around(40), base32Std(), quoted())},
		{name: "uuencode", code: chain(around(60), uuencode(), frame("\n", ""))},
	}
}

func octal(_ int, b byte) string { return "\\" + string([]byte{'0' + b>>6, '0' + b>>3&7, '0' + b&7}) }

func listRows() []row {
	return []row{
		{name: "JSON Buffer", code: chain(list("%d", ",", 0, ""), frame(`{"type":"Buffer","data":[`, `]}`))},
		{name: "JSON Buffer, one a line", code: chain(list("%d", ",", 1, "    "), frame("{\n  \"type\": \"Buffer\",\n  \"data\": [\n    ", "\n  ]\n}\n"))},
		{name: "Go", code: chain(list("%d", ", ", 0, ""), frame("[]byte{", "}\n"))},
		{name: "Go's %v", code: chain(list("%d", " ", 0, ""), frame("[", "]\n"))},
		{name: "Go, hexadecimal rows", code: chain(around(30), list("0x%02x", ", ", 8, "\t"), frame("[]byte{\n\t", ",\n}\n"))},
		{name: "Java, signed", code: chain(signed(", "), frame("new byte[] {", "};\n"))},
		{name: "Python", code: chain(list("%d", ", ", 0, ""), frame("bytes([", "])\n"))},
		{name: "chr()", code: chain(list("chr(%d)", " + ", 0, ""), frame("k = ", "\n"))},
		{name: "chr() of PHP", code: chain(list("chr(%d)", ".", 0, ""), frame("$k = ", ";\n"))},
		{name: "fromCharCode", code: chain(list("%d", ",", 0, ""), frame("String.fromCharCode(", ");\n"))},
		{name: "[char] of PowerShell", code: chain(list("[char]%d", "+", 0, ""), frame("$k = ", "\n"))},
		{name: "character literals", code: chain(quotedChars(), frame("char k[] = {", "};\n"))},
	}
}

func brokenRows() []row {
	out := []row{
		{name: "a line break", code: chain(line(textOnly(broken(1, choice("\n", "\r\n"), solidly))), frame("key: ", "\n")), sure: true},
		{name: "a line break and blanks", code: chain(line(textOnly(broken(1, choice("\n    ", "\n\t", "\r\n  "), solidly))), frame("    key: ", "\n")), sure: true},
		{name: "log lines behind timestamps", code: chain(line(plain()), prefixed(prefixes(), 40)), sure: true},
		{name: "base64 lines behind timestamps", code: chain(around(200), base64Std(), wrapped(76, "\n"), prefixed(prefixes(), 0))},
		{name: "base64 lines in a patch, mail or comment", code: chain(around(200), base64Std(), wrapped(76, "\n"), prefixed(quoting(), 0))},
		{name: "dump behind timestamps", gutter: true, code: chain(around(60), hexdumpC(), prefixed(prefixes(), 0)), sure: true},
		{name: "json-file of Docker, split", code: dockerSplit(), sure: true},
		{name: "CRI log, split", code: criSplit(), sure: true},
		{name: "control sequences", code: chain(terminal(), quoted())},
		{name: "control sequences in JSON", code: terminalEscaped()},
		{name: "control sequences in base64", code: chain(around(20), base64Std(), terminal(), frame("k: ", "\n"))},
		{name: "tags", code: chain(line(tagged()), frame("<p>", "</p>\n")), sure: true},
	}
	for _, l := range languages() {
		out = append(out, row{name: "concatenated, " + l.name, code: l.concatenated(), sure: true, keys: noKeys})
	}
	return out
}

func layerRows() []row {
	doc := frame(`{"user":"x","password":"`, `"}`)
	return []row{
		{name: "gzip in base64", code: chain(around(200), gzipped(), base64Std(), quoted())},
		{name: "gzip in base64, wrapped", code: chain(around(400), gzipped(), base64Std(), wrapped(76, "\n"), frame("\n", "\n"))},
		{name: "zlib in base64", code: chain(around(200), zlibbed(), base64Std(), quoted())},
		{name: "zlib in base64url", code: chain(around(200), zlibbed(), base64URLRaw(), quoted())},
		{name: "gzip in base64 in JSON", code: chain(jsonString(), doc, gzipped(), base64Std(), frame(`{"payload":"`, `"}`))},
		{name: "gzip in hex", code: chain(around(100), gzipped(), list("%02x", "", 0, ""), quoted())},
		{name: "Helm release", code: helmRelease()},
		{name: "JWT claims", code: webToken()},
		{name: "JWT claims in JSON in base64", code: chain(webToken(), frame(`{"t":"`, `"}`), base64Std(), quoted())},
		{name: "two at random", code: layered(2)},
		{name: "three at random", code: layered(3)},
	}
}
