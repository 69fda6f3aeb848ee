package rules

import (
	"encoding/base64"
	"net/url"
	"strings"
	"unicode/utf8"
)

// grade is what a value that a rule of ours matched is worth.
type grade uint8

const (
	noSecret     grade = iota // a placeholder, a reference, a word of a sentence
	weakSecret                // a well-known or guessable value
	strongSecret              // one that was chosen or made
)

// candidate is a match of one of our rules. What is said of it must depend on
// the match alone: contents are cut, remembered and searched in parts.
type candidate struct {
	match  string
	secret extent
}

func (c candidate) value() string  { return c.match[c.secret.start:c.secret.end] }
func (c candidate) before() string { return c.match[:c.secret.start] }
func (c candidate) after() string  { return c.match[c.secret.end:] }

// assess grades a candidate.
type assess func(c candidate) grade

// assessOf is how the matches of a rule of ours are graded; nil: all are strong.
func assessOf(rule string) assess {
	switch rule {
	case "revenant-url-credentials":
		return inURL
	case "revenant-basic-auth", "revenant-docker-auth":
		return inBasic
	case "revenant-bearer-auth":
		return asToken
	case "revenant-jwt":
		return asWebToken
	case "revenant-ai-key", "revenant-aws-key", "revenant-azure-key", "revenant-google-key", "revenant-docker-token", "revenant-github-token",
		"revenant-gitlab-token", "revenant-bitbucket-token", "revenant-build-token", "revenant-registry-token", "revenant-hosting-token",
		"revenant-operations-token", "revenant-payment-key", "revenant-message-token", "revenant-service-token":
		return asIssued
	case "revenant-password-literal":
		return asLiteral
	case "revenant-password-pair", "revenant-password-xml":
		return asPair
	case "revenant-password-setting":
		return asSetting
	case "revenant-password-option":
		return asOption
	case "revenant-form-credentials", "revenant-password-env", "revenant-connection-string",
		"revenant-password-command", "revenant-curl-user", "revenant-netrc", "revenant-pgpass",
		"revenant-ppp-secret", "revenant-pgbouncer-user", "revenant-svnserve-user", "revenant-subversion-password", "revenant-erlang-cookie":
		return asWord
	case "revenant-password-table":
		return asCell
	case "revenant-named-key":
		return asNamedKey
	case "revenant-password-sql":
		return inStatement
	case "revenant-password-macro":
		return asMacro
	case "revenant-password-call", "revenant-php-define", "revenant-curl-option":
		return asText
	case "revenant-private-key-open", "revenant-jwk", "revenant-wireguard-key":
		return asKeyText
	case "revenant-private-key-base64":
		return asDERText
	case "revenant-keystore":
		return asStore
	case "revenant-nats-seed":
		return asSeed
	}
	return assessGiven(rule)
}

// wordy reports whether what a rule of ours finds may be a text for people.
func wordy(rule string) bool {
	return strings.HasPrefix(rule, "revenant-password-")
}

func asText(c candidate) grade { return gradeOf(c.value(), quotedText) }

func asWord(c candidate) grade {
	if strings.HasPrefix(c.match, "login") && strings.Contains(c.before(), "anonymous") && strings.Contains(c.value(), "@") { // an address, as FTP asks for
		return noSecret
	}
	v := strings.TrimRight(c.value(), ".,")
	if v == "password" && strings.Contains(c.before(), "user=user,") { // arguments that are called as variables are
		return noSecret
	}
	return gradeOf(v, bareWord)
}

// inStatement grades a value in SQL; without quotes there are words of the language, too.
func inStatement(c candidate) grade {
	g := asText(c)
	if (c.match == "" || !isQuote(c.match[len(c.match)-1])) && (g != strongSecret || !classesOf(c.value()).mixed()) {
		return noSecret
	}
	return g
}

// asMacro grades a macro's value: most that are called so are names of fields.
func asMacro(c candidate) grade {
	if g := asText(c); g == strongSecret && classesOf(c.value()).mixed() && !strings.Contains(c.value(), "-") {
		return g
	}
	return noSecret
}

