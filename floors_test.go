package revenant_test

import (
	"cmp"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	gocmp "github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the floors of .golangci.yml anew")

const module = "revenant"

// room is a package's place in the building: its floor, and what it may import
// on its own floor. Imports of lower floors need no mention.
type room struct {
	floor   int
	sideway []string // same floor, relative to the module
	only    []string // not nil: nothing else of the project, on any floor
	kits    bool     // it may start what tests start
}

// floors lists every package. A package that is not here fails the test: say
// where it belongs before it grows.
func floors() map[string]room {
	return map[string]room{
		"fingerprints":              {floor: 0},
		"fingerprints/anchor":       {floor: 0},
		"fingerprints/audit":        {floor: 0, sideway: []string{"fingerprints", "fingerprints/keys"}},
		"fingerprints/keys":         {floor: 0, sideway: []string{"fingerprints"}},
		"fingerprints/strength":     {floor: 0, sideway: []string{"fingerprints", "fingerprints/keys"}},
		"fingerprints/privatekeys":  {floor: 0, sideway: []string{"fingerprints"}},
		"fingerprints/registration": {floor: 0, sideway: []string{"fingerprints", "fingerprints/anchor", "fingerprints/keys", "fingerprints/privatekeys", "fingerprints/strength"}},
		"fingerprints/pack":         {floor: 0, sideway: []string{"fingerprints", "fingerprints/anchor", "fingerprints/keys", "fingerprints/privatekeys", "fingerprints/registration", "fingerprints/strength"}},

		"api/wire":           {floor: 1, only: []string{"fingerprints"}},
		"scanners":           {floor: 1},
		"scanners/escapes":   {floor: 1, only: []string{}},
		"scanners/stamps":    {floor: 1, sideway: []string{"scanners/escapes"}, only: []string{"scanners/escapes"}},
		"fingerprints/store": {floor: 1, sideway: []string{"api/wire"}},

		"api/client": {floor: 2, only: []string{"api/wire", "fingerprints"}},

		"fingerprints/importers":      {floor: 2},
		"fingerprints/keystore":       {floor: 2},
		"fingerprints/registry":       {floor: 2},
		"fingerprints/store/sqlstore": {floor: 2},
		"scanners/archives":           {floor: 2, sideway: []string{"scanners/bunzip2", "scanners/inflate", "scanners/spool", "scanners/zstdframes"}},
		"scanners/bunzip2":            {floor: 2, only: []string{}},
		"scanners/byteclass":          {floor: 2},
		"scanners/cilog":              {floor: 2},
		"scanners/cilog/github":       {floor: 2, sideway: []string{"scanners/cilog", "scanners/cilog/rest", "scanners/spool"}},
		"scanners/cilog/gitlab":       {floor: 2, sideway: []string{"scanners/cilog", "scanners/cilog/rest"}},
		"scanners/cilog/jenkins":      {floor: 2, sideway: []string{"scanners/cilog", "scanners/cilog/rest"}},
		"scanners/cilog/rest":         {floor: 2, sideway: []string{"scanners/cilog", "scanners/web"}},
		"scanners/cilog/layout":       {floor: 2},
		"scanners/files":              {floor: 2},
		"scanners/gitrepo":            {floor: 2, sideway: []string{"scanners/gitrepo/catfile", "scanners/gitrepo/lineage", "scanners/gitrepo/objects"}},
		"scanners/gitrepo/catfile":    {floor: 2, sideway: []string{"scanners/gitrepo/objects"}},
		"scanners/gitrepo/lineage":    {floor: 2, sideway: []string{"scanners/gitrepo/objects"}},
		"scanners/gitrepo/objects":    {floor: 2, sideway: []string{"scanners/inflate"}},
		"scanners/gitrepo/salvage":    {floor: 2, sideway: []string{"scanners/gitrepo", "scanners/gitrepo/catfile", "scanners/gitrepo/objects"}},
		"scanners/image":              {floor: 2, sideway: []string{"scanners/bunzip2", "scanners/image/distribution", "scanners/inflate", "scanners/zstdframes"}},
		"scanners/image/distribution": {floor: 2, sideway: []string{"scanners/web"}},
		"scanners/image/buildcontext": {floor: 2, sideway: []string{"scanners/files"}},
		"scanners/inflate":            {floor: 2, only: []string{}},
		"scanners/kafka":              {floor: 2, sideway: []string{"scanners/kafka/records"}},
		"scanners/kafka/records":      {floor: 2, only: []string{}},
		"scanners/registered":         {floor: 2, sideway: []string{"scanners/byteclass"}},
		"scanners/rules":              {floor: 2, sideway: []string{"scanners/byteclass"}},
		"scanners/spool":              {floor: 2},
		"scanners/web":                {floor: 2},
		"scanners/views":              {floor: 2, sideway: []string{"scanners/bunzip2", "scanners/byteclass", "scanners/inflate"}},
		"scanners/zstdframes":         {floor: 2, only: []string{}},

		"ingest/scan":            {floor: 3},
		"ingest/enumerate":       {floor: 3},
		"ingest/export":          {floor: 3, sideway: []string{"ingest/report/csv"}},
		"ingest/remedy":          {floor: 3},
		"ingest/hook":            {floor: 3},
		"ingest/jobs":            {floor: 3},
		"ingest/settings":        {floor: 3, sideway: []string{"ingest/credential", "ingest/notify", "ingest/watch"}},
		"ingest/watch":           {floor: 3, sideway: []string{"ingest/jobs"}},
		"ingest/baseline":        {floor: 3, sideway: []string{"ingest/scan"}},
		"ingest/pipeline":        {floor: 3, sideway: []string{"ingest/report"}},
		"ingest/lookup":          {floor: 3, sideway: []string{"ingest/scan"}},
		"ingest/migrate":         {floor: 3},
		"ingest/outcomes":        {floor: 3, sideway: []string{"ingest/scan", "ingest/sealed"}},
		"ingest/sealed":          {floor: 3},
		"ingest/push":            {floor: 3},
		"ingest/redact":          {floor: 3, sideway: []string{"ingest/scan"}},
		"ingest/relay":           {floor: 3},
		"ingest/search":          {floor: 3, sideway: []string{"ingest/search/query"}},
		"ingest/search/query":    {floor: 3},
		"ingest/report":          {floor: 3},
		"ingest/report/csv":      {floor: 3, sideway: []string{"ingest/report"}},
		"ingest/report/gitlab":   {floor: 3, sideway: []string{"ingest/report"}},
		"ingest/report/json":     {floor: 3, sideway: []string{"ingest/report"}},
		"ingest/report/junit":    {floor: 3, sideway: []string{"ingest/report"}},
		"ingest/report/markdown": {floor: 3, sideway: []string{"ingest/report"}},
		"ingest/report/sarif":    {floor: 3, sideway: []string{"ingest/report"}},
		"ingest/report/template": {floor: 3, sideway: []string{"ingest/report"}},
		"ingest/report/terminal": {floor: 3, sideway: []string{"ingest/report"}},

		"api/control":             {floor: 4},
		"api/guard":               {floor: 4},
		"api/rest":                {floor: 4, sideway: []string{"api/control"}},
		"api/remote":              {floor: 4},
		"api/session":             {floor: 4, sideway: []string{"api/guard"}},
		"ingest/credential":       {floor: 3},
		"ingest/notify":           {floor: 3, sideway: []string{"ingest/credential", "ingest/report"}},
		"ingest/notify/receivers": {floor: 3, sideway: []string{"ingest/credential", "ingest/notify", "ingest/report"}},

		"web": {floor: 4},

		"cmd/revenant":           {floor: 5},
		"cmd/revenant/reference": {floor: 4, only: []string{}},

		// Suites and kits that tests call; no package but a test imports them.
		"fingerprints/pack/packtest":   {floor: 2},
		"scanners/scannerstest":        {floor: 2},
		"fingerprints/store/storetest": {floor: 2},

		"fingerprints/store/postgrestest": {floor: 2, only: []string{}},
		"scanners/sourcetest":             {floor: 2},
		"scanners/kafka/kafkatest":        {floor: 2, only: []string{}},

		// Tools of the workshop: nothing imports them, they import nothing.
		"scripts/benchhook":   {floor: 5, only: []string{}},
		"scripts/benchimage":  {floor: 5, sideway: []string{"scripts/benchkit"}, only: []string{}},
		"scripts/benchkafka":  {floor: 5, sideway: []string{"scripts/benchkit"}, kits: true},
		"scripts/benchkit":    {floor: 5, only: []string{}},
		"scripts/benchpeers":  {floor: 5, only: []string{}},
		"scripts/benchsearch": {floor: 5, kits: true}, // as soak
		"scripts/demo":        {floor: 5, only: []string{}},
		"scripts/mutate":      {floor: 5, only: []string{}},
		"scripts/release":     {floor: 5, only: []string{}},
		"scripts/gramtable":   {floor: 5, only: []string{"scanners/byteclass"}},
		"scripts/ruletable":   {floor: 5, only: []string{}},
		"scripts/schemacheck": {floor: 5, only: []string{}},
		"scripts/soak":        {floor: 5, kits: true}, // it fills registries, also in a server as tests start it
		"scripts/testsum":     {floor: 5, only: []string{}},
	}
}

