package sarif_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/ingest/report"
	"revenant/ingest/report/sarif"
)

// many are findings whose texts compress badly.
func many(t *testing.T, n int) report.Data {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	text := func(n int) string {
		var b strings.Builder
		for b.Len() < n {
			fmt.Fprintf(&b, "%x/", rng.Uint64())
		}
		return b.String()
	}
	var c report.Collector
	for i := range n {
		severity := fingerprints.SeverityLow
		if i%10 == 0 {
			severity = fingerprints.SeverityHigh
		}
		if err := c.Write(wire.Finding{
			ID: fingerprints.FindingID("rv1:" + text(30)), SourceID: "git:example.org/app", Path: text(60), Rule: "a-rule", Context: text(150), Commit: text(38),
			Verdict: fingerprints.VerdictUnregistered, Severity: severity, Same: uint64(i + 1), Span: wire.Region{Line: 1, EndLine: 1},
		}); err != nil {
			t.Fatal(err)
		}
	}
	return c.Data(report.Tool{Name: "Revenant"}, wire.Summary{Complete: true})
}

func packed(t *testing.T, b []byte) int64 {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := io.Copy(z, bytes.NewReader(b)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return int64(out.Len())
}

// What makes a file too large for GitHub is left out, the mildest first, and told.
func TestSizeIsBounded(t *testing.T) {
	d := many(t, 1000)
	for _, limit := range []int64{50 << 10, 150 << 10, 10 << 20, 1} {
		var b bytes.Buffer
		if err := sarif.WriteWithin(&b, d, limit); err != nil {
			t.Fatal(err)
		}
		var log struct {
			Runs []struct {
				Results []struct{ Level string }
			}
		}
		if err := json.Unmarshal(b.Bytes(), &log); err != nil {
			t.Fatal(err)
		}
		left, mild := len(d.Places), 0
		for _, r := range log.Runs[0].Results {
			left--
			if r.Level == "note" {
				mild++
			}
		}
		if n := packed(t, b.Bytes()); n > max(limit, 2000) || limit > 1000 && n < limit/2 && left > 0 {
			t.Errorf("limit %d: %d bytes, %d left out", limit, n, left)
		}
		if told := strings.Contains(b.String(), fmt.Sprintf("%d findings are left out", left)); told != (left > 0) {
			t.Errorf("limit %d: %d left out, and that is told: %t", limit, left, told)
		}
		if left > 0 && mild > 0 && left+mild < 900 {
			t.Errorf("limit %d: worse ones were left out before %d that are mild", limit, mild)
		}
	}
}

// As many findings as are kept fit into what GitHub takes.
func TestMostOfResultsFit(t *testing.T) {
	var b bytes.Buffer
	const part = 20
	d := many(t, report.MaxPlaces/part)
	if err := sarif.Write(&b, d); err != nil {
		t.Fatal(err)
	}
	if n := packed(t, b.Bytes()); n*part > 10<<20 {
		t.Errorf("%d results are %d bytes, %d compressed", len(d.Places), b.Len(), n)
	}
}
