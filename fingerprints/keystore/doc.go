// Package keystore keeps an installation's keys in files.
//
// Layout below REVENANT_HOME, folders 0700 and files 0600:
//
//	keys/ring         the key ring: as keys.Ring marshals it, or that inside an
//	                  age file when a passphrase protects it
//	keys/audit-head   the newest audit record that this machine has seen
//
// A backup and a registrar's export are armoured age files, encrypted to a
// passphrase or to recipients. An edge key file is one line of text,
// "revenant-edge-key/1 " and base64, so that it also fits into a pipeline's
// secret variable; it may be wrapped in age as well.
//
// The package promises that a file is replaced whole or not at all and has
// reached the disk when a call returns, that a ring is only ever replaced by one
// that holds all of its keys, and that the audit record seen never goes back. It
// refuses files that others can read, and it never prints or logs a key.
package keystore

import "errors"

// What callers branch on; each says the way out.
var (
	ErrNoRing      = errors.New("there is no key ring here: bring it back with `revenant key restore FILE`, or make a new registry with `revenant init`")
	ErrPassphrase  = errors.New("the passphrase does not open it")
	ErrNeedsSecret = errors.New("it is protected by a passphrase: set REVENANT_RING_PASSPHRASE or give --passphrase-file")
	ErrIdentity    = errors.New("none of the identities opens it")
	ErrDamaged     = errors.New("it is damaged, or no key file of revenant: move it away and use a backup")
	ErrNewer       = errors.New("it was written by a newer version of revenant: upgrade this one")
	ErrPermissions = errors.New("others may read it: run `chmod 600` on the file and `chmod 700` on its folder")
	ErrOtherRing   = errors.New("another key ring is here already: move it away first, it may be the only copy")
	ErrOlderRing   = errors.New("the ring here has keys that this one lacks: replacing it would lose them")
	ErrNoProtector = errors.New("say how to protect it: --passphrase-file FILE or --recipient AGE-KEY")
)
