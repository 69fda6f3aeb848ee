package scan

import (
	"bytes"
	"strings"

	"revenant/fingerprints"
	"revenant/scanners"
)

// longestDumpRow is how far from a hit the row of a dump is looked for.
const longestDumpRow = 1 << 10

// dumpRow finds rows of numbers, as dumps have them beside the text.
var dumpRow = compiled(`(?:^|[^0-9A-Za-z])(?:(?:0[xX])?(?:[0-9A-Fa-f]{2}){1,8}[ \t:|,-]{1,4}){5}|(?:^|[ \t,:])(?:-?[0-9]{1,3}[ \t,]{1,4}(?:'[^']{1,5}'[ \t,]*)?){6}`)

// WholeRows widens hits in the rows of dumps to the whole of the rows: these say what
// they hold twice, as numbers and as text, and a value that goes on in the next row is
// found in one of both alone. What stands before a place is left as it is: it may have
// been shown. The hits are changed where they are.
func WholeRows(data []byte, base, before int64, hits []scanners.Hit) []scanners.Hit {
	for i := range hits {
		h := &hits[i]
		from, to := int(h.Span.Start-base), int(h.Span.End-base)
		if h.PathOnly || from < 0 || to > len(data) || from >= to {
			continue
		}
		low, high := max(0, from-longestDumpRow, int(min(before-base, int64(from)))), min(len(data), to+longestDumpRow)
		start := low + bytes.LastIndexByte(data[low:from], '\n') + 1
		end := high
		if n := bytes.IndexByte(data[to-1:high], '\n'); n >= 0 {
			end = max(to-1+n, to)
		}
		dump := strings.Contains(string(h.Form), string(fingerprints.FormDump))
		if raw := h.Form == fingerprints.FormRaw || h.Form == ""; dump || raw && (dumpRow().Match(data[start:from]) || dumpRow().Match(data[to:end])) {
			h.Span = scanners.Span{Start: base + int64(start), End: base + int64(end)}
		}
	}
	return hits
}
