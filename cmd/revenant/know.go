package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
)

func (a *app) coverageCommand() *cobra.Command {
	return &cobra.Command{
		Use: "coverage NAME@N", GroupID: "know",
		Short: "Show where a version was searched for, where not, and why",
		Long: `"No copies found" means little without this: for each source, whether it was
read to its end with a pack that holds the version, how far, and what was
skipped.`,
		Example: "  revenant coverage billing/db-password@1",
		Args:    argCount(1, 1, "one NAME@N"),
		RunE: func(c *cobra.Command, args []string) error {
			ref, err := versionArg(args[0])
			if err != nil {
				return err
			}
			return a.withKnown(c.Context(), func(ctx context.Context, s *known) error {
				cov, err := s.reg.Coverage(ctx, s.actor, ref)
				if err != nil {
					return err
				}
				if a.asJSON {
					return a.printJSON(cov)
				}
				return a.printCoverage(cov)
			})
		},
	}
}

func (a *app) printCoverage(cov registry.Coverage) error {
	var b strings.Builder
	writeCoverage(&b, fmt.Sprintf("%s@%d (%s)", cov.Secret, cov.Version, cov.State), cov.Complete, cov.Sources)
	for _, f := range cov.Unsearchable {
		fmt.Fprintf(&b, "  field %s cannot be searched for: %s\n", f.Name, f.Unsearchable)
	}
	return writeAll(a.stdout, b.String())
}

func writeCoverage(b *strings.Builder, what string, complete bool, sources []registry.SourceCoverage) {
	done := 0
	for _, s := range sources {
		if s.State == registry.CoverageComplete {
			done++
		}
	}
	word := "not complete"
	if complete {
		word = "complete"
	}
	fmt.Fprintf(b, "coverage of %s: %s, %d of %s\n", what, word, done, plural(len(sources), "source", "sources"))
	for _, s := range sources {
		fmt.Fprintf(b, "  %-9s %s", s.State, printable(s.Source))
		if s.Since != nil {
			fmt.Fprintf(b, ", since %s", when(*s.Since))
		}
		if s.Through != "" {
			fmt.Fprintf(b, ", %s", s.Through)
		}
		if s.Reason != "" {
			fmt.Fprintf(b, ": %s", s.Reason)
		}
		b.WriteByte('\n')
		for _, k := range s.Skips {
			fmt.Fprintf(b, "            skipped %d: %s\n", k.Count, k.Reason)
		}
		for _, p := range s.SkippedPlaces[:min(5, len(s.SkippedPlaces))] {
			fmt.Fprintf(b, "              %s (%s)\n", printable(p.Path), p.Reason)
		}
	}
	if len(sources) == 0 {
		b.WriteString("  nothing was scanned yet: run `revenant dir PATH`\n")
	}
}

func (a *app) sourceCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "source", GroupID: "know",
		Short: "List, show, move and forget scanned sources",
	}
	return group(c, a.sourceList(), a.sourceShow(), a.sourceMove(), a.sourceForget())
}

func (a *app) sourceList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List what was scanned, when and how far",
		Example: "  revenant source list", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withKnown(c.Context(), func(ctx context.Context, s *known) error {
				list, err := s.reg.Sources(ctx, s.actor)
				if err != nil {
					return err
				}
				if a.asJSON {
					return a.printJSON(nonNil(list))
				}
				if len(list) == 0 {
					a.note("nothing was scanned yet: run `revenant dir PATH`")
					return nil
				}
				var rows [][]string
				for _, src := range list {
					rows = append(rows, sourceRow(src))
				}
				return a.table([]string{"SOURCE", "KIND", "LAST SCAN", "COMPLETE", "ITEMS", "BYTES", "SKIPPED", "FINDINGS"}, rows)
			})
		},
	}
}

func sourceRow(src registry.SourceSummary) []string {
	row := []string{src.ID, string(src.Kind), "-", "-", "-", "-", "-", verdictsText(src.Findings)}
	if l := src.LastScan; l != nil {
		row[2] = when(l.StartedAt)
		row[3] = map[bool]string{true: "yes", false: "no"}[l.Complete]
		row[4], row[5], row[6] = strconv.FormatInt(l.Items, 10), bytesText(l.Bytes), strconv.FormatInt(l.Skips, 10)
	}
	return row
}

