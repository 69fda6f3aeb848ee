package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"revenant/fingerprints"
	"revenant/scanners"
)

// RegistryOptions say what of a registry is read, and how.
type RegistryOptions struct {
	// Tags reports whether a tag is wanted: all tags of a repository are asked for.
	// nil: one image is named, and its tag is latest if none is said.
	Tags func(tag string) bool
	// Insecure lets http and certificates that nobody vouches for be used.
	Insecure  bool
	Keychain  authn.Keychain    // nil: the user's own
	Transport http.RoundTripper // nil: go-containerregistry's, with the environment's proxies
	Agent     string
}

// inRegistry is images of a repository.
type inRegistry struct {
	repo   name.Repository
	ref    name.Reference // nil: all tags
	o      RegistryOptions
	puller *remote.Puller
}

// NewRegistry opens images in a registry: REGISTRY/REPOSITORY:TAG or @DIGEST, or
// with Tags a repository. Nothing is asked for yet.
func NewRegistry(text string, r RegistryOptions, o Options) (*Source, error) {
	if o.Screen == nil {
		return nil, ErrNoScreen
	}
	var opts []name.Option
	if r.Insecure {
		opts = append(opts, name.Insecure)
	}
	in := inRegistry{o: r}
	var err error
	if r.Tags != nil {
		if in.repo, err = name.NewRepository(text, opts...); err != nil {
			return nil, ErrBadRepository
		}
	} else {
		if in.ref, err = name.ParseReference(text, opts...); err != nil {
			return nil, ErrBadReference
		}
		in.repo = in.ref.Context()
	}
	keychain := r.Keychain
	if keychain == nil {
		keychain = authn.DefaultKeychain
	}
	remotes := []remote.Option{remote.WithAuthFromKeychain(keychain), remote.WithUserAgent(r.Agent)}
	if r.Transport != nil {
		remotes = append(remotes, remote.WithTransport(r.Transport))
	}
	if in.puller, err = remote.NewPuller(remotes...); err != nil {
		return nil, fmt.Errorf("asking the registry: %w", err)
	}
	return &Source{o: o, place: in}, nil
}

// Errors of NewRegistry, which repeat nothing of the text.
var (
	ErrBadReference  = errors.New("this names no image: write REGISTRY/REPOSITORY:TAG or REGISTRY/REPOSITORY@sha256:DIGEST")
	ErrBadRepository = errors.New("this names no repository: write REGISTRY/REPOSITORY, without a tag")
)

func (r inRegistry) id() string {
	return "image:" + r.repo.RegistryStr() + "/" + r.repo.RepositoryStr()
}

func (inRegistry) close() error { return nil }

// refs are the references that are wanted.
func (r inRegistry) refs(ctx context.Context) ([]name.Reference, error) {
	if r.ref != nil {
		return []name.Reference{r.ref}, nil
	}
	tags, err := r.puller.List(ctx, r.repo)
	if err != nil {
		return nil, told(err)
	}
	var out []name.Reference
	for _, tag := range tags {
		if r.o.Tags(tag) {
			out = append(out, r.repo.Tag(tag))
		}
	}
	return out, nil
}

func (r inRegistry) pictures(ctx context.Context, skip skipper) ([]picture, error) {
	refs, err := r.refs(ctx)
	if err != nil {
		return nil, err
	}
	w := &walkRegistry{r: r, skip: skip, seen: map[string]int{}}
	for _, ref := range refs {
		d, err := r.puller.Get(ctx, ref)
		if err != nil {
			if len(refs) == 1 {
				return nil, told(err)
			}
			skip(manifestPath, ref.Identifier(), reasonOf(err), told(err).Error())
			continue
		}
		if err := w.descriptor(ctx, d, []string{ref.Name()}, 0); err != nil {
			return nil, err
		}
	}
	return w.out, nil
}

// walkRegistry follows manifests.
type walkRegistry struct {
	r    inRegistry
	skip skipper
	out  []picture
	seen map[string]int
}

