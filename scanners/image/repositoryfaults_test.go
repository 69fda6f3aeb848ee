package image_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/gitrepo/salvage"
	"revenant/scanners/image"
)

// scripted are repositories that go as a test wants.
type scripted struct {
	fails error // New
	repo  scriptedRepository
	open  int
}

func (*scripted) Wants(name string) bool { return salvage.Wants(name) }

func (s *scripted) New() (image.GitRepository, error) {
	if s.fails != nil {
		return nil, s.fails
	}
	s.open++
	r := s.repo
	r.of = s
	return &r, nil
}

type scriptedRepository struct {
	of         *scripted
	take, read error
	items      []scanners.Item
	left       []int
	reading    func()
}

func (r *scriptedRepository) Take(_ string, _ int64, content io.Reader) error {
	if r.take != nil {
		return r.take
	}
	_, err := io.Copy(io.Discard, content)
	return err
}

func (r *scriptedRepository) Read(ctx context.Context) ([]scanners.Item, []fingerprints.Skip, []int, error) {
	if r.reading != nil {
		r.reading()
	}
	return r.items, nil, r.left, errors.Join(r.read, ctx.Err())
}

// Holding is the first file that was taken, whatever is asked.
func (r *scriptedRepository) Holding(context.Context, string) []int { return []int{0} }

func (r *scriptedRepository) Close() error { r.of.open--; return nil }

// passing is a failure that may pass.
type passing struct{ error }

func (passing) Temporary() bool { return true }

// object is a name of an object, and a directory that has it.
const object = "app/.git/objects/ab/cdefabcdefabcdefabcdefabcdefabcdefabcd"

func gitLayer(t *testing.T, object string) []byte {
	return tarOf(t, file{name: object, text: wanted}, file{name: "app/.git/HEAD", text: "ref: refs/heads/main"}, file{name: "plain", text: wanted})
}

func item(path string, size int64) scanners.Item {
	return scanners.Item{Path: path, Locator: "blob:1", Size: size, Open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("x")), nil }}
}

// TestRepositoryFaults: whatever becomes of a repository, its files are looked at, it
// is listed, and what may pass is tried again.
func TestRepositoryFaults(t *testing.T) {
	skip := &scanners.SkipError{Reason: fingerprints.SkipArchive, Detail: "of a kind"}
	for name, c := range map[string]struct {
		s      scripted
		object string
		items  []string
		reason fingerprints.SkipReason
		kept   bool
	}{
		"read":          {scripted{repo: scriptedRepository{items: []scanners.Item{item("a", 1)}}}, object, []string{"app/.git!a", "plain"}, "", true},
		"left":          {scripted{repo: scriptedRepository{items: []scanners.Item{item("a", 1)}, left: []int{0}}}, object, []string{"app/.git!a", object, "plain"}, "", true},
		"nothing in it": {scripted{}, object, []string{object, "plain"}, "", true},
		"not made":      {scripted{fails: errors.New("no folder")}, object, []string{object, "plain"}, fingerprints.SkipArchive, false},
		"not taken":     {scripted{repo: scriptedRepository{take: skip}}, object, []string{object, "plain"}, fingerprints.SkipArchive, true},
		"no room":       {scripted{repo: scriptedRepository{take: passing{skip}}}, object, []string{object, "plain"}, fingerprints.SkipArchive, false},
		"not read":      {scripted{repo: scriptedRepository{read: errors.New("no git")}}, object, []string{object, "plain"}, fingerprints.SkipArchive, false},
		"a large file":  {scripted{repo: scriptedRepository{items: []scanners.Item{item("a", 2<<30)}}}, object, []string{object, "plain"}, "", true},
		"a large object of a pack": {
			scripted{repo: scriptedRepository{items: []scanners.Item{item("a", 2<<30), item("b", 1)}}},
			"app/.git/objects/pack/x.pack",
			[]string{"app/.git!b", "plain"},
			fingerprints.SkipTooLarge, true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := &kept{}
			c.s.repo.of = nil
			s := scriptedSource(t, &c.s, m, gitLayer(t, c.object))
			var paths []string
			items, skips := drain(t, s)
			for path := range items {
				paths = append(paths, path)
			}
			if slices.Sort(paths); !slices.Equal(paths, c.items) {
				t.Errorf("items %v, want %v", paths, c.items)
			}
			var reason fingerprints.SkipReason
			for _, k := range skips {
				if reason = k.Reason; !strings.HasPrefix(k.Path, "app/.git") || !strings.HasPrefix(k.Locator, "layer sha256:") || reason.Failure() {
					t.Errorf("skip %+v", k)
				}
			}
			if reason != c.reason || len(skips) > 1 {
				t.Errorf("skips %v, want %q", skips, c.reason)
			}
			parts := 0
			for part := range m.parts {
				if strings.HasPrefix(part, "layer-git-") {
					parts++
				}
			}
			if parts == 1 != c.kept || c.s.open != 0 {
				t.Errorf("remembered %d times, %d open", parts, c.s.open)
			}
		})
	}
}

