package ssp

import (
	"encoding/hex"
	"testing"
)

// TestDigest: the sums were made with other tools. SSP 6; ssp-syntax 5.1.
func TestDigest(t *testing.T) {
	token, password := []byte("00112233445566778899aabbccddeeff"), []byte("castle long")
	for _, c := range []struct {
		h                 Hash
		name, want, plain string
	}{
		{MD5, "md5", "KOaPa2D8sM02SmZ8Z9ZsqQ==", "tDd/e6vymRt9aYPE0+Gc1A=="},
		{SHA, "sha", "7QI2ZXEAxIraBpq20uGH/m2ghOI=", "KrMbKwwl1fbLyeCC+Aq3zSfsYxU="},
	} {
		d := Digest(c.h, token, password)
		if got := FormatDigest(d); got != c.want {
			t.Errorf("%s is %s", c.h, got)
		}
		if got := FormatDigest(TokenDigest(c.h, token)); got != c.plain {
			t.Errorf("%s of the token is %s", c.h, got)
		}
		if !Proves(c.h, d, token, password) || Proves(c.h, d, token, []byte("castle short")) || Proves(c.h, nil, token, password) ||
			Proves(1-c.h, d, token, password) || Proves(c.h, d[:8], token, password) {
			t.Errorf("%s proves something else", c.h)
		}
		if h, err := ParseHash(c.name); err != nil || h != c.h || h.String() != c.name {
			t.Errorf("%s is %v, %v", c.name, h, err)
		}
	}
	if _, err := ParseHash("none"); err == nil {
		t.Error("a hash that is none")
	}
	a, b := NewToken(), NewToken()
	if raw, err := hex.DecodeString(a); err != nil || len(raw) != 16 || a == b {
		t.Errorf("tokens %s %s", a, b)
	}
}
