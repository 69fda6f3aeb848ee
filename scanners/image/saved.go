package image

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"revenant/fingerprints"
	"revenant/scanners"
)

// picture is one image: what it says of itself, and its layers.
type picture struct {
	names       []string // references that lead to it
	digest      string
	platform    string
	raw         []byte // the manifest
	untold      string // what a document says beside what is told elsewhere, where raw is none
	config      []byte
	layers      []blob
	annotations map[string]string
	uses        []string // digests of the documents that lead to it
	loose       bool     // no image: blobs that none names
	about       string   // digest of the image that it says something of; empty: it is one
	named       bool     // a list of what was saved names it
	lacks       []lack   // documents of it that are not there
	docs        []string // files that it was read from, beside blobs

	// Of the configuration, once the images are put in order: the instruction that made
	// each layer (nil: not known), and whose it is.
	made  []string
	owner string
}

// blob is a layer, or another content that a manifest names.
type blob struct {
	name      string // of its file, in a saved image
	path      string // empty: a layer; else it is one content, which stands there
	digest    string // of its bytes as they are kept; of a saved image it may be a path, or
	unpacked  string // the digest of what it unpacks to; empty: it is of its bytes
	mediaType types.MediaType
	size      int64 // -1: not known
	place     int64 // in what is best read in its order; 0: it does not matter
	urls      []string
	absent    bool // it is known not to be there
	open      func(ctx context.Context) (io.ReadCloser, error)
}

// saved is images in files: an OCI layout, or what `docker save` wrote.
type saved struct {
	files  fileset
	skip   func(path, locator string, why fingerprints.SkipReason, detail string)
	unread []string // documents that say nothing
	more   []blob   // what else the files hold
}

// maxDepth is how many indexes may lead to each other.
const maxDepth = 10

