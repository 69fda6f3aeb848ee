package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/spf13/cobra"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/image"
	"revenant/scanners/image/distribution"
)

// registryFlags say how registries are asked, and for which repositories.
type registryFlags struct {
	insecure bool
	all      bool
	repos    []string
	mirrors  []string
	caFiles  []string
	patience time.Duration
}

func (fl *registryFlags) register(c *cobra.Command) {
	f := c.Flags()
	f.BoolVar(&fl.all, "all-repositories", false, "every repository of the registry that REFERENCE names; each is a source of its own")
	f.StringArrayVar(&fl.repos, "repo", nil, "repositories of the registry that this glob matches, ** crosses slashes (repeat)")
	f.StringArrayVar(&fl.mirrors, "mirror", nil, "ask MIRROR in place of a registry, as in docker.io=mirror.example.org/hub; findings name the registry (repeat)")
	f.StringArrayVar(&fl.caFiles, "ca-file", nil, "PEM file of an authority that vouches for registries, beside the system's (repeat)")
	f.BoolVar(&fl.insecure, "insecure", false, "talk to registries by http, too, and by https with certificates that nobody vouches for")
	f.DurationVar(&fl.patience, "wait", 5*time.Minute, "how long to wait in all for one answer, where a registry limits requests or fails")
}

// registries reports whether arguments name registries and not images.
func (fl *registryFlags) registries() bool { return fl.all || len(fl.repos) > 0 }

// wanted reports whether a repository is.
func (fl *registryFlags) wanted(path string) bool {
	if len(fl.repos) == 0 {
		return true
	}
	return slices.ContainsFunc(fl.repos, func(glob string) bool { return doublestar.MatchUnvalidated(glob, path) })
}

// registryOptions say how registries are asked.
func (a *app) registryOptions(fl *registryFlags, tags func(string) bool) (image.RegistryOptions, error) {
	o := image.RegistryOptions{Tags: tags, Insecure: fl.insecure, Agent: "revenant", Mirrors: map[string]string{}, Patience: fl.patience}
	if a.login != nil {
		o.Keychain = a.login
	}
	if fl.patience == 0 {
		o.Patience = -1
	}
	o.Wait = func(why string, d time.Duration) {
		if d > 5*time.Second {
			a.note(why + ": waiting for " + d.Round(time.Second).String())
		}
	}
	for _, glob := range fl.repos {
		if !doublestar.ValidatePattern(glob) {
			return o, usagef("--repo: this is no glob: brackets and braces must close")
		}
	}
	for _, text := range fl.mirrors {
		of, at, has := strings.Cut(text, "=")
		if _, err := distribution.New(distribution.Options{Registry: of, Mirror: at}); !has || at == "" || err != nil {
			return o, usagef("--mirror is REGISTRY=MIRROR, as in docker.io=mirror.example.org/hub: hosts without https://, and the mirror's path if it has one")
		}
		o.Mirrors[of] = at
	}
	for _, file := range fl.caFiles {
		text, err := os.ReadFile(file)
		if err != nil {
			return o, usagef("--ca-file: it cannot be read: there is no such file, or it is not yours to read%s", below(err))
		}
		if _, err := distribution.New(distribution.Options{Registry: "localhost", Authorities: text}); err != nil {
			return o, usagef("--ca-file: %w", err)
		}
		o.Authorities = append(append(o.Authorities, text...), '\n')
	}
	o.CertificateFolders = certificateFolders()
	return o, nil
}

// certificateFolders are where container engines look for the certificates of
// registries.
func certificateFolders() []string {
	out := []string{"/etc/docker/certs.d", "/etc/containers/certs.d"}
	if home, err := os.UserHomeDir(); err == nil {
		out = append(out, filepath.Join(home, ".config/docker/certs.d"), filepath.Join(home, ".config/containers/certs.d"))
	}
	return out
}

// unreadTarget is something that was asked for and cannot be scanned.
type unreadTarget struct{ name, detail string }

// job lists it.
func (u unreadTarget) job() scanJob {
	return scanJob{name: u.name, place: scanPlace{kind: fingerprints.KindImage}, open: func(*eye, []byte) (scanners.Source, error) {
		return nil, &scanners.SkipError{Reason: fingerprints.SkipUnreadable, Detail: u.detail, Size: -1}
	}}
}

// maxOdd is how many names that no repository has are listed.
const maxOdd = 100

// repositories are those of registries that are wanted. What cannot be listed is
// told by what is unread.
func (a *app) repositories(ctx context.Context, fl *registryFlags, o image.RegistryOptions, hosts []string) (names []string, unread []unreadTarget, err error) {
	for _, host := range hosts {
		if strings.Contains(host, "/") {
			return nil, nil, usagef("REFERENCE: with --all-repositories or --repo it is a registry alone: HOST or HOST:PORT")
		}
		before := len(names)
		err := image.Repositories(ctx, host, o, func(name string) {
			if _, path, _ := strings.Cut(name, "/"); fl.wanted(path) {
				names = append(names, name)
			}
		}, func(odd string) {
			if fl.wanted(odd) && len(unread) < maxOdd {
				unread = append(unread, unreadTarget{odd, "no repository has such a name"})
			}
		})
		var skip *scanners.SkipError
		switch {
		case ctx.Err() != nil:
			return nil, nil, ctx.Err()
		case errors.As(err, &skip):
			unread = append(unread, unreadTarget{host, "the list of its repositories: " + skip.Detail})
		case err != nil:
			return nil, nil, imageError(err)
		case len(names) == before && len(unread) == 0:
			return nil, nil, usagef("REFERENCE: the registry lists no repository that is wanted and that this login may see")
		}
	}
	return names, unread, nil
}
