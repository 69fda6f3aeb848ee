package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
)

// aVersion is the address of a version, for routes.
const aVersion = "/secrets/{name}/versions/{version}"

func (s *server) versionRoutes() []route {
	return []route{
		{path: aVersion, scope: registry.ScopeRead, do: s.version},
		{method: http.MethodPost, path: aVersion + "/proof", scope: registry.ScopeRead, do: s.prove},
		{path: aVersion + "/do/{act}", scope: registry.ScopeRotate, do: s.confirm},
		{method: http.MethodPost, path: aVersion + "/do/{act}", scope: registry.ScopeRotate, do: s.act},
	}
}

// act is something that can be done to a version.
type act struct {
	Word   string // in addresses
	Title  string
	Does   string // what comes of it
	Done   string // word of said
	Window bool   // it asks for how long both values are accepted
	from   []fingerprints.State
}

// acts are all of them, in the order in which they are offered.
func acts() []act {
	live := []fingerprints.State{fingerprints.StateActive, fingerprints.StateSuperseded}
	return []act{
		{Word: "activate", Title: "Activate", Done: "activated", Window: true, from: []fingerprints.State{fingerprints.StatePending, fingerprints.StateSuperseded}, Does: "It becomes the active version. The version that was active for the same consumers is superseded; of a superseded version this is the rollback."},
		{Word: "supersede", Title: "Supersede", Done: "superseded", Window: true, from: []fingerprints.State{fingerprints.StateActive}, Does: "It is accepted for a while still, and copies of it are lagging instead of leaked. Consumers are to move to another version."},
		{Word: "retire", Title: "Retire", Done: "retired", from: live, Does: "It is deactivated, for ever: nothing leaves this state. Every copy that is known is stale at once. Deactivate the value at its issuer too."},
		{Word: "abandon", Title: "Abandon", Done: "abandoned", from: []fingerprints.State{fingerprints.StatePending}, Does: "It will never be used, and nothing leaves this state. Copies of it are stale."},
		{Word: "compromise", Title: "Mark compromised", Done: "compromised", from: fingerprints.States(), Does: "It says that others know the value. The flag stays for ever, and every copy has to be dealt with now."},
	}
}

// actsOf are those that a version's state has room for.
func actsOf(v registry.VersionView) []act {
	return slices.DeleteFunc(acts(), func(x act) bool {
		return !slices.Contains(x.from, v.State) || x.Word == "compromise" && v.CompromisedAt != nil
	})
}

// versionPage is all that is known of a version, and whether it can be deactivated.
type versionPage struct {
	registry.VersionView
	Secret   registry.SecretView
	Ref      string
	Counts   []countLink
	Query    string // selects its findings
	Acts     []act
	Evidence evidence
	Judged   bool // it is in use still, so the evidence says something
	Changes  []registry.VerdictChange
	Act      act // of the page that asks whether it is to be done
	// Shown is the coverage of sources, what is not complete first; Hidden are more.
	Shown  []registry.SourceCoverage
	Hidden int
	// Sole: no other version would be active.
	Sole bool
}

// versionOf finds the version of a request, with its evidence where it is in use.
func (s *server) versionOf(r *http.Request, a registry.Actor) (versionPage, error) {
	ref := refOf(r)
	secret, err := s.o.Registry.Show(r.Context(), a, ref.Name)
	if err != nil {
		return versionPage{}, err
	}
	i := slices.IndexFunc(secret.Versions, func(v registry.VersionView) bool { return v.Version == ref.Number })
	if i < 0 {
		return versionPage{}, registry.ErrUnknownVersion
	}
	v := secret.Versions[i]
	d := versionPage{
		VersionView: v, Secret: secret, Ref: ref.String(), Counts: countLinks(ref.String(), v.Findings), Query: secretQuery(ref.String(), ""),
		Acts: actsOf(v), Changes: changesOf(r), Judged: v.State == fingerprints.StateActive || v.State == fingerprints.StateSuperseded,
	}
	d.Sole = v.State == fingerprints.StateActive && !slices.ContainsFunc(secret.Versions, func(x registry.VersionView) bool {
		return x.Version != v.Version && x.State == fingerprints.StateActive
	})
	if d.Judged {
		d.Evidence, err = s.evidenceOf(r, a, secret, v)
	} else {
		d.Evidence.Coverage, err = s.o.Registry.Coverage(r.Context(), a, ref)
	}
	d.Shown = slices.Clone(d.Evidence.Coverage.Sources)
	slices.SortStableFunc(d.Shown, func(x, y registry.SourceCoverage) int { return coverRank(x.State) - coverRank(y.State) })
	if len(d.Shown) > shownSources {
		d.Hidden, d.Shown = len(d.Shown)-shownSources, d.Shown[:shownSources]
	}
	return d, err
}

