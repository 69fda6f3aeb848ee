package main

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/cmd/revenant/reference"
	"revenant/ingest/pipeline"
)

// referenceDir holds what the command tree says of itself.
const referenceDir = "../../docs/reference"

// TestReference: the committed reference is what the program says.
func TestReference(t *testing.T) {
	pages := reference.Markdown(newApp().rootCommand())
	if *update {
		writePages(t, pages)
	}
	var want []string
	for _, p := range pages {
		want = append(want, p.Name)
		got, err := os.ReadFile(filepath.Join(referenceDir, p.Name))
		if err != nil {
			t.Errorf("%v; run make golden", err)
			continue
		}
		if diff := cmp.Diff(p.Text, string(got)); diff != "" {
			t.Errorf("%s is stale; run make golden (-program +page)\n%s", p.Name, diff)
		}
	}
	entries, err := os.ReadDir(referenceDir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !slices.Contains(want, e.Name()) {
			t.Errorf("%s is of no command", e.Name())
		}
	}
}

func writePages(t *testing.T, pages []reference.Page) {
	t.Helper()
	if err := os.RemoveAll(referenceDir); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(referenceDir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, p := range pages {
		if err := os.WriteFile(filepath.Join(referenceDir, p.Name), []byte(p.Text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestManPages: groff takes every page without a warning, and a reader sees what
// help says.
func TestManPages(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	dir := b.out("man")
	b.must(0, "", "reference", dir)
	b.must(2, "", "reference", dir, "--format", "html")
	pages := reference.Man(newApp().rootCommand())
	for _, p := range pages {
		c := exec.CommandContext(t.Context(), "groff", "-man", "-Tutf8", "-P-cbou", "-ww", "-rLL=80n", filepath.Join(dir, p.Name))
		var out, warned bytes.Buffer
		c.Stdout, c.Stderr = &out, &warned
		if err := c.Run(); err != nil || warned.Len() > 0 {
			t.Errorf("%s: %v %s", p.Name, err, warned.String())
		}
		if p.Name == "revenant-prove.1" {
			for _, want := range []string{"revenant prove billing/db-password@1 --accept-skip symlink", "--include-history", "revenant-exit-codes(7)"} {
				if !strings.Contains(out.String(), want) {
					t.Errorf("%s does not say %q:\n%s", p.Name, want, out.String())
				}
			}
		}
	}
	if got, err := filepath.Glob(filepath.Join(dir, "revenant*.[17]")); err != nil || len(got) != len(pages) || len(got) < 50 {
		t.Errorf("%d pages are written of %d: %v", len(got), len(pages), err)
	}
}

// TestVariables: help lists every environment variable that the code reads, and
// no other.
func TestVariables(t *testing.T) {
	asked := regexp.MustCompile(`^[A-Z][A-Z_]+$`)
	// The last is read by the scripts of hooks.
	read := map[string]bool{"XDG_DATA_HOME": true, "XDG_CONFIG_HOME": true, "REVENANT_HOOK_RAN": true}
	for _, name := range []string{"DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "HTTPS_PROXY", "SSL_CERT_FILE"} {
		read[name] = true // by libraries
	}
	err := filepath.WalkDir("../..", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && slices.Contains([]string{"scripts", "build", "testdata"}, d.Name()) {
			return fs.SkipDir
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || strings.HasSuffix(filepath.Dir(name), "test") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, is := n.(*ast.ValueSpec); is { // a constant that names one
				for _, v := range spec.Values {
					if lit, is := v.(*ast.BasicLit); is {
						if s, err := strconv.Unquote(lit.Value); err == nil && strings.HasPrefix(s, "REVENANT_KAFKA_") {
							read[s] = true
						}
					}
				}
			}
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) != 1 {
				return true
			}
			called := ""
			switch f := call.Fun.(type) {
			case *ast.SelectorExpr:
				called = f.Sel.Name
			case *ast.Ident:
				called = f.Name
			}
			lit, ok := call.Args[0].(*ast.BasicLit)
			if !ok || !slices.Contains([]string{"env", "getenv", "Getenv", "LookupEnv"}, called) {
				return true
			}
			if s, err := strconv.Unquote(lit.Value); err == nil && asked.MatchString(s) {
				read[s] = true
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, v := range variables() {
		for _, name := range append(regexp.MustCompile(`PRE_COMMIT_[A-Z_]+`).FindAllString(v.text, -1), v.name) {
			listed[name] = true
		}
	}
	said := environmentText()
	for _, name := range pipeline.Variables() {
		if !regexp.MustCompile(`\b` + name + `\b`).MatchString(said) {
			t.Errorf("help does not say %s", name)
		}
		if read[name] { // the others are asked for by a table
			listed[name] = true
		}
	}
	if diff := cmp.Diff(read, listed); diff != "" {
		t.Errorf("variables that the code reads, and that help lists (-read +listed)\n%s", diff)
	}
}
