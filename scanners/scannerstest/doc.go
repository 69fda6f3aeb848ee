// Package scannerstest is what matchers are tested with: a conformance suite
// that every Matcher runs, and a seeded generator of the texts that benchmarks
// scan.
//
// It promises that a matcher that passes can be driven by the engine. It is for
// tests only.
package scannerstest