// quiet are the floors that do no I/O, read no clock and write no log.
const quiet = 1

// outside is what the quiet floors may not import: each reaches the world.
func outside() []string {
	return []string{"crypto/rand", "database/sql", "log", "net", "net/http", "os", "os/exec", "os/signal", "syscall"}
}

// parsed is one package as its files say.
type parsed struct {
	imports map[string][]string // import path to the files that have it
	clock   []string            // uses of time.Now and the like, by file and line
}

// load reads the imports of every package below the root, without build tags:
// a file that is built elsewhere only is held to the same floors. Tests are
// left out: they may reach sideways.
func load(fsys fs.FS) (map[string]parsed, error) {
	out := map[string]parsed{}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := path.Base(name)
		if d.IsDir() {
			if name != "." && (base == "testdata" || base == "build" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_")) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		return loadFile(fsys, name, out)
	})
	return out, err
}

func loadFile(fsys fs.FS, name string, out map[string]parsed) error {
	src, err := fs.ReadFile(fsys, name)
	if err != nil {
		return err
	}
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, src, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	p := out[path.Dir(name)]
	if p.imports == nil {
		p.imports = map[string][]string{}
	}
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return err
		}
		p.imports[imported] = append(p.imports[imported], name)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		pkg, ok := sel.X.(*ast.Ident)
		if ok && pkg.Name == "time" && slices.Contains([]string{"Now", "Since", "Until", "Sleep", "After", "Tick", "NewTimer", "NewTicker"}, sel.Sel.Name) {
			p.clock = append(p.clock, fmt.Sprintf("%s: time.%s", set.Position(sel.Pos()), sel.Sel.Name))
		}
		return true
	})
	out[path.Dir(name)] = p
	return nil
}

