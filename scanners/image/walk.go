package image

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"sync/atomic"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/sync/errgroup"

	"revenant/fingerprints"
	"revenant/scanners/image/distribution"
)

// walkRegistry follows manifests.
type walkRegistry struct {
	r    inRegistry
	skip skipper
	docs *docs
	met
	asked  map[string]bool // digests whose referrers are known, or not asked for
	silent atomic.Bool     // the registry does not tell referrers
}

// named follows a tag or digest that was asked for.
func (w *walkRegistry) named(ctx context.Context, ref string, alone bool) error {
	m, err := w.docs.manifest(ctx, ref)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil && m.Raw == nil && alone:
		return told(err)
	case errors.Is(err, distribution.ErrNotFound):
		w.skip(manifestPath, ref, fingerprints.SkipVanished, "the registry lists it, and it leads to nothing: it was deleted")
		return nil
	case err != nil && m.Raw == nil:
		w.skip(manifestPath, ref, reasonOf(err), detailOf(told(err)))
		return nil
	case err != nil: // what is there is read
		w.skip(manifestPath, ref, reasonOf(err), detailOf(told(err)))
	}
	return w.document(ctx, v1.Descriptor{}, m, []string{w.r.called(ref)}, 0)
}

// document sorts a manifest: d is how it was named.
func (w *walkRegistry) document(ctx context.Context, d v1.Descriptor, m distribution.Manifest, names []string, depth int) error {
	if _, has := w.seen[m.Digest]; has {
		w.rename(m.Digest, names, map[string]bool{})
		return nil
	}
	w.called[m.Digest] = appendNew(nil, names)
	if m.MediaType.IsIndex() || isIndex(m.Raw) {
		return w.index(ctx, m, names, depth)
	}
	return w.picture(ctx, d, m, names)
}

func (w *walkRegistry) index(ctx context.Context, m distribution.Manifest, names []string, depth int) error {
	w.seen[m.Digest] = -1
	index, bad, err := parseIndex(m.Raw)
	if err != nil || depth >= maxDepth {
		w.skip(manifestPath, m.Digest, fingerprints.SkipUnreadable, "the index cannot be read, or leads to others without end")
		w.odd(m, names)
		return nil
	}
	badEntries(w.skip, m.Digest, bad)
	said := annotations(index.Annotations)
	for _, d := range index.Manifests {
		w.kids[m.Digest] = append(w.kids[m.Digest], d.Digest.String())
		if err := w.child(ctx, d, names, depth); err != nil {
			return err
		}
		if !w.tells(d) {
			join(said, d.Annotations)
		}
	}
	w.noted(m.Digest, m.Raw, said, names)
	return nil
}

// child follows what an index names.
func (w *walkRegistry) child(ctx context.Context, d v1.Descriptor, names []string, depth int) error {
	digest := d.Digest.String()
	if _, has := w.seen[digest]; has {
		w.rename(digest, names, map[string]bool{})
		return nil
	}
	m, err := w.docs.manifest(ctx, digest)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		w.asked[digest] = true // nothing refers to what is not there
		w.skip(manifestPath, digest, reasonOf(err), detailOf(told(err)))
	} else if d.Size > 0 && d.Size != int64(len(m.Raw)) {
		w.skip(manifestPath, digest, fingerprints.SkipUnreadable, errSize.Detail)
	}
	switch {
	case m.Raw == nil:
		return nil
	case err != nil && isIndex(m.Raw):
		// An index that is made up as it is asked for could lead on without end.
		w.seen[digest] = -1
		w.odd(m, names)
		return nil
	}
	return w.document(ctx, d, m, names, depth+1)
}