func verdictsText(m map[fingerprints.Verdict]int) string {
	var parts []string
	for _, v := range fingerprints.Verdicts() {
		if n := m[v]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, v))
		}
	}
	return orDash(strings.Join(parts, ", "))
}

func bytesText(n int64) string {
	const unit = 1000
	f, i := float64(n), 0
	units := []string{"B", "kB", "MB", "GB", "TB"}
	for f >= unit && i < len(units)-1 {
		f, i = f/unit, i+1
	}
	if i == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", f, units[i])
}

func (a *app) sourceShow() *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "Show a source with its scans and what was skipped",
		Example: "  revenant source show dir:/srv/app", Args: argCount(1, 1, "one source ID"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withKnown(c.Context(), func(ctx context.Context, s *known) error {
				v, err := s.reg.Source(ctx, s.actor, args[0])
				if err != nil {
					return err
				}
				if a.asJSON {
					return a.printJSON(v)
				}
				return a.printSource(v)
			})
		},
	}
}

func (a *app) printSource(v registry.SourceView) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s  since %s\nfindings: %s\n\nscans:\n", printable(v.ID), v.Kind, when(v.AddedAt), verdictsText(v.Findings))
	for _, sc := range v.Scans {
		state := "not complete"
		if sc.Complete {
			state = "complete"
		}
		if sc.FinishedAt == nil {
			state = "not finished"
		}
		what := "registered values"
		if sc.Generic {
			what += " and generic rules"
		}
		fmt.Fprintf(&b, "  %s  %s, %s, %d items, %s, %d skipped", when(sc.StartedAt), state, what, sc.Items, bytesText(sc.Bytes), sc.Skips)
		if sc.Extent != "" {
			fmt.Fprintf(&b, ", part: %s", printable(sc.Extent))
		}
		b.WriteByte('\n')
	}
	if len(v.Skipped) > 0 {
		b.WriteString("\nskipped in the newest scan:\n")
		for _, p := range v.Skipped {
			fmt.Fprintf(&b, "  %s: %s %s\n", printable(p.Path), p.Reason, p.Detail)
		}
	}
	return writeAll(a.stdout, b.String())
}

func (a *app) sourceMove() *cobra.Command {
	return &cobra.Command{
		Use: "move FROM TO", Short: "Give a source a new id; its findings and their history follow",
		Example: "  revenant source move dir:/srv/old dir:/srv/new", Args: argCount(2, 2, "the old and the new source ID"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withKnown(c.Context(), func(ctx context.Context, s *known) error {
				if err := s.refuse(ctx, args[1]); err != nil {
					return err
				}
				v, err := s.reg.MoveSource(ctx, s.actor, args[0], args[1])
				if err != nil {
					return err
				}
				if a.asJSON {
					return a.printJSON(v)
				}
				return writeAll(a.stdout, "moved to "+printable(v.ID)+"\n")
			})
		},
	}
}

func (a *app) sourceForget() *cobra.Command {
	return &cobra.Command{
		Use: "forget ID", Short: "Remove a source with its scans, findings and kept clone",
		Example: "  revenant source forget dir:/srv/old", Args: argCount(1, 1, "one source ID"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withKnown(c.Context(), func(ctx context.Context, s *known) error {
				if err := s.reg.ForgetSource(ctx, s.actor, args[0]); err != nil {
					return err
				}
				if s.home != nil {
					if err := errors.Join(forgetClone(s.home.dir, args[0]), a.forgetMemory(s.home.dir, args[0])); err != nil {
						return err
					}
				}
				if a.asJSON {
					return a.printJSON(map[string]any{"forgotten": true})
				}
				return writeAll(a.stdout, "forgotten\n")
			})
		},
	}
}

func (a *app) statusCommand() *cobra.Command {
	return &cobra.Command{
		Use: "status", GroupID: "know",
		Short:   "Show where registry and keys are, and what is known in numbers",
		Example: "  revenant status --json", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withKnown(c.Context(), func(ctx context.Context, s *known) error {
				st, err := s.reg.Status(ctx, s.actor)
				if err != nil {
					return err
				}
				if a.asJSON {
					return a.printJSON(statusOf(s, st))
				}
				return a.printStatus(s, st)
			})
		},
	}
}

