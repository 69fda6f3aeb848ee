package main

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/spf13/cobra"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
	"revenant/ingest/scan"
	"revenant/scanners"
	"revenant/scanners/image"
	"revenant/scanners/image/distribution"
)

// imageFlags say what of images is read.
type imageFlags struct {
	scanFlags
	registryFlags
	tags    []string
	allTags bool
	noCache bool
	build   contextFlags
}

func (a *app) imageCommand() *cobra.Command {
	var fl imageFlags
	c := &cobra.Command{
		Use: "image REFERENCE|PATH...", GroupID: "scan",
		Short: "Scan container images: every layer, deleted files included",
		Long: `Reads images from a registry (REGISTRY/REPOSITORY:TAG, or @sha256:DIGEST), from
an OCI layout (a folder or a tar file), or from what 'docker save' wrote,
compressed or not. All platforms of an image are read, and each layer once,
whatever the number of images that have it. No container engine is needed.

A finding says whether a container sees the file (visible), whether a later
layer removed or replaced it (shadowed: whoever can pull the image has it), or
whether the image itself says it (metadata): environment, labels, history,
annotations. What refers to an image is read with it: attestations, signatures,
bills of materials.

What layers hold is remembered, sealed and without content, where there is a
registry of secrets: the next scan reads new layers alone, one that was stopped
goes on.

Logins are docker's: 'docker login', DOCKER_CONFIG, credential helpers; podman's
auth.json where docker has none. Certificates in /etc/docker/certs.d count.

With --build-context the folder is scanned that an image would be built from,
before it is: what .dockerignore lets through, which instruction copies it, and
what ARG, ENV and LABEL would leave in the image.`,
		Example: `  revenant image registry.example.org/shop:1.4
  revenant image registry.example.org/shop --all-tags
  revenant image registry.example.org/shop --tag '1.*'
  revenant image registry.example.org --all-repositories
  revenant image registry.example.org --repo 'team/**' --tag 'v*'
  docker save shop:1.4 -o shop.tar && revenant image shop.tar
  revenant image --build-context . --build-arg VERSION=1.4`,
		Args: func(c *cobra.Command, args []string) error { return fl.build.check(c, args) },
		RunE: func(c *cobra.Command, args []string) error {
			if fl.build.folder != "" {
				return a.scanContext(c.Context(), &fl)
			}
			return a.scanImages(c.Context(), &fl, args)
		},
	}
	fl.scanFlags.register(c)
	fl.build.register(c)
	f := c.Flags()
	f.BoolVar(&fl.allTags, "all-tags", false, "every tag of the repository")
	f.StringArrayVar(&fl.tags, "tag", nil, "tags of the repository that this glob matches (repeat)")
	f.BoolVar(&fl.noCache, "no-cache", false, "read every layer, whatever is known of it, and keep nothing of it")
	fl.registryFlags.register(c)
	return c
}

// wantedTags says which tags are wanted; nil: one image is named.
func (fl *imageFlags) wantedTags() (func(string) bool, error) {
	for _, glob := range fl.tags {
		if !doublestar.ValidatePattern(glob) {
			return nil, usagef("--tag: this is no glob: brackets and braces must close")
		}
	}
	switch {
	case fl.allTags, len(fl.tags) == 0 && fl.registries():
		return func(string) bool { return true }, nil
	case len(fl.tags) > 0:
		return func(tag string) bool {
			for _, glob := range fl.tags {
				if doublestar.MatchUnvalidated(glob, tag) {
					return true
				}
			}
			return false
		}, nil
	}
	return nil, nil
}

