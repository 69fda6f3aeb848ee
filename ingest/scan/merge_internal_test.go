package scan

import (
	"encoding/base64"
	"testing"

	"revenant/fingerprints"
	"revenant/scanners"
)

// TestMerge: a generic hit at the place of a registered one tells of the same copy,
// but where that is the place of all that was encoded.
func TestMerge(t *testing.T) {
	const value, other = "Zq8vN3xTb6RkYw1LdPc5GhJm", "ghp_4fXc9QzLr2VbN8wKyT5mJh7PdS3gRa1UeCx0"
	encoded := base64.StdEncoding.EncodeToString([]byte("user:" + value))
	hit := func(form fingerprints.Form, v string, rows ...fingerprints.RowID) scanners.Hit {
		h := scanners.Hit{Span: scanners.Span{Start: 10, End: 200}, Form: form, Value: fingerprints.NewValue([]byte(v)), Rows: rows}
		if len(rows) == 0 {
			h.Rule = "rule"
		}
		return h
	}
	row := fingerprints.RowID{1}
	const stream = fingerprints.Form("base64+compressed")
	tests := []struct {
		name                string
		registered, generic scanners.Hit
		apart               bool
	}{
		{"as it stands", hit(fingerprints.FormRaw, value, row), hit(fingerprints.FormRaw, "user:"+value), false},
		{"as it stands, of an outer value", hit(fingerprints.FormRaw, encoded, row), hit(fingerprints.FormRaw, other), false},
		{"what was encoded", hit(stream, value, row), hit(fingerprints.FormRaw, "H4sIAAAAAAAA"), false},
		{"one in a stream", hit(stream, value, row), hit(stream, value), false},
		{"a part of it", hit(stream, value, row), hit(stream, value[4:]), false},
		{"and what stands before it", hit(stream, value, row), hit(stream, "user:"+value[:20]), false},
		{"another one", hit(stream, value, row), hit(stream, other), true},
		{"the one, encoded in a stream", hit(stream+"+base64", value, row), hit(stream, encoded), false},
		{"another one, encoded in it", hit(stream, value, row), hit(stream+"+base64", other), true},
		{"in the escapes of one line", hit(fingerprints.FormPercent, value, row), hit(fingerprints.FormPercent, other), true},
		{"a key", hit(stream+"+private-key", "\x30\x82", row), hit(stream, "-----BEGIN PRIVATE KEY-----"), false},
	}
	for _, tt := range tests {
		got := merge([]scanners.Hit{tt.registered, tt.generic})
		if apart := len(got) == 2; apart != tt.apart {
			t.Errorf("%s: %d hits, apart %t", tt.name, len(got), tt.apart)
		}
	}
}
