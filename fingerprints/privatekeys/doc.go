// Package privatekeys reads private keys out of the containers that people
// keep them in, and brings every container of one key to the same bytes.
package privatekeys
