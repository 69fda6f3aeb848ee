package image

import (
	"context"
	"io"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"revenant/fingerprints"
	"revenant/scanners"
)

// Files often hold a part of what their documents name: of an index the images of some
// platforms, of which the others' manifests may be there and nothing else. Where an image
// is there, all of it has to be: else the files were cut, or lost something.

// lack is a document that is not there.
type lack struct{ path, locator, detail string }

const (
	notThere   = "it is not there"
	othersAre  = ", and other parts of its image are: the files are not complete"
	incomplete = notThere + othersAre
)

// missing is how a blob is listed that is not in the files.
func missing(b blob) error {
	detail := notThere
	if foreign(b) {
		detail = "a foreign layer, which is not in the files: addresses that manifests name are not asked"
	}
	return &scanners.SkipError{Reason: fingerprints.SkipMissing, Detail: detail, Size: b.size}
}

// lackManifests lists manifests that are not there. What the files themselves say they
// hold has to be, and of an index something.
func (s *saved) lackManifests(at *followed) {
	why, detail := fingerprints.SkipMissing, "the manifest is not there"
	switch {
	case at.depth == 0:
		why, detail = fingerprints.SkipUnreadable, "the manifest is not there: the files are not complete"
	case !at.there:
		why, detail = fingerprints.SkipUnreadable, "none of the manifests is there: the files are not complete"
	}
	for _, digest := range at.missing {
		s.skip(manifestPath, digest, why, detail)
	}
}

// complete lists configurations that are not there, and has layers listed that are not.
func (s *saved) complete(list []picture) {
	of, lost := map[string]bool{}, map[string]bool{} // layers of images that are there, and what of those is not
	for _, p := range list {
		if p.named || p.config != nil {
			for _, l := range p.layers {
				of[l.digest] = true
			}
		}
	}
	for _, p := range list {
		given := p.named || p.config != nil || slices.ContainsFunc(p.layers, func(l blob) bool { return !l.absent && !of[l.digest] })
		for _, l := range p.lacks {
			why, detail := fingerprints.SkipMissing, l.detail
			if given {
				why, detail = fingerprints.SkipUnreadable, detail+othersAre
			}
			s.skip(l.path, l.locator, why, detail)
		}
		for _, l := range p.layers {
			lost[l.digest] = lost[l.digest] || given && l.absent && !foreign(l)
		}
	}
	for _, p := range list {
		for i, l := range p.layers {
			if l.absent && lost[l.digest] {
				p.layers[i].open = func(context.Context) (io.ReadCloser, error) {
					return nil, &scanners.SkipError{Reason: fingerprints.SkipUnreadable, Detail: incomplete, Size: l.size}
				}
			}
		}
	}
}

// untoldNames are the annotations of an entry of an index that is no image. Its names are
// told with what it leads to, unless that is missing.
func untoldNames(d v1.Descriptor, missing bool) map[string]string {
	out := annotations(d.Annotations)
	if !missing {
		for _, key := range refKeys() {
			delete(out, key)
		}
	}
	return out
}
