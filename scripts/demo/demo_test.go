package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"gopkg.in/yaml.v3"
)

// TestOrganisation: the sources hold what the tour tells of them, and end with it.
func TestOrganisation(t *testing.T) {
	o := options{work: t.TempDir(), root: t.TempDir()}
	v := newTour(o, &bytes.Buffer{}).values
	g, err := newOrganisation(t.Context(), o, v)
	if err != nil {
		t.Fatal(err)
	}
	all := func(repo string) string {
		out, err := exec.CommandContext(t.Context(), "git", "-C", filepath.Join(o.work, repo), "cat-file", "--batch-all-objects", "--batch").Output()
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	if text := all("shop"); !strings.Contains(text, "DB_PASSWORD="+v.db) || !strings.Contains(text, "ask "+v.mail) {
		t.Error("shop holds no copies")
	}
	if !strings.Contains(all("ledger"), v.portal) {
		t.Error("ledger holds no copy")
	}
	ref, err := name.NewTag(g.host + "/shop:1.5")
	if err != nil {
		t.Fatal(err)
	}
	image, err := remote.Image(ref)
	if err != nil {
		t.Fatal(err)
	}
	if layers, err := image.Layers(); err != nil || len(layers) != 2 {
		t.Errorf("%d layers: %v", len(layers), err)
	}
	var set struct {
		Watches []struct {
			Name string
			Scan []string
		}
	}
	if err := yaml.Unmarshal([]byte(g.configuration()), &set); err != nil || len(set.Watches) != g.watches {
		t.Errorf("%d watches of %d: %v", len(set.Watches), g.watches, err)
	}
	g.log.write("a line")
	g.close()
	if text, err := os.ReadFile(g.log.file); err != nil || !bytes.HasSuffix(text, []byte(" a line\n")) && !bytes.Contains(text, []byte(" a line\n")) {
		t.Errorf("the log: %v\n%s", err, text)
	}
	if err := g.log.throwAway(); err != nil {
		t.Error(err)
	}
}

// TestTranscript: what both streams of a command say is kept, and what it printed.
func TestTranscript(t *testing.T) {
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	tour := newTour(options{work: t.TempDir(), bin: shell}, &bytes.Buffer{})
	out, all, code, err := tour.run(t.Context(), "in", "-c", `cat; for i in 1 2 3 4 5 6 7 8; do echo out; echo err >&2; done; exit 3`)
	if err != nil || code != 3 || strings.Count(out, "out") != 8 || strings.Count(all, "out") != 8 || strings.Count(all, "err") != 8 || !strings.HasPrefix(out, "in") {
		t.Errorf("%q %q %d %v", out, all, code, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := tour.show(ended, 0, "-c", "exit 0"); err == nil {
		t.Error("a command runs after the tour was ended")
	}
}

// TestServerLog: lines come through whole, the address is found.
func TestServerLog(t *testing.T) {
	var shown, kept bytes.Buffer
	l := &serverLog{t: &tour{o: options{root: "/none"}, out: &shown}, file: &kept, at: make(chan string, 1)}
	const text = "time=x level=INFO msg=ready\ntime=x level=INFO msg=answering at=http://127.0.0.1:1 token=y\n"
	for i := range len(text) {
		if _, err := l.Write([]byte{text[i]}); err != nil {
			t.Fatal(err)
		}
	}
	if kept.String() != text || shown.String() != "  serve | ready\n  serve | answering at=http://127.0.0.1:1 token=y\n" || <-l.at != "http://127.0.0.1:1" {
		t.Errorf("%q", shown.String())
	}
}
