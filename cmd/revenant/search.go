package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"revenant/fingerprints/registry"
	"revenant/ingest/search"
	"revenant/ingest/search/query"
)

// searchDir is where the search index lies: each machine has its own.
func searchDir(dir string) string { return filepath.Join(dir, "search") }

func (a *app) searchOptions(s *session) search.Options {
	return search.Options{Dir: searchDir(s.dir), Registry: s.reg, Actor: s.actor, Now: a.now, Lock: lockFile}
}

// searchFlags are what of a search is shown.
type searchFlags struct {
	limit  int
	after  string
	order  string
	facets []string
	top    int
}

func (a *app) searchCommand() *cobra.Command {
	var fl searchFlags
	c := &cobra.Command{
		Use: "search [QUERY]...", GroupID: "know",
		Short: "Find findings by words and fields",
		Long: `Looks for words in paths, owners, rules, names of secrets, sources, and in the
redacted text around what was found; and for conditions on fields:

  deploy "db password" vau*        words, words in order, beginnings
  verdict:stale owner:payments     all of these
  rule:aws-*,github-pat            one of these
  -path:testdata  a OR (b c)       not; or; parentheses
  age>30d seen<1d due<3d           first seen, last seen, due
  first>2026-01-01 is:open no:owner

The fields are ` + fieldsText(query.Fields()) + `
Words are searched for as words: dbPassword and db-password are db and password.
Values of secrets stand nowhere, so they cannot be found: 'revenant stdin' tells
whether a text has one.

The index lies in REVENANT_HOME/search. It is brought up to date first, unless a
server keeps it; where it is behind, that is said. See docs/how-to/search.md.`,
		Example: `  revenant search verdict:stale owner:payments 'age>30d'
  revenant search --order oldest is:open owner:payments
  revenant search --facets owner,rule is:open 'path:deploy'`,
		RunE: func(c *cobra.Command, args []string) error {
			q, err := query.Parse(strings.Join(args, " "))
			if err != nil {
				return usageError{err}
			}
			return a.withKnown(c.Context(), func(ctx context.Context, s *known) error { return a.search(ctx, s, q, &fl) })
		},
	}
	f := c.Flags()
	f.IntVar(&fl.limit, "limit", 50, "findings shown, up to 1000")
	f.StringVar(&fl.after, "cursor", "", "go on behind a page, which names it")
	f.StringVar(&fl.order, "order", search.Orders()[0], "what comes first: worst, by severity; oldest, first seen")
	f.StringSliceVar(&fl.facets, "facets", nil, "count by these fields: "+join(query.Facets()))
	f.IntVar(&fl.top, "top", search.DefaultTop, "values shown of each counted field")
	c.AddCommand(a.searchRebuild())
	return c
}

// queryArgs keeps what a query leaves out from being taken for flags: -path:x. AND
// joins anyway, so it says nothing.
func queryArgs(args []string) []string {
	at := slices.IndexFunc(args, func(a string) bool { return !strings.HasPrefix(a, "-") })
	if at < 0 || args[at] != "search" {
		return args
	}
	out := slices.Clone(args)
	for i := at + 1; i < len(out) && out[i] != "--"; i++ {
		if a := out[i]; len(a) > 2 && a[0] == '-' && a[1] != '-' {
			out[i] = "AND " + a
		}
	}
	return out
}

// fieldsText lists fields in lines of help.
func fieldsText(fields []query.Field) string {
	var b strings.Builder
	column := len("The fields are ")
	for i, f := range fields {
		word := string(f) + ","
		if i == len(fields)-1 {
			word = string(f) + "."
		}
		if column+len(word) > 78 {
			b.WriteString("\n")
			column = 0
		} else if i > 0 {
			b.WriteString(" ")
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	return b.String()
}

func (fl *searchFlags) page() (search.Page, error) {
	p := search.Page{Limit: fl.limit, After: fl.after, Top: fl.top}
	if fl.limit < 1 || fl.limit > search.MaxLimit {
		return p, usagef("--limit is from 1 to %d", search.MaxLimit)
	}
	if fl.top < 1 {
		return p, usagef("--top is at least 1")
	}
	order, known := search.OrderOf(fl.order)
	if !known {
		return p, usagef("--order is %s", strings.Join(search.Orders(), " or "))
	}
	p.Order = order
	var err error
	p.Facets, err = someOf("--facets", fl.facets, query.Facets())
	return p, err
}

// followFor is how long a search waits until the index has what is new.
const followFor = 10 * time.Second

func (a *app) search(ctx context.Context, s *known, q query.Query, fl *searchFlags) error {
	page, err := fl.page()
	if err != nil {
		return err
	}
	if err := s.refuse(ctx, q.String()); errors.Is(err, registry.ErrValueInName) {
		return usagef("a registered value stands in the query: values are in no index, so this would find nothing; it also stands in your shell's history now")
	} else if err != nil {
		return err
	}
	r, err := s.found(ctx, q, page)
	if err != nil {
		return err
	}
	if a.asJSON {
		err = a.printJSON(r)
	} else {
		err = a.printSearch(r, page)
	}
	if err == nil && r.Cut {
		err = errors.New("not complete: the store was read for 20 seconds and not to its end; `revenant search rebuild` makes an index")
	}
	return err
}

// found are the findings that match, by the index of this machine or a server's.
func (k *known) found(ctx context.Context, q query.Query, page search.Page) (r search.Result, err error) {
	if k.home == nil {
		return k.remote.Search(ctx, q, page)
	}
	x, err := search.Open(ctx, k.a.searchOptions(k.home))
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, x.Close()) }()
	soon, cancel := context.WithTimeout(ctx, followFor)
	defer cancel()
	if _, err := x.Follow(soon); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return r, err
	}
	return x.Search(ctx, k.actor, q, page)
}

