package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
)

func (a *app) secretList() *cobra.Command {
	var f registry.ListFilter
	var class, state string
	c := &cobra.Command{
		Use: "list", Short: "List secrets",
		Example: "  revenant secret list --prefix billing/ --state superseded",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			if f.Class, err = oneOf("--class", class, fingerprints.Classes()); err != nil {
				return err
			}
			if f.State, err = oneOf("--state", state, fingerprints.States()); err != nil {
				return err
			}
			return a.withKnown(c.Context(), func(ctx context.Context, s *known) error {
				list, err := s.reg.List(ctx, s.actor, f)
				if err != nil {
					return err
				}
				return a.printSecrets(list)
			})
		},
	}
	fl := c.Flags()
	fl.StringVar(&f.Prefix, "prefix", "", "names that begin so")
	fl.StringVar(&class, "class", "", "only this class")
	fl.StringVar(&f.Owner, "owner", "", "only this owner's")
	fl.StringVar(&state, "state", "", "only secrets with a version in this state")
	fl.StringVar(&f.After, "after", "", "names after this one (for paging)")
	fl.IntVar(&f.Limit, "limit", 0, "at most so many; 0: all")
	return c
}

// oneOf reads a word of a closed list; the error does not repeat the input.
func oneOf[T ~string](flag, word string, words []T) (T, error) {
	if word == "" || slices.Contains(words, T(word)) {
		return T(word), nil
	}
	return "", usagef("%s is one of %s", flag, join(words))
}

func someOf[T ~string](flag string, given []string, words []T) ([]T, error) {
	var out []T
	for _, g := range given {
		for _, w := range strings.Split(g, ",") {
			t, err := oneOf(flag, w, words)
			if err != nil {
				return nil, err
			}
			out = append(out, t)
		}
	}
	return out, nil
}

func (a *app) printSecrets(list []registry.SecretSummary) error {
	if a.asJSON {
		if list == nil {
			list = []registry.SecretSummary{}
		}
		return a.printJSON(list)
	}
	if len(list) == 0 {
		a.note("no secrets are registered that match")
		return nil
	}
	var rows [][]string
	for _, s := range list {
		rows = append(rows, []string{s.Name, string(s.Class), orDash(s.Owner), strconv.Itoa(s.Versions), statesText(s.States, s.Compromised), orDash(strings.Join(s.Consumers, ","))})
	}
	return a.table([]string{"NAME", "CLASS", "OWNER", "VERSIONS", "STATES", "CONSUMERS"}, rows)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func statesText(m map[fingerprints.State]int, compromised int) string {
	var parts []string
	for _, st := range fingerprints.States() {
		if n := m[st]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, st))
		}
	}
	if compromised > 0 {
		parts = append(parts, fmt.Sprintf("%d compromised", compromised))
	}
	return orDash(strings.Join(parts, ", "))
}

func (a *app) secretShow() *cobra.Command {
	return &cobra.Command{
		Use: "show NAME", Short: "Show a secret, its versions, consumers and allowed homes",
		Example: "  revenant secret show billing/db-password",
		Args:    argCount(1, 1, "one NAME"),
		RunE: func(c *cobra.Command, args []string) error {
			ref, err := fingerprints.ParseRef(args[0])
			if err != nil {
				return usagef("NAME: %w", err)
			}
			return a.withKnown(c.Context(), func(ctx context.Context, s *known) error {
				v, err := s.reg.Show(ctx, s.actor, ref.Name)
				if err != nil {
					return err
				}
				if ref.Number != 0 {
					all := len(v.Versions)
					v.Versions = slices.DeleteFunc(v.Versions, func(w registry.VersionView) bool { return w.Version != ref.Number })
					if len(v.Versions) == 0 {
						return fmt.Errorf("%s has %s: %w", v.Name, plural(all, "version", "versions"), registry.ErrUnknownVersion)
					}
				}
				if a.asJSON {
					return a.printJSON(v)
				}
				return a.printSecret(v)
			})
		},
	}
}

