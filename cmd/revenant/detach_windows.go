package main

import (
	"os/exec"
	"syscall"
)

// detach lets a process outlive this one and its console.
func detach(c *exec.Cmd) {
	c.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP | 0x00000008} // detached
}