func (w *walkRegistry) descriptor(ctx context.Context, d *remote.Descriptor, names []string, depth int) error {
	digest := d.Digest.String()
	if i, has := w.seen[digest]; has {
		if i >= 0 {
			w.out[i].names = append(w.out[i].names, names...)
			return nil
		}
	}
	if !d.MediaType.IsIndex() && !isIndex(d.Manifest) {
		return w.picture(ctx, d, names)
	}
	_, again := w.seen[digest]
	w.seen[digest] = -1
	index, err := v1.ParseIndexManifest(strings.NewReader(string(d.Manifest)))
	if err != nil || depth >= maxDepth {
		w.skip(manifestPath, digest, fingerprints.SkipUnreadable, "the index cannot be read")
		return nil
	}
	if len(index.Annotations) > 0 && !again {
		w.out = append(w.out, picture{names: names, digest: digest, annotations: index.Annotations})
	}
	for _, m := range index.Manifests {
		if err := ctx.Err(); err != nil {
			return err
		}
		if i, has := w.seen[m.Digest.String()]; has && i >= 0 {
			w.out[i].names = appendNew(w.out[i].names, names)
			continue
		}
		next, err := w.r.puller.Get(ctx, w.r.repo.Digest(m.Digest.String()))
		if err != nil {
			w.skip(manifestPath, m.Digest.String(), reasonOf(err), told(err).Error())
			continue
		}
		next.Platform, next.Annotations = m.Platform, m.Annotations
		if err := w.descriptor(ctx, next, names, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func appendNew(list, more []string) []string {
	for _, s := range more {
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}

func (w *walkRegistry) picture(ctx context.Context, d *remote.Descriptor, names []string) error {
	digest := d.Digest.String()
	m, err := v1.ParseManifest(strings.NewReader(string(d.Manifest)))
	if err != nil || d.MediaType == types.DockerManifestSchema1 || d.MediaType == types.DockerManifestSchema1Signed {
		w.skip(manifestPath, digest, fingerprints.SkipUnreadable, "the manifest cannot be read, or is of a version before 2")
		return nil
	}
	p := picture{names: names, digest: digest, raw: d.Manifest, annotations: said(d.Descriptor, m)}
	if d.Platform != nil {
		p.platform = d.Platform.String()
	}
	if p.config, err = w.document(ctx, m.Config); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		w.skip("@config", digest, reasonOf(err), told(err).Error())
	}
	for _, l := range m.Layers {
		p.layers = append(p.layers, w.r.blob(l))
	}
	w.seen[digest] = len(w.out)
	w.out = append(w.out, p)
	return nil
}

func (w *walkRegistry) document(ctx context.Context, d v1.Descriptor) ([]byte, error) {
	rc, err := w.r.blob(d).open(ctx)
	if err != nil {
		return nil, err
	}
	defer rc.Close()
	b, err := io.ReadAll(io.LimitReader(rc, maxDocument+1))
	if err == nil && len(b) > maxDocument {
		err = errTooLong
	}
	return b, err
}

func (r inRegistry) blob(d v1.Descriptor) blob {
	return blob{digest: d.Digest.String(), mediaType: d.MediaType, size: d.Size, urls: d.URLs, open: func(ctx context.Context) (io.ReadCloser, error) {
		l, err := r.puller.Layer(ctx, r.repo.Digest(d.Digest.String()))
		if err != nil {
			return nil, unavailable(err)
		}
		rc, err := l.Compressed()
		if err != nil {
			return nil, unavailable(err)
		}
		return rc, nil
	}}
}

func unavailable(err error) error {
	return &scanners.SkipError{Reason: reasonOf(err), Detail: told(err).Error(), Size: -1}
}

// reasonOf is how what a registry does not give is listed.
func reasonOf(err error) fingerprints.SkipReason {
	var t *transport.Error
	if errors.As(err, &t) && t.StatusCode == http.StatusNotFound {
		return fingerprints.SkipMissing
	}
	return fingerprints.SkipUnreadable
}

// told is a registry's error in words of our own: it may repeat addresses with
// signatures.
func told(err error) error {
	var t *transport.Error
	if !errors.As(err, &t) {
		return &scanners.SkipError{Reason: fingerprints.SkipUnreadable, Detail: "the registry gives no answer of sense", Size: -1}
	}
	text := fmt.Sprintf("the registry answers %d", t.StatusCode)
	switch t.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		text += ": log in as docker does ('docker login', or a credential helper)"
	case http.StatusNotFound:
		text += ": there is no such image, or it may not be seen"
	case http.StatusTooManyRequests:
		text += ": too many requests, try again later"
	}
	return &scanners.SkipError{Reason: reasonOf(err), Detail: text, Size: -1}
}
