// Command revenant finds registered secrets and generic leaks.
package main

func main() {}
