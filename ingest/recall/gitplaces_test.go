package recall_test

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/pack/packtest"
	"revenant/ingest/scan"
	"revenant/scanners"
	"revenant/scanners/archives"
	"revenant/scanners/gitrepo"
	"revenant/scanners/registered"
	"revenant/scanners/views"
)

// gitPlace is where a value can stand in a repository.
type gitPlace struct {
	name     string
	path     string // where it is to be found; %s: the value, redacted; %b: any blob's id
	presence fingerprints.Presence
	also     []string // paths where git writes it down too
	plant    func(g *gitMaker, value string)
}

const (
	atTip     = fingerprints.PresenceTip
	inHistory = fingerprints.PresenceHistory
	unreached = fingerprints.PresenceUnreachable
)

// gitMaker makes a repository with git.
type gitMaker struct {
	t   *testing.T
	dir string
	n   int // of commits, so that dates differ
}

func (g *gitMaker) git(args ...string) string { return g.gitIn(g.dir, "", args...) }

func (g *gitMaker) gitIn(dir, stdin string, args ...string) string {
	g.t.Helper()
	g.n++
	date := fmt.Sprintf("@%d +0000", 1_700_000_000+g.n)
	c := exec.Command("git", args...)
	c.Dir, c.Stdin = dir, strings.NewReader(stdin)
	c.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull, "HOME="+g.dir,
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_AUTHOR_DATE="+date,
		"GIT_COMMITTER_NAME=C", "GIT_COMMITTER_EMAIL=c@example.org", "GIT_COMMITTER_DATE="+date)
	var errs bytes.Buffer
	c.Stderr = &errs
	out, err := c.Output()
	if err != nil {
		g.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, errs.String())
	}
	return strings.TrimSpace(string(out))
}

func (g *gitMaker) write(name, content string) {
	g.t.Helper()
	file := filepath.Join(g.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		g.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		g.t.Fatal(err)
	}
}

func (g *gitMaker) remove(name string) {
	g.t.Helper()
	if err := os.RemoveAll(filepath.Join(g.dir, filepath.FromSlash(name))); err != nil {
		g.t.Fatal(err)
	}
}

func (g *gitMaker) commit(message string) {
	g.git("add", "-A")
	g.git("commit", "-q", "--allow-empty", "-m", message)
}

// brings commits a file that holds a value.
func (g *gitMaker) brings(name, value string) {
	g.write(name, text(value))
	g.commit("more")
}

// text is a file that holds a value; files are alike, so that packs have them as
// deltas.
func text(value string) string {
	return strings.Repeat("a line that every file has, and many of them\n", 30) + "password: " + value + "\nand one more\n"
}

// aside runs something on a branch of its own and comes back.
func (g *gitMaker) aside(branch string, do func()) {
	g.git("checkout", "-q", "-b", branch)
	do()
	g.git("checkout", "-q", "main")
}

// zipped is an archive with one file.
func (g *gitMaker) zipped(content string) string {
	g.t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("inner.txt")
	if err == nil {
		_, err = w.Write([]byte(content))
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		g.t.Fatal(err)
	}
	return b.String()
}

// gitPlaces are all of them; each plants with a name of its own.
func gitPlaces() []gitPlace {
	return slices.Concat(gitContents(), gitHidden(), gitWords())
}