// inspect returns what is wrong with the packages, in order.
func inspect(rooms map[string]room, packages map[string]parsed) []string {
	var wrong []string
	for _, name := range slices.Sorted(maps.Keys(rooms)) {
		if _, has := packages[name]; !has {
			wrong = append(wrong, fmt.Sprintf("%s is listed but does not exist", name))
		}
	}
	graph := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(packages)) {
		p := packages[name]
		here, listed := rooms[name]
		if !listed {
			wrong = append(wrong, fmt.Sprintf("%s is not listed", name))
		}
		for _, imported := range slices.Sorted(maps.Keys(p.imports)) {
			target, internal := strings.CutPrefix(imported, module+"/")
			if internal {
				graph[name] = append(graph[name], target)
			}
			if !listed {
				continue
			}
			if why := judge(rooms, name, imported, internal); why != "" {
				wrong = append(wrong, fmt.Sprintf("%s: %s (%s)", name, why, strings.Join(p.imports[imported], ", ")))
			}
		}
		if listed && here.floor <= quiet {
			for _, use := range p.clock {
				wrong = append(wrong, fmt.Sprintf("%s: floor %d reads no clock: %s", name, here.floor, use))
			}
		}
	}
	return append(wrong, cycles(graph)...)
}

// judge says why a package may not import another; empty: it may.
func judge(rooms map[string]room, name, imported string, internal bool) string {
	here := rooms[name]
	if !internal {
		if here.floor <= quiet && (slices.Contains(outside(), imported) || thirdParty(imported)) {
			return fmt.Sprintf("floor %d does not reach outside: %s", here.floor, imported)
		}
		return ""
	}
	target := strings.TrimPrefix(imported, module+"/")
	there, known := rooms[target]
	switch {
	case !known:
		return "imports " + target + ", which is not listed"
	case strings.HasSuffix(target, "test") && !strings.HasSuffix(name, "test") && !here.kits:
		return "imports " + target + ", which is for tests"
	case slices.Contains(here.sideway, target) && there.floor == here.floor:
		return ""
	case here.only != nil && !slices.Contains(here.only, target):
		return "imports " + target + ", and may import nothing of the project but its list"
	case there.floor > here.floor:
		return fmt.Sprintf("floor %d imports %s of floor %d", here.floor, target, there.floor)
	case there.floor == here.floor:
		return fmt.Sprintf("imports %s of its own floor %d without leave", target, there.floor)
	}
	return ""
}

