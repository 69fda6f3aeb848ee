package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
	"revenant/ingest/hook"
	"revenant/ingest/pipeline"
	"revenant/ingest/search"
	"revenant/ingest/search/query"
)

// complete teaches the shell what commands take. It shows names and states,
// never values, and says nothing where there is no registry.
func (a *app) complete(c *cobra.Command) {
	if f := a.argumentWords(c); f != nil {
		c.ValidArgsFunction = f
	}
	for flag, f := range a.flagWords(c) {
		if c.LocalNonPersistentFlags().Lookup(flag) != nil {
			_ = c.RegisterFlagCompletionFunc(flag, f) // the flag is there
		}
	}
	for _, sub := range c.Commands() {
		a.complete(sub)
	}
}

// argumentWords completes what a command's usage names.
func (a *app) argumentWords(c *cobra.Command) cobra.CompletionFunc {
	_, rest, _ := strings.Cut(c.Use, " ")
	want, _, _ := strings.Cut(rest, " ")
	switch {
	case want == "ID" && c.Parent().Name() == "source", want == "FROM":
		return a.firstOf(1, a.sources)
	case want == "NAME@N":
		return a.firstOf(1, a.versions)
	case want == "NAME" && c.Parent().Name() == "watch":
		return a.firstOf(1, a.watches)
	case want == "TOKEN":
		return a.firstOf(1, a.tokens)
	case want == "NAME" && c.Parent().Name() == "token":
		return cobra.NoFileCompletions
	case want == "NAME":
		return a.firstOf(1, a.names)
	case want == "[MESSAGE]...":
		return a.firstOf(-1, a.undelivered)
	case want == "[QUERY]...":
		return a.queryWords
	case want == "ID", want == "FINDING":
		return a.firstOf(1, a.findings)
	case rest == "":
		return cobra.NoFileCompletions
	}
	return nil // files
}

// flagWords completes flags by their names: one name means one thing in every
// command, but for --format.
func (a *app) flagWords(c *cobra.Command) map[string]cobra.CompletionFunc {
	statuses := fingerprints.Statuses()
	out := map[string]cobra.CompletionFunc{
		"class":         fixed(words(fingerprints.Classes())...),
		"state":         fixed(words(fingerprints.States())...),
		"verdict":       listed(words(fingerprints.Verdicts())...),
		"presence":      listed(words(fingerprints.Presences())...),
		"status":        listed(words(statuses)...),
		"accept-skip":   listed(append(words(fingerprints.SkipReasons()), "all")...),
		"only":          fixed("registered", "generic"),
		"provider":      fixed(words(pipeline.Systems())...),
		"on-bad-pack":   fixed(words(hook.BadPacks())...),
		"audience":      fixed("edge", "core"),
		"order":         fixed(search.Orders()...),
		"facets":        listed(words(query.Facets())...),
		"hook":          fixed(hook.Scanning()...),
		"report-format": fixed(strings.Split(reportNames(), ", ")...),
		"fail-on":       fixed(append(append(words(fingerprints.Severities()), words(fingerprints.Verdicts())...), "any", "none")...),
		"scope":         fixed(words(registry.Scopes())...),
		"role":          fixed(words(registry.Roles())...),
		"secret":        a.firstOf(-1, a.versions),
		"source":        a.firstOf(-1, a.sources),
		"rule":          a.ruleWords,
		"build-context": cobra.FixedCompletions(nil, cobra.ShellCompDirectiveFilterDirs),
	}
	switch path := c.CommandPath(); path {
	case "revenant stdin":
		out["format"] = fixed("text", "ndjson")
	case "revenant logs":
		out["format"], out["provider"] = fixed(logFormats()...), fixed(ciSystems()...)
	case "revenant notify list":
		out["state"] = fixed(words(deliveryStates())...)
	case "revenant secret import":
		out["format"] = fixed(formatNames()...)
	case "revenant findings export":
		out["format"] = fixed("jsonl", "csv")
	}
	return out
}

func words[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, w := range list {
		out[i] = string(w)
	}
	return out
}

func fixed(list ...string) cobra.CompletionFunc {
	return cobra.FixedCompletions(list, cobra.ShellCompDirectiveNoFileComp)
}

// listed completes the last word of a list with commas.
func listed(list ...string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
		head := begun[:strings.LastIndexByte(begun, ',')+1]
		out := make([]string, len(list))
		for i, w := range list {
			out[i] = head + w
		}
		return beginning(out, begun), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
}

