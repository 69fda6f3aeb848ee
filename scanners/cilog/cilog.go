// Package cilog is the source of what CI systems keep of their runs: the logs of
// one project, job by job, step by step. Packages below it know the systems.
//
// It promises: each log of a run that came to its end is read once and
// remembered, and a rescan asks the system for what is new; what a run's logs
// became - kept, expired, deleted - is told; a run that is going on is read as
// far as it is, and again next time; requests are only made for reading. It
// refuses: to keep content or names in clear, and to know what is in a log.
package cilog

import (
	"context"
	"errors"
	"io"
	"time"
)

// Project is one project of a CI system. Calls of Logs and Open may overlap.
type Project interface {
	// ID is the source's id, ci:PROVIDER:HOST/PROJECT; no user-info, host in lower
	// case, PROJECT as the system spells it.
	ID() string
	// Runs calls yield with the project's runs, the newest first, a page at a time,
	// until it returns false. Each attempt of a run is a Run of its own. The mark is
	// what Query.Mark is to be next time if all runs that were yielded were taken.
	Runs(ctx context.Context, q Query, yield func([]Run) bool) (mark string, err error)
	// Look reads a run that was going on as it is now; ErrDeleted when it is not
	// there any more. It is asked before Logs, whatever Runs yields.
	Look(ctx context.Context, r Run) (Run, error)
	// Logs lists the logs of a run, in the order in which they were written. What
	// of it cannot be had is an error, or, where the others can, a Log with Missing.
	Logs(ctx context.Context, r Run) ([]Log, error)
	// Open reads a log that Logs listed, now or in an earlier process.
	Open(ctx context.Context, r Run, l Log) (io.ReadCloser, error)
	// Kept asks, as cheaply as the system allows, whether these logs of a run can
	// still be had: nil, ErrExpired, ErrDeleted, a *PartError where some of them
	// cannot, or why it is not known.
	Kept(ctx context.Context, r Run, logs []Log) error
	// Close lets go of what was opened.
	Close() error
}

// Query says which runs are wanted.
type Query struct {
	// Mark is what Runs returned last time, when everything until then was taken:
	// what did not change since need not be yielded. Empty: all runs.
	Mark string
	// Since leaves out runs that began before; zero: none is left out.
	Since time.Time
	// Branch leaves out runs of other branches; empty: none is left out.
	Branch string
}

// Run is one attempt of a workflow's run, a pipeline or a build.
type Run struct {
	ID      string // as the system has it, within the project
	Attempt int    // from 1
	// Going: it has not come to its end, and its logs may grow.
	Going bool
	Began time.Time // of the attempt
	// Changed tells versions of a run apart that has logs of its own again, as a
	// pipeline whose jobs were tried again; it may be empty.
	Changed string
	URL     string // for people
	// Workflow is what the system calls the definition that it ran, and Branch what
	// it ran on; raw, and empty where there is none.
	Workflow, Branch string
	Hint             string // what a system's own package wants to know again; empty: nothing
}

// Log is the log of a job or a step. All texts are raw: names may hold a secret.
type Log struct {
	// Key is how Open finds it within its run.
	Key string
	// Path is the job, or JOB/STEP: the same in every run.
	Path string
	// Part names it within its run, as in "job 4711 step 3": numbers of the
	// system's own, never names.
	Part string
	URL  string // for people
	// LineURL goes behind URL, and the number of a line behind that; empty: lines
	// cannot be linked.
	LineURL string
	Began   time.Time // zero: not known
	Size    int64     // in bytes, -1: not known
	Going   bool      // it may grow
	// Missing says why it cannot be read, ErrExpired or another error; nil: it can.
	Missing error
}

// Errors of projects, wrapped with what the user can do.
var (
	// ErrExpired: the system removed it by its age.
	ErrExpired = errors.New("not kept any longer")
	// ErrDeleted: it is not there any more.
	ErrDeleted = errors.New("deleted")
	// ErrDenied: without a token, or the token may not.
	ErrDenied = errors.New("access denied")
	// ErrNoProject: there is no such project, or the token may not see it.
	ErrNoProject = errors.New("no such project")
	// ErrLimited: the system's limit of requests was reached.
	ErrLimited = errors.New("limit of requests reached")
	// ErrUnreachable: no answer, or none of sense.
	ErrUnreachable = errors.New("no usable answer")
)

// PartError names logs of a run that cannot be had any more, while others can.
type PartError struct {
	Keys []string // of the logs
	Err  error    // why
}

// Error says why.
func (e *PartError) Error() string { return e.Err.Error() }

// Unwrap returns why.
func (e *PartError) Unwrap() error { return e.Err }
