package remedy

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"revenant/api/wire"
	"revenant/fingerprints"
)

// placeSteps are how the copy is taken away where it is.
func placeSteps(d wire.FindingDetail) []Step {
	kind, place, _ := strings.Cut(d.Source, ":")
	switch fingerprints.SourceKind(kind) {
	case fingerprints.KindGit:
		return gitSteps(d, place)
	case fingerprints.KindImage:
		return imageSteps(d, place)
	case fingerprints.KindCI:
		return logSteps(d, place)
	case fingerprints.KindKafka:
		return topicSteps(d, place)
	case fingerprints.KindDir:
		return dirSteps(d, place)
	case fingerprints.KindStdin, fingerprints.KindOther:
	}
	return []Step{{Title: "Take the copy away", Text: "What was piped in is not known to Revenant but by its name: take the value out of where it came from."}}
}

// outer is the file that a path leads to or into, and whether it leads into it.
func outer(path string) (file string, packed bool) {
	if i := strings.IndexByte(path, '!'); i > 0 {
		return path[:i], true
	}
	return path, false
}

// cloneURL is where a repository is cloned from, by its source's id.
func cloneURL(place string) string {
	if file, is := strings.CutPrefix(place, "file:"); is {
		return file
	}
	return "https://" + place + ".git"
}

func gitSteps(d wire.FindingDetail, place string) []Step {
	var out []Step
	file, _ := outer(d.Path)
	if d.Presence == fingerprints.PresenceTip && !strings.HasPrefix(d.Path, "@") {
		s := Step{Title: "Take it out of what is checked out", Text: "Take the value out of the file on every branch that has it, so that nobody commits it again."}
		if sayable(file) {
			s.Commands = []string{`"${EDITOR:-vi}" ./` + quoted(file), "git commit -m 'Take a value out' -- " + quoted(file)}
		}
		out = append(out, s)
	}
	remote := quoted(cloneURL(place))
	if !sayable(cloneURL(place)) {
		remote = "URL"
	}
	if d.Presence == fingerprints.PresenceUnreachable {
		out = append(out, Step{
			Title:    "Drop what no branch reaches",
			Text:     "No branch or tag has it: a stash, or what was amended, rebased or deleted. In the repository itself this drops all stashes and everything that can still be restored. A forge keeps such objects until it collects them: ask for that there.",
			Commands: []string{"git stash clear", "git reflog expire --expire=now --expire-unreachable=now --all", "git gc --prune=now"},
		})
		return out
	}
	return append(out, Step{
		Title: "Take it out of history",
		Text: "Every commit from the first that has the value on gets a new id: agree on it with everybody who has a clone, and have them clone anew. The value is typed, not pasted into a command. " +
			"Merge requests and caches of the forge keep old commits until it collects them (GitHub: ask its support; GitLab: Settings, Repository, cleanup).",
		Commands: []string{
			"git clone --mirror " + remote + " cleaned.git && cd cleaned.git",
			`read -rs VALUE && printf 'literal:%s==>REMOVED\n' "$VALUE" > ../replace.txt; unset VALUE`,
			"git filter-repo --replace-text ../replace.txt --replace-message ../replace.txt",
			"git push --mirror --force " + remote,
			"shred -u ../replace.txt",
		},
	})
}

func imageSteps(d wire.FindingDetail, place string) []Step {
	if strings.HasPrefix(place, "file:") || !sayable(place) {
		return []Step{{Title: "Make the image anew", Text: "Build it without the value (a build secret, not a file or an argument: what a later layer removes is still there), and remove the old file."}}
	}
	repo := quoted(place)
	list := each(d, func(s wire.SightingView) string {
		what := words(s.Locator)
		switch {
		case what["image"] != "":
			return "crane delete " + quoted(place+"@"+what["image"])
		case what["layer"] != "":
			return "for tag in $(crane ls " + repo + "); do crane manifest " + repo + `:"$tag" | grep -q ` + quoted(what["layer"]) + ` && crane delete ` + repo + `@"$(crane digest ` + repo + `:"$tag")"; done`
		}
		return ""
	})
	return []Step{
		{Title: "Build the image without it", Text: "A build secret (RUN --mount=type=secret) leaves nothing in a layer; what a later layer removes is still there. Push the new image, and have it deployed everywhere."},
		{
			Title:    "Delete the tags that have it",
			Text:     "This deletes the images, whoever runs them. Of an index it is the manifest of each platform that names the layer: crane manifest " + place + "@DIGEST shows it. The registry frees the layer when it next collects garbage.",
			Commands: list,
		},
	}
}

