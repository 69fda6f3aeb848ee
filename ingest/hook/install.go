package hook

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Done is what became of one hook.
type Done string

// What can become of a hook.
const (
	Installed Done = "installed"
	Updated   Done = "updated"   // other settings, or a later program
	Unchanged Done = "unchanged" // as it should be already
	Removed   Done = "removed"
	Restored  Done = "restored" // the hook that was there before is back
	Left      Done = "left"     // not ours: nothing was done
)

// Change is what was done about one hook.
type Change struct {
	Name   string `json:"hook"`
	Path   string `json:"path"`
	Done   Done   `json:"done"`
	Former string `json:"former,omitempty"` // where the hook of before is kept
}

// Request is what to install.
type Request struct {
	Names []string // none: those that suit the repository
	Settings
	Force Force
	Now   time.Time // what killed processes left behind is removed when it is old
}

// target is the folder that our hooks of this repository belong in. Where hooks
// of ours for the machine are in force, they run what the repository has.
func (p Place) target() string {
	if p.machine {
		return p.Own()
	}
	return p.Dir
}

// step is one hook that is about to be written.
type step struct {
	name  string
	path  string
	found found
	husky bool
}

// Install hangs the program on the repository's hooks. Nothing is written
// unless all of it can be, as far as that can be seen before.
func (p Place) Install(ctx context.Context, q Request) ([]Change, error) {
	names, err := inOrder(q.Names)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		names = defaults(p.Bare)
	}
	if err := q.check(); err != nil {
		return nil, err
	}
	if err := p.shared(q.Force); err != nil {
		return nil, err
	}
	if err := p.usable(); err != nil {
		return nil, err
	}
	steps, err := p.plan(ctx, names, q.Force)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(p.target(), 0o755); err != nil {
		return nil, unusable(p.target(), err)
	}
	tidy(p.target(), q.Now)
	var out []Change
	for _, s := range steps {
		c, err := s.install(script{kind: ofRepository, name: s.name, scans: true, Settings: q.Settings, husky: s.husky})
		if err != nil {
			return out, err
		}
		out = append(out, c)
	}
	return out, nil
}

// shared refuses a folder that another set for more than this repository.
func (p Place) shared(force Force) error {
	if p.machine || force == Forced || p.Setting != "global" && p.Setting != "system" {
		return nil
	}
	return fmt.Errorf("%w: core.hooksPath is %s in %s, for every repository of yours; revenant hook install --%s keeps those hooks and runs them after ours, and --force writes into that folder", ErrShared, p.Dir, p.Origin, p.Setting)
}

// plan looks at every hook before the first is written.
func (p Place) plan(ctx context.Context, names []string, force Force) ([]step, error) {
	var whole manager
	if !p.machine {
		var err error
		if whole, err = p.managed(ctx); err != nil {
			return nil, err
		}
	}
	var steps []step
	var wrong []error
	for _, name := range names {
		path := filepath.Join(p.target(), name)
		f, err := look(path)
		if err != nil {
			return nil, err
		}
		m := whole
		if m == "" && f.state == foreign {
			m = managerOf(f.text)
		}
		fresh := f.state == foreign || f.state == absent && whole != ""
		switch {
		case f.state == changed && force == Careful:
			wrong = append(wrong, fmt.Errorf("%w: %s; look at it, and with --force it is written anew", ErrChanged, path))
		case m != "" && fresh && (force == Careful || m == byOvercommit):
			wrong = append(wrong, m.refusal(p, name))
		}
		steps = append(steps, step{name: name, path: path, found: f, husky: whole == byHusky})
	}
	return steps, errors.Join(wrong...)
}

func (s step) install(sc script) (Change, error) {
	c := Change{Name: s.name, Path: s.path, Done: Installed}
	text := sc.marshal()
	switch s.found.state {
	case foreign:
		if err := keep(s.path, s.path+kept, s.found); err != nil {
			return c, err
		}
	case ours, changed:
		c.Done = Updated
		if string(text) == string(s.found.text) && runs(s.found.mode) {
			c.Done = Unchanged
		}
	case absent:
	}
	if exists(s.path + kept) {
		c.Former = s.path + kept
	}
	if c.Done == Unchanged {
		return c, nil
	}
	return c, put(s.path, text, 0o755)
}

// Uninstall takes our hooks of the repository away and puts back what was there
// before them. Names empty means all of them.
func (p Place) Uninstall(_ context.Context, q Request) ([]Change, error) {
	names, err := inOrder(q.Names)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		names = Scanning()
	}
	if err := p.shared(q.Force); err != nil && len(q.Names) > 0 {
		return nil, err
	}
	var out []Change
	for _, dir := range p.folders() {
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			continue
		}
		tidy(dir, q.Now)
		for _, name := range names {
			c, err := takeAway(filepath.Join(dir, name), q.Force)
			if err != nil {
				return out, err
			}
			if c.Done != "" {
				out = append(out, c)
			}
		}
	}
	return out, nil
}

// folders are where hooks of ours may be: those that git runs, and those of
// the repository that another setting has hidden since.
func (p Place) folders() []string {
	if p.machine || p.Dir == p.Own() {
		return []string{p.Own()}
	}
	return []string{p.Dir, p.Own()}
}

// takeAway removes one hook of ours; a change with nothing done says that there
// is none.
func takeAway(path string, force Force) (Change, error) {
	c := Change{Name: filepath.Base(path), Path: path}
	f, err := look(path)
	if err != nil {
		return c, err
	}
	former := path + kept
	switch {
	case f.state == changed && force == Careful:
		return c, fmt.Errorf("%w: %s; with --force it is removed all the same", ErrChanged, path)
	case f.state == foreign && exists(former):
		if !alike(path, former) {
			return c, fmt.Errorf("%w: %s is not ours any more, and %s is a hook from before; see which of the two you want, and remove the other", ErrOccupied, path, former)
		}
		// An installation was killed half way: the hook has two names.
		c.Done = Restored
		return c, remove(former)
	case f.state == foreign, f.state == absent && !exists(former):
		return Change{}, nil
	}
	if !exists(former) {
		c.Done = Removed
		return c, remove(path)
	}
	c.Done = Restored
	if err := os.Rename(former, path); err != nil {
		return c, unusable(path, err)
	}
	settle(filepath.Dir(path))
	return c, nil
}

func remove(path string) error {
	if err := os.Remove(path); err != nil {
		return unusable(path, err)
	}
	settle(filepath.Dir(path))
	return nil
}
