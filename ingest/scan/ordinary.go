package scan

import (
	"slices"
	"strings"

	"revenant/scanners"
)

// ordinary reports whether what a generic rule found in a path is no secret but
// what a program calls its files: dpkg's of a package, as
// libpciaccess0:amd64.md5sums, look like the value of something called access.
func ordinary(raw string, h scanners.Hit) bool {
	if h.Certain() || h.Span.Start < 1 || h.Span.End > int64(len(raw)) || raw[h.Span.Start-1] != ':' {
		return false
	}
	architecture, suffix, has := strings.Cut(raw[h.Span.Start:h.Span.End], ".")
	if !has || len(architecture) > 20 || strings.Trim(architecture, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return false
	}
	return slices.Contains([]string{
		"conffiles", "config", "list", "md5sums", "postinst", "postrm", "preinst", "prerm", "shlibs", "symbols", "templates", "triggers",
	}, suffix)
}
