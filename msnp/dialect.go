package msnp

import (
	"bytes"
	"slices"
	"strconv"
)

// What Negotiate says beside a dialect's number, which is 2 to 12.
const (
	NoDialect   = 0 // nothing in common: the connection is closed
	VersionOnly = 1 // CVR0: nothing but CVQ is served, then the connection is closed
)

const (
	minDialect = 2
	maxDialect = 12
)

var cvr0 = []byte("CVR0")

// DialectName is the name of dialect n on the wire: MSNP2.
func DialectName(n int) string { return "MSNP" + strconv.Itoa(n) }

// ParseDialect reads a dialect's name, MSNP2 to MSNP12 or CVR0 (VersionOnly). Case does not count: draft 7.1.
func ParseDialect(b []byte) (n int, ok bool) {
	if bytes.EqualFold(b, cvr0) {
		return VersionOnly, true
	}
	if len(b) < 5 || len(b) > 6 || !bytes.EqualFold(b[:4], []byte("MSNP")) || b[4] == '0' {
		return NoDialect, false
	}
	for _, d := range b[4:] {
		if d < '0' || d > '9' {
			return NoDialect, false
		}
		n = n*10 + int(d-'0')
	}
	if n < minDialect || n > maxDialect {
		return NoDialect, false
	}
	return n, true
}

// Negotiate picks the highest dialect that is both offered and served, and gives the parameters of the VER that
// answers: draft 7.1, dialects 2.2. Some clients that offer CVR0 want it named beside the dialect; where it is all
// that is common, the answer is CVR0 and the dialect VersionOnly; where nothing is, 0 and NoDialect.
func Negotiate(offered [][]byte, served []int) (reply []string, dialect int) {
	versions := false
	for _, o := range offered {
		n, ok := ParseDialect(o)
		switch {
		case ok && n == VersionOnly:
			versions = true
		case ok && slices.Contains(served, n):
			dialect = max(dialect, n)
		}
	}
	switch {
	case dialect != NoDialect && versions:
		return []string{DialectName(dialect), string(cvr0)}, dialect
	case dialect != NoDialect:
		return []string{DialectName(dialect)}, dialect
	case versions:
		return []string{string(cvr0)}, VersionOnly
	}
	return []string{"0"}, NoDialect
}
