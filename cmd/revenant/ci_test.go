package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// ciBox is a remote with a branch that adds a secret and takes it out again, and
// a clone of it as a CI system makes one.
type ciBox struct {
	*hooked
	remote, base, clone string
}

func newCI(t *testing.T, depth string) *ciBox {
	t.Helper()
	h := &hooked{box: newBox(t)}
	h.env = append(
		h.env, "LC_ALL=C", "GIT_CONFIG_GLOBAL="+filepath.Join(h.box.dir, "gitconfig"), "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=x", "GIT_AUTHOR_EMAIL=x@example.org", "GIT_COMMITTER_NAME=x", "GIT_COMMITTER_EMAIL=x@example.org",
	)
	c := &ciBox{hooked: h, remote: filepath.Join(h.work, "remote"), clone: filepath.Join(h.work, "clone")}
	h.dir = c.remote
	h.must0(h.git(h.work, "init", "-q", "-b", "main", c.remote))
	h.file("old.txt", ghToken(1)+"\n")
	h.commit("old debt")
	c.base = strings.TrimSpace(h.git(c.remote, "rev-parse", "HEAD").stdout)
	h.must0(h.git(c.remote, "checkout", "-q", "-b", "topic"))
	h.file("leak.txt", "a\nb = \""+ghToken(2)+"\"\n")
	h.commit("adds")
	h.must0(h.git(c.remote, "rm", "-q", "leak.txt"))
	h.must0(h.git(c.remote, "commit", "-q", "-m", "removes"))
	h.must0(h.git(h.work, "clone", "-q", "--depth", depth, "-b", "topic", "file://"+c.remote, c.clone))
	c.cwd = c.clone
	return c
}

func (h *hooked) commit(message string) {
	h.t.Helper()
	h.must0(h.git(h.dir, "add", "-A"))
	h.must0(h.git(h.dir, "commit", "-q", "-m", message))
}

// ci runs the step with further variables.
func (c *ciBox) ci(stdin string, vars []string, args ...string) ran {
	c.t.Helper()
	old := c.env
	defer func() { c.env = old }()
	c.env = append(slices.Clone(old), vars...)
	return c.run(stdin, append([]string{"ci"}, args...)...)
}

