// Package jobs is the queue: what is to be done, by whom, in which order. It
// is River on the database of the store: tables beside it in PostgreSQL, a file
// of its own beside a store that is a file.
//
// The queue is no truth. A job names a watch and why it is scanned; whether
// that is due stands in the store. A queue that was lost is filled again from
// there, and a job that is done twice finds nothing new.
//
// At most one job of a watch waits or runs. One that is worth more than the one
// that waits takes its place. Jobs of people and pushes have slots of their own
// beside those for sweeps, so that a slow source starves nobody.
//
// A worker says in the store that it lives (registry.SeeWorker). Jobs of one
// that does not are given to others: see Rescue.
package jobs
