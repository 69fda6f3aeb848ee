// Package redact takes registered values out of a stream while it flows, in
// every encoding that the engine knows. In the place of each stands what
// reports show for it, and the whole row of a dump, which says what it holds twice; every
// other byte goes out as it came in.
//
// The question is always whether a value may begin in what is about to go out
// and end in what has not come yet. It is answered in three ways:
//
//   - Much data: a value begins at most twice the reach of the engine (the span of
//     the longest value's encoding, and what is looked at around it) before the end
//     of what is here, or it is seen. So all but that goes out, and but what a
//     decompressor may keep to itself.
//   - Little data: a line that nothing can go on behind, as far as it shows, goes
//     out once nothing came for Settle, or for Patience since it came. What ends in
//     the middle of a line, in base64, hex or base32, in armour that is open, in a
//     list, a dump, a literal, an escape, a line that is continued or wrapped, or in
//     a part of a line of a container's log, waits for more.
//   - Silence: after Silence, or when it waited for Longest, everything goes out. A
//     value of which only a part had come by then is not taken out of what went;
//     the rest of it is, when it comes.
//
// It promises: memory bounded by the longest value and a few megabytes; work that
// grows with what flows and with time, not with how it is cut; nothing goes out
// that was not looked at.
//
// It refuses: to take out what generic rules find (they see likely secrets, and a
// log without its digests is of no use), and to see what is compressed and begins
// more than 4 MiB before, is not deflate and longer than what is held, or was let
// out by silence before its next 32 KiB came.
package redact
