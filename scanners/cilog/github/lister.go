package github

import (
	"cmp"
	"fmt"
	"strconv"
	"time"

	"revenant/scanners/cilog"
)

// lister puts together what there is of a run.
type lister struct {
	p     *Project
	run   cilog.Run
	now   time.Time
	logs  []cilog.Log
	bytes int64 // of the archive's files

	archive bool // there is one
}

// list lists each job's files, then those that are of no job.
func (l *lister) list(jobs []apiJob, entries []entry) {
	of := map[string][]entry{}
	var names []string
	for _, e := range entries {
		if e.what != other && of[e.job] == nil {
			names = append(names, e.job)
		}
		of[e.job] = append(of[e.job], e)
	}
	files := map[int][]entry{}
	for name, i := range match(jobs, names) {
		files[i] = of[name]
		delete(of, name)
	}
	for i, j := range jobs {
		switch {
		case len(files[i]) > 0:
			l.files(j, files[i])
		case j.mute(), l.archive && j.inherited(l.run):
		default:
			log := l.job(j, jobKey+strconv.FormatInt(j.ID, 10), -1)
			log.Going = l.now.Sub(j.Completed) < settles
			l.logs = append(l.logs, log)
		}
	}
	n := 0
	for _, name := range append([]string{""}, names...) {
		for _, e := range of[name] {
			n++
			l.add(e, cilog.Log{Key: e.key, Path: e.name, Part: "file " + strconv.Itoa(n), URL: l.run.URL, Began: l.run.Began})
		}
	}
}

// files lists a job's steps; the log of the whole job where it holds more than
// they do; and what was written before a runner took it.
func (l *lister) files(j apiJob, entries []entry) {
	var steps int64
	var wholes, found []entry
	for _, e := range entries {
		switch e.what {
		case whole:
			wholes = append(wholes, e)
		case step:
			steps += e.size
			found = append(found, e)
		case system:
			l.add(e, l.within(j, e.key, "system"))
		case other:
		}
	}
	for i, e := range wholes {
		if e.size <= steps {
			continue
		}
		log := l.job(j, e.key, e.size)
		if i > 0 {
			log.Part += " log " + strconv.Itoa(i+1)
		}
		l.add(e, log)
	}
	for _, e := range found {
		l.add(e, l.step(j, e))
	}
}

// add lists a file of the archive as far as the bounds allow.
func (l *lister) add(e entry, log cilog.Log) {
	log.Size = e.size
	if e.size > l.p.o.MaxLog || e.size > l.p.o.MaxRun-l.bytes {
		log.Missing = tooLong(e.size)
	} else {
		l.bytes += e.size
	}
	l.logs = append(l.logs, log)
}

// job is the log of a whole job.
func (l *lister) job(j apiJob, key string, size int64) cilog.Log {
	began := j.Started
	if began.IsZero() {
		began = l.run.Began
	}
	return cilog.Log{Key: key, Path: cmp.Or(j.Name, "job"), Part: fmt.Sprintf("job %d", j.ID), URL: l.p.jobURL(l.run, j), Began: began, Size: size}
}

// within is a log beside a job's steps.
func (l *lister) within(j apiJob, key, name string) cilog.Log {
	log := l.job(j, key, -1)
	log.Path, log.Part = log.Path+"/"+name, log.Part+" "+name
	return log
}

// step is the log of a step. GitHub's pages number the lines of each.
func (l *lister) step(j apiJob, e entry) cilog.Log {
	log, name := l.job(j, e.key, e.size), e.stepName()
	for _, s := range j.Steps {
		if s.Number != e.step {
			continue
		}
		name = cmp.Or(s.Name, name)
		if !s.Started.IsZero() {
			log.Began = s.Started
		}
	}
	log.Path += "/" + name
	log.Part += fmt.Sprintf(" step %d", e.step)
	log.LineURL = fmt.Sprintf("#step:%d:", e.step)
	return log
}
