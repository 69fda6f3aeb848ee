package main

import (
	"github.com/spf13/cobra"
)

func (a *app) rulesCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "rules", GroupID: "care",
		Short: "Show the generic rules and how they are looked for",
	}
	return group(c, a.rulesList())
}

// ruleJSON is one rule of the configuration in force.
type ruleJSON struct {
	Rule  string `json:"rule"`
	How   string `json:"how"`
	Whole bool   `json:"reads_everything"`
}

func (a *app) rulesList() *cobra.Command {
	var fl scanFlags
	var explain bool
	c := &cobra.Command{
		Use: "list", Short: "List the rules of the configuration in force",
		Long: `Lists the rules of --config, $GITLEAKS_CONFIG, .gitleaks.toml in this folder or,
without any, gitleaks' own; then, unless --rules gitleaks, this program's, which
are called revenant-*. --explain says how each is found: by which literals, or
by reading everything where its pattern cannot be taken apart.`,
		Example: "  revenant rules list --explain",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			m, err := a.openRules(&fl, scanPlace{root: "."})
			if err != nil {
				return err
			}
			var list []ruleJSON
			var rows [][]string
			for _, e := range m.Explain() {
				list = append(list, ruleJSON{e.Rule, e.How, e.Whole})
				row := []string{e.Rule}
				if explain {
					row = append(row, e.How)
				}
				rows = append(rows, row)
			}
			if a.asJSON {
				return a.printJSON(nonNil(list))
			}
			headings := []string{"RULE"}
			if explain {
				headings = append(headings, "HOW")
			}
			return a.table(headings, rows)
		},
	}
	c.Flags().StringVarP(&fl.config, "config", "c", "", "gitleaks configuration (default: as for scans)")
	fl.registerRules(c.Flags())
	c.Flags().BoolVar(&explain, "explain", false, "say how each rule is looked for")
	return c
}
