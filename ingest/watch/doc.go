// Package watch keeps scanning: it makes jobs of the watches that are due, does
// them, and says when they are due again.
//
// What is due is looked up in the store, again and again; whoever wants a scan
// writes that there. So nothing is lost with a process, and any number of
// servers may tend the same store.
package watch
