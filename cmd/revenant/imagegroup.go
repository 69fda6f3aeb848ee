package main

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
	"revenant/ingest/watch"
)

// repositoryMembers lists the registries that a watch is of; nil: it is of none.
// Its members are watches like it, of one repository each.
func (a *app) repositoryMembers(ctx context.Context, w store.Watch, args []string) (*watch.Result, error) {
	c, hosts, err := a.watchCommand(append([]string{w.Kind}, args...))
	if err != nil {
		return nil, err
	}
	fl := registryFlags{all: c.Flags().Changed("all-repositories"), repos: repeated(c, "repo"), mirrors: repeated(c, "mirror"), caFiles: repeated(c, "ca-file")}
	if !fl.registries() {
		return nil, nil
	}
	fl.insecure = c.Flags().Changed("insecure")
	if fl.patience, err = time.ParseDuration(c.Flags().Lookup("wait").Value.String()); err != nil {
		return nil, err
	}
	asking, err := a.registryOptions(&fl, func(string) bool { return true })
	if err != nil {
		return nil, err
	}
	names, unread, err := a.repositories(ctx, &fl, asking, hosts)
	if err != nil {
		return nil, err
	}
	same := withoutFlags(args, []string{"--all-repositories"}, []string{"--repo"}, hosts)
	if !slices.ContainsFunc(same, func(arg string) bool {
		return arg == "--all-tags" || arg == "--tag" || strings.HasPrefix(arg, "--tag=")
	}) {
		same = append(same, "--all-tags")
	}
	out := &watch.Result{Group: true, Listed: registry.ListedWhole, Outcome: registry.WatchComplete, Members: []registry.WatchSpec{}}
	for _, u := range unread {
		out.Listed, out.Outcome, out.Problem = registry.ListedPart, registry.WatchIncomplete, u.name+": "+u.detail
	}
	for _, name := range names {
		options, err := json.Marshal(watchOptions{Args: append([]string{name}, same...)})
		if err != nil {
			return nil, err
		}
		_, path, _ := strings.Cut(name, "/")
		if len(hosts) > 1 {
			path = name
		}
		out.Members = append(out.Members, registry.WatchSpec{
			Name: registry.MemberName(w.Name, path), Kind: w.Kind, Location: name, Options: options, Credential: w.Credential, Schedule: w.Schedule,
		})
	}
	return out, nil
}
