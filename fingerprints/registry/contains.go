package registry

import (
	"context"
	"fmt"

	"revenant/fingerprints"
	"revenant/fingerprints/registration"
)

// checkContains refuses values that contain an older value of the secret.
// Values that are searched as parts of each other make every copy of the new
// one a copy of the old one too.
func (g *registering) checkContains(versions []fingerprints.Version, n newVersion, force bool) error {
	if force {
		return nil
	}
	for _, v := range versions {
		entries, _, err := g.entries(v)
		if err != nil {
			return err
		}
		for _, e := range entries {
			for _, f := range n.fields {
				if f.Sealed != nil {
					continue // whoever has the value has looked: see CheckContains
				}
				found, err := registration.Contains(g.ring, registration.Canonical(f.Value.Reveal(), f.trailing()), e)
				if err != nil {
					return err
				}
				if found {
					return fmt.Errorf("%s: %w", v.Ref(), ErrContainsOld)
				}
			}
		}
	}
	return nil
}

// checkNoValue refuses texts that hold a registered value of the secret:
// somebody typed it into a reason, a glob or a consumer's name.
func (c *change) checkNoValue(ctx context.Context, secret string, texts ...string) error {
	versions, err := c.tx.Versions(ctx, secret)
	if err != nil {
		return err
	}
	open := registration.New(c.ring, c.reg.rand, nil)
	for _, v := range versions {
		rows, err := c.tx.Fields(ctx, v.ID)
		if err != nil {
			return err
		}
		for _, row := range rows {
			e, err := open.Open(row)
			if err != nil {
				continue // not searchable, or damaged: doctor says so
			}
			for _, s := range texts {
				// One more byte: a text that is the value contains it too.
				found, err := registration.Contains(c.ring, append([]byte(s), 0), e)
				if err != nil {
					return err
				}
				if found {
					return ErrValueInName
				}
			}
		}
	}
	return nil
}
