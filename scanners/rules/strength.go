package rules

import (
	"slices"
	"strings"
)

// manner is how a value is written.
type manner uint8

const (
	quotedText manner = iota // between quotes or tags, where texts for people stand too
	bareWord                 // alone
)

// least is how short a password may be to be looked at.
const least = 4

// gradeOf says what a value is worth that stands where a password would.
func gradeOf(v string, how manner) grade {
	if thrown(v) || tossed(v) {
		return strongSecret
	}
	if few := digitsOnly(v) && len(v) >= 6 && len(v) <= 8; few && !numeric(v) { // also 111111
		return weakSecret
	}
	if len(v) < least || !plain(v) || refers(v) || monotonous(v) || located(v) || numeric(v) || hashed(v) {
		return noSecret
	}
	low := strings.ToLower(v)
	if _, is := noValues()[low]; is || placeholder(low) {
		return noSecret
	}
	if g, known := named(v, low, how); known {
		return g
	}
	return strength(v, low)
}

// thrown reports whether v looks thrown together by a generator of keys: long,
// with all kinds of characters, and hardly a space.
func thrown(v string) bool {
	if len(v) < 32 || len(v) > 200 || distinct(v) < 22 || composed(v) {
		return false
	}
	var signs [128]bool
	digits, uppers, kinds := 0, 0, 0
	for _, c := range []byte(v) {
		switch k := kindOf(c); {
		case c < ' ' || c >= 0x7f:
			return false
		case k == kindDigit:
			digits++
		case k == kindUpper:
			uppers++
		case k == kindSign && c != ' ' && !signs[c]:
			signs[c] = true
			kinds++
		}
	}
	return digits >= 2 && uppers >= 3 && kinds >= 5 && 12*strings.Count(v, " ") <= len(v)
}

// tossed reports whether a shorter value looks thrown together so: characters of all
// kinds, most beside one of another kind, and no words. Brackets and arrows in it are
// no code.
func tossed(v string) bool {
	if len(v) < 10 || classesOf(v).number() < 4 || 2*changes(v) < len(v) || signKinds(v) == 0 || !plain(v) || inSequence(v) || composed(v) {
		return false // as nearly all are
	}
	return 8*inWords(v) <= len(v) && !wellKnown(strings.ToLower(v)) && !hashed(v) && !sealed.matches(v)
}

// composed reports whether a template, a variable or an address is a part of v.
func composed(v string) bool {
	return strings.Contains(v, "{{") || strings.Contains(v, "${") || strings.Contains(v, "://")
}

// sealed finds what is encrypted, is named by where it is, or is code.
var sealed = lazily(`(?i)^(?:enc[\[(:]|vault:|op:|arn:|ref\+)|[\])]\.[a-z]|\\u[0-9a-f]{4}`)

func digitsOnly(v string) bool { return strings.Trim(v, "0123456789") == "" }

// plain reports whether v is of visible ASCII: what holds spaces or other
// letters is nearly always a text for people.
func plain(v string) bool {
	for _, c := range []byte(v) {
		if c <= ' ' || c >= 0x7f {
			return false
		}
	}
	return true
}

// reference finds what stands for a value that is elsewhere: variables,
// templates, format verbs, aliases, vaults' addresses, tags.
var reference = lazily(strings.Join([]string{
	`\$\{|\{\{|#\{|<%|\$\(|%\(|\$\[|\{%|\}\}|%[sdvqx@](?:$|[^0-9A-Za-z])|\{[0-9]?\}`,
	`^\$\$?[A-Za-z_][\w.:>\[\]-]*$|^\$\d+$|^\$env:`,
	`^%\w+%$|^@@?\w+@?@?$|^:[a-z_]\w*$|^[*&]?[a-z][\w-]*\*?\)$|^[*&][a-z][\w-]+$|^\?+$`,
	`^-\[|^<.*>?$|^\[.*\]?$|^\(.*\)?$|^\{.*\}?$|^__\w+__$|^#+|^!\w+$|^~+$|^\|`,
	`^(?:ENC\(|enc:|vault:|op:|arn:|ref\+|sm:|gcp?sm:|awssm:|secret:|env:|file:|kms:|azurekeyvault|lookup\()`,
	`[\w\])]\(|\)$|\(\)|->|=>|::|&&|\|\|`,
	`\w\[['"\w]|\[$|\+["'$]|["']\+`,
}, "|"))

func refers(v string) bool { return reference.matches(v) }

