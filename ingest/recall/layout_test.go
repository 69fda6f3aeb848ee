package recall_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
)

// prefix is what a program puts before every line of a log.
type prefix func(r *rand.Rand, line int) string

func prefixes() map[string]prefix {
	clock := func(r *rand.Rand, n int) (int, int, int) { return r.IntN(24), r.IntN(60), (n*7 + r.IntN(7)) % 60 }
	return map[string]prefix{
		"GitHub Actions": func(r *rand.Rand, n int) string {
			h, m, s := clock(r, n)
			return fmt.Sprintf("2026-05-06T%02d:%02d:%02d.%07dZ ", h, m, s, r.IntN(1e7))
		},
		"kubectl": func(r *rand.Rand, n int) string {
			h, m, s := clock(r, n)
			return fmt.Sprintf("[pod/shop-7c9f/app] 2026-05-06T%02d:%02d:%02d.%09dZ ", h, m, s, r.IntN(1e9))
		},
		"compose": func(*rand.Rand, int) string { return "web-1  | " },
		"Jenkins": func(r *rand.Rand, n int) string {
			h, m, s := clock(r, n)
			return fmt.Sprintf("[2026-05-06T%02d:%02d:%02d.%03dZ] ", h, m, s, r.IntN(1000))
		},
		"syslog": func(r *rand.Rand, n int) string {
			h, m, s := clock(r, n)
			return fmt.Sprintf("May  6 %02d:%02d:%02d build-4 deploy[31337]: ", h, m, s)
		},
		"logger": func(r *rand.Rand, n int) string {
			h, m, s := clock(r, n)
			return fmt.Sprintf("%02d:%02d:%02d,%03d INFO  [main] c.e.Deploy - ", h, m, s, r.IntN(1000))
		},
		"GitLab": func(r *rand.Rand, n int) string {
			h, m, s := clock(r, n)
			return fmt.Sprintf("2026-05-06T%02d:%02d:%02d.%06dZ 00O ", h, m, s, r.IntN(1e6))
		},
	}
}

// quoting are prefixes of people's texts.
func quoting() map[string]prefix {
	return map[string]prefix{
		"patch":        func(*rand.Rand, int) string { return "+" },
		"mail":         func(*rand.Rand, int) string { return "> " },
		"comment":      func(*rand.Rand, int) string { return "# " },
		"slashes":      func(*rand.Rand, int) string { return "    // " },
		"star":         func(*rand.Rand, int) string { return " * " },
		"line numbers": func(_ *rand.Rand, n int) string { return fmt.Sprintf("%6d\t", 40+n) },
		"grep":         func(_ *rand.Rand, n int) string { return fmt.Sprintf("deploy/prod.env:%d:", 40+n) },
	}
}

// prefixed breaks the text into lines of a width (0: only where it has line
// breaks of its own) behind prefixes.
func prefixed(styles map[string]prefix, width int) coder {
	return textOnly(func(r *rand.Rand, in []byte) (coded, bool) {
		p := styles[pick(r, slices.Sorted(maps.Keys(styles)))]
		var m maker
		n, column := 0, 0
		begin := func() {
			m.raw(p(r, n))
			n++
			column = 0
		}
		begin()
		if width > 0 { // the text begins anywhere in the first line
			column = r.IntN(width)
			m.raw(prose(r, column) + " ")
		}
		for i, b := range in {
			if width > 0 && column >= width && b != '\n' && i > 0 && solidly(in, i) {
				m.raw("\n")
				begin()
			}
			m.carry(1, string([]byte{b}))
			column++
			if b == '\n' && i+1 < len(in) {
				begin()
			}
		}
		if n < 2 {
			return coded{}, false
		}
		m.raw("\n" + p(r, n) + "done\n")
		return m.coded, true
	})
}

func pick(r *rand.Rand, list []string) string { return list[r.IntN(len(list))] }

// dockerSplit is a line that docker's json-file driver broke in two: it does
// so every 16 KiB.
func dockerSplit() coder {
	const between = `","stream":"stdout","time":"2026-05-06T07:08:09.123456789Z"}` + "\n" + `{"log":"`
	cut := broken(1, always(between), betweenEscapes)
	return chain(jsonString(), cut, frame(`{"log":"`, `\n","stream":"stdout","time":"2026-05-06T07:08:09.123460001Z"}`+"\n"))
}

// criSplit is the same of containerd and CRI-O.
func criSplit() coder {
	const between = "\n2026-05-06T07:08:09.123460001Z stdout F "
	return line(chain(broken(1, always(between), anywhere), frame("2026-05-06T07:08:09.123456789Z stdout P ", "\n")))
}

// betweenEscapes is free where no escape of JSON is cut through.
func betweenEscapes(in []byte, i int) bool {
	return anywhere(in, i) && bytes.IndexByte(in[max(0, i-6):i], '\\') < 0
}

// noDocument reports whether b is text and shorter than a document.
func noDocument(b []byte) bool { return isText(b) && len(b) < 4<<10 }

