package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// serve starts the server, at its usual address where nobody has that.
func (t *tour) serve() error {
	listen := "127.0.0.1:8077"
	if l, err := net.Listen("tcp", listen); err != nil {
		listen = "127.0.0.1:0"
	} else if err := l.Close(); err != nil {
		return err
	}
	file, err := os.OpenFile(t.path("serve.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	args := []string{"serve", "--config", t.path("revenant.yaml"), "--listen", listen}
	t.print("\n$ revenant " + t.short(strings.Join(args, " ")) + " &\n")
	t.server, t.ended, t.log = exec.Command(t.o.bin, args...), make(chan error, 1), &serverLog{t: t, file: file, at: make(chan string, 1)}
	t.server.Env, t.server.Stderr = t.env, t.log
	apart(t.server) // Ctrl-C is the demo's: a second signal would end it at once
	if err := t.server.Start(); err != nil {
		return errors.Join(err, file.Close())
	}
	go func() { t.ended <- errors.Join(t.server.Wait(), file.Close()) }()
	select {
	case t.url = <-t.log.at:
		return nil
	case err := <-t.ended:
		t.server = nil
		return errors.Join(errors.New("the server did not start"), err)
	}
}

// stopServer asks it to end, and says how it did.
func (t *tour) stopServer() error {
	if t.server == nil {
		return nil
	}
	if err := t.server.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("the server is gone already: %w", err)
	}
	select {
	case err := <-t.ended:
		if err == nil {
			t.print("\nthe server ended in order; everything is in " + t.short(t.o.work) + "\n")
		}
		return err
	case <-time.After(20 * time.Second):
		return errors.Join(errors.New("the server did not end"), t.server.Process.Kill())
	}
}

// serverLog keeps what the server says, and shows it without time and level.
type serverLog struct {
	t    *tour
	file io.Writer
	rest []byte
	at   chan string // the address, once
}

// Write implements io.Writer.
func (l *serverLog) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	for {
		line, rest, whole := bytes.Cut(l.rest, []byte("\n"))
		if !whole {
			break
		}
		l.rest = rest
		text := string(line)
		if _, after, has := strings.Cut(text, "msg=answering at="); has {
			select {
			case l.at <- strings.Fields(after)[0]:
			default:
			}
		}
		if _, after, has := strings.Cut(text, "msg="); has {
			text = after
		}
		l.t.print("  serve | " + l.t.short(text) + "\n")
	}
	return l.file.Write(p)
}
