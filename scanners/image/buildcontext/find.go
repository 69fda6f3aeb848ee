package buildcontext

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"revenant/scanners/files"
)

// sourceID names the context, and a Dockerfile of another name: two of them make
// two images.
func sourceID(abs, file string) string {
	id := "image:context:" + filepath.ToSlash(abs)
	if file == "" {
		return id
	}
	switch rel := relative(abs, file); rel {
	case dockerfileName, lowerName, containerfileName:
		return id
	default:
		return id + "?file=" + rel
	}
}

// relative is a file's path below the context, with .. where it lies outside.
func relative(abs, file string) string {
	rel, err := filepath.Rel(abs, file)
	if err != nil {
		return filepath.ToSlash(file)
	}
	return filepath.ToSlash(rel)
}

// outside reports whether a relative path leads out of the context.
func outside(rel string) bool {
	return rel == ".." || strings.HasPrefix(rel, "../") || filepath.IsAbs(filepath.FromSlash(rel))
}

// The names that builders look for.
const (
	dockerfileName    = "Dockerfile"
	lowerName         = "dockerfile"
	containerfileName = "Containerfile"
)

// find is the Dockerfile's absolute path; "" when none is named and none is there.
func (s *Source) find(abs, named string) (string, error) {
	if named != "" {
		file, err := filepath.Abs(named)
		if err == nil && !regular(file) && !filepath.IsAbs(named) && regular(filepath.Join(abs, named)) {
			file = filepath.Join(abs, named) // as podman and compose have it
		}
		if err != nil || !regular(file) {
			return "", ErrNoFile
		}
		if dir, err := filepath.EvalSymlinks(filepath.Dir(file)); err == nil {
			file = filepath.Join(dir, filepath.Base(file))
		}
		return file, nil
	}
	for _, name := range []string{dockerfileName, lowerName, containerfileName} {
		file := filepath.Join(abs, name)
		if !regular(file) {
			continue
		}
		if name != containerfileName && regular(filepath.Join(abs, containerfileName)) {
			s.notes = append(s.notes, "a Dockerfile and a Containerfile are there: the image is taken to be made by the Dockerfile; --file names the other")
		}
		return file, nil
	}
	s.notes = append(s.notes, "no Dockerfile is there, so any file may be copied: --file names one")
	return "", nil
}

func regular(file string) bool {
	info, err := os.Stat(file)
	return err == nil && info.Mode().IsRegular()
}

// document reads a small file; false when it cannot be, which the walk lists, or is
// longer.
func (s *Source) document(file string) ([]byte, bool) {
	if file == "" {
		return nil, false
	}
	rc, err := files.Open(file)
	if err != nil {
		return nil, false
	}
	defer rc.Close()
	b, err := io.ReadAll(io.LimitReader(rc, maxDockerfile+1))
	if err != nil || len(b) > maxDockerfile {
		s.notes = append(s.notes, "a Dockerfile or an ignore file is longer than 4 MiB or was changed meanwhile: it was searched, and what it says was not followed")
		return nil, false
	}
	return b, true
}

// resolve adds what copied links lead to: builders copy that.
func (s *Source) resolve(abs string) {
	for i := range s.plan.uses {
		u := &s.plan.uses[i]
		for _, g := range u.globs {
			if g == "" || strings.ContainsAny(g, wildcards) {
				continue
			}
			real, err := filepath.EvalSymlinks(filepath.Join(abs, filepath.FromSlash(g)))
			if err != nil {
				continue
			}
			if inner := relative(abs, real); inner != g && !outside(inner) {
				u.globs = append(u.globs, below(inner))
			}
		}
	}
}

// rules reads the ignore file: the one that belongs to the Dockerfile, else the
// context's. Podman's goes before docker's in podman, and docker does not read it:
// where both are there, only what both leave out is left out.
func (s *Source) rules(abs, file string) {
	if file != "" {
		s.always(abs, file)
		for _, end := range []string{".dockerignore", ".containerignore"} {
			if s.rulesOf(abs, file+end) {
				return
			}
		}
	}
	podman, docker := s.rulesOf(abs, filepath.Join(abs, ".containerignore")), s.rulesOf(abs, filepath.Join(abs, ".dockerignore"))
	switch {
	case podman && docker:
		s.notes = append(s.notes, "a .containerignore, which only podman reads, is beside a .dockerignore: a file is left out where both leave it out")
	case podman:
		s.notes = append(s.notes, "what .containerignore leaves out was not looked at: docker does not read that file, and sends it")
	}
}

// rulesOf takes an ignore file, if it is there.
func (s *Source) rulesOf(abs, file string) bool {
	if !regular(file) {
		return false
	}
	s.always(abs, file)
	if text, known := s.document(file); !known || !s.ignore.add(text) {
		s.notes = append(s.notes, "an ignore file cannot be read: nothing is left out by it")
	}
	return true
}

// always gives a file out itself where the walk does not.
func (s *Source) always(abs, file string) {
	e := extra{path: relative(abs, file), abs: file}
	e.outside = outside(e.path)
	if real, err := filepath.EvalSymlinks(file); err == nil && outside(relative(abs, real)) {
		e.outside = true
	}
	s.sent = append(s.sent, e)
}

// say tells what is worth a word.
func (s *Source) say() {
	if s.ignore.bad > 0 {
		s.notes = append(s.notes, counted(s.ignore.bad, "pattern of an ignore file is none: a build refuses it", "patterns of an ignore file are none: a build refuses them"))
	}
	if lines := s.plan.images; len(lines) > 0 {
		s.notes = append(s.notes, counted(len(lines), "image that the build begins with or takes from is", "images that the build begins with or takes from are")+
			" no part of the context, and not looked at: "+linesText(lines)+"; revenant image NAME scans one")
	}
	if n := s.plan.named; n > 0 {
		s.notes = append(s.notes, counted(n, "value of ARG or ENV is called like a secret", "values of ARG or ENV are called like secrets")+
			": such values stay in the image's configuration and history; RUN --mount=type=secret shows a secret to one step and keeps it nowhere")
	}
}

// shownLines is how many lines are told.
const shownLines = 10

func linesText(lines []int) string {
	var out []string
	for _, n := range lines[:min(len(lines), shownLines)] {
		out = append(out, strconv.Itoa(n))
	}
	if len(lines) > shownLines {
		out = append(out, "...")
	}
	if len(lines) == 1 {
		return "line " + out[0]
	}
	return "lines " + strings.Join(out, ", ")
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprint(n, " ", many)
}
