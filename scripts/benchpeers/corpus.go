package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// work is a corpus and its slice for slow tools.
type work struct {
	name        string // for people
	stream      bool   // given on standard input
	git         bool   // a repository, of which there is no slice
	whole, part corpus
}

// corpus is a file or folder that was made.
type corpus struct {
	path  string
	bytes int64
	files int
}

func makeWorks(o options, p plants) ([]work, error) {
	log := work{name: "stream", stream: true}
	tree := work{name: "directory"}
	var err error
	make := func(into *corpus, name string, mb int, build func(string, int64, plants) (corpus, error)) {
		if err == nil {
			*into, err = remembered(filepath.Join(o.work, fmt.Sprintf("%s-%d", name, mb)), int64(mb)<<20, p, build)
		}
	}
	make(&log.whole, "log", o.logMB, makeLog)
	make(&log.part, "log", o.slowLog, makeLog)
	make(&tree.whole, "tree", o.treeMB, makeTree)
	make(&tree.part, "tree", o.slowTree, makeTree)
	return []work{log, tree}, err
}

// remembered builds a corpus once: the note beside it says that it is whole.
func remembered(path string, size int64, p plants, build func(string, int64, plants) (corpus, error)) (corpus, error) {
	note := path + ".made"
	if b, err := os.ReadFile(note); err == nil {
		c := corpus{path: path}
		if _, err := fmt.Sscan(string(b), &c.bytes, &c.files); err == nil {
			return c, nil
		}
	}
	if err := os.RemoveAll(path); err != nil {
		return corpus{}, err
	}
	c, err := build(path, size, p)
	if err != nil {
		return c, err
	}
	return c, os.WriteFile(note, fmt.Appendf(nil, "%d %d\n", c.bytes, c.files), 0o644)
}

// makeLog writes lines as services, proxies, builds and clusters write them,
// with the plants spread over them.
func makeLog(path string, size int64, p plants) (c corpus, err error) {
	f, err := os.Create(path)
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriterSize(f, 1<<20)
	l := logger{r: rand.New(rand.NewPCG(7, 7))}
	all := p.all()
	var line []byte
	for n, planted := 0, 0; c.bytes < size; n++ {
		line = l.line(line[:0], n)
		if planted < len(all) && c.bytes >= size*int64(2*planted+1)/int64(2*len(all)) {
			line = fmt.Appendf(line, `{"level":"info","n":%d,"msg":"note"} %s`+"\n", n, all[planted].text)
			planted++
		}
		if _, err := w.Write(line); err != nil {
			return c, err
		}
		c.bytes += int64(len(line))
	}
	c.path, c.files = path, 1
	return c, w.Flush()
}

// logger makes lines of a log.
type logger struct{ r *rand.Rand }