// monotonous reports whether v is of few characters, or one of them stands
// many times in a row.
func monotonous(v string) bool {
	run := 1
	for i := 1; i < len(v); i++ {
		if v[i] == v[i-1] {
			run++
		} else {
			run = 1
		}
		if run >= 4 && 3*run > len(v) && (run >= 6 || strings.IndexByte("xX*._-#?yYzZ", v[i]) >= 0) {
			return true
		}
	}
	return distinct(v) <= 2
}

func distinct(v string) int {
	var seen [256]bool
	n := 0
	for _, c := range []byte(v) {
		if !seen[c] {
			seen[c] = true
			n++
		}
	}
	return n
}

// location finds paths, addresses and names of files.
var location = lazily(strings.Join([]string{
	`://|^\.{1,2}/|^~/|^[A-Za-z]:[/\\]|^\\\\`,
	`^/[A-Za-z][\w.-]*(?:/|$)|^[\w.-]+/[\w.-]+/[\w.-]*[a-z]{3}`,
	`(?i)\.(?:txt|pem|key|crt|cer|json|ya?ml|xml|properties|conf|cfg|ini|env|sh|py|js|ts|go|rb|php|java|html?|jks|p12|pfx|kdbx|gpg|asc|md|log|sql|db|exe|dll|so|class|aspx?|jsp|svg|png|css|vue|secret|pwd|pass)$`,
	`^\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?$|^localhost(?::\d+)?$`,
	`^[\w.+-]+@[\w-]+\.[a-z]{2,}$`,
}, "|"))

func located(v string) bool { return location.matches(v) }

// number finds numbers, versions, dates and times, sizes and durations.
var number = lazily(`^(?:[+-]?\d{1,5}|[+-]?\d+[.,]\d+%?|v?\d+(?:\.\d+)+[\w.-]{0,12}[:=]*|0[xX][0-9a-fA-F]{1,8}[uUlL]*|\d{4}-\d\d-\d\d[T\d:.Z+-]*|\d+:\d\d(?::\d\d)?|\d+(?:ns|us|ms|s|m|min|h|d|k|kb|kib|mb|mib|gb|px|em|rem|pt|%)|\d+[-/]\d+)$`)

func numeric(v string) bool { return number.matches(v) }

// digest finds what only proves that a password is known.
var digest = lazily(`^(?:\$(?:apr1|[156y]|2[abxy]?|sha1|argon2i?d?|pbkdf2[\w-]*|scrypt|s0)\$|\{(?i:s?sha\d*|s?md5|crypt|bcrypt|pbkdf2|argon2|scrypt|cipher|aes[\w-]*|noop)\}|pbkdf2[_:]|bcrypt[_:$]|Ag[A-D][A-Za-z0-9+/]{100}|(?:sha|md)\d{1,3}[:$-]|SCRAM-|md5[0-9a-f]{32}$)`)

func hashed(v string) bool { return digest.matches(v) }

// placeholder reports whether a value in lower case asks for another one. In
// long values without words such letters stand by chance.
func placeholder(low string) bool {
	if len(low) > 48 {
		return false
	}
	for _, w := range []string{
		"your", "example", "placeholder", "replace", "redact", "removed", "masked", "insert", "todo", "fixme",
		"dummy", "fake", "xxxx", "sample", "notreal", "not-real", "not_real", "changethis", "change-this", "change_this",
		"goes-here", "goes_here", "goeshere", "...", "***", "<", "enter-", "enter_", "some-", "some_", "bogus",
		"not-set", "not_set", "undefined", "unspecified", "ipsum", "-here", "_here",
	} {
		if strings.Contains(low, w) {
			return true
		}
	}
	return false
}

// what names look like in programs: of several words or of capitals.
var (
	dottedName = lazily(`^[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)+$`)
	shoutName  = lazily(`^_?[A-Z][A-Z0-9]*(?:[_-][A-Z0-9]+)*_?$`)
	camelName  = lazily(`^[_$]?[A-Za-z]?[a-z]+(?:[A-Z][a-z]+|[A-Z]{2,3})+\d?$`)
	initials   = lazily(`^[A-Z]{2,5}(?:[A-Z][a-z]+){2,}\d?$`)
	cmdlet     = lazily(`^(?:Convert(?:To|From)|Get|Set|New|Read|Import|Export|Invoke|Add|Remove|Unprotect|Protect)-[A-Z][A-Za-z]+$`)
	actionName = lazily(`^[a-z][a-z0-9-]*(?::[A-Za-z][A-Za-z-]*)+$`)
	lowerName  = lazily(`^_*[a-z]+\d?(?:[-_:/]+[a-z]+\d?)+[-_]?\d{0,2}$`)
	namesPart  = lazily(`(?i)pass|pwd|secret|user|token|key|cred|auth|name|label|field|input|text|error|msg|title|hash|type|value|confirm|prompt|hint|button|login|form|param|config|setting|id$|file|path|url|string|required|invalid|reset|forgot|change|mismatch|match|length|strength|policy|encod|crypt|manager|provider|service|check|valid`)
)

