package salvage

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // for the length of git's ids
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"revenant/scanners/gitrepo"
	"revenant/scanners/gitrepo/objects"
)

// Bounds of what refs are read from.
const (
	largestText = 64 << 20 // a file
	largestRef  = 8 << 10  // a ref's own
	mostRefs    = 2_000_000
)

// refs is what files say of refs, as far as it is plain: ids under names that git
// surely takes. Those that lead to other refs are left out, but for HEAD: they name no
// commit that another does not name.
type refs struct {
	packed, own map[string]string // ids by name
	head        string            // a branch or an id
	shallow     []string
	bad         int // that say nothing a ref can
}

func newRefs() refs { return refs{packed: map[string]string{}, own: map[string]string{}} }

// take reads a file by its name in the git directory.
func (r *refs) take(name string, text []byte) {
	if len(text) > largestText {
		r.bad++
		return
	}
	switch {
	case name == "packed-refs":
		r.readPacked(text)
	case name == "shallow":
		r.shallow = nil
		for line := range bytes.Lines(text) {
			if id, is := idOf(line); is {
				r.shallow = append(r.shallow, id)
			}
		}
	case name == "HEAD":
		id, to, _ := refText(text)
		if r.head = id; gitrepo.PlainRef(to) {
			r.head = "ref: " + to
		}
	case strings.HasPrefix(name, "worktrees/"): // a linked work tree that is at no branch
		if id, _, _ := refText(text); id != "" {
			r.add(r.own, fmt.Sprintf("refs/remotes/worktrees/%d", len(r.own)), id)
		}
	case strings.HasSuffix(name, ".lock"):
	default:
		id, to, is := refText(text)
		if !is || !gitrepo.PlainRef(name) {
			r.bad++
		} else if to == "" {
			r.add(r.own, name, id)
		}
	}
}

func (r *refs) add(list map[string]string, name, id string) {
	if len(r.packed)+len(r.own) >= mostRefs {
		r.bad++
		return
	}
	list[name] = id
}

func (r *refs) readPacked(text []byte) {
	clear(r.packed)
	for line := range bytes.Lines(text) {
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 || line[0] == '#' || line[0] == '^' {
			continue
		}
		first, name, _ := bytes.Cut(line, []byte{' '})
		if id, is := idOf(first); is && gitrepo.PlainRef(string(name)) {
			r.add(r.packed, string(name), id)
		} else {
			r.bad++
		}
	}
}

// refText reads the file of a ref: an id, or the name of another.
func refText(text []byte) (id, to string, is bool) {
	line, _, _ := bytes.Cut(text[:min(len(text), largestRef)], []byte("\n"))
	if to, is := bytes.CutPrefix(line, []byte("ref:")); is {
		return "", string(bytes.TrimSpace(to)), true
	}
	id, is = idOf(line)
	return id, "", is
}

// idOf reads an id that is not that of nothing.
func idOf(text []byte) (string, bool) {
	id, err := objects.ParseID(string(bytes.TrimSpace(text)))
	if err != nil || strings.Trim(id.String(), "0") == "" {
		return "", false
	}
	return id.String(), true
}

// Digits of ids.
const (
	shortIDs = 2 * sha1.Size
	longIDs  = 2 * sha256.Size
)

// sizes counts the ids of each size.
func (r *refs) sizes() (short, long int) {
	for _, list := range []map[string]string{r.packed, r.own, {"HEAD": r.head}} {
		for _, id := range list {
			switch _, is := idOf([]byte(id)); {
			case !is:
			case len(id) == longIDs:
				long++
			default:
				short++
			}
		}
	}
	return short, long
}

// write makes the files of a bare repository whose ids have so many digits.
func (r *refs) write(dir string, size int) error {
	config := "[core]\n\trepositoryformatversion = 0\n\tbare = true\n"
	if size == longIDs {
		config = "[core]\n\trepositoryformatversion = 1\n\tbare = true\n[extensions]\n\tobjectformat = sha256\n"
	}
	all := maps.Clone(r.packed)
	maps.Copy(all, r.own)
	packed := []byte("# pack-refs with: sorted \n")
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if len(all[name]) == size {
			packed = fmt.Appendf(packed, "%s %s\n", all[name], name)
		}
	}
	head := r.head
	if _, is := idOf([]byte(head)); head == "" || is && len(head) != size {
		head = "ref: refs/heads/main"
	}
	files := map[string]string{"HEAD": head + "\n", "config": config, "packed-refs": string(packed)}
	shallow := slices.DeleteFunc(slices.Clone(r.shallow), func(id string) bool { return len(id) != size })
	if len(shallow) > 0 {
		files["shallow"] = strings.Join(shallow, "\n") + "\n"
	}
	err := os.MkdirAll(filepath.Join(dir, "refs"), 0o700)
	for name, text := range files {
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600)
		}
	}
	if err != nil {
		return fmt.Errorf("putting a repository together: %w", err)
	}
	return nil
}
