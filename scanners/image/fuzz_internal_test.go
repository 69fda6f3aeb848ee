package image

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"revenant/fingerprints"
	"revenant/scanners"
)

// FuzzLayer: whatever a layer is, reading it ends, what it holds is found again by
// the walkers that read it a second time, and what it lost is listed.
func FuzzLayer(f *testing.F) {
	file := entryBytes(block{name: "f", kind: '0', magic: magicPOSIX}, planted)
	sparse := slices.Concat(entryBytes(block{name: "x", kind: 'x', magic: magicPOSIX}, pax("GNU.sparse.major=1", "GNU.sparse.minor=0", "GNU.sparse.name=h", "GNU.sparse.realsize=9999999")),
		entryBytes(block{name: "y", kind: '0', magic: magicPOSIX}, "1\n500000\n7\n"+string(make([]byte, 501))+planted))
	long := entryBytes(block{name: "././@LongLink", kind: 'L', magic: magicGNU}, "a/b\x00")
	for _, seed := range [][]byte{
		nil, file, slices.Concat(file, make([]byte, 1024), []byte(planted)), slices.Concat(long, file, file[:100]), gzipMembers(f, file), sparse, slices.Concat(file, []byte("no header"), file),
		with(file, 520, planted), with(with(file, 5, planted+"NAME"), 520, planted), slices.Concat(frame(planted+"FRAME"), file),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		b := blob{digest: "d", open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(raw)), nil }}
		v := &survey{screening: newScreening(Options{Screen: seesPlanted, Stream: streamsPlanted})}
		s, err := v.layer(t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		if s.failed != (len(s.skipped) > 0) {
			t.Errorf("failed %v, listed %v", s.failed, s.skipped)
		}
		var sh shelf
		for _, h := range s.Held {
			first := h.data
			h.data = nil
			got, err := readHeld(t.Context(), &sh, b, h)
			if first != nil && h.Size > 0 && (got != string(first) || err != nil && !s.failed) {
				t.Errorf("entry %d%s reads %d bytes again, had %d: %v", h.Entry, h.Part, len(got), len(first), err)
			}
		}
		sh.close()
		for _, e := range s.Entries {
			if strings.HasPrefix(e.name, "/") || strings.Contains("/"+e.name+"/", "/../") {
				t.Errorf("entry %q", e.name)
			}
		}
		shadows([][]entry{s.Entries, s.Entries})
	})
}

// inMemory is a fileset for tests.
type inMemory map[string]string

func (m inMemory) open(name string) (io.ReadCloser, int64, error) {
	text, has := m[name]
	if !has {
		return nil, 0, fs.ErrNotExist
	}
	return io.NopCloser(strings.NewReader(text)), int64(len(text)), nil
}

func (m inMemory) has(name string) bool {
	_, has := m[name]
	return has
}

func (m inMemory) names(folder string) (out []string, err error) {
	for name := range m {
		if strings.HasPrefix(name, folder+"/") {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out, nil
}

func (inMemory) place(string) int64 { return 0 }

func (inMemory) close() error { return nil }

// FuzzSaved: whatever the documents of a saved image say, reading them ends.
func FuzzSaved(f *testing.F) {
	const digest = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	manifest := `{"schemaVersion":2,"config":{"digest":"` + digest + `"},"layers":[{"digest":"` + digest + `"}],"annotations":{"a":"b"}}`
	f.Add(`{"manifests":[{"digest":"`+digest+`","annotations":{"org.opencontainers.image.ref.name":"x"}}]}`, "", "", manifest)
	f.Add(`{"manifests":[{"digest":"`+digest+`"}]}`, "", "", `{"manifests":[{"digest":"`+digest+`"}]}`)
	f.Add("", `[{"Config":"c","RepoTags":["a:b"],"Layers":["l/layer.tar"]}]`, "", `{"rootfs":{"diff_ids":["`+digest+`"]}}`)
	f.Add("", "", `{"repo":{"tag":"c"}}`, `{"id":"c","parent":"c","config":{"Env":["A=B"]}}`)
	f.Fuzz(func(t *testing.T, index, manifest, repositories, document string) {
		files := inMemory{"c": document, "c/json": document, blobName(digest): document}
		for name, text := range map[string]string{"index.json": index, "manifest.json": manifest, "repositories": repositories} {
			if text != "" {
				files[name] = text
			}
		}
		var skips []fingerprints.Skip
		s := &saved{files: files, skip: func(path, locator string, why fingerprints.SkipReason, detail string) {
			skips = append(skips, fingerprints.Skip{Path: path, Locator: locator, Reason: why, Detail: detail})
		}}
		list, err := s.pictures(t.Context())
		if err != nil {
			return
		}
		for _, p := range list {
			configParts(p.config)
			for _, l := range p.layers {
				rc, err := l.open(t.Context())
				if err == nil {
					err = rc.Close()
				}
				if skip := new(scanners.SkipError); err != nil && (!errors.As(err, &skip) || skip.Reason != fingerprints.SkipMissing && skip.Detail != incomplete) {
					t.Error(err)
				}
			}
		}
	})
}
