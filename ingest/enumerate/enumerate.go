// Package enumerate lists repositories that are not named one by one: those of an
// organisation or a user on GitHub, of a group with its subgroups on GitLab, of an
// organisation or a user on Gitea or Forgejo, and those in a list, which is a file
// or has a URL.
//
// It promises: the same order every time; a listing that did not come to its end
// says so, and is never taken for one of all that there is; nothing is taken for
// gone because a token expired; the token goes to the server that was named
// alone. It refuses: to read repositories, and to change anything.
package enumerate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"revenant/fingerprints"
	"revenant/scanners/cilog"
	"revenant/scanners/cilog/rest"
	"revenant/scanners/gitrepo"
)

// Kind says what is listed.
type Kind string

// Kinds of places.
const (
	GitHub Kind = "github" // an organisation or a user
	GitLab Kind = "gitlab" // a group with all that is below it, or a user
	Gitea  Kind = "gitea"  // an organisation or a user; Forgejo too
	List   Kind = "list"   // a file or a URL, a location a line
)

// Kinds are all of them.
func Kinds() []Kind { return []Kind{GitHub, GitLab, Gitea, List} }

// Place is what is listed.
type Place struct {
	Kind Kind
	// Server is where people go, as in https://git.example; empty: github.com or
	// gitlab.com. Gitea has none of its own.
	Server string
	// API is where GitHub's API answers, where that does not follow from Server.
	API string
	// Owner is the organisation, the user or the path of the group.
	Owner string
	// File or URL is where a list is, one of both.
	File, URL string
}

// Options say how it is listed, and what of it is wanted.
type Options struct {
	// Token fetches the token; nil: only what everybody may see is listed.
	Token func(context.Context) (fingerprints.Value, error)
	// Include and Exclude are globs (** for any depth) over names as in OWNER/REPO;
	// one without a slash is compared with the last part. Upper and lower case do
	// not matter. Without Include all are wanted.
	Include, Exclude []string
	// LeaveArchived, LeaveForks and LeaveEmpty leave out what is so.
	LeaveArchived, LeaveForks, LeaveEmpty bool
	// Wikis lists the wiki of each repository that has one switched on, as a
	// repository of its own. Whether anything was ever written there is not known.
	Wikis bool
	// Rest holds the client's clock, transport, patience and agent.
	Rest rest.Options
}

// Repository is one that was listed. Locations are what the server says: they may
// be on a host of any name.
type Repository struct {
	// Name is OWNER/REPO as the server spells it; of a list, the id without git:.
	Name string
	// SourceID is the repository's, as a source.
	SourceID string
	// HTTPS and SSH are where it is cloned from; of a list, HTTPS is what stands
	// there, which may be a path. Without credentials.
	HTTPS, SSH string
	// CI is the id of the project in the CI system beside it; empty: it has none
	// that is read, or it is switched off.
	CI string

	Archived, Fork, Empty, Wiki bool
}

// Reason is why a repository was left out.
type Reason string

// Reasons.
const (
	NotIncluded Reason = "not-included"
	Excluded    Reason = "excluded"
	IsArchived  Reason = "archived"
	IsFork      Reason = "fork"
	IsEmpty     Reason = "empty"
	NoCode      Reason = "no-code" // repositories are switched off in the project
)

// LeftOut is a repository that there is and that is not wanted.
type LeftOut struct {
	SourceID string
	Reason   Reason
}

// Listing is what was found.
type Listing struct {
	// Repositories are in the order of their ids, each once.
	Repositories []Repository
	// Left are those that are not wanted, in the same order.
	Left []LeftOut
	// Complete: the list came to its end. Otherwise there may be more.
	Complete bool
}

// Errors of List, and of Gone.
var (
	// ErrNoOwner: there is no such owner, or the token may not see it.
	ErrNoOwner = errors.New("no organisation, group or user is called so, or the token may not see it")
	// ErrPartial: the server, or the list, does not tell all.
	ErrPartial = errors.New("not all is listed")
	// ErrDoubt: nothing may be taken for gone.
	ErrDoubt = errors.New("this listing does not show what is gone")
)

