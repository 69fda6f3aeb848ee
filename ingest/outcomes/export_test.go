package outcomes

// Entries reads what a file seals.
var Entries = entries
