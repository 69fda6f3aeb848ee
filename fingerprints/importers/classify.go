package importers

import (
	"bytes"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"revenant/fingerprints"
	"revenant/fingerprints/privatekeys"
	"revenant/fingerprints/strength"
)

// place says what a key without a telling name most likely holds.
type place int

const (
	plainText place = iota // configuration: its value must look random
	store                  // a store of secrets: it is one unless it looks like none
)

// nature is what a key's name says of its value.
type nature int

const (
	neutral nature = iota
	sensitive
	public
)

// sensitiveWords make a key sensitive as a word of its own, sensitiveParts also
// inside a word (PGPASSWORD).
func sensitiveWords() []string {
	return []string{
		"pass", "pwd", "pw", "key", "keys", "auth", "pat", "psk", "pin", "otp", "totp", "salt", "pepper", "seed", "jwt", "hmac",
		"signature", "sig", "sas", "pem", "dsn", "cookie", "webhook", "bearer", "mnemonic", "private", "signing", "encryption", "kek", "dek",
	}
}

func sensitiveParts() []string {
	return []string{
		"password", "passwd", "passphrase", "passcode", "secret", "token", "apikey", "accesskey", "privatekey", "secretkey", "masterkey",
		"credential", "creds", "authkey", "sshkey", "encryptionkey", "signingkey",
	}
}

// publicWords as the last word say that the value describes something else.
func publicWords() []string {
	return []string{
		"id", "ids", "name", "names", "user", "username", "login", "email", "mail", "host", "hosts", "hostname", "server", "port", "region",
		"zone", "uri", "url", "path", "file", "dir", "directory", "type", "kind", "algorithm", "alg", "algo", "expiry", "expires", "expiration",
		"ttl", "timeout", "lifetime", "length", "size", "bits", "enabled", "disabled", "required", "version", "count", "limit", "issuer",
		"audience", "endpoint", "bucket", "arn", "fingerprint", "thumbprint", "policy", "rotation", "header", "prefix", "format", "env",
		"environment", "mode", "level", "domain", "database", "db", "schema", "namespace", "certificate", "cert", "crt", "ca", "address", "ip",
	}
}

// natureOf classifies a key by its words.
func natureOf(key string) nature {
	words := wordsOf(key)
	if len(words) == 0 {
		return neutral
	}
	last := words[len(words)-1]
	if slices.Contains(words, "webhook") && (last == "url" || last == "uri") {
		return sensitive // whoever knows the address may post
	}
	if slices.Contains(publicWords(), last) || slices.Contains(words, "public") || slices.Contains(words, "pub") {
		return public
	}
	joined := strings.Join(words, "")
	for _, part := range sensitiveParts() {
		if strings.Contains(joined, part) {
			return sensitive
		}
	}
	for _, w := range words {
		if slices.Contains(sensitiveWords(), w) {
			return sensitive
		}
	}
	return neutral
}

// SensitiveName reports whether what stands under a name is a secret, as far as the name
// says.
func SensitiveName(name string) bool { return natureOf(name) == sensitive }

// wordsOf splits DB_PASSWORD, dbPassword and db-password alike.
func wordsOf(key string) []string {
	var out []string
	var word []rune
	flush := func() {
		if len(word) > 0 {
			out = append(out, strings.ToLower(string(word)))
			word = nil
		}
	}
	runes := []rune(key)
	for i, r := range runes {
		switch {
		case !unicode.IsLetter(r):
			flush() // digits end a word: KEY1
			continue
		case unicode.IsUpper(r) && i > 0 && unicode.IsLower(runes[i-1]):
			flush()
		case unicode.IsUpper(r) && i > 0 && unicode.IsUpper(runes[i-1]) && i+1 < len(runes) && unicode.IsLower(runes[i+1]):
			flush()
		}
		word = append(word, r)
	}
	flush()
	return out
}

// taken decides about a value that holds no other inside it.
func taken(key string, v []byte, p place, sel Selection) bool {
	switch {
	case len(v) == 0:
		return false
	case sel == All, privatekeys.IsContainer(v):
		return true
	}
	n := natureOf(key)
	webhook := n == sensitive && isURL(v) && slices.Contains(wordsOf(key), "webhook")
	switch {
	case n == public || isSetting(v):
		return false
	case webhook:
		return true
	case isURL(v) || isPath(v) || strength.IsCommon(v):
		return false
	case n == sensitive:
		return !isAddress(v)
	case namesSomething(v):
		return false
	case p == store:
		return len(v) >= 8 && !isWords(v)
	}
	return looksRandom(v)
}

// isSetting accepts what is no secret under any key.
func isSetting(v []byte) bool {
	return isSwitch(v) || isNumber(v) || isReference(v) || isCertificate(v)
}

// namesSomething accepts what tells where or who, unless its key says more.
func namesSomething(v []byte) bool {
	return isHost(v) || isAddress(v) || isEmail(v) || isUUID(v)
}

func isSwitch(v []byte) bool {
	switch strings.ToLower(string(v)) {
	case "true", "false", "yes", "no", "on", "off", "null", "nil", "none", "undefined", "enabled", "disabled":
		return true
	}
	return false
}

// isNumber accepts amounts, with a unit: no secret is that short.
func isNumber(v []byte) bool {
	if len(v) > 15 {
		return false
	}
	num := strings.TrimRight(string(v), "smhdkKMGTiBb%")
	_, err := strconv.ParseFloat(num, 64)
	return err == nil
}

var referencePattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?:\$\{[^{}]*\}|\$[A-Za-z_][A-Za-z0-9_]*|\$\([^()]*\)|\{\{.*\}\}|<[^<>]*>|%[A-Za-z_]+%|\*+|[xX]{3,}|ref\+\S+|vault:\S+|arn:aws\S*:\S+|op://\S+)$`)
})

