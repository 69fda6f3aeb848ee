package rules

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"revenant/scanners/byteclass"
)

const (
	// effort is how many bytes the automata of one rule may read per byte of
	// text before package regexp reads it instead, in linear time.
	effort = 64
	// stretch is how much is prefiltered at once: what the second cache holds.
	stretch = 64 << 10
	// margin is more than a lead has bytes before it is folded.
	margin = 4 * maxLead
	// far is how many bytes gates read from a place: most have ruled out a match by then.
	far = 128
	// maxTables bounds the automata that are kept between two texts.
	maxTables = 16 << 20
	// trimWork is how much automata read before their tables are looked at.
	trimWork = 64 << 10
	// maxLayer bounds the memory for a decoded text that it keeps.
	maxLayer = 20 << 20
)

// finder finds all matches of all rules. Immutable, shared.
type finder struct {
	plans     []*plan
	regexps   []func() *regexp.Regexp // by plan, compiled when first needed
	branches  []*branch
	groups    []*group   // of branches that begin alike
	keywords  [][]string // by plan, in lower case
	whole     []int      // plans that read everything
	named     []int      // those that do where the path says so
	prefilter *prefilter
	patience  int
}

func newFinder(rules []*rule) *finder {
	f := &finder{patience: patience}
	var builder prefilterBuilder
	for i, r := range rules {
		f.keywords = append(f.keywords, r.keywords)
		if r.pattern == "" {
			f.plans = append(f.plans, nil)
			f.regexps = append(f.regexps, nil)
			continue
		}
		p := newPlan(i, r.definition)
		p.alone = r.table
		if r.placed {
			p.outline, p.branches = &outline{reason: "it is for some paths alone"}, nil
			f.named = append(f.named, i)
		}
		f.plans = append(f.plans, p)
		f.regexps = append(f.regexps, r.regexp)
		if p.reason != "" && !r.placed {
			f.whole = append(f.whole, i)
			f.announce(&builder, i)
		}
		f.branches = append(f.branches, p.branches...)
	}
	f.grouped(&builder)
	f.prefilter = builder.build()
	return f
}

// announce makes the prefilter tell of a plan's keywords, where it can see all
// of them. Its targets are below zero.
func (f *finder) announce(builder *prefilterBuilder, plan int) {
	var all []lead
	for _, k := range f.keywords[plan] {
		l, ok := keywordLead(k)
		if !ok {
			return
		}
		all = append(all, l)
	}
	if len(all) > 0 {
		f.plans[plan].announced = true
		f.plans[plan].dotted = slices.ContainsFunc(f.keywords[plan], hasI)
		builder.add(all, -1-plan)
	}
}

// scratch is what one search at a time needs; it is kept for the next.
type scratch struct {
	gates    []*automaton // by branch
	crews    []crew       // by group
	exact    []*automaton // by plan
	interval [][]interval // by plan: where matches may start
	spent    []int        // by plan: bytes read by automata
	touched  []int        // plans with intervals or spent effort
	work     int          // bytes read by automata and package regexp, of all texts
	last     []int        // by branch, then by group: the place suspected last
	lastNo   []no         // and what was said there
	lasts    []int        // those that have one
	remember [][2]vain    // by gram: where it was seen in vain last
	joiners  []*automaton // by branch
	crowds   [][]int      // by branch: places to be asked together
	crowded  []int        // branches that have some
	hinted   []bool       // by plan: a keyword seems to be there
	patterns map[*pattern]*automaton
	searches [2]search // of a layer and of the one below it, in turn
	turn     int
	trimmed  int // work at which tables were looked at
	path     pathAnswer
	tile     byteclass.Marks // of what is being decoded
	marked   []uint32        // of the stretch that is being prefiltered
	layers   [2][]byte       // memory of decoded texts, in turn
	hangs    *hanging        // what is found hangs on; nil: nobody asks
	judge    *judge          // knows the path; nil: nobody does

	// Memory that is used again: most texts are short and hold nothing.
	plansRoom []int
	judgeRoom judge
	layerRoom layer
}

