// Package hook is what revenant does as a git hook beside scanning: it keeps what
// somebody let through although a hook refused it.
package hook
