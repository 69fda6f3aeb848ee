package rules

import "strings"

// assessGiven is how the matches of the rules are graded that find what stands away
// from its name, or has none.
func assessGiven(rule string) assess {
	switch rule {
	case "revenant-named-line":
		return asTossed
	case "revenant-named-apart":
		return asApart
	case "revenant-password-argument", "revenant-password-tool", "revenant-password-directive", "revenant-password-psk", "revenant-password-account", "revenant-password-word":
		return asGiven
	case "revenant-password-prose":
		return asTold
	case "revenant-key-argument":
		return asArgument
	case "revenant-session-cookie":
		return asSession
	case "revenant-login-file", "revenant-account-list":
		return asAccount
	}
	return nil
}

// asAccount grades what stands beside a name in a file whose own name alone says that it
// may be a password.
func asAccount(c candidate) grade {
	if g := gradeOf(c.value(), bareWord); g == strongSecret && classesOf(c.value()).mixed() {
		return g
	}
	return noSecret
}

// asGiven grades what an option, a directive or a call gives without the name of a
// password beside it: only what nobody takes for a word, a name or a number.
func asGiven(c candidate) grade {
	v := c.value()
	if before := c.before(); before == "" || !isQuote(before[len(before)-1]) {
		v = strings.TrimRight(v, ".,")
	}
	if !distinctive(v) || common.matches(c.before()) && !told(v) && !random(v) && !tossed(v) {
		return noSecret
	}
	return strongSecret
}

// common finds names that are as often another key's or a variable's.
var common = lazily(`(?i)clave|parola|heslo|haslo|option|login=`)

// codeName finds what is a name or a path in a program, also with digits.
var codeName = lazily(`^[a-z]+(?:[_.-][a-z0-9]+)+$|^[a-z]{1,4}(?:-[A-Za-z0-9]+)+$|^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+$|^[a-z]{2,5}-?[0-9]{1,4}(?:-[a-z0-9]+)*$|^[\w.-]+/[\w./-]+$|^[0-9A-Z][\w.-]*\.[a-z]{2,4}$|^[0-9]+[-./:][0-9A-Za-z+./-]*$|SCRAM-SHA|[A-Za-z0-9]Password$|^(?:0x|--?[a-z])|^(?i:sha)[0-9]|^[0-9]+x[0-9]+|^(?i:kennwort|senha)[0-9]*$|^\$|^%|@[\w-]+\.\w+$|[\[\]{}()]{2}`)

// asTold grades what a sentence, a note or a log says behind a password's or a key's name.
func asTold(c candidate) grade {
	v, before := c.value(), c.before()
	quoted := before != "" && (isQuote(before[len(before)-1]) || before[len(before)-1] >= 0x80)
	if !quoted {
		v = strings.TrimSuffix(strings.TrimRight(v, ".,;:?)"), "**")
	}
	switch made := random(v) || tossed(v); {
	case !plain(v), refers(v) && !tossed(v), placeholder(strings.ToLower(v)), hashed(v), notation.matches(v), publicName.matches(before), codeName.matches(v), opens(before, c.after()):
		return noSecret
	case bareBehind(before) && passVerb(before) && !tossed(v):
		return noSecret
	case made && !(ofHex(v) && passwordName.matches(before) && bareBehind(before)): // which is a hash of one, or its number
		return strongSecret
	case made, !passwordName.matches(before), !told(v):
		return noSecret
	case !quoted && bareBehind(before) && 2*changes(v) < len(v) && !strings.ContainsAny(v, "!#$%^&*"):
		return noSecret
	}
	return strongSecret
}

// passwordName finds the name of a password, which people choose; keys are made.
var passwordName = lazily(`(?i)pass(?:w(?:or)?[dt]|phrase|_)|pwd|\bpw|kennwort|[_.-]pass|login|log-in|account|zugang|creds|credentials`)

// bareBehind reports whether there are blanks alone between a name and its value.
func bareBehind(before string) bool {
	name := strings.TrimRight(before, " \t\"'`\\")
	if name == "" || kindOf(name[len(name)-1]) == kindSign {
		return false
	}
	low := strings.ToLower(name)
	for _, verb := range []string{" is", "'s", " was", " lautet", " ist", " to", " now", " still"} {
		if strings.HasSuffix(low, verb) {
			return false
		}
	}
	return strings.ContainsAny(before[len(name):], " \t")
}

// passVerb reports whether a name may be a verb: pass it on.
func passVerb(before string) bool {
	name := strings.ToLower(strings.TrimRight(before, " \t\"'`\\"))
	return strings.HasSuffix(name, "pass")
}

// told reports whether a password that a person may have chosen is no word of the sentence.
func told(v string) bool {
	c := classesOf(v)
	digits := 0
	for i := range len(v) {
		if kindOf(v[i]) == kindDigit {
			digits++
		}
	}
	if len(v) < 8 || !c.mixed() || c.number() < 3 && len(v) < 10 || digits < 2 && (c.number() < 3 || inWords(v) > 0 && pronounceable(strings.ToLower(v))) {
		return false
	}
	return gradeOf(v, bareWord) == strongSecret && !codeName.matches(v)
}

// asApart grades a value whose name stands in another element or line, before or behind it.
func asApart(c candidate) grade {
	v, around := c.value(), c.before()+" "+c.after()
	all := tossed(v)
	if strings.HasPrefix(c.match, `"random_password"`) { // a resource of Terraform, with more of its members between
		around = "password"
	}
	switch {
	case !plain(v), refers(v) && !all, placeholder(strings.ToLower(v)), hashed(v), notation.matches(v), publicName.matches(around), located(v) && !all:
		return noSecret
	case random(v), all:
		return strongSecret
	case passwordName.matches(around) && classesOf(v).mixed() && !codeName.matches(v) && !wording.matches(v):
		return gradeOf(v, quotedText)
	}
	return noSecret
}

// asArgument grades what a call gets that signs or encrypts, or a client's constructor:
// without a name beside it the latter must have been made by chance.
func asArgument(c candidate) grade {
	v, call := c.value(), strings.ToLower(c.before())
	made := random(strings.TrimPrefix(v, "0x")) || tossed(v)
	switch {
	case !plain(v), refers(v) && !tossed(v), placeholder(strings.ToLower(v)), hashed(v), notation.matches(v), located(v), inSequence(v):
		return noSecret
	case made, ciphers.matches(call) && told(v):
		return strongSecret
	}
	return noSecret
}

// ciphers finds calls that sign or encrypt.
var ciphers = lazily(`jwt\.|hmac|cipher|cryptojs|crypt\(|signwith|fernet|keyspec|securitykey|cookiestore|cookieparser|signedstring|from_secret`)

// asSession grades the identifier of a session.
func asSession(c candidate) grade {
	if v := c.value(); !random(v) || placeholder(strings.ToLower(v)) {
		return noSecret
	}
	return strongSecret
}
