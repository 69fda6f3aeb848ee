package rules_test

import (
	"context"
	"encoding/base64"
	"strings"
	"testing"

	"revenant/scanners"
	"revenant/scanners/rules"
)

// What a matcher says that its answer hangs on decides whether contents may be
// looked at in parts.
func TestAppendLocalHits(t *testing.T) {
	m, err := rules.New(rules.Options{Contents: []byte(`
[extend]
useDefault = true
[[rules]]
id = "beside-its-keyword"
regex = '''\bzz_[0-9a-f]{40}\b'''
keywords = ["vaults"]
[[rules]]
id = "beside-another"
regex = '''\byy_[0-9a-f]{40}\b'''
keywords = ["yy_"]
[[rules.required]]
id = "beside-its-keyword"
`)})
	if err != nil {
		t.Fatal(err)
	}
	filler := strings.Repeat("nothing is said in this line;\n", 20)
	key := "gh" + "p_" + "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dF3hJ5"
	digits := "9f4e1c7a3b8d2605e7c19a4f6b3d8e2075c1a9f4"
	encoded := base64.StdEncoding.EncodeToString([]byte("api_key = '" + "zz" + digits[:20] + "'"))
	tests := []struct {
		name, before, text, after string
		hits, local               bool
		over                      bool // a stretch covers all of text
	}{
		{"nothing", filler, "key", filler, false, true, false},
		{"a token", filler, key, "\n" + filler, true, true, true},
		{"an open header", filler, "-----BEGIN RSA PRIVATE " + "KEY-----\n" + filler, "", false, true, true},
		{"no keyword", filler, "zz_" + digits, "\n" + filler, false, false, true},
		{"a keyword far away", "vaults\n" + filler, "zz_" + digits, "\n" + filler, true, true, true},
		{"no companion", filler, "yy_" + digits, "\n" + filler, false, false, true},
		{"a long row beside its keyword", "sourcegraph\n" + filler, digits, "\n" + filler, true, false, true},
		{"an allowed line", filler, key, " # gitleaks:allow\n", false, false, true},
		{"encoded", filler, encoded, "\n" + filler, true, true, true},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			from, to, over := len(tc.before), len(tc.before)+len(tc.text), false
			hits, local := m.AppendLocalHits(context.Background(), nil, scanners.Chunk{
				Data: []byte(tc.before + tc.text + tc.after), Final: true, AnyPath: true,
			}, func(a, b int) { over = over || a <= from && b >= to })
			found := false
			for _, h := range hits {
				found = found || !h.PathOnly
			}
			if found != tc.hits || local != tc.local || over != tc.over {
				t.Errorf("found %v, local %v, over %v; want %v, %v, %v", found, local, over, tc.hits, tc.local, tc.over)
			}
		})
	}
}