// named grades what looks like a name: of a variable, a key, a message.
func named(v, low string, how manner) (grade, bool) {
	switch {
	case dottedName.matches(v) && !strings.ContainsAny(v, "0123456789"):
		return noSecret, true
	case shoutName.matches(v):
		return shouted(v, low, how), true
	case cmdlet.matches(v), actionName.matches(v) && pronounceable(low):
		return noSecret, true
	case (camelName.matches(v) || initials.matches(v)) && pronounceable(low):
		if namesPart.matches(v) || len(v) > 24 {
			return noSecret, true
		}
		return weakSecret, true
	case lowerName.matches(v) && pronounceable(low):
		if how == quotedText && namesPart.matches(v) || strings.Contains(v, ":") {
			return noSecret, true
		}
		return weakSecret, true
	}
	return noSecret, false
}

// shouted grades capitals: mostly the name of a constant.
func shouted(v, low string, how manner) grade {
	switch {
	case strings.ContainsAny(v, "_-"):
		return noSecret
	case len(v) >= 16 && distinct(v) >= 8: // base32
		return strongSecret
	case strings.ContainsAny(v, "0123456789"):
		return strength(v, low)
	case how == bareWord && len(v) <= 15: // typed with the shift key held
		return weakSecret
	}
	return noSecret
}

// strength tells what a person or a list would guess from what was made.
func strength(v, low string) grade {
	c := classesOf(v)
	switch {
	case wellKnown(low), len(v) < 6:
		return weakSecret
	case c.letters() && (c.single() || c.capital):
		if len(v) < 10 || pronounceable(low) {
			return weakSecret
		}
		return strongSecret
	case c.number() <= 1: // digits alone, signs alone
		if len(v) >= 12 && distinct(v) >= 6 {
			return strongSecret
		}
		return weakSecret
	case len(v) < 8 && c.number() < 3:
		return weakSecret
	case distinct(v) < 5:
		return weakSecret
	}
	return strongSecret
}

// classes are the kinds of characters in a value.
type classes struct {
	lower, upper, digit, sign bool
	capital                   bool // only the first is upper
}

func classesOf(v string) (c classes) {
	uppers := 0
	for i, b := range []byte(v) {
		switch kindOf(b) {
		case kindLower:
			c.lower = true
		case kindUpper:
			c.upper = true
			uppers++
			c.capital = i == 0
		case kindDigit:
			c.digit = true
		case kindSign:
			c.sign = true
		}
	}
	c.capital = c.capital && uppers == 1
	return c
}

func (c classes) letters() bool { return !c.digit && !c.sign && (c.lower || c.upper) }
func (c classes) mixed() bool   { return (c.lower || c.upper) && c.digit }
func (c classes) single() bool  { return c.lower != c.upper }

func (c classes) number() (n int) {
	for _, has := range []bool{c.lower, c.upper, c.digit, c.sign} {
		if has {
			n++
		}
	}
	return n
}

// pronounceable reports whether letters in lower case could be words.
func pronounceable(low string) bool {
	run, vowels, letters := 0, 0, 0
	for _, c := range []byte(low) {
		if c < 'a' || c > 'z' {
			run = 0
			continue
		}
		letters++
		if strings.IndexByte("aeiouy", c) >= 0 {
			vowels++
			run = 0
		} else if run++; run > 4 {
			return false
		}
	}
	return letters > 0 && vowels*6 >= letters
}

// unleet undoes the usual figures for letters.
var unleet = strings.NewReplacer("0", "o", "1", "i", "3", "e", "4", "a", "5", "s", "7", "t", "@", "a", "$", "s", "!", "i")

// wellKnown reports whether a value in lower case is, but for figures and
// signs, one that everybody would try.
func wellKnown(low string) bool {
	known := commonValues()
	for _, form := range []string{low, unleet.Replace(low), unleet.Replace(strings.TrimRight(low, "0123456789!@#$%.?*_-"))} {
		form = strings.Map(func(r rune) rune {
			if r < 'a' || r > 'z' {
				return -1
			}
			return r
		}, form)
		if known[form] {
			return true
		}
	}
	return slices.Contains([]string{"123456", "1234567", "12345678", "123456789", "1234567890", "123123", "654321", "abc123", "1q2w3e4r", "1qaz2wsx", "123qwe", "qwe123", "a1b2c3", "abcd1234"}, low)
}