func (f *finder) newScratch() *scratch {
	s := &scratch{
		gates:    make([]*automaton, len(f.branches)),
		exact:    make([]*automaton, len(f.plans)),
		interval: make([][]interval, len(f.plans)),
		spent:    make([]int, len(f.plans)),
		crews:    make([]crew, len(f.groups)),
		last:     make([]int, len(f.branches)+len(f.groups)),
		lastNo:   make([]no, len(f.branches)+len(f.groups)),
		remember: make([][2]vain, vainSlots),
		joiners:  make([]*automaton, len(f.branches)),
		crowds:   make([][]int, len(f.branches)),
		hinted:   make([]bool, len(f.plans)),
		patterns: map[*pattern]*automaton{},
	}
	for i := range s.last {
		s.last[i] = -1
	}
	return s
}

// trim drops tables that hostile text has swollen, and memory of long texts.
func (s *scratch) trim() {
	for i := range s.layers {
		if cap(s.layers[i]) > maxLayer {
			s.layers[i] = nil
		}
	}
	if s.work-s.trimmed < trimWork {
		return
	}
	s.trimmed = s.work
	var size int64
	for a := range s.automata() {
		size += a.size.Load()
	}
	if size > maxTables {
		for a := range s.automata() {
			a.reset()
		}
		clear(s.gates)
		clear(s.crews)
		clear(s.joiners)
		clear(s.exact)
		clear(s.patterns)
	}
}

// automata are all that were needed so far.
func (s *scratch) automata() iter.Seq[*automaton] {
	return func(yield func(*automaton) bool) {
		for _, list := range [][]*automaton{s.gates, s.joiners, s.exact, slices.Collect(maps.Values(s.patterns))} {
			for _, a := range list {
				if a != nil && !yield(a) {
					return
				}
			}
		}
		for i := range s.crews {
			if a := s.crews[i].gate; a != nil && !yield(a) {
				return
			}
		}
	}
}

// interval is the first and the last place where a match may start.
type interval struct{ first, last int }

// search is one text being searched.
type search struct {
	*finder
	*scratch
	text    string
	asked   []asked
	done    []matched
	keyword map[string]bool // whether the text has it; nil at first
}

// matched are all matches of a plan.
type matched struct {
	plan int
	at   [][2]int
}

// newSearch prefilters a text; it fails when ctx ends.
func (f *finder) newSearch(ctx context.Context, sc *scratch, text string) (*search, error) {
	s := f.blank(sc, text)
	clear(sc.hinted)
	err := s.prefilter(ctx, extent{0, len(text)})
	s.askTogether()
	return s, err
}

func (f *finder) blank(sc *scratch, text string) *search {
	for _, plan := range sc.touched {
		sc.interval[plan] = sc.interval[plan][:0]
		sc.spent[plan] = 0
	}
	sc.touched = sc.touched[:0]
	for _, target := range sc.lasts {
		sc.last[target] = -1
	}
	sc.lasts = sc.lasts[:0]
	for _, branch := range sc.crowded { // left when the context ended
		sc.crowds[branch] = sc.crowds[branch][:0]
	}
	sc.crowded = sc.crowded[:0]
	for i := range sc.crews {
		sc.crews[i].spent = 0
	}
	sc.turn = 1 - sc.turn
	s := &sc.searches[sc.turn]
	*s = search{finder: f, scratch: sc, text: text, asked: s.asked[:0], done: s.done[:0]}
	return s
}

// prefilter suspects what stands in a part of the text.
func (s *search) prefilter(ctx context.Context, part extent) error {
	for from := part.start; from < part.end; from += stretch {
		if err := ctx.Err(); err != nil {
			return err
		}
		to := min(from+stretch, part.end)
		start := max(0, from-margin)
		near := s.text[start:min(to+margin, len(s.text))]
		if f, differs := newFoldedText(near); differs {
			s.marked = s.finder.prefilter.grams.Append(s.marked[:0], f.bytes, len(f.bytes))
			s.finder.prefilter.suspects(f.bytes, 0, s.marked, nil, func(target, at int) no { return s.seen(target, start+f.original(at)) })
			continue
		}
		text := bytesOf(s.text)
		s.marked = s.finder.prefilter.grams.Append(s.marked[:0], text[from:], to-from)
		s.finder.prefilter.suspects(text, from, s.marked, s.remember, s.seen)
	}
	return nil
}