func isQuote(c byte) bool { return c == '\'' || c == '"' || c == '`' }

// asToken grades what follows a word that announces a token: letters and digits
// as no word has them.
func asToken(c candidate) grade {
	v := strings.TrimRight(c.value(), "=.")
	if distinct(v) < 10 || !classesOf(v).mixed() || entropy(v) < 3.2 {
		return noSecret
	}
	return gradeOf(v, bareWord)
}

// asNamedKey grades what stands behind the name of a key or a token: of what may stand
// there most is none, so that it must have been made by chance.
func asNamedKey(c candidate) grade {
	v, before := c.value(), c.before()
	if before == "" || !isQuote(before[len(before)-1]) {
		if v = strings.TrimRight(v, ".:!?"); !assigned(before, v) || opens(before, c.after()) {
			return noSecret
		}
	}
	if all := tossed(v); !random(v) && !all && !(brief(v) && tokenName.matches(before)) || refers(v) && !all || placeholder(strings.ToLower(v)) || hashed(v) || notation.matches(v) || publicName.matches(before) {
		return noSecret
	}
	return strongSecret
}

// tokenName finds a token's name and the sign behind it: of other names short values are
// as often something else.
var tokenName = lazily(`(?i)(?:token|api_?key|secret)["']?[ \t]{0,3}[:=][ \t]{0,3}["']?$`)

// asTossed grades what stands bare up to a line's end, where brackets are code as a rule.
func asTossed(c candidate) grade {
	v := c.value()
	if tossed(v) && !notation.matches(v) && !publicName.matches(c.before()) {
		return strongSecret
	}
	return noSecret
}

// assigned reports whether what stands before a bare value gives it to a name: no list,
// and blanks alone only as options, variables and headers have them.
func assigned(before, v string) bool {
	name := strings.TrimRight(before, " \t")
	switch {
	case name == "", strings.HasSuffix(strings.TrimRight(before, " \t\r\n"), ","):
		return false
	case len(name) == len(before) || strings.IndexByte("=:>(|&?", name[len(name)-1]) >= 0:
		return true
	case strings.HasPrefix(name, "-"), name == strings.ToUpper(name) && !strings.Contains(name, " "), strings.EqualFold(name, "token"), strings.EqualFold(name, "apikey"):
		return true
	}
	return len(v) >= 20 && !ofHex(v) && classesOf(v).number() >= 3 // in a sentence
}

// notation finds versions, those that a time and a commit stand for, expressions that
// describe keys, formats, and tags of fields.
var notation = lazily(`^%[svdqxt]|,(?:opt|rep),|^v?\d+\.\d+\.?\d*(?:[-+.]|$)|\[[^\]]*\w-\w[^\]]*\]|[Aa]-[Zz](?:0-9|[Aa]-)|\{\w?\d+,?\d*\}|["'\x60]|^ENC\[|\\u[0-9A-Fa-f]{4}`)

// publicName finds the name of something that everybody may know.
var publicName = lazily(`(?i)public|preset_pass|publish|csrf|xsrf|page_?token|next_?token|continu|sync_?token|cursor|checksum|digest|sha(?:1|256|512)|md5|integrity|finger|thumb|(?:key|token|secret|credential)s?[_-]?id\b|secrets?_?(?:name|version)|client_?(?:id|token)|authenticity|cache|etag|commit|uuid|secrets?_?manager|tokenizer|hash(?:[^_]|_[^s]|_?$)|idempot|` +
	`(?:key|token|secret)_?(?:factory|generator|gen\b|spec|store|size|length|len\b|type|format|usage|alg|code|board|agreement|url|uri|endpoint|kind|provider)|get_?instance`)

// asPair grades the value of a pair; one that repeats the name says nothing, nor
// does a word behind a comma.
func asPair(c candidate) grade {
	if before := c.before(); strings.Contains(before, ",") && !strings.HasSuffix(before, `"`) && !strings.HasSuffix(before, "'") && !classesOf(c.value()).mixed() {
		return noSecret
	}
	if strings.HasPrefix(strings.ToLower(c.match), strings.ToLower(c.value())) {
		return noSecret
	}
	return asText(c)
}

