package registry

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"

	"revenant/fingerprints"
	"revenant/fingerprints/anchor"
	"revenant/fingerprints/keys"
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
				found, err := g.contains(registration.Canonical(f.Value.Reveal(), f.trailing()), e)
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

// contains reports whether a registered value stands inside another. The
// plaintext of the registered one is not at hand: its region's tag says where
// it could stand, its MAC whether it does.
func (c *change) contains(raw []byte, e registration.Entry) (bool, error) {
	length := int(e.Length)
	if e.Kind != registration.KindValue || length >= len(raw) {
		return false, nil
	}
	filter, err := c.ring.Key(fingerprints.AudienceCore, keys.PurposeFilter, e.FilterGen)
	if err != nil {
		return false, nil //nolint:nilerr // its generation is out of use: packs do not find it either
	}
	key, err := c.ring.Key(fingerprints.AudienceCore, keys.PurposeRegMAC, e.Epoch)
	if err != nil {
		return false, fmt.Errorf("comparing with older values: %w", err)
	}
	tagger := anchor.NewKey(filter, e.Core.Geometry).NewTagger()
	size := e.Core.Geometry.Region()
	mac := hmac.New(sha256.New, key[:])
	region := e.Core.Regions[0]
	for p := 0; p+length <= len(raw); p++ {
		at := p + int(region.Offset)
		if at+size > len(raw) || tagger.Tag(raw[at:at+size]) != region.Tag {
			continue
		}
		mac.Reset()
		mac.Write(raw[p : p+length])
		if hmac.Equal(mac.Sum(nil), e.Core.MAC[:]) {
			return true, nil
		}
	}
	return false, nil
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
				found, err := c.contains(append([]byte(s), 0), e)
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