// lister asks the registry for words that begin so; what follows a tab describes.
type lister func(ctx context.Context, s *known, begun string) ([]string, error)

// firstOf completes the first so many arguments; any with -1.
func (a *app) firstOf(count int, list lister) cobra.CompletionFunc {
	return func(c *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
		if count >= 0 && len(args) >= count {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		ctx := c.Context()
		if ctx == nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		s, err := a.openKnown(ctx)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		defer func() { _ = s.close() }()
		out, err := list(ctx, s, begun)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return beginning(out, begun), cobra.ShellCompDirectiveNoFileComp
	}
}

// beginning keeps the words that begin so.
func beginning(list []string, begun string) []string {
	return slices.DeleteFunc(list, func(w string) bool { return !strings.HasPrefix(w, begun) })
}

// names are secrets' names.
func (a *app) names(ctx context.Context, s *known, begun string) ([]string, error) {
	list, err := s.reg.List(ctx, s.actor, registry.ListFilter{Prefix: begun})
	out := make([]string, len(list))
	for i, secret := range list {
		out[i] = secret.Name + "\t" + statesText(secret.States, secret.Compromised)
	}
	return out, err
}

func (a *app) watches(ctx context.Context, s *known, _ string) ([]string, error) {
	list, err := s.reg.Watches(ctx, s.actor, store.WatchFilter{})
	out := make([]string, len(list))
	for i, w := range list {
		out[i] = w.Name + "\t" + stateOf(w)
	}
	return out, err
}

func (a *app) undelivered(ctx context.Context, s *known, _ string) ([]string, error) {
	list, err := s.reg.Deliveries(ctx, s.actor, store.DeliveryFilter{State: store.DeliveryGivenUp})
	out := make([]string, len(list))
	for i, d := range list {
		out[i] = d.ID + "\t" + d.Receiver
	}
	return out, err
}

// tokens are those that are valid, with their scopes.
func (a *app) tokens(ctx context.Context, s *known, _ string) ([]string, error) {
	list, err := s.reg.Tokens(ctx, s.actor)
	var out []string
	for _, k := range list {
		if k.RevokedAt == nil {
			out = append(out, k.Name+"\t"+joinScopes(k.Scopes))
		}
	}
	return out, err
}

// maxShown is of how many secrets the versions are looked up.
const maxShown = 50

// versions are NAME@N, with their states.
func (a *app) versions(ctx context.Context, s *known, begun string) ([]string, error) {
	prefix, _, _ := strings.Cut(begun, "@")
	list, err := s.reg.List(ctx, s.actor, registry.ListFilter{Prefix: prefix, Limit: maxShown})
	if err != nil {
		return nil, err
	}
	var out []string
	for _, secret := range list {
		view, err := s.reg.Show(ctx, s.actor, secret.Name)
		if err != nil {
			return nil, err
		}
		for _, v := range view.Versions {
			out = append(out, fmt.Sprintf("%s@%d\t%s", secret.Name, v.Version, v.State))
		}
	}
	return out, nil
}

func (a *app) sources(ctx context.Context, s *known, _ string) ([]string, error) {
	list, err := s.reg.Sources(ctx, s.actor)
	out := make([]string, len(list))
	for i, src := range list {
		out[i] = printable(src.ID) + "\t" + verdictsText(src.Findings)
	}
	return out, err
}

// findings are ids of those that are open, the worst first.
func (a *app) findings(ctx context.Context, s *known, begun string) ([]string, error) {
	list, err := s.reg.Findings(ctx, s.actor, store.FindingFilter{})
	worstFirst(list)
	out := make([]string, len(list))
	for i, f := range list {
		id := shortID(f.ID)
		if strings.HasPrefix(begun, "rv1:") {
			id = string(f.ID)
		}
		out[i] = id + "\t" + string(f.Verdict) + " " + printable(f.Path)
	}
	return out, err
}

// ruleWords are the rules of the configuration in force here.
func (a *app) ruleWords(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
	m, err := a.openRules(&scanFlags{}, scanPlace{root: "."})
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var out []string
	for _, e := range m.Explain() {
		out = append(out, e.Rule)
	}
	return beginning(out, begun), cobra.ShellCompDirectiveNoFileComp
}
