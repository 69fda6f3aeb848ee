package pipeline_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/ingest/pipeline"
	"revenant/ingest/report"
)

const zeros = "0000000000000000000000000000000000000000"

// TestLook has what each system documents of its environment.
func TestLook(t *testing.T) {
	commit := func(id string) pipeline.Base { return pipeline.Base{Commit: id} }
	branch := func(name string) pipeline.Base { return pipeline.Base{Branch: name} }
	for name, c := range map[string]struct {
		env   string // KEY=value ...
		event string
		want  pipeline.Build
	}{
		"none": {want: pipeline.Build{System: pipeline.Generic}},
		"github, pull request": {
			env:   "GITHUB_ACTIONS=true GITHUB_EVENT_PATH=event GITHUB_BASE_REF=main GITHUB_REF=refs/pull/7/merge GITHUB_STEP_SUMMARY=sum",
			event: `{"pull_request":{"base":{"sha":"b1","repo":{"full_name":"o/r"}},"head":{"sha":"h1","repo":{"full_name":"o/r"}}},"repository":{"default_branch":"main"}}`,
			want:  pipeline.Build{System: pipeline.GitHub, Bases: []pipeline.Base{commit("b1"), branch("main")}, Merged: true, Summary: "sum"},
		},
		"github, pull request of a fork": {
			env:   "GITHUB_ACTIONS=true GITHUB_EVENT_PATH=event GITHUB_REF=refs/pull/7/merge",
			event: `{"pull_request":{"base":{"sha":"b1","repo":{"full_name":"o/r"}},"head":{"sha":"h1","repo":{"full_name":"x/r"}}}}`,
			want:  pipeline.Build{System: pipeline.GitHub, Bases: []pipeline.Base{commit("b1")}, Merged: true, Fork: true},
		},
		"github, fork that was deleted": {
			env:   "GITHUB_ACTIONS=true GITHUB_EVENT_PATH=event GITHUB_REF=refs/pull/7/head",
			event: `{"pull_request":{"base":{"sha":"b1","repo":{"full_name":"o/r"}},"head":{"sha":"h1","repo":null}}}`,
			want:  pipeline.Build{System: pipeline.GitHub, Bases: []pipeline.Base{commit("b1")}, Fork: true},
		},
		"github, push": {
			env: "GITHUB_ACTIONS=true GITHUB_EVENT_PATH=event GITHUB_REF=refs/heads/main", event: `{"before":"b0","repository":{"default_branch":"main"}}`,
			want: pipeline.Build{System: pipeline.GitHub, Bases: []pipeline.Base{commit("b0")}},
		},
		"github, new branch": {
			env: "GITHUB_ACTIONS=true GITHUB_EVENT_PATH=event GITHUB_REF=refs/heads/topic", event: `{"before":"` + zeros + `","repository":{"default_branch":"main"}}`,
			want: pipeline.Build{System: pipeline.GitHub, Bases: []pipeline.Base{branch("main")}},
		},
		"github, merge queue": {
			env: "GITHUB_ACTIONS=true GITHUB_EVENT_PATH=event GITHUB_REF=refs/heads/gh-readonly-queue/main/pr-1", event: `{"merge_group":{"base_sha":"b2"},"repository":{"default_branch":"main"}}`,
			want: pipeline.Build{System: pipeline.GitHub, Bases: []pipeline.Base{commit("b2"), branch("main")}},
		},
		"github, schedule": {env: "GITHUB_ACTIONS=true GITHUB_REF=refs/heads/main", want: pipeline.Build{System: pipeline.GitHub}},
		"gitlab, merge request": {
			env:  "GITLAB_CI=true CI_MERGE_REQUEST_DIFF_BASE_SHA=b1 CI_MERGE_REQUEST_TARGET_BRANCH_NAME=main CI_COMMIT_BEFORE_SHA=" + zeros + " CI_DEFAULT_BRANCH=main CI_MERGE_REQUEST_SOURCE_PROJECT_ID=2 CI_MERGE_REQUEST_PROJECT_ID=1 CI_MERGE_REQUEST_EVENT_TYPE=merged_result",
			want: pipeline.Build{System: pipeline.GitLab, Bases: []pipeline.Base{commit("b1"), branch("main")}, Merged: true, Fork: true},
		},
		"gitlab, push": {
			env:  "GITLAB_CI=true CI_COMMIT_BEFORE_SHA=b0 CI_COMMIT_BRANCH=main CI_DEFAULT_BRANCH=main",
			want: pipeline.Build{System: pipeline.GitLab, Bases: []pipeline.Base{commit("b0")}},
		},
		"gitlab, new branch": {
			env:  "GITLAB_CI=true CI_COMMIT_BEFORE_SHA=" + zeros + " CI_COMMIT_BRANCH=topic CI_DEFAULT_BRANCH=trunk",
			want: pipeline.Build{System: pipeline.GitLab, Bases: []pipeline.Base{branch("trunk")}},
		},
		"jenkins, change": {
			env:  "JENKINS_URL=http://j/ CHANGE_TARGET=main GIT_PREVIOUS_COMMIT=b0",
			want: pipeline.Build{System: pipeline.Jenkins, Bases: []pipeline.Base{branch("main"), commit("b0")}, Merged: true},
		},
		"jenkins, branch": {
			env:  "JENKINS_URL=http://j/ GIT_PREVIOUS_SUCCESSFUL_COMMIT=b1 GIT_PREVIOUS_COMMIT=b0",
			want: pipeline.Build{System: pipeline.Jenkins, Bases: []pipeline.Base{commit("b1"), commit("b0")}},
		},
		"azure":      {env: "TF_BUILD=True SYSTEM_PULLREQUEST_TARGETBRANCH=refs/heads/main", want: pipeline.Build{System: pipeline.Azure, Bases: []pipeline.Base{branch("main")}, Merged: true}},
		"travis":     {env: "TRAVIS=true TRAVIS_COMMIT_RANGE=b0...h0", want: pipeline.Build{System: pipeline.Travis, Bases: []pipeline.Base{commit("b0")}}},
		"bitbucket":  {env: "BITBUCKET_BUILD_NUMBER=1 BITBUCKET_PR_DESTINATION_COMMIT=b0 BITBUCKET_PR_DESTINATION_BRANCH=main", want: pipeline.Build{System: pipeline.Bitbucket, Bases: []pipeline.Base{branch("main"), commit("b0")}, Merged: true}},
		"woodpecker": {env: "CI_PIPELINE_FORGE_URL=x CI_PREV_COMMIT_SHA=b0", want: pipeline.Build{System: pipeline.Drone, Bases: []pipeline.Base{commit("b0")}}},
	} {
		vars := map[string]string{}
		for kv := range strings.FieldsSeq(c.env) {
			k, v, _ := strings.Cut(kv, "=")
			vars[k] = v
		}
		got, err := pipeline.Look(func(k string) string { return vars[k] }, func(string) ([]byte, error) { return []byte(c.event), nil })
		if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
}

func TestLookBroken(t *testing.T) {
	env := func(k string) string {
		return map[string]string{"GITHUB_ACTIONS": "true", "GITHUB_EVENT_PATH": "event"}[k]
	}
	for name, read := range map[string]func(string) ([]byte, error){
		"missing": func(string) ([]byte, error) { return nil, fs.ErrNotExist },
		"no JSON": func(string) ([]byte, error) { return []byte("<html>"), nil },
	} {
		if _, err := pipeline.Look(env, read); !errors.Is(err, pipeline.ErrEvent) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAnnotate: nothing in a path can end a command or begin one.
func TestAnnotate(t *testing.T) {
	var places []report.Place
	add := func(path string, line int, severity fingerprints.Severity) {
		places = append(places, report.Place{Finding: wire.Finding{
			Path: path, Rule: "a-rule", Verdict: fingerprints.VerdictUnregistered, Severity: severity, Status: fingerprints.StatusOpen, Span: wire.Region{Line: line, Column: 3, EndLine: line},
		}})
	}
	add("a,b:c%\n::set-env name=X::y]z;", 4, fingerprints.SeverityHigh)
	add("low.txt", 2, fingerprints.SeverityLow)
	add("@commit-message", 1, fingerprints.SeverityHigh)
	add("no-line", 0, fingerprints.SeverityHigh)
	d := report.Data{Places: places}
	const say = "unregistered: a-rule. If it is a secret, rotate it and register the new value; if it is none, dismiss the finding."
	for system, want := range map[pipeline.System]string{
		pipeline.GitHub: "::error file=a%2Cb%3Ac%25%0A%3A%3Aset-env name=X%3A%3Ay]z;,line=4,endLine=4,title=Revenant%3A high::" + say + "\n" +
			"::warning file=low.txt,line=2,endLine=2,title=Revenant%3A low::" + say + "\n",
		pipeline.Azure: "##vso[task.logissue type=error;sourcepath=a,b:c%AZP25%0A::set-env name=X::y%5Dz%3B;linenumber=4;columnnumber=3]" + strings.ReplaceAll(say, ";", "%3B") + "\n" +
			"##vso[task.logissue type=warning;sourcepath=low.txt;linenumber=2;columnnumber=3]" + strings.ReplaceAll(say, ";", "%3B") + "\n",
		pipeline.GitLab: "",
	} {
		var b strings.Builder
		if err := pipeline.Annotate(&b, system, d); err != nil || b.String() != want {
			t.Errorf("%s: %v\ngot  %q\nwant %q", system, err, b.String(), want)
		}
	}
	for range 30 {
		add("many.txt", 9, fingerprints.SeverityHigh)
	}
	var b strings.Builder
	if err := pipeline.Annotate(&b, pipeline.GitHub, report.Data{Places: places}); err != nil || strings.Count(b.String(), "\n") != 10 {
		t.Errorf("%v, %d lines", err, strings.Count(b.String(), "\n"))
	}
}
