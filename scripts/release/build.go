package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// release is what all files of a release have in common.
type release struct {
	root    string // the repository
	work    string // scratch
	version string
	commit  string
	when    time.Time // the commit's, or SOURCE_DATE_EPOCH
	log     io.Writer
}

func newRelease(ctx context.Context, root, version, work string, log io.Writer) (*release, error) {
	if !regexp.MustCompile(`^v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$`).MatchString(version) {
		return nil, fmt.Errorf("%q is no version: it reads like v1.2.3 or v1.2.3-rc.1", version)
	}
	changes, err := command(ctx, root, nil, "git", "status", "--porcelain")
	if err != nil {
		return nil, err
	}
	if changes != "" {
		return nil, fmt.Errorf("the tree has changes, which no commit would name; commit or stash them:\n%s", changes)
	}
	commit, err := command(ctx, root, nil, "git", "rev-parse", "HEAD")
	if err != nil {
		return nil, err
	}
	epoch := os.Getenv("SOURCE_DATE_EPOCH")
	if epoch == "" {
		if epoch, err = command(ctx, root, nil, "git", "show", "-s", "--format=%ct", commit); err != nil {
			return nil, err
		}
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil || seconds < 315619200 { // zip knows no time before 1980
		return nil, errors.New("SOURCE_DATE_EPOCH is no number of seconds since 1970 that lies after 1980")
	}
	return &release{root: root, work: work, version: version, commit: commit, when: time.Unix(seconds, 0).UTC(), log: log}, nil
}

// clone checks the commit out at a place of its own and holds the toolchain
// against the one that it pins.
func (r *release) clone(ctx context.Context, name string) (string, error) {
	dir := filepath.Join(r.work, name)
	if _, err := command(ctx, r.work, nil, "git", "clone", "-q", "--no-checkout", r.root, dir); err != nil {
		return "", err
	}
	if _, err := command(ctx, dir, nil, "git", "-c", "core.autocrlf=false", "checkout", "-q", "--detach", r.commit); err != nil {
		return "", err
	}
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return "", err
	}
	m := regexp.MustCompile(`(?m)^toolchain (\S+)$`).FindSubmatch(mod)
	if m == nil {
		return "", errors.New("go.mod names no toolchain: what is built would depend on who builds it")
	}
	have, err := command(ctx, dir, nil, "go", "env", "GOVERSION")
	if err != nil {
		return "", err
	}
	if have != string(m[1]) {
		return "", fmt.Errorf("go is %s, and go.mod wants %s: GOTOOLCHAIN=auto fetches it", have, m[1])
	}
	return dir, nil
}

// goEnv fixes what a builder's settings could change in a binary. Experiments
// of the toolchain show in its version, which is held against the pinned one.
func goEnv(t target) []string {
	return []string{
		"GOOS=" + t.os, "GOARCH=" + t.arch, "GOAMD64=v1", "GOARM64=v8.0", "CGO_ENABLED=0",
		"GOFLAGS=-mod=readonly", "GOWORK=off", "GOFIPS140=off",
	}
}

// buildArgs are those of go build. -buildvcs is off because it writes down
// whether the clone has tags and how deep it is; version and commit are stamped
// instead. Dockerfile builds with the same.
func (r *release) buildArgs(out string) []string {
	return []string{
		"build", "-trimpath", "-buildvcs=false",
		"-ldflags=-s -w -X main.stampedVersion=" + r.version + " -X main.stampedCommit=" + r.commit,
		"-o", out, "./cmd/revenant",
	}
}

func (r *release) compile(ctx context.Context, clone, out string, t target, env ...string) error {
	_, err := command(ctx, clone, append(goEnv(t), env...), "go", r.buildArgs(out)...)
	return err
}

// command returns what a program printed, without the last line's end.
func command(ctx context.Context, dir string, env []string, name string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir, c.Env = dir, append(os.Environ(), env...)
	var complaint strings.Builder
	c.Stderr = &complaint
	out, err := c.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, args[0], err, complaint.String())
	}
	return strings.TrimSpace(string(out)), nil
}

// host is the platform that this program runs on, and can run programs for.
func host() target { return target{runtime.GOOS, runtime.GOARCH} }
