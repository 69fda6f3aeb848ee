package registration

import (
	"bytes"
	"unicode/utf8"

	"revenant/fingerprints/strength"
)

// Bits of a byte's cost.
const (
	costShared  = 1 << iota // prefix, checksum, public part
	costEscaped             // a character that escapes change
	costCommon              // part of a common window
)

// byteCosts says what is wrong with anchoring at each byte.
func byteCosts(body []byte, avoid []bool) []uint16 {
	cost := make([]uint16, len(body))
	text := isText(body)
	for i, b := range body {
		if avoid[i] {
			cost[i] |= costShared
		}
		if text && !staysRaw(b) {
			cost[i] |= costEscaped
		}
	}
	lower := bytes.ToLower(body)
	if len(lower) != len(body) { // only of text that is not ASCII
		lower = body
	}
	for _, w := range commonWindows() {
		for from := 0; ; {
			i := bytes.Index(lower[from:], []byte(w))
			if i < 0 {
				break
			}
			for j := range w {
				cost[from+i+j] |= costCommon
			}
			from += i + 1
		}
	}
	return cost
}

// isText reports whether a value may stand in text as it is, and so be escaped
// character by character.
func isText(b []byte) bool {
	if !utf8.Valid(b) {
		return false
	}
	for _, c := range b {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' {
			return false
		}
	}
	return true
}

// staysRaw reports whether percent encoding, JSON, HTML, SQL and shells leave
// a character alone: the unreserved characters of RFC 3986 without the tilde.
func staysRaw(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '-' || b == '_' || b == '.'
}

// sharedPrefixes open the values of many issuers and say nothing about one
// value. Longer ones come before their own prefixes.
func sharedPrefixes() []string {
	return []string{
		"github_pat_", "ghp_", "gho_", "ghu_", "ghs_", "ghr_",
		"glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glsoat-",
		"xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxe.xoxp-1-", "xapp-1-",
		"AKIA", "ASIA", "AROA", "ABIA", "ACCA", "AIza", "ya29.", "GOCSPX-",
		"sk_live_", "sk_test_", "rk_live_", "rk_test_", "pk_live_", "pk_test_", "whsec_",
		"sk-ant-api03-", "sk-ant-admin01-", "sk-proj-", "sk-svcacct-", "sk-or-v1-", "sk-",
		"npm_", "pypi-AgEIcHlwaS5vcmc", "rubygems_", "dop_v1_", "doo_v1_", "dor_v1_",
		"shpat_", "shpss_", "shppa_", "shpca_", "hvs.", "hvb.", "hvr.", "hf_", "SG.",
		"dapi", "lin_api_", "ntn_", "secret_", "PMAK-", "NRAK-", "dckr_pat_", "tfp_",
		"EAACEdEose0cBA", "FLWSECK-", "sq0atp-", "sq0csp-", "EAAA", "key-", "re_", "pat-na1-",
		"AGE-SECRET-KEY-1", "rvn_",
	}
}

// checksumLen is how many characters at the end of values with this prefix
// are computed from the others.
func checksumLen(prefix string) int {
	switch prefix {
	case "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "npm_":
		return 6
	case "AGE-SECRET-KEY-1":
		return 6
	}
	return 0
}

// commonWindows are stretches, in lower case, that stand in very many values
// and in ordinary text.
func commonWindows() []string {
	return []string{
		"passw", "secret", "token", "apikey", "api_key", "api-key", "access", "client",
		"private", "public", "admin", "default", "example", "sample", "change", "dummy",
		"localhost", "http:", "https:", "://", "www.", ".com", ".local", ".internal",
		"postgres", "mysql", "mongo", "redis", "amqp", "jdbc", "server", "database",
		"bearer", "basic", "begin", "-----", "eyjhb", "eyj0e", "ijoi", "iiwi",
		"00000", "11111", "12345", "23456", "34567", "45678", "56789", "abcde", "bcdef",
		"xxxxx", "aaaaa", "qwert", "-0000-", "-4000-", "-8000-",
	}
}

// sharedPrefix is the known prefix that a value opens with.
func sharedPrefix(raw []byte) string {
	for _, p := range sharedPrefixes() {
		if bytes.HasPrefix(raw, []byte(p)) {
			return p
		}
	}
	return ""
}

// knownChecksum is how many characters at the end of a value follow from the
// others, as its prefix tells.
func knownChecksum(raw []byte) int { return min(len(raw), checksumLen(sharedPrefix(raw))) }

// avoided marks the bytes of a value that other values share or that can be
// computed: known prefixes, checksums, the readable parts of a JWT, and what
// the hint counts.
func avoided(raw []byte, hint strength.Hint) []bool {
	avoid := make([]bool, len(raw))
	first := max(hint.Prefix, len(sharedPrefix(raw)), jwtReadable(raw))
	last := len(raw) - max(hint.Checksum, knownChecksum(raw), 0)
	for i := range avoid {
		avoid[i] = i < first || i >= last
	}
	return avoid
}

// minSignature is the length of the shortest signature worth anchoring in.
const minSignature = 40

// jwtReadable is the length of header and payload, with their dots, of a
// signed JSON web token; 0 for anything else.
func jwtReadable(raw []byte) int {
	if !bytes.HasPrefix(raw, []byte("ey")) || bytes.Count(raw, []byte(".")) != 2 {
		return 0
	}
	for _, b := range raw {
		if !staysRaw(b) {
			return 0
		}
	}
	n := bytes.LastIndexByte(raw, '.') + 1
	if len(raw)-n < minSignature {
		return 0
	}
	return n
}
