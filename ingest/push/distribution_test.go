package push_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"revenant/fingerprints"
	"revenant/ingest/push"
)

// distribution starts Debian's docker-registry, which notifies an address with
// an Authorization, and returns where it is.
func distribution(t *testing.T, notify, authorization string) string {
	t.Helper()
	program, err := exec.LookPath("docker-registry")
	if err != nil {
		t.Fatalf("docker-registry is missing; make test provides it: %v", err)
	}
	dir := t.TempDir()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host := l.Addr().String()
	config := fmt.Sprintf(`version: 0.1
log: {level: error}
storage: {filesystem: {rootdirectory: %s/blobs}, delete: {enabled: true}}
http: {addr: %s}
notifications:
  endpoints:
    - {name: revenant, url: %q, timeout: 5s, threshold: 3, backoff: 100ms, headers: {Authorization: [%q]}, ignore: {actions: [pull]}}
`, dir, host, notify, authorization)
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "config.yml"), []byte(config), 0o600), l.Close()); err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), program, "serve", filepath.Join(dir, "config.yml"))
	c.Dir, c.Env = dir, []string{"OTEL_TRACES_EXPORTER=none"}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	until(t, "the registry answers", func() bool {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+host+"/v2/", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			_ = resp.Body.Close()
		}
		return err == nil
	})
	return host
}

// until waits for what another process does.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !done(); {
		if time.Now().After(end) {
			t.Fatalf("it never came to be that %s", what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// TestDistribution: a real registry tells of images that were pushed and
// deleted, and comes again with what was not taken.
func TestDistribution(t *testing.T) {
	for name, authorization := range map[string]string{
		"bearer": "Bearer " + everywhere(), "basic": "Basic " + base64.StdEncoding.EncodeToString([]byte("registry:"+everywhere())),
	} {
		t.Run(name, func(t *testing.T) {
			o := newOurs(t, func(opts *push.Options) { opts.Now = time.Now })
			server := httptest.NewServer(o.h)
			defer server.Close()
			host := distribution(t, server.URL+"/hooks/registry?host=images.example", authorization)
			if name == "basic" {
				o.failWith(errors.New("away"))
			}
			tag, img, digest := pushed(t, host+"/team/api:v1")
			if name == "basic" {
				until(t, "it is refused", func() bool { return o.counted()["registry failed"] > 0 })
				o.failWith(nil)
			}
			kind, err := img.MediaType()
			if err != nil {
				t.Fatal(err)
			}
			want := push.Event{
				Kind: fingerprints.KindImage, Provider: push.Registry, Image: push.Image{Digest: digest, Tag: "v1", MediaType: string(kind)},
				Sources:   []string{"image:images.example/team/api", "image:" + host + "/team/api"},
				Locations: []string{"images.example/team/api", host + "/team/api"},
			}
			if diff := cmp.Diff([]push.Event{want}, arrived(t, o)); diff != "" {
				t.Errorf("pushed (-want +got):\n%s", diff)
			}
			if err := remote.Delete(tag.Context().Digest(digest), remote.WithContext(t.Context())); err != nil {
				t.Fatal(err)
			}
			// It tells of the image and of each tag that it had, in any order.
			gone := map[push.Image]bool{}
			until(t, "both are told", func() bool {
				for _, e := range o.took() {
					gone[e.Image] = true
				}
				return len(gone) >= 2
			})
			if diff := cmp.Diff(map[push.Image]bool{{Digest: digest, Deleted: true}: true, {Tag: "v1", Deleted: true}: true}, gone); diff != "" {
				t.Errorf("deleted (-want +got):\n%s", diff)
			}
			if counted := o.counted(); counted["registry unsigned"]+counted["registry malformed"] > 0 {
				t.Errorf("counted %v", counted)
			}
		})
	}
}

func pushed(t *testing.T, text string) (name.Tag, v1.Image, string) {
	t.Helper()
	tag, err := name.NewTag(text)
	if err != nil {
		t.Fatal(err)
	}
	img, err := random.Image(1000, 2)
	if err != nil {
		t.Fatal(err)
	}
	digest, err := img.Digest()
	if err := errors.Join(err, remote.Write(tag, img, remote.WithContext(t.Context()))); err != nil {
		t.Fatal(err)
	}
	return tag, img, digest.String()
}

// arrived waits for events, and forgets what is of the registry's own choice.
func arrived(t *testing.T, o *ours) (events []push.Event) {
	t.Helper()
	until(t, "an event comes", func() bool {
		events = append(events, o.took()...)
		return len(events) > 0
	})
	for i := range events {
		if events[i].Delivery == "" {
			t.Error("the registry's event has no id")
		}
		events[i].Delivery = ""
	}
	return events
}
