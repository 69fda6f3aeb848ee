package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
)

func (a *app) secretCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "secret", GroupID: "registry",
		Short: "Register secrets and move their versions through their life",
		Long: `A secret is a logical credential such as billing/db-password. Each value that is
issued for it is a version, written NAME@N. A version goes from pending to
active to superseded (its dual-credential window is open) to retired.

Values are read from standard input or from files, never from arguments, and are
kept as keyed fingerprints only.`,
	}
	return group(
		c,
		a.secretAdd(), a.secretIssue(), a.secretRotate(),
		a.secretSupersede(), a.secretRetire(), a.secretCompromise(), a.secretActivate(), a.secretAbandon(),
		a.secretAck(), a.secretAllow(), a.secretUnallow(), a.secretAdopt(),
		a.secretList(), a.secretShow(), a.secretHistory(), a.secretImport(),
	)
}

// describeFlags are the flags that describe a new secret.
type describeFlags struct {
	class       string
	owner       string
	consumers   []string
	multiActive bool
	pending     bool
}

func (d *describeFlags) register(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&d.class, "class", string(fingerprints.ClassApplication), "application, third-party, cryptographic or bootstrap")
	f.StringVar(&d.owner, "owner", "", "person or team that answers for it")
	f.StringArrayVar(&d.consumers, "consumer", nil, "service that holds it (repeat for several)")
	f.BoolVar(&d.multiActive, "multi-active", false, "two versions may be active at once (signing key rings)")
	f.BoolVar(&d.pending, "pending", false, "register as pending: prepared, not in use yet")
}

// texts are what is stored in the clear.
func (d *describeFlags) texts() []string { return append([]string{d.owner}, d.consumers...) }

func (d *describeFlags) classWord() (fingerprints.Class, error) {
	for _, c := range fingerprints.Classes() {
		if string(c) == d.class {
			return c, nil
		}
	}
	return "", usagef("--class is one of %s", join(fingerprints.Classes()))
}

func join[T ~string](words []T) string {
	s := make([]string, len(words))
	for i, w := range words {
		s[i] = string(w)
	}
	return strings.Join(s, ", ")
}

func (f *fieldFlags) register(c *cobra.Command) {
	c.Flags().StringVar(&f.file, "file", "", "read the value from this file (default: standard input)")
	c.Flags().StringArrayVar(&f.fields, "field", nil, "NAME=FILE: one of several values, as in password=- (repeat)")
	c.Flags().BoolVar(&f.exact, "exact", false, "a trailing newline is part of the value")
}

// registryFields reads the values and turns them into the registry's fields.
func (a *app) registryFields(f fieldFlags) ([]registry.Field, error) {
	values, err := a.readFields(f)
	if err != nil {
		return nil, err
	}
	out := make([]registry.Field, len(values))
	for i, v := range values {
		out[i] = registry.Field{Name: v.Field, Value: v.Value, KeepNewline: f.exact}
	}
	return out, nil
}

func (a *app) secretAdd() *cobra.Command {
	var d describeFlags
	var f fieldFlags
	var issuedTo string
	c := &cobra.Command{
		Use:   "add NAME",
		Short: "Register an existing value as version 1 of a new secret",
		Example: `  printf %s "$DB_PASSWORD" | revenant secret add shop/db --owner payments
  revenant secret add web/tls-key --file tls.key --class cryptographic
  revenant secret add db/login --field password=pw.txt --field token=token.txt`,
		Args: argCount(1, 1, "one NAME"),
		RunE: func(c *cobra.Command, args []string) error {
			class, err := d.classWord()
			if err != nil {
				return err
			}
			name, err := nameArg("NAME", args[0])
			if err != nil {
				return err
			}
			return a.withKnown(c.Context(), func(ctx context.Context, s *known) error {
				fields, err := a.registryFields(f)
				if err != nil {
					return err
				}
				if err := s.refuse(ctx, append(d.texts(), issuedTo)...); err != nil {
					return err
				}
				r, err := s.reg.Add(ctx, s.actor, registry.AddRequest{
					Name: name, Class: class, Owner: d.owner, Consumers: d.consumers,
					MultiActive: d.multiActive, Pending: d.pending, IssuedTo: issuedTo, Fields: fields,
				})
				if err != nil {
					return err
				}
				return errors.Join(s.forgetOutcomes(), a.printRegistered([]registry.Registered{r}))
			})
		},
	}
	d.register(c)
	f.register(c)
	c.Flags().StringVar(&issuedTo, "issued-to", "", "the consumer that this value was made for")
	return c
}

