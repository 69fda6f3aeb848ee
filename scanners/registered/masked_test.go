package registered_test

import (
	"fmt"
	"strings"
	"testing"

	"revenant/fingerprints"
	"revenant/fingerprints/pack/packtest"
	"revenant/scanners"
	"revenant/scanners/registered"
)

// A region that is readable beside a mask is told of; nothing else is.
func TestHalfMasked(t *testing.T) {
	value := "k7Rm2Q" + "xV9nL4tB6wY1mZp8Jd3Hs5Gf0Ce" + "TzUaPq"
	built := packtest.New(t, fingerprints.AudienceCore, []byte(value))
	m, err := registered.New(built.Pack)
	if err != nil {
		t.Fatal(err)
	}
	half := func(text string) (got []string) {
		for _, h := range m.AppendHits(nil, scanners.Chunk{Data: []byte(text), Final: true}) {
			if h.Registered() {
				got = append(got, "whole")
				continue
			}
			got = append(got, fmt.Sprintf("%s %q", h.Rule, text[h.Span.Start:h.Span.End]))
			if !strings.Contains(text, string(h.Value.Reveal())) || h.Match != h.Span {
				t.Errorf("%q: a wrong stretch", text)
			}
		}
		return got
	}
	for _, mask := range []string{"***", "****", "********", "[MASKED]", "[REDACTED]", "[secure]", "xxxx"} {
		for cut := 1; cut < len(value); cut++ {
			for _, text := range []string{mask + value[cut:], value[:cut] + mask} {
				got := half("token: " + text + " ok\n")
				readable := strings.Contains(text, regionOf(t, m, value))
				want := fmt.Sprintf("[%s %q]", scanners.RuleHalfMasked, text)
				switch {
				case readable && fmt.Sprint(got) != want:
					t.Errorf("%q: %v, want %s", text, got, want)
				case !readable && len(got) > 0:
					t.Errorf("%q: %v, want nothing", text, got)
				}
			}
		}
	}
	region := regionOf(t, m, value)
	tests := map[string]string{
		value:                              "[whole]",
		"***" + value:                      "[whole]",
		value + "***":                      "[whole]",
		"*** " + value[1:]:                 "[]",
		`"***"` + region:                   "[]",
		region:                             "[]",
		"**" + value[1:]:                   "[]",
		"xxx" + value[1:]:                  "[]",
		region + "***" + "\n" + value:      "[whole half]",
		"password=*** for " + region:       "[]",
		value[1:] + strings.Repeat("*", 2): "[]",
	}
	for text, want := range tests {
		got := strings.ReplaceAll(fmt.Sprint(half(text)), fmt.Sprintf("%s %q", scanners.RuleHalfMasked, region+"***"), "half")
		if got != want && got != "[half whole]" {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

// regionOf is the part of a value that it is met by: the shortest one beside a
// mask that is told of.
func regionOf(t *testing.T, m *registered.Matcher, value string) string {
	t.Helper()
	meets := func(text string) bool {
		return len(m.AppendHits(nil, scanners.Chunk{Data: []byte(text), Final: true})) > 0
	}
	from, to := 0, len(value)
	for from+1 < to && meets("***"+value[from+1:]) {
		from++
	}
	for to-1 > from && meets(value[:to-1]+"***") {
		to--
	}
	if to-from < 13 {
		t.Fatalf("a region of %d bytes", to-from)
	}
	return value[from:to]
}
