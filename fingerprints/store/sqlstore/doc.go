// Package sqlstore keeps a registry in SQLite; it implements package store.
//
// It promises: an Update is on the disk when it returns nil (write-ahead log,
// full synchronisation), and a process killed at any moment leaves the state
// before or after it, nothing between. Processes share a file safely: writers
// wait for each other up to a time, readers never wait. What is overwritten or
// removed is zeroed in the file, and a rewriting of provenance also empties
// the log. The file is readable by its owner alone. Every error that a person
// can do something about wraps one of the store's sentinels and names the file
// and the way out.
//
// It refuses files that are no store, stores of a newer version, and creating
// one unless asked. It never repairs and never empties a file.
//
// Verdicts are one SQL expression (verdict.go), so that a version's state
// stands in one row, whatever the number of its findings.
//
// The SQL is the part that SQLite and PostgreSQL have in common; what belongs
// to SQLite alone is in open.go and errors.go.
package sqlstore
