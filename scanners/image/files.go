package image

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// inFiles is images saved in a folder or a tar file.
type inFiles struct {
	path  string
	files fileset
}

// NewSaved opens images in files: an OCI layout in a folder or a tar file, or what
// `docker save` wrote, compressed or not.
func NewSaved(ctx context.Context, name string, o Options) (*Source, error) {
	if o.Screen == nil {
		return nil, ErrNoScreen
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	abs, err := filepath.Abs(name)
	if err != nil {
		return nil, err
	}
	f := inFiles{path: abs}
	if info.IsDir() {
		root, err := os.OpenRoot(name)
		if err != nil {
			return nil, err
		}
		f.files = folder{root}
	} else if f.files, err = openArchive(ctx, name); err != nil {
		return nil, fmt.Errorf("reading an image's archive: %w", err)
	}
	return &Source{o: o, place: f}, nil
}

func (f inFiles) id() string { return "image:file:" + f.path }

func (f inFiles) pictures(ctx context.Context, skip skipper) ([]picture, error) {
	return (&saved{files: f.files, skip: skip}).pictures(ctx)
}

func (f inFiles) close() error { return f.files.close() }
