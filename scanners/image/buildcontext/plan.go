package buildcontext

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/patternmatcher"
)

// part is a text that a build puts somewhere, as a content of its own.
type part struct {
	path, text string
	step       string // the instruction
	line       int
	kept       bool // by the image, else only by a stage that is no part of it
}

// use is an instruction that takes files of the context.
type use struct {
	globs   []string                       // below the context; "": all of it
	exclude *patternmatcher.PatternMatcher // below what a glob stands for; nil: nothing
	step    string
	line    int
	kept    bool
	mounted bool // for one step, and not copied
}

// plan is what a Dockerfile makes of its context.
type plan struct {
	parts  []part
	uses   []use
	remote []int // lines of what is taken from addresses
	named  int   // arguments and variables that are called like secrets
	images []int // lines that name an image first which is no stage: it is not looked at
}

// Arg is a build argument.
type Arg struct{ Name, Value string }

// stage is one of a Dockerfile's stages.
type stage struct {
	name     string
	base     int // the stage that it begins with; -1: an image
	env      map[string]string
	args     map[string]string
	triggers []instruction
	parts    []part
	uses     []use
}

// maxWork bounds what all variables of a Dockerfile grow to.
const maxWork = 16 << 20

// planner follows a Dockerfile's steps.
type planner struct {
	given  map[string]string // build arguments
	global map[string]string // what stands before the first stage
	stages []*stage
	plan   plan
	work   int

	triggered, uses int
	images          map[string]bool
}

// newPlan follows the steps, up to the stage that is built; "" is the last one.
func newPlan(list []instruction, given []Arg, target string) (plan, error) {
	p := &planner{given: map[string]string{}, global: map[string]string{}, images: map[string]bool{}}
	for _, a := range given {
		p.given[a.Name] = a.Value
	}
	for _, in := range list {
		p.step(in)
	}
	last := p.find(target)
	if target == "" {
		last = len(p.stages) - 1
	}
	if last < 0 && (target != "" || len(p.stages) > 0) {
		return plan{}, ErrNoTarget
	}
	kept := map[int]bool{}
	for at := last; at >= 0; at = p.stages[at].base {
		kept[at] = true
	}
	p.arguments(given, kept)
	for i, s := range p.stages {
		for _, part := range s.parts {
			part.kept = kept[i]
			p.plan.parts = append(p.plan.parts, part)
		}
		for _, u := range s.uses {
			u.kept = kept[i]
			p.plan.uses = append(p.plan.uses, u)
		}
	}
	return p.plan, nil
}

// arguments are the values given for a build. Those that the image's stages ask
// for stay in its history.
func (p *planner) arguments(given []Arg, kept map[int]bool) {
	for _, a := range given {
		asked := false
		for i := range kept {
			_, has := p.stages[i].args[a.Name]
			asked = asked || has
		}
		p.plan.parts = append(p.plan.parts, part{path: "@build-arg/" + a.Name, text: a.Name + "=" + a.Value, step: "--build-arg " + a.Name, kept: asked})
		if secretName(a.Name) && a.Value != "" {
			p.plan.named++
		}
	}
}

// find is the number of a stage by its name or number; -1: there is none.
func (p *planner) find(name string) int {
	for i := len(p.stages) - 1; i >= 0; i-- {
		if strings.EqualFold(p.stages[i].name, name) && name != "" {
			return i
		}
	}
	if n, err := strconv.Atoi(name); err == nil && n >= 0 && n < len(p.stages) {
		return n
	}
	return -1
}

// maxStep is how much of an instruction is told.
const maxStep = 200

// told is an instruction as people are told of it.
func (in *instruction) told() string {
	words := append([]string{in.name}, in.flags...)
	text := strings.Join(append(words, in.rest), " ")
	if in.trigger != nil {
		text = in.name + " " + in.trigger.told()
	}
	if len(text) > maxStep {
		text = strings.ToValidUTF8(text[:maxStep], "") + " ..."
	}
	return text
}

// step follows one instruction.
func (p *planner) step(in instruction) {
	if in.name == "FROM" {
		p.from(in)
		return
	}
	if len(p.stages) == 0 {
		if in.name == "ARG" {
			p.arg(&stage{env: p.global, args: map[string]string{}, base: -1}, in, true)
		}
		return
	}
	s := p.stages[len(p.stages)-1]
	switch in.name {
	case "ARG":
		p.arg(s, in, false)
	case "ENV":
		p.env(s, in)
	case "LABEL":
		for _, kv := range pairs(in.rest, in.escape) {
			name := unquoted(kv.name, in.escape)
			s.say(in, "@label/"+name, name+"="+p.text(s, in, kv.value))
		}
	case "CMD", "ENTRYPOINT", "SHELL":
		path := map[string]string{"CMD": "@command", "ENTRYPOINT": "@entrypoint", "SHELL": "@shell"}[in.name]
		s.say(in, path, in.command())
	case "HEALTHCHECK":
		s.say(in, "@healthcheck", strings.Join(in.flags, "\n")+"\n"+in.rest)
	case "MAINTAINER":
		s.say(in, "@author", in.rest)
	case "ONBUILD":
		s.say(in, "@onbuild", in.rest+texts(in.heredocs))
		if in.trigger.name != "FROM" && in.trigger.name != "ONBUILD" && in.trigger.name != "MAINTAINER" {
			t := *in.trigger
			t.line, t.heredocs = in.line, in.heredocs
			s.triggers = append(s.triggers, t)
		}
	case "COPY", "ADD":
		p.copies(s, in)
	case "RUN":
		p.run(s, in)
	default:
		s.say(in, historyPath, in.rest)
	}
}

