// Package gitrepo reads all of a git repository: every unique blob once,
// whatever the number of commits, branches and paths that hold it; messages of
// commits, tags and notes; names of authors, branches, tags and files; what only
// stashes, reflogs or nothing reaches.
//
// How: objects are read from the store in its own order, not through history,
// and screened by the engine without a path. Only what may hold something is
// attributed: one walk through history tells by which commit and at which paths
// a blob came in, another through the trees of the tips where it still is. Then
// each such blob is given out once for each of its paths, and judged as any file
// at that path is.
//
// It promises: nothing is hidden by merges, because blobs are read and not
// differences; an object that cannot be read is a listed skip and never ends a
// scan; git is run without the repository's hooks, helpers and network, and
// writes nothing. It refuses: to check anything out.
package gitrepo
