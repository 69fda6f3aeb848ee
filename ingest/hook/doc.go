// Package hook hangs Revenant on git's hooks, of one repository or of a whole
// machine, takes it away again, and says what is in force; and it keeps what
// somebody let through although a hook refused it.
//
// It promises: a hook that was there before is kept beside ours and run after
// it, with the same arguments, the same input, and its exit code counts; it is
// never lost, whatever moment the process is killed at, and comes back byte for
// byte with its mode. Installing twice changes nothing. A hook that was changed
// by hand, or that belongs to a manager of hooks, is not touched unless forced.
//
// It refuses to guess: where git does not run a folder's hooks, or runs them
// for more than the one repository, the error says so and what to do.
//
// # Scripts
//
// A hook is a script for any POSIX sh. Its second line is
//
//	# revenant-hook FORMAT KIND NAME SUM
//
// with format 1, KIND repository or machine, NAME the hook's, and SUM the first
// 32 hex digits of SHA-256 of "FORMAT KIND NAME\n" and all that follows the
// line. The lines name='value' behind it are the settings; a quote in a value
// is written as quote, backslash, quote, quote.
//
// A hook of the machine runs the repository's own hook as its child, with
// REVENANT_HOOK_RAN set to the hook's name, a blank and its own process id. A
// hook of ours whose parent has that id does not scan again; an environment
// that merely inherited the variable silences nothing.
package hook
