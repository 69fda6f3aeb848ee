package image

import (
	"context"
	"io"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/image/distribution"
)

// atOnce is how many documents are asked for side by side.
const atOnce = 8

// docs are documents of a repository, each asked for once.
type docs struct {
	r    inRegistry
	room chan struct{}
	mu   sync.Mutex
	warm map[string]bool // what was followed ahead
	had  map[string]*doc
}

type doc struct {
	once     sync.Once
	manifest distribution.Manifest // or
	text     []byte
	err      error
}

func newDocs(r inRegistry) *docs {
	return &docs{r: r, room: make(chan struct{}, atOnce), had: map[string]*doc{}, warm: map[string]bool{}}
}

// first reports whether a document is followed ahead for the first time.
func (s *docs) first(ref string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	had := s.warm[ref]
	s.warm[ref] = true
	return !had
}

func (s *docs) get(key string, ask func(*doc)) *doc {
	s.mu.Lock()
	d := s.had[key]
	if d == nil {
		d = &doc{}
		s.had[key] = d
	}
	s.mu.Unlock()
	d.once.Do(func() {
		s.room <- struct{}{}
		defer func() { <-s.room }()
		ask(d)
	})
	return d
}

// forget lets all documents go.
func (s *docs) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.had)
	clear(s.warm)
}

func (s *docs) manifest(ctx context.Context, ref string) (distribution.Manifest, error) {
	d := s.get(ref, func(d *doc) { d.manifest, d.err = s.r.from.Manifest(ctx, ref) })
	return d.manifest, d.err
}

func (s *docs) config(ctx context.Context, c v1.Descriptor) ([]byte, error) {
	d := s.get("config "+c.Digest.String(), func(d *doc) {
		var rc io.ReadCloser
		if rc, d.err = s.r.fresh(c).open(ctx); d.err != nil {
			return
		}
		defer rc.Close()
		d.text, d.err = io.ReadAll(io.LimitReader(rc, maxDocument+1))
		if d.err == nil && len(d.text) > maxDocument {
			d.text, d.err = d.text[:maxDocument], errLongConfig
		}
	})
	return d.text, d.err
}

// warm asks for documents that will be needed, side by side. What fails is told
// when it is needed.
func (w *walkRegistry) warm(ctx context.Context, refs []string) {
	var g errgroup.Group
	g.SetLimit(atOnce)
	for _, ref := range refs {
		g.Go(func() error {
			w.follow(ctx, ref, 0)
			return nil
		})
	}
	_ = g.Wait() // none fails
}

func (w *walkRegistry) follow(ctx context.Context, ref string, depth int) {
	if !w.docs.first(ref) {
		return
	}
	m, err := w.docs.manifest(ctx, ref)
	if _, has := w.seen[m.Digest]; m.Raw == nil || has || err != nil && isIndex(m.Raw) || depth > maxDepth || ctx.Err() != nil {
		return
	}
	if index, _, err := parseIndex(m.Raw); err == nil && isIndex(m.Raw) {
		var g errgroup.Group
		g.SetLimit(atOnce)
		for _, d := range index.Manifests {
			if _, has := w.seen[d.Digest.String()]; !has {
				g.Go(func() error {
					w.follow(ctx, d.Digest.String(), depth+1)
					return nil
				})
			}
		}
		_ = g.Wait() // none fails
		return
	}
	if doc, ok := parseManifest(m.Raw); ok && doc.Config.Digest.Hex != "" && imageConfig(doc.Config.MediaType) {
		_, _ = w.docs.config(ctx, doc.Config)
	}
}

// errLongConfig: a configuration is longer than any is.
var errLongConfig = &scanners.SkipError{Reason: fingerprints.SkipTooLarge, Detail: "longer than any such document is: what stands behind 16 MiB was not searched", Size: -1}
