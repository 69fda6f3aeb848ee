package query

import (
	"strconv"
	"time"
)

// String writes the query in its canonical form, which parses to the same query.
func (q Query) String() string {
	if q.root == nil {
		return ""
	}
	return string(q.root.appendTo(nil))
}

func (a And) appendTo(dst []byte) []byte {
	for i, n := range a {
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = appendInner(dst, n)
	}
	return dst
}

func (o Or) appendTo(dst []byte) []byte {
	for i, n := range o {
		if i > 0 {
			dst = append(dst, " OR "...)
		}
		dst = n.appendTo(dst)
	}
	return dst
}

// appendInner writes a part of what binds stronger than OR.
func appendInner(dst []byte, n Node) []byte {
	if or, is := n.(Or); is {
		return append(or.appendTo(append(dst, '(')), ')')
	}
	return n.appendTo(dst)
}

func (n Not) appendTo(dst []byte) []byte {
	dst = append(dst, '-')
	if and, is := n.Node.(And); is {
		return append(and.appendTo(append(dst, '(')), ')')
	}
	return appendInner(dst, n.Node)
}

func (t Text) appendTo(dst []byte) []byte {
	if t.Field != "" {
		dst = append(append(dst, t.Field...), ':')
	}
	return t.Typed.appendTo(dst, t.Field == "")
}

func (c In) appendTo(dst []byte) []byte {
	dst = append(append(dst, c.Field...), ':')
	for i, v := range c.Values {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = v.appendTo(dst, false)
	}
	return dst
}

const day = 24 * time.Hour

func (t Time) appendTo(dst []byte) []byte {
	dst = append(dst, t.Field...)
	if t.Less {
		dst = append(dst, '<')
	} else {
		dst = append(dst, '>')
	}
	switch {
	case !t.Day.IsZero():
		return t.Day.AppendFormat(dst, time.DateOnly)
	case t.Ago%day == 0:
		return append(strconv.AppendInt(dst, int64(t.Ago/day), 10), 'd')
	}
	return append(strconv.AppendInt(dst, int64(t.Ago/time.Hour), 10), 'h')
}
