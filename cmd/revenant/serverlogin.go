package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"revenant/fingerprints"
)

func (a *app) loginCommand() *cobra.Command {
	var files loginFiles
	c := &cobra.Command{
		Use: "login [SERVER]", GroupID: "registry",
		Short: "Remember a server and a token, so that commands ask it",
		Long: `Asks the server whether it takes the token, and keeps both in a file that this
user alone may read. From then on commands are about what that server knows,
unless --home, REVENANT_HOME, --server or REVENANT_SERVER says otherwise; hooks
and pipelines look with its pack, and tell it what they found.

The token is read from --token, REVENANT_TOKEN, the terminal or standard input,
never from an argument.`,
		Example: `  revenant login https://revenant.example.com
  revenant login https://revenant.example.com --pack-key edge.key < token`,
		Args: argCount(0, 1, "at most one SERVER"),
		RunE: func(c *cobra.Command, args []string) error {
			where := serverPlace{url: a.remote.server, what: "--server"}
			switch {
			case len(args) == 1 && where.url != "":
				return usagef("SERVER and --server name two servers: give one")
			case len(args) == 1:
				where = serverPlace{url: args[0], what: "SERVER"}
			case where.url == "":
				where = serverPlace{url: a.env("REVENANT_SERVER"), what: "REVENANT_SERVER"}
			}
			if where.url == "" {
				return usagef("name the server: revenant login https://HOST")
			}
			return a.logInto(c.Context(), where, files)
		},
	}
	c.Flags().StringVar(&files.ca, "ca-file", "", "PEM file of an authority that vouches for the server, beside the system's")
	c.Flags().StringVar(&files.registrar, "registrar", "", "file of 'key registrar', for who registers values; its place is remembered")
	c.Flags().BoolVar(&files.lookUp, "look-up", false, "have hooks and pipelines ask the server about weak values, which no pack holds")
	c.Flags().StringVar(&files.packKey, "pack-key", "", "edge key file that opens the server's packs; its place is remembered")
	return c
}

// loginFiles are files that a login remembers the places of, and what it remembers
// beside them.
type loginFiles struct {
	ca, packKey, registrar string
	lookUp                 bool
}

// places are the files as they are called from every folder.
func (f loginFiles) places(keep *loggedIn) error {
	for _, x := range []struct {
		flag, file string
		to         *string
	}{{"--ca-file", f.ca, &keep.CAFile}, {"--pack-key", f.packKey, &keep.PackKey}, {"--registrar", f.registrar, &keep.Registrar}} {
		if x.file == "" {
			continue
		}
		if !isRegular(x.file) {
			return usagef("%s: there is no such file", x.flag)
		}
		abs, err := filepath.Abs(x.file)
		if err != nil {
			return usagef("the current folder is not there any more: give a path from the root")
		}
		*x.to = abs
	}
	return nil
}

// logInto checks a server and its token, and keeps them.
func (a *app) logInto(ctx context.Context, where serverPlace, files loginFiles) error {
	keep := loggedIn{Server: strings.TrimSuffix(strings.TrimSpace(where.url), "/"), LookUp: files.lookUp}
	if err := files.places(&keep); err != nil {
		return err
	}
	if files.packKey != "" {
		if _, err := a.edgeKeys(files.packKey); err != nil {
			return err
		}
	}
	token, err := a.loginToken(ctx)
	if err != nil {
		return err
	}
	keep.Token = strings.TrimSpace(string(token.Reveal()))
	where.url, where.kept = keep.Server, keep
	a.remote.token = ""
	c, err := a.clientWith(where, fingerprints.NewValue([]byte(keep.Token)))
	if err != nil {
		return err
	}
	me, err := c.Me(ctx)
	if err != nil {
		return asked(err)
	}
	if err := a.keepLogin(keep); err != nil {
		return err
	}
	if a.asJSON {
		return a.printJSON(map[string]any{"server": keep.Server, "name": me.Name, "scopes": me.Scopes})
	}
	return writeAll(a.stdout, fmt.Sprintf("logged in to %s as %s, which may %s\n", keep.Server, printable(me.Name), joinScopes(me.Scopes)))
}

// loginToken reads the token.
func (a *app) loginToken(ctx context.Context) (fingerprints.Value, error) {
	switch env := strings.TrimSpace(a.env("REVENANT_TOKEN")); {
	case a.remote.token != "":
		return a.tokenOf(ctx, a.remote.token)
	case env != "":
		return fingerprints.NewValue([]byte(env)), nil
	}
	return a.readValue("the token", "-")
}

// keepLogin writes the file of the login, for its user alone.
func (a *app) keepLogin(keep loggedIn) error {
	name, err := a.loginFile()
	if err != nil {
		return err
	}
	b, err := json.Marshal(keep)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return fmt.Errorf("keeping the login: %w", bare(err))
	}
	tmp, err := os.CreateTemp(filepath.Dir(name), ".server-*") // 0600
	if err != nil {
		return fmt.Errorf("keeping the login: %w", bare(err))
	}
	_, err = tmp.Write(append(b, '\n'))
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), name)
	}
	if err != nil {
		_ = os.Remove(tmp.Name())
		return fmt.Errorf("keeping the login: %w", bare(err))
	}
	return nil
}

func (a *app) logoutCommand() *cobra.Command {
	return &cobra.Command{
		Use: "logout", GroupID: "registry",
		Short: "Forget the server and the token of 'revenant login'",
		Long: `Removes the file that 'revenant login' wrote. The token stays good: 'revenant
token revoke' at the server ends it.`,
		Example: "  revenant logout", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			name, err := a.loginFile()
			if err != nil {
				return err
			}
			err = os.Remove(name)
			was := err == nil
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("forgetting the login: %w", bare(err))
			}
			if a.asJSON {
				return a.printJSON(map[string]bool{"logged_out": was})
			}
			if !was {
				return writeAll(a.stdout, "nobody was logged in\n")
			}
			return writeAll(a.stdout, "logged out\n")
		},
	}
}
