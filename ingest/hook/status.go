package hook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"revenant/fingerprints/pack"
)

// Standing is what a hook comes to.
type Standing string

// The standings.
const (
	Scans    Standing = "scans"   // ours, as it was written, and git runs it
	Calls    Standing = "calls"   // another's, which names Revenant
	Passes   Standing = "passes"  // of the machine, and only passes on
	Altered  Standing = "changed" // ours, changed by hand
	Hidden   Standing = "hidden"  // git does not run it
	Anothers Standing = "other"   // another's, which does not name Revenant
	None     Standing = "none"
)

// Hook is what there is to say of one hook.
type Hook struct {
	Name     string   `json:"hook"`
	Standing Standing `json:"standing"`
	Path     string   `json:"path,omitempty"`
	By       string   `json:"by,omitempty"`     // revenant, revenant for the machine, husky ...
	Format   int      `json:"format,omitempty"` // of the script, when it is ours
	Program  *Program `json:"program,omitempty"`
	Pack     *Pack    `json:"pack,omitempty"`
	BadPack  BadPack  `json:"on_bad_pack,omitempty"`
	Former   string   `json:"former,omitempty"` // the hook that runs after ours
}

// Program is what a hook starts.
type Program struct {
	Path    string `json:"path"`
	There   bool   `json:"there"`
	Found   string `json:"found,omitempty"` // on the PATH instead
	Version string `json:"version,omitempty"`
}

// Pack is what a pack says of itself. Its signature is not checked: that needs
// its keys.
type Pack struct {
	Path       string     `json:"path"`
	Problem    string     `json:"problem,omitempty"`
	Revision   uint64     `json:"revision,omitempty"`
	Values     int        `json:"values,omitempty"`
	Registered int        `json:"registered,omitempty"`
	Created    *time.Time `json:"created,omitempty"`
	Expires    *time.Time `json:"expires,omitempty"`
	Expired    bool       `json:"expired,omitempty"`
	Key        string     `json:"key,omitempty"`
}

// Status is what is in force in a repository.
type Status struct {
	Folder     string    `json:"folder"` // that git runs hooks from
	Setting    string    `json:"hooks_path_scope,omitempty"`
	Origin     string    `json:"hooks_path_file,omitempty"`
	Hooks      []Hook    `json:"hooks"`
	Machine    []InForce `json:"machine"`
	NotRunning []string  `json:"not_running,omitempty"` // the repository's own, hidden
	Overrides  int       `json:"overrides"`
	Notes      []string  `json:"notes,omitempty"` // what is wrong, and what to do
	Protected  bool      `json:"protected"`       // nothing is missing
}

// InForce is what is set for a user or a machine.
type InForce struct {
	Scope  Scope    `json:"scope"`
	Folder string   `json:"folder,omitempty"` // "": core.hooksPath is not set
	Ours   bool     `json:"ours"`
	Former string   `json:"former,omitempty"` // what core.hooksPath was before
	Hooks  []Hook   `json:"hooks,omitempty"`
	Notes  []string `json:"notes,omitempty"`
}

// Looker is how a status looks at what hooks name.
type Looker struct {
	Now  time.Time
	Path func(program string) (string, error) // finds it as a shell would; nil: exec.LookPath
}

// byMachine is whose a hook is that runs in every repository.
const byMachine = "revenant for the machine"

// patience is how long a program may take to say its version.
const patience = 5 * time.Second

// Status looks at a repository's hooks, and at those of the machine.
func (p Place) Status(ctx context.Context, l Looker) (Status, error) {
	s := Status{Folder: p.Dir, Setting: p.Setting, Origin: p.Origin, Protected: true}
	if err := p.usable(); err != nil {
		s.Notes, s.Protected = []string{err.Error()}, false
		return s, nil
	}
	whole, err := p.managed(ctx)
	if err != nil {
		return s, err
	}
	for _, name := range Scanning() {
		h, err := p.hook(ctx, l, name, whole)
		if err != nil {
			return s, err
		}
		if h.Standing == None && !slices.Contains(defaults(p.Bare), name) {
			continue
		}
		s.Hooks = append(s.Hooks, h)
		if notes := h.wrong(slices.Contains(defaults(p.Bare), name)); len(notes) > 0 {
			s.Notes, s.Protected = append(s.Notes, notes...), false
		}
	}
	for _, scope := range []Scope{Global, System} {
		in, err := Machine{Scope: scope, Dir: p.Top, Git: p.git}.Status(ctx, l)
		if err != nil {
			return s, err
		}
		in.Notes = nil // those that matter here are told below
		s.Machine = append(s.Machine, in)
	}
	list, unreadable, err := Overrides(p.Common)
	if err != nil {
		s.Notes = append(s.Notes, err.Error())
	}
	s.Overrides = len(list) + unreadable
	p.hiding(&s)
	return s, nil
}

