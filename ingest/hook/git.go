package hook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// Git asks git. The zero value asks the one on the path, in this process's
// environment but for what names a repository: a hook or an alias has that of
// another one set.
type Git struct {
	Env []string // nil: of this process
}

// local are the variables that name a repository, or change what one says, as
// git rev-parse --local-env-vars lists them.
func local() []string {
	return []string{
		"GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_CONFIG", "GIT_CONFIG_PARAMETERS", "GIT_CONFIG_COUNT",
		"GIT_OBJECT_DIRECTORY", "GIT_DIR", "GIT_WORK_TREE", "GIT_IMPLICIT_WORK_TREE", "GIT_GRAFT_FILE",
		"GIT_INDEX_FILE", "GIT_NO_REPLACE_OBJECTS", "GIT_REPLACE_REF_BASE", "GIT_PREFIX",
		"GIT_INTERNAL_SUPER_PREFIX", "GIT_SHALLOW_FILE", "GIT_COMMON_DIR", "GIT_QUARANTINE_PATH",
	}
}

func (g Git) environment() []string {
	env := g.Env
	if env == nil {
		env = os.Environ()
	}
	out := slices.DeleteFunc(slices.Clone(env), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains(local(), name)
	})
	return append(out, "LC_ALL=C")
}

// gitError is what git said when it failed.
type gitError struct {
	code int
	said string
}

func (e *gitError) Error() string {
	if e.said == "" {
		return fmt.Sprintf("git ended with %d", e.code)
	}
	return "git says: " + e.said
}

// ask runs git in a folder and returns what it prints. Git's own words go into
// the error: they name the way out where a repository is not one's own.
func (g Git) ask(ctx context.Context, dir string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, "git", args...)
	c.Dir, c.Env = dir, g.environment()
	var out, said bytes.Buffer
	c.Stdout, c.Stderr = &out, &said
	err := c.Run()
	var exit *exec.ExitError
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return "", fmt.Errorf("%w: install it, or put it on the PATH", ErrNoGit)
	case errors.As(err, &exit):
		return "", &gitError{exit.ExitCode(), strings.TrimSpace(strings.TrimPrefix(said.String(), "fatal: "))}
	case err != nil:
		return "", fmt.Errorf("%w: %w", ErrNoGit, err)
	}
	return out.String(), nil
}

// line is ask for one line.
func (g Git) line(ctx context.Context, dir string, args ...string) (string, error) {
	out, err := g.ask(ctx, dir, args...)
	return strings.TrimSuffix(strings.TrimSuffix(out, "\n"), "\r"), err
}

// configured is a value of git's configuration and where it stands.
type configured struct {
	scope  string // local, worktree, global, system; "" where it is not set
	origin string // file
	value  string // a path with ~ expanded
	raw    string // as it was written
}

// configuredPath looks a path up, in one scope or, with none, in all.
func (g Git) configuredPath(ctx context.Context, dir, scope, key string) (configured, error) {
	args := []string{"config"}
	if scope != "" {
		args = append(args, "--"+scope)
	}
	get := func(more ...string) ([]string, error) {
		out, err := g.ask(ctx, dir, append(append(slices.Clone(args), more...), "--get", key)...)
		var said *gitError
		if errors.As(err, &said) && (said.code == 1 || missingFile(scope, said)) {
			return nil, nil
		}
		return strings.Split(strings.TrimSuffix(out, "\x00"), "\x00"), err
	}
	expanded, err := get("--show-scope", "--show-origin", "--type=path", "-z")
	if err != nil || len(expanded) != 3 {
		return configured{}, err
	}
	raw, err := get("-z")
	if err != nil || len(raw) != 1 {
		return configured{}, err
	}
	return configured{expanded[0], strings.TrimPrefix(expanded[1], "file:"), expanded[2], raw[0]}, nil
}

// missingFile: git calls it an error when a scope's file is not there.
func missingFile(scope string, said *gitError) bool {
	return scope != "" && strings.Contains(said.said, "No such file")
}
