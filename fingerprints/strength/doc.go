// Package strength estimates how hard a value is to guess, by strength/v1.
//
// strength/v1 is frozen: which identity key names a value and whether a value
// may leave servers follow from it, so it gives the same number for the same
// bytes for ever (testdata/vectors/strength.json). A better estimator becomes
// strength/v2 beside it.
//
// # The estimate
//
// A known generator (Hint.Bits) is taken at its word, its bits spread evenly
// over the bytes that are neither prefix nor checksum. Any other value gets the
// length of its shortest description in steps. The rules, in bits:
//
//   - A literal byte costs log2 of the value's alphabet: the smallest of digits
//     10, hexadecimal 16 (both cases 22), letters 26, base32 32, letters and
//     digits 36, both cases 52, all of these 62, with one pair of joiners ("-_"
//     or "+/") 2 more, with other printable characters 33 more, else 256. Where
//     the adaptive frequency code of Krichevsky and Trofimov over that alphabet
//     is shorter for all literal bytes together, a byte costs its average there.
//     A character beyond ASCII in valid UTF-8 costs 4.
//   - Nothing is paid for prefix and checksum of a Hint, a public prefix (up to
//     three groups of 2 to 12 lower-case letters and digits, each ended by "_" or
//     "-", before 16 letters and digits), the readable parts of a JWT, base64's
//     padding, separators and version of a UUID and the time in one.
//   - A word of the list costs 1 + log2(rank+1); 1 more backwards (5 letters or
//     more), when capitalised or all upper case, 2 and 1 for each upper-case
//     letter otherwise, 1 and 1 for each letter in leet spelling.
//   - A run of letters in one case, or capitalised, that reads like a word costs
//     14, and 2 for each letter beyond 8; it has 5 letters or more, or 3 between
//     other characters or ends. So does one of 5 or more between such (64 at most) with a third
//     or less in leet spelling, at its price. A run of one or two letters costs 4
//     each between spaces.
//   - A sequence (abc, 321) costs 3 from a usual start, else 1 + log2(26), and
//     log2 of its length; 1 more downwards.
//   - A year from 1900 to 2099 costs 7, a date 16, with separators 18.
//   - A separator (space, "-", "_", ".") before one of these costs 2.
//   - A run over neighbouring keys (4 to 32) costs 3 from a usual start, else
//     log2(47), 3 for each direction taken, 1 for each change of shift, and log2
//     of its length.
//   - A copy of 3 bytes or more that stood before costs 2 + the less of log2(its
//     offset + 1) and the gamma code of its distance, + the gamma code of its
//     length - 2. Of the places that it could come from the 64 nearest count,
//     up to the first with more than 32 bytes.
//   - A pattern after a literal byte costs 8 more, also at the start of 20
//     hexadecimal digits or more, so that random values are not told to have
//     patterns: they can hardly be described shorter than they are.
//   - A value that is the base64 or hex of printable text costs no more than that
//     text and 2.
//
// Numbers are kept in 1/1024 bit, logarithms are rounded down; a machine's
// floating point has no part in it.
//
// # The classes
//
// Bytes that an attacker is assumed to know take with them the steps that
// cover them, and those that they are copies of. A value is
//
//   - unsearchable below 8 bytes, and below 15 bytes when IsCommon;
//   - weak below 40 bits in all;
//   - edge when it has 15 bytes or more and, wherever its region of 9 bytes
//     stands (its three regions, over 128 bytes), 72 + 8 bits are left when the
//     generator is known and 80 + 8 when it is not;
//   - core otherwise.
//
// The package promises to keep nothing of what it is shown and to be safe for
// concurrent use. It refuses nothing: whatever the bytes are, there is a number.
package strength