// thirdParty reports whether a package is neither of the standard library nor
// of its extensions. What the quiet floors hold should read for itself.
func thirdParty(imported string) bool {
	host, _, _ := strings.Cut(imported, "/")
	return strings.Contains(host, ".") && !strings.HasPrefix(imported, "golang.org/x/")
}

// cycles names each import cycle once, from its first package in order.
func cycles(graph map[string][]string) []string {
	var wrong []string
	const visiting, done = 1, 2
	mark := map[string]int{}
	var trail []string
	var visit func(string)
	visit = func(name string) {
		if mark[name] == visiting {
			loop := append(slices.Clone(trail[slices.Index(trail, name):]), name)
			wrong = append(wrong, "import cycle: "+strings.Join(loop, " -> "))
			return
		}
		if mark[name] == done {
			return
		}
		mark[name] = visiting
		trail = append(trail, name)
		for _, next := range graph[name] {
			visit(next)
		}
		trail = trail[:len(trail)-1]
		mark[name] = done
	}
	for _, name := range slices.Sorted(maps.Keys(graph)) {
		visit(name)
	}
	return wrong
}

func TestFloors(t *testing.T) {
	packages, err := load(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range inspect(floors(), packages) {
		t.Error(w)
	}
}

// The list itself must make sense: leave is given on the same floor only, and
// to packages that exist.
func TestFloorsListIsSound(t *testing.T) {
	all := floors()
	for name, r := range all {
		for _, s := range r.sideway {
			if other, has := all[s]; !has || other.floor != r.floor {
				t.Errorf("%s has leave for %s, which is not on its floor", name, s)
			}
		}
		if !slices.IsSorted(r.sideway) {
			t.Errorf("%s: the list is not in order", name)
		}
	}
}

// TestFloorsSeeWhatIsWrong proves the test on a tree that breaks every rule.
func TestFloorsSeeWhatIsWrong(t *testing.T) {
	rooms := map[string]room{
		"low": {floor: 0}, "lower": {floor: 0, sideway: []string{"low"}}, "mid": {floor: 2}, "side": {floor: 2},
		"high": {floor: 3}, "tool": {floor: 5, only: []string{}}, "a": {floor: 2, sideway: []string{"b"}}, "b": {floor: 2, sideway: []string{"a"}},
		"absent": {floor: 1}, "good": {floor: 3}, "kit/sidetest": {floor: 2},
	}
	source := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	tree := fstest.MapFS{
		"low/low.go":           source("package low\nimport \"revenant/lower\"\n"),
		"low/other_windows.go": source("package low\nimport \"os\"\n"),
		"low/low_test.go":      source("package low_test\nimport \"revenant/high\"\n"),
		"lower/lower.go":       source("package lower\nimport (\n \"time\"\n \"example.org/x\"\n \"golang.org/x/crypto/hkdf\"\n)\nvar x = time.Now()\n"),
		"mid/mid.go":           source("package mid\nimport (\n _ \"revenant/high\"\n _ \"revenant/side\"\n \"os\"\n)\n"),
		"side/side.go":         source("package side\nimport \"revenant/nowhere\"\n"),
		"high/high.go":         source("package high\nimport (\n \"revenant/stranger\"\n \"revenant/kit/sidetest\"\n)\n"),
		"kit/sidetest/s.go":    source("package sidetest\nimport \"testing\"\n"),
		"stranger/s.go":        source("package stranger\nimport \"revenant/low\"\n"),
		"tool/tool.go":         source("package main\nimport \"revenant/low\"\n"),
		"a/a.go":               source("package a\nimport \"revenant/b\"\n"),
		"b/b.go":               source("package b\nimport \"revenant/a\"\n"),
		"good/good.go":         source("package good\nimport (\n \"revenant/mid\"\n \"revenant/low\"\n \"time\"\n)\nvar now = time.Now\n"),
		"mid/testdata/t.go":    source("package t\nimport \"revenant/high\"\n"),
		".hidden/h.go":         source("package h\nimport \"revenant/high\"\n"),
	}
	packages, err := load(tree)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"absent is listed but does not exist",
		"high: imports kit/sidetest, which is for tests (high/high.go)",
		"high: imports stranger, which is not listed (high/high.go)",
		"low: floor 0 does not reach outside: os (low/other_windows.go)",
		"low: imports lower of its own floor 0 without leave (low/low.go)",
		"lower: floor 0 does not reach outside: example.org/x (lower/lower.go)",
		"lower: floor 0 reads no clock: lower/lower.go:7:9: time.Now",
		"mid: floor 2 imports high of floor 3 (mid/mid.go)",
		"mid: imports side of its own floor 2 without leave (mid/mid.go)",
		"side: imports nowhere, which is not listed (side/side.go)",
		"stranger is not listed",
		"tool: imports low, and may import nothing of the project but its list (tool/tool.go)",
		"import cycle: a -> b -> a",
	}
	if diff := gocmp.Diff(want, inspect(rooms, packages)); diff != "" {
		t.Errorf("what is wrong (-want +got):\n%s", diff)
	}
	broken := fstest.MapFS{"low/low.go": source("not Go")}
	if _, err := load(broken); err == nil {
		t.Error("a file that does not parse goes unnoticed")
	}
}

