package files

import (
	"io"

	"revenant/scanners"
)

// NDJSONOptions configures NewNDJSON.
type NDJSONOptions struct {
	// SourceID is used for records that bring none; when it is empty too, such
	// records are skipped.
	SourceID string
	// MaxLine is the longest line in bytes; 0: 64 MiB. Longer ones are skipped.
	MaxLine int
}

// NewNDJSON returns a source of records, one JSON object a line:
//
//	{"source": "...", "path": "...", "url": "...", "time": "RFC 3339", "text": "..."}
//
// with "base64" (standard or URL alphabet) in place of "text" for bytes that
// are not text. A broken line is a skip with its number and the reason; the
// other lines stay.
func NewNDJSON(r io.Reader, o NDJSONOptions) scanners.Source { return nil }
