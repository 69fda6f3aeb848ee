package archives

import (
	"context"
	"strconv"
)

// Pages and what is drawn on them (ISO 32000-2, 7.7.3, 8.10, 12.5.5, 14.6, 14.9.4).
const (
	pdfParents = 32 // above a page
	// How many bytes it is worth to begin with a program, and with an annotation.
	pdfProgram    = 2 << 10
	pdfAnnotation = 64
	pdfInline     = 8 // fonts that are no objects are kept
)

// visitPages shows the pages, a content for each, and reports whether more can be read.
func (d *pdfDoc) visitPages(ctx context.Context) (goOn bool, err error) {
	for i, num := range d.order(ctx) {
		name := "page-" + strconv.Itoa(i+1)
		goOn, err := d.e.view(ctx, file{name: name, in: &d.read}, 0, func(yield func([]byte) bool) error {
			out := newOutbox(yield)
			p := &pdfPage{d: d, ctx: ctx, lines: &pdfLines{out: out}}
			err := p.whole(num)
			if e := out.flush(); err == nil {
				err = e
			}
			return err
		})
		if err != nil || !goOn {
			return false, err
		}
		if d.stopped(ctx) != nil {
			break
		}
	}
	return true, ctx.Err()
}

// order is the pages as they follow each other, and then those that no tree has.
func (d *pdfDoc) order(ctx context.Context) (pages []uint32) {
	seen := map[uint32]bool{}
	next := []pdfItem{d.get(d.look(d.root).v.get("Pages"))}
	take := func(num uint32) bool {
		if num == 0 || seen[num] {
			return false
		}
		seen[num] = true
		return true
	}
	for len(next) > 0 && d.stopped(ctx) == nil {
		v := next[len(next)-1]
		next = next[:len(next)-1]
		num := v.id()
		if num > 0 {
			if _, has := d.objects[num]; !has || !take(num) {
				continue
			}
			v = d.look(num).v
		}
		kids := d.get(v.get("Kids")).list
		if len(kids) == 0 && num > 0 && v.kind == pdfDict {
			pages = append(pages, num)
		}
		for i := len(kids) - 1; i >= 0 && len(next) < pdfMostObjects; i-- {
			if kids[i].id() > 0 {
				next = append(next, kids[i])
			}
		}
	}
	for _, num := range d.pages {
		if take(num) {
			pages = append(pages, num)
		}
	}
	return pages
}

// whole draws a page and what is fixed to it.
func (p *pdfPage) whole(num uint32) error {
	page := p.d.look(num).v
	p.reset(p.inherited(page))
	contents := page.get("Contents")
	list := []pdfItem{contents}
	if v := p.d.get(contents); v.kind == pdfArray {
		list = v.list
	}
	for _, v := range list {
		if err := p.draw(v.id()); err != nil {
			return err
		}
	}
	for _, v := range p.d.get(page.get("Annots")).list {
		if err := p.d.stopped(p.ctx); err != nil {
			return err
		}
		if err := p.annotation(p.d.get(v)); err != nil {
			return err
		}
	}
	if p.stands > 0 {
		p.lines.stand(p.stand)
	}
	p.lines.end()
	return nil
}

func (p *pdfPage) reset(resources pdfItem) {
	p.now = pdfState{matrix: pdfMatrix{a: 1, d: 1}, stretch: 1, size: 1}
	p.text, p.line = p.now.matrix, p.now.matrix
	p.saved, p.args, p.resources, p.using = nil, nil, resources, nil
}

// inherited is the resources of a page, or of what it is a part of.
func (p *pdfPage) inherited(page pdfItem) pdfItem {
	for range pdfParents {
		if v := p.d.get(page.get("Resources")); v.kind == pdfDict {
			return v
		}
		if page = p.d.get(page.get("Parent")); page.kind != pdfDict {
			break
		}
	}
	return pdfItem{}
}