func (a *app) secretIssue() *cobra.Command {
	var d describeFlags
	var prefix string
	c := &cobra.Command{
		Use:   "issue NAME",
		Short: "Generate a traceable value, register it and show it once",
		Long: `Generates a random value with a recognisable prefix and a checksum, registers it
and prints it once; it is stored nowhere. With --consumer each consumer gets a
value of its own, so that a leak names who had it.`,
		Example: `  revenant secret issue billing/api-token --consumer checkout --consumer ledger`,
		Args:    argCount(1, 1, "one NAME"),
		RunE: func(c *cobra.Command, args []string) error {
			class, err := d.classWord()
			if err != nil {
				return err
			}
			name, err := nameArg("NAME", args[0])
			if err != nil {
				return err
			}
			return a.withKnown(c.Context(), func(ctx context.Context, s *known) error {
				if err := s.refuse(ctx, append(d.texts(), prefix)...); err != nil {
					return err
				}
				rs, err := s.reg.Issue(ctx, s.actor, registry.IssueRequest{
					Name: name, Class: class, Owner: d.owner, Consumers: d.consumers,
					MultiActive: d.multiActive, Pending: d.pending, Prefix: prefix,
				})
				if err != nil {
					return err
				}
				return errors.Join(s.forgetOutcomes(), a.printRegistered(rs))
			})
		},
	}
	d.register(c)
	c.Flags().StringVar(&prefix, "prefix", "", "start of the value: 2 to 12 of a-z and 0-9 (default rvn)")
	return c
}

func (a *app) secretRotate() *cobra.Command {
	var f fieldFlags
	var q registry.RotateRequest
	c := &cobra.Command{
		Use:   "rotate NAME",
		Short: "Register a new active value and supersede the old one",
		Long: `Registers the new value as active and supersedes the old one, in one step. The
old value may be used until the window ends; copies found after that are
overdue.`,
		Example: `  printf %s "$NEW" | revenant secret rotate billing/db-password --window 24h
  revenant secret rotate billing/api-token --generate`,
		Args: argCount(1, 1, "one NAME"),
		RunE: func(c *cobra.Command, args []string) error {
			name, err := nameArg("NAME", args[0])
			if err != nil {
				return err
			}
			return a.withKnown(c.Context(), func(ctx context.Context, s *known) error {
				if _, err := s.reg.Show(ctx, s.actor, name); err != nil { // before anybody is asked for a value
					return err
				}
				if q.Name = name; !q.Generate {
					if q.Fields, err = a.registryFields(f); err != nil {
						return err
					}
				}
				r, err := s.reg.Rotate(ctx, s.actor, q)
				if err != nil {
					return err
				}
				return errors.Join(s.forgetOutcomes(), a.printRegistered([]registry.Registered{r}))
			})
		},
	}
	f.register(c)
	c.Flags().DurationVar(&q.Window, "window", 24*time.Hour, "how long the old value may still be used; 0: no deadline")
	c.Flags().BoolVar(&q.Generate, "generate", false, "generate the value and show it once")
	c.Flags().StringVar(&q.Prefix, "prefix", "", "start of a generated value")
	c.Flags().StringVar(&q.IssuedTo, "issued-to", "", "rotate this consumer's value only")
	c.Flags().BoolVar(&q.Force, "force", false, "accept a value that contains or repeats an older one")
	return c
}

