package recall_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"revenant/scanners/gitrepo/salvage"
	"revenant/scanners/image"
)

// imageGit are places in repositories that lie in layers.
func imageGit() []imagePlace {
	// in puts a repository into the lowest layer that was made so.
	in := func(dir string, steps func(g *gitMaker, v string)) func(m *imageMaker, v string) {
		return func(m *imageMaker, v string) {
			g := &gitMaker{t: m.t, dir: m.t.TempDir()}
			g.git("init", "-q", "-b", "main")
			steps(g, v)
			m.repository(0, filepath.Join(g.dir, ".git"), dir+"/"+id(v)+"/.git")
		}
	}
	commit := func(g *gitMaker, text, message string) {
		g.write("app.env", text)
		g.git("add", "-A")
		g.git("commit", "-q", "-m", message)
	}
	removed := func(g *gitMaker, v string) {
		commit(g, text(v), "one")
		commit(g, "nothing", "two")
	}
	const inLayouts = "registry docker save" // how an image is kept is of no matter to a repository in it
	return []imagePlace{
		{"file of a repository in a layer", "git/%b/.git!app.env", inImage, nil, inLayouts, in("git", func(g *gitMaker, v string) { commit(g, text(v), "one") })},
		{"file that a commit removed, of a repository in a layer", "githistory/%b/.git!app.env", inImage, nil, inLayouts, in("githistory", removed)},
		{"the same, packed", "gitpack/%b/.git!app.env", inImage, nil, inLayouts, in("gitpack", func(g *gitMaker, v string) {
			removed(g, v)
			g.git("gc", "-q")
		})},
		{"message of a commit, of a repository in a layer", "gitsaid/%b/.git!@commit-message", inImage, nil, inLayouts, in("gitsaid", func(g *gitMaker, v string) {
			commit(g, "nothing", "one\n\nwith "+v)
			_ = os.RemoveAll(filepath.Join(g.dir, ".git", "COMMIT_EDITMSG")) // says it too
		})},
		{"repository that a later layer removes", "gitgone/%b/.git!app.env", shaded, nil, inLayouts, func(m *imageMaker, v string) {
			in("gitgone", removed)(m, v)
			m.file(1, "gitgone/"+id(v)+"/.wh..git", "")
		}},
	}
}

// repository puts a git directory into a layer.
func (m *imageMaker) repository(layer int, from, to string) {
	m.t.Helper()
	err := filepath.WalkDir(from, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || strings.HasSuffix(name, ".sample") {
			return err
		}
		text, err := os.ReadFile(name)
		rel, relErr := filepath.Rel(from, name)
		if relErr != nil {
			return relErr
		}
		m.file(layer, to+"/"+filepath.ToSlash(rel), string(text))
		return err
	})
	if err != nil {
		m.t.Fatal(err)
	}
}

// layerRepositories reads repositories in layers, as the command does.
type layerRepositories struct {
	dir    string
	screen func(context.Context, []byte) bool
}

func (layerRepositories) Wants(name string) bool { return salvage.Wants(name) }

func (r layerRepositories) New() (image.GitRepository, error) {
	return salvage.New(salvage.Options{Dir: r.dir, Screen: r.screen, Workers: 2})
}
