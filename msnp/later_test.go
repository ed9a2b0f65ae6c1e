package msnp_test

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"
	"time"

	"parley/im"
	"parley/msnp"
)

// The vectors of dialects 9.1.
func TestLongChallengeResponse(t *testing.T) {
	for _, c := range [][3]string{
		{"15570131571988941333", "PROD01065C%ZFN6F", "47d2b1e24f85947bdd29b3bfe29f027b"},
		{"93662730714769834295", "PROD01065C%ZFN6F", "1fd1345b59d9e2c1af131e00b51ddb96"},
		{"13038318816579321232", "PROD01065C%ZFN6F", "f52409e13833d91f66af73abfced22bf"},
		{"12345678901234567890", "PROD0090YUAUV{2B", "a57a33d300de0b8c4d3c074d423e25fb"},
		{"12345678901234567890", "PROD0101{0RM?UBW", "7273d989239f9bc4bbde22f72b399453"},
	} {
		if got, ok := msnp.LongChallengeResponse(c[0], c[1]); !ok || got != c[2] {
			t.Errorf("%s, %s: %s, %v", c[0], c[1], got, ok)
		}
	}
	if got, ok := msnp.LongChallengeResponse("1", "PROD00517IFH4@RV"); ok || got != "" {
		t.Errorf("nobody knows its key: %q", got)
	}
}

// dialects 3.6, 13.7: the address and the port with its bytes swapped from MSNP8 on, the kind of lists from MSNP10 on.
func TestProfileOfLaterDialects(t *testing.T) {
	p := msnp.Profile{Login: time.Unix(1726321960, 0), Member: 1<<32 | 2, Handle: "alice@example.com", Auth: "AAAAAAAAAAAAAAAAAAAA$$",
		Client: netip.MustParseAddrPort("192.168.1.10:1863")}
	for dialect, want := range map[int]string{
		7: "MSPAuth: AAAAAAAAAAAAAAAAAAAA$$\r\n\r\n",
		8: "ClientIP: 192.168.1.10\r\nClientPort: 18183\r\n\r\n", 9: "ClientPort: 18183\r\n\r\n",
		10: "ClientPort: 18183\r\nABCHMigrated: 1\r\n\r\n", 12: "ClientPort: 18183\r\nABCHMigrated: 1\r\n\r\n",
	} {
		if got := string(msnp.ProfilePayload(dialect, p)); !strings.HasSuffix(got, want) {
			t.Errorf("MSNP%d ends %q", dialect, got[len(got)-60:])
		}
	}
	p.Client = netip.MustParseAddrPort("[2001:db8::1]:0")
	if got := string(msnp.ProfilePayload(12, p)); !strings.Contains(got, "ClientIP: 0.0.0.0\r\nClientPort: 0\r\n") {
		t.Errorf("an address of another kind: %s", got)
	}
}

// dialects 4.6, 6: a GUID is the same each time, and another one for each that is named.
func TestGUID(t *testing.T) {
	alice, bob := im.MustAddress("alice@example.com"), im.MustAddress("bob@example.com")
	seen := map[msnp.GUID]bool{}
	for _, g := range []msnp.GUID{msnp.ContactGUID(alice), msnp.ContactGUID(bob), msnp.GroupGUID(alice, 1), msnp.GroupGUID(alice, 2), msnp.GroupGUID(bob, 1)} {
		if got, ok := msnp.ParseGUID([]byte(g)); !ok || got != g || g[14] != '4' || !strings.ContainsRune("89ab", rune(g[19])) {
			t.Errorf("%s is read as %s, %v", g, got, ok)
		}
		if got, ok := msnp.ParseGUID([]byte(strings.ToUpper(string(g)))); !ok || got != g {
			t.Errorf("case counts in %s", g)
		}
		if seen[g] {
			t.Errorf("%s names two", g)
		}
		seen[g] = true
	}
	if first, again := msnp.ContactGUID(alice), msnp.ContactGUID(im.MustAddress(alice.String())); first != again {
		t.Error("another one each time")
	}
	for _, bad := range []string{"", "bob@example.com", "{c1f9a363-4ee9-4a33-a434-b056a4c55b98}", "c1f9a363-4ee9-4a33-a434-b056a4c55b9", "c1f9a363x4ee9-4a33-a434-b056a4c55b98", "g1f9a363-4ee9-4a33-a434-b056a4c55b98"} {
		if _, ok := msnp.ParseGUID([]byte(bad)); ok {
			t.Errorf("%q is no GUID", bad)
		}
	}
}

