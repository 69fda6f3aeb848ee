package recall_test

import (
	"bytes"
	"fmt"
	"testing"

	"revenant/scanners"
	"revenant/scanners/rules"
)

// secret is a text in which a rule finds a secret.
type secret struct {
	rule string
	text []byte
	at   stretch
	pem  bool
}

// secrets are texts that gitleaks' rules find something in, a few for each
// rule: as they stand, the rules find exactly what is said of them.
func secrets(t *testing.T, m *rules.Matcher, keys []value) []secret {
	const capitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	hidden := func(a, b string) []byte { return []byte(a + b) } // no prefix stands whole in this file
	r := seeded("secrets")
	kinds := []struct {
		rule   string
		make   func() []byte
		around [2]string
	}{
		{"github-pat", func() []byte { return append(hidden("gh", "p_"), from(r, alnum, 36)...) }, [2]string{`GH_PAT="`, `" make release`}},
		{"aws-access-token", func() []byte { return append(hidden("AK", "IA"), from(r, capitals, 16)...) }, [2]string{`id: '`, `' region: eu`}},
		{"slack-bot-token", func() []byte {
			return fmt.Appendf(hidden("xo", "xb-"), "%d-%d-%s", 1e11+r.Int64N(8e11), 1e11+r.Int64N(8e11), from(r, alnum, 24))
		}, [2]string{"bot ", " posts"}},
		{"gcp-api-key", func() []byte { return append(hidden("AI", "za"), from(r, alnum, 35)...) }, [2]string{"maps?k=`", "` ok"}},
		{"stripe-access-token", func() []byte { return append(hidden("sk_", "live_"), from(r, alnum, 28)...) }, [2]string{`charge('`, `') ok`}},
		{"gitlab-pat", func() []byte { return append(hidden("gl", "pat-"), from(r, alnum, 20)...) }, [2]string{"clone ", " done"}},
		{"generic-api-key", func() []byte { return from(r, alnum, 32) }, [2]string{`api_key = "`, `" # billing`}},
		{"jwt", func() []byte { return token(r) }, [2]string{`Bearer "`, `" ok`}},
	}
	var out []secret
	for _, k := range kinds {
		tries := 0
		for n := 0; n < perKind; {
			v := k.make()
			s := secret{rule: k.rule, text: []byte(k.around[0] + string(v) + k.around[1])}
			s.at = stretch{len(k.around[0]), len(k.around[0]) + len(v)}
			if hits := m.AppendHits(nil, scanners.Chunk{Data: s.text, Final: true}); len(hits) != 1 || hits[0].Rule != k.rule || !bytes.Equal(hits[0].Value.Reveal(), v) {
				if tries++; tries > 500 {
					t.Fatalf("the rule %s finds little of what is made for it", k.rule)
				}
				continue
			}
			out, n = append(out, s), n+1
		}
	}
	for _, k := range keys {
		if k.key {
			out = append(out, secret{rule: "private-key", text: k.bytes, at: stretch{0, len(k.bytes)}, pem: true})
		}
	}
	return out
}