// asLiteral grades what stands in quotes behind a name. As an argument behind
// a name in quotes, or in a comparison, it is as often a text as a secret.
func asLiteral(c candidate) grade {
	between := c.before()
	if len(c.value()) < leastShort && shortName(between) || wording.matches(c.value()) {
		return noSecret
	}
	g := gradeOf(c.value(), quotedText)
	if bareBehind(between) && (!told(c.value()) || passVerb(between) && !tossed(c.value())) {
		return noSecret
	}
	loose := strings.ContainsAny(between, ",{") || strings.Contains(between, "or ") || strings.Contains(between, "or\t") || strings.Contains(between, "to ")
	if loose && (!classesOf(c.value()).mixed() || strings.Contains(between, "\n")) {
		return noSecret
	}
	if g == weakSecret && (loose || strings.Contains(between, "==") || secretName(between)) {
		return noSecret
	}
	return g
}

// wording finds texts and keys of messages about passwords, rules for their form, and
// states of SQL.
var wording = lazily(`(?i)passwor[dt]e?_[a-z]|(?:^|\|)(?:required|nullable|sometimes|confirmed|string)(?:\||$)|^[0-9]{2}[0-9A-Z]{3}$`)

// asSetting grades what stands bare behind a name; a call, the default of a
// variable, or a plain word with others behind it is none.
func asSetting(c candidate) grade {
	v := strings.TrimRight(c.value(), ".,:")
	before, rest := c.before(), strings.TrimLeft(c.after(), " \t\r")
	equals := strings.IndexByte(before, '=')
	lone := standsAlone(before, rest, equals)
	if wording.matches(v) || saysNothing.matches(v) || strings.HasPrefix(before, "secret:") && secretPath.matches(v) {
		return noSecret
	}
	fallback := strings.Contains(before, "${")
	if sampled(before, v, fallback) || len(v) < leastShort && shortName(before) || noSetting(before, rest, equals) || !fallback && opens(before, rest) || !lone && classesOf(v).letters() {
		return noSecret // most of them, and what the value is worth costs far more to say
	}
	g := gradeOf(v, bareWord)
	if g == weakSecret && (!lone || secretName(before) || strings.HasSuffix(before, ":")) { // a list of words
		return noSecret
	}
	return g
}

// sampled reports whether a value is the sample that stands as a variable's default, or the
// folder that a shell is in.
func sampled(before, v string, fallback bool) bool {
	return fallback && !distinctive(v) || strings.HasPrefix(before, "PWD") && !told(v) && !tossed(v)
}

// distinctive reports whether nobody would take a value for a word, a name or a number.
func distinctive(v string) bool {
	return gradeOf(v, bareWord) == strongSecret && classesOf(v).mixed() && !codeName.matches(v)
}

// saysNothing finds when an account's password is set, and options of what completes a command.
var saysNothing = lazily(`^on_create$|^--[a-z]`)

// secretPath finds the end of the name of one of AWS' secrets.
var secretPath = lazily(`^[\w/+=.@-]+-[A-Za-z0-9]{6}$`)

// opens reports whether what stands behind a bare word makes it the name of
// something: of a call, a type, a member.
func opens(before, rest string) bool {
	if rest == "" {
		return false
	}
	switch rest[0] {
	case '(', '[', '{', '<':
		return true
	case '}':
		return strings.HasSuffix(before, ":")
	}
	return strings.HasPrefix(rest, "->")
}

// standsAlone reports whether no other word follows a bare one, or cannot be of
// the same sentence.
func standsAlone(before, rest string, equals int) bool {
	if rest == "" || strings.IndexByte("}#\\&-", rest[0]) >= 0 || strings.HasPrefix(rest, "//") {
		return true
	}
	return equals == len(before)-1 && !strings.ContainsAny(before, " \t")
}

// noSetting reports whether what stands before a bare word, with = at a place,
// sets nothing.
func noSetting(before, rest string, equals int) bool {
	if strings.HasSuffix(before, ":-") && !strings.HasPrefix(rest, "}") || strings.HasPrefix(before, "PASS:") || strings.Contains(before, "]:") { // a test's result; what a shell completes
		return true
	}
	// nothing, then another word
	return equals > 0 && equals+1 < len(before) && before[equals+1] == ' ' && before[equals-1] != ' ' && before[equals-1] != ':' && before[equals-1] != '?'
}

