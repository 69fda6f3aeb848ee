package image

import (
	"cmp"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Where what is no file of an image stands.
const (
	referrerPath = "@referrer/" // with what it says of an image: attestation, signature, bill of materials
	artifactPath = "@artifact/" // with what is no image at all: charts, modules, policies
)

// titleAnnotation is a content's file name, of the OCI image specification,
// "Pre-Defined Annotation Keys".
const titleAnnotation = "org.opencontainers.image.title"

// manifest is one of an image or of another content, as it is read here.
type manifest struct {
	v1.Manifest
	// Blobs are the contents of OCI's artifact manifests, which were dropped before
	// they were final and are kept by some registries.
	Blobs []v1.Descriptor `json:"blobs"`
}

func parseManifest(raw []byte) (m manifest, ok bool) {
	return m, json.Unmarshal(raw, &m) == nil
}

// subjectOf is the digest of what a manifest is about; empty: it stands for
// itself. d is how it was named, and names are its tags.
func subjectOf(d v1.Descriptor, m manifest, names []string) string {
	if s := d.Annotations["vnd.docker.reference.digest"]; d.Annotations["vnd.docker.reference.type"] != "" { // buildkit's attestations
		return cmp.Or(s, unknownSubject)
	}
	if m.Subject != nil && m.Subject.Digest.Hex != "" {
		return m.Subject.Digest.String()
	}
	for _, name := range names {
		// Some tools give a tag without an end to images that are copied by digest.
		if s := taggedSubject(name); s != "" && !(strings.HasSuffix(name, s[len("sha256:"):]) && m.fileSystem()) {
			return s
		}
	}
	switch d.Annotations["kind"] { // of layouts that cosign saved
	case "dev.cosignproject.cosign/sigs", "dev.cosignproject.cosign/atts", "dev.cosignproject.cosign/sboms":
		return unknownSubject
	}
	return ""
}

// unknownSubject is what a manifest is about that does not say of what.
const unknownSubject = "unknown"

// referrerTag is a tag that stands for what refers to a digest: of the OCI
// distribution specification, "Referrers Tag Schema", and cosign's with an end.
var referrerTag = regexp.MustCompile(`^(?:.*[:/])?sha256-([0-9a-f]{64})(?:\.[a-z0-9]{1,16})?$`)

// taggedSubject is the digest that a tag says something about; empty: it names an
// image.
func taggedSubject(name string) string {
	m := referrerTag.FindStringSubmatch(name)
	if m == nil {
		return ""
	}
	return "sha256:" + m[1]
}

// cosignTags are the ends of tags that cosign gives to what it keeps.
func cosignTags() []string { return []string{".sig", ".att", ".sbom"} }

// take sorts what a manifest names: layers of a file system, and contents of their
// own. open makes a blob of a descriptor. It returns the configuration where that
// is an image's.
func (p *picture) take(m manifest, open func(v1.Descriptor) blob) (config *v1.Descriptor) {
	below := artifactPath
	if p.about != "" {
		below = referrerPath
	}
	var contents []blob
	content := func(d v1.Descriptor, path string) {
		if d.Digest.Hex == "" || emptyContent(d.Digest) {
			return
		}
		b := open(d)
		b.path = path
		contents = append(contents, b)
	}
	of := imageConfig(m.Config.MediaType)
	switch {
	case m.Config.Digest.Hex == "":
	case of:
		config = &m.Config
	default:
		content(m.Config, "@config")
	}
	for _, l := range slices.Concat(m.Layers, m.Blobs) {
		if fileSystem(l.MediaType) || of && p.about == "" && strings.Contains(string(l.MediaType), "tar") {
			p.layers = append(p.layers, open(l))
			continue
		}
		path := cleaned(l.Annotations[titleAnnotation])
		if path == "" || p.about != "" {
			path = below + string(cmp.Or(types.MediaType(m.ArtifactType), l.MediaType, m.Config.MediaType, "unknown"))
		}
		content(l, path)
	}
	p.layers = append(p.layers, contents...)
	return config
}

// emptyContent reports whether a digest is that of nothing, or of an empty object:
// what stands in a manifest because something must. Sizes may lie.
func emptyContent(digest v1.Hash) bool {
	return digest.Hex == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" ||
		digest.Hex == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
}

// fileSystem reports whether it is an image with layers.
func (m manifest) fileSystem() bool {
	return slices.ContainsFunc(m.Layers, func(l v1.Descriptor) bool { return fileSystem(l.MediaType) })
}

// imageConfig reports whether a configuration is an image's.
func imageConfig(t types.MediaType) bool {
	return t == "" || t == types.OCIConfigJSON || t == types.DockerConfigJSON
}

// fileSystem reports whether a blob is a layer of a file system.
func fileSystem(t types.MediaType) bool {
	return t == "" || strings.HasPrefix(string(t), "application/vnd.oci.image.layer.") || strings.HasPrefix(string(t), "application/vnd.docker.image.rootfs.")
}

// foreign reports whether a layer is not for everybody to keep.
func foreign(b blob) bool {
	t := string(b.mediaType)
	return len(b.urls) > 0 || strings.Contains(t, "foreign") || strings.Contains(t, "nondistributable")
}

// said are the annotations that stand in a manifest, beside what it names, and where
// it is named itself. Of one key each text is kept.
func (m manifest) said(named map[string]string) map[string]string {
	lists := []map[string]string{m.Annotations, m.Config.Annotations}
	for _, l := range slices.Concat(m.Layers, m.Blobs) {
		lists = append(lists, l.Annotations)
	}
	out := annotations(named)
	for _, list := range lists {
		join(out, list)
	}
	return out
}

// join adds annotations: of one key each text is kept.
func join(out, more map[string]string) {
	for key, text := range more {
		switch old, has := out[key]; {
		case !has:
			out[key] = text
		case !among(old, text):
			out[key] = old + "\n" + text
		}
	}
}

// among reports whether a text is one of those that were joined.
func among(joined, text string) bool {
	return joined == text || slices.Contains(strings.Split(joined, "\n"), text)
}

// met is what was met on the way through indexes and manifests.
type met struct {
	out    []picture
	seen   map[string]int      // pictures by digest; -1: another document
	called map[string][]string // names by digest
	kids   map[string][]string // of indexes
}

func newMet() met {
	return met{seen: map[string]int{}, called: map[string][]string{}, kids: map[string][]string{}}
}

// tells reports whether what an index says of an entry is told with the image that the
// entry leads to.
func (w *met) tells(d v1.Descriptor) bool {
	at, has := w.seen[d.Digest.String()]
	for key, text := range d.Annotations {
		if !has || at < 0 || !among(w.out[at].annotations[key], text) {
			return false
		}
	}
	return true
}

// rename gives more names to a document that was met before, and to what it leads
// to.
func (w *met) rename(digest string, names []string, done map[string]bool) {
	if done[digest] {
		return
	}
	done[digest] = true
	w.called[digest] = appendNew(w.called[digest], names)
	if at, has := w.seen[digest]; has && at >= 0 {
		w.out[at].names = appendNew(w.out[at].names, names)
	}
	for _, kid := range w.kids[digest] {
		w.rename(kid, names, done)
	}
}

// tie gives what is about an image the names of that image. called are names by
// digest, of images and of indexes.
func tie(pictures []picture, called map[string][]string) {
	at := map[string]int{}
	for i, p := range pictures {
		at[p.digest] = i
	}
	for i := range pictures {
		seen := map[string]bool{}
		about := pictures[i].about
		for depth := 0; about != "" && depth < maxDepth && !seen[about]; depth++ {
			names := slices.DeleteFunc(slices.Clone(called[about]), func(name string) bool { return taggedSubject(name) != "" })
			if len(names) > 0 {
				pictures[i].names = names
				break
			}
			seen[about] = true
			if k, has := at[about]; has {
				about = pictures[k].about
			} else {
				about = ""
			}
		}
	}
}
