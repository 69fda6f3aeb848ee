package main

import (
	"fmt"
	"io"
	"os"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// terminalPair is a terminal and the side that a person types on.
func terminalPair(t *testing.T) (person, tty *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = person.Close() })
	fd := int(person.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tty.Close() })
	return person, tty
}

// TestLogsTerminal: Ctrl-C reaches a command once, although it reaches us too, and
// what is sent to us alone by kill goes on to it.
func TestLogsTerminal(t *testing.T) {
	b, _ := newLogsBox(t)
	const script = `n=0; trap 'n=$((n+1)); echo interrupted $n' INT; trap 'echo ended after $n; exit 4' TERM; echo ready; while :; do sleep 0.05; done`
	person, tty := terminalPair(t)
	c := b.command(t.Context(), "", "logs", "-q", "--", "sh", "-c", script)
	c.Stdin, c.Stderr = tty, tty
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	l := &live{t: t, cmd: c, in: tty, out: newReader(out)}
	l.says("", "ready\n")
	for n := 1; n <= 2; n++ {
		if _, err := io.WriteString(person, "\x03"); err != nil {
			t.Fatal(err)
		}
		l.says("", fmt.Sprintf("interrupted %d\n", n))
		time.Sleep(150 * time.Millisecond) // a second one would come now
	}
	_ = c.Process.Signal(syscall.SIGTERM)
	if rest, code := l.ended(); rest != "ended after 2\n" || code != 4 {
		t.Errorf("%q, exit code %d", rest, code)
	}
}
