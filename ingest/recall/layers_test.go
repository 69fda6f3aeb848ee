package recall_test

import "math/rand/v2"

// layered is some encodings in each other, chosen anew for every value, each
// of a text around the one before.
func layered(n int) coder {
	layers := []coder{
		chain(base64Std(), frame("data: ", "\n")),
		chain(base64URLRaw(), frame("token=", "&")),
		chain(base64Std(), wrapped(76, "\n"), frame("\n", "\n\n")),
		chain(list("%02x", "", 0, ""), frame("hex: ", "\n")),
		chain(jsonString(), frame(`{"k":"`, `"}`)),
		chain(jsonFull(), frame(`{"k":"`, `"}`)),
		chain(percentQuery(), frame("https://example.org/?q=", "&x=1 ")),
		chain(percentFull("%%%02X"), frame("?q=", "&x=1 ")),
		chain(htmlNamed(), frame("<td>", "</td>")),
		chain(utf16LE(), frame("\r\n", "\r\n")),
		chain(gzipped(), base64Std(), frame("gz: ", "\n")),
		chain(list("%d", ",", 0, ""), frame("[", "]")),
	}
	return func(r *rand.Rand, in []byte) (coded, bool) {
		list := []coder{around(20)}
		last := -1
		for len(list) <= n {
			k := r.IntN(len(layers))
			if k == last {
				continue
			}
			last = k
			list = append(list, layers[k], around(20))
		}
		return chain(list...)(r, in)
	}
}
