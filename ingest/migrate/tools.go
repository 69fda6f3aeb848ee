package migrate

import (
	"encoding/json"
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"
)

// The tools.
const (
	gitleaks      = "gitleaks"
	betterleaks   = "betterleaks"
	trufflehog    = "trufflehog"
	detectSecrets = "detect-secrets"
	ggshield      = "ggshield"
)

func (p *plan) gitleaks() {
	if _, has := p.read(gitleaks, ".gitleaks.toml"); has {
		p.counts(gitleaks, ".gitleaks.toml", "rules, allowlists and extensions mean what they mean there")
	} else if _, has := p.read(gitleaks, "gitleaks.toml"); has {
		p.replace(gitleaks, "gitleaks.toml", "", "rename it to .gitleaks.toml, or give it with --config gitleaks.toml")
	}
	if _, has := p.read(betterleaks, ".betterleaks.toml"); has {
		p.replace(betterleaks, ".betterleaks.toml", "", "its gitleaks syntax counts as .gitleaks.toml; expressions (prefilter, filter, validate) are not understood")
	}
	for tool, name := range map[string]string{gitleaks: ".gitleaksignore", betterleaks: ".betterleaksignore"} {
		if _, has := p.read(tool, name); has {
			p.counts(tool, name, "its lines tolerate generic findings, never registered values")
		}
	}
	for _, name := range []string{"gitleaks-baseline.json", "gitleaks-report.json", ".gitleaks-baseline.json", "baseline.json"} {
		if data, has := p.read(gitleaks, name); has && strings.HasPrefix(strings.TrimSpace(string(data)), "[") && strings.Contains(string(data), `"RuleID"`) {
			p.replace(gitleaks, name, "", "give it with -b "+name+", or write a baseline without values: --write-baseline .revenant-baseline")
		}
	}
}

func (p *plan) detectSecrets() {
	const file = ".secrets.baseline"
	data, has := p.read(detectSecrets, file)
	if !has {
		return
	}
	var doc struct {
		Plugins []struct {
			Name  string  `json:"name"`
			Limit float64 `json:"limit"`
		} `json:"plugins_used"`
		Filters []map[string]any           `json:"filters_used"`
		Results map[string]json.RawMessage `json:"results"`
		Exclude struct {
			Files string `json:"files"`
			Lines string `json:"lines"`
		} `json:"exclude"` // before 1.0
	}
	if json.Unmarshal(data, &doc) != nil {
		p.lost(detectSecrets, file, "", "it is no JSON")
		return
	}
	p.counts(detectSecrets, file, fmt.Sprintf("what it has of %d files is tolerated, by the SHA-1 of each value", len(doc.Results)))
	p.pattern(detectSecrets, file, "exclude.files", doc.Exclude.Files, &p.allow.paths)
	p.pattern(detectSecrets, file, "exclude.lines", doc.Exclude.Lines, &p.allow.lines)
	for _, f := range doc.Filters {
		name, _ := f["path"].(string)
		short := name[strings.LastIndexByte(name, '.')+1:]
		into := map[string]*[]string{"should_exclude_file": &p.allow.paths, "should_exclude_line": &p.allow.lines, "should_exclude_secret": &p.allow.secrets}[short]
		switch {
		case into != nil:
			for _, expr := range texts(f["pattern"]) {
				p.pattern(detectSecrets, file, short, expr, into)
			}
		case strings.HasPrefix(name, "detect_secrets.filters.heuristic."), strings.HasPrefix(name, "detect_secrets.filters.allowlist."),
			strings.HasPrefix(name, "detect_secrets.filters.common."): // every scan has them, and ours its own
		default:
			p.lost(detectSecrets, file, short, "there is no such filter here")
		}
	}
	for _, plugin := range doc.Plugins {
		if strings.HasSuffix(plugin.Name, "HighEntropyString") {
			p.lost(detectSecrets, file, plugin.Name, "strings are not reported for their entropy alone; rules ask for a word beside them")
		}
	}
}

// texts are the strings in a value that is one or a list.
func texts(v any) (out []string) {
	switch v := v.(type) {
	case string:
		out = append(out, v)
	case []any:
		for _, e := range v {
			out = append(out, texts(e)...)
		}
	}
	return out
}

// pattern carries an expression over into an allowlist.
func (p *plan) pattern(tool, file, setting, expr string, into *[]string) {
	switch {
	case expr == "":
	case !compiles(expr):
		p.lost(tool, file, setting, "the expression is none of RE2's: "+expr)
	default:
		*into = append(*into, expr)
		p.becomes(tool, file, setting, "an allowlist: "+expr)
	}
}