// modeStatus is what is known in numbers, and where that is.
type modeStatus struct {
	Mode   string `json:"mode"`
	Home   string `json:"home,omitempty"`
	Server string `json:"server,omitempty"`
	registry.Status
}

func statusOf(s *known, st registry.Status) modeStatus {
	if s.home == nil {
		return modeStatus{Mode: "server", Server: s.server, Status: st}
	}
	return modeStatus{Mode: "local", Home: s.home.dir, Status: st}
}

func (a *app) printStatus(s *known, st registry.Status) error {
	var b strings.Builder
	versions := statesText(st.Versions, 0)
	if s.home == nil {
		fmt.Fprintf(&b, "mode           a server's registry\nserver         %s\n", s.server)
	} else {
		fmt.Fprintf(&b, "mode           local registry (REVENANT_HOME)\nhome           %s\n", s.home.dir)
	}
	fmt.Fprintf(&b, "installation   %s\nkey ring       %s\n", st.Installation, st.Ring)
	fmt.Fprintf(&b, "revision       %d (packs %d, fields %d)\n", st.Revision, st.PackRevision, st.FieldRevision)
	fmt.Fprintf(&b, "secrets        %d, versions: %s\n", st.Secrets, versions)
	fmt.Fprintf(&b, "fields         ")
	for i, k := range []struct {
		strength fingerprints.Strength
		word     string
	}{
		{fingerprints.StrengthEdge, "strong"},
		{fingerprints.StrengthCore, "medium"},
		{fingerprints.StrengthWeak, "weak"},
		{fingerprints.StrengthUnsearchable, "not searchable"},
	} {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%d %s", st.Fields[k.strength], k.word)
	}
	fmt.Fprintf(&b, "\nsources        %d, last scan %s\nfindings       %s\naudit head     %d %.16s\n", st.Sources, when(st.LastScan), verdictsText(st.Findings), st.Audit.Sequence, st.Audit.MAC)
	for _, n := range []struct {
		n    int
		what string
	}{
		{st.OldFormat, "fields were registered by an older format"},
		{st.OldEpoch, "fields are under older keys (still found)"},
		{st.OldGeneration, "fields must be registered again to be found"},
		{st.TooCommon, "weak fields are in so many sources that they alert no more: a policy violation, see `revenant doctor`"},
	} {
		if n.n > 0 {
			fmt.Fprintf(&b, "note           %d %s\n", n.n, n.what)
		}
	}
	return writeAll(a.stdout, b.String())
}

func (a *app) doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use: "doctor", GroupID: "care",
		Short:   "Check keys, registry, audit chain, permissions and debts",
		Long:    "Checks the installation and says what to do about each problem. Exit 3 when a\ncheck fails.",
		Example: "  revenant doctor", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withRegistry(c.Context(), func(ctx context.Context, s *session) error {
				checks, err := s.reg.Doctor(ctx, s.actor, registry.DoctorOptions{Private: privateFiles(s.dir)})
				if err != nil {
					return err
				}
				for _, k := range checks {
					if k.Level == registry.CheckFailure {
						a.code = exitFailure
					}
				}
				if a.asJSON {
					return a.printJSON(checks)
				}
				var b strings.Builder
				for _, k := range checks {
					fmt.Fprintf(&b, "%-8s %s: %s\n", k.Level, k.Name, k.Message)
					for _, it := range k.Items {
						fmt.Fprintf(&b, "           %s\n", printable(it))
					}
				}
				return writeAll(a.stdout, b.String())
			})
		},
	}
}

// privateFiles lists what only its owner may read.
func privateFiles(dir string) []string {
	files := []string{dir}
	_ = filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err == nil && p != dir {
			files = append(files, p)
		}
		if err == nil && d.IsDir() && filepath.Dir(p) == clonesDir(dir) {
			return filepath.SkipDir // git's files are as private as their folder
		}
		return nil
	})
	return files
}
