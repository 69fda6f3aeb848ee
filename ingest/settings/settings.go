// Package settings reads the configuration of a server: a YAML file, and the
// environment over it.
//
// What a file cannot say is refused with its name and the way out; nothing is
// guessed. A credential never stands in it: a reference says where it lies. No
// error repeats what was written, since people write secrets into the wrong
// places.
package settings

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/rawbytes"
	"github.com/knadh/koanf/v2"

	"revenant/ingest/credential"
	"revenant/ingest/notify"
	"revenant/ingest/watch"
)

// Settings are those of a server.
type Settings struct {
	// Listen is where it is reached, HOST:PORT.
	Listen string `koanf:"listen"`
	// BaseURL is how people reach it, for links; empty: http://Listen.
	BaseURL string `koanf:"base_url"`
	TLS     TLS    `koanf:"tls"`
	// Token opens the control API; empty: a file in REVENANT_HOME.
	Token   string  `koanf:"token"`
	Workers Workers `koanf:"workers"`
	Log     Log     `koanf:"log"`
	// Push are references to the secrets of webhooks, by who sends them; several
	// while one follows another.
	Push    map[string][]string `koanf:"push"`
	Watches []Watch             `koanf:"watches"`
	Search  Search              `koanf:"search"`
	// TrustedProxies are addresses and networks whose word on where a request comes
	// from is taken.
	TrustedProxies []string `koanf:"trusted_proxies"`
	Limits         Limits   `koanf:"limits"`
	LookUps        LookUps  `koanf:"lookups"`
	SignIn         SignIn   `koanf:"sign_in"`
	// Notify says who is told what becomes of findings; its URL is BaseURL where it
	// has none.
	Notify notify.Config `koanf:"notify"`
}

// Search says how findings are searched.
type Search struct {
	Off bool `koanf:"off"` // without an index, finding by finding
}

// TLS is the server's certificate; both empty: none.
type TLS struct {
	Certificate string `koanf:"certificate"` // PEM file
	Key         string `koanf:"key"`         // PEM file
}

// Workers say how much is done at once.
type Workers struct {
	Scans int `koanf:"scans"` // at once in this process
	// Streams is how many watches are followed at once in this process, beside scans.
	Streams int  `koanf:"streams"`
	Off     bool `koanf:"off"` // none
	// Memory is what the process aims at, as in 512MiB; empty: by Scans.
	Memory string `koanf:"memory"`
	// CPUs is how many cores the process uses; 0: those that it is given.
	CPUs int `koanf:"cpus"`
	// Deadline is how long a scan may take, as in 12h; empty: as long as it takes.
	Deadline string `koanf:"deadline"`
}

// MemoryBytes is Memory in bytes; 0: not said.
func (w Workers) MemoryBytes() int64 {
	n, _ := bytesOf(w.Memory) // it was checked
	return n
}

// Longest is Deadline; 0: there is none.
func (w Workers) Longest() time.Duration {
	d, _ := time.ParseDuration(w.Deadline) // it was checked
	return d
}

// minMemory is the least that a scan gets along with.
const minMemory = 64 << 20

func (w Workers) check() error {
	if w.Scans < 0 || w.Scans > 1000 || w.Scans == 0 && !w.Off {
		return errors.New("workers.scans: from 1 to 1000; a server without workers has workers.off: true")
	}
	if w.Streams < 0 || w.Streams > 1000 {
		return errors.New("workers.streams: how many watches are followed at once, from 0 to 1000")
	}
	if n, ok := bytesOf(w.Memory); w.Memory != "" && (!ok || n < minMemory) {
		return errors.New("workers.memory: as in 512MiB or 2GiB, and 64MiB at least")
	}
	if w.CPUs < 0 || w.CPUs > 4096 {
		return errors.New("workers.cpus: how many cores it may use; 0 is those that it is given")
	}
	if d, err := time.ParseDuration(w.Deadline); w.Deadline != "" && (err != nil || d < time.Second) {
		return errors.New("workers.deadline: how long a scan may take, as in 90m or 12h")
	}
	return nil
}

