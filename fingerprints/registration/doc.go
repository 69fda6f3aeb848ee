// Package registration turns a value into a sealed row, and a sealed row back
// into what a pack needs.
package registration