func (a *app) scanImages(ctx context.Context, fl *imageFlags, args []string) error {
	tags, err := fl.wantedTags()
	if err != nil {
		return err
	}
	asking, err := a.registryOptions(&fl.registryFlags, tags)
	if err != nil {
		return err
	}
	asking.Needed = len(fl.tags) > 0 && !fl.registries() // where all are asked, some have none
	var unread []unreadTarget
	if fl.registries() {
		if args, unread, err = a.repositories(ctx, &fl.registryFlags, asking, args); err != nil {
			return err
		}
	}
	if fl.source != "" && len(args) > 1 {
		return usagef("--source names one repository; several have their own ids: leave it out, or scan one")
	}
	var jobs []scanJob
	for _, arg := range args {
		open := func(o image.Options) (*image.Source, error) { return image.NewRegistry(arg, asking, o) }
		saved, err := fl.inFiles(arg)
		if err != nil {
			return err
		}
		if saved {
			open = func(o image.Options) (*image.Source, error) { return image.NewSaved(ctx, arg, o) }
		}
		// Opened first to learn its id: nothing is asked of a registry for it.
		src, err := open(image.Options{SourceID: fl.source, Screen: func(context.Context, []byte) bool { return false }})
		if err != nil {
			return imageError(err)
		}
		id, part := src.ID(), src.Part()
		if saved { // what is in an archive is found out once: it may be long
			open = src.With
		} else {
			_ = src.Close()
		}
		job := scanJob{place: scanPlace{sourceID: id, kind: fingerprints.KindImage, forgets: fl.noCache}}
		if len(fl.tags) > 0 || part {
			job.place.partial, job.place.extent = true, store.ExtentNamed
		}
		if len(args) > 1 || fl.registries() {
			job.name = arg
		}
		job.open = func(e *eye, _ []byte) (scanners.Source, error) {
			screen := scan.Screen{Engine: e.engine, Archives: fl.archives(a.now)}
			o := image.Options{SourceID: fl.source, Screen: screen.Of, Stream: screen.Stream, Named: e.engine.Named, Workers: runtime.GOMAXPROCS(0), Whole: !job.place.partial}
			if !fl.noCache {
				a.remembersLayers(&o, e, &fl.scanFlags, job.place)
			}
			return a.openImages(e, fl, o, open)
		}
		jobs = append(jobs, job)
	}
	for _, u := range unread {
		jobs = append(jobs, u.job())
	}
	return a.runScans(ctx, &fl.scanFlags, jobs)
}

// inFiles reports whether an image is in a file or folder here, and not in a registry.
func (fl *imageFlags) inFiles(arg string) (bool, error) {
	switch {
	case fl.registries():
		return false, nil
	case exists(arg):
		return true, nil
	}
	return false, meantOtherwise(arg)
}

// meantOtherwise tells of what is not there and was hardly meant as an image, though
// one could have this name: Docker Hub is not asked for files and hosts.
func meantOtherwise(arg string) error {
	host, rest, has := strings.Cut(arg, "/")
	isHost := strings.ContainsAny(host, ".:") || host == "localhost"
	file := slices.ContainsFunc([]string{".tar", ".tgz", ".tar.gz", ".tar.zst", ".tar.xz", ".tar.bz2"}, func(end string) bool { return strings.HasSuffix(arg, end) })
	switch name, _, _ := strings.Cut(host, ":"); {
	case has && slices.Contains([]string{"", ".", "..", "~"}, host), file && !(has && isHost):
		return usagef("PATH: there is no such file or folder; an image of this name is docker.io/NAME")
	case rest == "" && (strings.Contains(name, ".") || name == "localhost"):
		return usagef("REFERENCE: this is a registry alone: write REGISTRY/REPOSITORY:TAG, or add --all-repositories; there is no such file or folder either")
	}
	return nil
}

// imageError says which of what was typed is wrong.
func imageError(err error) error {
	switch {
	case errors.Is(err, image.ErrBadReference) || errors.Is(err, image.ErrBadRepository):
		return usagef("REFERENCE: %w; there is no such file or folder either", err)
	case errors.Is(err, image.ErrBadRegistry), errors.Is(err, distribution.ErrBadCertificates), errors.Is(err, distribution.ErrBadRegistry):
		return usagef("REFERENCE: %w", err)
	}
	return usagef("PATH: %w", err)
}
