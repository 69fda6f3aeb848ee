// Package objects reads git object stores without git: packs (index versions 1
// and 2, multi-pack index, offset and reference deltas), loose objects, and
// what a repository borrows from others (alternates), for SHA-1 and SHA-256.
//
// It promises: every object once, reachable or not; each base inflated once;
// contents checked by the checksums of the pack or by their ids; linear time and
// bounded memory, whatever a store says of itself; a damaged object is told by
// name and reason, ends nothing, and is looked for in every other copy and by
// the Fallback first.
//
// It refuses: to write; to follow references, or to say what is reachable; to
// count as read what was not checked.
//
// Formats: gitformat-pack, gitformat-index, gitrepository-layout of git's
// documentation; RFC 1950 and 1951.
package objects
