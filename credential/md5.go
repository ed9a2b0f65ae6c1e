package credential

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/subtle"
	"encoding/binary"
	"encoding/hex"
)

// NewChallenge makes the challenge of one login attempt: ten digits, a dot, nine digits,
// as live servers sent it, 62 random bits. Whoever asks again gets another one, as a
// challenge used twice lets a recorded login in. draft 7.3; dialects 3.1.
func NewChallenge() string {
	var r [16]byte
	rand.Read(r[:])
	b := make([]byte, 0, 20)
	b = appendDigits(b, binary.LittleEndian.Uint64(r[:8]), 10)
	b = append(b, '.')
	b = appendDigits(b, binary.LittleEndian.Uint64(r[8:]), 9)
	return string(b)
}

// appendDigits appends n digits made of r, the first of them not a zero.
func appendDigits(b []byte, r uint64, n int) []byte {
	least := uint64(1)
	for range n - 1 {
		least *= 10
	}
	for r = least + r%(9*least); least > 0; least /= 10 {
		b = append(b, '0'+byte(r/least%10))
	}
	return b
}

// CheckMD5 reports whether the response to the challenge is that of the account: the MD5
// sum of the challenge and the password as typed, in hexadecimal digits of either case.
// The address is the one the keys were Set for. The zero Keys, for an account that does
// not exist, and keys without a password cost the same work, and the answer is no.
// About 1 µs. draft 7.3; dialects 3.1.
func (v *Vault) CheckMD5(address string, k Keys, challenge string, response []byte) bool {
	want, known := v.md5Sum(address, k, challenge)
	var got [md5.Size]byte
	well := 0
	if len(response) == hex.EncodedLen(md5.Size) {
		if n, err := hex.Decode(got[:], response); n == md5.Size && err == nil {
			well = 1
		}
	}
	return subtle.ConstantTimeCompare(want[:], got[:])&known&well == 1
}

// MD5Response is what the owner of the account answers to the challenge, and whether
// that is known: not for the zero Keys or where no password is kept. It is for the
// service that tests itself through its own doors.
func (v *Vault) MD5Response(address string, k Keys, challenge string) (string, bool) {
	sum, known := v.md5Sum(address, k, challenge)
	if known == 0 {
		return "", false
	}
	return hex.EncodeToString(sum[:]), true
}

// md5Sum is the expected sum and 1, or something else and 0 after the same work.
func (v *Vault) md5Sum(address string, k Keys, challenge string) ([md5.Size]byte, int) {
	known := 1
	sealed := v.in.decoy
	if k.Sealed() {
		sealed = k.open().sealed
	} else {
		known, address = 0, nobody
	}
	buf := make([]byte, len(challenge), len(challenge)+max(len(sealed), 2*sealUnit))
	copy(buf, challenge)
	all, length, ok := v.open(buf, address, sealed)
	if !ok {
		known = 0
	}
	sum := md5.Sum(all[:length])
	clear(all)
	return sum, known
}
