//go:build unix

package main

import (
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// passedOn are the signals that a command is given when we get them.
func passedOn() []os.Signal {
	return []os.Signal{
		syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGWINCH,
	}
}

// relaySignals passes signals on to the command from when it started until unhook
// is called; those that come before wait. What the keys of a terminal send has
// reached the command too: it is in the same group.
func (l *logged) relaySignals() (started, unhook func()) {
	got, ready, stop := make(chan os.Signal, 16), make(chan struct{}), make(chan struct{})
	signal.Notify(got, passedOn()...)
	var wg sync.WaitGroup
	wg.Go(func() {
		select {
		case <-ready:
		case <-stop:
			return
		}
		for {
			select {
			case s := <-got:
				if !slices.Contains(keySignals(), s) || !inForeground() {
					_ = l.cmd.Process.Signal(s) // it may have ended
				}
			case <-stop:
				return
			}
		}
	})
	return func() { close(ready) }, func() {
		signal.Stop(got)
		close(stop)
		wg.Wait()
	}
}

// keySignals are those that a terminal sends to all processes in its foreground.
func keySignals() []os.Signal {
	return []os.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGHUP, syscall.SIGWINCH}
}

// inForeground reports whether the keys of a terminal send signals to this
// process and those that it started.
func inForeground() bool {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		return false
	}
	defer func() { _ = tty.Close() }()
	group, err := unix.IoctlGetInt(int(tty.Fd()), unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

// signalOf is the signal that a process died of; 0: it ended.
func signalOf(s *os.ProcessState) int {
	if w, ok := s.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		return int(w.Signal())
	}
	return 0
}

// dieOf ends this process by a signal, as far as the runtime lets it: of others the
// exit code tells.
func dieOf(n int) {
	s := syscall.Signal(n)
	if !slices.Contains([]syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGKILL}, s) {
		return
	}
	signal.Reset(s)
	if syscall.Kill(syscall.Getpid(), s) == nil {
		time.Sleep(time.Second) // until it comes
	}
}
