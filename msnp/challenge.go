package msnp

import (
	"crypto/md5"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"math/big"
	"strings"
)

// products are the names under which clients answer challenges, with what they know: dialects 9.1.
var products = map[string]string{
	"msmsgs@msnmsgr.com": "Q1P7W2E4J9R8U3S5",
	"PROD0038W!61ZTF9":   "VT6PX?UQTM4WM%YR",
	"PROD0058#7IL2{QD":   "QHDCY@7R1TB6W?5B",
	"PROD0061VRRZH@4F":   "JXQ6J@TUOGYV@N0M",
	"PROD00504RLUG%WL":   "I2EBK%PYNLZL5_J4",
	"PROD0076ENE8*@AW":   "CEQJ8}OE0!WTSWII",
	"PROD0090YUAUV{2B":   "YMM8C_H7KCQ2S_KL",
	"PROD00974#MT*RC2":   "LMCVO*18PQJ3H!K3",
	"PROD0101{0RM?UBW":   "CFHUR$52U_{VIX5T",
	"PROD0104U6VVM{UJ":   "VK67B}379XYM5}$T",
	"PROD01065C%ZFN6F":   "O4BG@C7BWLYQX?5G",
}

// NewChallenge makes 20 random digits for CHL: dialects 9.1.
func NewChallenge() string {
	limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(20), nil)
	n, err := rand.Int(rand.Reader, limit)
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	s := n.String()
	return strings.Repeat("0", 20-len(s)) + s
}

// LongChallengeResponse is ChallengeResponse for MSNP11 and MSNP12, which mix the sum with the challenge and the product:
// dialects 9.1.
func LongChallengeResponse(challenge, product string) (response string, ok bool) {
	key, ok := products[product]
	if !ok {
		return "", false
	}
	const m = 0x7FFFFFFF
	sum := md5.Sum([]byte(challenge + key))
	var h, k [4]uint64
	for i := range h {
		h[i] = uint64(binary.LittleEndian.Uint32(sum[4*i:]))
		k[i] = h[i] & m
	}
	s := []byte(challenge + product)
	for len(s)%8 != 0 {
		s = append(s, '0')
	}
	var hi, lo uint64
	for i := 0; i < len(s); i += 8 {
		a, b := uint64(binary.LittleEndian.Uint32(s[i:])), uint64(binary.LittleEndian.Uint32(s[i+4:]))
		t := ((a*0x0E79A9C1%m+hi)*k[0] + k[1]) % m
		hi = (b + t) % m
		hi = (hi*k[2] + k[3]) % m
		lo += hi + t
	}
	hi, lo = (hi+k[1])%m, (lo+k[3])%m
	for i, x := range [4]uint64{hi, lo, hi, lo} {
		binary.LittleEndian.PutUint32(sum[4*i:], uint32(h[i]^x))
	}
	return hex.EncodeToString(sum[:]), true
}

// ChallengeResponse is the answer of a product to a challenge of MSNP6 to MSNP10; ok is false for a product that is not
// known. dialects 9.1
func ChallengeResponse(challenge, product string) (response string, ok bool) {
	key, ok := products[product]
	if !ok {
		return "", false
	}
	sum := md5.Sum([]byte(challenge + key))
	return hex.EncodeToString(sum[:]), true
}