// seen takes what the prefilter tells of, and says what gates said.
func (s *search) seen(target, at int) no {
	switch {
	case target < 0:
		s.hinted[-1-target] = true
		return no{read: unsure}
	case s.last[target] == at:
		return s.lastNo[target]
	case s.barred(target):
		return no{read: unsure}
	}
	if s.last[target] < 0 {
		s.lasts = append(s.lasts, target)
	}
	n := s.suspect(target, at)
	s.last[target], s.lastNo[target] = at, n
	return n
}

// barred reports whether a branch is of a rule that the path rules out.
func (s *search) barred(target int) bool {
	if s.judge == nil || target >= len(s.branches) {
		return false
	}
	plan := s.branches[target].plan
	return s.plans[plan].placed && s.judge.barredByPath(s.judge.rules[plan])
}

// suspect asks a branch's gate about a place where its leads stand, now or
// together with others, or a group's. It says what seen does.
func (s *search) suspect(target, at int) no {
	if target >= len(s.branches) {
		return s.suspectGroup(target, at)
	}
	b := s.branches[target]
	if at > 0 && b.alien(s.text[at-1]) {
		return no{read: 0, alike: true}
	}
	s.touch(b.plan)
	if s.wait(target, at) {
		return no{read: unsure}
	}
	return s.askAlone(target, at)
}

// askAlone asks a branch's gate about one place, as long as the effort is
// bearable. It says what seen does.
func (s *search) askAlone(target, at int) no {
	b := s.branches[target]
	if s.spent[b.plan] < 0 {
		return no{read: unsure}
	}
	gate := s.gates[target]
	if gate == nil {
		m := b.machine()
		if m == nil {
			s.spent[b.plan] = -1
			return no{read: unsure}
		}
		gate = newAutomaton(m)
		s.gates[target] = gate
	}
	read, open := s.asks(gate, at)
	s.spend(b.plan, read+1)
	s.answer(target, at, read, open)
	if open {
		return no{read: unsure}
	}
	return no{read, gate.alike}
}

// asks reads with a gate from a place, not far: what it has not ruled out by then may
// match. Eased gates may go on to the end of the text and say yes there, at each place.
func (s *search) asks(gate *automaton, at int) (read int, open bool) {
	near := s.text[:runeFrom(s.text, at+far)]
	end, read := gate.match(near, at, sideBefore(s.text, at), true)
	return read, end >= 0 || at+read >= len(near) && len(near) < len(s.text)
}

// runeFrom is the first place from i on where a rune starts, or the text ends.
func runeFrom(text string, i int) int {
	for i < len(text) && !utf8.RuneStart(text[i]) {
		i++
	}
	return min(i, len(text))
}

// spend counts bytes that automata read for a plan; too many, and package
// regexp reads the text instead.
func (s *search) spend(plan, read int) {
	s.work += read
	if s.spent[plan] += read; s.over(s.spent[plan]) {
		s.spent[plan] = -1
	}
}

// answer takes what a gate said of a place.
func (s *search) answer(target, at, read int, open bool) {
	if open || read >= longRead {
		s.asked = append(s.asked, asked{target: target, at: at, read: read, open: open})
		s.hangs.on(at, at+read)
	} else if at+read >= len(s.text) { // it might have gone on
		s.hangs.on(at, at+read)
	}
	if open {
		s.admit(s.branches[target], at)
	}
}

// admit notes where the matches may start whose leads stand at a place.
func (s *search) admit(b *branch, at int) {
	first, last := b.starts(s.text, at)
	if first <= last {
		s.hangs.on(first, at)
		s.interval[b.plan] = append(s.interval[b.plan], interval{first, last})
	}
}

