package passport

import (
	"encoding/base64"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"time"

	"parley/im"
	"parley/xmltext"
)

// The spaces of what the service answers: dialects 3.4.
const (
	nsSOAP       = "http://schemas.xmlsoap.org/soap/envelope/"
	nsPassport   = "http://schemas.microsoft.com/Passport/SoapServices/SOAPFault"
	nsTrust      = "http://schemas.xmlsoap.org/ws/2004/04/trust"
	nsSecurity   = "http://schemas.xmlsoap.org/ws/2003/06/secext"
	nsUtility    = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
	nsPolicy     = "http://schemas.xmlsoap.org/ws/2002/12/policy"
	nsAddressing = "http://schemas.xmlsoap.org/ws/2004/03/addressing"
	nsEncryption = "http://www.w3.org/2001/04/xmlenc#"
	nsSignature  = "http://www.w3.org/2000/09/xmldsig#"
)

// What became of a login, as msidcrl.dll reads it: dialects 3.4.
const (
	authOK     = "0x48803"
	authFailed = "0x80048800"
	reqOK      = "0x0"
	reqFailed  = "0x80048823"
)

const declaration = `<?xml version="1.0" encoding="utf-8"?>`

// COMPAT MSN 7.5: the ticket for Passport.NET is a blob under a key that only its server has, and the secret goes with
// it. Clients keep both and do not look inside on this way, so both are constants and protect nothing.
var (
	blob   = base64.StdEncoding.EncodeToString([]byte(strings.Repeat("nothing is sealed here. ", 24)))
	secret = base64.StdEncoding.EncodeToString([]byte(strings.Repeat("not in use", 3)[:24]))
)

