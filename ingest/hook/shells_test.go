package hook_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"revenant/ingest/hook"
)

// shells are what may be /bin/sh somewhere.
func shells() map[string][]string {
	if testing.Short() {
		return map[string][]string{"dash": {"dash"}}
	}
	return map[string][]string{
		"dash": {"dash"}, "bash": {"bash", "--posix"}, "bash as it is": {"bash"}, "zsh": {"zsh", "--emulate", "sh"}, "busybox": {"busybox", "sh"},
	}
}

// fed runs a command with an input, and returns its exit code.
func (b *bench) fed(dir, input string, command ...string) int {
	b.t.Helper()
	c := exec.CommandContext(context.Background(), command[0], command[1:]...)
	c.Dir, c.Env, c.Stdin = dir, b.env, strings.NewReader(input)
	out, err := c.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		b.t.Fatalf("%v: %v %s", command, err, out)
	}
	if len(out) > 0 {
		b.t.Errorf("%v says: %s", command, out)
	}
	return c.ProcessState.ExitCode()
}

// TestScripts runs what was written under every shell: long input, however it
// ends, arguments with blanks, exit codes, and the scan that happens once.
func TestScripts(t *testing.T) {
	for name, shell := range shells() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath(shell[0]); err != nil {
				t.Fatalf("it is missing; make test provides it: %v", err)
			}
			b := newBench(t)
			dir := b.repository("r o")
			own := filepath.Join(dir, ".git/hooks/pre-push")
			b.write(own, "#!/bin/sh\necho \"theirs $# $2\" >>\"$LOG\"\ncat >>\"$LOG\"\nexit ${FORMER_EXIT-0}\n", 0o755)
			b.install(dir)
			b.installMachine(hook.Global)
			scan := "scan hook run pre-push --on-bad-pack block -- up a  b\n"
			for _, script := range []string{own, filepath.Join(b.machine(hook.Global).Dir, "pre-push")} {
				command := append(append([]string{}, shell...), script, "up", "a  b")
				long := strings.Repeat("HEAD 1 refs/heads/x 0\n", 5000)
				for _, input := range []string{"", "\n\n\n", long, long + "last % \\n 'q'", "x\n\n\n"} {
					if code := b.fed(dir, input, command...); code != 0 {
						t.Errorf("exit code %d", code)
					}
					lines := strings.SplitAfter(input, "\n")
					if lines[len(lines)-1] == "" {
						lines = lines[:len(lines)-1]
					}
					for i := range lines {
						lines[i] = "scanned " + lines[i]
					}
					want := scan + strings.Join(lines, "")
					if got := b.logged(); got != want+"theirs 2 a  b\n"+input {
						t.Errorf("input of %d: %.300q", len(input), got)
					}
				}
				b.env = append(b.env, "FORMER_EXIT=7")
				if code := b.fed(dir, "x\n", command...); code != 7 {
					t.Errorf("the former hook's exit code becomes %d", code)
				}
				b.env = b.env[:len(b.env)-1]
				b.write("refuse", "", 0o644)
				b.logged()
				if code := b.fed(dir, long, command...); code != 1 {
					t.Errorf("our exit code becomes %d", code)
				}
				if strings.Contains(b.logged(), "theirs") {
					t.Error("the former hook runs after a refusal")
				}
				_ = os.Remove(b.path("refuse"))
			}
		})
	}
}

// TestCommitFromShells: what a person types, in every shell that Debian has.
func TestCommitFromShells(t *testing.T) {
	b := newBench(t)
	dir := b.repository("r")
	b.install(dir)
	for _, shell := range []string{"sh", "bash", "zsh", "fish"} {
		for _, refuse := range []bool{false, true} {
			if refuse {
				b.write("refuse", "", 0o644)
			}
			b.write(filepath.Join(dir, "f"), shell, 0o644)
			out, err := b.try(dir, shell, "-c", "git add f && git commit -q -m x")
			if (err != nil) != refuse || b.logged() != scanned {
				t.Errorf("%s, refused %v: %v %s", shell, refuse, err, out)
			}
			_ = os.Remove(b.path("refuse"))
		}
	}
}
