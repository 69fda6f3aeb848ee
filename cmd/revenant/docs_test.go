package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"revenant/fingerprints"
)

// docsRoot is the project's folder.
const docsRoot = "../.."

// pages are README.md and everything in docs/.
func docPages(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, top := range []string{"README.md", "CONTRIBUTING.md", "docs"} {
		err := filepath.WalkDir(filepath.Join(docsRoot, top), func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(name, ".md") {
				return err
			}
			b, err := os.ReadFile(name)
			out[name] = string(b)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// anchors are what headings of a page are called in links, as forges make them.
func anchors(page string) map[string]bool {
	out := map[string]bool{}
	dropped := regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
	for line := range strings.Lines(page) {
		title := strings.TrimLeft(line, "#")
		if title == line || !strings.HasPrefix(title, " ") {
			continue
		}
		out[strings.ReplaceAll(dropped.ReplaceAllString(strings.ToLower(strings.TrimSpace(title)), ""), " ", "-")] = true
	}
	return out
}

// TestLinks: every relative link leads somewhere, and every page can be reached
// from the index.
func TestLinks(t *testing.T) {
	all := docPages(t)
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	reached := map[string]bool{}
	for name, text := range all {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			file, anchor, _ := strings.Cut(m[1], "#")
			target := filepath.Join(filepath.Dir(name), file)
			if file == "" {
				target = name
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: %s leads nowhere", name, m[1])
				continue
			}
			if target != name {
				reached[target] = true
			}
			if anchor != "" && !anchors(all[target])[anchor] {
				t.Errorf("%s: %s has no such heading", name, m[1])
			}
		}
	}
	for name := range all {
		if !reached[name] && filepath.Dir(name) != docsRoot {
			t.Errorf("no page leads to %s", name)
		}
	}
}

// commandLines are the calls of the program in blocks of a page and in code
// inside its text.
func commandLines(page string) []string {
	var out []string
	call := regexp.MustCompile(`(?:^|[|(;] *|\$ |run: |script: |exec |entry: )revenant ([^\n]*)`)
	page = regexp.MustCompile(`\\\n\s+`).ReplaceAllString(page, " ")
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, "    ") {
			for _, m := range call.FindAllStringSubmatch(strings.TrimSpace(line), -1) {
				out = append(out, m[1])
			}
			continue
		}
		for _, m := range regexp.MustCompile("`revenant ([^`]+)`").FindAllStringSubmatch(line, -1) {
			out = append(out, m[1])
		}
	}
	return out
}

// shellWords cuts a command line as a shell would, up to what ends the command.
func shellWords(line string) []string {
	var out []string
	for _, m := range regexp.MustCompile(`(?:[^\s'"|;&<>#()]|'[^']*'|"[^"]*"|#\S)+|[|;&<>()]|#`).FindAllString(line, -1) {
		if strings.ContainsAny(m[:1], "|;&<>#()") {
			break
		}
		out = append(out, strings.NewReplacer("'", "", `"`, "").Replace(m))
	}
	return out
}

// TestCommandsInDocs: every call in the documents has a command and flags that
// exist, and values that its flags take.
func TestCommandsInDocs(t *testing.T) {
	checked := 0
	for name, text := range docPages(t) {
		for _, line := range commandLines(text) {
			words := queryArgs(shellWords(strings.TrimSuffix(strings.TrimSpace(line), "...")))
			if len(words) == 0 || words[0] == "COMMAND" {
				continue
			}
			root := newApp().rootCommand()
			root.InitDefaultHelpCmd()
			c, rest, err := root.Find(words)
			if err != nil || c == root {
				t.Errorf("%s: revenant %s: there is no such command", name, line)
				continue
			}
			if rest = withoutPlaceholders(rest); c.Name() == "help" {
				continue
			}
			if err := c.ParseFlags(rest); err != nil && !errors.Is(err, pflag.ErrHelp) {
				t.Errorf("%s: revenant %s: %v", name, line, err)
				continue
			}
			if c.HasSubCommands() && !strings.Contains(c.Use, " ") && c.Flags().NArg() > 0 && c.Flags().Arg(0) != "COMMAND" {
				t.Errorf("%s: revenant %s: no such subcommand", name, line)
			}
			checked++
		}
	}
	if checked < 150 {
		t.Errorf("only %d calls were found", checked)
	}
}

// withoutPlaceholders leaves out what a synopsis has in brackets, and puts a
// number where it says N.
func withoutPlaceholders(words []string) []string {
	var out []string
	for _, w := range words {
		switch {
		case w == "N":
			out = append(out, "1")
		case !strings.HasPrefix(w, "[") && !strings.HasSuffix(w, "..."):
			out = append(out, w)
		}
	}
	return out
}

// TestTroubleshooting: the page has every reason for which something is not read,
// and every word of the domain has a place in the concepts.
func TestTroubleshooting(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(docsRoot, "docs", "troubleshooting.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range fingerprints.SkipReasons() {
		if !strings.Contains(string(page), "| `"+string(r)+"` |") {
			t.Errorf("troubleshooting.md does not say what %s is", r)
		}
	}
	concepts, err := os.ReadFile(filepath.Join(docsRoot, "docs", "concepts.md"))
	if err != nil {
		t.Fatal(err)
	}
	words := append(words(fingerprints.Verdicts()), words(fingerprints.States())...)
	for _, w := range words {
		if !strings.Contains(string(concepts), "`"+w+"`") {
			t.Errorf("concepts.md does not have %s", w)
		}
	}
}