func (a *app) printSecret(v registry.SecretView) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s  owner %s\n", v.Name, v.Class, orDash(v.Owner))
	if len(v.Consumers) > 0 {
		fmt.Fprintf(&b, "consumers: %s\n", strings.Join(v.Consumers, ", "))
	}
	for _, w := range v.Versions {
		fmt.Fprintf(&b, "\n@%d  %s", w.Version, w.State)
		if w.CompromisedAt != nil {
			fmt.Fprintf(&b, ", compromised %s", when(*w.CompromisedAt))
		}
		if w.IssuedTo != "" {
			fmt.Fprintf(&b, "  issued to %s", w.IssuedTo)
		}
		fmt.Fprintf(&b, "%s  since %s\n", windowText(w.WindowEnds), when(w.CreatedAt))
		for _, f := range w.Fields {
			fmt.Fprintf(&b, "    field %s: %s\n", f.Name, strengthText(f.Strength, f.Unsearchable))
		}
		for _, k := range w.Acks {
			fmt.Fprintf(&b, "    used by %s since %s\n", k.Consumer, when(k.At))
		}
		if len(w.Missing) > 0 && w.State == fingerprints.StateActive {
			fmt.Fprintf(&b, "    not yet reported by: %s\n", strings.Join(w.Missing, ", "))
		}
		for _, verdict := range fingerprints.Verdicts() {
			if n := w.Findings[verdict]; n > 0 {
				fmt.Fprintf(&b, "    %s: %s\n", verdict, plural(n, "finding", "findings"))
			}
		}
	}
	for _, h := range v.Allowed {
		until := "no end"
		if h.Until != nil {
			until = "until " + when(*h.Until)
		}
		if h.Over {
			until += " (over)"
		}
		fmt.Fprintf(&b, "\nallowed home %d: source %s, path %s, %s: %s\n", h.ID, orAny(h.Source), orAny(h.Path), until, printable(h.Reason))
	}
	return writeAll(a.stdout, b.String())
}

// strengthText says what a field's strength means for searching.
func strengthText(s fingerprints.Strength, unsearchable string) string {
	switch s {
	case fingerprints.StrengthEdge:
		return "strong"
	case fingerprints.StrengthCore:
		return "medium: searched for here, and not in edge packs"
	case fingerprints.StrengthWeak:
		return "weak: it can be guessed; replace it by a generated value"
	case fingerprints.StrengthUnsearchable:
		return "not searchable: " + unsearchable
	}
	return string(s)
}

func (a *app) secretHistory() *cobra.Command {
	return &cobra.Command{
		Use: "history NAME", Short: "Show what was done to a secret, by whom and when",
		Example: "  revenant secret history billing/db-password",
		Args:    argCount(1, 1, "one NAME"),
		RunE: func(c *cobra.Command, args []string) error {
			name, err := nameArg("NAME", args[0])
			if err != nil {
				return err
			}
			return a.withKnown(c.Context(), func(ctx context.Context, s *known) error {
				entries, err := s.reg.History(ctx, s.actor, name)
				if err != nil {
					return err
				}
				return a.printAuditEntries(entries)
			})
		},
	}
}

func (a *app) printAuditEntries(entries []registry.AuditEntry) error {
	if a.asJSON {
		if entries == nil {
			entries = []registry.AuditEntry{}
		}
		return a.printJSON(entries)
	}
	var rows [][]string
	for _, e := range entries {
		var details []string
		for _, k := range slices.Sorted(maps.Keys(e.Details)) {
			details = append(details, k+"="+e.Details[k])
		}
		rows = append(rows, []string{strconv.FormatUint(e.Sequence, 10), when(e.At), e.Actor, e.Action, orDash(e.Subject), strings.Join(details, " ")})
	}
	return a.table([]string{"SEQ", "TIME", "ACTOR", "ACTION", "SUBJECT", "DETAILS"}, rows)
}