// lintFile holds a copy of the floors for editors, between these two lines.
const (
	lintFile  = ".golangci.yml"
	lintBegin = "      # floors: begin, written by make golden from floors_test.go\n"
	lintEnd   = "      # floors: end\n"
)

// depguard writes the floors as rules of the linter: per package, everything
// of the project is denied but what the floors allow.
func depguard(rooms map[string]room) string {
	var b strings.Builder
	names := slices.SortedFunc(maps.Keys(rooms), func(a, c string) int {
		return cmp.Or(cmp.Compare(rooms[a].floor, rooms[c].floor), cmp.Compare(a, c))
	})
	for _, name := range names {
		fmt.Fprintf(&b, "        %s:\n          list-mode: lax\n          files: [\"**/%s/*.go\", \"!$test\"]\n", strings.ReplaceAll(name, "/", "-"), name)
		var allow []string
		for _, other := range names {
			if other != name && judge(rooms, name, module+"/"+other, true) == "" {
				allow = append(allow, fmt.Sprintf("            - %s/%s$\n", module, other))
			}
		}
		if len(allow) > 0 {
			fmt.Fprintf(&b, "          allow:\n%s", strings.Join(allow, ""))
		}
		fmt.Fprintf(&b, "          deny:\n            - pkg: %s/\n              desc: not below floor %d; see floors_test.go\n", module, rooms[name].floor)
		if rooms[name].floor > quiet {
			continue
		}
		for _, pkg := range outside() {
			fmt.Fprintf(&b, "            - pkg: %s$\n              desc: floors 0 and 1 do not reach outside\n", pkg)
		}
	}
	return b.String()
}

func TestFloorsLintRulesFollow(t *testing.T) {
	old, err := os.ReadFile(lintFile)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, begins := strings.Cut(string(old), lintBegin)
	_, tail, ends := strings.Cut(rest, lintEnd)
	if !begins || !ends {
		t.Fatalf("%s lacks the lines that mark the floors", lintFile)
	}
	want := head + lintBegin + depguard(floors()) + lintEnd + tail
	if *update {
		if err := os.WriteFile(lintFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := gocmp.Diff(want, string(old)); diff != "" {
		t.Errorf("%s does not follow the floors, run make golden (-want +got):\n%s", lintFile, diff)
	}
}
