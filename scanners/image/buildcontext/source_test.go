package buildcontext_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/files"
	"revenant/scanners/image/buildcontext"
	"revenant/scanners/sourcetest"
)

func TestConformance(t *testing.T) {
	root := folder(t, map[string]string{
		"Dockerfile": "FROM scratch\nARG A=one\nCOPY . /\n", ".dockerignore": "**/*.log\nnode_modules\n!keep.log\n", "a.txt": "a", "b/c.txt": "c", "b/d.log": "d", "keep.log": "k",
		"node_modules/m/x.js": "x", "odd\xff\nname": "n",
	})
	sourcetest.Run(t, sourcetest.Subject{
		New: func(t *testing.T, cursor []byte) scanners.Source {
			return newSource(t, buildcontext.Options{Root: root, Cursor: cursor, Batch: 1})
		},
		Want: map[string]string{
			"Dockerfile": "FROM scratch\nARG A=one\nCOPY . /\n", ".dockerignore": "**/*.log\nnode_modules\n!keep.log\n", "a.txt": "a", "b/c.txt": "c", "keep.log": "k",
			"odd\xff\nname": "n", "@build-arg/A": "A=one", "@history": ". /",
		},
		Skips:   map[string]fingerprints.SkipReason{"b/d.log": fingerprints.SkipIgnored, "node_modules": fingerprints.SkipIgnored},
		Resumes: true,
	})
}

const (
	visible  = "visible "
	shadowed = "shadowed "
	ignored  = "ignored"
)