// asOption grades what stands behind the name of an option.
func asOption(c candidate) grade {
	if !strings.HasPrefix(c.match, "-") || strings.HasPrefix(c.value(), "-") {
		return noSecret
	}
	before := c.before()
	if strings.Contains(before, ",") && !strings.ContainsAny(before, `"'`) { // one of many in a sentence
		return noSecret
	}
	if strings.ContainsAny(before, `"'`) && strings.Contains(before, ",") && !strings.ContainsAny(before[len(before)-1:], `"':`) { // an argument of a call
		return noSecret
	}
	return asWord(c)
}

// secretName reports whether the name of a setting says secret, or says password in two
// letters: many things are called so that are none.
func secretName(before string) bool {
	return len(before) >= 6 && strings.EqualFold(before[:6], "secret") || shortName(before)
}

// shortName reports whether a setting is called pw.
func shortName(before string) bool {
	name := strings.TrimPrefix(before, "_")
	return len(name) >= 2 && strings.EqualFold(name[:2], "pw") && (len(name) == 2 || name[2]|0x20 != 'd')
}

// leastShort is how long a value is at the least that stands behind so short a name.
const leastShort = 8

// inURL grades a URL's password. The usual words of documentation are none.
func inURL(c candidate) grade {
	v := c.value()
	if strings.HasSuffix(c.before(), "//") { // a token alone, in the place of a user
		if !random(v) || placeholder(strings.ToLower(v)) || publicHost.matches(c.after()) {
			return noSecret
		}
		return strongSecret
	}
	if plain, err := url.PathUnescape(v); err == nil && utf8.ValidString(plain) {
		v = plain
	}
	g := gradeOf(v, bareWord)
	if g != weakSecret {
		return g
	}
	_, user, _ := strings.Cut(strings.TrimSuffix(c.before(), ":"), "://")
	host := strings.ToLower(strings.TrimPrefix(c.after(), "@"))
	if sampleUser(user) && samplePassword(v) || sampleHost(host) {
		return noSecret
	}
	return g
}

// publicHost finds whose addresses hold keys that everybody may know.
var publicHost = lazily(`(?i)sentry|glitchtip`)

func sampleUser(user string) bool {
	switch strings.ToLower(user) {
	case "user", "username", "foo", "me", "name", "login", "usr", "uname":
		return true
	}
	return false
}

func samplePassword(v string) bool {
	switch strings.ToLower(v) {
	case "pass", "password", "passwd", "passw0rd", "pwd", "bar", "pw":
		return true
	}
	return false
}

func sampleHost(host string) bool {
	for _, end := range []string{"example.com", "example.org", "example.net", ".example", ".test", ".invalid"} {
		if strings.HasSuffix(host, end) {
			return true
		}
	}
	return host == "host" || host == "hostname" || host == "server" || host == "ip" || host == "domain"
}

// inBasic grades the password in base64 of user:password.
func inBasic(c candidate) grade {
	user, password, ok := basicAuth(c.value())
	switch {
	case !ok:
		return noSecret
	case password == "" || password == "x-oauth-basic" || strings.EqualFold(password, "x"): // a token as the user
		if len(user) >= 16 {
			return gradeOf(user, bareWord)
		}
		return noSecret
	}
	return gradeOf(password, bareWord)
}

// basicAuth splits what RFC 7617 joins.
func basicAuth(text string) (user, password string, ok bool) {
	text = strings.TrimRight(text, "=")
	enc := base64.RawStdEncoding
	if strings.ContainsAny(text, "-_") {
		enc = base64.RawURLEncoding
	}
	raw, err := enc.DecodeString(text)
	if err != nil || !utf8.Valid(raw) {
		return "", "", false
	}
	for _, b := range raw {
		if b < ' ' || b == 0x7f {
			return "", "", false
		}
	}
	return strings.Cut(string(raw), ":")
}
