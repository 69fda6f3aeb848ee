package rest

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
)

// packLife is for how long a pack may be used, from the day on which it was built:
// a laptop that was lost searches with an old one no longer.
const packLife = 31 * 24 * time.Hour

// packCache keeps the edge pack that was asked for last: many laptops ask for the
// same one.
type packCache struct {
	mu    sync.Mutex
	key   string
	bytes []byte
}

func (s *server) packRoutes() {
	type in struct {
		Match string `header:"If-None-Match" maxLength:"256" doc:"The ETag of the pack that is there."`
	}
	type out struct {
		Status      int
		ETag        string `header:"ETag"`
		Revision    uint64 `header:"Pack-Revision" doc:"Of the registry, when the pack was built."`
		ContentType string `header:"Content-Type"`
		Body        []byte
	}
	add(s, route{
		id: "get-edge-pack", method: http.MethodGet, path: "/packs/edge", scope: registry.ScopePack, summary: "The pack of laptops and pipelines",
		long:    "Strong values only; it opens with the key file of its holders, see `revenant pack export`, without a group. 304 where If-None-Match names the newest.",
		answers: map[string]*huma.Response{"200": inTypes("The pack", "application/octet-stream"), "304": {Description: "It is there already"}},
	}, func(ctx context.Context, a registry.Actor, q *in) (*out, error) {
		key, err := s.o.Registry.PackKey(ctx, a, fingerprints.AudienceEdge)
		if err != nil {
			return nil, err
		}
		today := s.o.Now().UTC().Truncate(24 * time.Hour)
		o := &out{Status: http.StatusNotModified, ETag: fmt.Sprintf("\"%s-%d\"", key, today.Unix()/86400), Revision: key.PackRevision, ContentType: "application/octet-stream"}
		if q.Match == o.ETag {
			return o, nil
		}
		o.Status = http.StatusOK
		o.Body, err = s.packs.get(o.ETag, func() ([]byte, error) {
			var b bytes.Buffer
			_, err := s.o.Registry.BuildPack(ctx, a, registry.PackRequest{Audience: fingerprints.AudienceEdge, Expires: today.Add(packLife)}, &b)
			return b.Bytes(), err
		})
		return o, err
	})
}

// get returns the pack of a key, and has it built where another one is kept.
func (c *packCache) get(key string, build func() ([]byte, error)) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.key == key {
		return c.bytes, nil
	}
	b, err := build()
	if err == nil {
		c.key, c.bytes = key, b
	}
	return b, err
}
