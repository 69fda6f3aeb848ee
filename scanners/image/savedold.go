package image

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// dockerManifest is an entry of docker's manifest.json.
type dockerManifest struct {
	Config   string
	RepoTags []string
	Layers   []string
	// LayerSources are layers that are kept elsewhere, by the digest of what they unpack
	// to.
	LayerSources map[string]v1.Descriptor
}

// docker reads what `docker save` wrote since 1.10. Images that an index beside it
// names, too, are given their names.
func (s *saved) docker(raw []byte, out []picture) ([]picture, error) {
	var list []dockerManifest
	if json.Unmarshal(raw, &list) != nil {
		return out, errBadDocument
	}
	said := heard{}
	var names []string
	for _, d := range list {
		said.add(slices.Concat([]string{d.Config}, d.RepoTags, d.Layers)...)
		names = appendNew(names, d.RepoTags)
		if i := slices.IndexFunc(out, func(p picture) bool { return p.hasConfig(d.Config) }); i >= 0 {
			out[i].names = appendNew(out[i].names, d.RepoTags)
			out[i].layers = ordered(out[i].layers, d.Layers)
			out[i].named = true
			continue
		}
		p := picture{names: d.RepoTags, digest: d.Config, named: true, docs: []string{d.Config}, uses: []string{strings.Replace(strings.TrimPrefix(d.Config, "blobs/"), "/", ":", 1)}}
		digest, _ := v1.NewHash(keptUnder(d.Config)) // it may have none
		s.config(&p, d.Config, v1.Descriptor{Digest: digest, Size: -1})
		for i, name := range d.Layers {
			b := s.blob(name, v1.Descriptor{Size: -1})
			diff := diffID(p.config, i, len(d.Layers))
			switch b.digest = keptUnder(name); {
			case b.digest != "": // and held against it
			case diff == "":
				b.digest = name
			default:
				b.digest, b.unpacked = diff, diff
				b.open = unpackedVerified(b.open, diff)
			}
			if at, has := d.LayerSources[diff]; has {
				b.mediaType, b.urls = at.MediaType, at.URLs
			}
			p.layers = append(p.layers, b)
		}
		out = append(out, p)
	}
	if text := said.untold(raw); text != "" {
		out = append(out, picture{names: names, digest: "manifest.json", untold: text})
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
			p := s.chained(id, repo+":"+tag)
			p.docs = []string{"repositories", id + "/json"}
			out = append(out, p)
		}
	}
	return out, nil
}

// maxChain is how many layers an image may have, as docker has it.
const maxChain = 1000

func (s *saved) chained(id, name string) picture {
	p := picture{names: []string{name}, digest: id, named: true}
	seen := map[string]bool{}
	var steps []map[string]string
	for layer := id; layer != "" && !seen[layer] && len(seen) < maxChain; {
		seen[layer] = true
		doc, err := document(s.files, layer+"/json")
		if err != nil {
			p.lacks = append(p.lacks, lack{"@config", layer, "the configuration is not there"})
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
