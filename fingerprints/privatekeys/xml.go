package privatekeys

import (
	"bytes"
	"math/big"
)

// xml reads the RSAKeyValue (XML signature syntax with the members that .NET
// adds for private keys) whose opening tag's name stands at the position.
func (s *search) xml(at int) {
	from := at + len("RSAKeyValue")
	text := s.data[from:min(len(s.data), from+MaxContainer)]
	stop := bytes.Index(text, []byte("RSAKeyValue"))
	if stop < 0 {
		return
	}
	m := map[string][]byte{}
	body := plain(text[:stop])
	for _, name := range []string{"Modulus", "Exponent", "P", "Q", "DP", "DQ", "InverseQ", "D"} {
		value := section(body, "<"+name+">", "</"+name+">")
		if len(value) > MaxBits/4 {
			return
		}
		chars, clean := everything(value)
		if !clean {
			return
		}
		m[name] = decode(chars)
	}
	num := func(name string) *big.Int { return new(big.Int).SetBytes(m[name]) }
	k, f := s.rsa(rsaFields{
		n: num("Modulus"), e: num("Exponent"), d: num("D"), primes: []*big.Int{num("P"), num("Q")},
		exps: []*big.Int{num("DP"), num("DQ")}, coeff: num("InverseQ"),
	})
	if f != isKey {
		return
	}
	k.Container = XML
	end := from + stop + len("RSAKeyValue")
	if end < len(s.data) && s.data[end] == '>' {
		end++
	}
	start := at
	if start > 0 && s.data[start-1] == '<' {
		start--
	}
	s.add(start, end, k)
}
