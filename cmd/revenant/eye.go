package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"revenant/fingerprints"
	"revenant/fingerprints/keys"
	"revenant/fingerprints/pack"
	"revenant/fingerprints/registry"
	"revenant/ingest/lookup"
	"revenant/ingest/scan"
	"revenant/scanners"
	"revenant/scanners/registered"
	"revenant/scanners/rules"
	"revenant/scanners/views"
)

// eye is what a scan looks with: the engine, and who names what it sees.
type eye struct {
	session       *session // nil without a registry
	engine        *scanners.Engine
	labels        scan.Labels
	triage        scan.Triage
	decisions     *decided // nil: no registry is at hand
	ids           *scan.Identities
	fieldRevision uint64
	packRevision  uint64
	registered    *registered.Matcher // nil: none is searched for
	fields        int                 // that are searched for
	generic       bool
	rules         map[string]*eye // by their configuration's path: with its rules
	closers       []func() error
	kept          *keptOutcomes  // of the source under way; nil: none are
	lookUp        *lookup.LookUp // asks the server about what its packs do not hold; nil: nobody does
	meter         *meter         // told how far a scan is; nil: nobody looks
}

func (e *eye) close() {
	for i := len(e.closers) - 1; i >= 0; i-- {
		_ = e.closers[i]()
	}
}

// openEye resolves the mode: --pack, else the registry in REVENANT_HOME, else
// generic rules alone. The rules come with eyeAt.
func (a *app) openEye(ctx context.Context, fl *scanFlags) (_ *eye, err error) {
	e := &eye{generic: fl.only != "registered", rules: map[string]*eye{}}
	defer func() {
		if err != nil {
			e.close()
		}
	}()
	if fl.only != "generic" || fl.pack == "" {
		if err := a.openRegistered(ctx, e, fl); err != nil {
			return nil, err
		}
	}
	if e.labels != nil {
		e.labels = &oneAtATime{labels: e.labels}
	}
	e.engine = e.newEngine(fl, nil)
	return e, nil
}

func (e *eye) newEngine(fl *scanFlags, rules *rules.Matcher) *scanners.Engine {
	engine := &scanners.Engine{Viewer: views.New(), ViewDepth: fl.viewDepth(), Clean: scanners.NewClean()}
	if e.registered != nil {
		engine.Matchers = append(engine.Matchers, e.registered)
	}
	if e.lookUp != nil {
		engine.Matchers = append(engine.Matchers, e.lookUp.Matcher())
	}
	if rules != nil {
		engine.Matchers = append(engine.Matchers, rules)
	}
	return engine
}

// eyeAt is e with the generic rules that count at a place. It shares all else
// with e, which is closed last; places with the same rules share it.
func (a *app) eyeAt(e *eye, fl *scanFlags, p scanPlace) (*eye, error) {
	if !e.generic {
		return e, nil
	}
	key := a.rulesOptions(fl, p).Path
	if at := e.rules[key]; at != nil {
		return at, nil
	}
	open := fl.early
	if open == nil || key != fl.earlyAt {
		open = func() (*rules.Matcher, error) { return a.openRules(fl, p) }
	}
	m, err := open()
	if err != nil {
		return nil, err
	}
	at := *e
	at.engine = e.newEngine(fl, m)
	e.rules[key] = &at
	return &at, nil
}

// openEarly opens the generic rules of a place while other things are done.
func (a *app) openEarly(fl *scanFlags, p scanPlace) {
	opened := begin(func() (*rules.Matcher, error) { return a.openRules(fl, p) })
	fl.early, fl.earlyAt = opened.wait, a.rulesOptions(fl, p).Path
}

// openFirst is openEarly for the first of several places.
func (a *app) openFirst(fl *scanFlags, jobs []scanJob) {
	if fl.early == nil && fl.only != "registered" && len(jobs) > 0 {
		a.openEarly(fl, jobs[0].place)
	}
}

