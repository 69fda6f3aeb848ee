package packtest_test

import (
	"encoding/base64"
	"testing"

	"revenant/fingerprints"
	"revenant/fingerprints/pack/packtest"
)

func TestNew(t *testing.T) {
	src := packtest.Seed(9)
	var values [][]byte
	for range 100 {
		b := make([]byte, 24)
		_, _ = src.Read(b)
		values = append(values, []byte(base64.RawURLEncoding.EncodeToString(b)))
	}
	built := packtest.New(t, fingerprints.AudienceCore, values...)
	c := built.NewConfirmer()
	for i, v := range values {
		rows := c.Lookup(1, v)
		if len(rows) != 1 || rows[0] != built.Rows[i] {
			t.Fatalf("value %d: looked up %v, registered as %v", i, rows, built.Rows[i])
		}
		l, err := c.Label(rows[0], v)
		if err != nil {
			t.Fatal(err)
		}
		if want := packtest.Label(i, built.Entries[i]); l != want {
			t.Fatalf("value %d: label %+v, want %+v", i, l, want)
		}
	}
}
