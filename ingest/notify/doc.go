// Package notify tells people and programs what became of findings: it follows
// the registry's feed of changes, decides by rules whom a change concerns, and
// sends what is to be told until it arrives.
//
// It promises:
//   - Nothing is lost: how far the feed was followed, what is to be told and what
//     was told are written in one transaction. A message is sent until the
//     receiver takes it, or its time is over; then it is listed as undelivered.
//   - A receiver is told of a finding once, until its verdict changes or it comes
//     back. A message that is sent again after a crash has the same id.
//   - Several processes may run it on one store: each page of the feed is taken
//     once, and a message is sent by one of them at a time.
//   - No flood: what was there when a receiver was set up, or when its rules
//     changed, is one summary; many events at once are one digest with counts.
//   - No plaintext: the outbox holds ids and words. What a message shows is read
//     from the store when it is sent, redacted as it is then, and made printable.
//
// It refuses to keep credentials (package credential), to follow redirects, and
// to log what a receiver answers.
package notify