// TestStands: what becomes of a file, by the instructions and the ignore files.
func TestStands(t *testing.T) {
	all := map[string]string{"app/main.go": "", "app/.env": "", "conf/a.txt": "", "conf/b.json": "", "top.txt": "", "x y.txt": ""}
	cases := []struct {
		name, file, ignore string
		target             string
		args               []buildcontext.Arg
		want               map[string]string // of those that are not "shadowed" by nothing
	}{
		{name: "all", file: "FROM scratch\nCOPY . /app", want: map[string]string{
			"app/main.go": visible + "COPY . /app", "app/.env": visible + "COPY . /app", "conf/a.txt": visible + "COPY . /app", "conf/b.json": visible + "COPY . /app",
			"top.txt": visible + "COPY . /app", "x y.txt": visible + "COPY . /app", "Dockerfile": visible + "COPY . /app",
		}},
		{name: "one folder", file: "FROM scratch\ncopy --chown=1:1 --link ./conf/ /etc/", want: map[string]string{
			"conf/a.txt": visible + "COPY --chown=1:1 --link ./conf/ /etc/", "conf/b.json": visible + "COPY --chown=1:1 --link ./conf/ /etc/",
		}},
		{name: "nothing outside", file: "FROM scratch\nCOPY ../../conf/a.txt /etc/", want: map[string]string{"conf/a.txt": visible + "COPY ../../conf/a.txt /etc/"}},
		{name: "glob", file: "FROM scratch\nADD */*.txt /etc/", want: map[string]string{"conf/a.txt": visible + "ADD */*.txt /etc/"}},
		{name: "class", file: "FROM scratch\nADD conf/[a-b].t?t /etc/", want: map[string]string{"conf/a.txt": visible + "ADD conf/[a-b].t?t /etc/"}},
		{name: "deep glob", file: "FROM scratch\nCOPY --parents **/*.json /etc/", want: map[string]string{"conf/b.json": visible + "COPY --parents **/*.json /etc/"}},
		{name: "JSON, name with a blank", file: "FROM scratch\nCOPY [\"x y.txt\", \"/\"]", want: map[string]string{"x y.txt": visible + `COPY ["x y.txt", "/"]`}},
		{name: "excluded by the instruction", file: "FROM scratch\nCOPY --exclude=*.json conf /etc/", want: map[string]string{"conf/a.txt": visible + "COPY --exclude=*.json conf /etc/"}},
		{name: "what is excluded is compared below the source", file: "FROM scratch\nCOPY --exclude=conf/*.json conf/b.json /etc/", want: map[string]string{
			"conf/b.json": visible + "COPY --exclude=conf/*.json conf/b.json /etc/",
		}},
		{name: "build stage", file: "FROM x AS build\nCOPY app /src\nFROM y\nCOPY --from=build /out /\nCOPY top.txt /", want: map[string]string{
			"app/main.go": shadowed + "COPY app /src", "app/.env": shadowed + "COPY app /src", "top.txt": visible + "COPY top.txt /",
		}},
		{name: "both", file: "FROM x AS build\nCOPY . /src\nFROM y\nCOPY top.txt /", want: map[string]string{
			"app/main.go": shadowed + "COPY . /src", "app/.env": shadowed + "COPY . /src", "conf/a.txt": shadowed + "COPY . /src", "conf/b.json": shadowed + "COPY . /src",
			"x y.txt": shadowed + "COPY . /src", "Dockerfile": shadowed + "COPY . /src", "top.txt": visible + "COPY top.txt /",
		}},
		{name: "stage on a stage", file: "FROM x AS base\nCOPY top.txt /\nFROM BASE\nRUN y", want: map[string]string{"top.txt": visible + "COPY top.txt /"}},
		{name: "trigger of a stage", file: "FROM x AS base\nONBUILD COPY top.txt /\nFROM base", want: map[string]string{"top.txt": visible + "COPY top.txt /"}},
		{name: "trigger for others", file: "FROM scratch\nONBUILD COPY . /", want: map[string]string{}},
		{name: "target", target: "build", file: "FROM x AS build\nCOPY top.txt /src\nFROM y\nCOPY conf /", want: map[string]string{
			"top.txt": visible + "COPY top.txt /src", "conf/a.txt": shadowed + "COPY conf /", "conf/b.json": shadowed + "COPY conf /",
		}},
		{name: "target by number", target: "0", file: "FROM scratch\nCOPY top.txt /src\nFROM y", want: map[string]string{"top.txt": visible + "COPY top.txt /src"}},
		{name: "mounted", file: "FROM scratch\nRUN --mount=type=bind,source=conf,target=/c make\nRUN --mount=type=secret,id=top.txt y", want: map[string]string{
			"conf/a.txt": shadowed + "RUN --mount=type=bind,source=conf,target=/c make", "conf/b.json": shadowed + "RUN --mount=type=bind,source=conf,target=/c make",
		}},
		{name: "variables", file: "ARG D=conf\nFROM scratch\nARG D\nARG E=x.txt\nENV F=top.txt\nCOPY ${D:-no}/${E:+a.txt} $F /", args: []buildcontext.Arg{{"D", "conf"}}, want: map[string]string{
			"conf/a.txt": visible + "COPY ${D:-no}/${E:+a.txt} $F /", "top.txt": visible + "COPY ${D:-no}/${E:+a.txt} $F /",
		}},
		{name: "build argument", file: "FROM scratch\nARG D=conf\nCOPY $D /", args: []buildcontext.Arg{{"D", "top.txt"}}, want: map[string]string{"top.txt": visible + "COPY $D /"}},
		{name: "variable that is not known", file: "FROM scratch\nCOPY conf/$TARGETARCH.json /", want: map[string]string{"conf/b.json": visible + "COPY conf/$TARGETARCH.json /"}},
		{name: "text of its own", file: "FROM scratch\nCOPY <<EOF top.txt /etc/\nCOPY conf /\nEOF\n", want: map[string]string{"top.txt": visible + "COPY <<EOF top.txt /etc/"}},
		{name: "ignored", file: "FROM scratch\nCOPY . /", ignore: "# all but\n*\n!conf\nconf/*.json\n", want: map[string]string{
			"conf/a.txt": visible + "COPY . /", "app": ignored, "conf/b.json": ignored, "top.txt": ignored, "x y.txt": ignored,
		}},
		{name: "ignored, with an exception below", file: "FROM scratch\nCOPY . /", ignore: "app\n!app/main.go\nDockerfile\n", want: map[string]string{
			"app/main.go": visible + "COPY . /", "app/.env": ignored, "conf/a.txt": visible + "COPY . /", "conf/b.json": visible + "COPY . /", "top.txt": visible + "COPY . /",
			"x y.txt": visible + "COPY . /", ".dockerignore": visible + "COPY . /",
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			root := folder(t, all)
			write(t, filepath.Join(root, "Dockerfile"), c.file)
			if c.ignore != "" {
				write(t, filepath.Join(root, ".dockerignore"), c.ignore)
			}
			got := where(t, buildcontext.Options{Root: root, Target: c.target, Args: c.args})
			for name, how := range got {
				if how == shadowed {
					delete(got, name)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestIgnoreFiles: which ignore file counts, and that what is always sent is read.
func TestIgnoreFiles(t *testing.T) {
	root := folder(t, map[string]string{
		"docker/prod.Dockerfile": "FROM scratch\nCOPY . /\n", "docker/prod.Dockerfile.dockerignore": "docker\na.txt\n", ".dockerignore": "b.txt\n", "a.txt": "", "b.txt": "",
		"Containerfile": "FROM scratch\n", "plain/Dockerfile": "FROM scratch\n", "plain/.containerignore": "c.txt\nd.txt\n", "plain/c.txt": "", "plain/d.txt": "",
		"both/Dockerfile": "FROM scratch\n", "both/.containerignore": "c.txt\nd.txt\n", "both/.dockerignore": "c.txt\n\n!\n[\n", "both/c.txt": "", "both/d.txt": "",
	})
	outside := folder(t, map[string]string{"build.txt": "FROM scratch\nCOPY a.txt /\n"})
	rel, err := filepath.Rel(root, filepath.Join(outside, "build.txt"))
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name, root, file, id string
		want                 map[string]string
		notes                int
	}{
		{"the Dockerfile's own", root, "docker/prod.Dockerfile", "?file=docker/prod.Dockerfile", map[string]string{
			"docker": ignored, "docker/prod.Dockerfile": shadowed, "docker/prod.Dockerfile.dockerignore": shadowed, "a.txt": ignored, "b.txt": visible + "COPY . /",
		}, 0},
		{"the context's", root, filepath.Join(outside, "build.txt"), "?file=" + rel, map[string]string{rel: shadowed, "a.txt": visible + "COPY a.txt /", "b.txt": ignored}, 0},
		{"Containerfile", root, "", "", map[string]string{"Containerfile": shadowed, "a.txt": shadowed, "b.txt": ignored}, 0},
		{"podman's", filepath.Join(root, "plain"), "", "", map[string]string{"Dockerfile": shadowed, "c.txt": ignored, "d.txt": ignored}, 1},
		{"podman's and docker's", filepath.Join(root, "both"), "", "", map[string]string{"Dockerfile": shadowed, "c.txt": ignored, "d.txt": shadowed}, 2},
		{"no Dockerfile", filepath.Join(root, "docker"), "", "", map[string]string{"prod.Dockerfile": visible, "prod.Dockerfile.dockerignore": visible}, 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			o := buildcontext.Options{Root: c.root, File: c.file}
			got := where(t, o)
			for name := range got { // what other cases are about
				if _, has := c.want[name]; !has && (c.root == root && strings.Contains(name, "/") || strings.HasSuffix(name, "ignore") || c.file != "" && name == "Containerfile") {
					delete(got, name)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			s := newSource(t, o)
			if want := "image:context:" + c.root + c.id; s.ID() != want || scanners.KindOf(s.ID()) != fingerprints.KindImage || s.Kind() != fingerprints.KindImage {
				t.Errorf("id %s, want %s", s.ID(), want)
			}
			if _, _, notes := read(t, s); len(notes) != c.notes {
				t.Errorf("%d notes: %q", len(notes), notes)
			}
		})
	}
}

// TestLinks: builders copy what a copied link leads to, and read a Dockerfile
// through a link.
func TestLinks(t *testing.T) {
	outside := folder(t, map[string]string{"real": "FROM scratch\nCOPY config /etc/\n"})
	root := folder(t, map[string]string{"secrets/prod.env": "s", "other": "o"})
	for name, target := range map[string]string{"Dockerfile": filepath.Join(outside, "real"), "config": "secrets", "away": outside} {
		if err := os.Symlink(target, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	items, skips, _ := read(t, newSource(t, buildcontext.Options{Root: root}))
	var got []told
	for _, it := range items {
		if it.Locator == "" {
			got = append(got, it)
		}
	}
	want := []told{
		{"Dockerfile", "", "FROM scratch\nCOPY config /etc/\n", "", fingerprints.PresenceShadowed},
		{"other", "", "o", "", fingerprints.PresenceShadowed},
		{"secrets/prod.env", "", "s", "COPY config /etc/", fingerprints.PresenceVisible},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(skips) != 2 || skips[0].Reason != fingerprints.SkipSymlink || skips[1].Reason != fingerprints.SkipSymlink {
		t.Errorf("skips %v", skips)
	}
}

func TestErrors(t *testing.T) {
	root := folder(t, map[string]string{"Dockerfile": "FROM x AS a\n", "empty": ""})
	for name, c := range map[string]struct {
		o    buildcontext.Options
		want error
	}{
		"no folder":     {buildcontext.Options{Root: filepath.Join(root, "none")}, files.ErrNoRoot},
		"a file":        {buildcontext.Options{Root: filepath.Join(root, "empty")}, files.ErrNoRoot},
		"no Dockerfile": {buildcontext.Options{Root: root, File: "none"}, buildcontext.ErrNoFile},
		"a folder":      {buildcontext.Options{Root: root, File: root}, buildcontext.ErrNoFile},
		"no stage":      {buildcontext.Options{Root: root, Target: "b"}, buildcontext.ErrNoTarget},
		"no number":     {buildcontext.Options{Root: root, Target: "1"}, buildcontext.ErrNoTarget},
		"no stages":     {buildcontext.Options{Root: root, File: filepath.Join(root, "empty"), Target: "0"}, buildcontext.ErrNoTarget},
		"bad cursor":    {buildcontext.Options{Root: root, Cursor: []byte("x")}, files.ErrBadCursor},
	} {
		if _, err := buildcontext.New(c.o); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// TestBounds: what is too much to be followed is taken to copy everything, and
// texts are given out a batch at a time.
func TestBounds(t *testing.T) {
	steps := strings.Repeat("COPY b.txt /\n", 6000)
	for name, c := range map[string]struct {
		file  string
		want  fingerprints.Presence
		notes int
	}{
		"many copies": {"FROM scratch\n" + steps, fingerprints.PresenceVisible, 0},
		"not so many": {"FROM scratch\n" + steps[:len("COPY b.txt /\n")*4000], fingerprints.PresenceShadowed, 0},
		"too long":    {"FROM scratch\n# " + strings.Repeat("x", 5<<20), fingerprints.PresenceVisible, 1},
	} {
		t.Run(name, func(t *testing.T) {
			src := newSource(t, buildcontext.Options{Root: folder(t, map[string]string{"Dockerfile": c.file, "a.txt": "a", "b.txt": "b"}), Args: []buildcontext.Arg{{"A", "b"}}})
			var most int
			got, notes := map[string]fingerprints.Presence{}, 0
			for {
				b, err := src.Next(t.Context())
				most, notes = max(most, len(b.Items)), notes+len(b.Notes)
				for _, it := range b.Items {
					got[it.Path] = it.Presence
				}
				if err != nil {
					break
				}
			}
			if got["a.txt"] != c.want || notes != c.notes || most > 300 || got["@build-arg/A"] == "" {
				t.Errorf("a.txt is %s, %d notes, %d items at once", got["a.txt"], notes, most)
			}
		})
	}
}
