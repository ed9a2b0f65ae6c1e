package msnp

import (
	"crypto/md5"
	"crypto/rand"
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
