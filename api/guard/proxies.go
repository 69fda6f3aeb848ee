// Package guard stands before what a server answers: it finds out which address a
// request comes from, bounds how much each sender asks for, and keeps those away
// who fail to sign in again and again.
//
// It promises bounded memory, whatever is sent. It refuses to believe what a
// request says of its own way, unless a proxy says it that is trusted.
package guard

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Proxies are the networks whose word on where a request comes from is taken.
type Proxies []netip.Prefix

// ParseProxies reads networks as in 10.0.0.0/8, and single addresses.
func ParseProxies(list []string) (Proxies, error) {
	var out Proxies
	for _, text := range list {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			a, aerr := netip.ParseAddr(text)
			if aerr != nil {
				return nil, fmt.Errorf("a proxy is an address or a network, as in 10.0.0.0/8")
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		out = append(out, p.Masked())
	}
	return out, nil
}

func (p Proxies) has(a netip.Addr) bool {
	for _, n := range p {
		if n.Contains(a.Unmap()) || n.Contains(a) {
			return true
		}
	}
	return false
}

// maxHops bounds how many proxies of a chain are looked at.
const maxHops = 32

// Handler sets RemoteAddr, Host and URL.Scheme of requests that trusted proxies pass
// on to what these say, and takes their headers away, from all requests.
func (p Proxies) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = r.Clone(r.Context())
		peer, err := netip.ParseAddr(hostOf(r.RemoteAddr))
		r.URL.Scheme = "http"
		if r.TLS != nil {
			r.URL.Scheme = "https"
		}
		if err == nil && p.has(peer) {
			p.believe(r)
		}
		for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-Ip"} {
			r.Header.Del(name)
		}
		next.ServeHTTP(w, r)
	})
}

// believe takes over what a trusted proxy says. Of a chain the last address that is
// no trusted proxy counts: what stands before it may be made up.
func (p Proxies) believe(r *http.Request) {
	hops, proto, host := forwarded(r.Header)
	if len(hops) == 0 {
		hops = listed(r.Header.Values("X-Forwarded-For"))
		proto, host = last(r.Header.Values("X-Forwarded-Proto")), last(r.Header.Values("X-Forwarded-Host"))
	}
	for i := len(hops) - 1; i >= 0 && i >= len(hops)-maxHops; i-- {
		a, err := netip.ParseAddr(hostOf(hops[i]))
		if err != nil {
			break
		}
		r.RemoteAddr = net.JoinHostPort(a.Unmap().WithZone("").String(), "0")
		if !p.has(a) {
			break
		}
	}
	if proto = strings.ToLower(proto); proto == "http" || proto == "https" {
		r.URL.Scheme = proto
	}
	if host != "" && !strings.ContainsAny(host, " /\\@?#,\"") {
		r.Host = host
	}
}

// listed are the parts of headers that hold lists.
func listed(values []string) []string {
	var out []string
	for _, v := range values {
		for part := range strings.SplitSeq(v, ",") {
			if part = strings.TrimSpace(part); part != "" {
				out = append(out, part)
			}
		}
	}
	return out
}

func last(values []string) string {
	list := listed(values)
	if len(list) == 0 {
		return ""
	}
	return list[len(list)-1]
}

// forwarded reads RFC 7239: the addresses of a chain, and protocol and host of its
// last part, which the trusted proxy wrote.
func forwarded(h http.Header) (hops []string, proto, host string) {
	for _, part := range listed(h.Values("Forwarded")) {
		proto, host = "", ""
		for pair := range strings.SplitSeq(part, ";") {
			name, v, _ := strings.Cut(pair, "=")
			v = strings.Trim(strings.TrimSpace(v), `"`)
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "for":
				hops = append(hops, v)
			case "proto":
				proto = v
			case "host":
				host = v
			}
		}
	}
	return hops, proto, host
}

// hostOf is an address without its port and brackets.
func hostOf(text string) string {
	if host, _, err := net.SplitHostPort(text); err == nil {
		return host
	}
	return strings.Trim(text, "[]")
}

// Address is where a request comes from, without a port; as a text of its own where
// that is no address.
func Address(r *http.Request) string {
	a, err := netip.ParseAddr(hostOf(r.RemoteAddr))
	if err != nil {
		return "unknown"
	}
	return a.Unmap().WithZone("").String()
}

// network is what an address is counted by: one sender has a whole network of IPv6.
func network(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil || a.Is4() {
		return address
	}
	p, err := a.Prefix(64)
	if err != nil {
		return address
	}
	return p.String()
}
