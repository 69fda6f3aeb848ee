package main

import (
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"revenant/fingerprints"
	"revenant/scanners/image"
)

// Of what is known of an image's layers: how the files begin, how long one may be,
// and how often what their contents gave is kept while a scan is under way.
const (
	layersPurpose  = "layers"
	layersHead     = "revenant.layer/1\n"
	maxLayerFile   = 256 << 20
	keptEveryWhile = 10 * time.Second
)

// layerMemory keeps what is known of images. What is known of a layer is the same in
// every repository that has it.
type layerMemory struct {
	files *sealedFiles
	kept  *keptOutcomes
	now   func() time.Time
	// others lists the files of layers that scans of other repositories left.
	others func() map[string]string

	mu    sync.Mutex
	saved time.Time
}

var _ image.Memory = (*layerMemory)(nil)

// remembersLayers sets what a scan of images keeps for the next one, where there is
// a registry to keep it beside.
func (a *app) remembersLayers(o *image.Options, e *eye, fl *scanFlags, p scanPlace) {
	look := a.look(e, fl, p)
	files := a.sealedFiles(e, fl, fingerprints.KindImage, p.sourceID, layersPurpose, layersHead)
	if files == nil || look == nil {
		return
	}
	files.what, files.most = "what is known of a layer", maxLayerFile
	files.shared = func(part string) bool { return strings.HasPrefix(part, layerPart) }
	m := &layerMemory{files: files, kept: e.kept, now: a.now, saved: a.now()}
	m.others = sync.OnceValue(m.elsewhere)
	o.Memory, o.Look = m, [sha256.Size]byte(look)
}

// layerPart begins the parts that are about a layer.
const layerPart = "layer-"

// elsewhere are files of layers, by their part, whoever's they are.
func (m *layerMemory) elsewhere() map[string]string {
	out := map[string]string{}
	dir := filepath.Dir(m.files.files.prefix)
	list, err := os.ReadDir(dir)
	if err != nil {
		return out // the layers are read
	}
	for _, e := range list {
		if source, part, has := strings.Cut(e.Name(), "."); has && source != "" && strings.HasPrefix(part, layerPart) {
			out[part] = filepath.Join(dir, e.Name())
		}
	}
	return out
}

// Load implements image.Memory. A layer that another repository has, too, is known
// from there.
func (m *layerMemory) Load(part string) ([]byte, error) {
	b, err := m.files.load(part)
	if b != nil || err != nil || !strings.HasPrefix(part, layerPart) {
		return b, err
	}
	other := m.others()[part]
	if other == "" || os.Link(other, m.files.files.file(part)) != nil {
		return nil, nil
	}
	return m.files.load(part)
}

// Save implements image.Memory. What contents gave until now is kept with it from
// time to time: a scan that is killed goes on from there.
func (m *layerMemory) Save(part string, plain []byte) error {
	err := m.files.save(part, plain)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.now().Sub(m.saved) < keptEveryWhile {
		return err
	}
	err = errors.Join(err, m.kept.saveSoFar())
	m.saved = m.now()
	return err
}

// Keep implements image.Memory.
func (m *layerMemory) Keep(parts map[string]bool) error {
	prefix := filepath.Base(m.files.files.prefix) + "."
	return removeBeside(filepath.Dir(m.files.files.prefix), func(file string) bool {
		part, is := strings.CutPrefix(file, prefix)
		return is && strings.HasPrefix(part, layerPart) && !parts[part]
	})
}
