package rules_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"revenant/scanners"
	"revenant/scanners/rules"
)

// Alphabets of tokens.
const (
	hexDigits = "0123456789abcdef"
	base36    = "0123456789abcdefghijklmnopqrstuvwxyz"
	capital36 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	urlSafe   = base62 + "-_"
)

// issued makes tokens as services issue them: {h4} is four hex digits, {a}, {s}, {c}
// and {w} letters and digits, small ones, capitals, and with - and _; {u} is a UUID. The
// marks are split so that a scan of this file stays quiet.
func issued(template string, seed uint64) string {
	template = strings.NewReplacer("^", "", "{u}", "{h8}-{h4}-4{h3}-9{h3}-{h12}").Replace(template)
	var out strings.Builder
	for {
		before, rest, more := strings.Cut(template, "{")
		out.WriteString(before)
		if !more {
			return out.String()
		}
		spec, behind, _ := strings.Cut(rest, "}")
		n := 0
		if _, err := fmt.Sscan(spec[1:], &n); err != nil {
			panic(err)
		}
		seed++
		out.WriteString(random(seed, map[byte]string{'h': hexDigits, 's': base36, 'c': capital36, 'a': base62, 'w': urlSafe, 'd': "123456789"}[spec[0]], n))
		template = behind
	}
}

var issuers = []struct{ rule, template string }{
	{"ai-key", "sk-^ant-api03-{a20}-{w70}AA"},
	{"ai-key", "sk-^proj-{w20}T3Blbk^FJ{a20}"},
	{"ai-key", "sk-^or-v1-{h64}"},
	{"ai-key", "sk-^{h32}"},
	{"ai-key", "gsk^_{a52}"},
	{"ai-key", "hf^_{a34}"},
	{"ai-key", "lsv2^_pt_{h32}_{h10}"},
	{"ai-key", "llx^-{w48}"},
	{"ai-key", "nvapi^-{a64}"},
	{"ai-key", "pcsk^_{a6}_{a63}"},
	{"ai-key", "r8^_{a37}"},
	{"ai-key", "tvly^-{a32}"},
	{"ai-key", "tgp^_v1_{w43}"},
	{"ai-key", "xai^-{a80}"},
	{"ai-key", "jina^_{h32}{w28}"},
	{"ai-key", "csk^-{s48}"},
	{"aws-key", "AK^IA{c14}01"},
	{"aws-key", "IQoJb3JpZ2lu^X2Vj{a300}=="},
	{"azure-key", "{a52}JQQJ^99{c7}AAAA{a15}"},
	{"azure-key", "{a76}+A^St{a5}w=="},
	{"aws-key", "AB^SK{a120}"},
	{"azure-key", "{a76}AZ^DO{a4}"},
	{"operations-token", "hv^s.{a24}"},
	{"build-token", "AP^I-{c32}"},
	{"service-token", "AT^TA{h64}0A1B2C3D"},
	{"service-token", "pk^_{d8}_{c32}"},
	{"service-token", "ai^o_abCD{a24}"},
	{"service-token", "vk^1.a.{w100}"},
	{"service-token", "EA^A{a160}"},
	{"service-token", "2/{d16}/{d16}^:{h32}"},
	{"google-key", "GOC^SPX-{w28}"},
	{"google-key", "ya2^9.{a20}{w80}"},
	{"google-key", "1/^/0{a1}{w60}"},
	{"docker-token", "dckr^_pat_{a26}z"},
	{"docker-token", "dckr^_oat_{a31}z"},
	{"docker-token", "SWM^TKN-1-{s50}-{s25}"},
	{"docker-token", "SWM^KEY-1-{a43}"},
	{"gitlab-token", "glr^tr-{a27}"},
	{"gitlab-token", "glw^t-{w30}"},
	{"bitbucket-token", "ATB^B{a24}{c8}"},
	{"bitbucket-token", "ATC^TT3xFfGN0{w160}={c8}"},
	{"bitbucket-token", "BBD^C-{a44}"},
	{"build-token", "bku^a_{h40}"},
	{"build-token", "CCI^PAT_{a22}_{h40}"},
	{"build-token", "sq^p_{h40}"},
	{"registry-token", "ci^o{a32}"},
	{"registry-token", "oy^2{s43}"},
	{"registry-token", "CFPA^T-{w43}"},
	{"registry-token", "dp.^st.prd.{a43}"},
	{"hosting-token", "cfu^t_{a48}"},
	{"hosting-token", "HRK^U-{u}"},
	{"hosting-token", "nf^p_{a36}"},
	{"hosting-token", "sb^p_{h40}"},
	{"hosting-token", "tsk^ey-auth-{a12}-{a32}"},
	{"hosting-token", "vc^p_{a56}"},
	{"hosting-token", "rn^d_{a28}"},
	{"operations-token", "dbt^u_{a40}"},
	{"operations-token", "NRA^K-{c27}"},
	{"operations-token", "{h36}NR^AL"},
	{"operations-token", "ptr^_{a43}="},
	{"operations-token", "tok^en-{s5}:{s54}"},
	{"operations-token", "kpat^_{a40}"},
	{"payment-key", "whs^ec_{a32}"},
	{"payment-key", "sq0^csp-{w43}"},
	{"payment-key", "access^_token$production${s16}${h32}"},
	{"payment-key", "sk^_live_{a99}{a8}"},
	{"message-token", "https://discord^.com/api/webhooks/{d18}/{w68}"},
	{"message-token", "{h32}-us^12"},
	{"message-token", "ke^y-{h32}"},
	{"message-token", "r^e_{a8}_{a24}"},
	{"message-token", "SG^.{w22}.{a42}z"},
	{"message-token", "{d9}:A^A{a33}"},
	{"service-token", "aka^b-{s16}-{s16}"},
	{"service-token", "CCDB^1_{a22}_{a40}"},
	{"service-token", "dnk^ey-{c26}-{c52}"},
	{"service-token", "fig^d_{a39}z"},
	{"service-token", "pat^-na1-{u}"},
	{"service-token", "sd^k-{u}"},
	{"service-token", "secr^et_{a43}"},
	{"service-token", "ph^x_{a48}"},
	{"service-token", "PMA^T-{c26}"},
	{"service-token", "00^D{a12}!{a96}"},
	{"service-token", "AKI^D{a32}"},
	{"service-token", "cosm^o_{h32}"},
	{"service-token", "lin^_oauth_{h64}"},
	{"service-token", "10^00.{h32}.{h32}"},
	{"service-token", "ph^x_{w42}z"},
	{"service-token", "od^t_{a32}"},
	{"service-token", "od^t_{a8}_{a32}"},
	{"service-token", "sl^k_{h64}"},
	{"service-token", "tk^n.v1_{w71}"},
	{"service-token", "sc^p-live-{h32}"},
	{"service-token", "V^F.DM.{h24}.{a16}"},
	{"service-token", "se^c-c-{a48}"},
}

