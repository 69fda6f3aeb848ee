package main

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestBuildContext: what a build would copy, send and keep is found where it would
// be, what .dockerignore leaves out is listed, and what a change took out of the
// build is gone with the next scan.
func TestBuildContext(t *testing.T) {
	b := newBox(t)
	b.cwd = b.work
	v := generated(79)
	b.must(0, "", "init")
	b.must(0, v, "secret", "add", "shop/db")
	b.write("shop/Dockerfile", "FROM x AS build\nCOPY src /src\nFROM y\nARG TOKEN\nENV URL=postgres://u:"+v+"@db \\\n  B=1\nCOPY conf /etc/shop\n")
	b.write("shop/src/a.txt", v)
	b.write("shop/conf/app.env", "db="+v)
	b.write("shop/notes.txt", v)
	b.write("shop/private.txt", v)
	b.write("shop/.dockerignore", "private.*\n")
	root, err := filepath.EvalSymlinks(filepath.Join(b.work, "shop"))
	if err != nil {
		t.Fatal(err)
	}
	scan := func(args ...string) (got []string) {
		t.Helper()
		args = append([]string{"image", "--build-context", "shop", "-q", "-f", "json", "-r", "-"}, args...)
		r := b.must(1, "", args...)
		var told []struct{ File, Presence, Source, Message string }
		if err := json.Unmarshal([]byte(r.stdout), &told); err != nil {
			t.Fatal(err)
		}
		for _, f := range told {
			got = append(got, f.File+" | "+f.Presence+" | "+f.Message)
			if want := "image:context:" + root; f.Source != want {
				t.Errorf("source %s, want %s", f.Source, want)
			}
		}
		slices.Sort(got)
		return got
	}
	got := scan("--build-arg", "TOKEN="+v)
	want := []string{
		"@build-arg/TOKEN | metadata | --build-arg TOKEN", "@env/URL | metadata | ENV URL=postgres://u:[secret shop/db@1]@db   B=1", "Dockerfile | shadowed | ",
		"conf/app.env | visible | COPY conf /etc/shop", "notes.txt | shadowed | ", "src/a.txt | shadowed | COPY src /src",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	r := b.must(1, "", "image", "--build-context", "shop", "--build-arg", "TOKEN=x")
	for _, want := range []string{"1 ignored: left out by the place's own rules", "private.txt", "1 value of ARG or ENV is called like a secret"} {
		if !strings.Contains(r.stdout+r.stderr, want) {
			t.Errorf("the report does not say %q: %s%s", want, r.stdout, r.stderr)
		}
	}
	b.write("shop/.dockerignore", "private.*\nconf\nnotes.txt\n")
	if got = scan(); len(got) != 3 {
		t.Errorf("after .dockerignore was mended: %q", got)
	}
	list := b.must(0, "", "findings", "list", "--presence", "gone", "--json").stdout
	for _, gone := range []string{"conf/app.env", "notes.txt", "@build-arg/TOKEN"} {
		if !strings.Contains(list, gone) {
			t.Errorf("%s is not gone: %s", gone, list)
		}
	}
}

// TestBuildContextUsage: what is wrong is told with the way out.
func TestBuildContextUsage(t *testing.T) {
	b := newBox(t)
	b.cwd = b.work
	b.write("shop/Dockerfile", "FROM x AS a\n")
	for line, want := range map[string]string{
		"image":                                               "at least one REFERENCE or PATH, or --build-context",
		"image --file Dockerfile x":                           "--file is about a build",
		"image --target a x":                                  "--target is about a build",
		"image --build-arg A=b x":                             "--build-arg is about a build",
		"image --build-context shop x":                        "leave REFERENCE and PATH out",
		"image --build-context shop --all-tags":               "--all-tags is about a registry",
		"image --build-context none":                          "--build-context: there is no such file or folder",
		"image --build-context shop/Dockerfile":               "it is no folder",
		"image --build-context shop --file none":              "--file: there is no such Dockerfile",
		"image --build-context shop --target b":               "--target: the Dockerfile has no stage of this name",
		"image --build-context shop --build-arg =x":           "--build-arg number 1 has no name",
		"image --build-context= ":                             "--build-context is empty",
		"image --build-context shop --build-arg A --target=b": "--target",
	} {
		if r := b.must(2, "", strings.Fields(line)...); !strings.Contains(r.stderr, want) {
			t.Errorf("%s: %s", line, r.stderr)
		}
	}
}
