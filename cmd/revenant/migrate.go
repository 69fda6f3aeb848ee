package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"revenant/ingest/migrate"
	"revenant/scanners/rules"
)

func (a *app) migrateCommand() *cobra.Command {
	var write bool
	c := &cobra.Command{
		Use: "migrate [PATH]", GroupID: "care",
		Short: "Say what another scanner's setup becomes here",
		Long: `Looks in a project (default: the current folder) for what was set up for
gitleaks, betterleaks, trufflehog, detect-secrets and ggshield, in hooks and
pipelines too, and says what counts as it is, what it becomes, what is yours to
replace and what is not carried over. Nothing is changed; with --write rules and
allowlists that were made are put into .gitleaks.toml.`,
		Example: "  revenant migrate\n  revenant migrate ../shop --write\n  revenant migrate --json",
		Args:    argCount(0, 1, "at most one PATH"),
		RunE: func(_ *cobra.Command, args []string) error {
			root := "."
			if len(args) == 1 {
				root = args[0]
			}
			if _, err := os.ReadDir(root); err != nil {
				return folderError("PATH", err)
			}
			p, err := migrate.New(root)
			if err != nil {
				return usagef("PATH is no folder: give the folder of a project")
			}
			if p.Config != "" {
				if _, err := rules.New(rules.Options{Contents: []byte(migrate.Head + p.Config)}); err != nil {
					return fmt.Errorf("what was made of the settings is no configuration: %w", err)
				}
			}
			if write {
				if err := a.writeMigrated(root, p); err != nil {
					return err
				}
			}
			if a.asJSON {
				return a.printJSON(p)
			}
			return a.printMigration(p, write)
		},
	}
	c.Flags().BoolVar(&write, "write", false, "put rules and allowlists that were made into .gitleaks.toml")
	return c
}

// writeMigrated appends to the project's configuration, or makes one.
func (a *app) writeMigrated(root string, p migrate.Plan) error {
	if p.Config == "" {
		return nil
	}
	name := filepath.Join(root, p.Target)
	text := migrate.Head + p.Config
	if p.Append {
		old, err := os.ReadFile(name)
		if err != nil {
			return fileError(p.Target, err)
		}
		if strings.Contains(string(old), p.Config) {
			a.note(p.Target + " has it already")
			return nil
		}
		text = strings.TrimRight(string(old), "\n") + "\n" + p.Config
	}
	if _, err := rules.New(rules.Options{Contents: []byte(text)}); err != nil {
		return usagef("%s together with what was made is no configuration, so nothing was written: %w", p.Target, err)
	}
	return a.writeOut(p.Target, name, 0o644, func(w io.Writer) error { return writeAll(w, text) })
}

// printMigration shows the plan, grouped by what becomes of things.
func (a *app) printMigration(p migrate.Plan, written bool) error {
	if len(p.Steps) == 0 {
		return writeAll(a.stdout, "nothing of another scanner was found here; revenant git and revenant dir need no setup\n")
	}
	var b strings.Builder
	last := migrate.Outcome("")
	for _, s := range p.Steps {
		if s.Outcome != last {
			if last != "" {
				b.WriteByte('\n')
			}
			last = s.Outcome
			b.WriteString(strings.ToUpper(string(last[:1])) + string(last[1:]) + "\n")
		}
		what := printable(s.File)
		if s.Setting != "" {
			what += ", " + printable(s.Setting)
		}
		fmt.Fprintf(&b, "  %s\n      %s\n", what, printable(s.Text))
	}
	switch {
	case p.Config != "" && written:
		fmt.Fprintf(&b, "\n%s was written.\n", p.Target)
	case p.Config != "":
		head := migrate.Head
		if p.Append {
			head = ""
		}
		fmt.Fprintf(&b, "\nFor %s (--write puts it there):\n\n%s%s", p.Target, head, p.Config)
	}
	return writeAll(a.stdout, b.String())
}