func (p *plan) trufflehog() {
	for _, file := range []string{".trufflehog.yml", ".trufflehog.yaml", "trufflehog.yml", "trufflehog.yaml", "trufflehog-config.yaml", "trufflehog-config.yml"} {
		data, has := p.read(trufflehog, file)
		if !has {
			continue
		}
		var doc struct {
			Detectors []struct {
				Name       string            `yaml:"name"`
				Keywords   []string          `yaml:"keywords"`
				Regex      map[string]string `yaml:"regex"`
				Entropy    float64           `yaml:"entropy"`
				Verify     []any             `yaml:"verify"`
				Exclusions []string          `yaml:"exclude_regexes_match"`
				Words      []string          `yaml:"exclude_words"`
			} `yaml:"detectors"`
			Sources []any `yaml:"sources"`
		}
		if yaml.Unmarshal(data, &doc) != nil {
			p.lost(trufflehog, file, "", "it is no YAML, or of another form")
			continue
		}
		for _, d := range doc.Detectors {
			p.detector(file, d.Name, d.Keywords, d.Regex, d.Entropy)
			for setting, used := range map[string]bool{"verify": len(d.Verify) > 0, "exclude_regexes_match": len(d.Exclusions) > 0, "exclude_words": len(d.Words) > 0} {
				if used {
					p.lost(trufflehog, file, d.Name+": "+setting, "write an allowlist of the rule instead; values are never sent anywhere")
				}
			}
		}
		if len(doc.Sources) > 0 {
			p.replace(trufflehog, file, "sources", "list repositories in a file: revenant git --repos-from FILE")
		}
	}
	for _, file := range []string{".trufflehogignore", "trufflehog-exclude.txt", "exclude-patterns.txt", ".trufflehog-exclude"} {
		data, has := p.read(trufflehog, file)
		if !has {
			continue
		}
		for line := range strings.Lines(string(data)) {
			if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
				p.pattern(trufflehog, file, "path", line, &p.allow.paths)
			}
		}
	}
}

// detector makes a rule of each expression of a detector.
func (p *plan) detector(file, name string, keywords []string, exprs map[string]string, entropy float64) {
	for key, expr := range sorted(exprs) {
		if !compiles(expr) {
			p.lost(trufflehog, file, name+": "+key, "the expression is none of RE2's: "+expr)
			continue
		}
		id := slug(name)
		if len(exprs) > 1 {
			id += "-" + slug(key)
		}
		p.rules = append(p.rules, rule{id: id, description: name, regex: expr, keywords: keywords, entropy: entropy})
		p.becomes(trufflehog, file, name+": "+key, "the rule "+id)
	}
}

func (p *plan) ggshield() {
	for _, file := range []string{".gitguardian.yaml", ".gitguardian.yml"} {
		data, has := p.read(ggshield, file)
		if !has {
			continue
		}
		var doc struct {
			Version int `yaml:"version"`
			Secret  struct {
				Paths     []string `yaml:"ignored_paths"`
				OldPaths  []string `yaml:"ignored-paths"`
				Matches   []any    `yaml:"ignored_matches"`
				OldMatch  []any    `yaml:"ignored-matches"`
				Detectors []string `yaml:"ignored_detectors"`
			} `yaml:"secret"`
			PathsV1   []string `yaml:"paths-ignore"`
			MatchesV1 []any    `yaml:"matches-ignore"`
			ExitZero  bool     `yaml:"exit_zero"`
			Instance  string   `yaml:"instance"`
		}
		if yaml.Unmarshal(data, &doc) != nil {
			p.lost(ggshield, file, "", "it is no YAML, or of another form")
			continue
		}
		for _, glob := range append(append(doc.Secret.Paths, doc.Secret.OldPaths...), doc.PathsV1...) {
			p.pattern(ggshield, file, "ignored path "+glob, globPattern(glob), &p.allow.paths)
		}
		if n := len(doc.Secret.Matches) + len(doc.Secret.OldMatch) + len(doc.MatchesV1); n > 0 {
			p.replace(ggshield, file, "ignored matches", fmt.Sprintf("%d values or hashes of its own: write a baseline after a look at what is found: --write-baseline .revenant-baseline", n))
		}
		for _, d := range doc.Secret.Detectors {
			p.lost(ggshield, file, "ignored detector "+d, "detectors have other names here: disable a rule under [extend] disabledRules in .gitleaks.toml")
		}
		if doc.ExitZero {
			p.replace(ggshield, file, "exit_zero", "give --exit-code 0")
		}
		if doc.Instance != "" {
			p.lost(ggshield, file, "instance", "nothing is sent to a service")
		}
	}
}
