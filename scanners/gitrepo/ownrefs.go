package gitrepo

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unsafe"

	"revenant/scanners/gitrepo/objects"
)

// maxSymbolic is how many names a ref may lead through, as git has it.
const maxSymbolic = 5

// ownRefs reads the refs of a repository that keeps them in files, sorted by
// name as git lists them. It is false for whatever is out of the ordinary: git
// has the last word on what a ref is. size is that of the repository's ids.
func (r *repo) ownRefs(loose looseRefs, size int) ([]ref, bool) {
	// Linked work trees have refs of their own; other formats are git's matter.
	if r.refused || r.gitDir != r.common || !loose.whole {
		return nil, false
	}
	if _, err := os.Lstat(filepath.Join(r.common, "reftable")); !errors.Is(err, fs.ErrNotExist) {
		return nil, false
	}
	packed, ok := r.packedRefs(size)
	if !ok {
		return nil, false
	}
	own := make([]ref, 0, len(loose.list))
	var symbolic []looseRef
	for _, f := range loose.list {
		id, is := parseOID(f.line)
		switch {
		case !plainName(f.name):
			return nil, false
		case is && len(id.Bytes()) == size:
			own = append(own, newRef(f.name, id))
		case bytes.HasPrefix(f.line, []byte("ref: ")):
			symbolic = append(symbolic, f)
		default:
			return nil, false
		}
	}
	out := joined(packed, own)
	return followed(out, symbolic)
}

// packedRefs reads the file of packed refs. Lines that say what a tag is of are
// left out: they are not needed.
func (r *repo) packedRefs(size int) ([]ref, bool) {
	data, err := os.ReadFile(filepath.Join(r.common, "packed-refs"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, true
	}
	if err != nil {
		return nil, false
	}
	text := unsafe.String(unsafe.SliceData(data), len(data)) // names are parts of it: nobody changes data
	out := make([]ref, 0, strings.Count(text, "\n"))
	for first := true; len(text) > 0; first = false {
		line, rest, found := strings.Cut(text, "\n")
		if text = rest; !found {
			return nil, false
		}
		if first && strings.HasPrefix(line, "# pack-refs with:") || strings.HasPrefix(line, "^") && len(line) == 2*size+1 {
			continue
		}
		if len(line) < 2*size+1 || line[2*size] != ' ' {
			return nil, false
		}
		id, err := objects.ParseID(line[:2*size])
		name := line[2*size+1:]
		if err != nil || strings.Trim(line[:2*size], "0") == "" || !plainName(name) {
			return nil, false
		}
		out = append(out, newRef(name, id))
	}
	return out, true
}

// plainName reports whether git surely takes a name for that of a ref.
func plainName(name string) bool {
	if !strings.HasPrefix(name, "refs/") || strings.HasSuffix(name, "/") || strings.HasSuffix(name, ".") {
		return false
	}
	before := byte('/')
	for i := range len(name) {
		c := name[i]
		switch {
		case c <= ' ' || c == 0x7f, strings.IndexByte("~^:?*[\\", c) >= 0,
			c == '.' && (before == '.' || before == '/'), c == '/' && before == '/', c == '{' && before == '@':
			return false
		}
		before = c
	}
	return !strings.Contains(name+"/", ".lock/")
}

// joined are packed refs with those in files over them.
func joined(packed, own []ref) []ref {
	byName := func(a, b ref) int { return strings.Compare(a.name, b.name) }
	for _, list := range [][]ref{packed, own} {
		if !slices.IsSortedFunc(list, byName) {
			slices.SortStableFunc(list, byName)
		}
	}
	if len(own) == 0 {
		return packed
	}
	out := make([]ref, 0, len(packed)+len(own))
	for len(packed) > 0 && len(own) > 0 {
		switch d := byName(packed[0], own[0]); {
		case d < 0:
			out, packed = append(out, packed[0]), packed[1:]
		default:
			out, own = append(out, own[0]), own[1:]
			if d == 0 {
				packed = packed[1:]
			}
		}
	}
	return append(append(out, packed...), own...)
}

// followed adds symbolic refs with what they lead to; false where one leads
// nowhere.
func followed(refs []ref, symbolic []looseRef) ([]ref, bool) {
	if len(symbolic) == 0 {
		return refs, true
	}
	to := map[string]string{}
	for _, f := range symbolic {
		to[f.name] = string(bytes.TrimSpace(f.line[len("ref: "):]))
	}
	at := func(name string) (int, bool) {
		return slices.BinarySearchFunc(refs, name, func(f ref, name string) int { return strings.Compare(f.name, name) })
	}
	var more []ref
	for name := range to {
		next := to[name]
		for range maxSymbolic {
			if further, has := to[next]; has {
				next = further
			}
		}
		i, found := at(next)
		if _, symbolic := to[next]; symbolic || !found {
			return nil, false
		}
		more = append(more, newRef(name, refs[i].target))
	}
	return joined(refs, more), true
}
