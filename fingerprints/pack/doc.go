// Package pack is the compiled, read-only set of fingerprints that a scanner
// loads.
package pack