// dialects 4.2: another stamp after each change, in the form of live servers.
func TestStamp(t *testing.T) {
	a, b := msnp.Stamp(1), msnp.Stamp(2)
	if a == b || a != "2000-01-01T00:00:00.0010000-00:00" {
		t.Errorf("%s, %s", a, b)
	}
}

// dialects 5.6.
func TestPersonal(t *testing.T) {
	for in, want := range map[string]msnp.Personal{
		"": {},
		"<Data><PSM>hello</PSM><CurrentMedia></CurrentMedia></Data>":                                             {Text: "hello"},
		"<Data><PSM/><CurrentMedia>\\0Music\\01\\0{0} - {1}\\0Song\\0Band\\0\\0\\0</CurrentMedia></Data>":        {Media: "\\0Music\\01\\0{0} - {1}\\0Song\\0Band\\0\\0\\0"},
		"<Data><PSM>a &lt; b &amp; &quot;c&quot;</PSM></Data>":                                                   {Text: "a < b & \"c\""},
		"<Data><CurrentMedia></CurrentMedia><MachineGuid>{1}</MachineGuid><PSM>late</PSM></Data>":                {Text: "late"},
		"<Data><PSM>" + strings.Repeat("x", msnp.MaxPersonalText) + "</PSM><CurrentMedia></CurrentMedia></Data>": {Text: strings.Repeat("x", msnp.MaxPersonalText)},
	} {
		if got, err := msnp.ParsePersonal([]byte(in)); err != nil || got != want {
			t.Errorf("%s: %+v, %v", in, got, err)
		}
		again, err := msnp.ParsePersonal(msnp.AppendPersonal(nil, want))
		if err != nil || again != want {
			t.Errorf("%+v comes back as %+v, %v", want, again, err)
		}
	}
	for _, bad := range []string{"x", "<Data>", "<Other/>", "<Data><PSM>&bad;</PSM></Data>", "<!DOCTYPE a><Data/>",
		"<Data><PSM>" + strings.Repeat("x", msnp.MaxPersonalText+1) + "</PSM></Data>", "<Data>" + strings.Repeat("<a/>", 2000) + "</Data>"} {
		if p, err := msnp.ParsePersonal([]byte(bad)); err == nil {
			t.Errorf("%.40q is read as %+v", bad, p)
		}
	}
	long := string(msnp.AppendPersonal(nil, msnp.Personal{Text: strings.Repeat("ö", 4000)}))
	if len(long) > 2*msnp.MaxPersonalText || !strings.Contains(long, "ö</PSM>") {
		t.Errorf("%d bytes: %.80s", len(long), long)
	}
}

// object is one of dialects 5.5, as a client of 2005 writes it.
const object = "%3Cmsnobj%20Creator%3D%22alice%40example.com%22%20Size%3D%2225235%22%20Type%3D%223%22%20Location%3D%22uexA4DE.dat%22%20Friendly%3D%22AAA%3D%22%20SHA1D%3D%22vP1ppB+xiFQ8ceZivRe0uCaYLIU%3D%22%20SHA1C%3D%22PApbbjkbDSGrt3ybGHRKNaZ8s%2Fw%3D%22%2F%3E"

