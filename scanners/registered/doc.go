// Package registered finds registered values in arbitrary bytes.
//
// How it works, cheapest first; package registration has the reasons:
//
//  1. Every S-th byte the window of W bytes there is looked up in the pack's
//     filter. Runs of base64 and hex characters are decoded once and probed in
//     every bit grid that a value can stand in (four for base64, two for hex);
//     UTF-16 is transcoded and searched as a text of its own; bytes around
//     escapes are unescaped and probed again.
//  2. Where a window is in the filter, all S windows of a region must be.
//  3. The region's tag leads to candidates: offset in the value, and length.
//  4. The span is decoded to raw bytes, through escapes and line breaks where
//     there are some, and its MAC looked up. Equal spans are hashed once.
//
// It promises: a hit is a registered value, byte for byte, and its span is that
// of the encoded form, from the first to the last byte that carries a bit of
// it. Hits do not depend on how the content is cut. A private key is found by
// its private fields, in whatever container it stands. Work per byte is bounded
// whatever the content and the number of values that share a region.
//
// It refuses: tokenising, guessing, and reporting half a value.
package registered