// hiding says which settings hide which hooks.
func (p Place) hiding(s *Status) {
	for _, in := range s.Machine {
		if in.Ours && !p.machine {
			s.Notes = append(s.Notes, fmt.Sprintf("the hooks of Revenant for the machine (--%s) do not run here: core.hooksPath is %s in %s; let the hooks there run Revenant, or remove that setting", in.Scope, p.Dir, p.Origin))
		}
	}
	if p.Dir == p.Own() {
		return
	}
	names := unforwarded()
	if !p.machine {
		names = slices.Concat(forwarded(), names)
	}
	for _, name := range names {
		if info, err := os.Stat(filepath.Join(p.Own(), name)); err == nil && info.Mode().IsRegular() && runs(info.Mode()) {
			s.NotRunning = append(s.NotRunning, name)
		}
	}
	if len(s.NotRunning) > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("core.hooksPath hides hooks in %s, which do not run: %s", p.Own(), strings.Join(s.NotRunning, ", ")))
	}
}

// hook is what there is to say of one hook of the repository.
func (p Place) hook(ctx context.Context, l Looker, name string, whole manager) (Hook, error) {
	path := filepath.Join(p.Dir, name)
	f, err := look(path)
	if err != nil {
		return Hook{}, err
	}
	if f.state != absent {
		h := l.describe(ctx, path, name, f)
		if f.state == foreign {
			m := whole
			if m == "" {
				m = managerOf(f.text)
			}
			h.By = string(m)
			if p.calls(f, m, name) {
				h.Standing = Calls
			}
			if !f.link && !runs(f.mode) {
				h.Standing = None // git does not run it
			}
		}
		if h.Standing == Passes { // of the machine, and the repository may have its own
			return p.passed(ctx, l, h)
		}
		return h, nil
	}
	if p.Dir != p.Own() {
		own := filepath.Join(p.Own(), name)
		if f, err = look(own); err == nil && (f.state == ours || f.state == changed) {
			h := l.describe(ctx, own, name, f)
			h.Standing = Hidden
			return h, nil
		}
	}
	return Hook{Name: name, Standing: None}, nil
}

// passed is the repository's own hook behind one that passes on.
func (p Place) passed(ctx context.Context, l Looker, h Hook) (Hook, error) {
	path := filepath.Join(p.Own(), h.Name)
	f, err := look(path)
	if err != nil || f.state == absent {
		h.Standing = None
		return h, err
	}
	out := l.describe(ctx, path, h.Name, f)
	if f.state == foreign {
		m := managerOf(f.text)
		out.By = string(m)
		if p.calls(f, m, h.Name) {
			out.Standing = Calls
		}
	}
	return out, nil
}

// describe says what a file is, wherever it stands.
func (l Looker) describe(ctx context.Context, path, name string, f found) Hook {
	h := Hook{Name: name, Path: path, Standing: Anothers}
	if f.state == foreign {
		return h
	}
	h.Format, h.Standing, h.By = f.format, Scans, "revenant"
	if exists(path + kept) {
		h.Former = path + kept
	}
	if f.kind == ofMachine {
		h.By, h.Former = byMachine, f.former
	}
	if f.scans {
		h.Program, h.BadPack = l.program(ctx, f.Program), f.OnBadPack
		if f.Pack != "" {
			h.Pack = l.pack(f.Pack, f.PackKey)
		}
	} else {
		h.Standing = Passes
	}
	if f.state == changed {
		h.Standing = Altered
	}
	if !runs(f.mode) {
		h.Standing = Hidden
	}
	return h
}

func (l Looker) program(ctx context.Context, path string) *Program {
	p := &Program{Path: path}
	run := path
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
		p.There = true
	} else {
		find := l.Path
		if find == nil {
			find = exec.LookPath
		}
		if run, err = find("revenant"); err != nil {
			return p
		}
		p.Found = run
	}
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	if out, err := exec.CommandContext(ctx, run, "version").Output(); err == nil {
		words := strings.Fields(string(bytes.TrimSpace(out)))
		if len(words) >= 2 && words[0] == "revenant" {
			p.Version = strings.TrimSuffix(words[1], ",")
		}
	}
	return p
}

