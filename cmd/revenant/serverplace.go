package main

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"revenant/api/client"
	"revenant/fingerprints"
	"revenant/ingest/credential"
)

// serverFlags say which server is asked, and what is shown to it.
type serverFlags struct{ server, token string }

// serverPlace is the server that a command asks; without an url it asks none.
type serverPlace struct {
	url  string
	what string // who names it, for errors
	kept loggedIn
}

// loggedIn is what 'revenant login' keeps, for its user alone.
type loggedIn struct {
	Server  string `json:"server"`
	Token   string `json:"token"`
	CAFile  string `json:"ca_file,omitempty"`
	PackKey string `json:"pack_key,omitempty"`
	// Registrar is the file of 'key registrar', encrypted as it was exported.
	Registrar string `json:"registrar,omitempty"`
	// LookUp has hooks and pipelines ask about values that no pack holds.
	LookUp bool `json:"look_up,omitempty"`
}

// serverPlace finds the server: --server, REVENANT_SERVER, else, where nothing names
// a registry of this machine, the one that the user is logged in to.
func (a *app) serverPlace() (serverPlace, error) {
	if a.shared != nil { // a server's own scans
		return serverPlace{}, nil
	}
	p := serverPlace{url: strings.TrimSpace(a.remote.server), what: "--server"}
	switch {
	case p.url != "" && a.home != "":
		return p, usagef("--server and --home exclude each other: what is known is the server's, or the folder's")
	case p.url == "" && a.home != "":
		return p, nil
	case p.url == "":
		p.url, p.what = strings.TrimSpace(a.env("REVENANT_SERVER")), "REVENANT_SERVER"
	}
	if p.url == "" && a.env("REVENANT_HOME") != "" {
		return p, nil
	}
	kept, err := a.readLogin()
	if err != nil {
		if p.url != "" { // it is named without it
			return p, nil
		}
		return p, err
	}
	if p.url == "" {
		p.url, p.what = kept.Server, "the server that is logged in to"
	}
	if sameServer(p.url, kept.Server) {
		p.kept = kept
	}
	return p, nil
}

// sameServer compares addresses: what was kept for one is shown to no other.
func sameServer(a, b string) bool {
	return b != "" && strings.TrimSuffix(a, "/") == strings.TrimSuffix(b, "/")
}

// userDir is this program's folder below one of the user's: the one that they name,
// or the usual one.
func (a *app) userDir(dir, below string) (string, error) {
	if filepath.IsAbs(dir) {
		return filepath.Join(dir, "revenant"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", errNoHome
	}
	return filepath.Join(home, below, "revenant"), nil
}

// loginFile is where a login is kept.
func (a *app) loginFile() (string, error) {
	dir, err := a.userDir(a.env("XDG_CONFIG_HOME"), ".config")
	return filepath.Join(dir, "server.json"), err
}

// errLoginShared refuses a token that others may read.
var errLoginShared = errors.New("the file of the login may be read by others, and it holds a token: revoke the token, and log in anew with 'revenant login'")

// readLogin reads what login keeps; nothing where nobody is logged in.
func (a *app) readLogin() (loggedIn, error) {
	var out loggedIn
	name, err := a.loginFile()
	if err != nil {
		return out, nil //nolint:nilerr // without a home nobody is logged in
	}
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return out, nil
	}
	if err != nil {
		return out, fileError("the file of the login", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return out, errLoginShared
	}
	b, err := readFileLimited("the file of the login", name, 64<<10)
	if err != nil {
		return out, err
	}
	if json.Unmarshal(b, &out) != nil {
		return loggedIn{}, errors.New("the file of the login cannot be read: log in anew with 'revenant login'")
	}
	return out, nil
}

// needServer is the server that a command cannot do without.
func (a *app) needServer() (serverPlace, error) {
	where, err := a.serverPlace()
	if err == nil && where.url == "" {
		err = usagef("name the server: --server https://HOST, REVENANT_SERVER, or 'revenant login'")
	}
	return where, err
}

// clientOf is the client of a server.
func (a *app) clientOf(ctx context.Context, where serverPlace) (*client.Client, error) {
	token, err := a.serverToken(ctx, where)
	if err != nil {
		return nil, err
	}
	return a.clientWith(where, token)
}

// clientWith is the client of a server that is shown this token.
func (a *app) clientWith(where serverPlace, token fingerprints.Value) (*client.Client, error) {
	transport, err := a.transport(where)
	if err != nil {
		return nil, err
	}
	c, err := client.New(where.url, token, transport)
	if err != nil {
		return nil, usagef("%s: %w", where.what, err)
	}
	return c, nil
}

// serverToken is what is shown to the server: what --token leads to, what the
// environment has, or what was kept for this server.
func (a *app) serverToken(ctx context.Context, where serverPlace) (fingerprints.Value, error) {
	if a.remote.token != "" {
		return a.tokenOf(ctx, a.remote.token)
	}
	text := strings.TrimSpace(a.env("REVENANT_TOKEN"))
	if text == "" {
		text = where.kept.Token
	}
	token := fingerprints.NewValue([]byte(text))
	if token.IsEmpty() {
		return token, usagef("give the token: REVENANT_TOKEN, --token, or 'revenant login'; 'revenant token add' at the server makes one")
	}
	return token, nil
}

// tokenOf is what a reference leads to.
func (a *app) tokenOf(ctx context.Context, reference string) (fingerprints.Value, error) {
	ref, err := credential.Parse(reference)
	if err != nil {
		return fingerprints.Value{}, usagef("--token: %w", err)
	}
	token, err := a.credentials().Resolve(ctx, ref)
	if err != nil {
		return token, usagef("--token: %w", err)
	}
	return token, nil
}

// transport is the system's, with one more authority where a file of it is named.
func (a *app) transport(where serverPlace) (http.RoundTripper, error) {
	switch {
	case a.remoteCA != "":
		return withAuthority("--ca-file", a.remoteCA)
	case a.env("REVENANT_CA_FILE") != "":
		return withAuthority("REVENANT_CA_FILE", a.env("REVENANT_CA_FILE"))
	case where.kept.CAFile != "":
		return withAuthority("the authority of the login", where.kept.CAFile)
	}
	return nil, nil //nolint:nilnil // the system's
}

// machineCommands are about this machine, whatever server is named.
func machineCommands() []string {
	return []string{"key", "store", "doctor", "migrate", "serve", "worker", "init", "config", "rules"}
}

// checkServer refuses --server where a command has nothing to ask one.
func (a *app) checkServer(c *cobra.Command) error {
	if a.remote.server == "" {
		return nil
	}
	top := c
	for top.HasParent() && top.Parent().HasParent() {
		top = top.Parent()
	}
	for _, name := range machineCommands() {
		if top.Name() == name {
			return errServerHere()
		}
	}
	return nil
}
