package migrate

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"gopkg.in/yaml.v3"
)

// hooks looks at the configuration of the pre-commit framework.
func (p *plan) hooks() {
	const file = ".pre-commit-config.yaml"
	data, has := p.read("pre-commit", file)
	if !has {
		return
	}
	var doc struct {
		Repos []struct {
			Repo  string `yaml:"repo"`
			Hooks []struct {
				ID    string   `yaml:"id"`
				Entry string   `yaml:"entry"`
				Args  []string `yaml:"args"`
			} `yaml:"hooks"`
		} `yaml:"repos"`
	}
	if yaml.Unmarshal(data, &doc) != nil {
		p.lost("pre-commit", file, "", "it is no YAML, or of another form")
		return
	}
	for _, r := range doc.Repos {
		for _, h := range r.Hooks {
			tool := toolIn(h.ID + " " + h.Entry)
			if tool == "" {
				continue
			}
			text := "a local hook with the entry: revenant git --pre-commit --staged"
			if len(h.Args) > 0 {
				text += " (its arguments were: " + strings.Join(h.Args, " ") + ")"
			}
			p.replace(tool, file, "hook "+h.ID, text)
		}
	}
}

// toolIn names the tool that a command or a name belongs to.
func toolIn(text string) string {
	for _, t := range []string{betterleaks, gitleaks, trufflehog, detectSecrets, ggshield} {
		if strings.Contains(text, t) {
			return t
		}
	}
	return ""
}

// pipelineFiles are where pipelines are described.
func (p *plan) pipelineFiles() (out []string) {
	for _, pattern := range []string{
		".github/workflows/*.yml", ".github/workflows/*.yaml", ".gitlab-ci.yml", "azure-pipelines.yml", "bitbucket-pipelines.yml",
		"Jenkinsfile", ".circleci/config.yml", ".drone.yml", "cloudbuild.yaml", "Makefile",
	} {
		found, err := filepath.Glob(filepath.Join(p.root, filepath.FromSlash(pattern)))
		if err != nil {
			continue
		}
		for _, f := range found {
			if rel, err := filepath.Rel(p.root, f); err == nil {
				out = append(out, filepath.ToSlash(rel))
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// actions are what pipelines use by name.
var actions = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)(gitleaks/gitleaks-action|trufflesecurity/trufflehog|GitGuardian/ggshield(?:-action)?(?:/\S+)?)@?\S*`)
})

// commands are how tools are called.
var commands = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\b(gitleaks|betterleaks|trufflehog|ggshield)\s+(git|dir|detect|protect|stdin|directory|filesystem|secret|github|docker|s3|gitlab|syslog)\b(.*)`)
})

var auditing = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\bdetect-secrets(?:-hook)?\s+(scan|audit|--baseline)\b`)
})

// pipelines looks for calls of other tools, line by line: pipelines are
// written in many languages.
func (p *plan) pipelines() {
	for _, file := range p.pipelineFiles() {
		if info, err := os.Stat(filepath.Join(p.root, filepath.FromSlash(file))); err != nil || info.IsDir() {
			continue
		}
		data, has := p.read("pipeline", file)
		if !has {
			continue
		}
		n := 0
		for line := range strings.Lines(string(data)) {
			n++
			p.call(fmt.Sprintf("%s:%d", file, n), strings.TrimSpace(line))
		}
	}
}

func (p *plan) call(at, line string) {
	if strings.HasPrefix(line, "#") || strings.HasPrefix(line, "//") {
		return
	}
	if m := actions().FindStringSubmatch(line); m != nil {
		tool := toolIn(strings.ToLower(m[1]))
		p.replace(tool, at, m[1], "a step that runs: revenant git --log-opts \"$BASE..HEAD\" -f sarif -r revenant.sarif")
		return
	}
	if m := commands().FindStringSubmatch(line); m != nil {
		p.replace(m[1], at, strings.TrimSpace(m[1]+" "+m[2]), "revenant "+verb(m[1], m[2], m[3]))
		return
	}
	if m := auditing().FindStringSubmatch(line); m != nil {
		p.replace(detectSecrets, at, "detect-secrets "+m[1], "revenant dir . -b .secrets.baseline")
	}
}

// verb is our command for another tool's.
func verb(tool, command, rest string) string {
	switch command {
	case "dir", "directory", "filesystem":
		return "dir ." + kept(rest)
	case "stdin":
		return "stdin" + kept(rest)
	case "protect":
		return "git --staged" + kept(strings.ReplaceAll(rest, "--staged", ""))
	case "detect":
		if strings.Contains(rest, "--no-git") {
			return "dir ." + kept(rest)
		}
		return "git ." + kept(rest)
	case "git":
		return "git ." + kept(rest)
	case "secret":
		if tool == ggshield && strings.Contains(rest, "pre-commit") {
			return "git --staged"
		}
		return "git ."
	case "github", "gitlab":
		return "git --repos-from repositories.txt"
	}
	return "is no replacement: " + command + " is not read"
}

// shared are gitleaks' flags that mean the same here.
var shared = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?:^|\s)(--(?:log-opts|report-path|report-format|config|baseline-path|exit-code|max-decode-depth|max-archive-depth|gitleaks-ignore-path|staged|pre-commit)(?:[ =](?:"[^"]*"|'[^']*'|[^\s-]\S*))?)`)
})

// kept are the flags of a call that mean the same here.
func kept(rest string) string {
	var b strings.Builder
	for _, m := range shared().FindAllStringSubmatch(rest, -1) {
		b.WriteString(" " + strings.TrimSpace(m[1]))
	}
	return b.String()
}

// unfit is what stands in no rule's id.
var unfit = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`[^a-z0-9]+`) })

// slug makes a rule's id of a name.
func slug(name string) string {
	s := strings.Trim(unfit().ReplaceAllString(strings.ToLower(name), "-"), "-")
	return cmp.Or(s, "custom")
}

// sorted yields a map by its keys.
func sorted(m map[string]string) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			if !yield(k, m[k]) {
				return
			}
		}
	}
}
