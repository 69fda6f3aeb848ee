package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// preparingPages makes, beside what the examples of help name, what the pages
// name.
const preparingPages = `
printf 'shop-first-%s' 91a2b3c4d5e6f7 | revenant secret add shop/db-password -q
printf '[{"RuleID": "x", "File": "a.txt", "Secret": "REDACTED"}]' > report.json
printf '{{ range . }}{{ .Severity | upper }} {{ .File }}{{ end }}{{ (summary).Findings }} findings\n' > report.tmpl
printf '{}' > secrets.enc.json
mkdir -p app && cp ../app/app.env app
git clone -q . ../ledger
revenant key status --json | sed -n 's/.*"proof_public_key": "\(.*\)",/\1/p' > proof.pub
export BASE=HEAD~0 GITHUB_STEP_SUMMARY=step.md
`

// beforePage are further steps for one page.
func beforePage() map[string]string {
	return map[string]string{
		"quick-start.md": `rm -r "$REVENANT_HOME"`,
		"prove-a-value-is-gone.md": `printf second-%s 0f1e2d3c4b5a69 | revenant secret rotate shop/db-password -q
revenant secret retire shop/db-password@1 -q`,
		"live-with-old-findings.md": `revenant dir ../app -q --exit-code 0 --config ../rules.toml`,
	}
}

// pageCommands are the lines of a page's blocks that a reader runs: those that
// call the program, and those that make folders for it.
func pageCommands(page string) []string {
	begins := regexp.MustCompile(`^(?:revenant|mkdir|git add|git log|[^:]*\| *revenant) `)
	called := regexp.MustCompile(`^(?:\$ |- run: |script: |entry: |exec )`)
	var out []string
	for line := range strings.Lines(regexp.MustCompile(`\\\n\s+`).ReplaceAllString(page, " ")) {
		if !strings.HasPrefix(line, "    ") {
			continue
		}
		line = called.ReplaceAllString(strings.TrimSpace(line), "")
		if begins.MatchString(line) || strings.HasPrefix(line, "printf ") || strings.HasPrefix(line, "cat ") {
			out = append(out, line)
		}
	}
	return out
}

// onTestMachine is a page's line with what is not in the sandbox put to what is.
func onTestMachine(line, finding string) string {
	line = regexp.MustCompile(`\b(3f2a9c|6ebce4659007)\b`).ReplaceAllString(line, finding)
	line = strings.NewReplacer(
		`"postgres://revenant@db.example.org/revenant?sslmode=verify-full&sslrootcert=/etc/ssl/db-ca.pem"`, "copied.db",
		"revenant store restore", `rm "$REVENANT_HOME"/registry.db; revenant store restore`,
		" /srv/backups", " ../app", " revenant git .", " revenant git ../shop", "| Out-String | Invoke-Expression", "> /dev/null",
		"make man", "true", "make test", "echo tested", "/etc/revenant/", "", "hook install --system", "hook install --hooks-folder hooks --global", " PATH", " ../app", " ID", " dir:/srv/old", " FILE", " ring.age", " NAME@N", " shop/db-password@1", " NAME", " shop/db-password",
	).Replace(line)
	if strings.Contains(line, " --pack edge.pack") { // a pipeline's masked variable
		line = `REVENANT_PACK_KEY="$(cat edge.key)" ` + line
	}
	return elsewhere(line, finding)
}

// TestPagesRun runs the commands of the pages that say how to do something, one
// after another in a place of their own: each does what it says.
func TestPagesRun(t *testing.T) {
	t.Parallel()
	e := newExampleBox(t)
	e.stub("aws", `printf '{"Name":"shop/db","SecretString":"{\"password\":\"aws-%s\"}"}' 5544332211aabbcc`)
	e.stub("kubectl", `case "$*" in *secret*) printf '{"kind":"Secret","metadata":{"name":"shop"},"data":{"password":"azhzLTExMjIzMzQ0NTU2Njc3ODg="}}';; *) echo a line of a log;; esac`)
	e.stub("sops", `printf '{"password":"sops-%s"}' aabbccddeeff0011`)
	if r := e.shell("set -e\n" + preparingPages); r.code != 0 {
		t.Fatalf("preparing: %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	e.env = append(e.env, "BASE=HEAD~0", "GITHUB_STEP_SUMMARY=step.md", "OLD="+generated(7))
	authority := t.TempDir()
	certified(t, authority)
	ca, err := os.ReadFile(filepath.Join(authority, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	e.write("here/ca.pem", string(ca))
	kept := e.keep(t)
	pages, err := filepath.Glob(filepath.Join(docsRoot, "docs", "how-to", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"troubleshooting.md", "baselines.md", "reports.md", "migration.md", "rules.md", "quick-start.md"} {
		pages = append(pages, filepath.Join(docsRoot, "docs", name))
	}
	ran := 0
	for _, name := range pages {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		lines := pageCommands(string(text))
		ran += len(lines)
		t.Run(filepath.Base(name), func(t *testing.T) {
			e := e.on(t, kept)
			if first := beforePage()[filepath.Base(name)]; first != "" {
				if r := e.shell("set -e\n" + first); r.code != 0 {
					t.Fatalf("before: %d\n%s%s", r.code, r.stdout, r.stderr)
				}
			}
			for _, line := range lines {
				most := 1 // findings
				if strings.Contains(line, "revenant prove ") {
					most = 3 // not all is covered here
				}
				if r := e.shell("set -o pipefail\n" + onTestMachine(line, e.finding)); r.code > most || regexp.MustCompile(`(?m)^(?:revenant|bash|cat|mkdir): `).MatchString(r.stderr) {
					t.Errorf("%s: exit code %d\n%s%s", onTestMachine(line, e.finding), r.code, r.stdout, r.stderr)
				}
			}
		})
	}
	if ran < 50 {
		t.Errorf("only %d commands", ran)
	}
}

// stub makes a program of another's name.
func (e exampleBox) stub(name, script string) {
	if err := os.WriteFile(filepath.Join(e.dir, "bin", name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		e.t.Fatal(err)
	}
}
