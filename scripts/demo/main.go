// Command demo is the tour of make run: a server keeps scanning an organisation
// of real sources (two repositories, an image in a registry of this process, a
// log that is being written, this repository), while secrets are issued, rotated
// and retired. Every command is shown as a person would type it.
//
// All that it writes is in one folder, which it makes anew. The values are
// random and mean nothing. It ends by itself, and the server with it; with -stay
// it waits for Ctrl-C.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

type options struct {
	bin, root, work string
	stay            bool
}

// longest is how long a tour takes on the slowest machine.
const longest = 10 * time.Minute

func main() {
	var o options
	flag.StringVar(&o.bin, "bin", "build/bin/revenant", "the program")
	flag.StringVar(&o.root, "root", ".", "a repository that is scanned, too")
	flag.StringVar(&o.work, "work", "build/run", "folder for all that is written; removed first")
	flag.BoolVar(&o.stay, "stay", false, "keep the server after the tour, until Ctrl-C")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, o)
	switch {
	case ctx.Err() != nil:
		if !o.stay || err != nil {
			fmt.Fprintln(os.Stderr, "demo: ended before its end")
			os.Exit(130)
		}
	case err != nil:
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (err error) {
	for _, p := range []*string{&o.bin, &o.root, &o.work} {
		if *p, err = filepath.Abs(*p); err != nil {
			return err
		}
	}
	if _, err := os.Stat(o.bin); err != nil {
		return errors.New("build it first: make build")
	}
	if err := errors.Join(os.RemoveAll(o.work), os.MkdirAll(filepath.Join(o.work, "tmp"), 0o755)); err != nil {
		return err
	}
	t := newTour(o, os.Stdout)
	touring, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	if err := t.organise(touring); err != nil {
		return err
	}
	defer t.org.close()
	// The server outlives the tour's time where it is to stay, never the signal.
	defer func() { err = errors.Join(err, t.stopServer()) }()
	if err := t.all(touring); err != nil {
		return err
	}
	if o.stay {
		t.print("\nit goes on until Ctrl-C\n")
		<-ctx.Done()
	}
	return nil
}

// all is the tour from the server's start.
func (t *tour) all(ctx context.Context) error {
	for _, part := range []func(context.Context) error{t.start, t.issued, t.rotated, t.registeredLate, t.clearedUp, t.known} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return nil
}

// organise makes registry, sources and configuration.
func (t *tour) organise(ctx context.Context) error {
	t.say("a registry, its keys, and what is in use")
	v := t.values
	err := t.steps(
		func() error { return t.show(ctx, 0, "init") },
		func() error {
			return t.pipe(ctx, v.db, "secret", "add", "billing/db-password", "--class", "application", "--owner", "team-billing", "--consumer", "shop")
		},
		func() error {
			return t.pipe(ctx, v.mail, "secret", "add", "mail/api-key", "--class", "third-party", "--owner", "team-mail")
		},
		func() error { return t.pipe(ctx, v.spare, "secret", "add", "spare/token") },
	)
	if err != nil {
		return err
	}
	t.say("an organisation: two repositories, an image, a log that is being written, this repository")
	if t.org, err = newOrganisation(ctx, t.o, v); err != nil {
		return err
	}
	text := t.org.configuration()
	if err := os.WriteFile(t.path("revenant.yaml"), []byte(text), 0o644); err != nil {
		return err
	}
	t.print("\n" + indented(t.short(text)))
	return t.show(ctx, 0, "config", "check", t.path("revenant.yaml"))
}

func (t *tour) start(ctx context.Context) error {
	t.say("the server finds them by itself")
	if err := t.serve(); err != nil {
		return err
	}
	return t.steps(
		func() error { return t.until(ctx, "all but this repository are scanned", t.scanned(4)) },
		func() error { return t.show(ctx, 0, "watch", "list") },
		func() error { return t.show(ctx, 0, "findings", "list") },
	)
}

// issued issues a value that leaks into the log at once.
func (t *tour) issued(ctx context.Context) error {
	t.say("a token is issued, and a careless program logs it")
	token, err := t.issue(ctx, "ci/deploy-token", "pipeline")
	if err != nil {
		return err
	}
	began := time.Now()
	t.org.log.write("deploy: curl -H 'Authorization: Bearer " + token + "' https://ci.example.org/deploy")
	if err := t.api(ctx, "POST", "/api/v1/watches/logs/scan", nil); err != nil {
		return err
	}
	err = t.until(ctx, "the token is found", func(ctx context.Context) (bool, error) { return t.hasFindings(ctx, "ci/deploy-token") })
	if err != nil {
		return err
	}
	t.print(fmt.Sprintf("(written, asked for by the API, found: %d ms)\n", time.Since(began).Milliseconds()))
	return t.show(ctx, 0, "findings", "list", "--secret", "ci/deploy-token")
}

// rotated replaces a value, and retires the old one.
func (t *tour) rotated(ctx context.Context) error {
	return t.steps(
		func() error { t.say("rotated: the old value has a day, and every known copy of it lags"); return nil },
		func() error {
			return t.pipe(ctx, t.values.dbNext, "secret", "rotate", "billing/db-password", "--window", "24h")
		},
		func() error { return t.show(ctx, 0, "findings", "list", "--secret", "billing/db-password") },
		func() error { t.say("retired: the copies are stale at once, nothing is scanned for it"); return nil },
		func() error {
			return t.timed(func() error { return t.show(ctx, 0, "secret", "retire", "billing/db-password@1") })
		},
		func() error { return t.show(ctx, 0, "findings", "list", "--secret", "billing/db-password") },
	)
}

// registeredLate registers a value that has been lying around.
func (t *tour) registeredLate(ctx context.Context) error {
	t.say("a password nobody had registered has been lying around: registered, it is searched for everywhere")
	return t.steps(
		func() error {
			return t.pipe(ctx, t.values.portal, "secret", "add", "portal/admin", "--class", "bootstrap", "--owner", "team-platform")
		},
		func() error {
			return t.timed(func() error { return t.until(ctx, "no watch is behind", t.nothingBehind) })
		},
		func() error { return t.show(ctx, 0, "findings", "list", "--secret", "portal/admin") },
	)
}

// clearedUp removes the log, and has that seen.
func (t *tour) clearedUp(ctx context.Context) error {
	t.say("the log is thrown away: cleared is what the next scan does not see any more")
	if err := t.org.log.throwAway(); err != nil {
		return err
	}
	if err := t.api(ctx, "POST", "/api/v1/watches/logs/scan", nil); err != nil {
		return err
	}
	err := t.until(ctx, "the token's finding is cleared", func(ctx context.Context) (bool, error) {
		return t.hasFindings(ctx, "ci/deploy-token", "--verdict", "cleared")
	})
	if err != nil {
		return err
	}
	return t.show(ctx, 0, "findings", "list", "--secret", "ci/deploy-token", "--verdict", "cleared")
}

// known shows what can be said now.
func (t *tour) known(ctx context.Context) error {
	t.say("what is known: coverage, proofs, the audit log")
	return t.steps(
		func() error { return t.until(ctx, "this repository is scanned, too", t.scanned(t.org.watches)) },
		func() error { return t.until(ctx, "no watch is behind", t.nothingBehind) },
		func() error { return t.show(ctx, 0, "watch", "list") },
		func() error { return t.show(ctx, 0, "coverage", "billing/db-password@1") },
		func() error {
			return t.show(ctx, 1, "prove", "billing/db-password@1", "--include-history", "--accept-skip", "all")
		},
		func() error {
			return t.show(ctx, 0, "prove", "spare/token@1", "--accept-skip", "all", "--out", t.path("proof.json"))
		},
		func() error { return t.show(ctx, 0, "prove", "--verify", t.path("proof.json")) },
		func() error { return t.show(ctx, 0, "audit", "verify") },
		func() error { return t.metrics(ctx) },
		func() error { t.whereToLook(); return nil },
	)
}

// whereToLook ends the tour; what the server answers is there only while it runs.
func (t *tour) whereToLook() {
	lines := []string{
		"", "where to look",
		"  REVENANT_HOME=" + t.short(t.path("home")) + " " + t.short(t.o.bin) + " findings list",
		"  " + t.short(t.path("serve.log")) + ": what the server said",
	}
	if t.o.stay {
		lines = append(lines, "  "+t.url+"/metrics, for Prometheus", "  "+t.url+"/api/v1/status, with the token in "+t.short(t.path("home/control.token")))
	} else {
		lines = append(lines, "  RUN=stay make run keeps the server")
	}
	t.print(strings.Join(append(lines, "  docs/serve.md"), "\n") + "\n")
}

// metrics shows some.
func (t *tour) metrics(ctx context.Context) error {
	text, err := t.get(ctx, "/metrics")
	if err != nil {
		return err
	}
	t.print("\n$ curl -s " + t.url + "/metrics | grep -E 'revenant_(findings|scans_total)' | grep -v ' 0$'\n")
	for line := range strings.Lines(text) {
		if (strings.HasPrefix(line, "revenant_findings{") || strings.HasPrefix(line, "revenant_scans_total{")) && !strings.HasSuffix(line, " 0\n") {
			t.print(line)
		}
	}
	return nil
}

// random are letters and digits.
func random(n int) string {
	text := ""
	for len(text) < n {
		text += strings.ToLower(rand.Text()[:13]) + rand.Text()[:13]
	}
	return text[:n]
}

func indented(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n    ") + "\n"
}
