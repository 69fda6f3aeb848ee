package migrate_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/ingest/migrate"
	"revenant/scanners"
	"revenant/scanners/rules"
)

// project makes a folder of files.
func project(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		full := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// lines are the steps of a plan, short.
func lines(p migrate.Plan) (out []string) {
	for _, s := range p.Steps {
		out = append(out, string(s.Outcome)+" | "+s.Tool+" | "+s.File+" | "+s.Setting+" | "+s.Text)
	}
	slices.Sort(out)
	return out
}

func TestPlans(t *testing.T) {
	for name, c := range map[string]struct {
		files  map[string]string
		want   []string // beginnings of the steps, sorted
		config []string // lines of the configuration
	}{
		"nothing": {files: map[string]string{"main.go": "package main"}},
		"gitleaks": {
			files: map[string]string{".gitleaks.toml": "title='x'", ".gitleaksignore": "a:b:1", "baseline.json": `[{"RuleID":"x"}]`},
			want: []string{
				"counts as it is | gitleaks | .gitleaks.toml | ", "counts as it is | gitleaks | .gitleaksignore | ",
				"to be replaced by you | gitleaks | baseline.json |  | give it with -b baseline.json",
			},
		},
		"another baseline.json": {files: map[string]string{"baseline.json": `{"a":1}`}},
		"detect-secrets": {
			files: map[string]string{".secrets.baseline": `{"version":"1.5.0","plugins_used":[{"name":"AWSKeyDetector"},{"name":"Base64HighEntropyString","limit":4.5}],
				"filters_used":[{"path":"detect_secrets.filters.regex.should_exclude_file","pattern":["^vendor/","a(?!b)"]},
				{"path":"detect_secrets.filters.regex.should_exclude_line","pattern":"test\\d"},{"path":"detect_secrets.filters.heuristic.is_sequential_string"},
				{"path":"detect_secrets.filters.wordlist.should_exclude_secret","file_name":"words.txt"},{"path":"custom.filter"}],"results":{"a":[]}}`},
			want: []string{
				"becomes | detect-secrets | .secrets.baseline | should_exclude_file | an allowlist: ^vendor/",
				"becomes | detect-secrets | .secrets.baseline | should_exclude_line | ",
				"counts as it is | detect-secrets | .secrets.baseline |  | what it has of 1 files",
				"not carried over | detect-secrets | .secrets.baseline | Base64HighEntropyString | ",
				"not carried over | detect-secrets | .secrets.baseline | filter | ",
				"not carried over | detect-secrets | .secrets.baseline | should_exclude_file | the expression is none of RE2's",
			},
			config: []string{"paths = ['^vendor/']", `regexes = ['test\d']`, "regexTarget = 'line'"},
		},
		"trufflehog": {
			files: map[string]string{
				"trufflehog.yaml":   "detectors:\n- name: Our Token\n  keywords: [ours]\n  regex:\n    id: 'ours-[a-z]{12}'\n    key: 'x(?=y)'\n  verify:\n  - endpoint: http://localhost\nsources:\n- type: git\n",
				".trufflehogignore": "# why\n^docs/.*\n\n",
			},
			want: []string{
				"becomes | trufflehog | .trufflehogignore | path | an allowlist: ^docs/.*",
				"becomes | trufflehog | trufflehog.yaml | Our Token: id | the rule our-token-id",
				"not carried over | trufflehog | trufflehog.yaml | Our Token: key | ",
				"not carried over | trufflehog | trufflehog.yaml | Our Token: verify | ",
				"to be replaced by you | trufflehog | trufflehog.yaml | sources | ",
			},
			config: []string{"id = 'our-token-id'", "regex = 'ours-[a-z]{12}'", "keywords = ['ours']", "paths = ['^docs/.*']"},
		},
		"ggshield": {
			files: map[string]string{".gitguardian.yaml": "version: 2\ninstance: https://x\nsecret:\n  ignored_paths: ['**/fixtures/', 'a.md']\n  ignored_matches:\n  - name: one\n    match: abc\n  ignored_detectors: [Generic]\nexit_zero: true\n"},
			want: []string{
				"becomes | ggshield | .gitguardian.yaml | ignored path **/fixtures/ | ", "becomes | ggshield | .gitguardian.yaml | ignored path a.md | ",
				"not carried over | ggshield | .gitguardian.yaml | ignored detector Generic | ", "not carried over | ggshield | .gitguardian.yaml | instance | ",
				"to be replaced by you | ggshield | .gitguardian.yaml | exit_zero | ", "to be replaced by you | ggshield | .gitguardian.yaml | ignored matches | 1 values",
			},
			config: []string{`paths = ['^(?:.*/)?fixtures/', '(?:^|/)a\.md(?:/|$)']`},
		},
		"broken": {
			files: map[string]string{".gitguardian.yml": "secret: [", ".secrets.baseline": "{", "trufflehog.yml": "\t", ".pre-commit-config.yaml": "repos: 1"},
			want: []string{
				"not carried over | detect-secrets | .secrets.baseline |  | it is no JSON", "not carried over | ggshield | .gitguardian.yml |  | it is no YAML",
				"not carried over | pre-commit | .pre-commit-config.yaml |  | it is no YAML", "not carried over | trufflehog | trufflehog.yml |  | it is no YAML",
			},
		},
		"hooks and pipelines": {
			files: map[string]string{
				".pre-commit-config.yaml":  "repos:\n- repo: https://github.com/gitleaks/gitleaks\n  rev: v8\n  hooks: [{id: gitleaks-docker, args: [--verbose]}]\n- repo: x\n  hooks: [{id: black}]\n",
				".github/workflows/ci.yml": "jobs:\n  a:\n    steps:\n    - uses: gitleaks/gitleaks-action@v2\n    # - uses: trufflesecurity/trufflehog@main\n    - run: trufflehog filesystem . --json\n",
				"Makefile":                 "check:\n\tgitleaks detect --no-git -v --report-path=r.json --report-format sarif\n\tgitleaks protect --staged\n\tdetect-secrets-hook --baseline .secrets.baseline\n",
				".gitlab-ci.yml":           "x:\n  script: gitleaks git --log-opts=\"a..b\" -v\n",
			},
			want: []string{
				"to be replaced by you | detect-secrets | Makefile:4 | ", "to be replaced by you | gitleaks | .github/workflows/ci.yml:4 | gitleaks/gitleaks-action | ",
				"to be replaced by you | gitleaks | .gitlab-ci.yml:2 | gitleaks git | revenant git . --log-opts=\"a..b\"",
				"to be replaced by you | gitleaks | .pre-commit-config.yaml | hook gitleaks-docker | a local hook with the entry: revenant git --pre-commit --staged (its arguments were: --verbose)",
				"to be replaced by you | gitleaks | Makefile:2 | gitleaks detect | revenant dir . --report-path=r.json --report-format sarif",
				"to be replaced by you | gitleaks | Makefile:3 | gitleaks protect | revenant git --staged",
				"to be replaced by you | trufflehog | .github/workflows/ci.yml:6 | trufflehog filesystem | revenant dir .",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := migrate.New(project(t, c.files))
			if err != nil {
				t.Fatal(err)
			}
			got := lines(p)
			if len(got) != len(c.want) {
				t.Fatalf("%d steps, want %d:\n%s", len(got), len(c.want), strings.Join(got, "\n"))
			}
			for i, want := range c.want {
				if !strings.HasPrefix(got[i], want) || strings.HasSuffix(got[i], "--staged --staged") {
					t.Errorf("%s, want %s", got[i], want)
				}
			}
			for _, line := range c.config {
				if !strings.Contains(p.Config, line+"\n") {
					t.Errorf("the configuration has no line %s:\n%s", line, p.Config)
				}
			}
			if len(c.config) == 0 != (p.Config == "") {
				t.Errorf("configuration: %s", p.Config)
			}
			if p.Config != "" {
				if _, err := rules.New(rules.Options{Contents: []byte(migrate.Head + p.Config)}); err != nil {
					t.Errorf("the configuration cannot be used: %v", err)
				}
			}
		})
	}
	if _, err := migrate.New(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("no folder is no error")
	}
}

// What becomes a rule or an allowlist does what it did.
func TestConfigWorks(t *testing.T) {
	p, err := migrate.New(project(t, map[string]string{
		"trufflehog.yaml":   "detectors:\n- name: Our's \"Token\"\n  keywords: [ours]\n  regex: {id: \"ours'-[a-z]{12}\"}\n",
		".gitguardian.yaml": "version: 2\nsecret:\n  ignored_paths: ['docs/**/*.md', '*.lock']\n",
	}))
	if err != nil {
		t.Fatal(err)
	}
	m, err := rules.New(rules.Options{Contents: []byte(migrate.Head + p.Config)})
	if err != nil {
		t.Fatalf("%v\n%s", err, p.Config)
	}
	got := map[string]int{}
	for _, path := range []string{"a.txt", "docs/a/b.md", "docs/a.md", "x/docs/a.md", "a.lock", "b/a.lock", "a.lock.txt"} {
		got[path] = len(m.AppendHits(nil, scanners.Chunk{Data: []byte("x = ours'-abcdefghijkl\n"), Path: path, Final: true}))
	}
	if diff := cmp.Diff(map[string]int{"a.txt": 1, "docs/a/b.md": 0, "docs/a.md": 0, "x/docs/a.md": 1, "a.lock": 0, "b/a.lock": 0, "a.lock.txt": 1}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !regexp.MustCompile(`(?m)^regex = "ours'-`).MatchString(p.Config) {
		t.Errorf("a quote in an expression: %s", p.Config)
	}
}
