// Package sqlstore keeps a registry in a file of SQLite or in PostgreSQL; it
// implements package store.
//
// It promises: an Update is on the disk when it returns nil (SQLite: write-ahead
// log, full synchronisation; PostgreSQL: synchronous commit), and a process or
// server killed at any moment leaves the state before or after it, nothing
// between. Processes share a store safely: writers wait for each other up to a
// time, readers never wait. What is overwritten or removed is zeroed in SQLite's
// file, and a rewriting of provenance also empties the log; in PostgreSQL dead
// rows are vacuumed, which takes them from every reader but not every byte from
// the disk. A file is readable by its owner alone. Every error that a person can
// do something about wraps one of the store's sentinels and names the store, a
// URL without its password, and the way out.
//
// It refuses files and databases that are no store, stores of a newer version,
// and creating one unless asked. It never repairs and never empties a store.
//
// Verdicts are one SQL expression (verdict.go), so that a version's state
// stands in one row, whatever the number of its findings.
//
// The SQL is the part that SQLite and PostgreSQL have in common; what belongs to
// one alone is behind the interface in engine.go.
package sqlstore