// touch notes a plan before its state changes.
func (s *search) touch(plan int) {
	if s.spent[plan] == 0 && len(s.interval[plan]) == 0 {
		s.touched = append(s.touched, plan)
	}
}

func (s *search) over(spent int) bool { return spent > effort*(len(s.text)+1024) }

// suspected are the plans that may match, in order.
func (s *search) suspected() []int {
	plans := s.plansRoom[:0]
	for _, plan := range s.whole {
		p := s.plans[plan]
		silent := p.announced && !s.hinted[plan] && !(p.dotted && strings.Contains(s.text, dottedI))
		if !silent && s.hasKeyword(plan) {
			plans = append(plans, plan)
		}
	}
	if s.judge != nil && !s.judge.any && len(s.named) > 0 && s.judge.named() {
		for _, plan := range s.named {
			if !s.judge.barredByPath(s.judge.rules[plan]) {
				plans = append(plans, plan)
			}
		}
	}
	for _, plan := range s.touched {
		if len(s.interval[plan]) > 0 || s.spent[plan] < 0 {
			plans = append(plans, plan)
		}
	}
	slices.Sort(plans)
	s.plansRoom = plans
	return slices.Compact(plans)
}

// matches are all matches of a plan, whether or not its keywords are there.
func (s *search) matches(plan int) [][2]int {
	for _, d := range s.done { // few have any
		if d.plan == plan {
			return d.at
		}
	}
	m, ok := s.fast(plan)
	if !ok {
		m = nil
		s.work += len(s.text)
		s.hangs.onAll()
		for _, at := range s.regexps[plan]().FindAllStringIndex(s.text, -1) {
			m = append(m, [2]int{at[0], at[1]})
		}
	}
	s.done = append(s.done, matched{plan, m})
	return m
}

// begins are where matches of a plan may begin as far as its gates know, in order: for a rule
// that looks at the text itself, and needs no more.
func (s *search) begins(plan int) (at []int) {
	if wide := func(in interval) bool { return in.first < in.last }; s.spent[plan] < 0 || s.plans[plan].reason != "" || slices.ContainsFunc(s.interval[plan], wide) {
		for _, m := range s.matches(plan) {
			at = append(at, m[0])
		}
		return at
	}
	for _, in := range s.interval[plan] {
		at = append(at, in.first)
	}
	slices.Sort(at)
	return at
}

// fast finds the matches among the intervals, leftmost first and not
// overlapping, as long as the effort is bearable.
func (s *search) fast(plan int) (all [][2]int, ok bool) {
	p := s.plans[plan]
	if s.spent[plan] < 0 || p.reason != "" && !s.opens(plan) {
		return nil, false
	}
	intervals := s.interval[plan]
	if len(intervals) == 0 {
		return nil, true
	}
	a := s.exact[plan]
	if a == nil {
		m := p.machine()
		if m == nil {
			return nil, false
		}
		a = newAutomaton(m)
		s.exact[plan] = a
	}
	slices.SortFunc(intervals, func(a, b interval) int {
		return cmp.Or(cmp.Compare(a.first, b.first), cmp.Compare(a.last, b.last))
	})
	spent, next := 0, 0
	for _, in := range intervals {
		for next = max(next, in.first); next <= in.last; {
			if !runeStart(s.text, next) {
				next++
				continue
			}
			end, read := a.match(s.text, next, sideBefore(s.text, next), false)
			s.work += read + 1
			s.hangs.on(next, next+read)
			if spent += read + 1; s.over(spent) {
				return nil, false
			}
			if end < 0 {
				next++
				continue
			}
			all = append(all, [2]int{next, end})
			next = end
		}
	}
	return all, true
}

// runeStart reports whether a rune, or a byte that is not UTF-8, starts at i.
func runeStart(text string, i int) bool {
	if i == len(text) || text[i]&0xc0 != 0x80 {
		return true
	}
	for back := 1; back < utf8.UTFMax && back <= i; back++ {
		if text[i-back]&0xc0 == 0x80 {
			continue
		}
		_, width := utf8.DecodeRuneInString(text[i-back:])
		return width <= back
	}
	return true
}
