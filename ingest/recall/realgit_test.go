package recall_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/pack/packtest"
	"revenant/ingest/scan"
	"revenant/scanners"
	"revenant/scanners/archives"
	"revenant/scanners/gitrepo"
	"revenant/scanners/gitrepo/objects"
	"revenant/scanners/registered"
	"revenant/scanners/rules"
	"revenant/scanners/views"
)

// TestRealRepositories compares what a scan finds in the repositories below the
// folder that REVENANT_TEST_REPOSITORIES names with what the engine finds in
// every object that git itself prints, each scanned whole as a plain item. It
// registers stretches of what is in them, so that there is much to be found.
func TestRealRepositories(t *testing.T) {
	root := os.Getenv("REVENANT_TEST_REPOSITORIES")
	if root == "" {
		return
	}
	list, _, err := gitrepo.Find(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		rel, err := filepath.Rel(root, f.Path)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.ToSlash(rel), func(t *testing.T) { compareReal(t, f.Path) })
	}
}

// lookMost is up to how many bytes of blobs rules, views and archives are
// compared too: they would take hours in a large repository, and registered
// values alone take minutes.
const lookMost = 1 << 30

func compareReal(t *testing.T, dir string) {
	o := gitSays(t, dir)
	sameObjects(t, dir, o)
	if len(o.values) == 0 {
		t.Logf("%d objects, and no text in them", len(o.kinds))
		return
	}
	built := packtest.New(t, fingerprints.AudienceCore, o.values...)
	exact, err := registered.New(built.Pack)
	if err != nil {
		t.Fatal(err)
	}
	e := &scanners.Engine{Matchers: []scanners.Matcher{exact}}
	var open *archives.Expander
	if o.bytes <= lookMost {
		generic, err := rules.New(rules.Options{})
		if err != nil {
			t.Fatal(err)
		}
		e = &scanners.Engine{Matchers: []scanners.Matcher{exact, generic}, Viewer: views.New()}
		open = &archives.Expander{Limits: archives.DefaultLimits()}
	}
	src, err := gitrepo.New(t.Context(), gitrepo.Options{
		Path: dir, SourceID: "git:example.org/real", Workers: 2, Screen: scan.Screen{Engine: e, Archives: open, Parts: scanners.NewScreener(e, scanners.Cutting{})}.Of,
	})
	if err != nil {
		t.Fatal(err)
	}
	l := known{built.Rows}
	began := time.Now()
	got, notes := sightings(t, src, e, open, l, o)
	took := time.Since(began)
	want, _ := sightings(t, newPrinted(t, dir, o), e, open, l, o)
	missed, extra, rules := 0, 0, 0
	for k := range want {
		if !k.registered {
			rules++
		}
		if !got[k] {
			if missed++; missed < 5 {
				t.Errorf("missed: %s", k)
			}
		}
	}
	for k := range got {
		// A blob is given out at every path; git's list has one.
		if k.path == o.shown(t, e, l, k.object) && !want[k] {
			if extra++; extra < 5 {
				t.Errorf("not in what git prints: %s", k)
			}
		}
	}
	t.Logf("%d objects, %d MB of blobs, %d values; %d sightings, of which %d by rules; missed %d, more %d; scanned in %v; %v",
		len(o.kinds), o.bytes/1e6, len(o.values), len(want), rules, missed, extra, took.Round(time.Second/10), notes)
}

// gitOracle is what git says of a repository.
type gitOracle struct {
	kinds  map[string]string // of every object that can be read
	paths  map[string]string // of blobs, the one that git names
	bytes  int64             // of blobs
	values [][]byte
}

// shown is the path of a blob as a report has it.
func (o *gitOracle) shown(t *testing.T, e *scanners.Engine, l scan.Labels, object string) string {
	if o.kinds[object] != "blob" || o.paths[object] == "" {
		return ""
	}
	return scan.Shown(t.Context(), e.Matchers, l, o.paths[object])
}

func gitLines(t *testing.T, dir string, each func(line string), args ...string) {
	t.Helper()
	c := exec.Command("git", append([]string{"-c", "safe.directory=*"}, args...)...)
	c.Dir, c.Env = dir, append(os.Environ(), "GIT_NO_REPLACE_OBJECTS=1", "GIT_NO_LAZY_FETCH=1")
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		each(lines.Text())
	}
	if err := c.Wait(); err != nil {
		t.Fatalf("git %s: %v", args[0], err)
	}
}

