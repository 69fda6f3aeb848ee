package main

import "errors"

// errLocked says that another process holds the file.
var errLocked = errors.New("another process holds it")