// Repos lists a place. With an error the listing holds what was found until
// then, and is not complete: what it lacks may be there all the same.
func Repos(ctx context.Context, p Place, o Options) (Listing, error) {
	f, err := newFilter(o)
	if err != nil {
		return Listing{}, err
	}
	found := &found{seen: map[string]bool{}}
	switch p.Kind {
	case GitHub:
		err = listGitHub(ctx, p, o, found)
	case GitLab:
		err = listGitLab(ctx, p, o, found)
	case Gitea:
		err = listGitea(ctx, p, o, found)
	case List:
		err = readList(ctx, p, o, found)
	default:
		return Listing{}, errors.New("a place to list is github, gitlab, gitea or list")
	}
	if err == nil && found.odd > 0 {
		err = fmt.Errorf("%w: %d entries name no repository", ErrPartial, found.odd)
	}
	l := f.apply(found.list)
	l.Complete = err == nil
	return l, err
}

// Gone are the ids of an earlier listing that this one shows to be there no more:
// neither listed nor left out. A repository that is removed while a list is read
// page by page can hide another: call gone what two listings in a row lack.
// ErrDoubt: the listing is not complete, or lists nothing at all where there was
// something, which a token that lost its rights looks like.
func (l Listing) Gone(before []string) ([]string, error) {
	switch {
	case !l.Complete:
		return nil, fmt.Errorf("%w: it is not complete", ErrDoubt)
	case len(l.Repositories)+len(l.Left) == 0 && len(before) > 0:
		return nil, fmt.Errorf("%w: it is empty, where there was something before", ErrDoubt)
	}
	here := map[string]bool{}
	for _, r := range l.Repositories {
		here[r.SourceID] = true
	}
	for _, r := range l.Left {
		here[r.SourceID] = true
	}
	var out []string
	for _, id := range before {
		if !here[id] {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// entry is a repository as a server describes it.
type entry struct {
	Repository
	hasWiki bool
	noCode  bool
}

// found are the entries of a listing.
type found struct {
	list []entry
	seen map[string]bool // names, in lower case
	odd  int             // entries that are no repositories
}

// add takes an entry that was not met before.
func (f *found) add(e entry) {
	key := strings.ToLower(e.Name)
	switch {
	case f.seen[key]:
		return
	case e.noCode && e.HTTPS == "" && e.SSH == "":
		return // a project without a repository
	case e.Name == "" || !printable(e.Name) || !e.locate():
		f.odd++
		return
	}
	f.seen[key] = true
	f.list = append(f.list, e)
}

// locate sets the id by where it is cloned from.
func (e *entry) locate() bool {
	for _, at := range []string{e.HTTPS, e.SSH} {
		if at != "" && (!printable(at) || !cloneable(at) || strings.HasPrefix(at, "file:") || hasPassword(at)) {
			return false
		}
	}
	at := cmp.Or(e.HTTPS, e.SSH)
	e.SourceID = gitrepo.SourceID(at, e.Name)
	return at != ""
}

// cloneable reports whether an address is one of a repository elsewhere, and
// nothing that programs would take for a flag.
func cloneable(at string) bool {
	return gitrepo.IsURL(at) && !strings.HasPrefix(at, "-") && !strings.HasPrefix(gitrepo.SourceID(at, ""), "git:-")
}

// wiki is the repository of an entry's wiki.
func (e entry) wiki() (Repository, bool) {
	base, is := strings.CutSuffix(e.HTTPS, ".git")
	if !e.hasWiki || !is || e.noCode {
		return Repository{}, false
	}
	w := Repository{Name: e.Name + ".wiki", HTTPS: base + ".wiki.git", Archived: e.Archived, Fork: e.Fork, Wiki: true}
	if base, is := strings.CutSuffix(e.SSH, ".git"); is {
		w.SSH = base + ".wiki.git"
	}
	w.SourceID = gitrepo.SourceID(w.HTTPS, w.Name)
	return w, true
}

// maxName bounds what a server calls something.
const maxName = 4096

func printable(text string) bool {
	return len(text) <= maxName && utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}

// token fetches the token.
func (o Options) token(ctx context.Context) (string, error) {
	if o.Token == nil {
		return "", nil
	}
	v, err := o.Token(ctx)
	if err != nil {
		return "", fmt.Errorf("the token: %w", err)
	}
	if v.IsEmpty() {
		return "", errors.New("the token is empty")
	}
	return string(v.Reveal()), nil // to be sent to the server that it is for
}

// teach says what an error means here.
func teach(err error, needs string) error {
	switch {
	case errors.Is(err, rest.ErrNotFound):
		return fmt.Errorf("%w: %w", ErrNoOwner, err)
	case errors.Is(err, cilog.ErrDenied):
		return fmt.Errorf("%w; %s", err, needs)
	}
	return err
}
