// Package byteclass tells classes of bytes apart, 64 at a time: what is written
// in the alphabets of base64 and hex, what escapes begin with, where one of a
// few three-byte patterns may stand.
//
// It promises bitmaps that are the same on every machine; vector code, where
// there is some, only makes them sooner. A bitmap has one bit for each byte,
// the first byte's lowest in the first word. It refuses to judge what stands
// there.
package byteclass
