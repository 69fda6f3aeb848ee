// Package migrate reads what people set up for other scanners - gitleaks,
// betterleaks, trufflehog, detect-secrets, ggshield - and says what of it counts
// here as it is, what it becomes, and what cannot be carried over.
//
// It promises: nothing that it reads is changed; nothing is left out in silence;
// rules that it makes are gitleaks' own syntax and compile. It refuses: to write
// files, and to run anything.
package migrate
