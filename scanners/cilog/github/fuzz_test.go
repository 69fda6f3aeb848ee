package github_test

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"revenant/scanners/cilog"
	"revenant/scanners/cilog/github"
)

// Names in archives are what workflows call their jobs: anything.
func FuzzNames(f *testing.F) {
	for _, seed := range []string{"0_build.txt", "build/1_Set up job.txt", `a\b/2_.txt`, "build/system.txt", "-1_x.txt", "_.txt", "/.txt", "99999999999999999999_x.txt", "a/b/3_c.txt", " (1)", "x (1)"} {
		f.Add(seed, "build")
	}
	f.Fuzz(func(t *testing.T, name, job string) {
		of, step, known, label := github.Entry(name)
		if known == (of == "") || step < 0 || !known && step > 0 {
			t.Errorf("%q is of job %q, step %d", name, of, step)
		}
		_ = label
		cut := github.FileName(job)
		if len(utf16.Encode([]rune(cut))) > 90 || strings.ContainsAny(cut, `/\:`) || github.FileName(cut) != cut {
			t.Errorf("%q becomes %q", job, cut)
		}
		jobs, names := []string{job, of, job}, []string{cut, of, name}
		got := github.Match(jobs, slices.Compact(slices.Sorted(slices.Values(names))))
		used := map[int]bool{}
		for n, i := range got {
			if i < 0 || i >= len(jobs) || used[i] || !slices.Contains(names, n) {
				t.Errorf("%q is given job %d of %v", n, i, got)
			}
			used[i] = true
		}
		if _, has := got[cut]; !has {
			t.Errorf("%q is not found by its own name", cut)
		}
	})
}

// An archive is whatever a server sends. Nothing of it panics, is endless, or
// hides that something was not read.
func FuzzArchive(f *testing.F) {
	f.Add(zipped(f, file{"a/1_s.txt", "text"}, file{"0_a.txt", "text"}, file{"x", ""}))
	f.Add(zipped(f))
	f.Add([]byte("PK"))
	forge := newForge(f)
	forge.start(1, "main")
	forge.now = forge.now.Add(time.Hour)
	a := forge.logs(1, 1, []jobJSON{job(11, "a", "s")})
	forge.jobs[11] = "log of 11"
	run := cilog.Run{ID: "1", Attempt: 1}
	f.Fuzz(func(t *testing.T, archive []byte) {
		a.archive = archive
		o := forge.options()
		o.MaxArchive, o.MaxLog, o.MaxRun = 1<<16, 1<<16, 1<<17
		q, err := github.Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		logs, err := q.Logs(t.Context(), run)
		if err != nil {
			t.Fatal(err)
		}
		var n int
		for _, l := range logs {
			if l.Missing != nil {
				continue
			}
			got, err := text(t, q, run, l)
			n += len(got)
			if err == nil && l.Size >= 0 && int64(len(got)) != l.Size {
				t.Errorf("a log of %d bytes has %d", l.Size, len(got))
			}
		}
		if n > 1<<17+9 {
			t.Errorf("%d bytes read", n)
		}
		_ = q.Close()
	})
}
