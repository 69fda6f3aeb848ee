package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"revenant/fingerprints"
	"revenant/ingest/redact"
	"revenant/ingest/relay"
	"revenant/ingest/scan"
	"revenant/scanners"
	"revenant/scanners/files"
	"revenant/scanners/views"
)

// lastWords is how long a stream is still passed on after an interruption: who
// writes it was interrupted too, and has something to say.
const lastWords = time.Second

// lastBytes is how long redaction may take to let go of what it holds then.
const lastBytes = 300 * time.Millisecond

// passage is a stream that goes on to where it belongs, and that a scan looks at
// meanwhile.
type passage struct {
	relay   *relay.Relay
	started bool
	done    chan struct{}
	err     error // why it ended before its end; behind done
}

// newPassage makes one that has not begun: what is wrong with the command line is
// told before anything is read.
func newPassage(full relay.Full) *passage {
	return &passage{relay: relay.New(0, full), done: make(chan struct{})}
}

// start passes a stream on. A redactor stands before out, and is closed.
func (p *passage) start(in io.Reader, out io.Writer, redactor *redact.Writer) {
	p.started = true
	if redactor != nil {
		out = redactor
	}
	go func() {
		defer close(p.done)
		p.err = relay.Copy(out, p.relay, in)
		if redactor != nil {
			if err := redactor.Close(); err != nil {
				p.err = err
			}
		}
		if p.err != nil {
			p.relay.End(&scanners.SkipError{Reason: fingerprints.SkipUnreadable, Detail: "the stream was not read to its end", Size: -1})
			return
		}
		p.relay.End(nil)
	}()
}

// interrupt ends what is looked at, not what is passed on.
func (p *passage) interrupt() {
	p.relay.End(&scanners.SkipError{Reason: fingerprints.SkipInterrupted, Size: -1})
}

// interruptSoon is interrupt, when the last words were said.
func (p *passage) interruptSoon() { time.AfterFunc(lastWords, p.interrupt) }

// wait waits until the stream ends; when ctx ends, not for long. Nothing of it is
// looked at any more.
func (p *passage) wait(ctx context.Context) error {
	p.relay.Leave()
	if !p.started {
		return nil
	}
	select {
	case <-p.done:
	case <-ctx.Done():
		select {
		case <-p.done:
		case <-time.After(lastBytes): // it waits for what does not come
			return nil
		}
	}
	var failed *relay.PassError
	switch {
	case errors.As(p.err, &failed):
		return fmt.Errorf("standard output does not have all of the stream: %w", bare(failed.Err))
	case p.err != nil:
		return fmt.Errorf("the stream could not be passed on to its end: %w", bare(p.err))
	}
	return nil
}

// job is the scan of what passes; begin starts it.
func (p *passage) job(place scanPlace, path string, begin func(e *eye) error) scanJob {
	return scanJob{place: place, ends: p.interruptSoon, open: func(e *eye, _ []byte) (scanners.Source, error) {
		if err := begin(e); err != nil {
			return nil, err
		}
		return files.NewStream(p.relay, place.sourceID, path), nil
	}}
}

// checkPassing refuses reports on standard output, which has a stream. In a
// pipeline the report in text follows the log; flag names what passes it on.
func checkPassing(fl *scanFlags, flag string, textToo bool) error {
	toOutput := func(p string) bool {
		return p == "-" || strings.HasSuffix(p, ":-") && (textToo || p != "text:-")
	}
	text := func(f string) bool { return f == "text" && textToo }
	if slices.ContainsFunc(fl.paths, toOutput) || len(fl.paths) == 0 && len(fl.formats) > 0 && !slices.ContainsFunc(fl.formats, text) {
		return usagef("%s passes the log on to standard output, which cannot take a report too: give -r a file", flag)
	}
	return nil
}

// redactor takes registered values out of what goes to out.
func (a *app) redactor(ctx context.Context, e *eye, fl *scanFlags, out io.Writer) (*redact.Stream, *redact.Writer, error) {
	if e.registered == nil {
		return nil, nil, usagef("--redact-stream takes registered values out, and none are known here: give --pack with its key, or a registry in REVENANT_HOME, and not --only generic")
	}
	s, err := redact.New(out, redact.Options{
		Engine: &scanners.Engine{Viewer: views.New(), ViewDepth: fl.viewDepth(), Matchers: []scanners.Matcher{e.registered}},
		Marks:  scan.NewMarks(e.labels),
	})
	if err != nil {
		return nil, nil, err
	}
	return s, redact.NewWriter(ctx, s, a.now), nil
}

// oneAtATime are labels that are asked by a scan and by redaction.
type oneAtATime struct {
	mu     sync.Mutex
	labels scan.Labels
}

// Labels implements scan.Labels.
func (l *oneAtATime) Labels(ctx context.Context, rows []fingerprints.RowID, v fingerprints.Value) ([]scan.Label, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.labels.Labels(ctx, rows, v)
}

// Homes implements scan.Labels.
func (l *oneAtATime) Homes(ctx context.Context, secret, sourceID, path string) ([]scan.Home, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.labels.Homes(ctx, secret, sourceID, path)
}
