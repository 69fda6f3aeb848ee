package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"revenant/api/rest"
	"revenant/fingerprints/registry"
)

func (a *app) personGroup() *cobra.Command {
	c := &cobra.Command{
		Use: "person", GroupID: "watch",
		Short: "Say who may sign in to the server, and for what",
		Long: `People sign in to a server with an identity provider, or by a link that counts
once. Their roles say what they may; with teams they see only what these own.
Changes count at once, also for who is signed in. See docs/sign-in.md.`,
	}
	return group(c, a.personAdd(), a.personList(), a.personShow(), a.personRole(), a.personTeam(), a.personLink(), a.personAble("disable"), a.personAble("enable"), a.personSignOut())
}

func roleList() string {
	words := make([]string, 0, len(registry.Roles()))
	for _, r := range registry.Roles() {
		words = append(words, string(r))
	}
	return strings.Join(words, ", ")
}

func asRoles(list []string) []registry.Role {
	out := make([]registry.Role, len(list))
	for i, w := range list {
		out[i] = registry.Role(w)
	}
	return out
}

// printPerson says what a person is now.
func (a *app) printPerson(p registry.PersonView) error {
	if a.asJSON {
		return a.printJSON(p)
	}
	return writeAll(a.stdout, printable(p.Name)+" "+personWords(p)+"\n")
}

func personWords(p registry.PersonView) string {
	if p.DisabledAt != nil {
		return "is disabled"
	}
	if len(p.Scopes) == 0 {
		return "has no role, and cannot sign in"
	}
	text := "is " + printable(joinRoles(p))
	if teams := teamsShown(p); teams != "" {
		return text + ", and sees what these own: " + teams
	}
	return text + ", and sees what all own"
}

func joinRoles(p registry.PersonView) string {
	var words []string
	for _, r := range registry.Roles() {
		for _, have := range append(p.Roles[:len(p.Roles):len(p.Roles)], p.ClaimedRoles...) {
			if have == r {
				words = append(words, string(r))
				break
			}
		}
	}
	return strings.Join(words, ", ")
}

func teamsShown(p registry.PersonView) string {
	return printable(strings.Join(append(p.Teams[:len(p.Teams):len(p.Teams)], p.ClaimedTeams...), ", "))
}

func (a *app) personAdd() *cobra.Command {
	var roles, teams []string
	var display string
	c := &cobra.Command{
		Use: "add NAME", Short: "Add a person who signs in by a link",
		Long:    "People of an identity provider are there when they signed in; add others.",
		Example: "  revenant person add ann --role triager --team payments\n  revenant person link ann",
		Args:    argCount(1, 1, "NAME"),
		RunE: func(c *cobra.Command, args []string) error {
			if len(roles) == 0 {
				return usagef("say what the person may: --role %s", roleList())
			}
			return a.withKnown(c.Context(), func(ctx context.Context, s *known) error {
				if err := s.refuse(ctx, append([]string{args[0], display}, teams...)...); err != nil {
					return err
				}
				p, err := s.reg.AddPerson(ctx, s.actor, registry.PersonRequest{Name: args[0], Display: display, Roles: asRoles(roles), Teams: teams})
				if err != nil {
					return err
				}
				return a.printPerson(p)
			})
		},
	}
	c.Flags().StringArrayVar(&roles, "role", nil, "what the person may: "+roleList()+"; repeatable")
	c.Flags().StringArrayVar(&teams, "team", nil, "an owner whose findings and secrets the person\nsees; repeatable; without it: all")
	c.Flags().StringVar(&display, "display", "", "what pages call the person")
	return c
}

func (a *app) personList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List people, with their roles and their last sign-in", Example: "  revenant person list --json", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withKnown(c.Context(), func(ctx context.Context, s *known) error {
				list, err := s.reg.People(ctx, s.actor)
				switch {
				case err != nil:
					return err
				case a.asJSON:
					return a.printJSON(list)
				case len(list) == 0:
					a.note("there are no people; add one with: revenant person add NAME --role ROLE")
					return nil
				}
				var rows [][]string
				for _, p := range list {
					state := "enabled"
					if p.DisabledAt != nil {
						state = "disabled"
					}
					rows = append(rows, []string{printable(p.Name), p.ID, joinRoles(p), teamsShown(p), state, lastUse(p.SeenAt)})
				}
				return a.table([]string{"PERSON", "ID", "ROLES", "TEAMS", "STATE", "SIGNED IN"}, rows)
			})
		},
	}
}

func (a *app) personShow() *cobra.Command {
	return &cobra.Command{
		Use: "show PERSON", Short: "Show a person, by name or id", Example: "  revenant person show ann", Args: argCount(1, 1, "PERSON"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withKnown(c.Context(), func(ctx context.Context, s *known) error {
				p, err := s.reg.Person(ctx, s.actor, args[0])
				switch {
				case err != nil:
					return err
				case a.asJSON:
					return a.printJSON(p)
				}
				text := fmt.Sprintf("%s (%s) %s\n", printable(p.Name), p.ID, personWords(p))
				for _, line := range [][2]string{{"called", p.Display}, {"address", p.Address}, {"known to", p.Issuer}, {"last sign-in", lastUse(p.SeenAt)}, {"added by", p.CreatedBy}} {
					if line[1] != "" {
						text += fmt.Sprintf("  %-13s %s\n", line[0], printable(line[1]))
					}
				}
				return writeAll(a.stdout, text)
			})
		},
	}
}