// nameArg reads a secret's name where no version is wanted.
func nameArg(what, s string) (string, error) {
	ref, err := fingerprints.ParseRef(s)
	if err != nil {
		return "", usagef("%s: %w", what, err)
	}
	if ref.Number != 0 {
		return "", usagef("%s: give the secret's name without a version here", what)
	}
	return ref.Name, nil
}

// versionArg reads NAME@N.
func versionArg(s string) (fingerprints.VersionRef, error) {
	ref, err := fingerprints.ParseRef(s)
	if err != nil {
		return ref, usagef("NAME@N: %w", err)
	}
	if ref.Number == 0 {
		return ref, usagef("NAME@N: say which version, as NAME@N; `revenant secret show NAME` lists them")
	}
	return ref, nil
}

type registeredJSON struct {
	registry.Registered
	// Value is there only when it was generated by this command.
	Value string `json:"value,omitempty"`
}

// printRegistered shows what was registered. Generated values are printed
// here, once: the one place beside --show-secrets that prints plaintext.
func (a *app) printRegistered(rs []registry.Registered) error {
	if a.asJSON {
		out := make([]registeredJSON, len(rs))
		for i, r := range rs {
			out[i] = registeredJSON{r, string(r.Value.Reveal())}
		}
		var all any = out
		if len(out) == 1 {
			all = out[0]
		}
		if err := a.printJSON(all); err != nil {
			return notShown(rs, err)
		}
		return nil
	}
	for _, r := range rs {
		if err := a.printOneRegistered(r); err != nil {
			return notShown(rs, err)
		}
	}
	return nil
}

// notShown says what to do about generated values that could not be printed:
// they are registered, and nobody has them.
func notShown(rs []registry.Registered, err error) error {
	for _, r := range rs {
		if !r.Value.IsEmpty() {
			return fmt.Errorf("%s is registered, but its value could not be shown and is lost: generate another with `revenant secret rotate %s --generate`: %w", r.Secret, r.Secret, bare(err))
		}
	}
	return err
}

func (a *app) printOneRegistered(r registry.Registered) error {
	var b strings.Builder
	what := "registered"
	if r.Unchanged {
		what = "known already, nothing changed"
	}
	fmt.Fprintf(&b, "%s@%d  %s  %s", r.Secret, r.Version, r.State, what)
	if r.IssuedTo != "" {
		fmt.Fprintf(&b, "  issued to %s", r.IssuedTo)
	}
	b.WriteByte('\n')
	for _, f := range r.Fields {
		switch {
		case f.Unsearchable != "":
			fmt.Fprintf(&b, "  field %s: not searchable: %s\n", f.Name, f.Unsearchable)
		case f.Weak:
			fmt.Fprintf(&b, "  field %s: weak: it can be guessed; replace it by a generated value\n", f.Name)
		}
	}
	for _, t := range r.Superseded {
		fmt.Fprintf(&b, "  %s@%d  %s -> %s%s\n", t.Secret, t.Version, t.From, t.To, windowText(t.WindowEnds))
	}
	if r.Recognised > 0 {
		fmt.Fprintf(&b, "  %s seen before, now recognised\n", plural(r.Recognised, "copy", "copies"))
	}
	if r.Redacted > 0 {
		fmt.Fprintf(&b, "  redacted in %s of stored provenance\n", plural(r.Redacted, "place", "places"))
	}
	writeVerdicts(&b, r.Verdicts)
	if !r.Value.IsEmpty() {
		fmt.Fprintf(&b, "  value (shown once): %s\n", r.Value.Reveal())
	}
	return writeAll(a.stdout, b.String())
}

func windowText(end *time.Time) string {
	if end == nil {
		return ""
	}
	return ", window ends " + when(*end)
}

func writeVerdicts(b *strings.Builder, vs []registry.VerdictChange) {
	for _, v := range vs {
		fmt.Fprintf(b, "  %s: %s -> %s\n", plural(v.Count, "finding", "findings"), v.From, v.To)
	}
}
