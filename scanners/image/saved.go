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
	config      []byte
	layers      []blob
	annotations map[string]string
	uses        []string // digests of the documents that lead to it
	loose       bool     // no image: blobs that none names
	about       string   // digest of the image that it says something of; empty: it is one

	// Of the configuration, once the images are put in order: the instruction that made
	// each layer (nil: not known), and whose it is.
	made  []string
	owner string
}

// blob is a layer, or another content that a manifest names.
type blob struct {
	name      string // of its file, in a saved image
	path      string // empty: a layer; else it is one content, which stands there
	digest    string // of its bytes as they are kept; of a saved image it may be a path
	mediaType types.MediaType
	size      int64 // -1: not known
	place     int64 // in what is best read in its order; 0: it does not matter
	urls      []string
	open      func(ctx context.Context) (io.ReadCloser, error)
}

// saved is images in files: an OCI layout, or what `docker save` wrote.
type saved struct {
	files  fileset
	skip   func(path, locator string, why fingerprints.SkipReason, detail string)
	unread []string // documents that say nothing
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
	if len(p.layers) == 0 {
		return nil, nil
	}
	return []picture{p}, nil
}

// errNoImage is for files that are no saved image.
var errNoImage = &scanners.SkipError{
	Reason: fingerprints.SkipUnreadable, Detail: "this holds no image: 'docker save' and OCI layouts have an index.json, a manifest.json or a file repositories that names one; 'revenant dir' reads any other archive, as of 'docker export'", Size: -1,
}

