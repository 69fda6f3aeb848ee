package main

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// sample is a program that behaves like Revenant as far as a release goes.
const sample = `package main

import (
	"fmt"
	"os"
	"path/filepath"
)

var stampedVersion, stampedCommit string

func main() {
	switch os.Args[1] {
	case "version":
		fmt.Println(stampedVersion, stampedCommit)
	case "completion":
		fmt.Println("complete", os.Args[2])
	case "reference":
		os.MkdirAll(os.Args[2], 0o755)
		os.WriteFile(filepath.Join(os.Args[2], "revenant.1"), []byte("page\n"), 0o644)
	}
}
`

// repository is a git repository with the sample in it, committed.
func repository(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":               "module revenant\n\ngo 1.26.0\n\ntoolchain " + runtime.Version() + "\n",
		"cmd/revenant/main.go": sample,
		"README.md":            "readme\n", "LICENSE": "licence\n", "CHANGELOG.md": "changes\n",
		".gitignore": "/build/\n",
	} {
		put(t, filepath.Join(root, filepath.FromSlash(name)), text)
	}
	git(t, root, "init", "-q", "-b", "main")
	git(t, root, "add", "-A")
	git(t, root, "commit", "-q", "-m", "sample")
	return root
}

func put(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func git(t *testing.T, root string, args ...string) {
	t.Helper()
	env := []string{"GIT_AUTHOR_DATE=1700000000 +0000", "GIT_COMMITTER_DATE=1700000000 +0000", "GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_CONFIG_SYSTEM=" + os.DevNull}
	full := append([]string{"-c", "user.name=Sample", "-c", "user.email=sample@example.org"}, args...)
	if _, err := command(context.Background(), root, env, "git", full...); err != nil {
		t.Fatal(err)
	}
}