// bytesOf reads a size as GOMEMLIMIT has them.
func bytesOf(text string) (n int64, ok bool) {
	shift, digits := 0, text
	for i, unit := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if d, has := strings.CutSuffix(text, unit); has {
			shift, digits = 10*(i+1), d
		}
	}
	v, err := strconv.ParseUint(strings.TrimSuffix(digits, "B"), 10, 63)
	if err != nil || v > uint64(1)<<62>>shift {
		return 0, false
	}
	return int64(v << shift), true
}

// Log says what is logged.
type Log struct {
	Format string `koanf:"format"` // text or json
	Level  string `koanf:"level"`  // debug, info, warn, error
}

// Watch is a watch that the file keeps: it is there, as the file has it, while
// the server runs.
type Watch struct {
	Name       string   `koanf:"name"`
	Scan       []string `koanf:"scan"` // command and arguments
	Every      string   `koanf:"every"`
	Cron       string   `koanf:"cron"`
	Credential string   `koanf:"credential"`
}

// Default is what counts where nothing is said.
func Default() Settings {
	return Settings{
		Listen: "127.0.0.1:8077", Workers: Workers{Scans: 2, Streams: 4}, Log: Log{Format: "text", Level: "info"},
		Limits: Limits{Sender: 1200, Address: 6000}, SignIn: SignIn{Idle: 12 * time.Hour, Longest: 7 * 24 * time.Hour},
	}
}

// Senders are who may push: the names of Settings.Push.
func Senders() []string { return []string{"github", "gitlab", "gitea", "git", "registry", "logs"} }

// ErrSettings is what every error of this package wraps.
var ErrSettings = errors.New("the configuration cannot be used")

// maxFile bounds a configuration.
const maxFile = 4 << 20

// prefix begins the environment's variables: REVENANT_SERVE_LISTEN is listen,
// REVENANT_SERVE_WORKERS__SCANS is workers.scans.
const prefix = "REVENANT_SERVE_"

// Variables are the environment's names.
func Variables() []string {
	return []string{
		prefix + "LISTEN", prefix + "BASE_URL", prefix + "TLS__CERTIFICATE", prefix + "TLS__KEY", prefix + "TOKEN", prefix + "WORKERS__SCANS", prefix + "WORKERS__STREAMS",
		prefix + "WORKERS__MEMORY", prefix + "WORKERS__CPUS", prefix + "WORKERS__DEADLINE",
		prefix + "LOG__FORMAT", prefix + "LOG__LEVEL", prefix + "LIMITS__SENDER", prefix + "LIMITS__ADDRESS",
	}
}

// Load reads a file ("" none) and the environment over it.
func Load(file string, env func(string) string) (Settings, error) {
	s := Default()
	k := koanf.New(".")
	if file != "" {
		text, err := read(file)
		if err != nil {
			return s, fmt.Errorf("%w: %w", ErrSettings, err)
		}
		if err := k.Load(rawbytes.Provider(text), yaml.Parser()); err != nil {
			return s, fmt.Errorf("%w: it is not YAML%s", ErrSettings, line(err))
		}
	}
	over := map[string]any{}
	for _, name := range Variables() {
		if v := env(name); v != "" {
			over[strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(name, prefix)), "__", ".")] = v
		}
	}
	if err := k.Load(confmap.Provider(over, "."), nil); err != nil {
		return s, fmt.Errorf("%w: the environment cannot be read", ErrSettings)
	}
	if err := checkKeys(k.Raw()); err != nil {
		return s, fmt.Errorf("%w: %w", ErrSettings, err)
	}
	if err := k.Unmarshal("", &s); err != nil {
		return s, fmt.Errorf("%w: a value is of the wrong kind: text, a number or a list; see docs/serve.md", ErrSettings)
	}
	if err := s.check(); err != nil {
		return s, fmt.Errorf("%w: %w", ErrSettings, err)
	}
	return s, nil
}

