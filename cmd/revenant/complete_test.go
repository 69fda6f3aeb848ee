package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// newCompleting is a box with a little of everything that can be completed.
func newCompleting(t *testing.T) (b *box, values []string) {
	b = newBox(t)
	values = []string{generated(31), generated(32)}
	b.must(0, "", "init")
	b.must(0, values[0], "secret", "add", "billing/db-password")
	b.must(0, values[1], "secret", "rotate", "billing/db-password")
	b.must(0, generated(33), "secret", "add", "shop/token")
	b.write("a.env", "x="+values[0]+"\n")
	b.must(1, "", "dir", b.work, "--source", "dir:/srv/app")
	return b, values
}

// TestCompletion asks as a shell's script does.
func TestCompletion(t *testing.T) {
	b, values := newCompleting(t)
	before, err := os.ReadFile(filepath.Join(b.registry(), "registry.db"))
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		line string
		want []string
		not  []string
	}{
		{"secret show bil", []string{"billing/db-password\t1 active, 1 superseded"}, []string{"shop/token"}},
		{"secret show billing/db-password ", nil, []string{"billing"}},
		{"prove billing/db-password@", []string{"billing/db-password@1\tsuperseded", "billing/db-password@2\tactive"}, nil},
		{"findings list --secret sh", []string{"shop/token@1\tactive"}, nil},
		{"source show ", []string{"dir:/srv/app\t1 lagging"}, nil},
		{"source move ", []string{"dir:/srv/app"}, nil},
		{"findings show ", []string{"\tlagging a.env"}, nil},
		{"findings show rv1:", []string{"rv1:"}, nil},
		{"findings list --verdict leaked,", []string{"leaked,stale"}, nil},
		{"findings list --rule github", []string{"github-pat"}, []string{"stripe"}},
		{"dir --fail-on ", []string{"critical", "stale", "none"}, nil},
		{"dir -f ", []string{"sarif", "junit"}, nil},
		{"secret import --format ", []string{"dotenv", "vault"}, nil},
		{"stdin --format ", []string{"ndjson"}, []string{"vault"}},
		{"secret list --state ", []string{"retired"}, nil},
		{"prove x@1 --accept-skip arch", []string{"archive"}, nil},
		{"secret a", []string{"add\t", "allow\t", "adopt\t"}, nil},
		{"dir -r a.json --report-p", []string{"--report-path"}, nil}, // it repeats
		{"status ", nil, []string{"registry"}},
		{"search verd", []string{"verdict:"}, nil},
		{"search is:open source:", []string{"source:dir:/srv/app"}, nil},
		{"search --facets verdict,ow", []string{"verdict,owner"}, nil},
	}
	for _, c := range cases {
		r := b.must(0, "", append([]string{"__complete"}, strings.Split(c.line, " ")...)...)
		for _, w := range c.want {
			if !strings.Contains(r.stdout, w) {
				t.Errorf("%q: %q is not in\n%s", c.line, w, r.stdout)
			}
		}
		for _, n := range append(c.not, values...) {
			if strings.Contains(r.stdout+r.stderr, n) {
				t.Errorf("%q: %q is in\n%s", c.line, n, r.stdout)
			}
		}
	}
	after, err := os.ReadFile(filepath.Join(b.registry(), "registry.db"))
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("completing changed the registry: %v", err)
	}
	empty := newBox(t)
	if r := empty.must(0, "", "__complete", "secret", "show", ""); strings.Contains(r.stdout, "revenant init") {
		t.Errorf("without a registry it says %q", r.stdout)
	}
	if exists(empty.registry()) {
		t.Error("completing made a registry")
	}
}

// TestShells: real shells load the scripts, and complete with them.
func TestShells(t *testing.T) {
	b, _ := newCompleting(t)
	bin := filepath.Join(b.dir, "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(bin, "revenant"), []byte("#!/bin/sh\nexec '"+os.Args[0]+"' \"$@\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	b.env = append(b.env, "PATH="+bin+":"+os.Getenv("PATH"), "TERM=dumb")
	for _, c := range []struct {
		name, want string
		command    []string
	}{
		{"bash", "billing/db-password", []string{"bash", "-c", `
			source /usr/share/bash-completion/bash_completion && source <(revenant completion bash) || exit 9
			COMP_LINE="revenant secret show bil" COMP_POINT=24 COMP_WORDS=(revenant secret show bil) COMP_CWORD=3 COMP_TYPE=9
			__start_revenant && printf '%s\n' "${COMPREPLY[@]}"`}},
		{"bash states", "superseded", []string{"bash", "-c", `
			source /usr/share/bash-completion/bash_completion && source <(revenant completion bash) || exit 9
			COMP_LINE="revenant secret list --state su" COMP_POINT=31 COMP_WORDS=(revenant secret list --state su) COMP_CWORD=4 COMP_TYPE=9
			__start_revenant && printf '%s\n' "${COMPREPLY[@]}"`}},
		{"fish", "billing/db-password", []string{"fish", "-c", `revenant completion fish | source; complete -C "revenant secret show bil"`}},
		{"zsh", "_revenant", []string{"zsh", "-fc", `autoload -U compinit && compinit -u -D && revenant completion zsh > "$TMPDIR/_revenant" &&
			source "$TMPDIR/_revenant" && print -r -- "${_comps[revenant]}"`}},
	} {
		cmd := exec.CommandContext(t.Context(), c.command[0], c.command[1:]...)
		cmd.Env, cmd.Dir = b.env, b.work
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), c.want) {
			t.Errorf("%s: %v, %q is not in\n%s", c.name, err, c.want, out)
		}
	}
	b.wantWords(b.must(0, "", "completion", "powershell"), "Register-ArgumentCompleter")
	b.must(2, "", "completion", "tcsh")
}