func (l logger) line(dst []byte, n int) []byte {
	r := l.r
	second, minute, hour := n%60, n/60%60, n/3600%24
	switch r.IntN(8) {
	case 0, 1, 2:
		return fmt.Appendf(dst, `{"level":"info","ts":"2026-11-24T%02d:%02d:%02d.%06dZ","caller":"server/handler.go:%d","msg":"request done","method":"GET","path":"/api/v1/users/%d/items","status":200,"took_ms":%d,"trace_id":"%016x%016x","user_agent":"okhttp/4.12.0"}`+"\n",
			hour, minute, second, r.IntN(1e6), r.IntN(500), r.IntN(1e5), r.IntN(900), r.Uint64(), r.Uint64())
	case 3, 4:
		return fmt.Appendf(dst, `10.%d.%d.%d - - [24/Nov/2026:%02d:%02d:%02d +0000] "GET /static/app.%08x.js?v=%d HTTP/1.1" 200 %d "https://example.org/home%%20page" "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"`+"\n",
			r.IntN(256), r.IntN(256), r.IntN(256), hour, minute, second, r.Uint32(), r.IntN(99), r.IntN(1e6))
	case 5:
		return fmt.Appendf(dst, "2026-11-24T%02d:%02d:%02d.%07dZ \x1b[32m+\x1b[0m npm ci: added package @scope/part-%d@%d.%d.%d from https://registry.example.org/part-%d.tgz integrity sha512-%s\n",
			hour, minute, second, r.IntN(1e7), r.IntN(900), r.IntN(9), r.IntN(20), r.IntN(40), r.IntN(900), l.base64(86))
	case 6:
		return fmt.Appendf(dst, "2026-11-24T%02d:%02d:%02d.%07dZ --- PASS: TestServer/case_%d (0.%02ds)\n\tok  \texample.org/shop/internal/part%d\t%d.%03ds\tcoverage: %d.%d%% of statements\n",
			hour, minute, second, r.IntN(1e7), r.IntN(400), r.IntN(99), r.IntN(60), r.IntN(9), r.IntN(999), r.IntN(99), r.IntN(9))
	default:
		return fmt.Appendf(dst, `I1124 %02d:%02d:%02d.%06d   %d kubelet.go:%d] "SyncLoop (PLEG): event for pod" pod="default/web-%x-%s" event={"ID":"%016x-%04x","Type":"ContainerStarted"} token refresh due`+"\n",
			hour, minute, second, r.IntN(1e6), r.IntN(9999), r.IntN(3000), r.Uint32(), l.base64(5), r.Uint64(), r.IntN(1<<16))
	}
}

func (l logger) base64(n int) string {
	const alphabet = small + capital + digits + "+/"
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[l.r.IntN(len(alphabet))]
	}
	return string(b)
}

// makeTree copies text files of Go's own source and of the module cache, with
// a plant at the end of a line of each of some Go files.
func makeTree(path string, size int64, p plants) (c corpus, err error) {
	roots, err := goFolders()
	if err != nil {
		return c, err
	}
	c.path = path
	for i, root := range roots {
		err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case c.bytes >= size:
				return fs.SkipAll
			case d.IsDir() && d.Name() == "cache" && filepath.Dir(name) == root: // archives of what is beside it
				return fs.SkipDir
			case !d.Type().IsRegular():
				return nil
			}
			rel, err := filepath.Rel(root, name)
			if err != nil {
				return err
			}
			return c.copy(name, filepath.Join(path, fmt.Sprint(i), rel))
		})
		if err != nil {
			return c, err
		}
	}
	return c, c.plant(p.all())
}

func goFolders() ([]string, error) {
	out, err := exec.Command("go", "env", "GOROOT", "GOMODCACHE").Output()
	if err != nil {
		return nil, fmt.Errorf("asking go for its folders: %w", err)
	}
	list := strings.Fields(string(out))
	if len(list) != 2 {
		return nil, errors.New("go names no folders")
	}
	return []string{filepath.Join(list[0], "src"), list[1]}, nil
}

// copy takes a file over if it is text: the peers skip others, revenant does not.
func (c *corpus) copy(from, to string) error {
	b, err := os.ReadFile(from)
	if err != nil || len(b) == 0 || bytes.IndexByte(b, 0) >= 0 {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	c.bytes += int64(len(b))
	c.files++
	return os.WriteFile(to, b, 0o644)
}

// plant appends each plant to a Go file of its own, spread over the tree.
func (c *corpus) plant(all []plant) error {
	var files []string
	err := filepath.WalkDir(c.path, func(name string, d fs.DirEntry, err error) error {
		// Left out: where gitleaks' allowlists look away.
		if err == nil && strings.HasSuffix(name, ".go") && !strings.Contains(name, "vendor") && !strings.Contains(name, "testdata") {
			files = append(files, name)
		}
		return err
	})
	if err != nil {
		return err
	}
	if len(files) < len(all) {
		return fmt.Errorf("%d Go files are too few for %d plants", len(files), len(all))
	}
	for i, p := range all {
		f, err := os.OpenFile(files[len(files)*i/len(all)], os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		n, err := io.WriteString(f, "\n// "+p.text+"\n")
		c.bytes += int64(n)
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	return nil
}
