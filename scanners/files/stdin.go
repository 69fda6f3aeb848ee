package files

import (
	"context"
	"io"

	"revenant/fingerprints"
	"revenant/scanners"
)

type stdin struct {
	r    io.Reader
	id   string
	path string
	done bool
}

func (s *stdin) ID() string { return s.id }

func (s *stdin) Kind() fingerprints.SourceKind { return fingerprints.KindStdin }

func (s *stdin) Close() error { return nil }

func (s *stdin) Next(ctx context.Context) (scanners.Batch, error) {
	if err := ctx.Err(); err != nil {
		return scanners.Batch{}, err
	}
	if s.done {
		return scanners.Batch{}, io.EOF
	}
	s.done = true
	return scanners.Batch{Items: []scanners.Item{{
		SourceID: s.id,
		Path:     s.path,
		Presence: fingerprints.PresenceTip,
		Size:     -1,
		Open: func(context.Context) (io.ReadCloser, error) {
			return io.NopCloser(s.r), nil
		},
	}}}, io.EOF
}