// terminal breaks the text by control sequences.
func terminal() coder {
	return when(noDocument, broken(3, choice("\x1b[0m", "\x1b[31m", "\x1b[01;31m\x1b[K", "\x1b[m\x1b[K", "\x1b[38;5;214m", "\x1b[38;2;10;20;30m", "\x1b[1;4m", "\x1b(B\x1b[m"), anywhere))
}

// terminalEscaped is the same in a JSON log.
func terminalEscaped() coder {
	return chain(when(noDocument, jsonString()), broken(3, choice(`\u001b[0m`, `\u001b[1;31m`, `\u001b[K`), betweenEscapes), frame(`{"log":"`, `\n","stream":"stdout"}`+"\n"))
}

// tagged breaks the text by markup: highlighted search results, chat exports.
func tagged() coder {
	return broken(3, choice("<b>", "</b>", "<wbr>", `<span class="hl">`, "</span>", "<em>", "</em>", "<br/>"), func(in []byte, i int) bool {
		return betweenLetters(in, i)
	})
}

// language is how string literals are put together: what opens the first,
// stands between two and closes the last, and how their characters are escaped.
type language struct {
	name                   string
	before, between, after string
	literal                coder
}

func languages() []language {
	double, single := cString(), chain(line(plain()), protected(`\`, `'\`))
	simple := when(func(in []byte) bool { return isText(in) && !strings.ContainsAny(string(in), "\"'\\$`!\r\n") }, plain())
	return []language{
		{"JavaScript, Java, C#, Swift", `k = "`, `" + "`, `";`, jsonString()},
		{"Go", `k := "`, `" +` + "\n\t\t\"", `"`, double},
		{"plus first", `const k = '`, "'\n    + '", `';`, single},
		{"Python", `k = ("`, "\"\n     \"", `")`, jsonString()},
		{"Python, one line", `k = '`, `' '`, `'`, single},
		{"C", `char *k = "`, "\"\n    \"", `";`, double},
		{"PHP", `$k = '`, `' . '`, `';`, single},
		{"Perl", `my $k = "`, "\"\n  . \"", `";`, double},
		{"Lua", `local k = "`, `" .. "`, `"`, jsonString()},
		{"Visual Basic", `k = "`, "\" & _\n        \"", `"`, chain(line(textOnly(plain())), escaping(`"`, `""`))},
		{"Ruby", `k = "`, "\" \\\n    \"", `"`, double},
		{"Haskell", `k = "`, `" ++ "`, `"`, jsonString()},
		{"Elixir", `k = "`, `" <> "`, `"`, jsonString()},
		{"SQL", `SELECT '`, `' || '`, `';`, escaping(`'`, `''`)},
		{"Rust", `concat!("`, `", "`, `")`, jsonString()},
		{"joined list", `["`, `", "`, `"].join("")`, jsonString()},
		{"shell", `K='`, `''`, `'`, simple},
		{"shell, two quotes", `K="`, `"'`, `'`, simple},
		{"shell, continued", `K="`, "\\\n", `"`, shellDouble()},
		{"YAML, continued", `k: "`, "\\\n    ", `"`, jsonString()},
		{"C, continued", `#define K "`, "\\\n", `"`, double},
	}
}

// concatenated breaks a literal into a few.
func (l language) concatenated() coder {
	cuts := 3
	if l.between == `"'` { // the quotes change once
		cuts = 1
	}
	return chain(l.literal, broken(cuts, always(l.between), betweenLetters), frame(l.before, l.after+"\n"))
}

// helmRelease is how Helm keeps a release in a Secret: JSON, gzip, base64, and
// base64 once more because it is a Secret's data.
func helmRelease() coder {
	return chain(
		jsonString(), frame(`{"name":"shop","info":{"status":"deployed"},"config":{"db":{"password":"`, `"}},"manifest":"---\n# Source: shop/templates/a.yaml\napiVersion: v1\n"}`),
		gzipped(), base64Std(), base64Std(),
		frame("apiVersion: v1\ndata:\n  release: ", "\nkind: Secret\ntype: helm.sh/release.v1\n"),
	)
}

// webToken is a JWT whose claims hold the text.
func webToken() coder {
	header := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`))
	return func(r *rand.Rand, in []byte) (coded, bool) {
		signature := base64.RawURLEncoding.EncodeToString(random(r, 32))
		return chain(
			jsonString(), frame(`{"iss":"`+prose(r, r.IntN(9))+`","key":"`, `","exp":1893456000}`), base64URLRaw(),
			frame("Bearer "+header+".", "."+signature),
		)(r, in)
	}
}

// powershell is an encoded command.
func powershell() coder {
	return line(chain(
		escaping("'", "''"), frame("$p = '", "'; Connect-Server -Password $p"), utf16LE(), base64Std(),
		frame("powershell.exe -NoProfile -EncodedCommand ", "\r\n"),
	))
}