func (a *app) printSearch(r search.Result, page search.Page) error {
	for _, f := range page.Facets {
		var rows [][]string
		for _, c := range r.Facets[f] {
			rows = append(rows, []string{c.Value, strconv.Itoa(c.Count)})
		}
		if err := a.table([]string{strings.ToUpper(string(f)), "FINDINGS"}, rows); err != nil {
			return err
		}
		if err := writeAll(a.stdout, "\n"); err != nil {
			return err
		}
	}
	if len(r.Findings) > 0 {
		var rows [][]string
		for _, h := range r.Findings {
			f := h.Finding
			rows = append(rows, []string{shortID(f.ID), string(f.Verdict), string(f.Severity), statusText(f), whatText(f), orDash(f.Owner), string(f.Presence), f.Path, f.Source})
		}
		if err := a.table([]string{"ID", "VERDICT", "SEVERITY", "STATUS", "WHAT", "OWNER", "PRESENCE", "PATH", "SOURCE"}, rows); err != nil {
			return err
		}
	}
	a.note(totalText(r))
	if r.Next != "" {
		a.note("more: --cursor " + r.Next)
	}
	if !r.Behind.Current() {
		a.note(behindText(r.Behind))
	}
	return nil
}

// totalText is how many findings match, as far as that is known.
func totalText(r search.Result) string {
	shown := ""
	if len(r.Findings) < r.Most {
		shown = fmt.Sprintf(", %d shown", len(r.Findings))
	}
	switch {
	case r.Cut:
		return fmt.Sprintf("at least %s%s", plural(r.Total, "finding matches", "findings match"), shown)
	case r.Total != r.Most:
		return fmt.Sprintf("%d to %d findings match%s", r.Total, r.Most, shown)
	case r.Total == 0:
		return "no findings match; `revenant source list` shows what was searched"
	}
	return plural(r.Total, "finding matches", "findings match") + shown
}

func behindText(b search.Behind) string {
	if b.Building {
		return fmt.Sprintf("the index is being built and has %s yet: the store was searched; `revenant search rebuild` builds it to the end", plural(int(b.Done), "finding", "findings"))
	}
	return fmt.Sprintf("the index is up to %s behind: findings of them may be missing", plural(int(b.Changes), "change", "changes"))
}

func (a *app) searchRebuild() *cobra.Command {
	return &cobra.Command{
		Use: "rebuild", Short: "Build the search index anew",
		Long: `Removes the search index and builds it from the registry. That is never needed:
an index that is damaged, or of another installation, is built anew by itself.`,
		Example: "  revenant search rebuild",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withRegistry(c.Context(), func(ctx context.Context, s *session) (err error) {
				x, err := search.Open(ctx, a.searchOptions(s))
				if err != nil {
					return err
				}
				defer func() { err = errors.Join(err, x.Close()) }()
				began := a.now()
				if err := x.Rebuild(ctx); errors.Is(err, search.ErrKept) {
					return fmt.Errorf("%w: stop it first", err)
				} else if err != nil {
					return err
				}
				n := x.Stats().Documents
				if a.asJSON {
					return a.printJSON(map[string]any{"findings": n, "seconds": a.now().Sub(began).Seconds()})
				}
				a.note(plural(int(n), "finding", "findings") + " indexed")
				return nil
			})
		},
	}
}

// cleanSearch is called before a command, and what it returns after it. Where the
// command redacted what is stored, the search index of this machine is rewritten, so
// that its files do not keep what the store has not. A process that keeps the index
// does that itself.
func (a *app) cleanSearch(ctx context.Context, s *session) func(context.Context) error {
	if s.lasts || !search.Exists(searchDir(s.dir)) {
		return func(context.Context) error { return nil }
	}
	before, err := s.reg.Redacted(ctx, s.actor)
	return func(ctx context.Context) error {
		if err != nil {
			return nil // the command said so
		}
		if now, err := s.reg.Redacted(ctx, s.actor); err != nil || now == before {
			return nil //nolint:nilerr // the command was about the store
		}
		x, err := search.Open(ctx, a.searchOptions(s))
		if err != nil {
			return err
		}
		_, err = x.Follow(ctx)
		return errors.Join(err, x.Close())
	}
}

// queryWords completes the last word of a query.
func (a *app) queryWords(c *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	const how = cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	list := a.firstOf(-1, func(ctx context.Context, s *known, begun string) ([]string, error) {
		if s.home == nil {
			return s.remote.Suggest(ctx, s.actor, begun, maxShown)
		}
		x := search.Store(a.searchOptions(s.home))
		if search.Exists(searchDir(s.home.dir)) {
			if kept, err := search.Open(ctx, a.searchOptions(s.home)); err == nil {
				defer func() { _ = kept.Close() }()
				x = kept
			}
		}
		return x.Suggest(ctx, s.actor, begun, maxShown)
	})
	out, _ := list(c, args, begun)
	return slices.Compact(out), how
}
