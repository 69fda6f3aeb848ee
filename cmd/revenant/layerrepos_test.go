package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// layerOfGit saves an image with a repository of the box in it.
func layerOfGit(t *testing.T, image, dir, to string) {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(name)
		rel, relErr := filepath.Rel(dir, name)
		if relErr != nil {
			return relErr
		}
		files[to+"/"+filepath.ToSlash(rel)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	imageOf(t, image, files)
}

// toldInGit is an entry of a JSON report, as far as both sources tell the same.
type toldInGit struct {
	File, RuleID, SecretName, Commit, Author, Email, Date, Presence, Form string
	StartLine, EndLine, StartColumn, EndColumn                            int
}

// gitEntries are the entries of a report about what is in a repository, as the git
// source tells them; the others are counted.
func gitEntries(t *testing.T, r ran, before string) (in []toldInGit, others []string) {
	t.Helper()
	var all []struct {
		toldInGit
		Layer *struct{ InRepository string }
	}
	if err := json.Unmarshal([]byte(r.stdout), &all); err != nil {
		t.Fatalf("%v\n%s", err, r.stdout)
	}
	for _, f := range all {
		if f.File == "@url" { // an image does not say where its repository is from
			continue
		}
		if f.Layer == nil && !slices.Contains([]string{"@config", "@reflog", "@ref"}, f.File) {
			in = append(in, f.toldInGit)
			continue
		}
		path, is := strings.CutPrefix(f.File, before)
		if f.Layer == nil || !is {
			others = append(others, f.File)
			continue
		}
		f.File, f.Presence = path, f.Layer.InRepository
		in = append(in, f.toldInGit)
	}
	slices.SortFunc(in, func(a, b toldInGit) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return in, others
}

// TestLayerAsGit: what is found in a repository is the same in its folder and in an
// image, rule by rule and line by line.
func TestLayerAsGit(t *testing.T) {
	b := newBox(t)
	b.must(0, "", "init")
	one, two := generated(301), generated(302)
	b.must(0, one, "secret", "add", "shop/one")
	b.must(0, two, "secret", "add", "shop/two")
	dir := b.repository("repo", one, two)
	// Rules look at paths in the repository: of a lock file in its root they expect
	// hashes.
	b.write("repo/package-lock.json", "{\"token\": \""+generated(303)+"\"}\n")
	b.write("repo/deep/config.py", "# first\npassword = '"+generated(304)+"'\n")
	b.gitIn(dir, "add", "-A")
	b.gitIn(dir, "commit", "-q", "-m", "last")
	image := filepath.Join(b.work, "shop.tar")
	for _, state := range []string{"loose", "packed"} {
		if state == "packed" {
			b.gitIn(dir, "gc", "-q")
		}
		layerOfGit(t, image, filepath.Join(dir, ".git"), "app/.git")
		for _, rules := range []string{"all", "gitleaks"} {
			want, _ := gitEntries(t, b.must(1, "", "git", dir, "--rules", rules, "-f", "json", "-r", "-", "--no-cache"), "")
			got, others := gitEntries(t, b.must(1, "", "image", image, "--rules", rules, "-f", "json", "-r", "-", "--no-cache"), "app/.git!")
			if diff := cmp.Diff(want, got); diff != "" || len(want) < 10 {
				t.Errorf("%s, rules %s (-git +image):\n%s", state, rules, diff)
			}
			for _, path := range others {
				if strings.Contains(path, "/objects/") {
					t.Errorf("%s, rules %s: %s was told twice", state, rules, path)
				}
			}
			if len(others) == 0 {
				t.Errorf("%s, rules %s: nothing in the files beside the objects", state, rules)
			}
		}
	}
}

// spools are the folders in which repositories of layers lie.
func (b *box) spools() (out []string) {
	b.t.Helper()
	err := filepath.WalkDir(b.dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(d.Name(), layersFolder) {
			out = append(out, name)
		}
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return out
}

// TestLayerRepositoriesLeaveNothing: repositories in layers are gone after a scan, and
// after the next one where it was killed, with a registry and without.
func TestLayerRepositoriesLeaveNothing(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 7))
	for _, registry := range []bool{true, false} {
		t.Run(fmt.Sprintf("registry %t", registry), func(t *testing.T) {
			b := newBox(t)
			values := make([]string, 10)
			for i := range values {
				values[i] = newCanary(rng, "").value
			}
			args := []string{"image", filepath.Join(b.work, "shop.tar"), "-f", "json", "-r", "-", "--no-cache", "-q"}
			if registry {
				b.must(0, "", "init")
				var jsonl strings.Builder
				for i, v := range values {
					fmt.Fprintf(&jsonl, `{"name":"svc/%d","value":%q}`+"\n", i, v)
				}
				b.must(0, jsonl.String(), "secret", "import", "-")
			}
			dir := b.historyOf(rng, "repo", values)
			layerOfGit(t, filepath.Join(b.work, "shop.tar"), filepath.Join(dir, ".git"), "app/.git")
			killed := 0
			for range 40 {
				c := b.command(context.Background(), "", args...)
				if err := c.Start(); err != nil {
					t.Fatal(err)
				}
				for end := time.Now().Add(30 * time.Second); len(b.spools()) == 0 && time.Now().Before(end) && c.ProcessState == nil; {
					time.Sleep(time.Millisecond)
				}
				time.Sleep(time.Duration(rng.Int64N(int64(300 * time.Millisecond))))
				_ = c.Process.Kill()
				_ = c.Wait()
				if len(b.spools()) > 0 {
					if killed++; killed == 3 {
						break
					}
				}
			}
			if killed == 0 {
				t.Fatal("no scan was killed while a repository was there")
			}
			for _, dir := range b.spools() {
				if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
					t.Errorf("%v %v", info, err)
				}
			}
			// git may outlive who started it by a moment, and has the folder that long.
			b.must(1, "", args...)
			for end := time.Now().Add(time.Minute); len(b.spools()) > 0 && time.Now().Before(end); {
				b.must(1, "", args...)
			}
			if left := b.spools(); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// TestLayerRepositoriesHalfRemoved: a folder whose lock was removed before what is in it,
// by a process that was killed then, goes with the next scan.
func TestLayerRepositoriesHalfRemoved(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	layerOfGit(t, filepath.Join(b.work, "shop.tar"), filepath.Join(b.historyOf(rand.New(rand.NewPCG(8, 7)), "repo", []string{"none"}), ".git"), "app/.git")
	left := filepath.Join(b.dir, "tmp", layersFolder+"17", "objects")
	if err := os.MkdirAll(left, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(left, "pack"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.must(0, "", "image", filepath.Join(b.work, "shop.tar"), "--no-cache", "-q", "--exit-code", "0")
	if left := b.spools(); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestLayerWithoutGit: where git is not there, objects in layers are contents.
func TestLayerWithoutGit(t *testing.T) {
	b := newBox(t)
	b.must(0, "", "init")
	v := generated(311)
	b.must(0, v, "secret", "add", "shop/db")
	dir := b.holding("repo", "db = "+v+"\n")
	b.gitIn(dir, "gc", "-q")
	image := filepath.Join(b.work, "shop.tar")
	layerOfGit(t, image, filepath.Join(dir, ".git"), "app/.git")
	for i, entry := range b.env {
		if strings.HasPrefix(entry, "PATH=") {
			b.env[i] = "PATH=" + t.TempDir()
		}
	}
	r := b.must(1, "", "image", image, "-f", "json", "-r", "-")
	in, others := gitEntries(t, r, "app/.git!")
	if len(in) > 0 || len(others) != 1 || !strings.HasPrefix(others[0], "app/.git/objects/") {
		t.Errorf("in repositories %v, others %v", in, others)
	}
	if !strings.Contains(r.stderr, "app/.git") || !strings.Contains(r.stderr, "one by one") {
		t.Errorf("it is not listed:\n%s", r.stderr)
	}
}

// TestLayerRepositoryKnown: what is remembered of a repository stands for it: a rescan
// finds the same, clears nothing, and puts nothing together.
func TestLayerRepositoryKnown(t *testing.T) {
	b := newBox(t)
	b.must(0, "", "init")
	v := generated(321)
	b.must(0, v, "secret", "add", "shop/db")
	dir := b.holding("repo", "db = "+v+"\n")
	image := filepath.Join(b.work, "shop.tar")
	layerOfGit(t, image, filepath.Join(dir, ".git"), "app/.git")
	args := []string{"image", image, "-f", "json", "-r", "-"}
	want, _ := gitEntries(t, b.must(1, "", args...), "app/.git!")
	estate := b.gitEstate()
	if len(want) != 1 || len(estate) != 1 || estate[0].Path != "app/.git!app.conf" {
		t.Fatalf("found %v, known %v", want, estate)
	}
	for i, entry := range b.env { // it need not ask git again
		if strings.HasPrefix(entry, "PATH=") {
			b.env[i] = "PATH=" + t.TempDir()
		}
	}
	got, _ := gitEntries(t, b.must(1, "", args...), "app/.git!")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("a rescan (-first +second):\n%s", diff)
	}
	if diff := cmp.Diff(estate, b.gitEstate()); diff != "" {
		t.Errorf("what is known (-before +after):\n%s", diff)
	}
}
