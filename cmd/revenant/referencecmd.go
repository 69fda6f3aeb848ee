package main

import (
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"revenant/cmd/revenant/reference"
)

// referenceCommand is for those who package the program; help does not list it.
func (a *app) referenceCommand() *cobra.Command {
	var format string
	c := &cobra.Command{
		Use: "reference FOLDER", Hidden: true,
		Short: "Write man pages, or the reference in Markdown, into a folder",
		Args:  argCount(1, 1, "one FOLDER"),
		RunE: func(_ *cobra.Command, args []string) error {
			render, ok := map[string]func(*cobra.Command) []reference.Page{"man": reference.Man, "markdown": reference.Markdown}[format]
			if !ok {
				return usagef("--format is man or markdown")
			}
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return folderError("FOLDER", err)
			}
			for _, p := range render(newApp().rootCommand()) {
				err := a.writeOut("FOLDER", filepath.Join(args[0], p.Name), 0o644, func(w io.Writer) error { return writeAll(w, p.Text) })
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
	c.Flags().StringVar(&format, "format", "man", "man or markdown")
	return c
}
