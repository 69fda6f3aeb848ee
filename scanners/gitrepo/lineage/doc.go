// Package lineage tells from commits and trees alone which commit brought an
// object to a path, and what the trees of commits hold.
//
// All commits and trees are read once, in the order in which they are stored.
// Of each tree only what is asked for is kept, and which trees are below it.
// From that the outline of a tree is made: the tree without everything that
// nobody asked for. Trees with the same outline are one outline, so a commit
// that changed nothing of interest is told by comparing two numbers, and no
// tree is read a second time.
//
// A commit brought an object to a path when its tree has it there and no
// parent's has, as "git log --raw -c" has it. Several may have. The oldest is
// the one that comes first in an order in which no commit is before its
// parents, and which otherwise follows the committers' dates, and ids where
// these are the same. Refs do not matter to it, nor commits that are neither
// ancestors nor descendants.
//
// It promises: the cuts of a shallow history and grafts, as git has them, and
// no replaced objects; time that is linear in what is stored, plus what is
// found; memory by the number of commits and of folders in trees (about 30 and
// 8 bytes), and by what is found, which is bounded.
package lineage
