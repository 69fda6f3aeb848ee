package views_test

import (
	"encoding/base64"
	"strings"
	"testing"
)

// TestTextBehindOtherText has text in one grid before a long stretch that is
// ASCII but no text, and text behind it in another grid.
func TestTextBehindOtherText(t *testing.T) {
	k := newKit(t)
	for _, c := range append(append(base64Codings()[:1:1], hexCodings()[0]), base32Codings()[:3]...) {
		for _, gap := range []int{0, 10, 100, 3000, 6000, 12000, 50000} {
			for shift := range 5 {
				for name, filling := range map[string]string{"zeros": "\x00", "noise": ""} {
					fill := strings.Repeat(filling, gap)
					if filling == "" {
						fill = string(noise(uint64(gap), gap))
					}
					plain := []byte(base64.StdEncoding.EncodeToString(k.value) + strings.Repeat(" ", shift) + fill + "\n" + generic + "\n")
					content := "x: " + c.encode(plain) + strings.Repeat("Q", shift)
					if hits, _ := k.scan(t, content, 0); len(hits) != 2 {
						t.Fatalf("%s, %s of %d, %d: %v", c.name, name, gap, shift, describe(hits))
					}
				}
			}
		}
	}
}
