package migrate

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Outcome is what becomes of a setting.
type Outcome string

// The outcomes, in the order in which people read them.
const (
	Counts  Outcome = "counts as it is"
	Becomes Outcome = "becomes"
	Replace Outcome = "to be replaced by you"
	Lost    Outcome = "not carried over"
)

// Outcomes lists them in order.
func Outcomes() []Outcome { return []Outcome{Counts, Becomes, Replace, Lost} }

// Step is a setting of another tool with what becomes of it.
type Step struct {
	Tool    string  `json:"tool"`
	File    string  `json:"file"` // below the folder
	Setting string  `json:"setting,omitempty"`
	Outcome Outcome `json:"outcome"`
	Text    string  `json:"text"` // what it becomes, or why not
}

// Plan is a migration of one folder.
type Plan struct {
	Steps []Step `json:"steps"`
	// Config is what is to stand in Target, in gitleaks' syntax; empty: nothing.
	// With Append it follows what is there, else it follows Head.
	Config string `json:"config,omitempty"`
	Target string `json:"target,omitempty"`
	Append bool   `json:"append,omitempty"`
}

// plan is a Plan under way.
type plan struct {
	Plan
	root  string
	rules []rule
	allow allowlist
}

// New looks at the folder of a project. Files that cannot be read or understood
// are steps, too.
func New(root string) (Plan, error) {
	if info, err := os.Stat(root); err != nil || !info.IsDir() {
		return Plan{}, fs.ErrNotExist
	}
	p := &plan{root: root}
	p.gitleaks()
	p.detectSecrets()
	p.trufflehog()
	p.ggshield()
	p.hooks()
	p.pipelines()
	p.config()
	slices.SortStableFunc(p.Steps, func(a, b Step) int {
		return cmp.Compare(slices.Index(Outcomes(), a.Outcome), slices.Index(Outcomes(), b.Outcome))
	})
	return p.Plan, nil
}

// maxSettings bounds a file that is read: settings are short.
const maxSettings = 16 << 20

// read reads a file below the root, if it is there.
func (p *plan) read(tool, name string) ([]byte, bool) {
	full := filepath.Join(p.root, filepath.FromSlash(name))
	info, err := os.Stat(full)
	switch {
	case err != nil:
		return nil, false
	case !info.Mode().IsRegular(), info.Size() > maxSettings:
		p.lost(tool, name, "", "it is no file of settings")
		return nil, false
	}
	data, err := os.ReadFile(full)
	if err != nil {
		p.lost(tool, name, "", "it cannot be read")
		return nil, false
	}
	return data, true
}

func (p *plan) step(s Step) { p.Steps = append(p.Steps, s) }

func (p *plan) counts(tool, file, text string) {
	p.step(Step{Tool: tool, File: file, Outcome: Counts, Text: text})
}

func (p *plan) becomes(tool, file, setting, text string) {
	p.step(Step{Tool: tool, File: file, Setting: setting, Outcome: Becomes, Text: text})
}

func (p *plan) replace(tool, file, setting, text string) {
	p.step(Step{Tool: tool, File: file, Setting: setting, Outcome: Replace, Text: text})
}

func (p *plan) lost(tool, file, setting, text string) {
	p.step(Step{Tool: tool, File: file, Setting: setting, Outcome: Lost, Text: text})
}

// config writes what was gathered in gitleaks' syntax.
func (p *plan) config() {
	if len(p.rules) == 0 && p.allow.empty() {
		return
	}
	p.Target = ".gitleaks.toml"
	_, err := os.Stat(filepath.Join(p.root, p.Target))
	p.Append = err == nil
	var b strings.Builder
	for _, r := range p.rules {
		r.write(&b)
	}
	p.allow.write(&b)
	p.Config = b.String()
}

// Head is what a new configuration begins with.
const Head = "title = \"this project\"\n\n[extend]\nuseDefault = true\n"

// rule is a rule of gitleaks'.
type rule struct {
	id, description, regex string
	keywords               []string
	entropy                float64
}

func (r rule) write(b *strings.Builder) {
	fmt.Fprintf(b, "\n[[rules]]\nid = %s\ndescription = %s\nregex = %s\n", quote(r.id), quote(r.description), quote(r.regex))
	if len(r.keywords) > 0 {
		fmt.Fprintf(b, "keywords = %s\n", quoteAll(r.keywords))
	}
	if r.entropy > 0 {
		fmt.Fprintf(b, "entropy = %g\n", r.entropy)
	}
}

// allowlist is what rules let be, whichever matches.
type allowlist struct{ paths, lines, secrets []string }

func (a *allowlist) empty() bool { return len(a.paths)+len(a.lines)+len(a.secrets) == 0 }

func (a *allowlist) write(b *strings.Builder) {
	for _, part := range []struct {
		key, target string
		list        []string
	}{{"paths", "", a.paths}, {"regexes", "line", a.lines}, {"regexes", "secret", a.secrets}} {
		if len(part.list) == 0 {
			continue
		}
		b.WriteString("\n[[allowlists]]\ndescription = \"from other scanners' settings\"\n")
		if part.target != "" {
			fmt.Fprintf(b, "regexTarget = %s\n", quote(part.target))
		}
		fmt.Fprintf(b, "%s = %s\n", part.key, quoteAll(part.list))
	}
}

// quote writes a string as TOML.
func quote(s string) string {
	if !strings.ContainsAny(s, "'\n\r") && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "'" + s + "'"
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteString(`\` + string(r))
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String() + `"`
}

func quoteAll(list []string) string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = quote(s)
	}
	return "[" + strings.Join(out, ", ") + "]"
}
