package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/scanners"
	"revenant/scanners/views"
)

func (a *app) secretAdopt() *cobra.Command {
	var d describeFlags
	var name, file string
	var fl scanFlags
	c := &cobra.Command{
		Use:   "adopt FINDING --name NAME",
		Short: "Register the value of a generic finding",
		Long: `Reads the finding's place again on this machine and registers the value that
stands there. The finding keeps its id and its history. With --file or standard
input ("-") the value is taken from there instead, and must be the finding's.`,
		Example: "  revenant secret adopt 3f2a9c --name billing/api-token --owner payments",
		Args:    argCount(1, 1, "one finding's ID"),
		RunE: func(c *cobra.Command, args []string) error {
			if name == "" {
				return usagef("say how the secret shall be called: --name NAME")
			}
			secret, err := nameArg("--name", name)
			if err != nil {
				return err
			}
			class, err := d.classWord()
			if err != nil {
				return err
			}
			return a.withKnown(c.Context(), func(ctx context.Context, s *known) error {
				if err := s.refuse(ctx, d.texts()...); err != nil {
					return err
				}
				values, err := a.adoptable(ctx, s, args[0], file, &fl)
				if err != nil {
					return err
				}
				q := registry.AdoptRequest{Finding: args[0], AddRequest: registry.AddRequest{
					Name: secret, Class: class, Owner: d.owner, Consumers: d.consumers, MultiActive: d.multiActive, Pending: d.pending,
				}}
				var r registry.Registered
				err = registry.ErrOtherValue
				for _, v := range values {
					q.Value = v
					if r, err = s.reg.Adopt(ctx, s.actor, q); !errors.Is(err, registry.ErrOtherValue) {
						break
					}
				}
				if err != nil {
					return err
				}
				return errors.Join(s.forgetOutcomes(), a.printRegistered([]registry.Registered{r}))
			})
		},
	}
	d.register(c)
	c.Flags().StringVar(&name, "name", "", "name of the new secret")
	c.Flags().StringVar(&file, "file", "", "take the value from this file (- for standard input)")
	c.Flags().StringVarP(&fl.config, "config", "c", "", "gitleaks configuration that found it")
	return c
}

// adoptable returns the values that could be the finding's: the registry
// compares their ids.
func (a *app) adoptable(ctx context.Context, s *known, id, path string, fl *scanFlags) ([]fingerprints.Value, error) {
	f, err := s.reg.Finding(ctx, s.actor, id) // before anybody is asked for a value
	if err != nil {
		return nil, err
	}
	if path != "" {
		v, err := a.readValue("--file", path)
		return []fingerprints.Value{v}, err
	}
	scheme, root, _ := strings.Cut(f.Source, ":")
	if scheme != "dir" && scheme != "home" {
		return nil, usagef("only places in folders of this machine can be read again: pipe the value in with --file -")
	}
	file := filepath.Join(root, filepath.FromSlash(f.Path))
	if info, err := os.Stat(root); err == nil && info.Mode().IsRegular() {
		file = root
	}
	if !isRegular(file) {
		return nil, usagef("the finding's file is not there any more: pipe the value in with --file -")
	}
	in, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("reading the finding's place again: %w", err)
	}
	defer in.Close()
	rules, err := a.openRules(fl, scanPlace{root: root})
	if err != nil {
		return nil, err
	}
	var values []fingerprints.Value
	engine := &scanners.Engine{Matchers: []scanners.Matcher{rules}, Viewer: views.New()}
	_, err = engine.Scan(ctx, in, f.Path, func(w scanners.Window) error {
		for _, h := range w.Hits {
			values = append(values, h.Value)
		}
		return nil
	})
	return values, err
}