// historyPath is where the steps stand that made an image.
const historyPath = "@history"

func texts(list []heredoc) string {
	var b strings.Builder
	for _, h := range list {
		b.WriteString("\n" + h.text)
	}
	return b.String()
}

// say notes a text that a stage keeps.
func (s *stage) say(in instruction, path, text string) {
	if strings.TrimSpace(text) != "" {
		s.parts = append(s.parts, part{path: path, text: text, step: in.told(), line: in.line})
	}
}

// command is an instruction's words, a line each, as images keep them.
func (in *instruction) command() string {
	if words, is := in.list(); is {
		return strings.Join(words, "\n")
	}
	return in.rest
}

// maxStages is more stages than any Dockerfile has.
const maxStages = 1000

// maxTriggered is more steps than triggers of stages make.
const maxTriggered = 10_000

// from begins a stage.
func (p *planner) from(in instruction) {
	if len(p.stages) == maxStages {
		return
	}
	words := strings.Fields(in.rest)
	s := &stage{base: -1, env: map[string]string{}, args: map[string]string{}}
	if len(words) > 0 {
		e := expansion{of: of(p.global, nil), room: maxExpanded, escape: in.escape}
		if name, fits := e.word(words[0]); fits {
			s.base = p.find(name)
			if _, err := strconv.Atoi(name); err == nil {
				s.base = -1 // numbers are for --from
			}
			if s.base < 0 {
				p.image(in, name)
			}
		}
	}
	if len(words) > 2 && strings.EqualFold(words[1], "as") {
		s.name = words[2]
	}
	p.stages = append(p.stages, s)
	if s.base < 0 {
		return
	}
	base := p.stages[s.base]
	if p.work += 64 * len(base.env); p.work <= maxWork {
		maps.Copy(s.env, base.env)
	}
	for _, t := range base.triggers {
		if p.triggered++; p.triggered <= maxTriggered {
			p.step(t)
		}
	}
}

// elsewhere notes what an instruction takes from, if that is an image.
func (p *planner) elsewhere(in instruction, from string) {
	e := expansion{of: of(p.global, nil), room: maxExpanded, escape: in.escape}
	if name, fits := e.word(from); fits && p.find(name) < 0 {
		p.image(in, name)
	}
}

// image notes that an instruction names an image.
func (p *planner) image(in instruction, name string) {
	if name == "" || name == "scratch" || p.images[name] || len(p.images) == maxStages {
		return
	}
	p.images[name] = true
	p.plan.images = append(p.plan.images, in.line)
}

// of looks a variable up: the environment goes before arguments.
func of(env, args map[string]string) lookup {
	return func(name string) (string, bool) {
		if v, set := env[name]; set {
			return v, true
		}
		v, set := args[name]
		return v, set
	}
}

// text puts the values of variables in. What is not known stays as it is written.
func (p *planner) text(s *stage, in instruction, word string) string {
	if p.work > maxWork {
		return word
	}
	e := expansion{of: of(s.env, s.args), keep: true, room: maxExpanded, escape: in.escape}
	out, fits := e.word(word)
	p.work += len(out)
	if !fits {
		return word
	}
	return out
}

// arg declares arguments. Those before the first stage count in a stage where it
// declares them anew.
func (p *planner) arg(s *stage, in instruction, global bool) {
	for rest := in.rest; rest != ""; {
		var word string
		word, rest = firstWord(rest, in.escape)
		name, raw, has := strings.Cut(word, "=")
		value, given := p.given[name]
		switch {
		case given:
		case has:
			value = p.text(s, in, raw)
		default:
			value, given = p.global[name]
		}
		if global {
			if has || given {
				p.global[name] = value
			}
			if has {
				p.plan.parts = append(p.plan.parts, part{path: "@build-arg/" + name, text: name + "=" + p.text(s, in, raw), step: in.told(), line: in.line})
			}
			continue
		}
		if has || given {
			s.args[name] = value
		} else {
			s.args[name] = ""
		}
		if has {
			text := p.text(s, in, raw)
			s.say(in, "@build-arg/"+name, name+"="+text)
			p.suspect(name, text)
		}
	}
}

