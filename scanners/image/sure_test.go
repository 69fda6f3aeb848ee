package image_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"revenant/fingerprints"
	"revenant/scanners/image"
	"revenant/scanners/sourcetest"
)

// TestUnpackedDigests: a layer of which it is known what it unpacks to is held against
// that, packed or not, and is not taken for another one that it says it is.
func TestUnpackedDigests(t *testing.T) {
	raw := tarOf(t, file{name: "etc/key", text: wanted})
	other := tarOf(t, file{name: "etc/key", text: "nothing"})
	packed, wrong := gzipped(t, raw), gzipped(t, other)
	long := slices.Concat(packed, make([]byte, 600))
	named := strings.TrimPrefix(digestOf(string(packed)), "sha256:") + ".tar.gz"
	for name, c := range map[string]struct {
		file  string
		layer []byte
		bad   bool
	}{
		"plain":                 {"a/layer.tar", raw, false},
		"plain, another":        {"a/layer.tar", other, true},
		"packed":                {"a.tar.gz", packed, false},
		"packed, zeros behind":  {"a.tar.gz", long, false},
		"packed, another":       {"a.tar.gz", wrong, true},
		"named by its own":      {named, packed, false},
		"named by another":      {named, wrong, true},
		"no archive":            {"a/layer.tar", []byte(wanted), true},
		"no archive and packed": {"a.tar.gz", gzipped(t, []byte(wanted)), false},
	} {
		t.Run(name, func(t *testing.T) {
			at := filepath.Join(t.TempDir(), "image.tar")
			fatal(t, os.WriteFile(at, tarOf(t, file{name: "manifest.json", text: `[{"Config":"c.json","Layers":["` + c.file + `"]}]`},
				file{name: "c.json", text: `{"rootfs":{"diff_ids":["` + digestOf(string(raw)) + `"]}}`}, file{name: c.file, text: string(c.layer)}), 0o600))
			memory := &kept{}
			src, err := image.NewSaved(t.Context(), at, image.Options{Screen: screen, Memory: memory})
			fatal(t, err)
			defer src.Close()
			_, skips, _ := sourcetest.Drain(t, src)
			bad := slices.ContainsFunc(skips, func(k fingerprints.Skip) bool { return k.Reason == fingerprints.SkipUnreadable })
			if bad != c.bad {
				t.Errorf("listed %v", skips)
			}
			for part := range memory.parts {
				if (bad || strings.Contains(name, "no archive")) && strings.HasPrefix(part, "layer-") {
					t.Errorf("remembered as %s", part)
				}
			}
		})
	}
}

// TestIdentities: what an image is named and said to be changes while its digests stay.
func TestIdentities(t *testing.T) {
	seen := map[string]string{} // contents by what they are known by
	for _, note := range []string{wanted + " one", wanted + " two"} {
		w := written{}
		m, _ := w.image(t, "linux", "a")
		w["index.json"] = indexOf(entry(m, `,"annotations":{"note":"`+note+`","org.opencontainers.image.ref.name":"`+note+`"}`))
		dir := w.saved(t)
		src, err := image.NewSaved(t.Context(), dir, image.Options{Screen: screen, Workers: 1})
		fatal(t, err)
		t.Cleanup(func() { _ = src.Close() })
		b, err := src.Next(t.Context())
		if err != nil && !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		for _, it := range b.Items {
			rc, err := it.Open(t.Context())
			fatal(t, err)
			content, err := io.ReadAll(rc)
			fatal(t, err, rc.Close())
			key := it.Identity + " " + it.Path
			if old, has := seen[key]; has && it.Identity != "" && old != string(content) {
				t.Errorf("%s is known as %s, with two contents", it.Path, it.Identity)
			}
			seen[key] = string(content)
		}
	}
	if len(seen) < 4 {
		t.Errorf("seen %q", seen)
	}
}
