package main

import (
	"context"
	"fmt"
	"strings"

	"revenant/fingerprints"
	"revenant/fingerprints/pack"
	"revenant/fingerprints/registry"
	"revenant/scanners"
	"revenant/scanners/registered"
)

// refuseValues refuses texts that hold a registered value in any form. Reasons,
// owners, globs and ids are stored in the clear, and people paste the wrong
// thing.
func (a *app) refuseValues(ctx context.Context, s *session, texts ...string) error {
	joined := strings.Join(texts, "\n\x01\n")
	if strings.Trim(joined, "\n\x01") == "" {
		return nil
	}
	f, err := a.cachedPack(ctx, s, fingerprints.AudienceCore)
	if err != nil {
		return fmt.Errorf("looking for values in what was typed: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	p, err := pack.Open(f, info.Size(), s.ring, pack.Options{})
	if err != nil {
		return fmt.Errorf("looking for values in what was typed: %w", err)
	}
	m, err := registered.New(p)
	if err != nil {
		return err
	}
	if hits := m.AppendHits(nil, scanners.Chunk{Data: []byte(joined), Final: true}); len(hits) > 0 {
		return fmt.Errorf("%w; it also stands in your shell's history now", registry.ErrValueInName)
	}
	return nil
}
