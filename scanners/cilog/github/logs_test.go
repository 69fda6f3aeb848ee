package github_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"revenant/scanners/cilog"
	"revenant/scanners/cilog/github"
)

// told is what a log says of itself and holds.
type told struct{ Path, Part, Text string }

// read lists a run's logs and reads each that can be read.
func read(t *testing.T, p *github.Project, r cilog.Run) (out []told, logs []cilog.Log) {
	t.Helper()
	logs, err := p.Logs(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range logs {
		got := told{Path: l.Path, Part: l.Part}
		if l.Missing != nil {
			got.Text = "missing"
		} else if got.Text, err = text(t, p, r, l); err != nil {
			got.Text += " error"
		}
		out = append(out, got)
	}
	return out, logs
}

// TestLogs has a row for each shape of archives.
func TestLogs(t *testing.T) {
	long := strings.Repeat("very long matrix ", 8) + "(ubuntu)"
	tests := map[string]struct {
		jobs  []jobJSON
		files []file
		want  []told
	}{
		"steps": {
			[]jobJSON{job(11, "build", "Set up job", "Run make")},
			[]file{{"0_build.txt", "onetwo"}, {"build/1_Set up job.txt", "one"}, {"build/2_Run make.txt", "two"}},
			[]told{{"build/Set up job", "job 11 step 1", "one"}, {"build/Run make", "job 11 step 2", "two"}},
		},
		"ten steps and more stand in order": {
			[]jobJSON{job(11, "b")},
			[]file{{"b/10_z.txt", "10"}, {"b/2_y.txt", "2"}, {"b/1_x.txt", "1"}},
			[]told{{"b/x", "job 11 step 1", "1"}, {"b/y", "job 11 step 2", "2"}, {"b/z", "job 11 step 10", "10"}},
		},
		"no steps, as in newer archives": {
			[]jobJSON{job(11, "build", "Set up job")},
			[]file{{"0_build.txt", "one"}, {"build/system.txt", "waiting"}},
			[]told{{"build/system", "job 11 system", "waiting"}, {"build", "job 11", "one"}},
		},
		"the whole job holds more than its steps": {
			[]jobJSON{job(11, "build", "Set up job")},
			[]file{{"0_build.txt", "one and more"}, {"build/1_Set up job.txt", "one"}},
			[]told{{"build", "job 11", "one and more"}, {"build/Set up job", "job 11 step 1", "one"}},
		},
		"a step that the API does not have": {
			[]jobJSON{job(11, "build")},
			[]file{{"build/7_Post Run x.txt", "post"}},
			[]told{{"build/Post Run x", "job 11 step 7", "post"}},
		},
		"names of steps as the API has them": {
			[]jobJSON{job(11, "build", "Run a/b: c")},
			[]file{{"build/1_Run ab c.txt", "one"}},
			[]told{{"build/Run a/b: c", "job 11 step 1", "one"}},
		},
		"jobs of a reusable workflow": {
			[]jobJSON{job(11, "call / build", "s"), job(12, "call / test: all", "s")},
			[]file{{"call  build/1_s.txt", "b"}, {"call  test all/1_s.txt", "t"}},
			[]told{{"call / build/s", "job 11 step 1", "b"}, {"call / test: all/s", "job 12 step 1", "t"}},
		},
		"slashes become something else": {
			[]jobJSON{job(11, "call / build", "s")},
			[]file{{"call _ build/1_s.txt", "b"}},
			[]told{{"call / build/s", "job 11 step 1", "b"}},
		},
		"matrix names that differ in a sign": {
			[]jobJSON{job(11, "test (1.2)", "s"), job(12, "test (12)", "s")},
			[]file{{"test (12)/1_s.txt", "b"}, {"test (1.2)/1_s.txt", "a"}},
			[]told{{"test (1.2)/s", "job 11 step 1", "a"}, {"test (12)/s", "job 12 step 1", "b"}},
		},
		"a long name is cut": {
			[]jobJSON{job(11, long, "s")},
			[]file{{long[:90] + "/1_s.txt", "a"}, {"0_" + long[:90] + ".txt", "a"}},
			[]told{{long + "/s", "job 11 step 1", "a"}},
		},
		"cut inside a pair of UTF-16": {
			[]jobJSON{job(11, strings.Repeat("x", 89)+"😅y", "s")},
			[]file{{strings.Repeat("x", 89) + "\uFFFD/1_s.txt", "a"}},
			[]told{{strings.Repeat("x", 89) + "😅y/s", "job 11 step 1", "a"}},
		},
		"equal names": {
			[]jobJSON{job(11, "build", "s"), job(12, "build", "s")},
			[]file{{"build (1)/1_s.txt", "b"}, {"build/1_s.txt", "a"}},
			[]told{{"build/s", "job 11 step 1", "a"}, {"build/s", "job 12 step 1", "b"}},
		},
		"a number of its own": {
			[]jobJSON{job(11, "build", "s"), job(12, "build (1)", "s")},
			[]file{{"build (1)/1_s.txt", "b"}, {"build/1_s.txt", "a"}},
			[]told{{"build/s", "job 11 step 1", "a"}, {"build (1)/s", "job 12 step 1", "b"}},
		},
		"what is of no job keeps its name": {
			[]jobJSON{job(11, "build", "s")},
			[]file{{"other/1_s.txt", "a"}, {"notes.md", "b"}, {"build/1_s.txt", "c"}, {"/x.txt", "d"}, {"../../etc/x", "e"}},
			[]told{{"build/s", "job 11 step 1", "c"}, {"../../etc/x", "file 1", "e"}, {"/x.txt", "file 2", "d"}, {"notes.md", "file 3", "b"}, {"other/1_s.txt", "file 4", "a"}},
		},
		"two files of one name": {
			[]jobJSON{job(11, "b", "s")},
			[]file{{"b/1_s.txt", "first"}, {"b/1_s.txt", "second"}},
			[]told{{"b/s", "job 11 step 1", "second"}, {"b/s", "job 11 step 1", "first"}},
		},
		"of an older service": {
			[]jobJSON{job(11, "b")},
			[]file{{"-2147483648_b.txt", "old"}, {"0_b.txt", "new"}},
			[]told{{"b", "job 11", "old"}, {"b", "job 11 log 2", "new"}},
		},
		"backslashes": {
			[]jobJSON{job(11, "b", "s")},
			[]file{{`b\1_s.txt`, "a"}},
			[]told{{"b/s", "job 11 step 1", "a"}},
		},
		"a job that the archive lacks": {
			[]jobJSON{job(11, "b", "s"), job(12, "c", "s")},
			[]file{{"b/1_s.txt", "a"}},
			[]told{{"b/s", "job 11 step 1", "a"}, {"c", "job 12", "log of 12"}},
		},
		"nothing at all": {nil, nil, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newForge(t)
			f.start(1, "main")
			f.now = f.now.Add(time.Hour)
			f.logs(1, 1, tt.jobs, tt.files...)
			f.jobs[12] = "log of 12"
			p := f.open(nil)
			runs, _ := all(t, p, cilog.Query{})
			f.counts()
			got, _ := read(t, p, runs[0])
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("logs (-want +got):\n%s", diff)
			}
			if n := f.counts(); n["logs"] != 1 || n["jobs"] != 1 {
				t.Errorf("requests %v", n)
			}
			if len(f.leaked) > 0 {
				t.Errorf("the storage was sent %q", f.leaked)
			}
		})
	}
}

