// Package distribution is a read-only client of one container registry, as the
// OCI distribution specification describes it.
//
// It promises: credentials go to the registry that was named and to the token
// server that it names, and nowhere else, whatever redirects say; a redirect does
// not lead from https to http, nor into this machine or its network's own
// services; http is spoken to this machine only, unless it was asked for; what
// fails in passing is asked again a bounded number of times, a limit is waited
// for as long as patience lasts, and nothing waits for ever; a blob that breaks
// off goes on where it stopped. Errors hold no credential, query, body or
// address of a redirect. It refuses: to change anything in a registry, to fetch
// from addresses that manifests name, and to know what is in a blob.
package distribution

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"revenant/scanners/web"
)

// Options say which registry is asked, and how. Zero values have a default
// unless said otherwise.
type Options struct {
	// Registry is HOST or HOST:PORT. Required.
	Registry string
	// Mirror is HOST[:PORT][/PREFIX], which is asked in place of Registry; empty:
	// there is none.
	Mirror string
	// Insecure lets http and certificates that nobody vouches for be used.
	Insecure bool
	// Authorities are certificates, as PEM, that count beside the system's.
	Authorities []byte
	// CertificateFolders are folders laid out as docker's certs.d: below HOST:PORT
	// there are authorities (*.crt) and certificates of ours (*.cert, *.key) for
	// that host.
	CertificateFolders []string
	Keychain           authn.Keychain // nil: the user's own
	// Transport sends requests; nil: Go's own, with the environment's proxies.
	Transport http.RoundTripper
	Agent     string
	// Now and Sleep are the clock, which Sleep moves; it ends early with the
	// context's error.
	Now   func() time.Time
	Sleep func(context.Context, time.Duration) error
	// Patience is how long is waited in all for one answer, between attempts and
	// for limits to end: two minutes; below zero: nothing is waited for.
	Patience time.Duration
	// Idle is how long an answer may take to begin, and its body to bring the
	// next 64 KiB or its end: one minute.
	Idle time.Duration
	// Wait is told before a wait, why and for how long: for progress.
	Wait func(why string, d time.Duration)
}

// Defaults of Options, and bounds that are none.
const (
	defaultPatience = 2 * time.Minute
	defaultIdle     = time.Minute
	maxRedirects    = 5
)

// Client asks one registry. Its methods may be called at once from several
// goroutines.
type Client struct {
	o      Options
	at     name.Registry // the one that is asked
	prefix string        // of repositories there, without a slash at its end
	plain  bool          // http will do
	guard  *web.Guard
	home   http.RoundTripper // to at
	away   http.RoundTripper // to token servers and storages

	mu    sync.Mutex
	until time.Time // the registry's limit: before then nothing need be asked
	doors map[string]*door
}

// New returns a client; it sends nothing yet. Certificates that cannot be read
// are an error.
func New(o Options) (*Client, error) {
	c := &Client{o: o, doors: map[string]*door{}}
	host := o.Registry
	if o.Mirror != "" {
		var prefix string
		host, prefix, _ = strings.Cut(o.Mirror, "/")
		c.prefix = strings.Trim(prefix, "/")
	}
	var opts []name.Option
	if o.Insecure {
		opts = append(opts, name.Insecure)
	}
	at, err := name.NewRegistry(host, opts...)
	if err != nil || host == "" || strings.ContainsAny(o.Registry+host, "@/") || strings.HasSuffix(host, ":") {
		return nil, ErrBadRegistry
	}
	if c.prefix != "" {
		if _, err := name.NewRepository(at.RegistryStr() + "/" + c.prefix); err != nil {
			return nil, ErrBadRegistry
		}
	}
	c.at = at
	base := &url.URL{Scheme: "https", Host: at.RegistryStr()}
	c.guard = web.NewGuard(base)
	c.plain = o.Insecure || loopback(base.Hostname())
	c.defaults()
	if o.Transport != nil {
		c.home, c.away = o.Transport, o.Transport
		return c, nil
	}
	return c, c.transports()
}

// ErrBadRegistry is returned for text that names no registry. It repeats nothing
// of the text.
var ErrBadRegistry = errors.New("this names no registry: write HOST or HOST:PORT")

func (c *Client) defaults() {
	if c.o.Now == nil {
		c.o.Now = time.Now
	}
	if c.o.Sleep == nil {
		c.o.Sleep = sleep
	}
	if c.o.Patience == 0 {
		c.o.Patience = defaultPatience
	}
	if c.o.Idle <= 0 {
		c.o.Idle = defaultIdle
	}
	if c.o.Keychain == nil {
		c.o.Keychain = authn.DefaultKeychain
	}
}

// loopback reports whether a host is this machine by its name.
func loopback(host string) bool {
	host = strings.ToLower(strings.Trim(host, "[]"))
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || host == "::1" || strings.HasPrefix(host, "127.")
}

// Close lets go of connections that wait for further requests.
func (c *Client) Close() {
	for _, t := range []http.RoundTripper{c.home, c.away} {
		if t, is := t.(interface{ CloseIdleConnections() }); is && c.o.Transport == nil {
			t.CloseIdleConnections()
		}
	}
}

// door is the way to what one token opens.
type door struct {
	scope  string
	target authn.Resource

	mu        sync.Mutex
	client    *http.Client
	anonymous bool // nobody has logged in
}

func (c *Client) door(target interface {
	authn.Resource
	Scope(action string) string
},
) *door {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := target.String()
	if c.doors[key] == nil {
		c.doors[key] = &door{scope: target.Scope(transport.PullScope), target: target}
	}
	return c.doors[key]
}

// open logs in, once.
func (c *Client) open(ctx context.Context, d *door) (*http.Client, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.client != nil {
		return d.client, nil
	}
	auth, err := authn.Resolve(ctx, c.o.Keychain, d.target)
	if err != nil { // the error may repeat what a helper said
		return nil, c.fault(ErrDenied, "the login cannot be read: docker's config.json is damaged, or its credential helper is missing or failed")
	}
	d.anonymous = auth == authn.Anonymous
	t, err := transport.NewWithContext(ctx, c.at, auth, transport.NewUserAgent(steady{c}, c.o.Agent), []string{d.scope})
	if err != nil {
		return nil, c.told(ctx, err, d)
	}
	d.client = &http.Client{Transport: t, CheckRedirect: c.redirects}
	return d.client, nil
}

// redirects is the policy for them; where they may lead is told by steady, for
// each request.
func (c *Client) redirects(req *http.Request, via []*http.Request) error {
	req.Header.Del("Referer") // an address with a signature
	if len(via) > maxRedirects {
		return c.fault(ErrUnreachable, "it redirects again and again")
	}
	if via[len(via)-1].URL.Scheme == "https" && req.URL.Scheme == "http" && !c.isHome(req.URL) {
		return c.fault(ErrUnreachable, "it redirects from https to http, which is not followed")
	}
	return nil
}

// isHome reports whether a URL is the registry's own.
func (c *Client) isHome(u *url.URL) bool {
	own := &url.URL{Scheme: u.Scheme, Host: c.at.RegistryStr()}
	return web.SameOrigin(u, own)
}

// url is the address of a path of the API.
func (c *Client) url(path, query string) *url.URL {
	return &url.URL{Scheme: c.at.Scheme(), Host: c.at.RegistryStr(), Path: "/v2/" + path, RawQuery: query}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
