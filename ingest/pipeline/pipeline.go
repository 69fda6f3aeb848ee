// Package pipeline knows what continuous integration systems say of a build in
// its environment: which change it is for, whether it may see secrets, and where
// people look for what a step has to say.
//
// It promises: only what the systems document is read, and nothing is asked over
// the network. It refuses to guess: what a system does not say stays empty.
package pipeline

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// System is a continuous integration system.
type System string

// The systems that are known. Generic is any other, or none.
const (
	Generic   System = "generic"
	GitHub    System = "github"
	GitLab    System = "gitlab"
	Jenkins   System = "jenkins"
	Azure     System = "azure"
	Bitbucket System = "bitbucket"
	Buildkite System = "buildkite"
	CircleCI  System = "circleci"
	Drone     System = "drone" // and Woodpecker
	Travis    System = "travis"
)

// Systems lists the systems.
func Systems() []System {
	return []System{Azure, Bitbucket, Buildkite, CircleCI, Drone, Generic, GitHub, GitLab, Jenkins, Travis}
}

// Build is one build.
type Build struct {
	System System
	// Bases are what the change starts from, as the system says: commits, or
	// branches of the remote, the best first. Empty: it does not say.
	Bases []Base
	// Merged says that HEAD may be a merge that the system made of the change and
	// its target: then what its first parent has is not part of the change.
	Merged bool
	// Fork says that the change comes from a place that may not see the project's
	// secrets.
	Fork bool
	// Summary is a file that takes Markdown for people to read; empty: none.
	Summary string
}

// Base is a commit by its id, or a branch of the remote by its name.
type Base struct{ Commit, Branch string }

// ErrEvent is wrapped when the description of what triggered a build cannot be
// read.
var ErrEvent = errors.New("the description of what triggered the build cannot be read")

// Look reads the environment. readFile reads the file that GitHub describes the
// event in.
func Look(env func(string) string, readFile func(string) ([]byte, error)) (Build, error) {
	switch {
	case env("GITHUB_ACTIONS") == "true":
		return lookGitHub(env, readFile)
	case env("GITLAB_CI") == "true":
		return lookGitLab(env), nil
	}
	for _, s := range simple() {
		if env(s.mark) != "" {
			return s.build(env), nil
		}
	}
	return Build{System: Generic}, nil
}

// plain is a system that says all in variables.
type plain struct {
	system   System
	mark     string   // set where it runs
	commits  []string // variables with what the change starts from
	branches []string // variables with the branch that it is for
	ranges   string   // variable with base...head
}

// simple lists them; those whose mark another system has too come last.
func simple() []plain {
	return []plain{
		{system: Azure, mark: "TF_BUILD", branches: []string{"SYSTEM_PULLREQUEST_TARGETBRANCH"}},
		{system: Bitbucket, mark: "BITBUCKET_BUILD_NUMBER", commits: []string{"BITBUCKET_PR_DESTINATION_COMMIT"}, branches: []string{"BITBUCKET_PR_DESTINATION_BRANCH"}},
		{system: Buildkite, mark: "BUILDKITE", branches: []string{"BUILDKITE_PULL_REQUEST_BASE_BRANCH"}},
		{system: CircleCI, mark: "CIRCLECI"},
		{system: Drone, mark: "DRONE", commits: []string{"DRONE_COMMIT_BEFORE"}, branches: []string{"DRONE_TARGET_BRANCH"}},
		{system: Drone, mark: "CI_PIPELINE_FORGE_URL", commits: []string{"CI_PREV_COMMIT_SHA"}, branches: []string{"CI_COMMIT_TARGET_BRANCH"}},
		{system: Travis, mark: "TRAVIS", branches: nil, ranges: "TRAVIS_COMMIT_RANGE"},
		{system: Jenkins, mark: "JENKINS_URL", branches: []string{"CHANGE_TARGET"}, commits: []string{"GIT_PREVIOUS_SUCCESSFUL_COMMIT", "GIT_PREVIOUS_COMMIT"}},
	}
}