func (p *planner) env(s *stage, in instruction) {
	list := pairs(in.rest, in.escape)
	values := make([]string, len(list))
	for i, kv := range list { // one instruction sees the environment before it
		values[i] = p.text(s, in, kv.value)
	}
	for i, kv := range list {
		name := unquoted(kv.name, in.escape)
		s.say(in, "@env/"+name, name+"="+values[i])
		s.env[name] = values[i]
		p.suspect(name, values[i])
	}
}

// reference is nothing, or another variable.
var reference = regexp.MustCompile(`^\s*(\$\{?\w+\}?\s*)?$`)

// suspect counts what is called like a secret and has a value.
func (p *planner) suspect(name, value string) {
	if secretName(name) && !reference.MatchString(value) {
		p.plan.named++
	}
}

// secretName reports whether a word of a name says that its value is a secret.
func secretName(name string) bool {
	return slices.ContainsFunc(strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r == '_' || r == '-' || r == '.' }), func(word string) bool {
		switch word {
		case "apikey", "auth", "credential", "credentials", "key", "passphrase", "passwd", "password", "pwd", "pw", "secret", "secrets", "token":
			return true
		}
		return false
	})
}

// copies notes what an instruction copies, and from where.
func (p *planner) copies(s *stage, in instruction) {
	s.say(in, historyPath, in.rest)
	for _, h := range in.heredocs {
		s.say(in, copyPath, h.text)
	}
	if from := in.flag("from"); len(from) > 0 { // another stage, or an image: not the context
		p.elsewhere(in, from[0])
		return
	}
	words, is := in.list()
	if !is {
		words = strings.FieldsFunc(in.rest, func(r rune) bool { return strings.ContainsRune(blanks, r) })
	}
	if len(words) < 2 {
		return
	}
	u := use{step: in.told(), line: in.line}
	if not := in.flag("exclude"); len(not) > 0 {
		u.exclude, _ = matcher(not)
	}
	for _, word := range words[:len(words)-1] {
		switch {
		case opening.MatchString(word):
		case in.name == "ADD" && address(word):
			p.plan.remote = append(p.plan.remote, in.line)
		default:
			u.globs = append(u.globs, p.glob(s, in, word))
		}
	}
	if len(u.globs) > 0 {
		p.use(s, u)
	}
}

// maxUses is more instructions that take files than any Dockerfile has.
const maxUses = 5000

// use notes an instruction that takes files. Of too many the last one is taken to
// take all: each file is compared with each.
func (p *planner) use(s *stage, u use) {
	if p.uses++; p.uses < maxUses {
		s.uses = append(s.uses, u)
	} else if p.uses == maxUses {
		s.uses = append(s.uses, use{globs: []string{""}, line: u.line})
	}
}

// unknownPlan is of a Dockerfile that is not known: anything may be copied.
func unknownPlan(given []Arg) plan {
	p := &planner{}
	p.arguments(given, nil)
	for i := range p.plan.parts {
		p.plan.parts[i].kept = true
	}
	p.plan.uses = []use{{globs: []string{""}, kept: true}}
	return p.plan
}

// copyPath is where texts stand that an instruction writes into a file.
const copyPath = "@copy"

// glob is a path below the context. A variable that is not known may be anything.
func (p *planner) glob(s *stage, in instruction, word string) string {
	e := expansion{of: of(s.env, s.args), unset: "*", room: maxExpanded, escape: in.escape}
	out, fits := e.word(word)
	if !fits || p.work > maxWork {
		return ""
	}
	p.work += len(out)
	return below(out)
}

// address reports whether ADD takes something from elsewhere: by http, or a
// repository.
func address(word string) bool {
	for _, scheme := range []string{"http://", "https://", "ftp://", "git://", "ssh://", "git@"} {
		if strings.HasPrefix(strings.ToLower(word), scheme) {
			return true
		}
	}
	return false
}

// run notes a step's text and what of the context it mounts.
func (p *planner) run(s *stage, in instruction) {
	text := in.command()
	if len(in.flags) > 0 {
		text = strings.Join(in.flags, " ") + "\n" + text
	}
	s.say(in, historyPath, text+texts(in.heredocs))
	for _, m := range in.flag("mount") {
		source, bind := "", true
		for _, option := range strings.Split(m, ",") {
			key, value, _ := strings.Cut(option, "=")
			switch strings.ToLower(key) {
			case "type":
				bind = bind && strings.EqualFold(value, "bind")
			case "from":
				bind = false
				p.elsewhere(in, value)
			case "source", "src":
				source = value
			}
		}
		if bind {
			p.use(s, use{globs: []string{p.glob(s, in, source)}, step: in.told(), line: in.line, mounted: true})
		}
	}
}
