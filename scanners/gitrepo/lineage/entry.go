package lineage

import (
	"bytes"
)

// Entry is a line of a tree. Its parts are those of the tree's own bytes.
type Entry struct {
	Mode, Name, ID []byte
}

// Tree reports whether it is a folder.
func (e Entry) Tree() bool { return string(e.Mode) == "40000" || string(e.Mode) == "040000" }

// Link reports whether it is a commit of another repository.
func (e Entry) Link() bool { return string(e.Mode) == "160000" }

// maxMode is how long a mode is at most.
const maxMode = 7

// Next reads the first entry of a tree whose ids have size bytes.
func Next(tree []byte, size int) (e Entry, rest []byte, ok bool) {
	space := bytes.IndexByte(tree[:min(len(tree), maxMode+1)], ' ')
	if space < 0 {
		return e, nil, false
	}
	after := tree[space+1:]
	end := bytes.IndexByte(after, 0)
	if end < 0 || len(after) < end+1+size {
		return e, nil, false
	}
	return Entry{tree[:space], after[:end], after[end+1 : end+1+size]}, after[end+1+size:], true
}

// commitHead is what matters of a commit here.
type commitHead struct {
	tree    []byte // in hexadecimal; nil: none
	parents [][]byte
	date    int64 // of the committer, seconds
}

// parseCommit reads the head of a commit into h, whose memory is used again.
func parseCommit(data []byte, h *commitHead) {
	h.tree, h.parents, h.date = nil, h.parents[:0], 0
	for len(data) > 0 && data[0] != '\n' {
		line := data
		if i := bytes.IndexByte(data, '\n'); i >= 0 {
			line, data = data[:i], data[i+1:]
		} else {
			data = nil
		}
		if v, is := bytes.CutPrefix(line, []byte("parent ")); is {
			h.parents = append(h.parents, v)
		} else if v, is := bytes.CutPrefix(line, []byte("tree ")); is {
			h.tree = v
		} else if v, is := bytes.CutPrefix(line, []byte("committer ")); is {
			h.date = seconds(v)
		}
	}
}

// seconds is the date behind a person; 0 where there is none.
func seconds(who []byte) (n int64) {
	at := bytes.LastIndexByte(who, '>')
	for i, c := range bytes.TrimLeft(who[at+1:], " ") {
		if c < '0' || c > '9' || i > 17 {
			break
		}
		n = n*10 + int64(c-'0')
	}
	return n
}