func (a *app) secretImport() *cobra.Command {
	var format, name, class, owner string
	var all bool
	var o registry.ImportOptions
	c := &cobra.Command{
		Use:   "import FILE|-",
		Short: "Register many values from a file or another tool's output",
		Long: `Reads values in one of the formats below. The same name with the same value
changes nothing; with a new value it becomes the next version and supersedes the
old one. Lines that cannot be used are reported by number and reason; the others
are imported.

Formats: ` + strings.Join(formatNames(), ", ") + `.`,
		Example: `  revenant secret import secrets.jsonl
  revenant secret import .env --format dotenv --name shop
  vault kv get -format=json kv/shop |
      revenant secret import - --format vault --name shop`,
		Args: argCount(1, 1, "one FILE (or - for standard input)"),
		RunE: func(c *cobra.Command, args []string) error {
			opts, err := importOptions(format, name, class, owner, all)
			if err != nil {
				return err
			}
			in, err := a.openInput("FILE", args[0])
			if err != nil {
				return err
			}
			defer in.Close()
			return a.withKnown(c.Context(), func(ctx context.Context, s *known) error {
				next, stop := importRecords(in, opts)
				defer stop()
				r, err := s.reg.Import(ctx, s.actor, next, o)
				if err != nil {
					return err
				}
				return errors.Join(s.forgetOutcomes(), a.printImported(r))
			})
		},
	}
	f := c.Flags()
	f.StringVar(&format, "format", "jsonl", strings.Join(formatNames(), ", "))
	f.StringVar(&name, "name", "", "name of the secret, or prefix of the names, where the format has none")
	f.StringVar(&class, "class", "", "class of records that say none")
	f.StringVar(&owner, "owner", "", "owner of records that say none")
	f.BoolVar(&all, "all", false, "also import what looks like no secret (hosts, user names, numbers)")
	f.BoolVar(&o.Force, "force", false, "accept values that contain or repeat an older one")
	return c
}

func (a *app) printImported(r registry.Imported) error {
	if r.Lines == 0 && len(r.Problems) == 0 {
		return usagef("FILE holds no record, so nothing was imported: did the command that was to write it fail? --format says what it is")
	}
	if len(r.Problems) > 0 {
		a.code = exitFailure
	}
	if a.asJSON {
		return a.printJSON(r)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d added, %d rotated, %d unchanged\n", plural(r.Lines, "record", "records"), r.Added, r.Rotated, r.Unchanged)
	for _, n := range []struct {
		n    int
		what string
	}{
		{r.Unsearchable, "too short or too common to search for"},
		{r.Weak, "weak: they can be guessed"},
		{r.Recognised, "copies seen before, now recognised"},
		{r.Redacted, "places of stored provenance redacted"},
	} {
		if n.n > 0 {
			fmt.Fprintf(&b, "  %d %s\n", n.n, n.what)
		}
	}
	if n := len(r.Problems); n > 0 {
		fmt.Fprintf(&b, "%s not imported as written:\n", plural(n, "line was", "lines were"))
		for _, p := range r.Problems[:min(n, 50)] {
			fmt.Fprintf(&b, "  line %d: %s\n", p.Line, p.Reason)
		}
		if n > 50 {
			fmt.Fprintf(&b, "  ... and %d more (--json lists all)\n", n-50)
		}
	}
	return writeAll(a.stdout, b.String())
}

// openInput opens a file, which the errors call what, or standard input.
func (a *app) openInput(what, file string) (io.ReadCloser, error) {
	if file == "-" {
		return io.NopCloser(a.stdin), nil
	}
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return nil, fileError(what, err)
	case info.IsDir():
		return nil, usagef("%s names a folder: give a file, or - for standard input", what)
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, fileError(what, err)
	}
	return f, nil
}
