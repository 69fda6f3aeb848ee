package hook

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Scope is whose repositories hooks of the machine are for.
type Scope string

// The two scopes, as git calls them.
const (
	Global Scope = "global" // of one user
	System Scope = "system" // of everybody
)

// formerKey remembers, beside core.hooksPath, what stood there before.
const formerKey = "revenant.formerHooksPath"

// Machine is the hooks of every repository of a user or a machine.
type Machine struct {
	Scope Scope
	Dir   string // folder for the hooks, absolute; nothing else may be in it
	Git   Git
}

// SystemDir is the folder of hooks for everybody.
func SystemDir(env func(string) string) string {
	if data := env("ProgramData"); data != "" && filepath.Separator == '\\' {
		return filepath.Join(data, "revenant", "hooks")
	}
	return filepath.FromSlash("/etc/revenant/hooks")
}

// setting is core.hooksPath of the scope and what stood there before ours.
func (m Machine) setting(ctx context.Context) (now, former configured, err error) {
	at := filepath.VolumeName(m.Dir) + string(filepath.Separator)
	if now, err = m.Git.configuredPath(ctx, at, string(m.Scope), "core.hooksPath"); err != nil {
		return now, former, m.denied("reading git's configuration", err)
	}
	if former, err = m.Git.configuredPath(ctx, at, string(m.Scope), formerKey); err != nil {
		return now, former, m.denied("reading git's configuration", err)
	}
	return now, former, nil
}

func (m Machine) set(ctx context.Context, args ...string) error {
	at := filepath.VolumeName(m.Dir) + string(filepath.Separator)
	_, err := m.Git.ask(ctx, at, append([]string{"config", "--" + string(m.Scope)}, args...)...)
	if err == nil {
		return nil
	}
	return m.denied("git config --"+string(m.Scope)+" "+strings.Join(args, " "), err)
}

// denied says who may do it.
func (m Machine) denied(doing string, err error) error {
	if errors.Is(err, ErrNoGit) || errors.Is(err, context.Canceled) {
		return err
	}
	out := "set it where your configuration is kept, if something else writes that file"
	if m.Scope == System {
		out = "--system needs the rights of root: sudo revenant hook install --system"
	}
	return fmt.Errorf("%w: %s: %w; %s", ErrPlace, doing, err, out)
}

// ours reports whether a value of core.hooksPath is this folder or an earlier
// one of ours.
func (m Machine) ours(c configured) bool {
	return c.scope != "" && (filepath.Clean(filepath.FromSlash(c.value)) == m.Dir || machineFolder(filepath.FromSlash(c.value)))
}

// Install puts hooks into the folder and points core.hooksPath at it. The
// folder is whole before git is told of it.
func (m Machine) Install(ctx context.Context, q Request) ([]Change, error) {
	names, err := inOrder(q.Names)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		names = defaults(false)
	}
	if err := q.check(); err != nil {
		return nil, err
	}
	if err := (Settings{Program: m.Dir}).check(); err != nil {
		return nil, err
	}
	now, former, err := m.setting(ctx)
	if err != nil {
		return nil, err
	}
	if !m.ours(now) {
		former = now
	}
	next, err := m.chain(ctx, former)
	if err != nil {
		return nil, err
	}
	steps, err := m.plan(q.Force)
	if err != nil {
		return nil, err
	}
	if err := m.ready(); err != nil {
		return nil, err
	}
	tidy(m.Dir, q.Now)
	var out []Change
	for _, s := range steps {
		c, err := s.install(script{kind: ofMachine, name: s.name, scans: slices.Contains(names, s.name), Settings: q.Settings, chain: next})
		if err != nil {
			return out, m.rights(err)
		}
		out = append(out, c)
	}
	return out, m.point(ctx, now, former)
}