func appendNew(list, more []string) []string {
	for _, s := range more {
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}

func (w *walkRegistry) picture(ctx context.Context, d v1.Descriptor, m distribution.Manifest, names []string) error {
	doc, ok := parseManifest(m.Raw)
	old := m.MediaType == types.DockerManifestSchema1 || m.MediaType == types.DockerManifestSchema1Signed
	if !ok || old || doc.Config.Digest.Hex == "" && doc.Layers == nil && doc.Blobs == nil {
		w.seen[m.Digest] = -1
		detail := "the manifest cannot be read: it was searched as text, and what it names was not"
		if old {
			detail = "a manifest of a version before 2: it was searched as text, and its layers were not"
		}
		w.skip(manifestPath, m.Digest, fingerprints.SkipUnreadable, detail)
		w.odd(m, names)
		return nil
	}
	p := picture{names: slices.Clone(names), digest: m.Digest, raw: m.Raw, annotations: doc.said(d.Annotations), about: subjectOf(d, doc, names)}
	if d.Platform != nil && p.about == "" {
		p.platform = d.Platform.String()
	}
	if config := p.take(doc, w.r.blob); config != nil {
		text, err := w.docs.config(ctx, *config)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if p.config = text; err != nil {
			w.skip("@config", m.Digest, reasonOf(err), detailOf(told(err)))
		}
	}
	w.seen[m.Digest] = len(w.out)
	w.out = append(w.out, p)
	return nil
}

// odd makes a document that cannot be read a content of its own.
func (w *walkRegistry) odd(m distribution.Manifest, names []string) {
	b := blob{digest: m.Digest, size: int64(len(m.Raw)), path: manifestPath}
	b.open = func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(m.Raw)), nil }
	w.out = append(w.out, picture{names: names, digest: m.Digest, layers: []blob{b}})
}

// maxReferring is how far what refers to what refers to an image is followed.
const maxReferring = 3

// referring reads what refers to the images that were met. aside are tags that the
// repository has for it; nil: it is not known.
func (w *walkRegistry) referring(ctx context.Context, aside map[string]bool) error {
	for depth := range maxReferring {
		var subjects []string
		for _, digest := range slices.Sorted(maps.Keys(w.called)) {
			if !w.asked[digest] && strings.HasPrefix(digest, "sha256:") && (depth > 0 || !w.refers(digest)) {
				subjects = append(subjects, digest)
			}
			w.asked[digest] = true
		}
		for some := range slices.Chunk(subjects, window) {
			if err := w.referringTo(ctx, some, aside, depth); err != nil {
				return err
			}
			w.docs.forget()
		}
	}
	return nil
}

// refers reports whether a document is about an image, and none itself.
func (w *walkRegistry) refers(digest string) bool {
	at, has := w.seen[digest]
	return has && at >= 0 && w.out[at].about != ""
}

// referringTo reads what refers to some digests.
func (w *walkRegistry) referringTo(ctx context.Context, subjects []string, aside map[string]bool, depth int) error {
	found := make([]referred, len(subjects))
	g, within := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for i, digest := range subjects {
		g.Go(func() error {
			found[i] = w.ask(within, digest, aside, depth)
			return nil
		})
	}
	_ = g.Wait() // none fails
	for i, digest := range subjects {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := found[i].err; err != nil {
			w.skip(strings.TrimSuffix(referrerPath, "/"), digest, reasonOf(err), detailOf(told(err)))
		}
		for _, d := range found[i].list {
			if err := w.child(ctx, d, nil, 0); err != nil {
				return err
			}
		}
		for _, tag := range found[i].tags {
			if err := w.named(ctx, tag, false); err != nil {
				return err
			}
		}
	}
	return nil
}

// referred is what is known to refer to a digest.
type referred struct {
	list []v1.Descriptor
	tags []string
	err  error
}

// ask asks for what refers to a digest: the registry, or the tags that stand for
// it.
func (w *walkRegistry) ask(ctx context.Context, digest string, aside map[string]bool, depth int) (out referred) {
	tag := strings.Replace(digest, ":", "-", 1)
	var tags []string
	if !w.silent.Load() {
		out.list, out.err = w.r.from.Referrers(ctx, digest)
	}
	if w.silent.Load() || errors.Is(out.err, distribution.ErrUnsupported) {
		w.silent.Store(true)
		out.err = nil
		tags = append(tags, tag)
	}
	for _, end := range cosignTags() {
		if depth == 0 {
			tags = append(tags, tag+end)
		}
	}
	for _, tag := range tags {
		has := aside[tag]
		if aside == nil {
			var err error
			if has, err = w.r.from.Has(ctx, tag); err != nil && out.err == nil && !errors.Is(err, distribution.ErrDenied) {
				out.err = err
			}
		}
		if has {
			out.tags = append(out.tags, tag)
		}
	}
	return out
}
