package importers

import (
	"bytes"
	"net/url"
	"strings"

	"revenant/fingerprints"
)

// maxEmbedded is the longest value that is read as an address.
const maxEmbedded = 64 << 10

// embedded returns the secrets inside an address or a connection string,
// decoded; none when the value is neither.
func embedded(v []byte) []Field {
	s := strings.TrimSpace(string(v))
	if len(s) > maxEmbedded || strings.ContainsAny(s, "\n\r") {
		return nil
	}
	if isURL(v) || strings.Contains(s, "://") && urlPattern().MatchString(strings.ReplaceAll(s, " ", "")) {
		return inURL(s)
	}
	return inPairs(s)
}

// inURL takes the password of the user information, a token in its place, and
// secret parameters.
func inURL(s string) []Field {
	scheme, rest, _ := strings.Cut(s, "://")
	var out []Field
	info, after := userInfo(rest)
	if user, pass, has := strings.Cut(info, ":"); has {
		out = appendSecret(out, "password", unpercent(pass, url.PathUnescape))
	} else if u := unpercent(user, url.PathUnescape); looksRandom([]byte(u)) {
		out = appendSecret(out, "token", u)
	}
	if _, query, ok := strings.Cut(after, "?"); ok {
		query, _, _ = strings.Cut(query, "#")
		for pair := range strings.SplitSeq(query, "&") {
			name, value, _ := strings.Cut(pair, "=")
			if natureOf(name) == sensitive {
				if clear := unpercent(value, url.QueryUnescape); !isSwitch([]byte(clear)) && !isNumber([]byte(clear)) {
					out = appendSecret(out, fieldName(name), clear)
				}
			}
		}
	}
	if strings.HasPrefix(scheme, "jdbc:") {
		if _, params, ok := strings.Cut(after, ";"); ok {
			out = append(out, inPairs(params)...)
		}
	}
	return out
}

// userInfo splits what follows the scheme at the @ that ends the user's part.
// People forget to encode passwords: an @ behind a slash counts when what
// stands before it cannot be a host and a port.
func userInfo(rest string) (info, after string) {
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	if at := strings.LastIndexByte(rest[:end], '@'); at >= 0 {
		return rest[:at], rest[at+1:]
	}
	_, port, has := strings.Cut(rest[:end], ":")
	if at := strings.LastIndexByte(rest, '@'); has && at > end && strings.Trim(port, "0123456789") != "" {
		return rest[:at], rest[at+1:]
	}
	return "", rest
}

// unpercent decodes; what is not encoded stays as it is.
func unpercent(s string, decode func(string) (string, error)) string {
	if d, err := decode(s); err == nil {
		return d
	}
	return s
}

// inPairs takes the secrets of "Server=a;Password=b" and "host=a password=b".
func inPairs(s string) []Field {
	if strings.Count(s, "=") < 2 {
		return nil
	}
	sep := byte(' ')
	if strings.Contains(s, ";") {
		sep = ';'
	}
	var out []Field
	others := 0
	for _, pair := range splitPairs(s, sep) {
		name, value, ok := strings.Cut(pair, "=")
		name = strings.TrimSpace(name)
		if !ok || name == "" || len(name) > 40 || strings.ContainsAny(name, "/+:\"'{}<>") {
			if strings.TrimSpace(pair) == "" {
				continue
			}
			return nil // not a list of pairs
		}
		if natureOf(name) != sensitive {
			others++
			continue
		}
		out = appendSecret(out, fieldName(name), unquotePair(strings.TrimSpace(value)))
	}
	if others == 0 {
		return nil
	}
	return out
}

// splitPairs splits at separators outside quotes.
func splitPairs(s string, sep byte) []string {
	var out []string
	var quote byte
	from := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case (c == '\'' || c == '"') && i > 0 && s[i-1] == '=':
			quote = c
		case c == sep:
			out = append(out, s[from:i])
			from = i + 1
		}
	}
	return append(out, s[from:])
}

func unquotePair(v string) string {
	if len(v) >= 2 && (v[0] == '\'' || v[0] == '"') && v[len(v)-1] == v[0] {
		return v[1 : len(v)-1]
	}
	return v
}

func fieldName(name string) string {
	switch words := wordsOf(name); {
	case len(words) == 1 && (words[0] == "pwd" || words[0] == "pass" || words[0] == "passwd"):
		return "password"
	}
	if c := strings.ToLower(clean(name)); c != "" {
		return c
	}
	return "secret"
}

func appendSecret(dst []Field, name, value string) []Field {
	v := []byte(value)
	if len(bytes.TrimSpace(v)) == 0 || isReference(v) {
		return dst
	}
	return append(dst, Field{Name: name, Value: fingerprints.NewValue(v)})
}
