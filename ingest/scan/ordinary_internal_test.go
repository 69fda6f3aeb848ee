package scan

import (
	"strings"
	"testing"

	"revenant/fingerprints"
	"revenant/scanners"
)

func TestOrdinary(t *testing.T) {
	for raw, want := range map[string]bool{
		"var/lib/dpkg/info/libpciaccess0:[amd64.md5sums]":         true,
		"var/lib/dpkg/info/libgssapi-krb5-2:[kfreebsd-i386.list]": true,
		"key:[amd64.md5sum]":                              false,
		"access0=[amd64.md5sums]":                         false,
		"[amd64.md5sums]":                                 false,
		"key:[0123456789abcdef012345.list]":               false,
		"key:[" + strings.ToUpper("amd64") + ".list]":     false,
		"key:[" + strings.Repeat("a", 10) + "_x.md5sums]": false,
	} {
		start, end := strings.Index(raw, "["), strings.Index(raw, "]")
		text := raw[:start] + raw[start+1:end] + raw[end+1:]
		h := scanners.Hit{Rule: "generic-api-key", Span: scanners.Span{Start: int64(start), End: int64(end - 1)}}
		if got := ordinary(text, h); got != want {
			t.Errorf("%s: %v", raw, got)
		}
		h.Rows = []fingerprints.RowID{{1}}
		if ordinary(text, h) {
			t.Errorf("%s: a registered value is ordinary", raw)
		}
	}
}