func (a *app) openRegistered(ctx context.Context, e *eye, fl *scanFlags) error {
	if fl.host != nil {
		fl.host.looksWith(e)
	}
	where, err := a.serverPlace()
	if err != nil {
		return err
	}
	switch {
	case fl.pack != "":
		return a.openPackFile(e, fl)
	case where.url != "":
		return a.openPulled(ctx, e, fl, where)
	}
	s, err := a.openSession(ctx)
	if errors.Is(err, errNoRegistry) || errors.Is(err, errNoHome) {
		if fl.only == "registered" {
			return err
		}
		if fl.host == nil {
			a.note("no registry here: generic rules only, and findings are not kept (revenant init makes one)")
		}
		return nil
	}
	if err != nil {
		return err
	}
	e.session = s
	e.closers = append(e.closers, s.close)
	core := s.ring.Identity(fingerprints.AudienceCore)
	e.ids = &scan.Identities{Edge: s.ring.Identity(fingerprints.AudienceEdge), Core: &core}
	e.labels, e.triage = registryLabels{s}, registryTriage{s}
	if e.decisions, err = a.decided(ctx, s); err != nil {
		return err
	}
	if fl.only == "generic" {
		return nil
	}
	if a.shared != nil {
		a.shared.lend(e)
		return nil
	}
	audience := fingerprints.AudienceCore
	if fl.host != nil {
		audience = fl.host.audience()
	}
	file, err := a.cachedPack(ctx, s, audience)
	if err != nil {
		return fmt.Errorf("compiling the registry for the scan: %w", err)
	}
	e.closers = append(e.closers, file.Close)
	h, err := e.usePack(file, s.ring, pack.Options{})
	if err == nil && fl.host != nil {
		fl.host.packUsed(h, true)
	}
	return err
}

// usePack opens a pack and adds its matcher.
func (e *eye) usePack(f *os.File, ks pack.Keys, o pack.Options) (pack.Header, error) {
	info, err := f.Stat()
	if err != nil {
		return pack.Header{}, err
	}
	p, err := pack.Open(f, info.Size(), ks, o)
	if err != nil {
		return pack.Header{}, err
	}
	m, err := registered.New(p)
	if err != nil {
		return pack.Header{}, err
	}
	h := p.Header()
	e.registered, e.fields = m, p.Count()
	e.fieldRevision, e.packRevision = h.FieldRevision, h.Revision
	if e.labels == nil {
		e.labels = packLabels{p}
	}
	return h, nil
}

// openPackFile scans with a pack that was given, as a laptop or pipeline does:
// nothing is stored.
func (a *app) openPackFile(e *eye, fl *scanFlags) error {
	h, err := a.openPack(e, fl, pack.Options{Now: a.now()})
	if fl.host == nil {
		return err
	}
	if err != nil {
		fl.host.packFailed(err)
		if errors.Is(err, pack.ErrExpired) { // old names are better than none
			h, err = a.openPack(e, fl, pack.Options{})
		}
	}
	if err == nil {
		fl.host.packUsed(h, false)
	}
	return nil
}

func (a *app) openPack(e *eye, fl *scanFlags, o pack.Options) (pack.Header, error) {
	edge, err := a.edgeKeys(fl.packKeys)
	if err != nil {
		return pack.Header{}, err
	}
	f, err := os.Open(fl.pack)
	if err != nil {
		return pack.Header{}, fileError("--pack", err)
	}
	e.closers = append(e.closers, f.Close)
	e.ids = &scan.Identities{Edge: edge.Identity(fingerprints.AudienceEdge)}
	h, err := e.usePack(f, edge, o)
	if err != nil {
		return h, fmt.Errorf("--pack: opening it: %w", err)
	}
	return h, nil
}

// cachedPack returns the registry compiled for this machine, built anew when
// the registry moved since.
func (a *app) cachedPack(ctx context.Context, s *session, audience fingerprints.Audience) (*os.File, error) {
	f, err := a.compiled(ctx, s, audience)
	if errors.As(err, new(*fs.PathError)) || errors.As(err, new(*os.LinkError)) {
		return nil, fmt.Errorf("%s cannot be written (%w): make it a folder that this user may write to, or remove it; it is made anew", filepath.Join(s.dir, "packs"), bare(err))
	}
	return f, err
}

func (a *app) compiled(ctx context.Context, s *session, audience fingerprints.Audience) (*os.File, error) {
	key, err := s.reg.PackKey(ctx, s.actor, audience)
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(s.dir, "packs")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	name := filepath.Join(dir, string(audience)+".pack")
	if f, err := os.Open(name); err == nil {
		if packIs(f, key) {
			return f, nil
		}
		_ = f.Close()
	}
	tmp, err := os.CreateTemp(dir, "."+string(audience)+"-*")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	if _, err := s.reg.BuildPack(ctx, s.actor, registry.PackRequest{Audience: audience}, tmp); err != nil {
		_ = tmp.Close()
		return nil, err
	}
	if err := os.Rename(tmp.Name(), name); err != nil {
		_ = tmp.Close()
		return nil, err
	}
	return tmp, nil
}

