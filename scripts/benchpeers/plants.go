package main

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
)

const (
	digits  = "0123456789"
	small   = "abcdefghijklmnopqrstuvwxyz"
	capital = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

// plant is a secret with the text that stands around it.
type plant struct {
	value string // as a report shows it
	text  string
}

// plants are what every corpus holds: the same in each.
type plants struct {
	generic    []plant
	registered []plant
	versions   []string // all registered values, the planted ones first
}

// perKind is how many secrets of each kind are planted, encoded how many of
// them again in base64.
const (
	perKind = 5
	encoded = 5
)

// newPlants makes secrets from a seed. None is anybody's.
func newPlants(versions int) plants {
	r := rand.New(rand.NewPCG(2026, 1))
	word := func(alphabet string, n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = alphabet[r.IntN(len(alphabet))]
		}
		return string(b)
	}
	letters := small + capital + digits
	kinds := []func() plant{
		func() plant { return plain("gh"+"p_"+word(letters, 36), "token %s used") },
		func() plant { return plain("AK"+"IA"+word(capital+"234567", 16), "aws_access_key_id = %s") },
		func() plant { return plain("gl"+"pat-"+word(letters, 20), "clone with %s") },
		func() plant {
			return plain("xo"+"xb-"+word(digits, 12)+"-"+word(digits, 12)+"-"+word(letters, 24), "bot %s joined")
		},
		func() plant { return plain("np"+"m_"+word(small+digits, 36), "registry auth %s ok") },
		func() plant { return plain("S"+"G."+word(letters+"_-", 66), "mailer %s ready") },
		func() plant { return plain(word(small+digits, 32), `api_key = "%s"`) },
	}
	var p plants
	for _, kind := range kinds {
		for range perKind {
			p.generic = append(p.generic, kind())
		}
	}
	for range encoded {
		inner := kinds[0]()
		p.generic = append(p.generic, plant{inner.value, "payload " + base64.StdEncoding.EncodeToString([]byte(inner.text)) + " sent"})
	}
	for range versions {
		p.versions = append(p.versions, word(letters, 32))
	}
	for i, v := range p.versions[:min(len(p.versions), 6*perKind)] {
		text := "session " + v + " opened"
		if i%3 == 2 {
			text = "blob " + base64.StdEncoding.EncodeToString([]byte("id="+v+";")) + " stored"
		}
		p.registered = append(p.registered, plant{v, text})
	}
	return p
}

func plain(value, format string) plant { return plant{value, fmt.Sprintf(format, value)} }

func (p plants) all() []plant { return append(append([]plant{}, p.generic...), p.registered...) }

// jsonl lists the registered values for an import.
func (p plants) jsonl() string {
	var b strings.Builder
	for i, v := range p.versions {
		fmt.Fprintf(&b, "{\"name\":\"bench/%06d\",\"value\":%q}\n", i, v)
	}
	return b.String()
}
