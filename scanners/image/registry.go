package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/image/distribution"
)

// RegistryOptions say what of a registry is read, and how.
type RegistryOptions struct {
	// Tags reports whether a tag is wanted: all tags of a repository are asked for.
	// nil: one image is named, and its tag is latest if none is said.
	Tags func(tag string) bool
	// Needed says that at least one tag is: where none is wanted there is nothing to
	// read, and the source fails.
	Needed bool
	// Insecure lets http and certificates that nobody vouches for be used.
	Insecure bool
	// Mirrors are what is asked in place of registries, HOST[/PREFIX] by host.
	Mirrors map[string]string
	// Authorities are certificates, as PEM, that count beside the system's.
	Authorities []byte
	// CertificateFolders are folders laid out as docker's certs.d.
	CertificateFolders []string
	Keychain           authn.Keychain    // nil: the user's own
	Transport          http.RoundTripper // nil: Go's own, with the environment's proxies
	Agent              string
	// Patience is how long is waited for one answer where a registry limits requests
	// or fails; zero: two minutes. Wait is told of each wait.
	Patience time.Duration
	Wait     func(why string, d time.Duration)
	Now      func() time.Time
	Sleep    func(context.Context, time.Duration) error
}

// client asks a registry.
func (r *RegistryOptions) client(host string) (*distribution.Client, error) {
	c, err := distribution.New(distribution.Options{
		Registry: host, Mirror: r.mirror(host), Insecure: r.Insecure, Authorities: r.Authorities, CertificateFolders: r.CertificateFolders,
		Keychain: r.Keychain, Transport: r.Transport, Agent: r.Agent, Patience: r.Patience, Wait: r.Wait, Now: r.Now, Sleep: r.Sleep,
	})
	if err != nil {
		return nil, fmt.Errorf("the registry: %w", err)
	}
	return c, nil
}

// mirror is what is asked in place of a registry; empty: nothing is.
func (r *RegistryOptions) mirror(host string) string {
	for of, at := range r.Mirrors {
		if known, err := name.NewRegistry(of); err == nil && strings.EqualFold(known.RegistryStr(), host) {
			return at
		}
	}
	return ""
}

// inRegistry is images of a repository.
type inRegistry struct {
	repo   name.Repository
	ref    name.Reference // nil: all tags
	tags   func(tag string) bool
	needed bool // at least one of them
	client *distribution.Client
	from   *distribution.Repository
	blobs  map[string]blob // by digest: many images have the same
}

// NewRegistry opens images in a registry: REGISTRY/REPOSITORY:TAG or @DIGEST, or
// with Tags a repository. Nothing is asked for yet.
func NewRegistry(text string, r RegistryOptions, o Options) (*Source, error) {
	if o.Screen == nil {
		return nil, ErrNoScreen
	}
	in := inRegistry{tags: r.Tags, needed: r.Needed, blobs: map[string]blob{}}
	var err error
	if r.Tags != nil {
		if in.repo, err = name.NewRepository(text); err != nil {
			return nil, ErrBadRepository
		}
	} else {
		if in.ref, err = name.ParseReference(text); err != nil {
			return nil, ErrBadReference
		}
		in.repo = in.ref.Context()
	}
	if in.client, err = r.client(in.repo.RegistryStr()); err != nil {
		return nil, err
	}
	if in.from, err = in.client.Repository(in.repo.RepositoryStr()); err != nil {
		return nil, ErrBadRepository
	}
	return &Source{o: o, place: in}, nil
}

// Errors of NewRegistry, which repeat nothing of the text.
var (
	ErrBadReference  = errors.New("this names no image: write REGISTRY/REPOSITORY:TAG or REGISTRY/REPOSITORY@sha256:DIGEST")
	ErrBadRepository = errors.New("this names no repository: write REGISTRY/REPOSITORY, without a tag")
	ErrBadRegistry   = errors.New("this names no registry: write HOST or HOST:PORT")
)

// Repositories calls each for the name of every repository of a registry, as
// NewRegistry takes it, and odd once for each name that is none. What an error
// says may be shown.
func Repositories(ctx context.Context, host string, r RegistryOptions, each, odd func(text string)) error {
	at, err := name.NewRegistry(host)
	if err != nil || host == "" {
		return ErrBadRegistry
	}
	c, err := r.client(at.RegistryStr())
	if err != nil {
		return err
	}
	defer c.Close()
	err = c.Catalog(ctx, func(path string) error {
		if _, err := c.Repository(path); err != nil {
			odd(path)
			return nil
		}
		each(at.RegistryStr() + "/" + path)
		return nil
	})
	if err != nil && ctx.Err() == nil {
		return told(err)
	}
	return err
}

// shownHost is a registry as people write it.
func shownHost(r name.Registry) string {
	if r.RegistryStr() == name.DefaultRegistry {
		return "docker.io"
	}
	return strings.ToLower(r.RegistryStr())
}

func (r inRegistry) id() string {
	return SourceID(r.repo)
}

// called is the name of an image by its tag or digest.
func (r inRegistry) called(ref string) string {
	mark := ":"
	if strings.Contains(ref, ":") {
		mark = "@"
	}
	return strings.TrimPrefix(r.id(), "image:") + mark + ref
}

func (r inRegistry) part() bool { return r.ref != nil }

func (r inRegistry) close() error {
	r.client.Close()
	return nil
}

