package gitrepo_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"revenant/scanners"
	"revenant/scanners/gitrepo"
)

// repository is a repository that a test makes with git.
type repository struct {
	t   testing.TB
	dir string
	now int // seconds, so that dates differ and do not depend on the clock
}

func newRepository(t testing.TB, args ...string) *repository {
	t.Helper()
	r := &repository{t: t, dir: t.TempDir(), now: 1_700_000_000}
	r.git(append([]string{"init", "-q", "-b", "main"}, args...)...)
	return r
}

// git runs git and returns what it printed.
func (r *repository) git(args ...string) string {
	r.t.Helper()
	return r.piped("", args...)
}

func (r *repository) piped(in string, args ...string) string {
	r.t.Helper()
	r.now++
	date := "@" + itoa(r.now) + " +0000"
	c := exec.Command("git", args...)
	c.Dir = r.dir
	c.Stdin = strings.NewReader(in)
	c.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull, "HOME="+r.dir,
		"GIT_AUTHOR_NAME=An Author", "GIT_AUTHOR_EMAIL=author@example.org", "GIT_AUTHOR_DATE="+date,
		"GIT_COMMITTER_NAME=A Committer", "GIT_COMMITTER_EMAIL=committer@example.org", "GIT_COMMITTER_DATE="+date)
	var errs bytes.Buffer
	c.Stderr = &errs
	out, err := c.Output()
	if err != nil {
		r.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, errs.String())
	}
	return strings.TrimSpace(string(out))
}

func itoa(n int) string {
	var b []byte
	for ; n > 0; n /= 10 {
		b = append([]byte{byte('0' + n%10)}, b...)
	}
	return string(b)
}

func (r *repository) write(name, content string) {
	r.t.Helper()
	file := filepath.Join(r.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// commit adds everything and commits it.
func (r *repository) commit(message string) string {
	r.t.Helper()
	r.git("add", "-A")
	r.git("commit", "-q", "--allow-empty", "-m", message)
	return r.git("rev-parse", "HEAD")
}

// source opens the repository; what has one of the marks is of interest.
func (r *repository) source(marks ...string) scanners.Source {
	r.t.Helper()
	return sourceAt(r.t, r.dir, marks...)
}

func sourceAt(t testing.TB, dir string, marks ...string) scanners.Source {
	t.Helper()
	s, err := gitrepo.New(context.Background(), gitrepo.Options{
		Path: dir, SourceID: "git:example.org/test", Workers: 2,
		Screen: func(_ context.Context, data []byte) bool {
			for _, m := range marks {
				if bytes.Contains(data, []byte(m)) {
					return true
				}
			}
			return false
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
