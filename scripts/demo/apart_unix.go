//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// apart starts a process where the terminal's signals do not reach it.
func apart(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
