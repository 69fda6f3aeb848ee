// Command soak fills registries to the size of an organisation and measures
// what people and scans then wait for: on SQLite and on PostgreSQL, a thousand
// sources, a million sightings, ten thousand versions, all through the registry's
// use cases as commands and scans call them. Each database is filled in two
// shapes: a tenth of the findings are of one value, and nearly all of them are.
//
// Then real processes drain a backlog of watches: one of them, and two.
//
// Everything is generated from a seed; the values mean nothing. What it makes is
// removed again. The tables go between the marks of docs/scale.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

type options struct {
	bin, work, doc, stores string
	shape                  string
	sources, sightings     int
	versions, watches      int
}

func main() {
	var o options
	flag.StringVar(&o.bin, "bin", "build/bin/revenant", "the program that drains watches; empty: none are drained")
	flag.StringVar(&o.work, "work", "build/soak", "folder for what is made; removed before and after")
	flag.StringVar(&o.doc, "doc", "docs/scale.md", "write the tables between the marks of this file; empty: print only")
	flag.StringVar(&o.stores, "stores", "sqlite,postgres", "databases to fill")
	flag.StringVar(&o.shape, "shape", "", "fill in this shape alone, by its name or a part of it")
	flag.IntVar(&o.sources, "sources", 1000, "sources")
	flag.IntVar(&o.sightings, "sightings", 1_000_000, "sightings, in each database and shape")
	flag.IntVar(&o.versions, "versions", 10_000, "registered versions")
	flag.IntVar(&o.watches, "watches", 500, "watches that are drained; 0: none")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

func (o *options) check() (err error) {
	if o.bin != "" {
		if o.bin, err = filepath.Abs(o.bin); err != nil {
			return err
		}
	}
	if o.work, err = filepath.Abs(o.work); err != nil {
		return err
	}
	if o.sources < 1 || o.sightings < 10*o.sources || o.versions < 20 || filepath.Base(o.work) == string(filepath.Separator) {
		return errors.New("at least one source, ten sightings in each, twenty versions, and a folder of its own")
	}
	return nil
}

func run(ctx context.Context, o options) (err error) {
	if err := o.check(); err != nil {
		return err
	}
	if err := errors.Join(os.RemoveAll(o.work), os.MkdirAll(o.work, 0o755)); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(o.work)) }()
	for _, name := range strings.Split(o.stores, ",") {
		if err := one(ctx, o, name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// one fills and measures registries in one kind of database.
func one(ctx context.Context, o options, name string) error {
	p, err := newPlace(ctx, name, o.work)
	if err != nil {
		return err
	}
	defer p.close()
	var runs []result
	for _, s := range shapes() {
		if !strings.Contains(s.name, o.shape) {
			continue
		}
		r, err := soak(ctx, o, p, s)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		runs = append(runs, r)
	}
	var drains []drained
	if o.watches > 0 && o.bin != "" {
		if drains, err = drain(ctx, o, p); err != nil {
			return fmt.Errorf("draining watches: %w", err)
		}
	}
	text := report(o, p.name, runs, drains)
	fmt.Print(text)
	if o.doc == "" {
		return nil
	}
	return replaceBetween(o.doc, name, text)
}