// when writes a time in UTC, to the second.
func when(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// number is what stands for an account where Passport had numbered it: 16 hexadecimal digits, the same each time.
func number(who im.Address) string {
	h := fnv.New64a()
	h.Write([]byte(who.String()))
	return fmt.Sprintf("%016X", h.Sum64())
}

// head begins an envelope with what became of the login; the header stays open.
func head(b *xmltext.Builder, now time.Time, auth, req string, who im.Address) {
	b.Raw([]byte(declaration))
	b.Start("S:Envelope").Attr("xmlns:S", nsSOAP).Attr("xmlns:wsse", nsSecurity).Attr("xmlns:wsu", nsUtility).Attr("xmlns:psf", nsPassport)
	b.Start("S:Header").Start("psf:pp").Attr("xmlns:psf", nsPassport)
	leaf(b, "psf:serverVersion", "1")
	if !who.IsZero() {
		leaf(b, "psf:PUID", number(who))
	}
	leaf(b, "psf:authstate", auth)
	leaf(b, "psf:reqstatus", req)
	b.Start("psf:serverInfo").Attr("ServerTime", when(now)).Text("Parley").End()
	b.Start("psf:cookies").End()
	if !who.IsZero() {
		b.Start("psf:credProperties")
		for _, p := range [][2]string{{"MainBrandID", "MSFT"}, {"IsWinLiveUser", "true"}, {"CID", strings.ToLower(number(who))},
			{"AuthMembername", who.String()}, {"Country", "US"}, {"Language", "1033"}} {
			b.Start("psf:credProperty").Attr("Name", p[0]).Text(p[1]).End()
		}
		b.End()
	}
	b.Start("psf:response").End()
	b.End().End()
}

func leaf(b *xmltext.Builder, name, text string) { b.Start(name).Text(text).End() }

// quoted puts the attributes of what was written into double quotes. No value is but a constant of ours; what others
// said stands in texts.
//
// COMPAT MSN 7.5: libraries of that time look for parts of the answer as live servers wrote it, quotes included.
func quoted(xml []byte) []byte {
	tag := false
	for i, c := range xml {
		switch {
		case c == '<':
			tag = true
		case c == '>':
			tag = false
		case c == '\'' && tag:
			xml[i] = '"'
		}
	}
	return xml
}

// granted is the answer to a login that was right: a ticket for each service that was named. dialects 3.4.
func granted(r soapRequest, who im.Address, ticket string, now time.Time, life time.Duration) []byte {
	b := xmltext.Build(make([]byte, 0, 4096))
	head(&b, now, authOK, reqOK, who)
	b.Start("S:Body").Start("wst:RequestSecurityTokenResponseCollection").
		Attr("xmlns:wst", nsTrust).Attr("xmlns:wsse", nsSecurity).Attr("xmlns:wsu", nsUtility).Attr("xmlns:wsp", nsPolicy).Attr("xmlns:psf", nsPassport)
	compact := 0
	for _, address := range r.addresses {
		kind, id := "urn:passport:compact", ""
		if address == tokenBase {
			kind, id = "urn:passport:legacy", "BinaryDAToken0"
		} else {
			compact++
			id = "Compact" + strconv.Itoa(compact)
		}
		b.Start("wst:RequestSecurityTokenResponse")
		leaf(&b, "wst:TokenType", kind)
		b.Start("wsp:AppliesTo").Attr("xmlns:wsa", nsAddressing).Start("wsa:EndpointReference")
		leaf(&b, "wsa:Address", address)
		b.End().End()
		b.Start("wst:LifeTime")
		leaf(&b, "wsu:Created", when(now))
		leaf(&b, "wsu:Expires", when(now.Add(life)))
		b.End()
		b.Start("wst:RequestedSecurityToken")
		if address == tokenBase {
			sealed(&b, id)
			kind = "urn:passport"
		} else {
			b.Start("wsse:BinarySecurityToken").Attr("Id", id).Text(ticket).End()
		}
		b.End()
		b.Start("wst:RequestedTokenReference")
		b.Start("wsse:KeyIdentifier").Attr("ValueType", kind).End()
		b.Start("wsse:Reference").Attr("URI", "#"+id).End()
		b.End()
		if address == tokenBase {
			b.Start("wst:RequestedProofToken").Start("wst:BinarySecret").Text(secret).End().End()
		}
		b.End()
	}
	return quoted(b.Bytes())
}

// sealed writes the ticket for Passport.NET.
func sealed(b *xmltext.Builder, id string) {
	b.Start("EncryptedData").Attr("xmlns", nsEncryption).Attr("Id", id).Attr("Type", nsEncryption+"Element")
	b.Start("EncryptionMethod").Attr("Algorithm", nsEncryption+"tripledes-cbc").End()
	b.Start("ds:KeyInfo").Attr("xmlns:ds", nsSignature).Start("ds:KeyName").Text("http://Passport.NET/STS").End().End()
	b.Start("CipherData").Start("CipherValue").Text(blob).End().End()
	b.End()
}

// denied is the answer to a login that was wrong: dialects 3.4.
func denied(now time.Time) []byte {
	b := xmltext.Build(make([]byte, 0, 1024))
	head(&b, now, authFailed, reqFailed, im.Address{})
	fault(&b, "wsse:FailedAuthentication", "Authentication Failure")
	return quoted(b.Bytes())
}

// invalid is the answer to what is no request for tickets, or came without TLS: dialects 3.4.
func invalid() []byte {
	b := xmltext.Build(make([]byte, 0, 512))
	b.Raw([]byte(declaration))
	b.Start("S:Envelope").Attr("xmlns:S", nsSOAP)
	fault(&b, "S:Client", "Invalid Request")
	return quoted(b.Bytes())
}

// fault writes what went wrong.
//
// COMPAT MSN 7.5: SOAP wants a fault inside a Body. Servers that this client logged in to left the Body out, and so do
// we, as nobody has seen it with one.
func fault(b *xmltext.Builder, code, text string) {
	b.Start("S:Fault")
	leaf(b, "faultcode", code)
	leaf(b, "faultstring", text)
	b.End()
}