// pictures are all images of the files, each once, and what no image names.
func (s *saved) pictures(ctx context.Context) (out []picture, err error) {
	has := map[string][]byte{}
	for _, name := range []string{"index.json", "manifest.json", "repositories"} {
		doc, err := document(s.files, name)
		if err == nil {
			has[name] = doc
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	if doc := has["index.json"]; doc != nil {
		w := &walkIndex{s: s, met: newMet()}
		if err := s.told(ctx, "index.json", w.index(ctx, doc, nil, 0)); err != nil {
			return nil, err
		}
		tie(w.out, w.called)
		out = w.out
	}
	if doc := has["manifest.json"]; doc != nil {
		more, err := s.docker(doc, out)
		if err := s.told(ctx, "manifest.json", err); err != nil {
			return nil, err
		}
		out = more
	} else if doc := has["repositories"]; doc != nil && len(out) == 0 {
		if out, err = s.legacy(doc); err != nil {
			return nil, err
		}
	}
	s.complete(out)
	loose, err := s.loose(out)
	if err != nil {
		return nil, err
	}
	if out = append(out, loose...); len(out) == 0 {
		return nil, errNoImage
	}
	return out, nil
}

// loose are the blobs of a layout that no image names: what was deleted, and not
// collected yet; and documents that cannot be read.
func (s *saved) loose(pictures []picture) ([]picture, error) {
	names, err := s.files.names("blobs")
	if err != nil {
		return nil, err
	}
	used := map[string]bool{}
	for _, p := range pictures {
		for _, digest := range p.uses {
			used[blobName(digest)] = true
		}
		for _, l := range p.layers {
			used[l.name] = true
		}
	}
	p := picture{digest: "unreferenced", loose: true}
	for _, name := range s.unread {
		doc, err := document(s.files, name)
		if err != nil {
			return nil, err
		}
		b := s.blob(name, v1.Descriptor{Size: -1})
		b.digest, b.path = fmt.Sprintf("sha256:%x", sha256.Sum256(doc)), manifestPath // what is remembered is remembered by it
		p.layers = append(p.layers, b)
	}
	for _, name := range names {
		if !used[name] {
			b := s.blob(name, v1.Descriptor{Size: -1})
			b.digest = strings.Replace(strings.TrimPrefix(name, "blobs/"), "/", ":", 1)
			p.layers = append(p.layers, b)
		}
	}
	if len(pictures) > 0 { // else it may be any folder or archive
		others, err := s.others(pictures)
		if err != nil {
			return nil, err
		}
		p.layers = slices.Concat(p.layers, others, s.more)
	}
	if len(p.layers) == 0 {
		return nil, nil
	}
	return []picture{p}, nil
}

// errNoImage is for files that are no saved image.
var errNoImage = &scanners.SkipError{
	Reason: fingerprints.SkipUnreadable, Detail: "this holds no image: 'docker save' and OCI layouts have an index.json, a manifest.json or a file repositories that names one; 'revenant dir' reads any other archive, as of 'docker export'", Size: -1,
}

// refKeys are the annotations that name an image in an index: containerd's, and OCI's own.
func refKeys() []string {
	return []string{"io.containerd.image.name", "org.opencontainers.image.ref.name"}
}

func refNames(d v1.Descriptor) (out []string) {
	for _, key := range refKeys() {
		if name := d.Annotations[key]; name != "" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// walkIndex follows an OCI index.
type walkIndex struct {
	s    *saved
	path []string // indexes that were met
	met
}

func (w *walkIndex) index(ctx context.Context, raw []byte, names []string, depth int) error {
	index, bad, err := parseIndex(raw)
	if err != nil {
		return err
	}
	self := "index.json"
	if depth > 0 {
		self = w.path[len(w.path)-1]
	}
	badEntries(w.s.skip, self, bad)
	said := annotations(index.Annotations)
	at := &followed{self: self, names: names, depth: depth}
	for _, d := range index.Manifests {
		if err := ctx.Err(); err != nil {
			return err
		}
		if w.child(ctx, d, at); !w.tells(d) {
			join(said, untoldNames(d, slices.Contains(at.missing, d.Digest.String())))
		}
	}
	w.s.lackManifests(at)
	w.noted(self, raw, said, names)
	return nil
}

// followed is an index whose entries are followed.
type followed struct {
	self    string
	names   []string
	depth   int
	there   bool     // some of what it names
	missing []string // digests of what is not
}

// child follows an entry of an index.
func (w *walkIndex) child(ctx context.Context, d v1.Descriptor, at *followed) {
	digest := d.Digest.String()
	called := slices.Concat(at.names, refNames(d))
	w.called[digest] = appendNew(w.called[digest], called)
	w.kids[at.self] = append(w.kids[at.self], digest)
	if _, has := w.seen[digest]; has {
		at.there = true
		w.rename(digest, called, map[string]bool{})
		return
	}
	doc, err := w.s.document(blobName(digest), d)
	if errors.Is(err, fs.ErrNotExist) {
		at.missing = append(at.missing, digest)
		return
	}
	at.there = true
	if err != nil {
		w.s.skip(manifestPath, digest, fingerprints.SkipUnreadable, "the manifest cannot be read")
		return
	}
	if err := verify(doc, digest, max(d.Size, -1)); err != nil { // what is there is read
		w.s.skip(manifestPath, digest, fingerprints.SkipUnreadable, detailOf(err))
	}
	if !d.MediaType.IsIndex() && (at.depth == maxDepth || !isIndex(doc)) {
		w.picture(d, doc, called)
		return
	}
	if at.depth == maxDepth {
		w.s.skip(manifestPath, digest, fingerprints.SkipTooLarge, "indexes lead to each other without end")
		return
	}
	w.seen[digest] = -1
	w.path = append(w.path, digest)
	if err := w.index(ctx, doc, called, at.depth+1); err != nil && ctx.Err() == nil {
		w.s.skip(manifestPath, digest, fingerprints.SkipUnreadable, err.Error())
		w.path = w.path[:len(w.path)-1] // it is read as a blob that no image names
	}
}

// errBadDocument is for JSON that is none, or of another kind.
var errBadDocument = errors.New("it is no such document")

// manifestPath is where what is said of manifests as such stands.
const manifestPath = "@manifest"

func isIndex(doc []byte) bool {
	var kind struct {
		MediaType types.MediaType   `json:"mediaType"`
		Manifests []json.RawMessage `json:"manifests"`
	}
	return json.Unmarshal(doc, &kind) == nil && (kind.MediaType.IsIndex() || kind.Manifests != nil)
}

func (w *walkIndex) picture(d v1.Descriptor, doc []byte, names []string) {
	digest := d.Digest.String()
	m, ok := parseManifest(doc)
	if !ok {
		w.s.skip(manifestPath, digest, fingerprints.SkipUnreadable, "the manifest cannot be read")
		return
	}
	p := picture{
		names: names, digest: digest, raw: doc, annotations: m.said(d.Annotations), about: subjectOf(d, m, names),
		uses: append(slices.Clone(w.path), digest, m.Config.Digest.String()),
	}
	if d.Platform != nil && p.about == "" {
		p.platform = d.Platform.String()
	}
	if config := p.take(m, func(d v1.Descriptor) blob { return w.s.blob(blobName(d.Digest.String()), d) }); config != nil {
		w.s.config(&p, blobName(config.Digest.String()), *config)
	}
	w.seen[digest] = len(w.out)
	w.out = append(w.out, p)
}

func annotations(lists ...map[string]string) map[string]string {
	out := map[string]string{}
	for _, l := range lists {
		maps.Copy(out, l)
	}
	return out
}

// document reads a small file whole, or takes it from where it is named.
func (s *saved) document(name string, d v1.Descriptor) ([]byte, error) {
	doc, err := document(s.files, name)
	if errors.Is(err, fs.ErrNotExist) && embedded(d) {
		return d.Data, nil
	}
	return doc, err
}

// embedded reports whether a content stands where it is named.
func embedded(d v1.Descriptor) bool {
	return len(d.Data) > 0 && verify(d.Data, d.Digest.String(), -1) == nil
}

// config reads an image's configuration, where it is there.
func (s *saved) config(p *picture, name string, d v1.Descriptor) {
	doc, err := s.document(name, d)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		p.lacks = append(p.lacks, lack{"@config", p.digest, "the configuration is not there"})
		return
	case errors.Is(err, errTooLong):
		doc, err = doc[:maxDocument], errLongConfig
	case err == nil:
		err = verify(doc, d.Digest.String(), max(d.Size, -1))
	}
	if err != nil { // what is there is read
		s.skip("@config", p.digest, reasonOf(err), detailOf(err))
	}
	p.config = doc
}

func (s *saved) blob(name string, d v1.Descriptor) blob {
	b := blob{name: name, digest: d.Digest.String(), mediaType: d.MediaType, size: d.Size, urls: d.URLs, place: s.files.place(name)}
	b.absent = !s.files.has(name) && !embedded(d)
	b.open = func(context.Context) (io.ReadCloser, error) {
		rc, _, err := s.files.open(name)
		switch {
		case errors.Is(err, fs.ErrNotExist) && embedded(d):
			return io.NopCloser(strings.NewReader(string(d.Data))), nil
		case errors.Is(err, fs.ErrNotExist):
			return nil, missing(b)
		case err != nil:
			return nil, err
		}
		return verified(rc, keptUnder(name), max(d.Size, -1)), nil
	}
	return b
}

// keptUnder is the digest that a file's name says; empty: it says none.
func keptUnder(name string) string {
	if rest, is := strings.CutPrefix(name, "blobs/"); is {
		return strings.Replace(rest, "/", ":", 1)
	}
	for _, end := range []string{".json", ".tar.gz"} {
		if sum, is := strings.CutSuffix(name, end); is && len(sum) == sha256.Size*2 && !strings.Contains(sum, "/") {
			return "sha256:" + sum
		}
	}
	if strings.HasPrefix(name, "sha256:") {
		return name
	}
	return ""
}

// detailOf is the text that an error is listed with.
func detailOf(err error) string {
	var skip *scanners.SkipError
	if errors.As(err, &skip) {
		return skip.Detail
	}
	return "it cannot be read"
}
