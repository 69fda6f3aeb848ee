// Package fingerprints is the domain: the words that the rest of the code
// speaks. It holds the value type that cannot be printed, secrets and their
// versions, findings and sightings, and correlation as pure functions.
//
// It promises: no I/O, no clock, no logging, no package state. Everything that
// depends on time takes the time as an argument.
//
// It refuses: to hold plaintext in anything but Value, and to know how values
// are hashed (package keys), stored (package store) or searched for (package
// scanners).
package fingerprints
