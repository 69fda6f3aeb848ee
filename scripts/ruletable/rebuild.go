package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// rebuild writes the labelled files and one list of their labels.
func rebuild(metadata, part, clones, to string, out io.Writer) error {
	raw, err := os.ReadFile(filepath.Join(metadata, "snapshot.json"))
	if err != nil {
		return err
	}
	snapshot := map[string]string{} // a commit and padding, to the address
	if err := json.Unmarshal(raw, &snapshot); err != nil {
		return err
	}
	var ids []string
	for id := range snapshot {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	if ids, err = partOf(ids, part); err != nil {
		return err
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	list, err := os.Create(filepath.Join(to, "labels.csv"))
	if err != nil {
		return err
	}
	w := csv.NewWriter(list)
	had := 0
	for _, id := range ids {
		r := repository{name: strings.ReplaceAll(strings.TrimPrefix(snapshot[id], "https://github.com/"), "/", "+"), commit: id[:40], to: to}
		ok, err := r.take(clones, filepath.Join(metadata, "meta", metaName(id)), w)
		if err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		if ok {
			had++
		}
	}
	fmt.Fprintf(out, "%d of %d repositories were there at their commit\n", had, len(ids))
	w.Flush()
	return list.Close()
}

// partOf cuts a list into equal parts, and picks one: 3/4 is the third of four.
func partOf(ids []string, part string) ([]string, error) {
	var n, of int
	if _, err := fmt.Sscanf(part, "%d/%d", &n, &of); err != nil || n < 1 || n > of {
		return nil, fmt.Errorf("part %q is none such as 1/2 or 3/4", part)
	}
	border := func(n int) int { return (n*len(ids) + of - 1) / of }
	return ids[border(n-1):border(n)], nil
}

// metaName is the name of a repository's labels.
func metaName(id string) string {
	raw, err := hex.DecodeString(id)
	if err != nil {
		return "none"
	}
	return fmt.Sprintf("%08x.csv", crc32.ChecksumIEEE(raw))
}

// repository is one of CredData's.
type repository struct{ name, dir, commit, to string }

func (r *repository) git(args ...string) ([]byte, error) {
	return exec.Command("git", append([]string{"-C", r.dir}, args...)...).Output()
}

// take writes the labelled files that are there, and their labels.
func (r *repository) take(clones, meta string, w *csv.Writer) (bool, error) {
	var tree []byte
	for _, sub := range []string{"", "repo", "repo/.git"} {
		r.dir = filepath.Join(clones, r.name, sub)
		var err error
		if tree, err = r.git("ls-tree", "-r", "-z", "--name-only", r.commit); err == nil {
			break
		}
		tree = nil
	}
	if tree == nil {
		return false, nil // no clone, or it lacks the commit
	}
	paths := map[string]string{}
	for p := range bytes.SplitSeq(tree, []byte{0}) {
		sum := sha256.Sum256(p)
		paths[hex.EncodeToString(sum[:])[:8]] = string(p)
	}
	f, err := os.Open(meta)
	if err != nil {
		return false, err
	}
	defer func() { _ = f.Close() }()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) == 0 {
		return false, err
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	wrote := map[string]bool{}
	for _, row := range rows[1:] {
		p := paths[row[column["FileID"]]]
		if p == "" || !filepath.IsLocal(p) {
			continue
		}
		if wrote[p] = wrote[p] || r.write(p); !wrote[p] {
			continue
		}
		label := []string{r.name + "/" + p}
		for _, name := range []string{"LineStart", "LineEnd", "GroundTruth", "Category"} {
			label = append(label, row[column[name]])
		}
		if err := w.Write(label); err != nil {
			return false, err
		}
	}
	return true, nil
}

// write takes one file out; false: a snapshot may lack the largest.
func (r *repository) write(p string) bool {
	content, err := r.git("show", r.commit+":"+p)
	if err != nil {
		return false
	}
	file := filepath.Join(r.to, "files", r.name, filepath.FromSlash(p))
	return os.MkdirAll(filepath.Dir(file), 0o755) == nil && os.WriteFile(file, content, 0o644) == nil
}
