package rest

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

var (
	errGuarded = errors.New("an address that redirects may not lead to")
	errSlow    = errors.New("too slow")
)

// Places that a redirect must not reach: they answer whoever asks from here.
type place int

const (
	anywhere place = iota
	loopback
	linkLocal
	metadata
)

// guard knows where Base is, and where redirects may lead.
type guard struct {
	addr string // Base's host:port, as it is dialled

	mu   sync.Mutex
	base place
}

func (g *guard) home(base *url.URL) {
	g.addr = dialled(base)
	g.base = named(base.Hostname())
}

// dialled is the address that a transport dials for a URL, as transports write it.
func dialled(u *url.URL) string {
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port(u))
}

// allows reports whether a redirect may lead to a place: a server that is
// itself on this machine may name a storage beside it.
func (g *guard) allows(p place) bool {
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

// foreignKey marks a request's context with the address that a redirect named.
type foreignKey struct{}

// transport is Go's own, with a look at the address of each connection: a name
// that was harmless when it was looked up may not be when it is dialled.
func (g *guard) transport() http.RoundTripper {
	t := &http.Transport{Proxy: http.ProxyFromEnvironment}
	if own, ok := http.DefaultTransport.(*http.Transport); ok {
		t = own.Clone()
	}
	t.MaxIdleConnsPerHost = 4
	t.DialContext = g.dial
	return t
}

func (g *guard) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	d := net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}
	foreign, _ := ctx.Value(foreignKey{}).(string)
	if foreign == addr && addr != g.addr { // otherwise it is Base's, or a proxy's
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

func (g *guard) check(address string) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil || !g.allows(where(a.Addr())) {
		return errGuarded
	}
	return nil
}

// learn notes the place of Base, whose name may stand for this machine.
func (g *guard) learn(address string) {
	if a, err := netip.ParseAddrPort(address); err == nil {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.base = where(a.Addr())
	}
}
