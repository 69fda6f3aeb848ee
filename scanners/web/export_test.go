package web

import (
	"net/netip"
	"net/url"
)

// Leads reports whether a redirect from base, whose connection led to home, may
// be followed to an address.
func Leads(base, home, to string) (bool, error) {
	u, err := url.Parse(base)
	if err != nil {
		return false, err
	}
	g := NewGuard(u)
	if home != "" {
		g.learn(netip.MustParseAddrPort(home).String())
	}
	return g.check(to) == nil, nil
}