func scriptedSource(t *testing.T, r *scripted, m image.Memory, layers ...[]byte) *image.Source {
	t.Helper()
	c := newCounting(t)
	c.push(t, "1", pictureOf(t, v1.Config{}, nil, layers...))
	return c.open(t, "shop:1", nil, image.Options{Repositories: r, Memory: m})
}

// TestRepositoryForgotten: a memory that is damaged is as good as none.
func TestRepositoryForgotten(t *testing.T) {
	m := &kept{}
	for range 3 {
		r := &scripted{repo: scriptedRepository{items: []scanners.Item{item("a", 1)}}}
		made := 0
		r.repo.reading = func() { made++ }
		if items, _ := drain(t, scriptedSource(t, r, m, gitLayer(t, object))); items["app/.git!a"] == "" || made == 0 {
			t.Errorf("items %v, read %d times", items, made)
		}
		for part, b := range m.parts {
			if strings.HasPrefix(part, "layer-git-") {
				m.parts[part] = b[:len(b)/2]
			}
		}
	}
}

// TestRepositoryInterrupted: a scan that is stopped while it reads a repository gives
// out what it had read of the layer.
func TestRepositoryInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r := &scripted{repo: scriptedRepository{items: []scanners.Item{item("a", 1)}, reading: cancel}}
	m := &kept{}
	s := scriptedSource(t, r, m, gitLayer(t, object))
	var paths []string
	for {
		b, err := s.Next(ctx)
		for _, it := range b.Items {
			paths = append(paths, it.Path)
		}
		if err != nil {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("ended with %v", err)
			}
			break
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if slices.Sort(paths); !slices.Equal(paths, []string{object, "plain"}) || r.open != 0 {
		t.Errorf("items %v, %d open", paths, r.open)
	}
	for part := range m.parts {
		if strings.HasPrefix(part, "layer-git-") {
			t.Error("what was not read to its end is remembered")
		}
	}
}

// TestManyRepositories: those beyond a bound are listed, and their objects looked at.
func TestManyRepositories(t *testing.T) {
	var files []file
	for n := range 1010 {
		folder := strings.Repeat("d", n%7) + "/" + strings.Repeat("e", n/7) + "/"
		files = append(files, file{name: folder + object, text: wanted}, file{name: folder + "app/.git/HEAD", text: "x"})
	}
	r := &scripted{repo: scriptedRepository{items: []scanners.Item{item("a", 1)}}}
	items, skips := drain(t, scriptedSource(t, r, nil, tarOf(t, files...)))
	inside := 0
	for path := range items {
		if strings.HasSuffix(strings.TrimRight(path, "+"), "!a") {
			inside++
		}
	}
	if inside != 1000 || len(items) != 1010 || len(skips) != 10 || r.open != 0 {
		t.Errorf("%d of %d items are of repositories, %d skips, %d open", inside, len(items), len(skips), r.open)
	}
}