// changePerson changes a person and says what they are now.
func (a *app) changePerson(ctx context.Context, who string, texts []string, q registry.PersonChange) error {
	return a.withKnown(ctx, func(ctx context.Context, s *known) error {
		if err := s.refuse(ctx, texts...); err != nil {
			return err
		}
		p, err := s.reg.ChangePerson(ctx, s.actor, who, q)
		if err != nil {
			return err
		}
		return a.printPerson(p)
	})
}

func (a *app) personRole() *cobra.Command {
	return &cobra.Command{
		Use: "role PERSON ROLE...", Short: "Say which roles a person has",
		Long:    "These instead of those given before:\n" + roleList() + ", or none.\nWhat an identity provider gives stays.",
		Example: "  revenant person role ann triager registrar\n  revenant person role ann none", Args: argCount(2, 20, "PERSON and ROLE..."),
		RunE: func(c *cobra.Command, args []string) error {
			roles := asRoles(unlessNone(args[1:]))
			return a.changePerson(c.Context(), args[0], nil, registry.PersonChange{Roles: &roles})
		},
	}
}

// unlessNone is the list, and nothing for the word none alone.
func unlessNone(list []string) []string {
	if len(list) == 1 && list[0] == "none" {
		return nil
	}
	return list
}

func (a *app) personTeam() *cobra.Command {
	return &cobra.Command{
		Use: "team PERSON TEAM...", Short: "Say whose findings and secrets a person sees",
		Long:    "These instead of those given before, or none: then the person sees all. A team\nis called as findings and secrets have it for their owner.",
		Example: "  revenant person team ann payments shop\n  revenant person team ann none", Args: argCount(2, 200, "PERSON and TEAM..."),
		RunE: func(c *cobra.Command, args []string) error {
			teams := unlessNone(args[1:])
			return a.changePerson(c.Context(), args[0], teams, registry.PersonChange{Teams: &teams})
		},
	}
}

func (a *app) personAble(verb string) *cobra.Command {
	short := map[string]string{"disable": "End a person's sessions, and let them in no more", "enable": "Let a person in again"}[verb]
	return &cobra.Command{
		Use: verb + " PERSON", Short: short, Example: "  revenant person " + verb + " ann", Args: argCount(1, 1, "PERSON"),
		RunE: func(c *cobra.Command, args []string) error {
			disabled := verb == "disable"
			return a.changePerson(c.Context(), args[0], nil, registry.PersonChange{Disabled: &disabled})
		},
	}
}

func (a *app) personLink() *cobra.Command {
	var config string
	c := &cobra.Command{
		Use: "link PERSON", Short: "Print a link that signs a person in, once",
		Long:    "It counts within the hour, at the server that is asked, or that the\nconfiguration tells of.",
		Example: "  revenant person link ann", Args: argCount(1, 1, "PERSON"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withKnown(c.Context(), func(ctx context.Context, s *known) error {
				p, link, err := a.linkPerson(ctx, s, args[0], config)
				if err != nil {
					return err
				}
				if a.asJSON {
					return a.printJSON(map[string]any{"person": p, "link": link})
				}
				a.note("it signs " + printable(p.Name) + " in, once, within the hour")
				return writeAll(a.stdout, link+"\n")
			})
		},
	}
	c.Flags().StringVar(&config, "config", "", "the server's configuration (default:\n$REVENANT_CONFIG, else none)")
	return c
}

// linkPerson makes a link: that of a server that is asked, or of this machine's
// registry at the address that the configuration has.
func (a *app) linkPerson(ctx context.Context, s *known, who, config string) (registry.PersonView, string, error) {
	if s.remote != nil {
		if config != "" {
			return registry.PersonView{}, "", usagef("--config is about a server of this machine, and another one is asked: leave one of them out")
		}
		return s.remote.PersonLink(ctx, who)
	}
	set, err := a.settings(&serveFlags{config: config})
	if err != nil {
		return registry.PersonView{}, "", err
	}
	p, code, err := s.home.reg.LinkPerson(ctx, s.actor, who, rest.LinkLasts)
	if err != nil {
		return p, "", err
	}
	return p, rest.LinkTo(set.BaseURL, string(code.Reveal())), nil
}

func (a *app) personSignOut() *cobra.Command {
	return &cobra.Command{
		Use: "sign-out PERSON", Short: "End every session of a person", Example: "  revenant person sign-out ann", Args: argCount(1, 1, "PERSON"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withKnown(c.Context(), func(ctx context.Context, s *known) error {
				n, err := s.reg.SignOutPerson(ctx, s.actor, args[0])
				switch {
				case err != nil:
					return err
				case a.asJSON:
					return a.printJSON(map[string]int{"sessions": n})
				}
				return writeAll(a.stdout, plural(n, "session", "sessions")+" ended\n")
			})
		},
	}
}
