// Package web is what clients of HTTP APIs share: where redirects may lead, and
// what headers of answers say.
//
// It promises: whoever redirects cannot make this machine ask itself, its link's
// neighbours or the services of its cloud; a header of whatever text is read to a
// bounded value. It refuses to send anything by itself.
package web

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"
)

// ErrGuarded is returned by a connection that a redirect may not lead to.
var ErrGuarded = errors.New("an address that redirects may not lead to")

// Places that a redirect must not reach: they answer whoever asks from here.
type place int

const (
	anywhere place = iota
	loopback
	linkLocal
	metadata
)

// Guard knows where a server is, and where its redirects may lead. It is safe for
// concurrent use after NewGuard.
type Guard struct {
	addr string // the server's host:port, as it is dialled

	mu   sync.Mutex
	base place
}

// NewGuard returns the guard of the server at a URL.
func NewGuard(base *url.URL) *Guard {
	return &Guard{addr: dialled(base), base: named(base.Hostname())}
}

// dialled is the address that a transport dials for a URL, as transports write it.
func dialled(u *url.URL) string {
	return net.JoinHostPort(strings.ToLower(u.Hostname()), Port(u))
}

// Allows reports whether a redirect may name a host. A name is judged again when
// it is dialled, where Transport and Foreign are used.
func (g *Guard) Allows(host string) bool { return g.allows(named(host)) }

// allows reports whether a redirect may lead to a place: a server that is
// itself on this machine may name a storage beside it.
func (g *Guard) allows(p place) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return p == anywhere || p == g.base && p != metadata
}

// named is the place of a host as it is written; names are judged again when
// they are dialled, by the address that they have then.
func named(host string) place {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if a, err := netip.ParseAddr(host); err == nil {
		return where(a)
	}
	switch {
	case host == "localhost" || strings.HasSuffix(host, ".localhost"):
		return loopback
	case host == "metadata" || host == "metadata.google.internal" || host == "instance-data":
		return metadata
	case host != "" && strings.Trim(host, "0123456789abcdefx.") == "" && strings.ContainsAny(host[:1], "0123456789"):
		return numeric(host)
	}
	return anywhere
}

// numeric judges hosts like 2130706433 and 0x7f.1, which some resolvers take
// for addresses: none is one of a storage.
func numeric(host string) place {
	last := host[strings.LastIndexByte(host, '.')+1:]
	if last == "" || strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x") {
		return metadata
	}
	return anywhere
}

// where is an address's place.
func where(a netip.Addr) place {
	a = a.Unmap().WithZone("")
	if embedded, ok := translated(a); ok {
		a = embedded
	}
	switch a.String() {
	case "169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192":
		return metadata // of the clouds
	}
	switch {
	case a.IsLoopback(), a.IsUnspecified():
		return loopback
	case a.IsLinkLocalUnicast(), a.IsMulticast():
		return linkLocal
	}
	return anywhere
}

// translated is the IPv4 address inside one of NAT64's well-known prefix.
func translated(a netip.Addr) (netip.Addr, bool) {
	if !netip.MustParsePrefix("64:ff9b::/96").Contains(a) {
		return a, false
	}
	b := a.As16()
	return netip.AddrFrom4([4]byte(b[12:])), true
}

// Foreign marks requests of a context as ones to a URL that a redirect named.
func Foreign(ctx context.Context, to *url.URL) context.Context {
	return context.WithValue(ctx, foreignKey{}, dialled(to))
}

// foreignKey marks a request's context with the address that a redirect named.
type foreignKey struct{}

// Transport is Go's own, with a look at the address of each connection: a name
// that was harmless when it was looked up may not be when it is dialled. The
// caller may change it before it is used.
func (g *Guard) Transport() *http.Transport {
	t := &http.Transport{Proxy: http.ProxyFromEnvironment}
	if own, ok := http.DefaultTransport.(*http.Transport); ok {
		t = own.Clone()
	}
	t.MaxIdleConnsPerHost = 4
	t.DialContext = g.dial
	return t
}

func (g *Guard) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	d := net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}
	foreign, _ := ctx.Value(foreignKey{}).(string)
	if foreign == addr && addr != g.addr { // otherwise it is the server's, or a proxy's
		d.ControlContext = func(_ context.Context, _, address string, _ syscall.RawConn) error {
			return g.check(address)
		}
	}
	conn, err := d.DialContext(ctx, network, addr)
	if err == nil && addr == g.addr {
		g.learn(conn.RemoteAddr().String())
	}
	return conn, err
}

func (g *Guard) check(address string) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil || !g.allows(where(a.Addr())) {
		return ErrGuarded
	}
	return nil
}

// learn notes the place of the server, whose name may stand for this machine.
func (g *Guard) learn(address string) {
	if a, err := netip.ParseAddrPort(address); err == nil {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.base = where(a.Addr())
	}
}

// Port is a URL's, or that of its scheme.
func Port(u *url.URL) string {
	switch p := u.Port(); {
	case p != "":
		return p
	case u.Scheme == "http":
		return "80"
	}
	return "443"
}

// SameOrigin reports whether two URLs are of the same scheme, host and port.
func SameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && Port(a) == Port(b)
}
