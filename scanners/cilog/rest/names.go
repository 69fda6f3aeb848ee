package rest

import "strings"

// Name is a server's in ids, read off its base URL: host, port where it is not the
// scheme's own, path.
func Name(base string) string {
	scheme, rest, _ := strings.Cut(strings.TrimSuffix(base, "/"), "://")
	host, path, slash := strings.Cut(rest, "/")
	host = strings.TrimSuffix(strings.ToLower(host), map[string]string{"https": ":443", "http": ":80"}[scheme])
	if slash {
		host += "/" + path
	}
	return host
}

// Link is an address for people; what is none is left out of reports.
func Link(text string) string {
	if strings.HasPrefix(text, "https://") || strings.HasPrefix(text, "http://") {
		return text
	}
	return ""
}
