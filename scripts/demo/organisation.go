package main

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// organisation is what is scanned.
type organisation struct {
	o       options
	host    string // of images
	images  *http.Server
	served  sync.WaitGroup
	log     *logFolder
	own     bool // the root is a git repository
	watches int
}

func newOrganisation(ctx context.Context, o options, v values) (*organisation, error) {
	g := &organisation{o: o, watches: 4}
	_, err := os.Stat(filepath.Join(o.root, ".git"))
	if g.own = err == nil; g.own {
		g.watches++
	}
	err = errors.Join(shop(ctx, filepath.Join(o.work, "shop"), v), ledger(ctx, filepath.Join(o.work, "ledger"), v))
	if err != nil {
		return nil, err
	}
	if err := g.serveImages(ctx, v); err != nil {
		return nil, err
	}
	if g.log, err = newLogFolder(filepath.Join(o.work, "logs")); err != nil {
		return nil, errors.Join(err, g.images.Close())
	}
	return g, nil
}

func (g *organisation) close() {
	g.log.close()
	_ = g.images.Close() // nobody waits for an image any more
	g.served.Wait()
}

// configuration is the server's.
func (g *organisation) configuration() string {
	var b strings.Builder
	b.WriteString("workers:\n  scans: 2\nwatches:\n")
	watch := func(name, every string, scan ...string) {
		fmt.Fprintf(&b, "  - name: %s\n    scan: [\"%s\"]\n    every: %s\n", name, strings.Join(scan, `", "`), every)
	}
	watch("shop", "1m", "git", filepath.Join(g.o.work, "shop"))
	watch("ledger", "1m", "git", filepath.Join(g.o.work, "ledger"))
	watch("images", "1m", "image", "--all-tags", g.host+"/shop")
	watch("logs", "10s", "dir", filepath.Join(g.o.work, "logs"))
	if g.own {
		watch("this", "10m", "git", "--only", "registered", g.o.root) // made-up values of tests are many
	}
	return b.String()
}

// git runs it in a repository, as somebody.
func git(ctx context.Context, dir string, args ...string) error {
	c := exec.CommandContext(ctx, "git", args...)
	c.Dir = dir
	c.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=Sample", "GIT_AUTHOR_EMAIL=sample@example.org",
		"GIT_COMMITTER_NAME=Sample", "GIT_COMMITTER_EMAIL=sample@example.org")
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("git %s: %w: %s", args[0], err, out)
	}
	return nil
}

// script writes files and runs git, in order: a step is FILE and TEXT, or git's
// arguments behind "".
func script(ctx context.Context, dir string, steps ...[]string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, s := range steps {
		var err error
		if s[0] == "" {
			err = git(ctx, dir, s[1:]...)
		} else {
			err = os.WriteFile(filepath.Join(dir, s[0]), []byte(s[1]), 0o644)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// shop hides copies in a merge, a message, an amended commit and a stash.
func shop(ctx context.Context, dir string, v values) error {
	commit := func(message string) []string { return []string{"", "commit", "-q", "-m", message} }
	all := []string{"", "add", "-A"}
	return script(
		ctx, dir, []string{"", "init", "-q", "-b", "main"},
		[]string{"README", "shop\n"}, all, commit("first"),
		[]string{"", "checkout", "-q", "-b", "topic"}, []string{"topic.txt", "topic\n"}, all, commit("topic"),
		[]string{"", "checkout", "-q", "main"}, []string{"main.txt", "main\n"}, all, commit("main"),
		[]string{"", "merge", "-q", "--no-commit", "topic"}, []string{".env", "DB_PASSWORD=" + v.db + "\n"}, all, commit("merge"),
		[]string{"", "rm", "-q", ".env"}, commit("the old password was "+v.db),
		[]string{"mail.yaml", "mail: " + base64.StdEncoding.EncodeToString([]byte("key="+v.mail)) + "\n"}, all, commit("oops"),
		[]string{"", "rm", "-q", "mail.yaml"}, []string{"", "commit", "-q", "--amend", "--allow-empty", "-m", "nothing"},
		[]string{"notes.txt", "ask " + v.mail + " of them\n"}, []string{"", "stash", "-q", "-u"},
	)
}

// ledger has an admin's password in an old commit.
func ledger(ctx context.Context, dir string, v values) error {
	return script(
		ctx, dir, []string{"", "init", "-q", "-b", "main"},
		[]string{"setup.json", `{"portal": {"login": "admin", "entry": "` + v.portal + `"}}` + "\n"}, []string{"", "add", "-A"}, []string{"", "commit", "-q", "-m", "set up"},
		[]string{"setup.json", "{}\n"}, []string{"", "commit", "-q", "-a", "-m", "tidied up"},
	)
}

// serveImages has a registry with an image of two layers, the second of which
// removes what the first one brought.
func (g *organisation) serveImages(ctx context.Context, v values) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	g.host = l.Addr().String()
	g.images = &http.Server{Handler: registry.New(registry.Logger(log.New(io.Discard, "", 0))), ReadHeaderTimeout: 10 * time.Second}
	g.served.Go(func() { _ = g.images.Serve(l) }) // until it is closed
	one, err := layer("app/.env", "DB_PASSWORD="+v.db+"\nPORTAL_ENTRY="+v.portal+"\n")
	two, err2 := layer("app/.wh..env", "")
	if err := errors.Join(err, err2); err != nil {
		return err
	}
	image, err := mutate.AppendLayers(empty.Image, one, two)
	if err == nil {
		image, err = mutate.Config(image, v1.Config{Env: []string{"MAIL=" + base64.StdEncoding.EncodeToString([]byte(v.mail))}})
	}
	if err != nil {
		return err
	}
	for _, tag := range []string{"1.4", "1.5"} {
		ref, err := name.NewTag(g.host + "/shop:" + tag)
		if err == nil {
			err = remote.Write(ref, image, remote.WithContext(ctx))
		}
		if err != nil {
			return fmt.Errorf("pushing an image: %w", err)
		}
	}
	return nil
}

func layer(file, text string) (v1.Layer, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	err := w.WriteHeader(&tar.Header{Name: file, Mode: 0o600, Size: int64(len(text)), Typeflag: tar.TypeReg})
	if err == nil {
		_, err = io.WriteString(w, text)
	}
	if err := errors.Join(err, w.Close()); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
}

// logFolder is a log that is being written.
type logFolder struct {
	mu   sync.Mutex
	file string
	stop chan struct{}
	done sync.WaitGroup
}

func newLogFolder(dir string) (*logFolder, error) {
	l := &logFolder{file: filepath.Join(dir, "app.log"), stop: make(chan struct{})}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	l.write("the shop is open")
	l.done.Go(func() {
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for n := 1; ; n++ {
			select {
			case <-l.stop:
				return
			case <-tick.C:
				l.write(fmt.Sprintf("order %d was shipped", n))
			}
		}
	})
	return l, nil
}

// write writes a line.
func (l *logFolder) write(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f, err := os.OpenFile(l.file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return // the folder is gone, and the tour with it
	}
	defer f.Close()
	_, _ = fmt.Fprintln(f, time.Now().UTC().Format(time.RFC3339), text)
}

// throwAway begins a new file.
func (l *logFolder) throwAway() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return os.Remove(l.file)
}

func (l *logFolder) close() {
	close(l.stop)
	l.done.Wait()
}