// gitContents are files that commits hold.
func gitContents() []gitPlace {
	return []gitPlace{
		{"file at a tip", "tip/%b", atTip, nil, func(g *gitMaker, v string) { g.brings("tip/"+id(v), v) }},
		{"file in history only", "gone/%b", inHistory, nil, func(g *gitMaker, v string) {
			g.brings("gone/"+id(v), v)
			g.remove("gone/" + id(v))
			g.commit("gone")
		}},
		{"file on another branch", "branch/%b", atTip, nil, func(g *gitMaker, v string) {
			g.aside("b-"+id(v), func() { g.brings("branch/"+id(v), v) })
		}},
		{"file at a tag alone", "tagged/%b", atTip, nil, func(g *gitMaker, v string) {
			g.aside("t-"+id(v), func() {
				g.brings("tagged/"+id(v), v)
				g.git("tag", "at-"+id(v))
			})
			g.git("branch", "-q", "-D", "t-"+id(v))
		}},
		{"what a merge brings in", "merge/%b", atTip, nil, func(g *gitMaker, v string) {
			g.aside("m-"+id(v), func() { g.commit("side") })
			g.git("merge", "-q", "--no-ff", "--no-commit", "m-"+id(v))
			g.brings("merge/"+id(v), v)
		}},
		{"what an octopus merge brings in", "octopus/%b", atTip, nil, func(g *gitMaker, v string) {
			for _, leg := range []string{"x-", "y-", "z-"} {
				g.aside(leg+id(v), func() { g.write("octopus/"+leg, leg+v[:4]); g.commit("leg") })
			}
			g.git("merge", "-q", "--no-ff", "--no-commit", "x-"+id(v), "y-"+id(v), "z-"+id(v))
			g.brings("octopus/"+id(v), v)
		}},
		{"archive in history", "zips/%b!inner.txt", inHistory, nil, func(g *gitMaker, v string) {
			g.write("zips/"+id(v), g.zipped(text(v)))
			g.commit("zip")
			g.remove("zips/" + id(v))
			g.commit("no zip")
		}},
		{"target of a symbolic link", "links/%b", atTip, nil, func(g *gitMaker, v string) {
			g.write("links/.keep", "")
			if err := os.Symlink("/run/"+v, filepath.Join(g.dir, "links", id(v))); err != nil {
				g.t.Fatal(err)
			}
			g.commit("link")
		}},
		{"URL of a submodule", "modules/%b/.gitmodules", atTip, nil, func(g *gitMaker, v string) {
			g.write("modules/"+id(v)+"/.gitmodules", "[submodule \"x\"]\n\tpath = x\n\turl = https://me:"+v+"@example.org/x.git\n")
			g.commit("submodule")
		}},
		{"object that another one replaces", "replaced/%b", inHistory, nil, func(g *gitMaker, v string) {
			g.brings("replaced/"+id(v), v)
			blob := g.git("rev-parse", "HEAD:replaced/"+id(v))
			g.remove("replaced/" + id(v))
			g.commit("gone")
			g.git("replace", blob, g.gitIn(g.dir, "harmless", "hash-object", "-w", "--stdin"))
		}},
		{"head of a linked work tree", "linked/%b", atTip, nil, func(g *gitMaker, v string) {
			dir := filepath.Join(g.t.TempDir(), "linked")
			g.git("worktree", "add", "-q", "--detach", dir)
			g.gitIn(dir, "", "checkout", "-q", "--detach")
			if err := os.MkdirAll(filepath.Join(dir, "linked"), 0o700); err != nil {
				g.t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "linked", id(v)), []byte(text(v)), 0o600); err != nil {
				g.t.Fatal(err)
			}
			g.gitIn(dir, "", "add", "-A")
			g.gitIn(dir, "", "commit", "-q", "-m", "linked")
		}},
	}
}

// gitHidden is what only stashes, reflogs or nothing reaches.
func gitHidden() []gitPlace {
	return []gitPlace{
		{"stash", "base.txt", unreached, nil, func(g *gitMaker, v string) {
			g.write("base.txt", text(v))
			g.git("stash", "-q")
		}},
		{"stash, what was staged", "base.txt", unreached, nil, func(g *gitMaker, v string) {
			g.write("base.txt", text(v))
			g.git("add", "-A")
			g.write("base.txt", "changed again")
			g.git("stash", "-q")
		}},
		{"stash, an untracked file", "untracked/%b", unreached, nil, func(g *gitMaker, v string) {
			g.write("untracked/"+id(v), text(v))
			g.git("stash", "-q", "-u")
		}},
		{"stash that was dropped", "base.txt", unreached, nil, func(g *gitMaker, v string) {
			g.write("base.txt", text(v))
			g.git("stash", "-q")
			g.git("stash", "drop", "-q")
		}},
		{"commit that was amended", "amended/%b", unreached, nil, func(g *gitMaker, v string) {
			g.brings("amended/"+id(v), v)
			g.remove("amended/" + id(v))
			g.git("add", "-A")
			g.git("commit", "-q", "--amend", "--allow-empty", "-m", "amended")
		}},
		{"commit of a deleted branch", "deleted/%b", unreached, nil, func(g *gitMaker, v string) {
			g.aside("d-"+id(v), func() { g.brings("deleted/"+id(v), v) })
			g.git("branch", "-q", "-D", "d-"+id(v))
		}},
		{"file that was only staged", "@blob/%b", unreached, nil, func(g *gitMaker, v string) {
			g.write("staged.txt", text(v))
			g.git("add", "-A")
			g.git("rm", "-q", "-f", "staged.txt")
		}},
		{"dangling blob", "@blob/%b", unreached, nil, func(g *gitMaker, v string) {
			g.gitIn(g.dir, text(v), "hash-object", "-w", "--stdin")
		}},
		{"dangling commit's message", "@commit-message", unreached, nil, func(g *gitMaker, v string) {
			g.gitIn(g.dir, "says "+v, "commit-tree", g.git("rev-parse", "HEAD^{tree}"))
		}},
	}
}