func read(file string) ([]byte, error) {
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return nil, errors.New("there is no such file, or it is not yours to read")
	case info.IsDir():
		return nil, errors.New("it is a folder")
	case info.Size() > maxFile:
		return nil, fmt.Errorf("a configuration has at most %d MiB", maxFile>>20)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, errors.New("it is not yours to read")
	}
	return text, nil
}

// line is where YAML went wrong; the rest of such an error repeats the text.
func line(err error) string {
	_, rest, has := strings.Cut(err.Error(), "line ")
	digits := strings.TrimRight(rest[:min(len(rest), len(rest)-len(strings.TrimLeft(rest, "0123456789")))], " ")
	if !has || digits == "" {
		return ""
	}
	return ", line " + digits
}

// known are the keys, with those inside.
func known() map[string]any {
	leaf := map[string]any(nil)
	return map[string]any{
		"listen": leaf, "base_url": leaf, "token": leaf,
		"tls":     map[string]any{"certificate": leaf, "key": leaf},
		"workers": map[string]any{"scans": leaf, "streams": leaf, "off": leaf, "memory": leaf, "cpus": leaf, "deadline": leaf},
		"log":     map[string]any{"format": leaf, "level": leaf},
		"push":    map[string]any{"github": leaf, "gitlab": leaf, "gitea": leaf, "git": leaf, "registry": leaf, "logs": leaf},
		"notify": map[string]any{
			"url": leaf, "give_up_after": leaf,
			"receivers": map[string]any{
				"name": leaf, "window": leaf,
				"webhook": map[string]any{"url": leaf, "url_from": leaf, "secret": leaf},
				"slack":   map[string]any{"url_from": leaf},
				"mail":    map[string]any{"server": leaf, "tls": leaf, "user": leaf, "password": leaf, "from": leaf, "to": leaf},
				"github":  map[string]any{"repository": leaf, "api": leaf, "token": leaf, "label": leaf},
				"gitlab":  map[string]any{"project": leaf, "api": leaf, "token": leaf, "label": leaf},
				"kafka": map[string]any{
					"brokers": leaf, "topic": leaf, "tls": leaf, "ca_file": leaf, "cert_file": leaf, "key_file": leaf, "sasl": leaf, "login": leaf,
				},
			},
			"rules": map[string]any{
				"name": leaf, "verdicts": leaf, "min_severity": leaf, "statuses": leaf, "owners": leaf, "sources": leaf, "secrets": leaf, "events": leaf, "receivers": leaf,
			},
		},
		"search":          map[string]any{"off": leaf},
		"trusted_proxies": leaf,
		"limits":          map[string]any{"sender": leaf, "address": leaf},
		"lookups":         map[string]any{"daily": leaf},
		"sign_in": map[string]any{
			"idle": leaf, "longest": leaf,
			"oidc": map[string]any{
				"label": leaf, "issuer": leaf, "client_id": leaf, "client_secret": leaf, "scopes": leaf, "groups_claim": leaf, "domains": leaf, "groups": leaf,
				"grants": map[string]any{"group": leaf, "roles": leaf, "teams": leaf},
			},
		},
		"watches": map[string]any{"name": leaf, "scan": leaf, "every": leaf, "cron": leaf, "credential": leaf},
	}
}

// checkKeys refuses what nothing reads.
func checkKeys(raw map[string]any) error {
	return keysIn("", raw, known())
}