func packIs(f *os.File, key registry.PackKey) bool {
	info, err := f.Stat()
	if err != nil {
		return false
	}
	h, err := pack.Inspect(f, info.Size())
	return err == nil && h.Ring == key.Ring && h.Audience == key.Audience && h.KeyEpoch == key.Epoch &&
		h.Revision == key.PackRevision && h.FieldRevision == key.FieldRevision
}

// openRules finds the generic rules: --config, the environment, the scanned
// folder, gitleaks' own; and this project's, unless --rules leaves them out.
func (a *app) openRules(fl *scanFlags, p scanPlace) (*rules.Matcher, error) {
	own, err := fl.own()
	if err != nil {
		return nil, err
	}
	o := a.rulesOptions(fl, p)
	o.Own = own
	open := rules.New
	if a.shared != nil && o.Path == "" && o.Contents == nil {
		open = a.shared.generic
	}
	m, err := open(o)
	if err != nil {
		if o.Path != "" {
			if _, ferr := readFileLimited(a.rulesFrom(fl), o.Path, 0); ferr != nil {
				return nil, ferr // nothing of it was read
			}
		}
		return nil, usagef("%s: %w", a.rulesFrom(fl), err)
	}
	if len(fl.compat.rules) == 0 {
		return m, nil
	}
	m, unknown := m.Named(fl.compat.rules)
	if len(unknown) > 0 {
		return nil, usagef("--enable-rule: %s no rule's; 'revenant rules list' shows them all", plural(len(unknown), "id is", "ids are"))
	}
	return m, nil
}

// rulesFrom is who names the configuration.
func (a *app) rulesFrom(fl *scanFlags) string {
	switch {
	case fl.config != "":
		return "--config"
	case a.env("GITLEAKS_CONFIG") != "":
		return "GITLEAKS_CONFIG"
	case a.env("GITLEAKS_CONFIG_TOML") != "":
		return "GITLEAKS_CONFIG_TOML"
	}
	return ".gitleaks.toml in the scanned folder"
}

// rulesOptions says where the generic rules are.
func (a *app) rulesOptions(fl *scanFlags, p scanPlace) rules.Options {
	o := rules.Options{Path: fl.config, DecodeDepth: fl.rulesDepth(), Marked: true}
	if o.Path == "" {
		o.Path = a.env("GITLEAKS_CONFIG")
	}
	if inline := a.env("GITLEAKS_CONFIG_TOML"); o.Path == "" && inline != "" {
		o.Contents = []byte(inline)
	}
	if o.Path == "" && o.Contents == nil && p.root != "" {
		if own := filepath.Join(p.root, ".gitleaks.toml"); isRegular(own) {
			o.Path = own
		}
	}
	return o
}

func isRegular(file string) bool {
	info, err := os.Stat(file)
	return err == nil && info.Mode().IsRegular()
}

// packLabels names hits from the pack alone.
type packLabels struct{ pack *pack.Pack }

// Labels implements scan.Labels.
func (l packLabels) Labels(_ context.Context, rows []fingerprints.RowID, v fingerprints.Value) ([]scan.Label, error) {
	c := l.pack.NewConfirmer()
	var out []scan.Label
	for _, row := range rows {
		lb, err := c.Label(row, v.Reveal())
		if err != nil {
			return nil, fmt.Errorf("reading a label of the pack: %w", err)
		}
		out = append(out, scan.Label{
			Row: row, Secret: lb.Secret, Version: lb.Version, Field: lb.Field, State: lb.State, Class: lb.Class,
			Owner: lb.Owner, Compromised: lb.Compromised, WindowEnds: lb.WindowEnds,
		})
	}
	return out, nil
}

// Homes implements scan.Labels; a pack knows none.
func (packLabels) Homes(context.Context, string, string, string) ([]scan.Home, error) {
	return nil, nil
}

var _ pack.Keys = (*keys.Ring)(nil)
