package main

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
	"revenant/ingest/enumerate"
	"revenant/ingest/watch"
	"revenant/scanners/cilog/rest"
)

// groupFlags say which repositories of an owner are scanned.
type groupFlags struct {
	of               []string
	include, exclude []string
	noArchived       bool
	noForks          bool
}

func (g *groupFlags) register(f *pflag.FlagSet) {
	f.StringArrayVar(&g.of, "group", nil, "scan the repositories of an organisation, group or user too: github:ACME, gitlab:GROUP, or gitea:ACME@HOST; @HOST is another server (repeat)")
	f.StringArrayVar(&g.include, "include", nil, "of --group, only repositories that this glob matches (repeat)")
	f.StringArrayVar(&g.exclude, "exclude-repo", nil, "of --group, no repositories that this glob matches (repeat)")
	f.BoolVar(&g.noArchived, "no-archived", false, "of --group, no archived repositories")
	f.BoolVar(&g.noForks, "no-forks", false, "of --group, no forks")
}

// groupPlace reads KIND:OWNER or KIND:OWNER@HOST.
func groupPlace(text string) (enumerate.Place, error) {
	kind, rest, _ := strings.Cut(text, ":")
	owner, host, elsewhere := strings.Cut(rest, "@")
	p := enumerate.Place{Kind: enumerate.Kind(kind), Owner: strings.Trim(owner, "/")}
	if elsewhere {
		p.Server = host
		if !strings.Contains(host, "://") {
			p.Server = "https://" + host
		}
	}
	switch p.Kind {
	case enumerate.GitHub, enumerate.GitLab:
		if p.Owner != "" {
			return p, nil
		}
	case enumerate.Gitea:
		if p.Owner != "" && p.Server != "" {
			return p, nil
		}
	case enumerate.List:
	}
	return p, usagef("--group is github:ORGANISATION, gitlab:GROUP or gitea:ORGANISATION@HOST; @HOST is another server")
}

// groupOf lists the repositories of an owner. With an error the list is what was
// found until then.
func (a *app) groupOf(ctx context.Context, g *groupFlags, of string) (enumerate.Listing, error) {
	p, err := groupPlace(of)
	if err != nil {
		return enumerate.Listing{}, err
	}
	o := enumerate.Options{
		Include: g.include, Exclude: g.exclude, LeaveArchived: g.noArchived, LeaveForks: g.noForks, LeaveEmpty: true,
		Rest: rest.Options{Agent: "revenant", Now: a.now, Patience: time.Minute},
	}
	if token := a.groupToken(p); !token.IsEmpty() {
		o.Token = func(context.Context) (fingerprints.Value, error) { return token, nil }
	}
	return enumerate.Repos(ctx, p, o)
}

// groupToken is what opens an owner's list: the credential of a watch, or the
// environment's token for that system.
func (a *app) groupToken(p enumerate.Place) fingerprints.Value {
	if a.login != nil {
		_, token := a.login.pair()
		return fingerprints.NewValue([]byte(token))
	}
	at := ciPlace{system: ciSystem(p.Kind), server: strings.TrimRight(p.Server, "/")}
	if at.server == "" {
		at.server = at.system.home()
	}
	return fingerprints.NewValue([]byte(a.ciToken(at)))
}

// members lists the group that a watch is of; nil: it is of none. Its members are
// watches like it, of one repository each.
func (a *app) members(ctx context.Context, w store.Watch, args []string) (*watch.Result, error) {
	if w.Kind == "image" {
		return a.repositoryMembers(ctx, w, args)
	}
	if w.Kind != "git" || !strings.Contains(strings.Join(args, " "), "--group") {
		return nil, nil
	}
	var fl gitFlags
	c, places, err := a.watchCommand(append([]string{w.Kind}, args...))
	if err != nil {
		return nil, err
	}
	for name, into := range map[string]*[]string{"group": &fl.group.of, "include": &fl.group.include, "exclude-repo": &fl.group.exclude} {
		*into = repeated(c, name)
	}
	fl.group.noArchived, fl.group.noForks = c.Flags().Changed("no-archived"), c.Flags().Changed("no-forks")
	if len(fl.group.of) == 0 {
		return nil, nil
	}
	same := withoutFlags(args, []string{"--no-archived", "--no-forks"}, []string{"--group", "--include", "--exclude-repo"}, places)
	out := &watch.Result{Group: true, Listed: registry.ListedWhole, Outcome: registry.WatchComplete, Members: []registry.WatchSpec{}}
	known := map[string]bool{}
	for _, of := range fl.group.of {
		list, err := a.groupOf(ctx, &fl.group, of)
		if err != nil {
			out.Listed, out.Outcome, out.Problem = registry.ListedPart, registry.WatchIncomplete, err.Error()
		}
		if len(list.Repositories)+len(list.Left) == 0 && err == nil {
			// A token that lost its rights sees nothing: that is no reason to forget all.
			out.Listed, out.Problem = registry.ListedPart, "the group lists no repository"
		}
		for _, r := range list.Repositories {
			name := registry.MemberName(w.Name, r.Name)
			if known[name] {
				continue
			}
			known[name] = true
			options, err := json.Marshal(watchOptions{Args: append([]string{r.HTTPS}, same...)})
			if err != nil {
				return nil, err
			}
			out.Members = append(out.Members, registry.WatchSpec{Name: name, Kind: "git", Location: r.HTTPS, Options: options, Credential: w.Credential, Schedule: w.Schedule})
		}
	}
	return out, nil
}

// repeated are the values of a flag that repeats.
func repeated(c *cobra.Command, name string) []string {
	f := c.Flags().Lookup(name)
	if f == nil {
		return nil
	}
	list, is := f.Value.(pflag.SliceValue)
	if !is {
		return nil
	}
	return list.GetSlice()
}

// withoutFlags are arguments without some flags, that take nothing or a value, and
// without places.
func withoutFlags(args, switches, valued, places []string) []string {
	out := []string{}
	for i := 0; i < len(args); i++ {
		name, _, given := strings.Cut(args[i], "=")
		switch {
		case slices.Contains(valued, name):
			if !given {
				i++ // its value
			}
		case slices.Contains(switches, name), slices.Contains(places, args[i]):
		default:
			out = append(out, args[i])
		}
	}
	return out
}

// group is the result of listing one, in words that hold no registered value.
func (s watchScanner) group(ctx context.Context, r *watch.Result, err error) watch.Result {
	if err != nil {
		return watch.Result{Outcome: registry.WatchFailed, Problem: s.v.shown(ctx, err.Error())}
	}
	r.FieldRevision = s.v.fieldRevision()
	r.Problem = s.v.shown(ctx, r.Problem)
	if len(r.Members) == 0 && r.Listed == registry.ListedPart {
		r.Outcome = registry.WatchFailed
	}
	return *r
}

// sameRegistry reports whether a source id is of an image in a registry.
func sameRegistry(place, sourceID string) bool {
	host := hostOf("image", place)
	return host != "" && strings.HasPrefix(sourceID, "image:"+host+"/")
}
