package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"revenant/fingerprints/registry"
)

func (a *app) tokenGroup() *cobra.Command {
	c := &cobra.Command{
		Use: "token", GroupID: "watch",
		Short: "Say who may ask the server, and for what",
		Long: `A token lets a machine or a person ask a server over HTTP, within its scopes.
What is shown to the server is printed once and not stored; its hash is. A
laptop that only takes packs needs no more than --scope pack.`,
	}
	return group(c, a.tokenAdd(), a.tokenList(), a.tokenRevoke())
}

func (a *app) tokenAdd() *cobra.Command {
	var scopes, teams []string
	var until string
	c := &cobra.Command{
		Use: "add NAME", Short: "Make a token and print it, once",
		Example: "  revenant token add ci --scope scan --until 2099-01-31\n  revenant token add laptop-7 --scope pack\n  revenant token add shop --scope read --team shop",
		Args:    argCount(1, 1, "NAME"),
		RunE: func(c *cobra.Command, args []string) error {
			q := registry.TokenRequest{Name: args[0], Teams: teams}
			for _, s := range scopes {
				q.Scopes = append(q.Scopes, registry.Scope(s))
			}
			var err error
			if q.ExpiresAt, err = a.untilFlag("--until", until); err != nil {
				return err
			}
			return a.withKnown(c.Context(), func(ctx context.Context, s *known) error {
				if err := s.refuse(ctx, append([]string{args[0]}, teams...)...); err != nil {
					return err
				}
				made, shown, err := s.reg.AddToken(ctx, s.actor, q)
				if err != nil {
					return err
				}
				if a.asJSON {
					return a.printJSON(struct {
						registry.TokenView
						Token string `json:"token"`
					}{made, string(shown.Reveal())})
				}
				a.note(fmt.Sprintf("%s may %s%s; this is shown once", made.Name, joinScopes(made.Scopes), untilWords(made.ExpiresAt)))
				return writeAll(a.stdout, string(shown.Reveal())+"\n")
			})
		},
	}
	c.Flags().StringArrayVar(&scopes, "scope", nil, "what it may: "+joinScopes(registry.Scopes())+"; repeatable")
	c.Flags().StringArrayVar(&teams, "team", nil, "an owner whose findings and secrets it sees;\nrepeatable; without it: all")
	c.Flags().StringVar(&until, "until", "", "last day, as 2027-01-31, or a time; without it, it never ends")
	return c
}

func untilWords(t *time.Time) string {
	if t == nil {
		return ""
	}
	return " until " + when(*t)
}

func joinScopes(list []registry.Scope) string {
	words := make([]string, len(list))
	for i, s := range list {
		words[i] = string(s)
	}
	return strings.Join(words, ", ")
}

func (a *app) tokenList() *cobra.Command {
	var all bool
	c := &cobra.Command{
		Use: "list", Short: "List tokens, with their last use", Example: "  revenant token list --all", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withKnown(c.Context(), func(ctx context.Context, s *known) error {
				list, err := s.reg.Tokens(ctx, s.actor)
				if err != nil {
					return err
				}
				shown := []registry.TokenView{}
				var rows [][]string
				for _, k := range list {
					if !all && (k.RevokedAt != nil || k.Expired) {
						continue
					}
					shown = append(shown, k)
					rows = append(rows, []string{k.Name, k.ID, joinScopes(k.Scopes), tokenState(k), lastUse(k.UsedAt)})
				}
				switch {
				case a.asJSON:
					return a.printJSON(shown)
				case len(shown) == 0:
					a.note("there are no tokens; make one with: revenant token add NAME --scope SCOPE")
					return nil
				}
				return a.table([]string{"TOKEN", "ID", "SCOPES", "STATE", "LAST USED"}, rows)
			})
		},
	}
	c.Flags().BoolVar(&all, "all", false, "revoked and expired ones too")
	return c
}

func lastUse(t *time.Time) string {
	if t == nil {
		return "never"
	}
	return when(*t)
}

func tokenState(k registry.TokenView) string {
	switch {
	case k.RevokedAt != nil:
		return "revoked"
	case k.Expired:
		return "expired"
	case k.ExpiresAt != nil:
		return "until " + when(*k.ExpiresAt)
	}
	return "valid"
}

func (a *app) tokenRevoke() *cobra.Command {
	return &cobra.Command{
		Use: "revoke TOKEN", Short: "End a token, by its name or id",
		Long:    "What is asked for with it from then on is refused.",
		Example: "  revenant token revoke ci",
		Args:    argCount(1, 1, "TOKEN"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withKnown(c.Context(), func(ctx context.Context, s *known) error {
				k, err := s.reg.RevokeToken(ctx, s.actor, args[0])
				if err != nil {
					return err
				}
				if a.asJSON {
					return a.printJSON(k)
				}
				return writeAll(a.stdout, fmt.Sprintf("%s is revoked\n", k.Name))
			})
		},
	}
}
