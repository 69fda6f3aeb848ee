package strength

// Costs of the description, in units.
const (
	costEnter = 8 * unit // a pattern that follows a literal byte
	never     = 1 << 60
	leastHex  = 20
)

// step is one way to go on in a description: bytes up to end, at a cost. from is
// where a copied step copies from; -1: it is no copy.
type step struct {
	end, cost, from int
}

// describe finds the cheapest description of a value.
func describe(raw []byte, hint Hint) Estimate {
	n := len(raw)
	price := literalPrices(raw, hint)
	// best[i][k] is the cost of the first i bytes when the last step was a
	// pattern (k = 0, also at the start) or a literal byte (k = 1).
	best := make([][2]int, n+1)
	back := make([][2]origin, n+1)
	for i := 1; i <= n; i++ {
		best[i] = [2]int{never, never}
	}
	best[0][1] = never
	if n >= leastHex && allHex(raw) {
		best[0] = [2]int{never, 0}
	}
	p := newPatterns(raw)
	var steps []step
	for i := range n {
		for k := range 2 {
			if c := best[i][k] + price[i]; c < best[i+1][1] {
				best[i+1][1] = c
				back[i+1][1] = origin{start: i, kind: k, from: -1, literal: true}
			}
		}
		kind, cost := 0, best[i][0]
		if c := best[i][1] + costEnter; c < cost {
			kind, cost = 1, c
		}
		steps = p.append(steps[:0], i)
		for _, s := range steps {
			if c := cost + s.cost; c < best[s.end][0] {
				best[s.end][0] = c
				back[s.end][0] = origin{start: i, kind: kind, from: s.from}
			}
		}
	}
	return trace(n, best, back)
}

// origin is how a position of the description was reached.
type origin struct {
	start, kind, from int
	literal           bool
}

// trace walks the cheapest description backwards and builds the estimate.
func trace(n int, best [][2]int, back [][2]origin) Estimate {
	type leg struct {
		origin
		end, cost int
	}
	var legs []leg
	kind := 0
	if best[n][1] < best[n][0] {
		kind = 1
	}
	for i := n; i > 0; {
		o := back[i][kind]
		legs = append(legs, leg{origin: o, end: i, cost: best[i][kind] - best[o.start][o.kind]})
		i, kind = o.start, o.kind
	}
	e := Estimate{length: n}
	for j := len(legs) - 1; j >= 0; j-- {
		l := legs[j]
		e.cover(l.start, l.end, l.cost)
		for b := l.start; b < l.end; b++ {
			root := int32(b)
			if l.from >= 0 {
				root = e.root[l.from+b-l.start]
			}
			e.root = append(e.root, root)
		}
	}
	return e
}

func allHex(raw []byte) bool {
	for _, c := range raw {
		if !hexDigit(c) {
			return false
		}
	}
	return true
}
