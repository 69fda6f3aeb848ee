package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"time"

	"revenant/ingest/redact"
	"revenant/ingest/relay"
)

// Exit codes of shells for commands that do not run.
const (
	exitNotRun   = 126 // it is there
	exitNotFound = 127
	exitSignal   = 128 // and the signal's number
)

// How long output is read that processes write which the command left behind, and
// how much of what they wrote until then.
const (
	behindTime  = 5 * time.Second
	behindBytes = 1 << 20 // what a pipe holds at the most
	behindWait  = 50 * time.Millisecond
)

// logged is a command that runs while its output is looked at.
type logged struct {
	a        *app
	streams  passing
	cmd      *exec.Cmd
	out, err *passage
	ends     []*pipeEnd
	left     bool          // processes that it left behind hold its output
	done     chan struct{} // it has ended, and so has its output
}

// runLogged runs a command and scans its output. Its standard input is ours.
func (a *app) runLogged(ctx context.Context, fl *logsFlags, argv []string) error {
	if err := checkPassing(&fl.scanFlags, "--", true); err != nil {
		return err
	}
	if a.asJSON {
		return usagef("--json prints to standard output, which has the command's: write -r json:FILE")
	}
	fl.piped = true
	// The error stream is looked at when standard output has ended: it must not wait
	// for that, because the command would wait for it.
	l := &logged{
		a: a, streams: passing{a: a, fl: fl}, done: make(chan struct{}),
		out: newPassage(relay.FullWaits), err: newPassage(relay.FullSpools),
	}
	// The command decides when it ends, also when we are interrupted.
	whole := context.WithoutCancel(ctx)
	place := fl.streamed(fl.source)
	first := l.out.job(place, "@stdout", func(e *eye) error {
		if err := ctx.Err(); err != nil {
			return &exitError{exitFailure, errors.New("interrupted before the command was started")}
		}
		return l.start(whole, e, argv)
	})
	second := l.err.job(place, "@stderr", func(*eye) error { return nil })
	failed := a.runScans(whole, &fl.scanFlags, []scanJob{first, second})
	if !l.out.started {
		for _, end := range l.ends {
			_ = end.f.Close()
		}
		return failed
	}
	return l.ended(whole, failed)
}

// start starts the command and passes its output on.
func (l *logged) start(ctx context.Context, e *eye, argv []string) error {
	var redactors [2]*redact.Writer
	for i, to := range []io.Writer{l.a.stdout, l.a.stderr} {
		var err error
		if redactors[i], err = l.streams.begin(ctx, e, to); err != nil {
			return err
		}
	}
	if err := l.run(ctx, argv); err != nil {
		for _, w := range redactors {
			if w != nil {
				_ = w.Close() // nothing was written
			}
		}
		return err
	}
	l.out.start(l.ends[0], l.a.stdout, redactors[0])
	l.err.start(l.ends[1], l.a.stderr, redactors[1])
	return nil
}

// run starts the command with pipes for its output, and waits for it meanwhile.
func (l *logged) run(ctx context.Context, argv []string) error {
	l.cmd = exec.CommandContext(ctx, argv[0], argv[1:]...) //nolint:gosec // running it is what was asked for
	l.cmd.Stdin = l.a.stdin
	l.cmd.WaitDelay = behindTime // of input that is no file
	for _, to := range []*io.Writer{&l.cmd.Stdout, &l.cmd.Stderr} {
		r, w, err := os.Pipe()
		if err != nil {
			return fmt.Errorf("making a pipe: %w", err)
		}
		defer func() { _ = w.Close() }() // the command has its own
		*to = w
		l.ends = append(l.ends, &pipeEnd{f: r})
	}
	started, unhook := l.relaySignals()
	if err := l.cmd.Start(); err != nil {
		unhook()
		return notStarted(err)
	}
	started()
	go func() {
		defer close(l.done)
		_ = l.cmd.Wait() // how it ended, its state tells
		unhook()
		for _, end := range l.ends {
			end.soon()
		}
		<-l.out.done
		<-l.err.done
	}()
	return nil
}

// notStarted says why a command does not run, without its name: people type
// values into the wrong place.
func notStarted(err error) error {
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		return &exitError{exitNotFound, errors.New("the command was not found")}
	}
	var failed *exec.Error
	if errors.As(err, &failed) {
		err = failed.Err
	}
	return &exitError{exitNotRun, fmt.Errorf("the command could not be started: %w", bare(err))}
}

// ended waits for the command and its output, and says how it ended: what it says
// itself goes before what the scan says.
func (l *logged) ended(ctx context.Context, failed error) error {
	passed := errors.Join(l.out.wait(ctx), l.err.wait(ctx))
	<-l.done
	for _, end := range l.ends {
		l.left = l.left || end.cut
		_ = end.f.Close()
	}
	if l.left {
		l.a.note("a process that the command left behind still has its output: what it writes from now on is not passed on")
	}
	l.streams.ended()
	if failed == nil {
		failed = passed
	}
	code := l.code()
	switch {
	case code == exitOK:
		return failed
	case failed != nil:
		return &exitError{code, failed}
	}
	l.a.code = code
	return nil
}

// code is the command's exit code; a signal's death is noted.
func (l *logged) code() int {
	if n := signalOf(l.cmd.ProcessState); n > 0 {
		l.a.dies = n
		return exitSignal + n
	}
	if code := l.cmd.ProcessState.ExitCode(); code >= 0 {
		return code
	}
	return exitFailure
}

// pipeEnd reads what the command and its children write. When the command has
// ended it reads what is there, and waits for more only for a while.
type pipeEnd struct {
	f     *os.File
	after int  // bytes that were read when that time was over
	over  bool // it is
	cut   bool // somebody still writes
}

// soon says that the command has ended.
func (p *pipeEnd) soon() {
	if p.f.SetReadDeadline(time.Now().Add(behindTime)) != nil {
		time.AfterFunc(behindTime, func() { _ = p.f.Close() })
	}
}

// Read implements io.Reader.
func (p *pipeEnd) Read(b []byte) (int, error) {
	for {
		if p.over { // what is in the pipe was written in time
			_ = p.f.SetReadDeadline(time.Now().Add(behindWait))
		}
		n, err := p.f.Read(b)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded) && !p.over:
			p.over = true
			continue
		case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, os.ErrClosed), p.after > behindBytes:
			p.cut = true
			return 0, io.EOF
		}
		if p.over {
			p.after += n
		}
		return n, err
	}
}
