// Package pack is the compiled, read-only set of fingerprints that a scanner
// loads. This comment is the specification of format 1.
//
// It promises: a pack opens only with the keys of its ring and audience, whole
// and unchanged; it names nothing to who does not hold a registered value; what
// is too weak for laptops and pipelines is not in an edge pack; opening is one
// pass over the tables. It refuses packs that are cut short, changed, foreign,
// expired, of a later format, or older than one that was used before, each with
// an error of its own. Whoever holds a pack and its keys is assumed to know the
// anchored regions in it (package registration).
//
// Numbers are big-endian, filters little-endian. L(x) is the 4-byte length of x
// followed by x. key(purpose, generation) is that of package keys for the
// pack's audience; groups of edge holders have pack keys of their own.
//
// # File
//
//	 8  "RVNTPACK"
//	 2  format: 1
//	 4  length of the header
//	    header
//	32  SHA-256 of all of the above
//	    sealed segments: the tables, then the labels
//	    SHA-256 of each sealed segment
//	64  Ed25519(sign-pack of the key epoch, "revenant pack/v1\n" || L(all up to the header's end) || L(digests))
//
// The header:
//
//	16  ring id
//	16  installation
//	 1  audience: 1 core, 2 edge
//	    L(group)
//	 8  revision of the registry
//	 8  revision of the newest registered field
//	 8  created, seconds since 1970
//	 8  expires, seconds since 1970; 0: never
//	 4  key epoch: of the pack key and the signature
//	32  salt, random
//	 4  fields in the pack
//	 4  fields in the registry
//	 4  private keys in the pack
//	 4  length of the shortest value, private keys left out; 0: none
//	 4  length of the longest value, likewise
//	 1  number of MAC epochs; for each, ascending:
//	     4  epoch
//	     4  rows
//	 1  number of tables; for each, by filter generation and geometry:
//	     4  filter generation; at most two different ones
//	     1  geometry: 1 core, 2 edge, 3 short
//	     1  log2 of the filter's 64-bit words
//	     4  regions of values with one region, and of private keys
//	     4  regions of values with more
//	 8  bytes of labels
//
// # Segments
//
// Tables and labels are two streams, each cut into segments of 1 MiB of plain
// bytes, the last one shorter. A segment is
//
//	AES-256-GCM(HKDF-SHA-256(key(pack, key epoch), salt, "pack/v1", 32), 8 zero bytes || 4 number,
//	            plain bytes, L(audience) || 8 revision || 4 number || 1 last)
//
// numbered from 0 through both streams; last is 1 for the last of all.
//
// # Tables
//
// For each table of the header: the filter, the single list, the spread list;
// then for each epoch its rows. The filter has 8 bits for each window, rounded
// up to a power of two of words and at least 512 words; anchor.Place says which
// bits a window sets.
//
// A list is a directory and records sorted by their first 8 bytes as a number.
// With d the number of bits of (number of records / 8), the directory is
// 2^d + 1 numbers of 4 bytes: where the records whose first d bits are 0, 1 ...
// start, and the number of records. The records:
//
//	single   8 tag, 3 offset of the region (0 for private keys), 3 length of the canonical value,
//	         1 flags: bit 0 private key, the others the index of the MAC epoch
//	spread   the same, 3 and 3 offsets of the value's other regions
//	row      16 first half of the MAC, 16 row id, 4 place of the label in units of 64 bytes
//
// Repeated records of a list of regions are dropped: versions that share a
// value are one candidate.
//
// # Labels
//
// A label is sealed under what no table holds, the second half of the MAC:
//
//	2 length, AES-256-GCM(HMAC-SHA-256(MAC[16:32], "label/v1" || salt || row id), zero nonce, label), no AAD
//
// padded with zeros before sealing, so that the whole is a multiple of 64
// bytes. The label is 1 state, 1 class, 1 strength (each an index into the lists
// of package fingerprints; edge, core, weak), 1 compromised, 4 version, 8 end of
// the window in seconds since 1970 or 0, 16 version id, 16 value id, and secret,
// field and owner, each with a length of 2 bytes.
package pack
