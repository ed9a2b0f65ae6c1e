package msnp

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"parley/im"
)

// GUID names a contact or a group from MSNP10 on: 32 hexadecimal digits in lower case and four hyphens, dialects 4.6. They
// are not kept: each is made of what it names, which never changes.
type GUID string

// ContactGUID is the one of an address; it is the same for everybody who has it on a list. dialects 4.6
func ContactGUID(who im.Address) GUID {
	var of [160]byte // a line of each contact has one: nothing of it is left over
	return newGUID(append(append(of[:0], "contact "...), who.String()...))
}

// GroupGUID is the one of a group of an account. dialects 6
func GroupGUID(owner im.Address, id im.GroupID) GUID {
	return newGUID([]byte("group " + strconv.FormatInt(int64(id), 10) + " " + owner.String()))
}

// newGUID has the bits that one made at random has.
func newGUID(of []byte) GUID {
	sum := sha256.Sum256(of)
	sum[6] = sum[6]&0x0f | 0x40
	sum[8] = sum[8]&0x3f | 0x80
	var b [36]byte
	hex.Encode(b[0:8], sum[0:4])
	hex.Encode(b[9:13], sum[4:6])
	hex.Encode(b[14:18], sum[6:8])
	hex.Encode(b[19:23], sum[8:10])
	hex.Encode(b[24:36], sum[10:16])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return GUID(b[:])
}

// ParseGUID reads a GUID; letters of either case are taken, and braces are not.
func ParseGUID(b []byte) (GUID, bool) {
	if len(b) != 36 {
		return "", false
	}
	var g [36]byte
	for i, c := range b {
		hyphen := i == 8 || i == 13 || i == 18 || i == 23
		if hyphen != (c == '-') || !hyphen && unhex(c) < 0 {
			return "", false
		}
		g[i] = lower(c)
	}
	return GUID(g[:]), true
}