func logSteps(d wire.FindingDetail, place string) []Step {
	system, where, _ := strings.Cut(place, ":")
	host, project, _ := strings.Cut(where, "/")
	s := Step{Title: "Delete the logs", Text: "Find out first what printed the value, or the next run prints the next one. Deleting a log cannot be taken back."}
	if !sayable(where) {
		return []Step{s}
	}
	s.Commands = each(d, func(v wire.SightingView) string {
		at := words(v.Locator)
		run, job := at["run"], at["job"]
		switch {
		case system == "github" && number(run):
			server := ""
			if host != "github.com" {
				server = "--hostname " + quoted(host) + " "
			}
			return "gh api " + server + "--method DELETE " + quoted("repos/"+project+"/actions/runs/"+run+"/logs")
		case system == "gitlab" && number(job):
			return `curl --fail --request POST --header "PRIVATE-TOKEN: $GITLAB_TOKEN" ` + quoted("https://"+host+"/api/v4/projects/"+url.PathEscape(project)+"/jobs/"+job+"/erase")
		case system == "jenkins" && number(run):
			return `curl --fail --request POST --user "$JENKINS_USER:$JENKINS_TOKEN" ` + quoted("https://"+host+"/job/"+strings.ReplaceAll(project, "/", "/job/")+"/"+run+"/doDelete")
		}
		return ""
	})
	return []Step{s}
}

func topicSteps(d wire.FindingDetail, place string) []Step {
	_, topic, _ := strings.Cut(place, "/")
	s := Step{
		Title: "Delete the records",
		Text: "Kafka deletes records from the beginning of a partition up to an offset: everything before the copy goes with it. In a compacted topic write a tombstone (a record with the same key and no value) instead. " +
			"Find out first who writes the value there.",
	}
	last := map[int]int64{} // behind the last copy, by partition
	for _, v := range d.Sightings {
		at := words(v.Locator)
		offset, err := strconv.ParseInt(at["offset"], 10, 64)
		partition, err2 := strconv.Atoi(at["partition"])
		if err == nil && err2 == nil && v.Presence.Present() {
			last[partition] = max(last[partition], offset+1)
		}
	}
	if len(last) == 0 || !sayable(topic) {
		return []Step{s}
	}
	var list []string
	for _, partition := range slices.Sorted(maps.Keys(last)) {
		list = append(list, fmt.Sprintf(`{"topic":%s,"partition":%d,"offset":%d}`, strconv.Quote(topic), partition, last[partition]))
	}
	s.Commands = []string{
		"printf '%s' " + quoted(`{"version":1,"partitions":[`+strings.Join(list, ",")+`]}`) + " > delete.json",
		`kafka-delete-records.sh --bootstrap-server "$BROKER" --offset-json-file delete.json`,
	}
	return []Step{s}
}

func dirSteps(d wire.FindingDetail, place string) []Step {
	s := Step{Title: "Take it out of the file", Text: "Put the value where the program reads secrets from, and take it out here; a backup of the file has it too."}
	file, packed := outer(d.Path)
	if packed {
		s.Text = "It stands in an archive: make that anew without it, or remove it. A backup has it too."
	}
	whole := place
	if file != "" {
		whole = strings.TrimSuffix(place, "/") + "/" + file
	}
	if sayable(whole) && !strings.Contains(whole, "/@") {
		s.Commands = []string{`"${EDITOR:-vi}" -- ` + quoted(whole)}
		if packed {
			s.Commands = []string{"rm -i -- " + quoted(whole)}
		}
	}
	return []Step{s}
}

// number reports whether a text is digits and nothing else.
func number(text string) bool { return text != "" && strings.Trim(text, "0123456789") == "" }
