package passport

import (
	"slices"
	"strings"
	"testing"
	"time"

	"parley/im"
	"parley/xmltext"
)

// request is what MSN Messenger 7.5 sends: dialects 3.4.
const request = `<?xml version="1.0" encoding="UTF-8"?>
<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/" xmlns:wsse="http://schemas.xmlsoap.org/ws/2003/06/secext" xmlns:wsp="http://schemas.xmlsoap.org/ws/2002/12/policy" xmlns:wsa="http://schemas.xmlsoap.org/ws/2004/03/addressing" xmlns:wst="http://schemas.xmlsoap.org/ws/2004/04/trust">
<Header>
<ps:AuthInfo xmlns:ps="http://schemas.microsoft.com/Passport/SoapServices/PPCRL" Id="PPAuthInfo"><ps:BinaryVersion>3</ps:BinaryVersion><ps:Cookies></ps:Cookies></ps:AuthInfo>
<wsse:Security><wsse:UsernameToken Id="user"><wsse:Username>alice@example.com</wsse:Username><wsse:Password>se&lt;cret&amp;</wsse:Password></wsse:UsernameToken></wsse:Security>
</Header>
<Body><ps:RequestMultipleSecurityTokens xmlns:ps="http://schemas.microsoft.com/Passport/SoapServices/PPCRL" Id="RSTS">
<wst:RequestSecurityToken Id="RST0"><wst:RequestType>http://schemas.xmlsoap.org/ws/2004/04/security/trust/Issue</wst:RequestType><wsp:AppliesTo><wsa:EndpointReference><wsa:Address>http://Passport.NET/tb</wsa:Address></wsa:EndpointReference></wsp:AppliesTo></wst:RequestSecurityToken>
<wst:RequestSecurityToken Id="RST1"><wst:RequestType>http://schemas.xmlsoap.org/ws/2004/04/security/trust/Issue</wst:RequestType><wsp:AppliesTo><wsa:EndpointReference><wsa:Address>messenger.msn.com</wsa:Address></wsa:EndpointReference></wsp:AppliesTo><wsse:PolicyReference URI="?lc=1033&amp;id=507&amp;tw=40"></wsse:PolicyReference></wst:RequestSecurityToken>
</ps:RequestMultipleSecurityTokens></Body>
</Envelope>`

// dialects 3.4
func TestSOAPRequest(t *testing.T) {
	r, err := parseSOAP([]byte(request))
	if err != nil {
		t.Fatal(err)
	}
	if r.handle != "alice@example.com" || r.password.Reveal() != "se<cret&" || !slices.Equal(r.addresses, []string{tokenBase, "messenger.msn.com"}) {
		t.Errorf("%q %q %q", r.handle, r.password.Reveal(), r.addresses)
	}
	one := strings.NewReplacer("ps:RequestMultipleSecurityTokens", "Other").Replace(request)
	if _, err := parseSOAP([]byte(one)); err != errNoToken {
		t.Errorf("no request inside: %v", err)
	}
	const single = `<E:Envelope xmlns:E="urn:other"><E:Header><Security><UsernameToken><Username>a@b</Username><Password>p</Password></UsernameToken></Security></E:Header>` +
		`<E:Body><RequestSecurityToken><AppliesTo><EndpointReference><Address>x</Address></EndpointReference></AppliesTo></RequestSecurityToken></E:Body></E:Envelope>`
	if r, err := parseSOAP([]byte(single)); err != nil || !slices.Equal(r.addresses, []string{"x"}) {
		t.Errorf("one ticket, other spaces: %v, %v", r.addresses, err)
	}
}

