package scan

import (
	"regexp"
	"strings"
	"sync"
	"unicode"
)

// hidden stands for what is not shown beside a hit.
const hidden = "[...]"

// ends are what may stand hard against a hit and is not of its value. What is shown
// elsewhere is as good: another hit, or what was hidden.
var ends = compiled(strings.Join([]string{
	"^\\\\{0,3}[\"'`»”’]{1,3}\\\\{0,3}(?:[\\])},;:!?>|/]|$)", // quotes, and what follows a literal
	"^[\\])},;.:!?>*_\"'`|%#-]+$",                            // nothing but signs
	`^(?:</|\]\]>|\\x1b|\x00)`,                               // a tag, a control sequence
	`^[,;|:]?\[(?:redacted|secret |\.\.\.)`,
	`^@[\w.-]+(?::\d+)?(?:[/?#"',;)\]}]|$)`,               // the host of a URL
	`^[&;,](?:amp;)?"?[\w.\[\]%-]{1,40}"?[=:]`,            // the next field
	`^\\{1,2}[nrt](?:[\w.-]{1,40}[=:]|[^\w]|$)|^,https?:`, // the next line, in a literal; a cell
}, "|"))

// What stands between literals that are one value.
var (
	joinsNext = compiled("^\\\\?[\"'`]\\s*(?:(?:\\|\\||[+&])\\s*[\"'`\\w$(]|\\.\\s?[\"'`$]|,?\\s*(?i:chr|char)\\s*\\()")
	joinsLast = compiled("[\"'`)]\\s*(?:\\|\\||[+.&])\\s*[\"'`]?$")
)

// compiled is an expression that is compiled when it is first asked: most scans show nothing.
func compiled(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}

// withoutRest hides what stands hard against a hit and may be of its value: where a value
// has itself the signs by which a rule tells its end, the rule is wrong.
func withoutRest(left, right string) (string, string) {
	word := right
	if n := strings.IndexFunc(right, unicode.IsSpace); n >= 0 {
		word = right[:n]
	}
	switch {
	case joinsNext().MatchString(right):
		right = hidden
	case word != "" && !ends().MatchString(word):
		right = hidden + right[len(word):]
	}
	if joinsLast().MatchString(left) {
		left = hidden
	}
	return left, right
}