// refs are the tags or digests that are wanted, and tags beside them that stand
// for what refers to images.
func (r inRegistry) refs(ctx context.Context, skip skipper) (wanted []string, aside map[string]bool, err error) {
	if r.ref != nil {
		return []string{r.ref.Identifier()}, nil, nil
	}
	aside = map[string]bool{}
	err = r.from.Tags(ctx, func(tag string) error {
		switch _, err := name.NewTag(r.repo.Name()+":"+tag, name.StrictValidation); {
		case err != nil || strings.ContainsAny(tag, ":/@"):
			if r.tags(tag) {
				skip(manifestPath, tag, fingerprints.SkipUnreadable, "no tag has such a name")
			}
		case r.tags(tag):
			wanted = append(wanted, tag)
		case taggedSubject(tag) != "":
			aside[tag] = true
		}
		return nil
	})
	if ctx.Err() != nil {
		return nil, nil, ctx.Err()
	}
	if err != nil && len(wanted) > 0 { // those that were listed are read
		skip(manifestPath, "", reasonOf(err), "the list of tags: "+detailOf(told(err)))
		err = nil
	}
	switch {
	case err != nil:
		return nil, nil, told(err)
	case r.needed && len(wanted) == 0:
		return nil, nil, errNoTag
	}
	return wanted, aside, nil
}

// errNoTag is for globs that no tag matches: nothing was read, which is not clean.
var errNoTag = &scanners.SkipError{Reason: fingerprints.SkipUnreadable, Detail: "the repository has no tag that is wanted", Size: -1}

// window is how many tags are asked for side by side before what they lead to is
// sorted: what is in memory for them is let go then.
const window = 64

func (r inRegistry) pictures(ctx context.Context, also []string, skip skipper) ([]picture, error) {
	refs, aside, err := r.refs(ctx, skip)
	if err != nil {
		return nil, err
	}
	w := &walkRegistry{r: r, skip: skip, met: newMet(), asked: map[string]bool{}, docs: newDocs(r)}
	for some := range slices.Chunk(refs, window) {
		w.warm(ctx, some)
		for _, ref := range some {
			if err := w.named(ctx, ref, len(refs) == 1); err != nil {
				return nil, err
			}
		}
		w.docs.forget()
	}
	for _, digest := range also {
		if _, err := w.docs.manifest(ctx, digest); errors.Is(err, distribution.ErrNotFound) {
			continue // it is not there any more
		}
		if err := w.named(ctx, digest, false); err != nil {
			return nil, err
		}
	}
	if err := w.referring(ctx, aside); err != nil {
		return nil, err
	}
	tie(w.out, w.called)
	return w.out, nil
}

// blob is one that a manifest names. It is not for concurrent use.
func (r inRegistry) blob(d v1.Descriptor) blob {
	digest := d.Digest.String()
	if b, has := r.blobs[digest]; has && b.mediaType == d.MediaType && b.size == d.Size {
		return b
	}
	b := r.fresh(d)
	r.blobs[digest] = b
	return b
}

func (r inRegistry) fresh(d v1.Descriptor) blob {
	b := blob{digest: d.Digest.String(), mediaType: d.MediaType, size: max(d.Size, -1), urls: d.URLs}
	data := d.Data
	b.open = func(ctx context.Context) (io.ReadCloser, error) {
		if len(data) > 0 && verify(data, b.digest, b.size) == nil {
			return io.NopCloser(strings.NewReader(string(data))), nil
		}
		rc, err := r.from.Blob(ctx, b.digest, b.size)
		if err != nil {
			return nil, unavailable(b, err)
		}
		return verified(answering{rc}, b.digest, b.size), nil
	}
	return b
}

// answering is a blob whose errors are listed in words.
type answering struct{ io.ReadCloser }

// Read implements io.Reader.
func (t answering) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	var e *distribution.Error
	if errors.As(err, &e) {
		err = told(err)
	}
	return n, err
}

func unavailable(b blob, err error) error {
	if foreign(b) && errors.Is(err, distribution.ErrNotFound) {
		return &scanners.SkipError{
			Reason: fingerprints.SkipMissing, Size: b.size,
			Detail: "a foreign layer, which the registry does not keep: addresses that manifests name are not asked",
		}
	}
	return told(err)
}

// reasonOf is how what a registry does not give is listed. What a manifest names and
// the registry lacks is a failure: nobody can say what was in it.
func reasonOf(err error) fingerprints.SkipReason {
	var skip *scanners.SkipError
	switch {
	case errors.As(err, &skip):
		return skip.Reason
	case errors.Is(err, distribution.ErrTooLong):
		return fingerprints.SkipTooLarge
	}
	return fingerprints.SkipUnreadable
}

// told is a registry's error as it is listed. Those of package distribution repeat
// no address, and nothing that was answered.
func told(err error) error {
	var e *distribution.Error
	var skip *scanners.SkipError
	text := "the registry gives no answer of sense"
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.As(err, &skip):
		return skip
	case errors.As(err, &e):
		text = e.Error()
	case errors.Is(err, distribution.ErrDigest):
		return errDigest
	case errors.Is(err, distribution.ErrCircle):
		text = distribution.ErrCircle.Error()
	}
	return &scanners.SkipError{Reason: reasonOf(err), Detail: text, Size: -1}
}
