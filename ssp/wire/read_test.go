package wire

import (
	"bytes"
	"errors"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"parley/xmltext"
)

func inSession(d Dialect, inner string) string {
	return "<?xml version='1.0'?><WV-SSP-Message xmlns='" + d.Space() + "'><Session sessionID='c0ffee@south.example'>" +
		inner + "</Session></WV-SSP-Message>"
}

func transaction(d Dialect, mode, inner string) string {
	return inSession(d, "<Transaction mode='"+mode+"' transactionID='1'>"+inner+"</Transaction>")
}

// TestTolerance: what peers write otherwise is read as we would have written it. ssp-syntax 2.1, 2.4, 2.5, 2.8, 9.
func TestTolerance(t *testing.T) {
	const meta = "<MetaInfo clientOriginated='Yes'><Requestor serviceID='wv:@north.example'><User userID='wv:ines@north.example'/></Requestor></MetaInfo>"
	for _, c := range []struct{ name, in, want string }{
		{"letters of names", "<subscriberequest>" + strings.ReplaceAll(meta, "userID", "USERID") + "<USERID userid='wv:tom@south.example'/></subscriberequest>",
			"<SubscribeRequest>" + meta + "<UserID userID='wv:tom@south.example'/></SubscribeRequest>"},
		{"order", "<SubscribeRequest><AttributeList/><UserID userID='a@b'/>" + meta + "<UserID userID='c@d'/></SubscribeRequest>",
			"<SubscribeRequest>" + meta + "<UserID userID='a@b'/><UserID userID='c@d'/><AttributeList/></SubscribeRequest>"},
		{"order of attributes", "<KeepAliveResponse><Status code='200'/></KeepAliveResponse>", "<KeepAliveResponse><Status code='200'/></KeepAliveResponse>"},
		{"blanks", "<GetServiceRequest>\n <MetaInfo clientOriginated=' no '>\n <Requestor serviceID=' wv:@north.example\t'/> </MetaInfo>\n</GetServiceRequest>",
			"<GetServiceRequest><MetaInfo clientOriginated='No'><Requestor serviceID='wv:@north.example'/></MetaInfo></GetServiceRequest>"},
		{"Booleans", "<GetAttrListRequest defaultList='T'>" + strings.ReplaceAll(meta, "'Yes'", "'true'") + "</GetAttrListRequest>",
			"<GetAttrListRequest defaultList='Yes'>" + meta + "</GetAttrListRequest>"},
		{"what nobody knows", "<LogoutRequest since='1'>" + meta + "</LogoutRequest>", "<LogoutRequest/>"},
		{"status of the client protocol", "<Status><Result><Code>427</Code><Description>Nobody</Description></Result></Status>",
			"<Status code='531'><StatusDescription>Nobody</StatusDescription></Status>"},
		{"codes of the public implementation", "<Status code='901'/>", "<Status code='536'/>"},
		{"misprints", "<VeifyUseridRequest>" + meta + "<VerUserID userID='a@b' dateTime='2004-02-29T20:15:00Z'/></VeifyUseridRequest>",
			"<VerifyUseridRequest>" + meta + "<VerUserID userID='a@b' dateTime='20040229T201500Z'/></VerifyUseridRequest>"},
		{"name of the transaction", "<UpdateUserProfile>" + meta + "<Profile userID='a@b'/></UpdateUserProfile>",
			"<UpdateUserProfileRequest>" + meta + "<Profile userID='a@b'/></UpdateUserProfileRequest>"},
		{"delivery of the client protocol", "<SetMessageDeliveryMethod deliveryMethod='N'>" + meta + "</SetMessageDeliveryMethod>",
			"<SetMessageDeliveryMethod deliveryMethod='Notify/Get'>" + meta + "</SetMessageDeliveryMethod>"},
		{"services of the client protocol", "<ServiceList><Status code='200'/><Services><FundamentalFeat><SRCH/></FundamentalFeat><IMFeat/></Services></ServiceList>",
			"<ServiceList><Status code='200'/><Services><CommonFeature><SRCH/></CommonFeature><IMFeature/></Services></ServiceList>"},
		{"JoinedUser", "<GetJoinedUsersResponse><Status code='200'/><JoinedUser><UserMapList><UserMapping><Mapping><SName>\n Tom \n</SName><UserID userid='a@b'/></Mapping></UserMapping></UserMapList></JoinedUser></GetJoinedUsersResponse>",
			"<GetJoinedMemberResponse><Status code='200'/><JoinedUsers><UserMapList><UserMapping><Mapping><SName>Tom</SName><UserID userID='a@b'/></Mapping></UserMapping></UserMapList></JoinedUsers></GetJoinedMemberResponse>"},
		{"message info", "<MessageNotification>" + meta + "<User userID='a@b'/><MessageInfo MessageURI='http://x/' ContentName='n' validlity='60'><Recipient><User userID='a@b'/></Recipient><Sender/></MessageInfo></MessageNotification>",
			"<MessageNotification>" + meta + "<User userID='a@b'/><MessageInfo messageURI='http://x/' validity='60'><Recipient><User userID='a@b'/></Recipient><Sender/></MessageInfo></MessageNotification>"},
		{"presence without a namespace", "<GetPresenceResponse><Status code='200'/><PresenceValue userID='a@b'><PresenceSubList><x:Own x:a='1' b='2' xmlns:x='urn:x'>w<c/></x:Own></PresenceSubList></PresenceValue></GetPresenceResponse>",
			"<GetPresenceResponse><Status code='200'/><PresenceValue userID='a@b'><PresenceSubList xmlns='http://www.wireless-village.org/PA1.0'><Own b='2'>w<c/></Own></PresenceSubList></PresenceValue></GetPresenceResponse>"},
	} {
		m := decode(t, transaction(WV10, "REQUEST", c.in))
		out, err := m.Append(nil)
		if want := transaction(WV10, "Request", c.want); err != nil || string(out) != want {
			t.Errorf("%s, %v:\n%s\nwant\n%s", c.name, err, out, want)
		}
	}
	m := decode(t, "\uFEFF<wv-ssp-message><setuptransaction mode='x' transactionid='7'><SendSecretToken serviceID='b.example' protocol='wv-ssp' procotolVersion='1.3'><SecretToken encoding='BASE64'>\n AAEC\n /w==</SecretToken></SendSecretToken></setuptransaction></wv-ssp-message>")
	u := m.Units[0]
	if b, ok := u.Primitive.Child("SecretToken").Bytes(); !m.Setup || !u.Response || u.Check(OMA13) != nil || !ok || !bytes.Equal(b, []byte{0, 1, 2, 255}) ||
		u.Primitive.Attr("protocolVersion") != "1.3" || u.Primitive.Attr("protocol") != "WV-SSP" {
		t.Errorf("%+v %v", u, u.Check(OMA13))
	}
}

