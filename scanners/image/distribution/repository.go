package distribution

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// MaxDocument is how long manifests, indexes and configurations may be.
const MaxDocument = 16 << 20

// Repository is one of a registry. Its methods may be called at once from several
// goroutines.
type Repository struct {
	c    *Client
	at   name.Repository // where it is asked for
	door *door
}

// Repository returns the one with a path as OWNER/NAME; nothing is asked for yet.
func (c *Client) Repository(path string) (*Repository, error) {
	if c.prefix != "" {
		path = c.prefix + "/" + path
	}
	at, err := name.NewRepository(c.at.RegistryStr()+"/"+path, c.options()...)
	if err != nil || strings.ContainsAny(path, ":@") || strings.Contains("/"+path+"/", "/../") || strings.Contains("/"+path+"/", "/./") {
		return nil, ErrBadRepository
	}
	return &Repository{c: c, at: at, door: c.door(at)}, nil
}

func (c *Client) options() []name.Option {
	if c.o.Insecure {
		return []name.Option{name.Insecure}
	}
	return nil
}

// ErrBadRepository is returned for text that is no repository's path. It repeats
// nothing of the text.
var ErrBadRepository = errors.New("no repository has such a name")

// Manifest is a document that names blobs or other manifests.
type Manifest struct {
	Digest    string
	MediaType types.MediaType // as the server has it; empty: it does not say
	Raw       []byte
}

// accepted are the media types of manifests.
var accepted = strings.Join([]string{
	string(types.OCIImageIndex), string(types.DockerManifestList), string(types.OCIManifestSchema1), string(types.DockerManifestSchema2),
	"application/vnd.oci.artifact.manifest.v1+json", string(types.DockerManifestSchema1Signed) + ";q=0.5", string(types.DockerManifestSchema1) + ";q=0.5",
}, ", ")

// Manifest reads the one with a tag or digest. Where it is not what its digest
// says it is returned all the same, with an error that wraps ErrDigest.
func (r *Repository) Manifest(ctx context.Context, ref string) (Manifest, error) {
	var m Manifest
	header := http.Header{"Accept": {accepted}}
	text, h, err := r.document(ctx, r.c.url(r.at.RepositoryStr()+"/manifests/"+ref, ""), header)
	if err != nil {
		return m, err
	}
	m.Raw = text
	m.MediaType = mediaType(h)
	if !isObject(text) {
		return Manifest{}, r.c.fault(ErrUnreachable, "its answer is no manifest: a page for people, or of a proxy, has this address")
	}
	if m.MediaType == types.DockerManifestSchema1Signed { // whose digest is of its payload
		if m.Digest = ref; !strings.Contains(ref, ":") {
			m.Digest = "schema1:" + ref
		}
		return m, nil
	}
	algorithm, _, byDigest := strings.Cut(ref, ":")
	if !byDigest {
		algorithm = "sha256"
	}
	hash, err := v1.Hasher(algorithm)
	if err != nil {
		m.Digest = ref
		return m, fmt.Errorf("its digest is of a kind that is not known: %w", ErrDigest)
	}
	hash.Write(text)
	m.Digest = algorithm + ":" + hex.EncodeToString(hash.Sum(nil))
	if byDigest && m.Digest != ref {
		m.Digest = ref
		return m, fmt.Errorf("its digest is another than was asked for: %w", ErrDigest)
	}
	return m, nil
}

// Has reports whether there is a manifest with a tag.
func (r *Repository) Has(ctx context.Context, tag string) (bool, error) {
	resp, err := r.c.ask(ctx, r.door, http.MethodHead, r.c.url(r.at.RepositoryStr()+"/manifests/"+tag, ""), http.Header{"Accept": {accepted}})
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
		return true, nil
	case http.StatusNotFound:
		return false, nil
	}
	return false, r.c.status(resp, r.door)
}

// Referrers reads what a registry says refers to a manifest. A registry that does
// not tell returns an error that wraps ErrUnsupported.
func (r *Repository) Referrers(ctx context.Context, digest string) (out []v1.Descriptor, err error) {
	header := http.Header{"Accept": {string(types.OCIImageIndex)}}
	pages := pages{}
	for u := r.c.url(r.at.RepositoryStr()+"/referrers/"+digest, ""); u != nil; {
		text, h, err := r.document(ctx, u, header)
		var e *Error
		if errors.As(err, &e) && e.Status >= 400 && e.Status < 500 && e.Status != http.StatusTooManyRequests {
			return out, ErrUnsupported
		}
		if err != nil {
			return out, err
		}
		index, err := v1.ParseIndexManifest(bytes.NewReader(text))
		if err != nil || !isObject(text) || mediaType(h) != types.OCIImageIndex {
			return out, ErrUnsupported
		}
		if out = append(out, index.Manifests...); len(out) > maxReferrers {
			return out[:maxReferrers], r.c.fault(ErrTooLong, "more than 10,000 documents refer to it")
		}
		if u, err = pages.next(r.c, h, u, len(index.Manifests) > 0); err != nil {
			return out, err
		}
	}
	return out, nil
}

// maxReferrers is how much may refer to one manifest.
const maxReferrers = 10_000

// ErrUnsupported is returned by Referrers.
var ErrUnsupported = errors.New("the registry does not tell what refers to a manifest")

func isObject(text []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("{")) && json.Valid(text)
}

func mediaType(h http.Header) types.MediaType {
	t, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return types.MediaType(t)
}

// document reads a whole answer; one that breaks off is asked for again.
func (r *Repository) document(ctx context.Context, u *url.URL, header http.Header) (text []byte, h http.Header, err error) {
	for try := 0; ; try++ {
		resp, err := r.c.ask(ctx, r.door, http.MethodGet, u, header)
		if err != nil {
			return nil, nil, err
		}
		if resp.StatusCode != http.StatusOK {
			return nil, nil, r.c.status(resp, r.door)
		}
		text, err = io.ReadAll(io.LimitReader(resp.Body, MaxDocument+1))
		_ = resp.Body.Close()
		switch {
		case len(text) > MaxDocument:
			return nil, nil, r.c.fault(ErrTooLong, "a document longer than 16 MiB")
		case err == nil:
			return text, resp.Header, nil
		case ctx.Err() != nil:
			return nil, nil, ctx.Err()
		case try >= maxRetries:
			return nil, nil, r.c.fault(ErrUnreachable, brokenOff)
		}
		if err := r.c.breathe(ctx, try); err != nil {
			return nil, nil, err
		}
	}
}

const brokenOff = "its answer broke off, or came too slowly, again and again"

// ask sends a request through a door, and returns whatever answer there is.
func (c *Client) ask(ctx context.Context, d *door, method string, u *url.URL, header http.Header) (*http.Response, error) {
	web, err := c.open(ctx, d)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), http.NoBody)
	if err != nil {
		return nil, c.fault(ErrUnreachable, "a name in it makes no address")
	}
	for key, values := range header {
		req.Header[key] = values
	}
	resp, err := web.Do(req)
	if err != nil {
		return nil, c.told(ctx, err, d)
	}
	return resp, nil
}

// status is the error of an answer, which it closes.
func (c *Client) status(resp *http.Response, d *door) error {
	_, _ = io.CopyN(io.Discard, resp.Body, 4<<10) // so that the connection serves again
	_ = resp.Body.Close()
	return c.refused(resp.StatusCode, d, resp.Request != nil && !c.isHome(resp.Request.URL))
}
