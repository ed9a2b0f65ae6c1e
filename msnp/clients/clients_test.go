package clients

import (
	"slices"
	"strings"
	"testing"

	"parley/msnp"
	"parley/msnp/passport"
)

// TestLines: what versions say of themselves is what the sources have: dialects 2.4, 12, 13.
func TestLines(t *testing.T) {
	for _, x := range []struct {
		version  string
		ver, cvr string
	}{
		{"1.0.0863", "MSNP2 CVR0", "0x0409 win 4.10 i386 MSMSGS 1.0.0863"},
		{"2.0", "MSNP3 MSNP2 CVR0", "0x0409 win 4.10 i386 MSMSGS 2.0.0085"},
		{"3.0", "MSNP5 MSNP4 CVR0", "0x0409 win 4.10 i386 MSMSGS 3.0.0286 MSMSGS"},
		{"3.6", "MSNP6 MSNP5 MSNP4 CVR0", "0x0409 win 4.10 i386 MSMSGS 3.6.0039 MSMSGS"},
		{"Windows Messenger 4.7", "MSNP7 MSNP6 MSNP5 MSNP4 CVR0", "0x0409 winnt 5.1 i386 MSMSGS 4.7.3000 MSMSGS"},
		{"5.0.0544", "MSNP8 CVR0", "0x0409 win 4.10 i386 MSNMSGR 5.0.0544 MSMSGS alice@example.com"},
		{"6.0", "MSNP9 MSNP8 CVR0", "0x0409 winnt 5.1 i386 MSNMSGR 6.0.0602 MSMSGS alice@example.com"},
		{"6.2.0137", "MSNP10 MSNP9 CVR0", "0x0409 winnt 5.1 i386 MSNMSGR 6.2.0137 MSMSGS alice@example.com"},
		{"msn messenger 7.5", "MSNP12 MSNP11 MSNP10 CVR0", "0x0409 winnt 5.1 i386 MSNMSGR 7.5.0324 MSMSGS alice@example.com"},
	} {
		c, build, err := Find(x.version)
		if err != nil {
			t.Error(err)
			continue
		}
		if got := strings.Join(c.Offers(), " "); got != x.ver {
			t.Errorf("%s offers %q, not %q", x.version, got, x.ver)
		}
		if got := strings.Join(c.CVR(build, c.Dialects[0], "alice@example.com"), " "); got != x.cvr {
			t.Errorf("%s: CVR %q, not %q", x.version, got, x.cvr)
		}
	}
}

func TestFind(t *testing.T) {
	for version, want := range map[string]string{
		"3.6": "3.6.0039", "3.6.0025": "3.6.0025", "3.6.0026": "3.6.0026", "4.0": "4.7.3000", "4.6": "4.6.0083", " 7.0 ": "7.0.0820", "MSN Messenger 2.1": "2.1.1047",
	} {
		c, build, err := Find(version)
		if err != nil || build != want {
			t.Errorf("%q: %v, %q, %v", version, c, build, err)
		}
	}
	for _, version := range []string{"", "8.0", "5.0.0340", "7", "6.2.137", "6.2.0209", "x.y", "6.2.0137.1"} {
		if c, _, err := Find(version); err == nil || !strings.Contains(err.Error(), "6.2, 7.0, 7.5") {
			t.Errorf("%q: %v, %v", version, c, err)
		}
	}
}

// TestAll: the table holds together.
func TestAll(t *testing.T) {
	for _, c := range All {
		first, ok := number(c.First)
		last, ok2 := number(c.Last)
		if !ok || !ok2 || first > last {
			t.Errorf("%s: builds %s to %s", c.Name, c.First, c.Last)
		}
		if !slices.IsSortedFunc(c.Dialects, func(a, b int) int { return b - a }) || len(c.Dialects) == 0 {
			t.Errorf("%s: dialects %v", c.Name, c.Dialects)
		}
		if newest := c.Dialects[0]; newest >= 8 != (c.Login != MD5) || newest >= 6 != (c.Product != "") || c.Dialects[len(c.Dialects)-1] < 8 && c.Login != MD5 {
			t.Errorf("%s: its login and its dialects do not fit", c.Name)
		}
		if c.Product != "" {
			if _, ok := msnp.ChallengeResponse("1", c.Product); !ok {
				t.Errorf("%s: nobody knows the product %s", c.Name, c.Product)
			}
		}
		if found, build, err := Find(c.Version); err != nil || found.Name != c.Name || c.Version == c.Name[len(c.Name)-3:] && build != c.Last {
			t.Errorf("%s is not found by %s", c.Name, c.Version)
		}
		for _, h := range c.Hosts() {
			if h.Listener == "passport" && !slices.Contains(passport.Names, h.Name) {
				t.Errorf("%s asks %s, which the certificate does not name", c.Name, h.Name)
			}
		}
	}
}

// TestSteps: what is to be done depends on the service as it is.
func TestSteps(t *testing.T) {
	kinds := func(version string, p Place) string {
		c, _, err := Find(version)
		if err != nil {
			t.Fatal(err)
		}
		var l []string
		for _, s := range c.Steps(p) {
			l = append(l, s.Kind)
		}
		return strings.Join(l, " ")
	}
	for _, x := range []struct {
		version string
		place   Place
		want    string
	}{
		{"2.0", Examples, "name registry patch login"},
		{"2.0", Place{Host: "192.0.2.1", Messenger: 1864}, "name port registry patch login"},
		{"4.6", Examples, "name registry patch login extra"},
		{"4.6", Place{Host: "192.0.2.1", Messenger: 1863}, "name registry patch login"},
		{"6.2", Examples, "name registry certificate tls patch system login extra"},
		{"6.2", Place{Host: "192.0.2.1", Messenger: 1863, Passport: 8443}, "name port registry tls patch system login"},
		{"7.5", Examples, "name certificate tls patch login remark extra"},
		{"7.5", Place{Host: "192.0.2.1", Messenger: 1, Passport: 2, HTTP: 3}, "name port port port tls patch login remark extra"},
	} {
		if got := kinds(x.version, x.place); got != x.want {
			t.Errorf("%s at %+v: %s, not %s", x.version, x.place, got, x.want)
		}
	}
}