// gitWords are messages and names.
func gitWords() []gitPlace {
	named := func(args ...string) func(g *gitMaker, v string) {
		return func(g *gitMaker, v string) {
			all := slices.Clone(args)
			for i := range all {
				all[i] = strings.ReplaceAll(all[i], "%s", v)
			}
			g.git(all...)
		}
	}
	return []gitPlace{
		{"message of a commit", "@commit-message", inHistory, nil, named("commit", "-q", "--allow-empty", "-m", "subject", "-m", "body with %s")},
		{"first line of a message", "@commit-message", inHistory, []string{"@reflog", "@config"}, named("commit", "-q", "--allow-empty", "-m", "subject with %s")},
		{"message of a tag", "@tag-message", inHistory, nil, func(g *gitMaker, v string) { g.git("tag", "-a", "-m", "tag with "+v, "tag-"+id(v)) }},
		{"note", "@note", atTip, nil, func(g *gitMaker, v string) {
			g.commit("noted")
			g.git("notes", "add", "-m", "note with "+v)
		}},
		{"author's name", "@author", inHistory, nil, named("commit", "-q", "--allow-empty", "-m", "x", "--author", "%s <a@example.org>")},
		{"author's address", "@author", inHistory, nil, named("commit", "-q", "--allow-empty", "-m", "x", "--author", "A <%s@example.org>")},
		{"name of a branch", "@ref", atTip, []string{"@config"}, named("branch", "branch-%s")},
		{"name of a tag", "@ref", atTip, []string{"@config"}, named("tag", "name-%s")},
		{"name of a file", "names/%s.txt", atTip, nil, func(g *gitMaker, v string) { g.write("names/"+v+".txt", ""); g.commit("name") }},
		{"name of a folder", "folders/%s", atTip, nil, func(g *gitMaker, v string) { g.write("folders/"+v+"/x.txt", ""); g.commit("name") }},
		{"name of a file, in history", "once/%s.txt", inHistory, nil, func(g *gitMaker, v string) {
			g.write("once/"+v+".txt", "")
			g.commit("name")
			g.remove("once")
			g.commit("no name")
		}},
		{"reflog", "@reflog", unreached, nil, func(g *gitMaker, v string) {
			g.git("update-ref", "--create-reflog", "-m", "reason "+v, "refs/heads/r-"+id(v), "HEAD")
		}},
		{"reflog of a linked work tree", "@reflog", unreached, nil, func(g *gitMaker, v string) {
			dir := filepath.Join(g.t.TempDir(), "linked")
			g.git("worktree", "add", "-q", "--detach", dir)
			g.gitIn(dir, "", "update-ref", "-m", "reason "+v, "HEAD", "HEAD~1")
			g.gitIn(dir, "", "update-ref", "-m", "and back", "HEAD", g.git("rev-parse", "HEAD"))
		}},
		{"hook", "@config", atTip, nil, func(g *gitMaker, v string) { g.write(".git/hooks/hook-"+id(v), text(v)) }},
		{"message of a merge under way", "@config", atTip, nil, func(g *gitMaker, v string) { g.write(".git/MERGE_MSG-"+id(v), text(v)) }},
		{"patch of a rebase under way", "@config", atTip, nil, func(g *gitMaker, v string) { g.write(".git/rebase-apply/patch-"+id(v), text(v)) }},
		{"password in a remote's URL", "@config", atTip, nil, func(g *gitMaker, v string) {
			g.git("config", "remote.r-"+id(v)+".url", "https://me:"+v+"@example.org/x.git")
		}},
		{"header in the configuration", "@config", atTip, nil, func(g *gitMaker, v string) {
			g.git("config", "--add", "http.extraHeader", "Authorization: Bearer "+v)
		}},
	}
}

// id is a name for a value that does not hold it.
func id(v string) string { return fmt.Sprintf("%x", []byte(v[len(v)-3:])) }

// layouts are how a repository keeps its objects.
func gitLayouts() []string {
	return []string{"sha1, loose", "sha1, packed", "sha256, loose", "sha256, packed"}
}

// gitPlant is a value that stands in a place.
type gitPlant struct {
	of    int // the place
	value string
	rule  bool // a secret that only rules know
}

// tryGit plants in every place of one repository, and counts for each of them.
func (b *bench) tryGit(t *testing.T, layout string) []cell {
	places := gitPlaces()
	r := seeded("git", layout)
	var plants []gitPlant
	var raw [][]byte
	for i := range places {
		value := string(from(r, alnum, 28))
		raw = append(raw, []byte(value))
		plants = append(plants, gitPlant{i, value, false}, gitPlant{i, "gh" + "p_" + string(from(r, alnum, 36)), true})
	}
	g := &gitMaker{t: t, dir: t.TempDir()}
	format, how, _ := strings.Cut(layout, ", ")
	g.git("init", "-q", "-b", "main", "--object-format="+format)
	g.write("base.txt", text("nothing"))
	g.commit("base")
	for _, p := range plants {
		places[p.of].plant(g, p.value)
	}
	if how == "packed" {
		g.git("repack", "-q", "-a", "-d", "-f", "-k", "--depth=50", "--window=50")
		g.git("pack-refs", "--all")
	}
	s := b.searchFor(t, raw)
	src, err := gitrepo.New(t.Context(), gitrepo.Options{Path: g.dir, SourceID: "git:example.org/recall", Workers: 1, Screen: s.screen()})
	if err != nil {
		t.Fatal(err)
	}
	found, skips := s.run(t, src)
	if len(skips) > 0 {
		t.Errorf("skips %v", skips)
	}
	cells := make([]cell, len(places))
	for _, p := range plants {
		cells[p.of].takeGit(places[p.of], p, found[p.value], 1, "git, "+layout)
	}
	return cells
}

