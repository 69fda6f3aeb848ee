// Package registry is every use case on a store: registering and issuing
// secrets, moving their versions through their life, recording what scans saw,
// triage, coverage, proofs and packs.
//
// It promises: every change goes through one gate that checks the actor's
// scopes, that store and key ring belong together, and writes the change, its
// audit entry and the new registry revision in one transaction, or nothing.
// Commands are idempotent: repeating one changes nothing and says so. A value
// given to it is searched for in stored provenance, and redacted there, before
// the call returns. The only values that leave it are those it generated
// itself, once, as fingerprints.Value.
//
// It refuses: to store, log or return a value or a part of one; to repeat in
// an error what a person typed where a name belongs; to guess what it cannot
// know ("clean" without coverage).
package registry