func TestBadSOAPRequests(t *testing.T) {
	token := request[strings.Index(request, `<wst:RequestSecurityToken Id="RST1">`):strings.Index(request, "</ps:RequestMultiple")]
	for name, body := range map[string]string{
		"nothing":         "",
		"no XML":          "sign-in=alice",
		"another root":    "<a/>",
		"nobody":          strings.ReplaceAll(request, "Username>", "Other>"),
		"no password":     strings.Replace(request, "se&lt;cret&amp;", "", 1),
		"document type":   strings.Replace(request, "?>", `?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>`, 1),
		"entity":          strings.Replace(request, "alice", "&e;", 1),
		"too deep":        strings.Replace(request, "<Body>", "<Body>"+strings.Repeat("<a>", 30), 1),
		"too many nodes":  strings.Replace(request, "<Body>", "<Body>"+strings.Repeat("<a/>", 1100), 1),
		"too many":        strings.Replace(request, token, strings.Repeat(token, maxTokens+1), 1),
		"no address":      strings.Replace(request, "messenger.msn.com", "", 1),
		"long address":    strings.Replace(request, "messenger.msn.com", strings.Repeat("x", maxAddress+1), 1),
		"cut off":         request[:len(request)-20],
		"not UTF-8":       strings.Replace(request, "alice", "al\xffce", 1),
		"too long":        strings.Replace(request, "alice", strings.Repeat("x", maxBody), 1),
		"twice":           request + request,
		"wrong structure": "<Envelope><Username>a@b</Username><Password>p</Password></Envelope>",
	} {
		if r, err := parseSOAP([]byte(body)); err == nil || r.handle != "" || r.addresses != nil {
			t.Errorf("%s: %q %q, %v", name, r.handle, r.addresses, err)
		} else if strings.Contains(err.Error(), "cret") {
			t.Errorf("%s: %v tells of what was read", name, err)
		}
	}
}

// What a client asks for comes back to it as text, whatever it is: dialects 3.4.
func TestGranted(t *testing.T) {
	who, now := address(t, "alice@example.com"), time.Date(2005, 5, 12, 10, 0, 0, 0, time.FixedZone("", 7200))
	const odd = `a"'><S:Fault/>&`
	b := granted(soapRequest{addresses: []string{tokenBase, "messenger.msn.com", odd}}, who, "t=x&p=1", now, time.Hour)
	doc, err := xmltext.Parse(b, xmltext.Limits{})
	if err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	pp := within(doc.Root(), "Header", "pp")
	if got := string(within(pp, "authstate").Text()) + " " + string(within(pp, "reqstatus").Text()); got != "0x48803 0x0" {
		t.Error(got)
	}
	if id := string(within(pp, "PUID").Text()); len(id) != 16 || id != number(who) || id == number(address(t, "bob@example.com")) {
		t.Errorf("PUID %q", id)
	}
	var got []string
	for r := range within(doc.Root(), "Body", "RequestSecurityTokenResponseCollection").Children() {
		id, _ := within(r, "RequestedSecurityToken", "BinarySecurityToken").Attr("", "Id")
		uri, _ := within(r, "RequestedTokenReference", "Reference").Attr("", "URI")
		got = append(got, string(within(r, "TokenType").Text()), string(within(r, "AppliesTo", "EndpointReference", "Address").Text()),
			string(within(r, "RequestedSecurityToken", "BinarySecurityToken").Text()), string(id), string(uri),
			string(within(r, "LifeTime", "Created").Text()), string(within(r, "LifeTime", "Expires").Text()))
	}
	const from, to = "2005-05-12T08:00:00Z", "2005-05-12T09:00:00Z"
	want := []string{
		"urn:passport:legacy", tokenBase, "", "", "#BinaryDAToken0", from, to,
		"urn:passport:compact", "messenger.msn.com", "t=x&p=1", "Compact1", "#Compact1", from, to,
		"urn:passport:compact", odd, "t=x&p=1", "Compact2", "#Compact2", from, to,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func FuzzSOAP(f *testing.F) {
	f.Add([]byte(request))
	f.Add([]byte(strings.ReplaceAll(request, "\n", "")))
	f.Add([]byte("<Envelope/>"))
	f.Add([]byte("\xef\xbb\xbf" + request))
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := parseSOAP(body)
		if err != nil {
			if r.handle != "" || r.addresses != nil {
				t.Errorf("%q %q go with an error", r.handle, r.addresses)
			}
			return
		}
		if r.handle == "" || r.password.Reveal() == "" || len(r.addresses) == 0 || len(r.addresses) > maxTokens || len(body) > maxBody {
			t.Errorf("%q asks for %q", r.handle, r.addresses)
		}
		who, _ := im.ParseAddress("alice@example.com")
		answer := granted(r, who, "t=x&p=1", time.Unix(0, 0), time.Hour)
		doc, err := xmltext.Parse(answer, xmltext.Limits{})
		if err != nil {
			t.Fatalf("%v\n%s", err, answer)
		}
		var back []string
		for c := range within(doc.Root(), "Body", "RequestSecurityTokenResponseCollection").Children() {
			back = append(back, string(within(c, "AppliesTo", "EndpointReference", "Address").Text()))
		}
		if !slices.Equal(back, r.addresses) {
			t.Errorf("asked for %q, answered %q", r.addresses, back)
		}
	})
}