// dialects 5.5.
func TestParseObject(t *testing.T) {
	want := msnp.Object{Creator: "alice@example.com", Size: 25235, Type: 3, Location: "uexA4DE.dat", SHA1D: "vP1ppB+xiFQ8ceZivRe0uCaYLIU="}
	if got, err := msnp.ParseObject([]byte(object)); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := msnp.ParseObject([]byte("%3Cmsnobj%2F%3E")); err != nil || got != (msnp.Object{}) {
		t.Errorf("%+v, %v", got, err)
	}
	for _, bad := range []string{"", "x", "%3Cother%2F%3E", "%3Cmsnobj%20Size%3D%22-1%22%2F%3E", "%3Cmsnobj%20Type%3D%22x%22%2F%3E",
		"%3Cmsnobj%20Location%3D%22" + strings.Repeat("a", msnp.MaxObject) + "%22%2F%3E", "%3Cmsnobj%3E%3Ca%2F%3E%3C%2Fmsnobj%3E"} {
		if o, err := msnp.ParseObject([]byte(bad)); err == nil {
			t.Errorf("%.40q is read as %+v", bad, o)
		}
	}
}

// packet makes a body of dialects 8.4, whose head says that there are so many bytes of data.
func packet(said uint32, data string) []byte {
	b := make([]byte, 48)
	binary.LittleEndian.PutUint32(b, 7)
	binary.LittleEndian.PutUint64(b[16:], uint64(len(data)))
	binary.LittleEndian.PutUint32(b[24:], said)
	binary.LittleEndian.PutUint32(b[28:], 0x20)
	return append(append(b, data...), 0, 0, 0, 1)
}

// dialects 8.4: the lengths have to agree.
func TestParsePacket(t *testing.T) {
	p, err := msnp.ParsePacket(packet(5, "hello"))
	if err != nil || p.Session != 7 || p.Total != 5 || p.Flags != 0x20 || string(p.Data) != "hello" || p.App != 1 {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := msnp.ParsePacket(packet(0, "")); err != nil {
		t.Error(err)
	}
	if _, err := msnp.ParsePacket(packet(1202, strings.Repeat("x", 1202))); err != nil {
		t.Error(err)
	}
	beyond := packet(5, "hello")
	binary.LittleEndian.PutUint64(beyond[8:], 1<<63)
	for _, bad := range [][]byte{nil, []byte("hello"), packet(4, "hello"), packet(6, "hello"), packet(0xFFFFFFFF, "hello"), packet(1203, strings.Repeat("x", 1203)), beyond} {
		if p, err := msnp.ParsePacket(bad); err == nil {
			t.Errorf("%.20q is read as %+v", bad, p)
		}
	}
}

// FuzzObject: whatever is read is bounded, and is read alike again. dialects 5.5
func FuzzObject(f *testing.F) {
	f.Add([]byte(object))
	f.Add([]byte("%3Cmsnobj%2F%3E"))
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := msnp.ParseObject(b)
		if err == nil && (len(b) > msnp.MaxObject || o.Size < 0 || o.Type < 0) {
			t.Errorf("%q is %+v", b, o)
		}
	})
}

// FuzzPacket: what is read lies within what was given. dialects 8.4
func FuzzPacket(f *testing.F) {
	f.Add(packet(5, "hello"))
	f.Add(packet(0, ""))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := msnp.ParsePacket(b)
		if err == nil && (!bytes.Contains(b, p.Data) || len(p.Data) > 0 && p.Offset+uint64(len(p.Data)) > p.Total) {
			t.Errorf("%q is %+v", b, p)
		}
	})
}

// FuzzPersonal: what is read can be written, and is read alike again. dialects 5.6
func FuzzPersonal(f *testing.F) {
	f.Add([]byte("<Data><PSM>hello</PSM><CurrentMedia></CurrentMedia></Data>"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := msnp.ParsePersonal(b)
		if err != nil {
			return
		}
		again, err := msnp.ParsePersonal(msnp.AppendPersonal(nil, p))
		if p.Text = strings.ReplaceAll(p.Text, "\n", " "); err != nil && len(b) < 2000 || err == nil && again != p {
			t.Errorf("%q is %+v, then %+v, %v", b, p, again, err)
		}
	})
}
