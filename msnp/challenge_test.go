package msnp_test

import (
	"strings"
	"testing"
	"time"

	"parley/msnp"
)

// The vectors of dialects 9.1.
func TestChallengeResponse(t *testing.T) {
	for challenge, want := range map[string]string{
		"15570131571988941333": "8f2f5a91b72102cd28355e9fc9000d6e",
		"11111111111111111111": "3b6666b60157322b6fc6e41a115968f5",
		"12345678901234567890": "8ba1bb9d6dbf624fee31a2053af5fdd0",
	} {
		if got, ok := msnp.ChallengeResponse(challenge, "msmsgs@msnmsgr.com"); !ok || got != want {
			t.Errorf("%s: %s, %v", challenge, got, ok)
		}
	}
	if got, ok := msnp.ChallengeResponse("1", "PROD00517IFH4@RV"); ok || got != "" {
		t.Errorf("nobody knows its key: %q", got)
	}
	a, b := msnp.NewChallenge(), msnp.NewChallenge()
	if len(a) != 20 || strings.Trim(a, "0123456789") != "" || a == b {
		t.Errorf("%q, %q", a, b)
	}
}

// dialects 3.6: each dialect has more of the profile than the one before it.
func TestProfileGrows(t *testing.T) {
	p := msnp.Profile{Login: time.Unix(1726321960, 0), Member: 1<<32 | 2, Handle: "alice@example.com", Auth: "AAAAAAAAAAAAAAAAAAAA$$"}
	for dialect, size := range map[int]int{2: 95, 3: 350 - len("Flags: 1027\r\n"), 4: 350, 5: 350, 7: 350} {
		got := string(msnp.ProfilePayload(dialect, p))
		if len(got) != size || !strings.HasSuffix(got, "\r\n\r\n") {
			t.Errorf("MSNP%d: %d bytes, want %d\n%s", dialect, len(got), size, got)
		}
		if dialect > 2 && !strings.Contains(got, "\r\nMemberIdHigh: 1\r\nMemberIdLow: 2\r\n") {
			t.Errorf("MSNP%d: %s", dialect, got)
		}
	}
	p.Member = 0xFFFFFFFF
	if got := string(msnp.ProfilePayload(7, p)); !strings.Contains(got, "MemberIdLow: -1\r\n") {
		t.Errorf("the halves have signs: %s", got)
	}
}

// dialects 1.5: names of groups are cut between characters.
func TestFit(t *testing.T) {
	for in, want := range map[string]string{
		"Friends":               "Friends",
		strings.Repeat("x", 62): strings.Repeat("x", 61),
		strings.Repeat("ö", 11): strings.Repeat("%C3%B6", 10),
		"a b":                   "a%20b",
	} {
		if got := msnp.Fit(in, msnp.MaxGroup); got != want {
			t.Errorf("%q is cut to %q", in, got)
		}
	}
}