// gitSays lists all objects, and takes stretches of some as values.
func gitSays(t *testing.T, dir string) *gitOracle {
	o := &gitOracle{kinds: map[string]string{}, paths: map[string]string{}}
	gitLines(t, dir, func(line string) {
		f := strings.Fields(line)
		n, err := strconv.ParseInt(f[2], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		if o.kinds[f[0]] = f[1]; f[1] == "blob" {
			o.bytes += n
		}
	}, "cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype) %(objectsize)")
	gitLines(t, dir, func(line string) {
		if id, path, named := strings.Cut(line, " "); named && o.kinds[id] == "blob" && o.paths[id] == "" {
			o.paths[id] = path
		}
	}, "rev-list", "--objects", "--all", "--missing=allow-any")
	r := rand.New(rand.NewPCG(1, uint64(len(o.kinds))))
	const wanted = 120
	p := newPrinted(t, dir, o)
	for {
		b, err := p.Next(t.Context())
		for _, it := range b.Items {
			if r.IntN(len(o.kinds)/wanted+1) > 0 {
				continue
			}
			rc, openErr := it.Open(t.Context())
			if openErr != nil {
				t.Fatal(openErr)
			}
			data, _ := io.ReadAll(rc) // a buffer's
			// Heads of commits are several items.
			if !strings.HasPrefix(it.Locator, "blob:") {
				_, data, _ = bytes.Cut(data, []byte("\n\n"))
			}
			if v := telling(r, data); v != nil {
				o.values = append(o.values, v)
			}
		}
		if err != nil {
			return o
		}
	}
}

// telling is a stretch of a line that could be a value; nil: none was found.
func telling(r *rand.Rand, data []byte) []byte {
	const n = 28
	for range 50 {
		if len(data) <= n {
			return nil
		}
		at := r.IntN(len(data) - n)
		v := data[at : at+n]
		letters := map[byte]bool{}
		for _, c := range v {
			letters[c] = true
			if c < ' ' || c > '~' {
				letters = nil
				break
			}
		}
		if len(letters) > 15 {
			return bytes.Clone(v)
		}
	}
	return nil
}

// sameObjects compares every object that the reader finds with git's.
func sameObjects(t *testing.T, dir string, o *gitOracle) {
	t.Helper()
	s, err := objects.Open(t.Context(), dir, objects.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	got := map[string]string{}
	_, err = s.Walk(t.Context(), objects.Walk{Workers: 1, Visit: func(_ context.Context, _ int, ob *objects.Object) (any, error) {
		got[ob.ID.String()] = ob.Kind.String()
		return nil, nil
	}})
	if diff := cmp.Diff(o.kinds, got); err != nil || diff != "" {
		t.Errorf("%v; objects (-git +reader):\n%s", err, diff)
	}
}

// gitSighting is what is compared.
type gitSighting struct {
	object, path, what string
	registered         bool
}

func (k gitSighting) String() string { return k.object + " at " + k.path + ": " + k.what }

// sightings scans a source; what is no object is left out, and so are paths of
// what has none in git's list.
func sightings(t *testing.T, src scanners.Source, e *scanners.Engine, open *archives.Expander, l scan.Labels, o *gitOracle) (map[gitSighting]bool, []wire.Note) {
	t.Helper()
	out := map[gitSighting]bool{}
	res, err := scan.Run(t.Context(), scan.Options{
		Source: src, Engine: e, PathMatchers: e.Matchers, Labels: l, Archives: open, Secrets: scan.SecretsShown,
		Now: time.Now, Workers: 2,
		Emit: func(f wire.Finding) error {
			kind, id, has := strings.Cut(f.Locator, ":")
			if !has || o.kinds[id] != kind {
				return nil
			}
			k := gitSighting{object: id, what: f.Rule + " " + string(f.Secret.Reveal())}
			if len(f.Matches) > 0 {
				k.what, k.registered = f.Matches[0].Secret, true
			} else if kind != "blob" || o.paths[id] == "" || strings.Contains(f.Path, "!") {
				return nil // a commit is several items here, and one there
			} else {
				k.path = f.Path
			}
			out[k] = true
			return nil
		},
	})
	if err == nil {
		err = src.Close()
	}
	if err != nil || res.SourceFailed {
		t.Fatal(err, res.SourceFailed)
	}
	return out, res.Notes
}

// printed is a source of all objects as "git cat-file" prints them.
type printed struct {
	t   *testing.T
	o   *gitOracle
	cmd *exec.Cmd
	out *bufio.Reader
}

func newPrinted(t *testing.T, dir string, o *gitOracle) *printed {
	t.Helper()
	c := exec.Command("git", "-c", "safe.directory=*", "cat-file", "--batch", "--batch-all-objects", "--unordered")
	c.Dir, c.Env = dir, append(os.Environ(), "GIT_NO_REPLACE_OBJECTS=1", "GIT_NO_LAZY_FETCH=1")
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	return &printed{t, o, c, bufio.NewReaderSize(out, 1<<20)}
}

func (p *printed) ID() string                    { return "git:example.org/printed" }
func (p *printed) Kind() fingerprints.SourceKind { return fingerprints.KindGit }
func (p *printed) Close() error                  { return p.cmd.Wait() }

// headID begins a line of a commit or a tag that names another object.
var headID = regexp.MustCompile(`^(tree|parent|object) [0-9a-f]+\n`)

// Next implements scanners.Source.
func (p *printed) Next(context.Context) (scanners.Batch, error) {
	var b scanners.Batch
	for size := 0; size < 16<<20 && len(b.Items) < 200; {
		line, err := p.out.ReadString('\n')
		if err != nil {
			return b, io.EOF
		}
		f := strings.Fields(line)
		n, err := strconv.Atoi(f[2])
		if err != nil {
			return b, err
		}
		data := make([]byte, n+1)
		if _, err := io.ReadFull(p.out, data); err != nil {
			return b, err
		}
		data, size = data[:n], size+n
		for f[1] != "blob" && headID.Match(data) { // ids of other objects are nobody's text
			_, data, _ = bytes.Cut(data, []byte("\n"))
		}
		path := p.o.paths[f[0]]
		if path == "" {
			path = "@" + f[1]
		}
		if f[1] == "tree" {
			continue
		}
		b.Items = append(b.Items, scanners.Item{
			SourceID: p.ID(), Path: path, Locator: fmt.Sprintf("%s:%s", f[1], f[0]), Size: int64(n), Presence: fingerprints.PresenceTip,
			Open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil },
		})
	}
	return b, nil
}