// shownSources is how many sources a version's page lists.
const shownSources = 200

// coverRank is where a state of coverage stands in lists: what is missing first.
func coverRank(s registry.CoverageState) int {
	return slices.Index([]registry.CoverageState{registry.CoveragePending, registry.CoveragePartial, registry.CoverageSkipped, registry.CoverageComplete}, s)
}

func (s *server) version(r *http.Request, a registry.Actor) (page, error) {
	d, err := s.versionOf(r, a)
	return page{name: "version", title: d.Ref, nav: "secrets", data: d}, err
}

// confirm is the page that says what comes of an act, with the form that does it.
func (s *server) confirm(r *http.Request, a registry.Actor) (page, error) {
	d, err := s.versionOf(r, a)
	if err != nil {
		return page{}, err
	}
	i := slices.IndexFunc(d.Acts, func(x act) bool { return x.Word == param(r, "act") })
	if i < 0 {
		return page{to: at("secrets", d.Secret.Name, "versions", d.Version)}, nil // it was done already, or cannot be
	}
	d.Act = d.Acts[i]
	return page{name: "act", title: d.Act.Title + " " + d.Ref, nav: "secrets", data: d}, nil
}

// act does it.
func (s *server) act(r *http.Request, a registry.Actor) (page, error) {
	ctx, reg, ref := r.Context(), s.o.Registry, refOf(r)
	i := slices.IndexFunc(acts(), func(x act) bool { return x.Word == param(r, "act") })
	if i < 0 {
		return page{}, errNoPage
	}
	window, err := duration("window", r.PostForm.Get("window"))
	if err != nil {
		return page{}, err
	}
	var c registry.Changed
	switch acts()[i].Word {
	case "activate":
		c, err = reg.Activate(ctx, a, ref, registry.ActivateOptions{Window: window})
	case "supersede":
		c, err = reg.Supersede(ctx, a, ref, registry.SupersedeOptions{Window: window})
	case "retire":
		c, err = s.retire(r, a, ref)
	case "abandon":
		c, err = reg.Abandon(ctx, a, ref)
	case "compromise":
		c, err = reg.Compromise(ctx, a, ref)
	}
	if err != nil {
		return page{}, err
	}
	word := acts()[i].Done
	if c.Unchanged {
		word = "unchanged"
	}
	return doneChanged(at("secrets", ref.Name, "versions", ref.Number), word, c.Verdicts)
}

// retire deactivates a version. Where the evidence does not speak for it, somebody has
// to say that it is to be done all the same: what was shown may have changed since.
func (s *server) retire(r *http.Request, a registry.Actor, ref fingerprints.VersionRef) (registry.Changed, error) {
	d, err := s.versionOf(r, a)
	if err != nil {
		return registry.Changed{}, err
	}
	if d.Judged && d.Evidence.Word != "yes" && r.PostForm.Get("despite") == "" {
		return registry.Changed{}, badForm("retire", "the evidence does not speak for it: say that it is to be done all the same")
	}
	return s.o.Registry.Retire(r.Context(), a, ref, registry.RetireOptions{NoSuccessor: r.PostForm.Get("sole") != ""})
}

// prove answers with the signed document of what is known of a version's copies.
func (s *server) prove(r *http.Request, a registry.Actor) (page, error) {
	ref := refOf(r)
	p, err := s.o.Registry.Prove(r.Context(), a, ref, registry.ProveOptions{IncludeHistory: r.PostForm.Get("history") != ""})
	if err != nil {
		return page{}, err
	}
	name := strings.ReplaceAll(ref.Name, "/", "_") + "-" + strconv.Itoa(ref.Number) + "-proof.json"
	return page{nav: "secrets", raw: func(w http.ResponseWriter) error {
		download(w, "application/json", name)
		_, err := w.Write(p.Document)
		return err
	}}, nil
}

// download says that an answer is a file of a name, which has letters, digits and
// ._- alone, and that nobody keeps it.
func download(w http.ResponseWriter, kind, name string) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	w.Header().Set("Cache-Control", "no-store")
}