// settings are where a token stands: behind names and before signs that gitleaks' rules do
// not expect there, too.
var settings = []string{`x = "{v}"`, "{v}", "say {v}, please", "f({v})", "<k>{v}</k>", "http://h/?k={v}&x=1", `[{v}]`, `{"a":"{v}"}`, "X={v}|y", "a {v}.\n", "{v}\\u0026b"}

// TestIssued: tokens that say who issued them are found wherever they stand, by one of
// our rules unless gitleaks has one, and what stands for them is not.
func TestIssued(t *testing.T) {
	m, theirs := newMatcher(t, rules.Options{Own: rules.OwnOn}), newMatcher(t, rules.Options{})
	for i, tt := range issuers {
		v := issued(tt.template, 100*uint64(i))
		for _, s := range settings {
			text := strings.ReplaceAll(s, "{v}", v)
			at := int64(strings.Index(text, v))
			found := slices.ContainsFunc(hits(m, text, "deploy.conf", 0), func(h scanners.Hit) bool {
				return h.Span.Overlaps(scanners.Span{Start: at, End: at + int64(len(v))})
			})
			if !found {
				t.Errorf("%s: %q in %q is not found", tt.rule, tt.template, s)
			}
			got := ownHits(m, text, "deploy.conf")
			if len(hits(theirs, text, "deploy.conf", 0)) == 0 && (len(got) != 1 || !strings.HasPrefix(got[0], tt.rule+" ")) {
				t.Errorf("%s: %q in %q: %d found: %.40s", tt.rule, tt.template, s, len(got), got)
			}
		}
		for _, s := range []string{"EXAMPLE", "x", "0"} { // what documentation has in place of one
			mark, _, _ := strings.Cut(strings.ReplaceAll(tt.template, "^", ""), "{")
			text := mark + strings.Repeat(s, len(v))[:len(v)-len(mark)]
			if got := ownHits(m, text, "deploy.conf"); len(got) > 0 {
				t.Errorf("%s: %q: %q", tt.rule, text, got)
			}
		}
	}
}

// TestWebTokens: a JSON Web Token is found before any sign; the one that everybody tries
// ranks low, and what only looks like one is none.
func TestWebTokens(t *testing.T) {
	m := newMatcher(t, rules.Options{Own: rules.OwnOn})
	token := func(header, claims string) string {
		enc := base64.RawURLEncoding
		return enc.EncodeToString([]byte(header)) + "." + enc.EncodeToString([]byte(claims)) + "." + random(4, base62, 43)
	}
	good := token(`{"alg":"HS256","typ":"JWT"}`, `{"sub":"4711","name":"service"}`)
	for _, s := range settings {
		if got := hits(m, strings.ReplaceAll(s, "{v}", good), "deploy.conf", 0); len(got) == 0 {
			t.Errorf("%q: a JSON Web Token is not found", s)
		}
	}
	for _, tt := range []struct {
		text string
		want int
	}{
		{"x(" + good + ")", 1},
		{"ghs_20260101_" + good + ",", 1},
		{"x(" + token(`{"type":"event","id":"1"}`, `{"sub":"4711","name":"service"}`) + ")", 0},
	} {
		if got := ownHits(m, tt.text, "deploy.conf"); len(got) != tt.want {
			t.Errorf("%.20q...: %d found, want %d", tt.text, len(got), tt.want)
		}
	}
	sample := token(`{"alg":"HS256","typ":"JWT"}`, `{"sub":"12345`+`67890","name":"John"}`)
	for _, h := range hits(m, "x("+sample+")", "deploy.conf", 0) {
		if !h.Low {
			t.Error("the sample of a JSON Web Token does not rank low")
		}
	}
}