func (c *ciBox) event(v any) []string {
	c.t.Helper()
	text, err := json.Marshal(v)
	if err == nil {
		err = os.WriteFile(c.out("event.json"), text, 0o600)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	return []string{"GITHUB_ACTIONS=true", "GITHUB_EVENT_PATH=" + c.out("event.json"), "GITHUB_STEP_SUMMARY=" + c.out("summary.md"), "GITHUB_REF=refs/pull/1/merge"}
}

func (c *ciBox) pull(head string) []string {
	type m map[string]any
	return c.event(m{"pull_request": m{"base": m{"sha": c.base, "repo": m{"full_name": "o/r"}}, "head": m{"repo": m{"full_name": head}}}})
}

// TestCIGitHub: the change of a pull request, from a clone of one commit; shown
// at its lines and in the summary; nothing in it is a command.
func TestCIGitHub(t *testing.T) {
	c := newCI(t, "1")
	r := c.ci("", c.pull("o/r"), "-r", "text:-", "-r", c.out("r.sarif"))
	if r.code != 1 || !strings.Contains(r.stdout, "leak.txt:2:") || strings.Contains(r.stdout+r.stderr, "old.txt") {
		t.Errorf("exit code %d\n%s\n%s", r.code, r.stdout, r.stderr)
	}
	if !strings.Contains(r.stderr, "::error file=leak.txt,line=2,") {
		t.Errorf("no annotation: %s", r.stderr)
	}
	m := regexp.MustCompile(`(?s)^::stop-commands::([0-9a-f]{32})\n.*\n::([0-9a-f]{32})::\n$`).FindStringSubmatch(r.stdout)
	if m == nil || m[1] != m[2] {
		t.Errorf("the report is not fenced:\n%s", r.stdout)
	}
	summary, err := os.ReadFile(c.out("summary.md"))
	if err != nil || !strings.Contains(string(summary), "`leak.txt:2`") {
		t.Errorf("%v\n%s", err, summary)
	}
	if _, err := os.Stat(c.out("r.sarif")); err != nil {
		t.Error(err)
	}
	// Another step's words in the summary stay.
	c.ci("", c.pull("o/r"))
	if again, _ := os.ReadFile(c.out("summary.md")); !bytes.HasPrefix(again, summary) || len(again) == len(summary) {
		t.Error("the summary was not added to")
	}
}

// TestCIDebt: what a baseline knows blocks nobody.
func TestCIDebt(t *testing.T) {
	c := newCI(t, "1")
	r := c.ci("", nil, "--base", "main", "--write-baseline", c.out("baseline"))
	if r.code != 0 || !strings.Contains(r.stdout+r.stderr, "tolerated") {
		t.Fatalf("exit code %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	if r = c.ci("", nil, "--base", "main", "-b", c.out("baseline")); r.code != 0 {
		t.Errorf("exit code %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	if r = c.ci("", nil, "--base", "main", "--fail-on", "high"); r.code != 0 {
		t.Errorf("--fail-on high: exit code %d", r.code)
	}
}

// TestCIFailures: what could not be looked at or for is never clean; a fork's
// build says what it was not given.
func TestCIFailures(t *testing.T) {
	c := newCI(t, "1")
	clean := []string{"--fail-on", "critical"}
	none := func() []string { return nil }
	gone := func() []string {
		return append(c.event(map[string]any{"before": strings.Repeat("12", 20)}), "GITHUB_REF=refs/heads/topic")
	}
	for name, at := range map[string]struct {
		vars  func() []string
		args  []string
		code  int
		words []string
	}{
		"offline":            {none, append(clean, "--offline"), 3, []string{"not complete", "shallow clone"}},
		"base is gone":       {gone, append(clean, "--offline"), 3, []string{"cannot be fetched"}},
		"no pack key":        {none, append(clean, "--base", "main", "--pack", c.out("none.pack")), 3, []string{"the pack cannot be used", "REVENANT_PACK_KEY"}},
		"fork":               {func() []string { return c.pull("x/r") }, append(clean, "--pack", c.out("none.pack")), 0, []string{"a build of a fork", "generic rules only"}},
		"base that is none":  {none, []string{"--base", "nowhere"}, 2, []string{"--base names no commit"}},
		"head that is none":  {none, []string{"--head", "nowhere"}, 2, []string{"--head names no commit"}},
		"no event":           {func() []string { return []string{"GITHUB_ACTIONS=true", "GITHUB_EVENT_PATH=/none"} }, nil, 2, []string{"GITHUB_EVENT_PATH", "--base"}},
		"no system":          {none, []string{"--provider", "x"}, 2, []string{"--provider", "github"}},
		"no log":             {none, []string{"--only-log"}, 2, []string{"--log"}},
		"log and report mix": {none, []string{"--log", "-", "-f", "json"}, 2, []string{"give -r a file"}},
		"log that is not":    {none, []string{"--log", "/none"}, 2, []string{"--log"}},
		"no repository":      {none, []string{c.out("")}, 2, []string{"no git repository here", "--only-log"}},
	} {
		// Others deepened the clone.
		if err := os.RemoveAll(c.clone); err != nil {
			t.Fatal(err)
		}
		c.must0(c.git(c.work, "clone", "-q", "--depth", "1", "-b", "topic", "file://"+c.remote, c.clone))
		r := c.ci("", at.vars(), at.args...)
		if r.code != at.code {
			t.Errorf("%s: exit code %d, want %d\n%s%s", name, r.code, at.code, r.stdout, r.stderr)
		}
		c.says(ran{stdout: r.stdout + r.stderr}, at.words...)
	}
}

// TestCILog: the build's log goes through unchanged, and is looked at.
func TestCILog(t *testing.T) {
	c := newCI(t, "1")
	log := "building\r\n\x1b[31mred\x1b[0m\nexport TOKEN=" + ghToken(7) + "\nlast line without an end"
	r := c.ci(log, nil, "--base", "main", "--log", "-")
	if r.code != 1 || !strings.HasPrefix(r.stdout, log) || !strings.Contains(r.stdout, "@log:3:") || !strings.Contains(r.stdout, "leak.txt:2:") {
		t.Errorf("exit code %d\n%q", r.code, r.stdout)
	}
	if r = c.ci("all well\n", nil, "--log", "-", "--only-log"); r.code != 0 || !strings.HasPrefix(r.stdout, "all well\n") {
		t.Errorf("exit code %d\n%q", r.code, r.stdout)
	}
}

// step is a step of a composite action.
type step struct {
	Shell string            `yaml:"shell"`
	Env   map[string]string `yaml:"env"`
	Run   string            `yaml:"run"`
}

// TestAction runs the steps of action.yml as a runner does.
func TestAction(t *testing.T) {
	c := newCI(t, "1")
	var action struct {
		Inputs map[string]struct {
			Default string `yaml:"default"`
		} `yaml:"inputs"`
		Runs struct {
			Using string `yaml:"using"`
			Steps []step `yaml:"steps"`
		} `yaml:"runs"`
	}
	readYAML(t, "../../action.yml", &action)
	root, err := filepath.Abs("../..")
	if err != nil || action.Runs.Using != "composite" || len(action.Runs.Steps) != 2 {
		t.Fatalf("%v, %+v", err, action.Runs)
	}
	given := map[string]string{"args": "--only generic  --workers 1", "sarif": "out/$(touch injected) r.sarif", "fail-on": "any"}
	inputs := regexp.MustCompile(`\$\{\{ *inputs\.([a-z-]+) *\}\}`)
	env := append(slices.Clone(c.env), c.pull("o/r")...)
	env = append(env, "GITHUB_ACTION_PATH="+root, "RUNNER_TEMP="+c.out(""), "GITHUB_OUTPUT="+c.out("output"), "PATH="+c.goStub()+":"+os.Getenv("PATH"))
	if err := os.MkdirAll(filepath.Join(c.clone, "out"), 0o755); err != nil {
		t.Fatal(err)
	}
	code := 0
	for _, s := range action.Runs.Steps {
		if strings.Contains(s.Run, "${{") {
			t.Errorf("an expression in a script: what it holds could be a command\n%s", s.Run)
		}
		own := slices.Clone(env)
		for _, k := range slices.Sorted(maps.Keys(s.Env)) {
			own = append(own, k+"="+inputs.ReplaceAllStringFunc(s.Env[k], func(m string) string {
				name := inputs.FindStringSubmatch(m)[1]
				in, known := action.Inputs[name]
				if !known {
					t.Errorf("input %s is not declared", name)
				}
				if v, has := given[name]; has {
					return v
				}
				return in.Default
			}))
		}
		cmd := exec.CommandContext(context.Background(), s.Shell, "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", s.Run)
		cmd.Dir, cmd.Env = c.clone, own
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		if code = cmd.ProcessState.ExitCode(); code > 1 {
			t.Fatalf("exit code %d\n%s", code, out)
		}
	}
	if code != 1 {
		t.Errorf("exit code %d", code)
	}
	built, _ := os.ReadFile(c.out("built"))
	if want := root + " 0 build -trimpath -o " + c.out("") + "/revenant ./cmd/revenant\n"; string(built) != want {
		t.Errorf("built with %q, want %q", built, want)
	}
	if out, _ := os.ReadFile(c.out("output")); string(out) != "exit-code=1\n" {
		t.Errorf("output %q", out)
	}
	if _, err := os.Stat(filepath.Join(c.clone, given["sarif"])); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(c.clone, "injected")); err == nil {
		t.Error("an input was run")
	}
}

func readYAML(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err == nil {
		err = yaml.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// goStub is a folder with a go that notes how it is called, where and with what
// CGO_ENABLED, and makes this test's program of whatever it shall build.
func (c *ciBox) goStub() string {
	c.t.Helper()
	dir := c.out("go")
	script := "#!/bin/sh\necho \"$PWD $CGO_ENABLED $*\" >'" + c.out("built") + "'\nprintf '#!/bin/sh\\nexec \"%s\" \"$@\"\\n' '" + os.Args[0] + "' >\"$4\"\nchmod +x \"$4\"\n"
	if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, "go"), []byte(script), 0o755)); err != nil {
		c.t.Fatal(err)
	}
	return dir
}

// TestTemplates runs what the templates of other systems run, in their
// environment.
func TestTemplates(t *testing.T) {
	c := newCI(t, "1")
	bin := c.out("bin")
	if err := errors.Join(os.MkdirAll(bin, 0o755), os.WriteFile(filepath.Join(bin, "revenant"), []byte("#!/bin/sh\nexec '"+os.Args[0]+"' \"$@\"\n"), 0o755)); err != nil {
		t.Fatal(err)
	}
	var gitlab struct {
		Job struct {
			Script    []string `yaml:"script"`
			Artifacts struct {
				Reports map[string]string `yaml:"reports"`
			} `yaml:"artifacts"`
		} `yaml:"revenant"`
	}
	readYAML(t, "../../docs/ci/gitlab.yml", &gitlab)
	generic, err := os.ReadFile("../../docs/ci/generic.sh")
	if err != nil {
		t.Fatal(err)
	}
	jenkins, err := os.ReadFile("../../docs/ci/Jenkinsfile")
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`sh '([^']+)'`).FindSubmatch(jenkins)
	if line == nil {
		t.Fatal("the Jenkinsfile runs nothing")
	}
	c.must(0, "", "init", "-q")
	c.must(0, "", "pack", "export", "--out", filepath.Join(c.clone, "edge.pack"), "--key-out", c.out("edge.key"), "-q")
	for name, at := range map[string]struct {
		script  string
		vars    []string
		reports []string
	}{
		"gitlab": {
			strings.Join(gitlab.Job.Script, "\n"),
			[]string{"GITLAB_CI=true", "CI_MERGE_REQUEST_DIFF_BASE_SHA=" + c.base, "CI_COMMIT_BEFORE_SHA=" + strings.Repeat("0", 40)},
			slices.Collect(maps.Values(gitlab.Job.Artifacts.Reports)),
		},
		"jenkins": {string(line[1]), []string{"JENKINS_URL=x", "CHANGE_TARGET=main", "REVENANT_PACK_KEY=" + c.out("edge.key")}, []string{"revenant.xml"}},
		"generic": {string(generic), nil, []string{"revenant.xml", "revenant.sarif"}},
	} {
		cmd := exec.CommandContext(t.Context(), "sh", "-c", at.script)
		cmd.Dir, cmd.Env = c.clone, append(append(slices.Clone(c.env), "PATH="+bin+":"+os.Getenv("PATH")), at.vars...)
		out, _ := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); got != 1 || !strings.Contains(string(out), "leak.txt:2:") || strings.Contains(string(out), "old.txt") {
			t.Errorf("%s: exit code %d\n%s", name, got, out)
		}
		for _, r := range at.reports {
			if info, err := os.Stat(filepath.Join(c.clone, r)); err != nil || info.Size() == 0 {
				t.Errorf("%s: report %s: %v", name, r, err)
			}
		}
		if name == "jenkins" && !strings.Contains(string(out), "checked 0 of 0 registered values, pack of just now") {
			t.Errorf("jenkins: the pack was not used\n%s", out)
		}
	}
	var workflow map[string]any
	readYAML(t, "../../docs/ci/github.yml", &workflow)
}
