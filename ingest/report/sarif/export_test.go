package sarif

import (
	"io"

	"revenant/ingest/report"
)

// WriteWithin is Write with another bound of the compressed file.
func WriteWithin(w io.Writer, d report.Data, limit int64) error { return write(w, d, limit) }
