package image

import (
	"errors"
	"io"
	"strings"
	"testing"
)

func TestVerified(t *testing.T) {
	const abc = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	tests := map[string]struct {
		text, digest string
		size         int64
		want         error
	}{
		"right":            {"abc", abc, 3, nil},
		"of no size":       {"abc", abc, -1, nil},
		"changed":          {"abd", abc, 3, errDigest},
		"changed, no size": {"abd", abc, -1, errDigest},
		"too short":        {"ab", abc, 3, errSize},
		"too long":         {"abcd", abc, 3, errSize},
		"lying size":       {"abc", abc, 4, errSize},
		"upper case":       {"abc", strings.ToUpper(abc[:7]) + abc[7:], 3, nil},
		"unknown kind":     {"abc", "md5:00", 3, nil},
		"no digest":        {"abc", "app/layer.tar", -1, nil},
		"cut digest":       {"abc", abc[:60], 3, nil},
		"sha512":           {"abc", "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f", 3, nil},
		"sha512, changed":  {"abd", "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f", 3, errDigest},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			rc := verified(io.NopCloser(strings.NewReader(tt.text)), tt.digest, tt.size)
			got, err := io.ReadAll(rc)
			if string(got) != tt.text || !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
				t.Errorf("%q, %v", got, err)
			}
			if n, again := rc.Read(make([]byte, 1)); n != 0 || tt.want != nil && !errors.Is(again, tt.want) {
				t.Errorf("read again: %d, %v", n, again)
			}
			if err := verify([]byte(tt.text), tt.digest, tt.size); !errors.Is(err, tt.want) {
				t.Errorf("as a document: %v", err)
			}
		})
	}
}