// Variables lists what Look reads, sorted.
func Variables() []string {
	out := []string{
		"CI_COMMIT_BEFORE_SHA", "CI_COMMIT_BRANCH", "CI_DEFAULT_BRANCH", "CI_MERGE_REQUEST_DIFF_BASE_SHA", "CI_MERGE_REQUEST_EVENT_TYPE",
		"CI_MERGE_REQUEST_PROJECT_ID", "CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME",
		"GITHUB_ACTIONS", "GITHUB_BASE_REF", "GITHUB_EVENT_PATH", "GITHUB_REF", "GITHUB_STEP_SUMMARY", "GITLAB_CI",
	}
	for _, s := range simple() {
		out = append(append(append(out, s.mark), s.commits...), s.branches...)
		if s.ranges != "" {
			out = append(out, s.ranges)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (s plain) build(env func(string) string) Build {
	b := Build{System: s.system}
	// A branch that the change is for says more than what was built before it.
	for _, name := range s.branches {
		b.branch(env(name))
	}
	b.Merged = len(b.Bases) > 0
	for _, name := range s.commits {
		b.commit(env(name))
	}
	if s.ranges != "" {
		base, _, _ := strings.Cut(env(s.ranges), ".")
		b.commit(base)
	}
	return b
}

// commit adds a base, if there is one: zeros stand for none.
func (b *Build) commit(id string) {
	if strings.Trim(id, "0") != "" {
		b.add(Base{Commit: id})
	}
}

// branch adds the branch that a change is for.
func (b *Build) branch(name string) {
	name = strings.TrimPrefix(name, "refs/heads/")
	if name != "" {
		b.add(Base{Branch: name})
	}
}

func (b *Build) add(base Base) {
	if !slices.Contains(b.Bases, base) {
		b.Bases = append(b.Bases, base)
	}
}

// event is what GitHub says of what triggered a build; see the events' pages of
// its documentation.
type event struct {
	Before      string `json:"before"`
	PullRequest *struct {
		Base side `json:"base"`
		Head side `json:"head"`
	} `json:"pull_request"`
	MergeGroup *struct {
		BaseSHA string `json:"base_sha"`
	} `json:"merge_group"`
	Repository struct {
		DefaultBranch string `json:"default_branch"`
	} `json:"repository"`
}

type side struct {
	SHA  string `json:"sha"`
	Repo *struct {
		FullName string `json:"full_name"`
	} `json:"repo"`
}

func lookGitHub(env func(string) string, readFile func(string) ([]byte, error)) (Build, error) {
	b := Build{System: GitHub, Summary: env("GITHUB_STEP_SUMMARY")}
	var e event
	if name := env("GITHUB_EVENT_PATH"); name != "" {
		text, err := readFile(name)
		if err != nil {
			return b, fmt.Errorf("%w: GITHUB_EVENT_PATH", ErrEvent)
		}
		if json.Unmarshal(text, &e) != nil {
			return b, fmt.Errorf("%w: GITHUB_EVENT_PATH holds no JSON", ErrEvent)
		}
	}
	switch {
	case e.PullRequest != nil:
		b.commit(e.PullRequest.Base.SHA)
		b.Merged = strings.HasPrefix(env("GITHUB_REF"), "refs/pull/") && strings.HasSuffix(env("GITHUB_REF"), "/merge")
		b.Fork = fork(e.PullRequest.Base, e.PullRequest.Head)
	case e.MergeGroup != nil:
		b.commit(e.MergeGroup.BaseSHA)
	default:
		b.commit(e.Before)
	}
	b.branch(env("GITHUB_BASE_REF"))
	if own := "refs/heads/" + e.Repository.DefaultBranch; e.Repository.DefaultBranch != "" && env("GITHUB_REF") != own {
		b.branch(e.Repository.DefaultBranch)
	}
	return b, nil
}

// fork reports whether a pull request's sides are different repositories; one
// that was deleted meanwhile was a fork.
func fork(base, head side) bool {
	return base.Repo != nil && (head.Repo == nil || head.Repo.FullName != base.Repo.FullName)
}

func lookGitLab(env func(string) string) Build {
	b := Build{System: GitLab}
	b.commit(env("CI_MERGE_REQUEST_DIFF_BASE_SHA"))
	b.branch(env("CI_MERGE_REQUEST_TARGET_BRANCH_NAME"))
	b.Merged = env("CI_MERGE_REQUEST_EVENT_TYPE") == "merged_result" || env("CI_MERGE_REQUEST_EVENT_TYPE") == "merge_train"
	b.commit(env("CI_COMMIT_BEFORE_SHA"))
	if own := env("CI_COMMIT_BRANCH"); own != env("CI_DEFAULT_BRANCH") {
		b.branch(env("CI_DEFAULT_BRANCH"))
	}
	from := env("CI_MERGE_REQUEST_SOURCE_PROJECT_ID")
	b.Fork = from != "" && from != env("CI_MERGE_REQUEST_PROJECT_ID")
	return b
}
