package archives_test

import (
	"archive/zip"
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/scanners/archives"
)

// Every format in every other, and in itself.
func TestFormatsInFormats(t *testing.T) {
	look := canary(1)
	all := packers(t)
	maps.Copy(all, morePackers(t))
	content := slices.Concat(noise(2, 9000), []byte(look), noise(3, 9000))
	inside := map[string][]byte{}
	for inner, pack := range all {
		inside[inner] = pack(content)
	}
	for outer, pack := range all {
		for inner := range all {
			t.Run(outer+" of "+inner, func(t *testing.T) {
				data := pack(inside[inner])
				for _, way := range []string{"random access", "stream"} {
					s := &seen{look: look, skips: map[string]string{}, packed: map[string]bool{}}
					var err error
					x := &archives.Expander{Limits: archives.DefaultLimits()}
					if way == "stream" {
						err = x.Expand(t.Context(), streamed{bytes.NewReader(data)}, "item", s)
					} else {
						err = x.Expand(t.Context(), bytes.NewReader(data), "item", s)
					}
					must(t, err)
					if !slices.ContainsFunc(s.found, func(p string) bool { return strings.Count(p, "!") >= 2 }) {
						t.Errorf("%s: found in %q of %q, skips %v", way, s.found, s.paths, s.skips)
					}
					if len(s.skips) > 0 {
						t.Errorf("%s: skips %v", way, s.skips)
					}
					if s.paths[len(s.paths)-1] != "item" {
						t.Errorf("%s: the item comes last, got %q", way, s.paths)
					}
				}
			})
		}
	}
}

func TestPaths(t *testing.T) {
	inner := tarred(t, member{name: "../../etc/x", data: []byte("one")}, member{name: "d/y", data: []byte("two")})
	data := zipped(t, member{"a.tgz", gzipped(t, inner), zip.Store}, member{"b.txt.gz", gzipped(t, []byte("three")), zip.Store}, member{"dir/", nil, zip.Store})
	s := expand(t, archives.DefaultLimits(), data, "")
	want := []string{
		"item!a.tgz!a.tar!../../etc/x", "item!a.tgz!a.tar!d/y", "item!a.tgz!a.tar", "item!a.tgz",
		"item!b.txt.gz!b.txt", "item!b.txt.gz", "item!dir/", "item",
	}
	if diff := cmp.Diff(want, s.paths); diff != "" {
		t.Errorf("paths (-want +got):\n%s", diff)
	}
}

// One copy is told once: a stored member's bytes are covered in the container,
// unless it could not be read to its end.
func TestCovered(t *testing.T) {
	look := canary(1)
	content := []byte("x " + look + " y")
	for name, data := range map[string][]byte{
		"zip": zipped(t, member{"a", noise(1, 99), zip.Store}, member{"m", content, zip.Store}, member{"z", noise(2, 99), zip.Store}),
		"tar": tarred(t, member{name: "a", data: noise(1, 99)}, member{name: "m", data: content}, member{name: "z", data: noise(2, 99)}),
	} {
		t.Run(name, func(t *testing.T) {
			s := expand(t, archives.DefaultLimits(), data, look)
			if diff := cmp.Diff([]string{"item!m"}, s.found); diff != "" {
				t.Errorf("found (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{"item"}, s.covered); diff != "" {
				t.Errorf("covered (-want +got):\n%s", diff)
			}
			if s.packed["item"] {
				t.Error("its members are not compressed as one")
			}
		})
	}
	outside := append(zipped(t, member{"m", []byte("nothing"), zip.Store}), look...)
	if s := expand(t, archives.DefaultLimits(), outside, look); !slices.Contains(s.found, "item") {
		t.Errorf("behind the archive: found in %q", s.found)
	}
}

func TestNoArchive(t *testing.T) {
	for name, data := range map[string][]byte{
		"empty": nil, "text": []byte("PK is no zip; x^2; BZh is no bzip2"), "random": noise(9, 70000),
		"magic late": append(noise(1, 5000), "PK\x05\x06 and nothing of a directory"...),
		"zeros":      make([]byte, 100_000),
		"x^ text":    []byte("x^2 + y^2 = z^2 is what they say, and so on and on"),
	} {
		t.Run(name, func(t *testing.T) {
			s := expand(t, archives.DefaultLimits(), data, "")
			if diff := cmp.Diff([]string{"item"}, s.paths); diff != "" || len(s.skips) > 0 || s.bytes != int64(len(data)) {
				t.Errorf("paths %q, skips %v, %d bytes", s.paths, s.skips, s.bytes)
			}
		})
	}
}
