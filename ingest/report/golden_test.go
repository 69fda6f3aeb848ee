package report_test

import (
	"encoding/base64"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden reports anew")

// Every format of one rich scan, as it was looked at and found good.
func TestGolden(t *testing.T) {
	s := rich(t)
	for _, k := range kinds() {
		t.Run(k.file, func(t *testing.T) {
			got := k.write(t, s)
			for i, v := range plants() {
				for _, trace := range []string{v, v[:16], v[16:], base64.StdEncoding.EncodeToString([]byte(v))[:40]} {
					if strings.Contains(string(got), trace) {
						t.Errorf("value %d is in the report", i)
					}
				}
			}
			path := filepath.Join("testdata", "golden", k.file)
			if *update {
				if err := os.WriteFile(path, got, 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
