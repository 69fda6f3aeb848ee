// Package relay lets a stream be looked at on its way without holding it up.
//
// It promises: what is read is written at once, read by read, and only then given
// to whoever looks; what the looker has not read yet is kept, in memory up to a
// bound. What comes beyond that either waits (a looker that is slower than the
// stream slows it down) or is kept in a temporary file without a name, where
// waiting could be for ever: a looker that reads another stream of the same program
// first. A looker that stops holds nothing up.
//
// It refuses: to lose a byte on its way out, and to give the looker less than all
// without an error.
package relay

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"revenant/fingerprints"
	"revenant/scanners"
)

// Full says what becomes of what comes when memory is full.
type Full int

// The choices.
const (
	// FullWaits lets whoever writes wait until the looker has read.
	FullWaits Full = iota
	// FullSpools keeps it in a temporary file.
	FullSpools
)

// DefaultMemory is how much is kept in memory, unless New is told otherwise.
const DefaultMemory = 8 << 20

// Relay keeps what was written until it is read. One goroutine writes, another
// reads.
type Relay struct {
	limit int
	full  Full

	mu      sync.Mutex
	changed *sync.Cond
	mem     []byte // the oldest
	at      int    // mem[:at] was read
	file    *os.File
	stored  int64 // bytes in the file
	taken   int64 // and of them read
	err     error // at the end of what is kept; nil: more may come
	left    bool  // nobody reads any more
}

// New returns a relay that keeps memory bytes in memory (0: DefaultMemory).
func New(memory int, full Full) *Relay {
	if memory <= 0 {
		memory = DefaultMemory
	}
	r := &Relay{limit: memory, full: full}
	r.changed = sync.NewCond(&r.mu)
	return r
}

// Write keeps p. It never fails: what cannot be kept ends what the looker reads,
// with an error that says so.
func (r *Relay) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer r.changed.Broadcast()
	for n := 0; n < len(p) && !r.left && r.err == nil; {
		room := r.limit - (len(r.mem) - r.at)
		switch {
		case r.taken < r.stored || room <= 0 && r.full == FullSpools:
			if err := r.spool(p[n:]); err != nil {
				r.err = &scanners.SkipError{Reason: fingerprints.SkipUnreadable, Detail: "more came than could be kept for being looked at", Size: -1}
			}
			return len(p), nil
		case room <= 0:
			r.changed.Broadcast()
			r.changed.Wait()
		default:
			k := min(room, len(p)-n)
			r.keep(p[n : n+k])
			n += k
		}
	}
	return len(p), nil
}

// keep appends to memory.
func (r *Relay) keep(p []byte) {
	if r.at > 0 && len(r.mem)+len(p) > cap(r.mem) {
		n := copy(r.mem, r.mem[r.at:])
		clear(r.mem[n:])
		r.mem, r.at = r.mem[:n], 0
	}
	r.mem = append(r.mem, p...)
}

// spool appends to the file, which has no name any more when it is written to.
func (r *Relay) spool(p []byte) error {
	if r.file == nil {
		f, err := os.CreateTemp("", "revenant-spool-*")
		if err != nil {
			return fmt.Errorf("spooling: %w", err)
		}
		r.file = f
		if err := os.Remove(f.Name()); err != nil {
			return fmt.Errorf("spooling: %w", err)
		}
	}
	n, err := r.file.WriteAt(p, r.stored)
	r.stored += int64(n)
	if err != nil {
		return fmt.Errorf("spooling: %w", err)
	}
	return nil
}

// Read waits for something to read.
func (r *Relay) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		switch {
		case r.at < len(r.mem):
			n := copy(p, r.mem[r.at:])
			clear(r.mem[r.at : r.at+n])
			if r.at += n; r.at == len(r.mem) {
				r.mem, r.at = r.mem[:0], 0
			}
			r.changed.Broadcast()
			return n, nil
		case r.taken < r.stored:
			return r.unspool(p)
		case r.err != nil:
			return 0, r.err
		}
		r.changed.Wait()
	}
}

// unspool reads from the file, and empties it when all of it was read.
func (r *Relay) unspool(p []byte) (int, error) {
	n, err := r.file.ReadAt(p[:min(int64(len(p)), r.stored-r.taken)], r.taken)
	r.taken += int64(n)
	if n == 0 {
		r.err = &scanners.SkipError{Reason: fingerprints.SkipUnreadable, Detail: "what was kept for being looked at cannot be read", Size: r.stored - r.taken}
		r.stored = r.taken
		return 0, errors.Join(r.err, err)
	}
	if r.taken == r.stored && r.file.Truncate(0) == nil {
		r.taken, r.stored = 0, 0
	}
	return n, nil
}

// End says that nothing is written any more; the looker reads what is kept and
// then err, io.EOF where it is nil. What ended stays ended.
func (r *Relay) End(err error) {
	if err == nil {
		err = io.EOF
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = err
	}
	r.changed.Broadcast()
}

// Leave says that nobody reads any more: what is written from now on is forgotten.
func (r *Relay) Leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.left = true
	clear(r.mem)
	r.mem, r.at = nil, 0
	if r.file != nil {
		_ = r.file.Close()
		r.file, r.stored, r.taken = nil, 0, 0
	}
	r.changed.Broadcast()
}

// readSize is how much Copy reads at once.
const readSize = 64 << 10

// PassError is a failure to write what was read.
type PassError struct{ Err error }

// Error implements error.
func (e *PassError) Error() string { return "passing the stream on: " + e.Err.Error() }

// Unwrap is the writer's error.
func (e *PassError) Unwrap() error { return e.Err }

// Copy writes to out what it reads from in, each read at once, and lets r be read
// of it. It returns when in ends; or with a PassError when out fails: nothing more
// is read then.
func Copy(out io.Writer, r *Relay, in io.Reader) error {
	buf := make([]byte, readSize)
	defer clear(buf)
	for {
		n, err := in.Read(buf)
		if n > 0 {
			if _, failed := out.Write(buf[:n]); failed != nil {
				return &PassError{failed}
			}
			_, _ = r.Write(buf[:n]) // never fails
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("reading the stream: %w", err)
		}
	}
}