// refAnnotations name an image in an index: OCI's own, and containerd's.
func refNames(d v1.Descriptor) (out []string) {
	for _, key := range []string{"io.containerd.image.name", "org.opencontainers.image.ref.name"} {
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
	w.noted(self, raw, index.Annotations, names)
	for _, d := range index.Manifests {
		if err := ctx.Err(); err != nil {
			return err
		}
		digest := d.Digest.String()
		called := slices.Concat(names, refNames(d))
		w.called[digest] = appendNew(w.called[digest], called)
		w.kids[self] = append(w.kids[self], digest)
		if _, has := w.seen[digest]; has {
			w.rename(digest, called, map[string]bool{})
			continue
		}
		doc, err := document(w.s.files, blobName(digest))
		if err != nil {
			w.s.skip(manifestPath, digest, fingerprints.SkipMissing, "the manifest is not there")
			continue
		}
		if err := verify(doc, digest, max(d.Size, -1)); err != nil { // what is there is read
			w.s.skip(manifestPath, digest, fingerprints.SkipUnreadable, detailOf(err))
		}
		if d.MediaType.IsIndex() || depth < maxDepth && isIndex(doc) {
			if depth == maxDepth {
				w.s.skip(manifestPath, digest, fingerprints.SkipTooLarge, "indexes lead to each other without end")
				continue
			}
			w.seen[digest] = -1
			w.path = append(w.path, digest)
			if err := w.index(ctx, doc, called, depth+1); err != nil {
				w.s.skip(manifestPath, digest, fingerprints.SkipUnreadable, err.Error())
			}
			continue
		}
		w.picture(d, doc, called)
	}
	return nil
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
		p.config = w.s.config(blobName(config.Digest.String()), digest, config.Digest.String(), config.Size)
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

// config reads an image's configuration; nil: it is not there.
func (s *saved) config(name, image, digest string, size int64) []byte {
	doc, err := document(s.files, name)
	if err != nil {
		s.skip("@config", image, fingerprints.SkipMissing, "the configuration is not there")
		return nil
	}
	if err := verify(doc, digest, max(size, -1)); err != nil {
		s.skip("@config", image, fingerprints.SkipUnreadable, detailOf(err))
	}
	return doc
}

func (s *saved) blob(name string, d v1.Descriptor) blob {
	b := blob{name: name, digest: d.Digest.String(), mediaType: d.MediaType, size: d.Size, urls: d.URLs, place: s.files.place(name)}
	b.open = func(context.Context) (io.ReadCloser, error) {
		rc, _, err := s.files.open(name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, missing(b)
		}
		if err != nil {
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
	if sum, is := strings.CutSuffix(name, ".json"); is && !strings.Contains(sum, "/") {
		return "sha256:" + sum
	}
	if strings.HasPrefix(name, "sha256:") {
		return name
	}
	return ""
}

// missing is how a blob is listed that is not in the files.
func missing(b blob) error {
	detail := "it is not there"
	if foreign(b) {
		detail = "a foreign layer, which is not in the files: addresses that manifests name are not asked"
	}
	return &scanners.SkipError{Reason: fingerprints.SkipMissing, Detail: detail, Size: b.size}
}

// detailOf is the text that an error is listed with.
func detailOf(err error) string {
	var skip *scanners.SkipError
	if errors.As(err, &skip) {
		return skip.Detail
	}
	return "it cannot be read"
}

// dockerManifest is an entry of docker's manifest.json.
type dockerManifest struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// docker reads what `docker save` wrote since 1.10. Images that an index beside it
// names, too, are given their names.
func (s *saved) docker(raw []byte, out []picture) ([]picture, error) {
	var list []dockerManifest
	if json.Unmarshal(raw, &list) != nil {
		return out, errBadDocument
	}
	for _, d := range list {
		if i := slices.IndexFunc(out, func(p picture) bool { return p.hasConfig(d.Config) }); i >= 0 {
			out[i].names = appendNew(out[i].names, d.RepoTags)
			out[i].layers = ordered(out[i].layers, d.Layers)
			continue
		}
		p := picture{names: d.RepoTags, digest: d.Config, raw: raw, uses: []string{strings.Replace(strings.TrimPrefix(d.Config, "blobs/"), "/", ":", 1)}}
		p.config = s.config(d.Config, d.Config, keptUnder(d.Config), -1)
		for i, name := range d.Layers {
			b := s.blob(name, v1.Descriptor{Size: -1})
			if b.digest = diffID(p.config, i, len(d.Layers)); b.digest == "" {
				b.digest = name
			} else if keptUnder(name) == "" {
				b.open = unpackedVerified(b.open, b.digest)
			}
			p.layers = append(p.layers, b)
		}
		out = append(out, p)
	}
	return out, nil
}

// hasConfig reports whether a file is the image's configuration.
func (p picture) hasConfig(file string) bool {
	m, err := v1.ParseManifest(strings.NewReader(string(p.raw)))
	return err == nil && m.Config.Digest.Hex != "" && strings.Contains(file, m.Config.Digest.Hex)
}

// diffID is the digest of an uncompressed layer, as the configuration has it.
func diffID(config []byte, i, layers int) string {
	c, err := v1.ParseConfigFile(strings.NewReader(string(config)))
	if err != nil || len(c.RootFS.DiffIDs) != layers {
		return ""
	}
	return c.RootFS.DiffIDs[i].String()
}

// legacy reads what `docker save` wrote before 1.10: a folder for each layer,
// which names the one below it.
func (s *saved) legacy(raw []byte) (out []picture, err error) {
	var repositories map[string]map[string]string
	if json.Unmarshal(raw, &repositories) != nil {
		return nil, fmt.Errorf("repositories: %w", errBadDocument)
	}
	at := map[string]int{}
	for _, repo := range slices.Sorted(maps.Keys(repositories)) {
		for _, tag := range slices.Sorted(maps.Keys(repositories[repo])) {
			id := repositories[repo][tag]
			if i, has := at[id]; has {
				out[i].names = append(out[i].names, repo+":"+tag)
				continue
			}
			at[id] = len(out)
			out = append(out, s.chained(id, repo+":"+tag))
		}
	}
	return out, nil
}

// maxChain is how many layers an image may have, as docker has it.
const maxChain = 1000

func (s *saved) chained(id, name string) picture {
	p := picture{names: []string{name}, digest: id}
	seen := map[string]bool{}
	var steps []map[string]string
	for layer := id; layer != "" && !seen[layer] && len(seen) < maxChain; {
		seen[layer] = true
		doc, err := document(s.files, layer+"/json")
		if err != nil {
			s.skip("@config", layer, fingerprints.SkipMissing, "the configuration is not there")
			break
		}
		if p.config == nil {
			p.config = doc
		}
		b := s.blob(layer+"/layer.tar", v1.Descriptor{Size: -1})
		b.digest = layer
		p.layers = slices.Insert(p.layers, 0, b)
		var next struct {
			Parent, Comment, Author string
			Made                    struct{ Cmd []string } `json:"container_config"`
		}
		if json.Unmarshal(doc, &next) != nil {
			break
		}
		steps = slices.Insert(steps, 0, map[string]string{"created_by": strings.Join(next.Made.Cmd, " "), "comment": next.Comment, "author": next.Author})
		layer = next.Parent
	}
	p.config = withHistory(p.config, steps)
	return p
}