// search looks for some values, and for what rules know.
type search struct {
	engine *scanners.Engine
	packed *archives.Expander
	rows   []fingerprints.RowID
}

func (b *bench) searchFor(t *testing.T, raw [][]byte) *search {
	built := packtest.New(t, fingerprints.AudienceCore, raw...)
	exact, err := registered.New(built.Pack)
	if err != nil {
		t.Fatal(err)
	}
	both := []scanners.Matcher{exact, b.whole.engine.Matchers[1]}
	return &search{&scanners.Engine{Matchers: both, Viewer: views.New()}, &archives.Expander{Limits: archives.DefaultLimits()}, built.Rows}
}

// screen says what may hold something.
func (s *search) screen() func(context.Context, []byte) bool {
	return scan.Screen{Engine: s.engine, Archives: s.packed}.Of
}

// run scans a source to its end and returns the findings by their secrets.
func (s *search) run(t *testing.T, src scanners.Source) (map[string][]wire.Finding, map[fingerprints.SkipReason]int64) {
	found := map[string][]wire.Finding{}
	res, err := scan.Run(t.Context(), scan.Options{
		Source: src, Engine: s.engine, PathMatchers: s.engine.Matchers, Labels: known{s.rows}, Archives: s.packed, Secrets: scan.SecretsShown,
		Now: func() time.Time { return time.Unix(1_800_000_000, 0) }, Workers: 1,
		Emit: func(f wire.Finding) error {
			found[string(f.Secret.Reveal())] = append(found[string(f.Secret.Reveal())], f)
			return nil
		},
	})
	if err != nil || src.Close() != nil {
		t.Error(err)
	}
	return found, res.Skips
}

// anyTimes is at least once.
const anyTimes = -1

// takeGit counts a plant: found at its path, so many times, with its presence, and at no
// other that git does not write it to as well.
func (c *cell) takeGit(pl gitPlace, p gitPlant, list []wire.Finding, times int, where string) {
	mark := "[redacted]"
	if !p.rule && len(list) > 0 && len(list[0].Matches) > 0 {
		mark = "[secret " + list[0].Matches[0].Ref() + "]"
	}
	want := strings.NewReplacer("%s", mark, "%b", "*").Replace(pl.path)
	wrong, hits := "", 0
	for _, f := range list {
		at, err := filepath.Match(strings.NewReplacer("[", `\[`, "]", `\]`).Replace(want), f.Path)
		switch {
		case err != nil:
			wrong = err.Error()
		case at && f.Presence == pl.presence:
			hits++
		case at:
			wrong = "found with presence " + string(f.Presence)
		case !slices.Contains(pl.also, f.Path):
			wrong = "found at " + f.Path
		}
	}
	switch {
	case len(list) == 0:
		wrong = "missed"
	case wrong == "" && (hits == 0 || hits != times && times != anyTimes):
		wrong = fmt.Sprintf("found %d times at its place", hits)
	}
	held := plant{text: []byte(p.value), at: stretch{0, len(p.value)}, kind: pl.name}
	if p.rule {
		held.value = -1
	}
	c.take(held, wrong, where)
}

// gitTable is the part of the page about repositories; cells are by layout,
// then by place.
func gitTable(b *strings.Builder, cells [][]cell) {
	b.WriteString("\n## Places in a git repository\n\nOf each place two values, one that is registered and a token that rules know; each must be found there, once, with its presence.\nPacked: with all that can be stored as deltas of other files.\n\n")
	fmt.Fprintf(b, "| place | path | presence | %s |\n|---|---|---|%s\n", strings.Join(gitLayouts(), " | "), strings.Repeat("---|", len(gitLayouts())))
	for i, pl := range gitPlaces() {
		path := strings.NewReplacer("%s", "VALUE", "%b", "ID").Replace(pl.path)
		if !strings.HasPrefix(path, "@") {
			path = "its own"
		}
		fmt.Fprintf(b, "| %s | %s | %s |", pl.name, path, pl.presence)
		for k := range gitLayouts() {
			fmt.Fprintf(b, " %s |", cells[k][i])
		}
		b.WriteString("\n")
	}
}
