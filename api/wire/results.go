package wire

import (
	"time"

	"revenant/fingerprints"
)

// ScanResults is what a scan elsewhere found, or a part of it: ids, redacted paths,
// places and what was not read. It holds no value, no context and no raw path.
type ScanResults struct {
	// ID is 32 hex digits that the scan drew; parts of one scan, and a part that is
	// sent again, have the same.
	ID            string                  `json:"id" minLength:"32" maxLength:"32" pattern:"^[0-9a-f]+$"`
	Part          int                     `json:"part" minimum:"0" maximum:"100000" doc:"Counted from 0."`
	Source        string                  `json:"source" minLength:"1" maxLength:"2048"`
	Kind          fingerprints.SourceKind `json:"kind" enum:"dir,stdin,git,image,ci,kafka,other"`
	Whole         bool                    `json:"whole,omitempty" doc:"The scan set out to read all of the source."`
	Generic       bool                    `json:"generic,omitempty" doc:"Generic rules ran too."`
	FieldRevision uint64                  `json:"field_revision,omitempty" doc:"Of the pack that it looked with."`
	PackRevision  uint64                  `json:"pack_revision,omitempty"`
	Findings      []FoundAt               `json:"findings,omitempty" maxItems:"1000"`
	Skips         []SkippedAt             `json:"skips,omitempty" maxItems:"1000"`
	End           *ScanEnd                `json:"end,omitempty" doc:"In the last part, which ends the scan."`
}

// FoundAt is one sighting.
type FoundAt struct {
	ID      fingerprints.FindingID `json:"id" minLength:"36" maxLength:"36" pattern:"^rv1:[0-9a-f]+$"`
	Value   string                 `json:"value,omitempty" maxLength:"32" pattern:"^([0-9a-f]{32})?$" doc:"The value's id in hex; absent where the value is too weak to have one."`
	Fields  []string               `json:"fields,omitempty" maxItems:"100" doc:"Rows of registered fields that have the value, as the pack says, in hex."`
	Path    string                 `json:"path" maxLength:"8192" doc:"Redacted."`
	PathID  string                 `json:"path_id" minLength:"32" maxLength:"32" pattern:"^[0-9a-f]+$"`
	Owner   string                 `json:"owner,omitempty" maxLength:"200"`
	Locator string                 `json:"locator,omitempty" maxLength:"4096"`
	URL     string                 `json:"url,omitempty" maxLength:"8192"`
	Region
	Form     fingerprints.Form     `json:"form" minLength:"1" maxLength:"128" pattern:"^[a-z0-9+-]+$"`
	Rule     string                `json:"rule,omitempty" maxLength:"256"`
	Presence fingerprints.Presence `json:"presence" enum:"tip,history,unreachable,visible,shadowed,metadata,retained,expired"`
	Within   bool                  `json:"within,omitempty"`
	At       time.Time             `json:"at,omitzero" doc:"The content's own time."`
	Commit   string                `json:"commit,omitempty" maxLength:"64" pattern:"^[0-9a-f]*$" doc:"That brought the content in."`
	Author   string                `json:"author,omitempty" maxLength:"512" doc:"Who wrote it, as the commit says; redacted, no address."`
	More     int64                 `json:"more,omitempty" minimum:"0" doc:"Further sightings in the same content."`
}

// SkippedAt is something that was not read.
type SkippedAt struct {
	Path    string                  `json:"path" maxLength:"8192" doc:"Redacted."`
	Locator string                  `json:"locator,omitempty" maxLength:"4096"`
	Reason  fingerprints.SkipReason `json:"reason" maxLength:"64"`
	Detail  string                  `json:"detail,omitempty" maxLength:"1000"`
	Size    int64                   `json:"size"`
}

// ScanEnd ends a scan.
type ScanEnd struct {
	Items    int64  `json:"items" minimum:"0"`
	Bytes    int64  `json:"bytes" minimum:"0"`
	Through  string `json:"through,omitempty" maxLength:"1000" doc:"How far, in people's words."`
	Complete bool   `json:"complete,omitempty" doc:"All of what it set out to read was read."`
}

// ScanTold is what became of results that were told.
type ScanTold struct {
	Scan     int64 `json:"scan"` // the registry's number of the scan
	Recorded int   `json:"recorded"`
	New      int   `json:"new"` // unknown before
	// Gone counts findings that were seen before and are not there any more.
	Gone int `json:"gone,omitempty"`
	// Unchanged: it was told before.
	Unchanged bool `json:"unchanged,omitempty"`
}
