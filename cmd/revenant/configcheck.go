package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"revenant/ingest/credential"
	"revenant/ingest/settings"
)

func (a *app) configCommand() *cobra.Command {
	c := &cobra.Command{Use: "config", GroupID: "watch", Short: "Check a server's configuration"}
	var fl serveFlags
	check := &cobra.Command{
		Use: "check [FILE]", Short: "Read a configuration as the server would, and say what is wrong",
		Long:    "Reads FILE (default: $REVENANT_CONFIG) and the environment, checks every watch,\nand fetches every credential that they refer to. It stores nothing and prints no\ncredential.",
		Example: "  revenant config check revenant.yaml", Args: argCount(0, 1, "at most one FILE"),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 {
				fl.config = args[0]
			}
			set, err := a.settings(&fl)
			if err != nil {
				return err
			}
			bad, err := a.checkSettings(c.Context(), set)
			if err != nil {
				return err
			}
			if len(bad) > 0 {
				a.code = exitFailure
			}
			if a.asJSON {
				return a.printJSON(map[string]any{"listen": set.Listen, "base_url": set.BaseURL, "watches": len(set.Watches), "problems": nonNil(bad)})
			}
			var b strings.Builder
			fmt.Fprintf(&b, "answers at %s, as %s; %s at once; %s\n", set.Listen, set.BaseURL, plural(set.Workers.Scans, "scan", "scans"), plural(len(set.Watches), "watch", "watches"))
			for _, text := range bad {
				fmt.Fprintf(&b, "problem: %s\n", printable(text))
			}
			if len(bad) == 0 {
				b.WriteString("nothing is wrong with it\n")
			}
			return writeAll(a.stdout, b.String())
		},
	}
	return group(c, check)
}

// checkSettings looks at what only the machine can tell.
func (a *app) checkSettings(ctx context.Context, set settings.Settings) (bad []string, err error) {
	refs := map[string]string{}
	if set.Token != "" {
		refs["token"] = set.Token
	}
	if set.SignIn.OIDC.ClientSecret != "" {
		refs["sign_in.oidc.client_secret"] = set.SignIn.OIDC.ClientSecret
	}
	for _, who := range settings.Senders() {
		for _, ref := range set.Push[who] {
			refs["push."+who] = ref
		}
	}
	for _, w := range set.Watches {
		if _, err := a.watchSpec(w.Name, w.Scan, w.Every+w.Cron, w.Credential); err != nil {
			return nil, usagef("watches: %s: %w", printable(w.Name), err)
		}
		if w.Credential != "" {
			refs["watches: "+w.Name] = w.Credential
		}
	}
	for what, text := range refs {
		ref, err := credential.Parse(text)
		if err == nil {
			_, err = credential.Resolver{}.Resolve(ctx, ref)
		}
		if err != nil {
			bad = append(bad, what+": "+err.Error())
		}
	}
	for _, file := range []string{set.TLS.Certificate, set.TLS.Key} {
		if file != "" && !isRegular(file) {
			bad = append(bad, "tls: a file is not there: certificate and key are PEM files")
			break
		}
	}
	return bad, nil
}
