package files

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"strconv"
	"time"

	"revenant/fingerprints"
	"revenant/scanners"
)

// Bounds of an NDJSON source.
const (
	defaultMaxLine = 16 << 20
	ndjsonRecords  = 256     // records in a batch
	ndjsonBytes    = 8 << 20 // or as many bytes
)

// NDJSONOptions configures NewNDJSON.
type NDJSONOptions struct {
	// SourceID is used for records that bring none; when it is empty too, such
	// records are skipped.
	SourceID string
	// MaxLine is the longest line in bytes; 0: 16 MiB. Longer ones are skipped.
	MaxLine int
}

// NewNDJSON returns a source of records, one JSON object a line:
//
//	{"source": "...", "path": "...", "url": "...", "time": "RFC 3339", "text": "..."}
//
// with "base64" (standard or URL alphabet) in place of "text" for bytes that
// are not text. A broken line is a skip with its number and the reason; the
// other lines stay. Other members are scanned too, as they stand in the line.
// Reading happens in Next; there is no cursor, since a stream cannot be read
// again.
func NewNDJSON(r io.Reader, o NDJSONOptions) scanners.Source {
	if o.MaxLine <= 0 {
		o.MaxLine = defaultMaxLine
	}
	return &ndjson{r: bufio.NewReaderSize(r, 64<<10), o: o}
}

type ndjson struct {
	r    *bufio.Reader
	o    NDJSONOptions
	line int64
	done bool
}

func (s *ndjson) ID() string { return s.o.SourceID }

func (s *ndjson) Kind() fingerprints.SourceKind { return scanners.KindOf(s.o.SourceID) }

func (s *ndjson) Close() error {
	s.done = true
	return nil
}

func (s *ndjson) Next(ctx context.Context) (scanners.Batch, error) {
	var b scanners.Batch
	size := 0
	for len(b.Items)+len(b.Skipped) < ndjsonRecords && size < ndjsonBytes {
		if err := ctx.Err(); err != nil {
			return b, err
		}
		if s.done {
			return b, io.EOF
		}
		line, long, err := s.readLine()
		if err != nil {
			s.done = true
			if !errors.Is(err, io.EOF) {
				return b, skipError(err)
			}
			if len(line) == 0 && long == 0 {
				return b, io.EOF
			}
		}
		s.line++
		size += len(line)
		s.take(&b, line, long)
	}
	return b, nil
}

// readLine returns the next line without its end. A line over the bound is
// read past and its length returned as long.
func (s *ndjson) readLine() (line []byte, long int64, err error) {
	for {
		part, err := s.r.ReadSlice('\n')
		switch {
		case long > 0:
			long += int64(len(part))
		case len(line)+len(part) > s.o.MaxLine+1:
			long, line = int64(len(line)+len(part)), nil
		default:
			line = append(line, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, long, err
		}
	}
}

// take adds the items of a line, or its skip.
func (s *ndjson) take(b *scanners.Batch, line []byte, long int64) {
	if s.line == 1 {
		line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
	}
	at := "line " + strconv.FormatInt(s.line, 10)
	if long > 0 {
		b.Skipped = append(b.Skipped, fingerprints.Skip{Locator: at, Reason: fingerprints.SkipTooLarge, Detail: "the line is too long", Size: long})
		return
	}
	line = bytes.TrimSpace(line)
	if len(line) == 0 {
		return
	}
	rec, err := parseRecord(line, s.o.SourceID)
	if err != nil {
		b.Skipped = append(b.Skipped, fingerprints.Skip{Locator: at, Reason: fingerprints.SkipBadRecord, Detail: err.Error(), Size: int64(len(line))})
		return
	}
	item := scanners.Item{
		SourceID: rec.source, Path: rec.path, URL: rec.url, At: rec.at,
		Locator: at, Presence: rec.presence(),
	}
	if !rec.at.IsZero() {
		item.Locator = rec.at.UTC().Format(time.RFC3339Nano)
	}
	b.Items = append(b.Items, withContent(item, rec.content))
	if len(rec.extra) > 0 {
		item.Locator += "@extra"
		b.Items = append(b.Items, withContent(item, rec.extra))
	}
}

func withContent(i scanners.Item, content []byte) scanners.Item {
	i.Size = int64(len(content))
	i.Open = func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(content)), nil
	}
	return i
}
