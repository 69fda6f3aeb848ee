package image

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"

	"revenant/fingerprints"
)

// inFiles is images saved in a folder or a tar file.
type inFiles struct {
	path  string
	files fileset
	from  string // the repository that all of them are from; empty: they do not say
}

// NewSaved opens images in files: an OCI layout in a folder or a tar file, or what
// `docker save` wrote, compressed or not.
func NewSaved(ctx context.Context, file string, o Options) (*Source, error) {
	if o.Screen == nil {
		return nil, ErrNoScreen
	}
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	abs, err := filepath.Abs(file)
	if err != nil {
		return nil, err
	}
	f := inFiles{path: abs}
	if info.IsDir() {
		root, err := os.OpenRoot(file)
		if err != nil {
			return nil, err
		}
		f.files = folder{root}
	} else if f.files, err = openArchive(ctx, file); err != nil {
		return nil, fmt.Errorf("reading an image's archive: %w", err)
	}
	f.from = repositoryOf(f.files)
	return &Source{o: o, place: f}, nil
}

func (f inFiles) id() string {
	if f.from != "" {
		return "image:" + f.from
	}
	return "image:file:" + f.path
}

// part reports whether the repository has more.
func (f inFiles) part() bool { return f.from != "" }

// repositoryOf is the repository that saved images say they are from, where they
// say its registry and are all from one: what is built here has a name that any
// registry could have.
func repositoryOf(files fileset) string {
	var list [][]string // names of each image
	var manifest []dockerManifest
	if doc, err := document(files, "manifest.json"); err == nil && json.Unmarshal(doc, &manifest) == nil {
		for _, d := range manifest {
			list = append(list, d.RepoTags)
		}
	} else if doc, err := document(files, "index.json"); err == nil {
		if index, _, err := parseIndex(doc); err == nil {
			for _, d := range index.Manifests {
				list = append(list, refNames(d))
			}
		}
	}
	found := map[string]bool{}
	for _, names := range list {
		from := ""
		for _, text := range names {
			host, _, has := strings.Cut(text, "/")
			if ref, err := name.ParseReference(text); err == nil && has && (strings.ContainsAny(host, ".:") || host == "localhost") {
				from = shownHost(ref.Context().Registry) + "/" + ref.Context().RepositoryStr()
				found[from] = true
			}
		}
		if from == "" {
			return ""
		}
	}
	if len(found) != 1 {
		return ""
	}
	return slices.Collect(maps.Keys(found))[0]
}

func (f inFiles) pictures(ctx context.Context, _ []string, skip skipper) ([]picture, error) {
	s := &saved{files: f.files, skip: skip}
	if a, is := f.files.(*archive); is {
		if a.broken {
			skip(archivePath, filepath.Base(f.path), fingerprints.SkipUnreadable, "the archive is damaged or breaks off: files that stand behind are not known")
		}
		s.more = a.contents(filepath.Base(f.path), skip)
	}
	return s.pictures(ctx)
}

// archivePath is where what is said of a saved image's archive as such stands.
const archivePath = "@archive"

func (f inFiles) close() error { return f.files.close() }