func (l Looker) pack(path, key string) *Pack {
	p := &Pack{Path: path, Key: key}
	h, err := inspect(path)
	if err != nil {
		p.Problem = problem(err)
		return p
	}
	p.Revision, p.Values, p.Registered = h.Revision, h.Count, h.Registered
	p.Created = &h.Created
	if !h.Expires.IsZero() {
		p.Expires, p.Expired = &h.Expires, !l.Now.Before(h.Expires)
	}
	if p.Expired {
		p.Problem = "it has expired"
	}
	if _, err := os.Stat(key); key != "" && err != nil && p.Problem == "" {
		p.Problem = "its key cannot be read: " + problem(err)
	}
	return p
}

func inspect(path string) (pack.Header, error) {
	f, err := os.Open(path)
	if err != nil {
		return pack.Header{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return pack.Header{}, err
	}
	return pack.Inspect(f, info.Size())
}

func problem(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}

// wrong is what keeps a hook from doing its work, and the way out; wanted: one
// that is there by default.
func (h Hook) wrong(wanted bool) []string {
	var out []string
	install := "revenant hook install"
	if h.By == byMachine {
		install += " with --global or --system, as before"
	}
	switch h.Standing {
	case Altered:
		out = append(out, fmt.Sprintf("%s was changed by hand: look at %s, then %s, and --force", h.Name, h.Path, install))
	case Hidden:
		out = append(out, fmt.Sprintf("%s is installed, and git does not run it: %s", h.Name, h.Path))
	case Anothers, None, Passes:
		if wanted {
			if m := manager(h.By); m != "" && m != byTracking && h.Standing == Anothers {
				install = m.advice("", h.Name)
				install = strings.Join(strings.Fields(install), " ")
			}
			out = append(out, h.Name+" does not scan: "+install)
		}
	case Scans, Calls:
	}
	if h.Program != nil && !h.Program.There {
		if h.Program.Found == "" {
			out = append(out, fmt.Sprintf("%s names a program that is not there: %s; %s", h.Name, h.Program.Path, install))
		} else if h.Program.Version == "" {
			out = append(out, fmt.Sprintf("%s falls back on a program that does not answer: %s", h.Name, h.Program.Found))
		}
	}
	if h.Pack != nil && h.Pack.Problem != "" {
		out = append(out, fmt.Sprintf("the pack of %s cannot be used (%s): %s; on_bad_pack is %s", h.Name, h.Pack.Problem, h.Pack.Path, h.BadPack))
	}
	return out
}

// Status says what is set for the user or the machine.
func (m Machine) Status(ctx context.Context, l Looker) (InForce, error) {
	in := InForce{Scope: m.Scope}
	now, former, err := m.setting(ctx)
	if err != nil {
		return in, err
	}
	if now.scope == "" {
		in.Notes = append(in.Notes, fmt.Sprintf("core.hooksPath is not set: revenant hook install --%s", m.Scope))
		return in, nil
	}
	in.Folder, in.Former = filepath.FromSlash(now.value), former.raw
	in.Ours = machineFolder(in.Folder)
	if !in.Ours {
		in.Notes = append(in.Notes, fmt.Sprintf("core.hooksPath is %s, which is not Revenant's: revenant hook install --%s keeps it and runs it after ours", in.Folder, m.Scope))
		return in, nil
	}
	for _, name := range forwarded() {
		f, err := look(filepath.Join(in.Folder, name))
		if err != nil {
			return in, err
		}
		h := Hook{Name: name, Standing: None}
		if f.state != absent {
			h = l.describe(ctx, filepath.Join(in.Folder, name), name, f)
		}
		switch {
		case h.Standing == None:
			in.Notes = append(in.Notes, fmt.Sprintf("%s is missing, so no repository's own runs: revenant hook install --%s", name, m.Scope))
		case h.Standing != Passes:
			in.Notes = append(in.Notes, h.wrong(slices.Contains(defaults(false), name))...)
		}
		if h.Standing != Passes {
			in.Hooks = append(in.Hooks, h)
		}
	}
	return in, nil
}

// Protected reports whether nothing is missing.
func (in InForce) Protected() bool { return in.Ours && len(in.Notes) == 0 }