// isReference: the value is elsewhere, or a place to put one.
func isReference(v []byte) bool { return referencePattern().Match(v) }

func isCertificate(v []byte) bool {
	for _, p := range []string{"-----BEGIN CERTIFICATE", "-----BEGIN PUBLIC KEY", "-----BEGIN RSA PUBLIC KEY", "ssh-rsa ", "ssh-ed25519 ", "ecdsa-sha2-"} {
		if bytes.HasPrefix(bytes.TrimSpace(v), []byte(p)) {
			return true
		}
	}
	return false
}

var (
	urlPattern  = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(?:jdbc:)?[A-Za-z][A-Za-z0-9+.-]*://\S*$`) })
	pathPattern = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^(?:/|\./|\.\./|~/|[A-Za-z]:\\)[\w.@-]+(?:[/\\][\w.@-]+)*/?$`)
	})
	hostPattern = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^(?:[a-z0-9_-]+\.)+[a-z]{2,24}(?::\d{1,5})?$|^localhost(?::\d+)?$|^[a-z][a-z0-9-]*:\d{2,5}$`)
	})
	emailPattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\w.+-]+@[\w-]+(?:\.[\w-]+)+$`) })
	uuidPattern  = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$`)
	})
)

func isURL(v []byte) bool   { return urlPattern().Match(v) }
func isHost(v []byte) bool  { return hostPattern().Match(v) }
func isEmail(v []byte) bool { return emailPattern().Match(v) }
func isUUID(v []byte) bool  { return uuidPattern().Match(v) }

// isPath: names of files, unless a part looks like a key that has slashes.
func isPath(v []byte) bool {
	if !pathPattern().Match(v) {
		return false
	}
	for _, part := range bytes.FieldsFunc(v, func(r rune) bool { return r == '/' || r == '\\' }) {
		if looksRandom(part) {
			return false
		}
	}
	return true
}

func isAddress(v []byte) bool {
	s := string(v)
	if _, err := netip.ParseAddrPort(s); err == nil {
		return true
	}
	if _, err := netip.ParsePrefix(s); err == nil {
		return true
	}
	_, err := netip.ParseAddr(s)
	return err == nil
}

// isWords: a sentence, or names in a list.
func isWords(v []byte) bool {
	words := bytes.FieldsFunc(v, func(r rune) bool { return r == ' ' || r == ',' || r == '-' || r == '_' || r == '.' })
	for _, w := range words {
		if len(w) > 3 && !strength.IsCommon(w) {
			return false
		}
	}
	return true
}

// looksRandom: one word of at least 16 characters with digits among letters,
// and much variety.
func looksRandom(v []byte) bool {
	if len(v) < 16 || len(v) > 8192 {
		return false
	}
	digits, letters, kinds := 0, 0, map[byte]bool{}
	for _, c := range v {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c|0x20 >= 'a' && c|0x20 <= 'z':
			letters++
		case c <= ' ' || c > '~':
			return false
		}
		kinds[c] = true
	}
	return digits >= 2 && letters >= 2 && len(kinds) >= 9 && strength.Bits(v) >= 56
}

// fieldsOf collects the sensitive members of an object, nested ones named by
// their path.
func fieldsOf(n *node, p place, sel Selection) []Field {
	var out []Field
	for i, child := range n.values {
		key := "value"
		if n.kind == object {
			key = n.names[i]
		}
		name := clean(key)
		if name == "" {
			name = "field"
		}
		if child.kind == object || child.kind == list {
			for _, f := range fieldsOf(child, p, sel) {
				out = append(out, Field{Name: join(name, f.Name), Value: f.Value})
			}
			continue
		}
		if key == "value" && p == store { // the store has one value and no key
			key = "secret"
		}
		for _, f := range expandNode(key, child, p, sel) {
			if f.Name == "value" {
				f.Name = name
			} else {
				f.Name = join(name, f.Name)
			}
			out = append(out, f)
		}
	}
	return out
}

// join keeps field names within the bound of names.
func join(a, b string) string {
	s := a + "/" + b
	if len(s) > fingerprints.MaxName {
		s = strings.TrimLeft(s[len(s)-fingerprints.MaxName:], "._-/")
	}
	return s
}

// clean makes a path's part out of any key: what names may not hold becomes a
// dash. It is empty when nothing remains.
func clean(key string) string {
	out := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '_', r == '-', r == '/':
			return r
		}
		return '-'
	}, key)
	out = strings.TrimLeft(out, "._-/")
	if len(out) > fingerprints.MaxName {
		out = out[:fingerprints.MaxName]
	}
	return out
}

func expandNode(key string, n *node, p place, sel Selection) []Field {
	if n.kind == bare && sel != All && !(natureOf(key) == sensitive && len(n.text) > 15) {
		return nil
	}
	return expand(key, []byte(n.text), p, sel)
}

// expand returns the secret fields of one value: those inside it when it is an
// address, a connection string or a JSON object, else itself.
func expand(key string, v []byte, p place, sel Selection) []Field {
	if len(v) == 0 {
		return nil
	}
	if privatekeys.IsContainer(v) {
		return []Field{{Name: "value", Value: fingerprints.NewValue(v)}}
	}
	if doc := objectIn(v, 1); doc != nil {
		if f := fieldsOf(doc, p, sel); len(f) > 0 {
			return f
		}
	}
	if f := embedded(v); len(f) > 0 {
		return f
	}
	if !taken(key, v, p, sel) {
		return nil
	}
	return []Field{{Name: "value", Value: fingerprints.NewValue(v)}}
}
