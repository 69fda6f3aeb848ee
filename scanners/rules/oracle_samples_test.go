package rules_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp/syntax"
	"strconv"
	"strings"
	"testing"

	"revenant/scanners/rules"
)

// moduleDir is where the source of a module that the project depends on lies.
func moduleDir(t *testing.T, module string) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	dir := strings.TrimSpace(string(out))
	if err != nil || dir == "" {
		t.Fatalf("no source of %s: %v", module, err)
	}
	return dir
}

// sample is a text with the path that it is said to stand at.
type sample struct{ text, path string }

// sampler evaluates what gitleaks' generators write down as examples of their
// rules, good and bad: string literals, sums of them, and calls with a pattern,
// of which it makes an example.
type sampler struct {
	g         *generator
	templates []string
	out       []sample
}

// read collects the samples of a file.
func (s *sampler) read(t *testing.T, file string) {
	t.Helper()
	tree, err := parser.ParseFile(gotoken.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.KeyValueExpr:
			path, ok := s.eval(n.Key)
			text, also := s.eval(n.Value)
			if ok && also {
				s.add(text, path)
			}
		case *ast.CallExpr:
			s.generated(n)
		case ast.Expr:
			if text, ok := s.eval(n); ok {
				s.add(text, "")
				return false
			}
		}
		return true
	})
}

func (s *sampler) add(text, path string) {
	if len(text) >= 8 {
		s.out = append(s.out, sample{text: text, path: path})
	}
}

// eval is the text of an expression, if it is one.
func (s *sampler) eval(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return text, err == nil && e.Kind == gotoken.STRING
	case *ast.ParenExpr:
		return s.eval(e.X)
	case *ast.BinaryExpr:
		left, ok := s.eval(e.X)
		right, also := s.eval(e.Y)
		return left + right, ok && also
	case *ast.CallExpr:
		if len(e.Args) != 1 {
			return "", false
		}
		pattern, ok := s.eval(e.Args[0])
		tree, err := syntax.Parse(pattern, syntax.Perl)
		if !ok || err != nil {
			return "", false
		}
		var b strings.Builder
		s.g.write(&b, tree)
		return b.String(), true
	}
	return "", false
}

// generated fills gitleaks' templates, where a generator asks for them.
func (s *sampler) generated(call *ast.CallExpr) {
	name, _ := call.Fun.(*ast.SelectorExpr)
	if name == nil || name.Sel.Name != "GenerateSampleSecrets" || len(call.Args) != 2 {
		return
	}
	who, ok := s.eval(call.Args[0])
	secret, also := s.eval(call.Args[1])
	if !ok || !also {
		return
	}
	for _, template := range s.templates {
		s.add(strings.NewReplacer("{i}", who, "{I}", strings.ToUpper(who), "{s}", secret).Replace(template), "")
	}
}

// together puts samples without a path into one text, ten by ten, because
// gitleaks takes as long for one; REVENANT_ORACLE=all leaves each alone.
func (s *sampler) together() []sample {
	if asked() == "all" {
		return s.out
	}
	var out []sample
	last, n := -1, 0
	for _, one := range s.out {
		switch {
		case one.path != "":
			out = append(out, one)
		case last < 0 || n == 10:
			last, n = len(out), 1
			out = append(out, one)
		default:
			out[last].text += "\n" + one.text
			n++
		}
	}
	return out
}

// TestOracleSamples: the texts that gitleaks' own generators of rules hold, as
// examples of what is a secret and what is not.
func TestOracleSamples(t *testing.T) {
	o := newOracle(t, rules.Options{})
	dir := filepath.Join(moduleDir(t, "github.com/zricethezav/gitleaks/v8"), "cmd", "generate", "config")
	s := &sampler{g: newGenerator(t, o.rules, 11)}
	s.read(t, filepath.Join(dir, "utils", "generate.go"))
	for _, template := range s.out {
		if strings.Contains(template.text, "{s}") {
			s.templates = append(s.templates, template.text)
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "rules", "*.go"))
	if err != nil || len(files) < 100 || len(s.templates) < 20 {
		t.Fatalf("%d files, %d templates: %v", len(files), len(s.templates), err)
	}
	s.out = nil
	for _, file := range files {
		s.read(t, file)
	}
	found := 0
	for i, one := range s.together() {
		found += o.compare(t, one.text, one.path, fmt.Sprint("text ", i))
		if t.Failed() {
			return
		}
	}
	t.Logf("%d samples, %d findings; differences %v", len(s.out), found, o.differ)
	if found < 1000 {
		t.Errorf("only %d findings in %d samples", found, len(s.out))
	}
}

// TestOracleModules: source of the modules that the project is built from, a
// sample of it, or all where all is asked for, which takes an hour.
func TestOracleModules(t *testing.T) {
	o := newOracle(t, rules.Options{})
	every, budget := 397, 1<<20
	switch asked() {
	case "all":
		every, budget = 1, 2<<30
	case "full":
		every, budget = 97, 4<<20
	}
	found, size, n := 0, 0, 0
	root := filepath.Dir(filepath.Dir(filepath.Dir(moduleDir(t, "github.com/klauspost/compress"))))
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == "download" {
			return fs.SkipDir
		}
		if err != nil || !d.Type().IsRegular() || size > budget {
			return err
		}
		if n++; n%every != 0 {
			return nil
		}
		content, err := os.ReadFile(name)
		if err != nil || len(content) > 200<<10 {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		size += len(content)
		found += o.compare(t, string(content), filepath.ToSlash(rel), rel)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d findings in %d bytes of %d files; differences %v", found, size, n/every, o.differ)
	if size == 0 {
		t.Error("nothing was compared")
	}
}
