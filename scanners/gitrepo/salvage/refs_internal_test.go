package salvage

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"revenant/scanners/gitrepo"
)

// FuzzRefs: whatever files say, what is written are plain names with ids, each once and
// in order.
func FuzzRefs(f *testing.F) {
	id := strings.Repeat("1a", 20)
	f.Add("refs/heads/main", id+"\n", "# pack-refs with: peeled fully-peeled sorted \n"+id+" refs/tags/v1\n^"+id+"\n", "ref: refs/heads/main\n")
	f.Add("refs/heads/../x", id, id+" refs/heads/a b\n"+id+" refs/heads/a\r\n", id)
	f.Add("worktrees/a/HEAD", strings.Repeat("b", 64), strings.Repeat("0", 40)+" refs/heads/zero\n", "ref: -x")
	f.Fuzz(func(t *testing.T, name, text, packed, head string) {
		r := newRefs()
		r.take("packed-refs", []byte(packed))
		r.take("HEAD", []byte(head))
		if kindOf(name) == kindRefs {
			r.take(name, []byte(text))
		}
		dir := t.TempDir()
		for _, size := range []int{shortIDs, longIDs} {
			if err := r.write(dir, size); err != nil {
				t.Fatal(err)
			}
			written, err := os.ReadFile(filepath.Join(dir, "packed-refs"))
			if err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(strings.TrimSuffix(string(written), "\n"), "\n")[1:]
			var names []string
			for _, line := range lines {
				id, name, _ := strings.Cut(line, " ")
				if _, is := idOf([]byte(id)); !is || len(id) != size || !gitrepo.PlainRef(name) {
					t.Errorf("wrote %q", line)
				}
				names = append(names, name)
			}
			if !slices.IsSorted(names) || len(slices.Compact(names)) != len(lines) {
				t.Errorf("wrote %q", names)
			}
			text, err := os.ReadFile(filepath.Join(dir, "HEAD"))
			if err != nil {
				t.Fatal(err)
			}
			line := strings.TrimSuffix(string(text), "\n")
			if to, is := strings.CutPrefix(line, "ref: "); is && !gitrepo.PlainRef(to) || !is && len(line) != size {
				t.Errorf("HEAD %q", line)
			}
		}
	})
}
