package audit

import (
	"bytes"
	"crypto/hmac"
	"fmt"
)

// Verifier checks a chain record by record, so that a long one need not be in
// memory. It is for one goroutine.
type Verifier struct {
	ks      Keys
	prev    Record
	records uint64
	against []Checkpoint
	err     error
}

// NewVerifier starts at the first record of a chain. The checkpoints have been
// read with Read, which checks who signed them.
func NewVerifier(ks Keys, against ...Checkpoint) *Verifier {
	return &Verifier{ks: ks, against: against}
}

// Add checks the next record. After the first error it returns that error.
func (v *Verifier) Add(r Record) error {
	if v.err == nil {
		v.err = v.check(r)
	}
	if v.err == nil {
		v.prev, v.records = r, v.records+1
	}
	return v.err
}

func (v *Verifier) check(r Record) error {
	want := v.prev.Sequence + 1
	switch {
	case r.Sequence > want:
		return fmt.Errorf("records %d to %d are missing: %w", want, r.Sequence-1, ErrBroken)
	case r.Sequence < want:
		return fmt.Errorf("record %d stands where %d should: out of order: %w", r.Sequence, want, ErrBroken)
	case r.Epoch() == 0:
		return fmt.Errorf("record %d has no MAC: %w", r.Sequence, ErrBroken)
	case r.Epoch() < v.prev.Epoch():
		return fmt.Errorf("record %d was chained with a key older than the record before: %w", r.Sequence, ErrBroken)
	}
	sum, err := r.sum(v.ks, v.prev.MAC, r.Epoch())
	if err != nil {
		return fmt.Errorf("checking audit record %d: %w", r.Sequence, err)
	}
	if !hmac.Equal(sum, r.MAC) {
		return fmt.Errorf("record %d, or the one before it, was changed: %w", r.Sequence, ErrBroken)
	}
	for _, c := range v.against {
		if c.Sequence == r.Sequence && !bytes.Equal(c.Head, r.MAC) {
			return fmt.Errorf("record %d is not the one that the checkpoint of %s saw: the end of the chain was rewritten: %w",
				r.Sequence, c.At.UTC().Format(checkpointTime), ErrBroken)
		}
	}
	return nil
}

// Result is what a verified chain says.
type Result struct {
	Newest  Record // zero when the chain is empty
	Records uint64
}

// Finish ends the check: with checkpoints, the chain must reach each of them.
func (v *Verifier) Finish() (Result, error) {
	for _, c := range v.against {
		if v.err == nil && c.Sequence > v.prev.Sequence {
			v.err = fmt.Errorf("the chain ends at record %d, the checkpoint of %s saw %d: the end was cut: %w",
				v.prev.Sequence, c.At.UTC().Format(checkpointTime), c.Sequence, ErrBroken)
		}
	}
	if v.err != nil {
		return Result{}, v.err
	}
	return Result{Newest: v.prev, Records: v.records}, nil
}

// Verify checks a chain that is in memory.
func Verify(ks Keys, chain []Record, against ...Checkpoint) (Result, error) {
	v := NewVerifier(ks, against...)
	for _, r := range chain {
		if err := v.Add(r); err != nil {
			return Result{}, err
		}
	}
	return v.Finish()
}
