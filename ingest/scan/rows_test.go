package scan_test

import (
	"strings"
	"testing"

	"revenant/fingerprints"
	"revenant/fingerprints/pack/packtest"
	"revenant/ingest/scan"
	"revenant/scanners"
	"revenant/scanners/registered"
	"revenant/scanners/scannerstest"
	"revenant/scanners/views"
)

// TestDumpsShowNothing: what a dump says twice is not shown in its other writing.
func TestDumpsShowNothing(t *testing.T) {
	v := random(71, 32)
	m, err := registered.New(packtest.New(t, fingerprints.AudienceCore, []byte(v)).Pack)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for before := range 18 {
		for name, text := range scannerstest.Dumps([]byte(strings.Repeat("p", before) + v + " and what follows it")) {
			src := &memory{id: "dir:/x", per: 1, items: []scanners.Item{item("dir:/x", "a", "a line\n"+text+"another line\n")}}
			out := mustRun(t, src, setup{matcher: &literal{}, change: func(o *scan.Options) {
				o.Engine = &scanners.Engine{Matchers: []scanners.Matcher{m}, Viewer: views.New()}
			}})
			found += min(1, len(out.findings))
			if piece := scannerstest.Shows(out.everything(), v, 5); piece != "" {
				t.Errorf("%s, %d bytes before: %q of the value is shown: %q", name, before, piece, out.findings[0].Context)
			}
		}
	}
	if found < 140 {
		t.Errorf("only %d dumps had a finding", found)
	}
}
