package push

import (
	"net/url"
	"slices"
	"strings"

	"revenant/fingerprints"
)

// envelope is what the distribution registry sends, and those made after it.
type envelope struct {
	Events []struct {
		ID     string
		Action string
		Target struct {
			MediaType  string `json:"mediaType"`
			Digest     string
			Repository string
			URL        string
			Tag        string
		}
		Request struct{ Host string }
	}
}

// parseRegistry makes an event of each image in an envelope that was pushed or
// deleted. Which name the registry goes by it does not know for sure: the host
// that was asked for may be that of a proxy's inner side. So each is tried, and
// behind them what the query host says.
func parseRegistry(p post) ([]Event, error) {
	var v envelope
	if err := read(p.body, &v); err != nil {
		return nil, err
	}
	if v.Events == nil || len(v.Events) > maxEvents {
		return nil, errShape
	}
	var out []Event
	for _, e := range v.Events {
		t := e.Target
		pushed, deleted := e.Action == "push" && manifest(t.MediaType), e.Action == "delete" && (t.Tag != "" || t.MediaType == "" || manifest(t.MediaType))
		if !pushed && !deleted {
			continue // layers, pulls, mounts
		}
		event := Event{
			Kind: fingerprints.KindImage, Provider: Registry, Delivery: token(e.ID),
			Image: Image{Digest: digest(t.Digest), Tag: imageTag(t.Tag), Deleted: deleted, MediaType: mediaType(t.MediaType)},
		}
		for _, host := range []string{p.query("host"), hostOf(t.URL), e.Request.Host} {
			id, repository, err := imagePlace(host + "/" + t.Repository)
			if host == "" || t.Repository == "" || err != nil || slices.Contains(event.Sources, id) {
				continue
			}
			event.Sources, event.Locations = append(event.Sources, id), append(event.Locations, repository)
		}
		if len(event.Sources) == 0 {
			return nil, errShape
		}
		out = append(out, event)
	}
	return out, nil
}

// manifest reports whether a type is that of an image or an index, and not of a
// layer.
func manifest(kind string) bool {
	return strings.Contains(kind, ".manifest.") || strings.HasSuffix(kind, ".index.v1+json") || strings.Contains(kind, ".distribution.manifest")
}

func mediaType(text string) string {
	if !printable(text, maxToken) {
		return ""
	}
	return text
}

func hostOf(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return u.Host
}
