package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func newSample(t *testing.T, root string) *release {
	t.Helper()
	r, err := newRelease(context.Background(), root, "v1.2.3", t.TempDir(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestReproducible builds from two clones at different paths. Both builds may
// use one cache: the sample's main package is linked anew all the same, and
// make release-check builds the real program with an empty one.
func TestReproducible(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "")
	root := repository(t)
	first, second := newSample(t, root), newSample(t, root)
	a, b := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")
	only := []target{host()}
	if err := errors.Join(first.build(context.Background(), a, only), second.build(context.Background(), b, only)); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(verifySums(a), verifySums(b), compare(a, b, first)); err != nil {
		t.Error(err)
	}
	sums, err := readSums(a)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range sums {
		names = append(names, s.name)
	}
	stem := fmt.Sprintf("revenant_1.2.3_%s_%s", runtime.GOOS, runtime.GOARCH)
	if d := cmp.Diff([]string{stem + ".cdx.json", stem + ".tar.gz"}, names); d != "" {
		t.Error(d)
	}
	packed, err := os.ReadFile(filepath.Join(a, stem+".tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	inside := untar(t, packed)
	want := []string{"CHANGELOG.md", "LICENSE", "README.md", "completions/_revenant", "completions/revenant.bash", "completions/revenant.fish", "completions/revenant.ps1", "man/revenant.1", "revenant"}
	if d := cmp.Diff(want, memberNames(inside, stem)); d != "" {
		t.Error(d)
	}
	program := inside[len(inside)-1].content
	if bytes.Contains(program, []byte(first.work)) || bytes.Contains(program, []byte(root)) {
		t.Error("the binary names where it was built")
	}
	put(t, filepath.Join(b, stem+".tar.gz"), "something else")
	if verifySums(b) == nil {
		t.Error("a changed archive passes")
	}
	if err := writeSums(b); err != nil {
		t.Fatal(err)
	}
	if compare(a, b, first) == nil {
		t.Error("builds that differ pass as the same")
	}
}

func TestRefused(t *testing.T) {
	tests := []struct {
		name, version, epoch string
		change               func(t *testing.T, root string)
		want                 string
	}{
		{"changed file", "v1.0.0", "", func(t *testing.T, root string) { put(t, filepath.Join(root, "README.md"), "new\n") }, "README.md"},
		{"new file", "v1.0.0", "", func(t *testing.T, root string) { put(t, filepath.Join(root, "extra.go"), "x") }, "extra.go"},
		{"no version", "1.0", "", nil, "v1.2.3"},
		{"option as version", "-X", "", nil, "v1.2.3"},
		{"two words", "v1.0.0 -X main.x=y", "", nil, "v1.2.3"},
		{"time that is none", "v1.0.0", "soon", nil, "SOURCE_DATE_EPOCH"},
		{"before zip's times", "v1.0.0", "0", nil, "SOURCE_DATE_EPOCH"},
		{"another toolchain", "v1.0.0", "", func(t *testing.T, root string) {
			put(t, filepath.Join(root, "go.mod"), "module revenant\n\ngo 1.26.0\n\ntoolchain go1.26.999\n")
			git(t, root, "commit", "-q", "-a", "-m", "pin")
		}, "go1.26.999"},
		{"no toolchain", "v1.0.0", "", func(t *testing.T, root string) {
			put(t, filepath.Join(root, "go.mod"), "module revenant\n\ngo 1.26.0\n")
			git(t, root, "commit", "-q", "-a", "-m", "unpin")
		}, "names no toolchain"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("SOURCE_DATE_EPOCH", tt.epoch)
			t.Setenv("GOTOOLCHAIN", "local") // nothing is fetched
			root := repository(t)
			if tt.change != nil {
				tt.change(t, root)
			}
			r, err := newRelease(context.Background(), root, tt.version, t.TempDir(), io.Discard)
			if err == nil {
				_, err = r.clone(context.Background(), "first")
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want it to name %q", err, tt.want)
			}
		})
	}
	if _, err := chosen(targets(), "linux/amd64,plan9/arm"); err == nil {
		t.Error("a platform that is not built passes")
	}
}

func TestArchives(t *testing.T) {
	when := time.Unix(1700000000, 0).UTC()
	members := []member{{"b/two", 0o644, []byte("2")}, {"a", 0o755, []byte(strings.Repeat("1", 5000))}}
	reversed := slices.Clone(members)
	slices.Reverse(reversed)
	for name, write := range map[string]func(io.Writer, string, []member, time.Time) error{"tar.gz": writeTarGz, "zip": writeZip} {
		t.Run(name, func(t *testing.T) {
			var one, two bytes.Buffer
			elsewhere := when.In(time.FixedZone("elsewhere", 5*3600))
			if err := errors.Join(write(&one, "top", members, when), write(&two, "top", reversed, elsewhere)); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(one.Bytes(), two.Bytes()) {
				t.Error("order or time zone changes the bytes")
			}
			inside := untar
			if name == "zip" {
				inside = unzip
			}
			want := []member{{"top/a", 0o755, members[1].content}, {"top/b/two", 0o644, []byte("2")}}
			if d := cmp.Diff(want, inside(t, one.Bytes()), cmp.AllowUnexported(member{})); d != "" {
				t.Error(d)
			}
		})
	}
}

func memberNames(members []member, folder string) []string {
	var out []string
	for _, m := range members {
		out = append(out, strings.TrimPrefix(m.name, folder+"/"))
	}
	return out
}

// untar also holds owner and time against what they are to be.
func untar(t *testing.T, b []byte) []member {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if !z.ModTime.IsZero() || z.Name != "" {
		t.Error("the gzip header tells a time or a name")
	}
	var out []member
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Uid != 0 || h.Gid != 0 || h.Uname != "" || h.Gname != "" || h.ModTime.Unix() != 1700000000 {
			t.Errorf("%s: owner %d/%d %q/%q, time %v", h.Name, h.Uid, h.Gid, h.Uname, h.Gname, h.ModTime)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, member{h.Name, h.FileInfo().Mode(), content})
	}
}

func unzip(t *testing.T, b []byte) []member {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	var out []member
	for _, f := range z.File {
		if f.Modified.Unix() != 1700000000 {
			t.Errorf("%s: time %v", f.Name, f.Modified)
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, member{f.Name, f.Mode(), content})
	}
	return out
}

func TestSums(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "b"), "two")
	put(t, filepath.Join(dir, "a"), "one")
	if err := errors.Join(writeSums(dir), verifySums(dir)); err != nil {
		t.Fatal(err)
	}
	if _, err := command(context.Background(), dir, nil, "sha256sum", "--check", "--strict", sumsFile); err != nil {
		t.Error(err)
	}
	for _, change := range []struct{ name, file, text string }{
		{"another file", "c", "three"},
		{"changed", "a", "other"},
		{"no checksum", sumsFile, "x\n"},
		{"path out of the folder", sumsFile, strings.Repeat("0", 64) + "  ../a\n"},
	} {
		put(t, filepath.Join(dir, change.file), change.text)
		if verifySums(dir) == nil {
			t.Errorf("%s passes", change.name)
		}
	}
}

// TestDockerfile holds the image's build against the release's: it must be the
// same program.
func TestDockerfile(t *testing.T) {
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join("..", "..", name))
		if err != nil {
			t.Fatal(err)
		}
		return strings.NewReplacer("\\\n", "", `"`, "").Replace(string(b))
	}
	file := read("Dockerfile")
	r := &release{version: "$VERSION", commit: "$COMMIT"}
	env := strings.Join(goEnv(target{"$TARGETOS", "$TARGETARCH"}), " ")
	line := env + " go " + strings.Join(r.buildArgs("/out/revenant"), " ")
	if !strings.Contains(strings.Join(strings.Fields(file), " "), line) {
		t.Errorf("the Dockerfile does not build with\n%s", line)
	}
	_, rest, _ := strings.Cut(read("go.mod"), "\ntoolchain go")
	pinned, _, _ := strings.Cut(rest, "\n")
	if !strings.Contains(file, " golang:"+pinned+" AS build") {
		t.Errorf("the Dockerfile does not build with Go %s, which go.mod pins", pinned)
	}
}
