package main

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"

	"revenant/ingest/scan"
	"revenant/scanners"
	"revenant/scanners/gitrepo/salvage"
	"revenant/scanners/image"
)

// layerRepositories puts git repositories in layers together, in a folder of this
// process alone that is removed at the end. What a killed process left is removed by
// the next scan of images.
type layerRepositories struct {
	base   string
	screen scan.Screen
	dir    string // in base; empty: none was needed
	unlock func()
}

var _ image.GitRepositories = (*layerRepositories)(nil)

// Folders of git repositories that lie in layers, and the file in each that its
// process holds.
const (
	layersFolder = "revenant-layers-"
	layersLock   = "lock"
)

// layerRepositories reads git repositories for a scan: beside the registry, where there
// is one, as clones lie there.
func (a *app) layerRepositories(e *eye, fl *scanFlags) *layerRepositories {
	r := &layerRepositories{base: os.TempDir()}
	r.screen = scan.Screen{Engine: e.engine, Archives: fl.archives(a.now), Parts: scanners.NewScreener(e.engine, scanners.Cutting{})}
	if e.session != nil && !fl.noStore {
		r.base = clonesDir(e.session.dir)
	}
	r.tidy()
	return r
}

// Wants implements image.GitRepositories.
func (r *layerRepositories) Wants(name string) bool { return salvage.Wants(name) }

// New implements image.GitRepositories.
func (r *layerRepositories) New() (image.GitRepository, error) {
	if r.dir == "" {
		if err := r.open(); err != nil {
			return nil, err
		}
	}
	made, err := salvage.New(salvage.Options{
		Dir: r.dir, Screen: r.screen.Of, Named: r.screen.Engine.Named, Workers: runtime.GOMAXPROCS(0),
		Room: func() int64 { return freeRoom(r.dir) },
	})
	if err != nil {
		return nil, err
	}
	return made, nil
}

// open makes the folder. Another process may take a new one for one that was left.
func (r *layerRepositories) open() (err error) {
	if err := os.MkdirAll(r.base, 0o700); err != nil {
		return err
	}
	for range 10 {
		var dir string
		if dir, err = os.MkdirTemp(r.base, layersFolder+"*"); err != nil {
			return err
		}
		lock := filepath.Join(dir, layersLock)
		if r.unlock, err = lockFile(lock); err == nil {
			if _, err = os.Lstat(lock); err == nil {
				r.dir = dir
				return nil
			}
			r.unlock()
		}
		_ = os.RemoveAll(dir) // it may be gone
	}
	return err
}

func (r *layerRepositories) close() error {
	if r.dir == "" {
		return nil
	}
	defer r.unlock()
	return os.RemoveAll(r.dir)
}

// tidy removes what killed processes left behind.
func (r *layerRepositories) tidy() {
	left, err := filepath.Glob(filepath.Join(r.base, layersFolder+"*"))
	if err != nil {
		return // the folder has a name that is a pattern: it stays
	}
	for _, dir := range left {
		info, err := os.Lstat(dir)
		if err != nil || !info.IsDir() || !ownFile(info) {
			continue
		}
		// Who is killed while a folder is removed may leave it without its lock; whose
		// folder is so new that it has none yet takes another.
		if unlock, err := lockFile(filepath.Join(dir, layersLock)); err == nil {
			_ = os.RemoveAll(dir) // the next scan tries again
			unlock()
		}
	}
}

// withRepositories is images with the folder that goes with them.
type withRepositories struct {
	*image.Source
	repositories *layerRepositories
}

// Close implements scanners.Source.
func (w withRepositories) Close() error {
	return errors.Join(w.Source.Close(), w.repositories.close())
}

var (
	_ scanners.Source = withRepositories{}
	_ somePart        = withRepositories{}
)

// openImages opens images, and reads the git repositories in them.
func (a *app) openImages(e *eye, fl *imageFlags, o image.Options, open func(image.Options) (*image.Source, error)) (scanners.Source, error) {
	r := a.layerRepositories(e, &fl.scanFlags)
	o.Repositories = r
	src, err := open(o)
	if err != nil {
		return nil, errors.Join(err, r.close())
	}
	return withRepositories{src, r}, nil
}