func TestLinks(t *testing.T) {
	f := newForge(t)
	f.start(1, "main")
	good, bad := job(11, "b", "s"), job(12, "c")
	good.URL, bad.URL = f.api.URL+"/Octo-Org/Octo.Repo/runs/11", "https://elsewhere.example/x"
	f.logs(1, 1, []jobJSON{good, bad}, file{"b/1_s.txt", "a"}, file{"1_c.txt", "b"})
	p := f.open(nil)
	runs, _ := all(t, p, cilog.Query{})
	_, logs := read(t, p, runs[0])
	if l := logs[0]; l.URL != good.URL || l.LineURL != "#step:1:" || l.Size != 1 || !l.Began.Equal(good.Started) {
		t.Errorf("the step is %+v", l)
	}
	if l := logs[1]; l.URL != f.api.URL+"/Octo-Org/Octo.Repo/actions/runs/1/job/12" || l.LineURL != "" {
		t.Errorf("the job is %+v", l)
	}
}

// TestUnderWay: of a run that is going on the jobs that are over are read; what
// is not over is waited for; and its end shows it whole.
func TestUnderWay(t *testing.T) {
	f := newForge(t)
	r := f.start(1, "main")
	r.Status = "in_progress"
	over, still, skipped, waiting := job(11, "a", "s"), job(12, "b", "s"), job(13, "c"), job(14, "d")
	still.Status, still.Conclusion, still.Completed = "in_progress", nil, nil
	waiting.Status, waiting.Conclusion = "queued", nil
	no := "skipped"
	skipped.Conclusion = &no
	a := f.logs(1, 1, []jobJSON{over, still, skipped, waiting}, file{"a/1_s.txt", "A"}, file{"b/1_s.txt", "B"})
	a.status = http.StatusNotFound
	f.jobs[11] = "A"
	p := f.open(nil)
	runs, _ := all(t, p, cilog.Query{})
	f.counts()
	got, logs := read(t, p, runs[0])
	want := []told{{"a", "job 11", "A"}, {"b", "job 12", "missing"}, {"d", "job 14", "missing"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("under way (-want +got):\n%s", diff)
	}
	if logs[0].Going || !logs[1].Going || !strings.Contains(logs[1].Missing.Error(), "when it is over") {
		t.Errorf("logs %+v", logs)
	}
	if n := f.counts(); n["logs"] != 0 || n["jobs"] != 1 || n["job log"] != 1 {
		t.Errorf("requests %v", n)
	}
	// It ends while it is read: what was taken for going on is not at its end yet.
	r.Status, a.status = "completed", 0
	a.jobs[1], a.jobs[3] = job(12, "b", "s"), job(14, "d")
	a.jobs[3].Conclusion = &no
	if got, _ := read(t, p, runs[0]); len(got) != 2 || got[1].Part != "job 12" {
		t.Errorf("read as going on: %+v", got)
	}
	now, err := p.Look(t.Context(), runs[0])
	if err != nil {
		t.Fatal(err)
	}
	got, _ = read(t, p, now)
	if diff := cmp.Diff([]told{{"a/s", "job 11 step 1", "A"}, {"b/s", "job 12 step 1", "B"}}, got); diff != "" {
		t.Errorf("at its end (-want +got):\n%s", diff)
	}
}

// TestSettles: shortly after a job's end its log may not be there.
func TestSettles(t *testing.T) {
	f := newForge(t)
	f.start(1, "main")
	j := job(11, "a", "s")
	j.Completed = &f.now
	f.logs(1, 1, []jobJSON{j})
	p := f.open(nil)
	runs, _ := all(t, p, cilog.Query{})
	for _, going := range []bool{true, false} {
		logs, err := p.Logs(t.Context(), runs[0])
		if err != nil || len(logs) != 1 || logs[0].Going != going || logs[0].Missing != nil {
			t.Fatalf("going %t: %+v, %v", going, logs, err)
		}
		if _, err := text(t, p, runs[0], logs[0]); !errors.Is(err, cilog.ErrDeleted) {
			t.Errorf("a log that is not there: %v", err)
		}
		end := f.now
		f.attempts["1/1"].jobs[0].Completed = &end
		f.now = f.now.Add(20 * time.Minute)
	}
}

// An attempt lists jobs that it took over; they are read where they ran, but for
// what its own archive holds.
func TestInheritedJobs(t *testing.T) {
	f := newForge(t)
	f.start(1, "main").Attempt = 2
	f.now = f.now.Add(time.Hour)
	old, again, both := job(11, "a", "s"), job(12, "b", "s"), job(13, "c", "s")
	again.Attempt = 2
	a := f.logs(1, 2, []jobJSON{old, again, both}, file{"b/1_s.txt", "B"}, file{"c/1_s.txt", "C"})
	f.jobs[11], f.jobs[12], f.jobs[13] = "A", "B", "C"
	p := f.open(nil)
	runs, _ := all(t, p, cilog.Query{})
	got, _ := read(t, p, runs[0])
	if diff := cmp.Diff([]told{{"b/s", "job 12 step 1", "B"}, {"c/s", "job 13 step 1", "C"}}, got); diff != "" {
		t.Errorf("with an archive (-want +got):\n%s", diff)
	}
	a.status = http.StatusNotFound // then all that there is
	q := f.open(nil)
	if got, _ := read(t, q, runs[0]); len(got) != 3 {
		t.Errorf("without an archive %+v", got)
	}
}

// TestOpenLater: what was listed in an earlier process is opened by its key, and
// the archive is downloaded once for all logs of a run.
func TestOpenLater(t *testing.T) {
	f := newForge(t)
	for id := range int64(9) {
		f.start(id+1, "main")
		f.logs(id+1, 1, []jobJSON{job(11, "a", "s", "t")}, file{"a/1_s.txt", fmt.Sprint(id)}, file{"a/2_t.txt", "T"})
	}
	p := f.open(nil)
	runs, _ := all(t, p, cilog.Query{})
	logs, err := p.Logs(t.Context(), runs[0])
	if err != nil {
		t.Fatal(err)
	}
	q := f.open(nil)
	var wg sync.WaitGroup
	for range 4 {
		for _, r := range runs {
			for _, l := range logs {
				wg.Go(func() {
					if _, err := text(t, q, r, cilog.Log{Key: l.Key}); err != nil {
						t.Error(err)
					}
				})
			}
		}
	}
	wg.Wait()
	n := f.counts()
	if n["logs"] < 9 || n["logs"] > 40 || n["jobs"] != 0 {
		t.Errorf("requests %v", n)
	}
	for _, r := range runs[:6] { // the last that were used are kept
		for range 2 {
			if got, err := text(t, q, r, logs[1]); err != nil || got != "T" {
				t.Errorf("read %q, %v", got, err)
			}
		}
	}
	f.counts()
	for _, r := range runs[:6] {
		_, _ = text(t, q, r, logs[1])
	}
	if n := f.counts(); n["logs"] != 0 {
		t.Errorf("kept archives are asked for again: %v", n)
	}
	if _, err := text(t, q, runs[0], cilog.Log{Key: "zip:none"}); err == nil {
		t.Error("a log that the archive does not hold was opened")
	}
	if _, err := text(t, q, runs[0], cilog.Log{Key: "job:../x"}); !errors.Is(err, cilog.ErrDeleted) {
		t.Errorf("a key of no job: %v", err)
	}
	rc, err := q.Open(t.Context(), runs[0], logs[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Close(); err != nil {
		t.Error(err)
	}
	if got, err := io.ReadAll(rc); err != nil || string(got) != "8" {
		t.Errorf("a log that is open at the end: %q, %v", got, err)
	}
	_ = rc.Close()
	_ = rc.Close()
}

func TestOpenIsCancelled(t *testing.T) {
	f := newForge(t)
	f.start(1, "main")
	f.logs(1, 1, []jobJSON{job(11, "a", "s")}, file{"a/1_s.txt", "A"})
	p := f.open(nil)
	runs, _ := all(t, p, cilog.Query{})
	ctx, cancel := context.WithCancel(t.Context())
	var once sync.Once
	f.stored = func(_ http.ResponseWriter, r *http.Request) (first bool) {
		once.Do(func() {
			first = true
			cancel()
			<-r.Context().Done()
		})
		return first
	}
	if _, err := p.Logs(ctx, runs[0]); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if got, _ := read(t, p, runs[0]); len(got) != 1 || got[0].Text != "A" {
		t.Errorf("afterwards %+v", got)
	}
}

func TestKept(t *testing.T) {
	f := newForge(t)
	f.start(1, "main")
	a := f.logs(1, 1, []jobJSON{job(11, "a", "s")}, file{"a/1_s.txt", "A"})
	p := f.open(nil)
	runs, _ := all(t, p, cilog.Query{})
	_, logs := read(t, p, runs[0])
	f.counts()
	tests := []struct {
		name    string
		status  int
		logs    []cilog.Log
		deleted bool
		want    error
		asked   int
	}{
		{"kept", 0, logs, false, nil, 1},
		{"expired", 410, logs, false, cilog.ErrExpired, 1},
		{"logs deleted", 404, logs, false, cilog.ErrDeleted, 2},
		{"never had an archive", 404, []cilog.Log{{Key: "job:11"}}, false, nil, 3},
		{"denied", 403, logs, false, cilog.ErrDenied, 1},
		{"broken", 500, logs, false, cilog.ErrUnreachable, 5},
		{"run deleted", 404, logs, true, cilog.ErrDeleted, 2},
	}
	for _, tt := range tests {
		a.status = tt.status
		if tt.deleted {
			f.remove(1)
		}
		err := p.Kept(t.Context(), runs[0], tt.logs)
		if tt.want == nil && err != nil || !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
		n := 0
		for _, k := range f.counts() {
			n += k
		}
		if n != tt.asked {
			t.Errorf("%s: %d requests, want %d", tt.name, n, tt.asked)
		}
	}
}

// TestCost is what docs/sources.md says of 1,000 runs.
func TestCost(t *testing.T) {
	f := newForge(t)
	f.fill(1000)
	for _, r := range f.runs {
		f.logs(r.ID, 1, []jobJSON{job(r.ID*10, "a", "s")}, file{"a/1_s.txt", "A"})
	}
	p := f.open(nil)
	began := p.Counts().Requests
	runs, mark := all(t, p, cilog.Query{})
	for _, r := range runs {
		if got, _ := read(t, p, r); len(got) != 1 || got[0].Text != "A" {
			t.Fatal(got)
		}
	}
	if n := p.Counts(); n.Requests-began != 2011 || n.Away != 1000 || n.Retries != 0 {
		t.Errorf("a first scan costs %+v", n)
	}
	began = p.Counts().Requests
	all(t, p, cilog.Query{Mark: mark})
	if n := p.Counts(); n.Requests-began != 1 || n.NotModified != 1 {
		t.Errorf("a second scan costs %+v", n)
	}
}
