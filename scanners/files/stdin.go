package files

import (
	"context"
	"io"
	"strings"

	"revenant/fingerprints"
	"revenant/scanners"
)

type stdin struct {
	r    io.Reader
	id   string
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
		Path:     stdinPath,
		Presence: fingerprints.PresenceTip,
		Size:     -1,
		Open: func(context.Context) (io.ReadCloser, error) {
			return io.NopCloser(s.r), nil
		},
	}}}, io.EOF
}

// kindOf looks at the scheme only.
func kindOf(id string) fingerprints.SourceKind {
	scheme, _, has := strings.Cut(id, ":")
	if !has {
		return fingerprints.KindOther
	}
	switch k := fingerprints.SourceKind(scheme); k {
	case fingerprints.KindDir, fingerprints.KindStdin, fingerprints.KindGit,
		fingerprints.KindImage, fingerprints.KindCI, fingerprints.KindKafka:
		return k
	case fingerprints.KindOther:
	}
	return fingerprints.KindOther
}