// annotation draws how an annotation looks, in each of its states.
func (p *pdfPage) annotation(v pdfItem) error {
	resources := p.resources
	p.d.work -= pdfAnnotation
	for _, kind := range []string{"N", "R", "D"} {
		look := p.d.get(v.get("AP")).get(kind)
		list := []pdfItem{look}
		if states := p.d.get(look); p.d.look(look.id()).stream == 0 {
			list = states.list
		}
		p.d.work -= int64(len(list))
		for _, look := range list {
			p.lines.newline()
			p.reset(resources)
			if err := p.form(look.id()); err != nil {
				return err
			}
		}
	}
	return nil
}

// resource is what a name stands for.
func (p *pdfPage) resource(kind string, name []byte) pdfItem {
	all := p.d.get(p.resources.get(kind))
	p.d.work -= int64(len(all.list))
	return all.get(string(name))
}

// font is the font of the state. The state does not hold it: many that are saved
// may be large.
func (p *pdfPage) font() *pdfFont {
	v := p.now.font
	switch {
	case p.using != nil:
	case v.id() > 0:
		p.using = p.d.font(v)
	case v.kind == pdfDict && len(v.list) > 0:
		if p.using = p.inline[&v.list[0]]; p.using != nil {
			break
		}
		if p.inline == nil || len(p.inline) >= pdfInline {
			p.inline = map[*pdfItem]*pdfFont{}
		}
		p.using = p.d.font(v)
		p.inline[&v.list[0]] = p.using
	default:
		p.using = p.d.font(pdfItem{})
	}
	return p.using
}

// form draws a form, if it was not drawn yet: what is on every page is told once.
func (p *pdfPage) form(num uint32) error {
	o := p.d.look(num)
	if o.stream == 0 || o.v.get("Subtype").is("Image") || p.forms >= pdfForms {
		return nil
	}
	if _, has := p.d.streams[o.stream]; has {
		return nil
	}
	before := *p
	p.reset(before.resources)
	p.forms++
	p.now = before.now
	if m := p.d.get(o.v.get("Matrix")).list; len(m) == 6 {
		p.now.matrix = pdfMatrix{m[0].num, m[1].num, m[2].num, m[3].num, m[4].num, m[5].num}.by(p.now.matrix)
	}
	if v := p.d.get(o.v.get("Resources")); v.kind == pdfDict {
		p.resources = v
	}
	err := p.draw(num)
	p.now, p.saved, p.args, p.resources, p.using = before.now, before.saved, before.args, before.resources, nil
	p.text, p.line, p.forms = before.text, before.line, before.forms
	return err
}

// marked takes the marks around contents: a text may be said for what is drawn.
func (p *pdfPage) marked(op string) {
	if op == "EMC" {
		if p.stands == p.marks && p.stands > 0 {
			p.lines.stand(p.stand)
			p.stands = 0
		}
		p.marks = max(p.marks-1, 0)
		return
	}
	if op != "DP" {
		p.marks++
	}
	if len(p.args) == 0 || op == "BMC" {
		return
	}
	v := p.args[len(p.args)-1]
	if v.kind == pdfName {
		v = p.d.get(p.resource("Properties", v.text))
	}
	for i := 0; i+1 < len(v.list); i++ {
		text := v.list[i+1]
		switch {
		case text.kind != pdfString || v.list[i].is("Lang"):
		case v.list[i].is("ActualText") && op == "BDC" && p.stands == 0:
			p.stands, p.stand = p.marks, []byte(pdfTextString(text.text))
			p.lines.actual = true
		default:
			p.lines.aside([]byte(pdfTextString(text.text)))
		}
	}
}

// pdfDraws reports whether an operator draws something else than text.
func pdfDraws(op string) bool {
	switch op {
	case "w", "J", "j", "M", "d", "ri", "i", "gs", "m", "l", "c", "v", "y", "h", "re", "S", "s", "f", "F", "f*",
		"B", "B*", "b", "b*", "n", "W", "W*", "CS", "cs", "SC", "SCN", "sc", "scn", "G", "g", "RG", "rg", "K", "k",
		"sh", "MP", "BX", "EX", "d0", "d1", "EI", "":
		return true
	}
	return false
}