func keysIn(at string, raw, may map[string]any) error {
	for name, value := range raw {
		inside, is := may[name]
		if !is {
			where := "at its top"
			if at != "" {
				where = "in " + at
			}
			return fmt.Errorf("it has a key %s that nothing reads; these are read: %s", where, strings.Join(slices.Sorted(maps.Keys(may)), ", "))
		}
		sub, _ := inside.(map[string]any)
		if sub == nil {
			continue
		}
		var each []any
		switch v := value.(type) {
		case []any:
			each = v
		default:
			each = []any{v}
		}
		for _, one := range each {
			m, is := one.(map[string]any)
			if !is {
				return fmt.Errorf("%s: it holds %s", name, strings.Join(slices.Sorted(maps.Keys(sub)), ", "))
			}
			if err := keysIn(name, m, sub); err != nil {
				return err
			}
		}
	}
	return nil
}

// check says what is not valid. It never repeats it.
func (s *Settings) check() error {
	if err := s.checkAddress(); err != nil {
		return err
	}
	if (s.TLS.Certificate == "") != (s.TLS.Key == "") {
		return errors.New("tls: give certificate and key, or none of them")
	}
	if err := s.Workers.check(); err != nil {
		return err
	}
	if err := s.checkPeople(); err != nil {
		return err
	}
	if !slices.Contains([]string{"text", "json"}, s.Log.Format) {
		return errors.New("log.format: text or json")
	}
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, s.Log.Level) {
		return errors.New("log.level: debug, info, warn or error")
	}
	if err := s.checkRefs(); err != nil {
		return err
	}
	if s.Notify.URL == "" {
		s.Notify.URL = s.BaseURL
	}
	if err := s.Notify.Validate(); err != nil {
		return fmt.Errorf("notify: %w", err)
	}
	return s.checkWatches()
}

// checkAddress looks at where the server is reached, and says how people do.
func (s *Settings) checkAddress() error {
	host, port, err := net.SplitHostPort(s.Listen)
	if n, nerr := strconv.Atoi(port); err != nil || nerr != nil || n < 0 || n > 65535 {
		return errors.New("listen: it is HOST:PORT, as in 127.0.0.1:8077; :8077 is every address of the machine")
	}
	if s.BaseURL == "" {
		scheme := "http"
		if s.TLS.Certificate != "" {
			scheme = "https"
		}
		if host == "" {
			host = "localhost"
		}
		s.BaseURL = scheme + "://" + net.JoinHostPort(host, port)
	}
	if u, err := url.Parse(s.BaseURL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		return errors.New("base_url: it is how people reach the server, as in https://revenant.example.org")
	}
	s.BaseURL = strings.TrimRight(s.BaseURL, "/")
	return nil
}

// checkRefs looks at references, and fetches nothing.
func (s *Settings) checkRefs() error {
	if err := checkRef("token", s.Token); err != nil {
		return err
	}
	for _, who := range Senders() {
		for _, ref := range s.Push[who] {
			if err := checkRef("push."+who, ref); err != nil {
				return err
			}
			if ref == "" {
				return fmt.Errorf("push.%s: a reference is empty", who)
			}
		}
	}
	return nil
}

func checkRef(key, text string) error {
	if text == "" {
		return nil
	}
	if _, err := credential.Parse(text); err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return nil
}

func (s *Settings) checkWatches() error {
	seen := map[string]bool{}
	for i, w := range s.Watches {
		at := fmt.Sprintf("watches, number %d", i+1)
		switch {
		case w.Name == "":
			return fmt.Errorf("%s: it has no name", at)
		case seen[w.Name]:
			return fmt.Errorf("%s: another watch has its name", at)
		case len(w.Scan) == 0:
			return fmt.Errorf("%s: scan is missing: a list of command and arguments, as in [git, \"https://git.example.org/acme/shop.git\"]", at)
		case w.Every != "" && w.Cron != "":
			return fmt.Errorf("%s: every and cron exclude each other", at)
		}
		seen[w.Name] = true
		if _, err := watch.ParseSchedule(w.Every + w.Cron); err != nil && w.Every != "never" {
			return fmt.Errorf("%s: %w", at, err)
		}
		if err := checkRef(at+": credential", w.Credential); err != nil {
			return err
		}
	}
	return nil
}

// Grace is how long a server that stops waits for requests under way.
const Grace = 10 * time.Second