// TestRefused: what is no document of SSP is a fault of code 400. ssp-syntax 1.3, 1.4.
func TestRefused(t *testing.T) {
	tx := func(inner string) string {
		return "<Transaction mode='Request' transactionID='1'>" + inner + "</Transaction>"
	}
	for _, c := range []struct{ name, doc, what string }{
		{"nothing", "", "not read as XML"},
		{"no XML", "hello", "not read as XML"},
		{"a document type", "<!DOCTYPE x><WV-SSP-Message/>", "not read as XML"},
		{"an entity", inSession(WV10, tx("<LogoutRequest>&x;</LogoutRequest>")), "not read as XML"},
		{"another root", "<html/>", "root"},
		{"nothing inside", "<WV-SSP-Message/>", "neither"},
		{"another thing inside", "<WV-SSP-Message><Polling/></WV-SSP-Message>", "neither"},
		{"two things inside", "<WV-SSP-Message><Session sessionID='1'/><Session sessionID='1'/></WV-SSP-Message>", "more than one"},
		{"no session ID", "<WV-SSP-Message><Session>" + tx("<LogoutRequest/>") + "</Session></WV-SSP-Message>", "sessionID"},
		{"no transaction", inSession(WV10, ""), "no transaction"},
		{"no transaction ID", inSession(WV10, "<Transaction mode='Request'><LogoutRequest/></Transaction>"), "no transaction"},
		{"no primitive", inSession(WV10, tx("")), "nothing inside"},
		{"two primitives", inSession(WV10, tx("<LogoutRequest/><LogoutRequest/>")), "more than one"},
		{"a primitive in the session", inSession(WV10, "<LogoutRequest/>"), "not Transaction"},
		{"too deep", inSession(WV10, tx(strings.Repeat("<a>", 40)+strings.Repeat("</a>", 40))), "not read as XML"},
		{"too large", inSession(WV10, tx("<LogoutRequest/>"+strings.Repeat(" ", MaxBytes))), "not read as XML"},
		{"too much", inSession(WV10, tx(strings.Repeat("<LogoutRequest/>", MaxNodes+1))), "not read as XML"},
	} {
		m, err := Decode([]byte(c.doc), xmltext.Limits{})
		f, ok := errors.AsType[*Fault](err)
		if m != nil || !ok || f.Code != BadRequest || !strings.Contains(f.What, c.what) || !strings.HasPrefix(f.Error(), "SSP 400: ") {
			t.Errorf("%s: %v", c.name, err)
		}
		if x, ok := errors.AsType[*xmltext.Error](err); ok != strings.HasPrefix(c.what, "not read") || ok && x.What == "" {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestSeveral: a session may hold several transactions; one without an ID is passed over, one of an unknown primitive
// keeps its name. ssp-syntax 1.4, 1.7, 2.1.
func TestSeveral(t *testing.T) {
	m := decode(t, inSession(OMA13, "<Transaction mode='Request' transactionID='1'><Teleport/></Transaction>"+
		"<Transaction mode='Request'><LogoutRequest/></Transaction>"+
		"<Transaction mode='Response' transactionID='2'><Disconnect><Status code='200'/></Disconnect></Transaction>"))
	if len(m.Units) != 2 || m.Units[0].Unknown != "Teleport" || m.Units[0].Primitive != nil || m.Units[1].ID != "2" ||
		!m.Units[1].Response || StatusOf(m.Units[1].Primitive) != Successful || m.Session != "c0ffee@south.example" {
		t.Errorf("%+v", m)
	}
	m.Units = m.Units[1:]
	m.Units = append(m.Units, Unit{ID: "3", Primitive: New("LogoutRequest")})
	out, err := m.Append([]byte("x"))
	if want := "x" + inSession(OMA13, "<Transaction mode='Response' transactionID='2'><Disconnect><Status code='200'/></Disconnect></Transaction>"+
		"<Transaction mode='Request' transactionID='3'><LogoutRequest/></Transaction>"); err != nil || string(out) != want {
		t.Errorf("%s %v", out, err)
	}
}

// TestMistakes: what the program may not write is an error, and nothing is written.
func TestMistakes(t *testing.T) {
	logout := Unit{ID: "1", Primitive: New("LogoutRequest")}
	for name, m := range map[string]*Message{
		"no transaction":     {Session: "1"},
		"no session":         {Units: []Unit{logout}},
		"two steps":          {Setup: true, Units: []Unit{logout, logout}},
		"no ID":              {Session: "1", Units: []Unit{{Primitive: New("LogoutRequest")}}},
		"no primitive":       {Session: "1", Units: []Unit{{ID: "1", Unknown: "Teleport"}}},
		"a part":             {Session: "1", Units: []Unit{{ID: "1", Primitive: New("MetaInfo")}}},
		"a foreign element":  {Session: "1", Units: []Unit{{ID: "1", Primitive: New("LogoutRequest").Add(New("Status"))}}},
		"a foreign one deep": {Session: "1", Units: []Unit{{ID: "1", Primitive: New("Disconnect").Add(New("Status").Add(New("Status")))}}},
		"a foreign value":    {Session: "1", Units: []Unit{{ID: "1", Primitive: New("LogoutRequest", "mode", "fast")}}},
	} {
		if out, err := m.Append([]byte("x")); err == nil || string(out) != "x" {
			t.Errorf("%s: %s %v", name, out, err)
		}
	}
}

// TestMeta: the meta-information is read as it is written, SSP 5; ssp-syntax 2.3.
func TestMeta(t *testing.T) {
	for _, m := range []Meta{
		{Service: "wv:@north.example"},
		{Service: "wv:@north.example", Client: true, User: "wv:ines@north.example"},
		{Service: "wv:@north.example", Client: true, User: "wv:ines@north.example", Device: "http://north.example/phone#1"},
	} {
		u := Unit{ID: "1", Primitive: New("GetServiceRequest").Add(m.Element())}
		if got, ok := u.Meta(); !ok || got != m || u.Check(WV10) != nil {
			t.Errorf("%+v is read as %+v", m, got)
		}
	}
	u := Unit{Primitive: New("LogoutRequest")}
	if _, ok := u.Meta(); ok {
		t.Error("meta-information of one that has none")
	}
}

// SSP 14.1, 14.2.2; ssp-syntax 7.
func TestCodes(t *testing.T) {
	titles, err := os.ReadFile("../../testdata/sections/ssp.txt")
	if err != nil {
		t.Fatal(err)
	}
	listed := regexp.MustCompile(`(?m)^14\.\d\.\d+\t(\d{3}) `).FindAllSubmatch(titles, -1)
	for _, l := range listed {
		if c, ok := ParseCode(string(l[1])); !ok || !c.Known() || c.Words() == "" {
			t.Errorf("%s is not in the table", l[1])
		}
	}
	if len(words) != len(listed) {
		t.Errorf("%d codes, the document lists %d", len(words), len(listed))
	}
	for _, c := range []struct {
		in    string
		code  Code
		ok    bool
		class int
		known bool
	}{
		{"200", Successful, true, 2, true}, {"104", ServerQueued, true, 1, true}, {"821", NoHistory, true, 8, true},
		{"299", 299, true, 2, false}, {"99", 0, false, 0, false}, {"+20", 0, false, 0, false}, {"2000", 0, false, 0, false}, {"", 0, false, 0, false}, {"2a0", 0, false, 0, false},
	} {
		code, ok := ParseCode(c.in)
		if code != c.code || ok != c.ok || code.Class() != c.class || code.Known() != c.known || ok && (code.String() != c.in || code.Final() == (c.class == 1)) {
			t.Errorf("%q is %d %v, class %d", c.in, code, ok, code.Class())
		}
	}
	s := Status(PartlySuccessful, PartlySuccessful.Words()).Detail(UnknownUser, New("UserID", "userID", "wv:zoe@south.example"))
	out, err := (&Message{Session: "1", Units: []Unit{{ID: "1", Response: true, Primitive: s}}}).Append(nil)
	if want := "<Status code='201'><StatusDescription>Partially successful</StatusDescription><DetailedResult code='531'>" +
		"<StatusDescription>Unknown user</StatusDescription><UserID userID='wv:zoe@south.example'/></DetailedResult></Status>"; err != nil || !strings.Contains(string(out), want) {
		t.Errorf("%s %v", out, err)
	}
	if StatusOf(nil) != 0 || StatusOf(New("Disconnect")) != 0 || StatusOf(New("Disconnect").Add(Status(Expired, ""))) != Expired {
		t.Error("the code of what has none, or of what has one")
	}
}

// ssp-syntax 0.
func TestDialects(t *testing.T) {
	for _, d := range []Dialect{WV10, OMA13} {
		got, err := ParseDialect(d.String())
		if err != nil || got != d || dialectOf(d.Space()) != d || d.Version() == "" || d.PresenceSpace() == d.Space() {
			t.Errorf("%s %v", d, err)
		}
	}
	if _, err := ParseDialect("wv11"); !errors.Is(err, ErrDialect) {
		t.Error(err)
	}
	if WV10.Slash() != "%2F" || OMA13.Slash() != "/" || dialectOf("urn:x") != WV10 {
		t.Error("slashes")
	}
}

// ssp-syntax 2.5, 9.
func TestTimes(t *testing.T) {
	want := time.Date(2004, 2, 29, 20, 15, 0, 0, time.UTC)
	for _, s := range []string{"20040229T201500Z", "20040229T201500", "20040229T2015Z", "2004-02-29T20:15:00Z", "2004-02-29T20:15:00",
		"2004-02-29T21:15:00+01:00", "20040229T191500-0100", "2004-02-29T20:15:00.75Z"} {
		if got, ok := ParseTime(s); !ok || !got.Equal(want) || FormatTime(got) != "20040229T201500Z" {
			t.Errorf("%s is %v %v", s, got, ok)
		}
	}
	for _, s := range []string{"", "now", "20040230T201500Z", "2004", "00000101T000000Z"} {
		if got, ok := ParseTime(s); ok {
			t.Errorf("%s is %v", s, got)
		}
	}
	if Int("7") != 7 || Int("") != 0 || Int("-7") != 0 || YesNo(true) != Yes || YesNo(false) != No {
		t.Error("numbers and Booleans")
	}
}

// same says whether two primitives hold the same.
func same(a, b *Message) bool { return reflect.DeepEqual(a, b) }

// FuzzDecode: whatever comes, nothing panics; what is read is written, read again as the same, and written as the
// same bytes, in both dialects; judging changes nothing. ssp-syntax 2.
func FuzzDecode(f *testing.F) {
	for _, g := range goldens(f) {
		f.Add([]byte(g.doc))
	}
	f.Add([]byte("<WV-SSP-Message><Session sessionID='1'><Transaction transactionID='2'><Status><Result><Code>200</Code></Result></Status></Transaction></Session></WV-SSP-Message>"))
	f.Fuzz(func(t *testing.T, doc []byte) {
		m, err := Decode(doc, xmltext.Limits{Bytes: 1 << 16})
		if err != nil {
			return
		}
		known := m.Units[:0:0]
		for _, u := range m.Units {
			u.Check(m.Dialect)
			if u.Primitive != nil {
				known = append(known, u)
			}
		}
		if m.Units = known; len(known) == 0 {
			return
		}
		out, err := m.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Decode(out, xmltext.Limits{Depth: 64})
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		third, err := again.Append(nil)
		if err != nil || !bytes.Equal(out, third) {
			t.Fatalf("%v:\n%s\nis written\n%s", err, out, third)
		}
		if m.Dialect == OMA13 && !same(m, again) {
			t.Fatalf("%s\nis read as\n%s", doc, out)
		}
		m.Dialect = OMA13 - m.Dialect
		if _, err := m.Append(nil); err != nil {
			t.Fatal(err)
		}
	})
}