// point tells git of the folder; what was there before is written down first.
func (m Machine) point(ctx context.Context, now, former configured) error {
	if !m.ours(now) {
		if former.scope == "" {
			// A note of an earlier installation that somebody undid by hand.
			if err := m.forget(ctx); err != nil {
				return err
			}
		} else if err := m.set(ctx, formerKey, former.raw); err != nil {
			return err
		}
	}
	if filepath.Clean(filepath.FromSlash(now.value)) == m.Dir {
		return nil
	}
	if err := m.set(ctx, "core.hooksPath", filepath.ToSlash(m.Dir)); err != nil {
		return err
	}
	if m.ours(now) { // the folder has moved
		_, err := m.clear(filepath.FromSlash(now.value), Careful)
		return err
	}
	return nil
}

func (m Machine) forget(ctx context.Context) error {
	err := m.set(ctx, "--unset", formerKey)
	var said *gitError
	if errors.As(err, &said) && said.code == 5 { // it was not set
		return nil
	}
	return err
}

// chain is what the hooks pass on to: the folder that core.hooksPath named
// before; where it named none, that of the machine, which a user's hides too;
// else the repository's own.
func (m Machine) chain(ctx context.Context, former configured) (chain, error) {
	c := chain{former: former.value}
	if c.former == "" && m.Scope == Global {
		system, _, err := Machine{Scope: System, Dir: m.Dir, Git: m.Git}.setting(ctx)
		if err != nil {
			return c, err
		}
		c = chain{former: system.value, fallback: system.value != ""}
	}
	return c, Settings{Program: c.former}.check()
}

// plan looks at the folder: it may hold nothing but hooks of ours.
func (m Machine) plan(force Force) ([]step, error) {
	var steps []step
	for _, name := range forwarded() {
		path := filepath.Join(m.Dir, name)
		f, err := look(path)
		if err != nil {
			return nil, m.rights(err)
		}
		switch {
		case f.state == foreign, f.state == ours && f.kind != ofMachine:
			return nil, fmt.Errorf("%w: %s holds hooks that are not for the machine; give a folder of its own with --hooks-folder", ErrPlace, m.Dir)
		case f.state == changed && force == Careful:
			return nil, fmt.Errorf("%w: %s; look at it, and with --force it is written anew", ErrChanged, path)
		}
		steps = append(steps, step{name: name, path: path, found: f})
	}
	return steps, nil
}

func (m Machine) ready() error {
	if err := os.MkdirAll(m.Dir, 0o755); err != nil {
		return m.rights(unusable(m.Dir, err))
	}
	return nil
}

// rights names root where it is the reason.
func (m Machine) rights(err error) error {
	if m.Scope == System && errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w; --system needs the rights of root: sudo revenant hook install --system", err)
	}
	return err
}

// Uninstall points core.hooksPath at what it was before, then removes the
// hooks: at no moment does a setting hide hooks without running them.
func (m Machine) Uninstall(ctx context.Context, q Request) ([]Change, error) {
	now, former, err := m.setting(ctx)
	if err != nil {
		return nil, err
	}
	dir := m.Dir
	if m.ours(now) {
		dir = filepath.Clean(filepath.FromSlash(now.value))
		back := []string{"--unset", "core.hooksPath"}
		if former.scope != "" {
			back = []string{"core.hooksPath", former.raw}
		}
		if err := m.set(ctx, back...); err != nil {
			return nil, err
		}
	}
	if former.scope != "" {
		if err := m.forget(ctx); err != nil {
			return nil, err
		}
	}
	tidy(dir, q.Now)
	out, err := m.clear(dir, q.Force)
	return out, m.rights(err)
}

// clear removes our hooks from a folder, and the folder when it is empty then.
func (m Machine) clear(dir string, force Force) ([]Change, error) {
	var out []Change
	for _, name := range forwarded() {
		path := filepath.Join(dir, name)
		f, err := look(path)
		switch {
		case err != nil:
			return out, err
		case f.state == absent, f.state == foreign, f.kind != ofMachine:
			continue
		}
		c, err := takeAway(path, force)
		if err != nil {
			return out, err
		}
		out = append(out, c)
	}
	_ = os.Remove(dir) // it may hold something else, or not be there
	return out, nil
}
