package registry

import (
	"errors"
	"fmt"

	"revenant/fingerprints"
)

// Sentinel errors. Each says the way out; none ever holds a value, and none
// repeats a name that is not in the registry, because people type values where
// names belong.
var (
	ErrForbidden       = errors.New("not allowed: the actor lacks the scope")
	ErrNotInitialised  = errors.New("there is no registry here yet: run `revenant init`")
	ErrNoRing          = errors.New("this needs the key ring, and none is loaded: restore it with `revenant key restore`, or run `revenant init` for a new registry")
	ErrForeignRing     = errors.New("the store and the key ring do not belong together: point REVENANT_HOME at the folder that holds both, or restore the store's own ring with `revenant key restore`")
	ErrUnknownSecret   = errors.New("no such secret: `revenant secret list` shows the names")
	ErrUnknownVersion  = errors.New("no such version: `revenant secret show NAME` lists them")
	ErrUnknownFinding  = errors.New("no such finding: `revenant findings list` shows the ids")
	ErrUnknownSource   = errors.New("no such source: `revenant source list` shows them")
	ErrUnknownDelivery = errors.New("no such message: `revenant notify list` shows them, with `--state undelivered` those that were given up")
	ErrUnknownWatch    = errors.New("no such watch: `revenant watch list` shows them")
	ErrWatchExists     = errors.New("a watch of this name is there already: choose another name, or remove that one")
	ErrSourceExists    = errors.New("there is a source of this id; forget one of the two first")
	ErrUnknownAllow    = errors.New("no such allowed home: `revenant secret show NAME` lists them")
	ErrUnknownDecision = errors.New("no such decision: `revenant findings decisions` lists them")
	ErrNotDecidable    = errors.New("no decision holds for a registered value that has to be rotated: rotate it first, or accept single findings of it")
	ErrNoValueID       = errors.New("the value is too weak to be known again elsewhere: decide about its rule and path, or about this finding alone")
	ErrDecided         = errors.New("the status is by a decision: take that back")
	ErrAmbiguous       = errors.New("more than one finding has an id that begins so: give more of the id")
	ErrExists          = errors.New("a secret of this name exists already: use `revenant secret rotate` for a new value")
	ErrActiveExists    = errors.New("an active version is there already: use `revenant secret rotate`")
	ErrTransition      = errors.New("the version's state does not allow this")
	ErrNoSuccessor     = errors.New("no other version is active, so retiring this one leaves none: rotate first, or say --no-successor")
	ErrContainsOld     = errors.New("the new value contains an older value of the same secret, so every copy of it also counts as the older one: choose an unrelated value, or say --force")
	ErrReused          = errors.New("an older version of this secret had the same value: choose a new value, or say --force")
	ErrRollback        = errors.New("this is the value of a superseded version: `revenant secret activate NAME@N` rolls back to it")
	ErrEmptyValue      = errors.New("the value is empty")
	ErrValueTooLong    = errors.New("the value is too long to search for")
	ErrValueInName     = errors.New("the value stands in a name, a reason or another label: labels are stored in the clear, choose one without it")
	ErrNotRedacted     = errors.New("it is registered and searched for, but what is stored of where things were found was not searched for it")
	ErrTeams           = errors.New("this is about what all teams own, and the actor sees what some own: ask somebody who sees all")
	ErrUnknownPerson   = errors.New("no such person: `revenant person list` shows them")
	ErrPersonExists    = errors.New("another person has this name: `revenant person list` shows them")
	ErrDisabled        = errors.New("the person is disabled: `revenant person enable NAME` ends that")
	ErrNoRole          = errors.New("nobody gave the person a role yet: `revenant person role NAME ROLE` does")
	ErrNoSession       = errors.New("there is no such session, or it has ended: sign in again")
	ErrBadCode         = errors.New("the link or sign-in was used already, or its time is over")
	ErrBusy            = errors.New("too many sign-ins are under way: try again later")
	ErrInput           = errors.New("not valid")
	ErrOtherValue      = errors.New("the value at that place is not the finding's: scan the source again and adopt the new finding")
	ErrAdoptWeak       = errors.New("the finding's value is too weak to have an id, so it cannot be recognised: register it with `revenant secret add`")
	ErrRegistered      = errors.New("the finding's value is registered already: rotate or retire it, accept the finding until a date, or allow its place")
	ErrNotAllowable    = errors.New("no version of this secret may have an allowed home: all are retired, abandoned or compromised")
	ErrBadProof        = errors.New("the document is not a proof of this installation, or it was changed")
	ErrAuditBroken     = errors.New("the audit chain does not verify")
	ErrBadToken        = errors.New("the token is not valid, or not any more: `revenant token add` makes another")
	ErrTokenExists     = errors.New("a token of this name is there: revoke it first, or choose another name")
	ErrUnknownToken    = errors.New("no such token: `revenant token list` shows them")
	ErrScanOver        = errors.New("the scan was finished already")
)

// Sentinels are the errors above that people and programs branch on: whoever passes
// one on as a text finds it again by that.
func Sentinels() []error {
	return []error{
		ErrForbidden, ErrUnknownSecret, ErrUnknownVersion, ErrUnknownFinding, ErrUnknownSource, ErrUnknownDelivery, ErrUnknownWatch, ErrUnknownAllow,
		ErrUnknownDecision, ErrNotDecidable, ErrNoValueID, ErrDecided, ErrAmbiguous, ErrExists, ErrActiveExists, ErrNoSuccessor, ErrContainsOld,
		ErrReused, ErrRollback, ErrEmptyValue, ErrValueTooLong, ErrValueInName, ErrNotRedacted, ErrOtherValue, ErrAdoptWeak, ErrRegistered,
		ErrNotAllowable, ErrBadProof, ErrBadToken, ErrTokenExists, ErrUnknownToken, ErrScanOver, ErrForged, ErrSealed, ErrChanged, ErrUnderWay, ErrKeyUsed, ErrLookUpsOff, ErrLookUpsSpent, ErrUnknownPerson, ErrPersonExists, ErrDisabled, ErrWatchExists, ErrSourceExists,
	}
}

// InputError says which input is not valid, and what would do; it wraps its
// Kind: ErrInput, or an error that is more exact.
type InputError struct {
	Input string // as flags of the command line are called
	Want  string // what would do; empty: Kind says it
	Kind  error
}

func badInput(input, format string, args ...any) error {
	return &InputError{Input: input, Want: fmt.Sprintf(format, args...), Kind: ErrInput}
}

func (e *InputError) Error() string {
	if e.Want == "" {
		return fmt.Sprintf("%s: %v", e.Input, e.Kind)
	}
	return fmt.Sprintf("%s: %v: %s", e.Input, e.Kind, e.Want)
}

// Unwrap makes errors.Is(err, ErrInput) true.
func (e *InputError) Unwrap() error { return e.Kind }

// Way is the error without the input's name.
func (e *InputError) Way() error {
	if e.Want == "" {
		return e.Kind
	}
	return errors.New(e.Want)
}

// TransitionError says which state refused which command; it wraps
// ErrTransition.
type TransitionError struct {
	Ref     fingerprints.VersionRef
	State   fingerprints.State
	Command string
	Way     string // the way out
}

func (e *TransitionError) Error() string {
	return fmt.Sprintf("%s is %s and cannot be %s: %s", e.Ref, e.State, e.Command, e.Way)
}

// Unwrap makes errors.Is(err, ErrTransition) true.
func (e *TransitionError) Unwrap() error { return ErrTransition }
