package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/credential"
	"parley/msnp"
	"parley/msnp/clients"
	"parley/msnp/passport"
	"parley/xmltext"
)

// oldClient plays a version of MSN Messenger against a service.
type oldClient struct {
	*clients.Client
	build    string
	server   string // HOST:PORT where it begins
	passport string // HOST:PORT of the listener for logins by HTTPS; empty: none

	shown []*x509.Certificate // that the passport listener showed
	hosts []string            // that its certificate has to name
}

// wrong is a password that nobody has.
var wrong = credential.NewSecret("not the password")

// connect opens a connection and comes to the point where the client says who it is: dialects 2.5.
func (o *oldClient) connect(ctx context.Context, addr, handle string) (*peer, error) {
	p, err := dialPeer(ctx, addr)
	if err != nil {
		return nil, err
	}
	if err := o.open(ctx, p, handle); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

func (o *oldClient) open(ctx context.Context, p *peer, handle string) error {
	ver, err := p.ask(ctx, "VER", o.Offers()...)
	if err != nil {
		return err
	}
	dialect, ok := msnp.ParseDialect([]byte(ver.arg(1)))
	if !ok || dialect == msnp.VersionOnly || !slices.Contains(o.Dialects, dialect) {
		return fmt.Errorf("VER is answered with %q: the service speaks none of %s: see the key msnp.dialects", ver, strings.Join(o.Offers()[:len(o.Dialects)], ", "))
	}
	p.dialect = dialect
	if dialect >= 8 {
		return o.cvr(ctx, p, handle)
	}
	inf, err := p.ask(ctx, "INF")
	if err == nil && inf.arg(1) != "MD5" {
		err = fmt.Errorf("INF is answered with %q, not MD5", inf)
	}
	return err
}

// cvr asks whether there is a newer version: no, or the client would want to have it. dialects 2.4
func (o *oldClient) cvr(ctx context.Context, p *peer, handle string) error {
	cvr, err := p.ask(ctx, "CVR", o.CVR(o.build, p.dialect, handle)...)
	if err == nil && (len(cvr.args) < 6 || cvr.arg(1) != o.build || cvr.arg(3) != o.build) {
		err = fmt.Errorf("CVR is answered with %q: the client would be told to upgrade", cvr)
	}
	return err
}

// login logs in, where a dispatch server sends it: draft 7.3, 7.4, dialects 3.1, 3.2. What the service says then is not
// yet read.
func (o *oldClient) login(ctx context.Context, who player, password credential.Secret) (*peer, error) {
	addr := o.server
	for range 3 {
		p, to, err := o.enter(ctx, addr, who, func(policy string) (string, error) { return o.ticket(ctx, who, password, policy) }, password)
		if err != nil || p != nil {
			return p, err
		}
		addr = to
	}
	return nil, errors.New("XFR: dispatch servers send the client around in a circle: see the key listen")
}

// enter is login on one connection. It gives nil, and another address, when it was sent there. ticket gets one, by what
// USR said.
func (o *oldClient) enter(ctx context.Context, addr string, who player, ticket func(policy string) (string, error), password credential.Secret) (p *peer, to string, err error) {
	if p, err = o.connect(ctx, addr, who.address); err != nil {
		return nil, "", err
	}
	defer func() {
		if err != nil || to != "" {
			p.Close()
			p = nil
		}
	}()
	way := "MD5"
	if p.dialect >= 8 {
		way = "TWN"
	}
	trID, err := p.say("USR", way, "I", who.address)
	if err != nil {
		return p, "", err
	}
	first, err := p.await(ctx, "an answer to USR I", func(s said) bool { return s.arg(0) == trID })
	switch {
	case err != nil:
		return p, "", err
	case first.verb == "XFR" && len(first.args) > 2:
		return p, first.arg(2), o.referred(p, first)
	case code(first.verb) != 0:
		return p, "", fmt.Errorf("USR I is answered with %w", msnp.Code(code(first.verb)))
	case first.verb != "USR" || len(first.args) != 4 || first.arg(2) != "S":
		return p, "", fmt.Errorf("USR I is answered with %q", first)
	}
	answer := ""
	if way == "MD5" {
		answer = password.MD5Response(first.arg(3))
	} else if answer, err = ticket(first.arg(3)); err != nil {
		return p, "", err
	}
	ok, err := p.ask(ctx, "USR", way, "S", answer)
	if err != nil {
		return p, "", err
	}
	words := map[int]int{2: 4, 6: 5, 8: 6, 10: 5} // how many USR OK has
	if len(ok.args) != words[since(p.dialect, 2, 6, 8, 10)] || ok.arg(1) != "OK" || ok.arg(2) != who.address {
		return p, "", fmt.Errorf("USR S is answered with %q, which is not what %s has", ok, msnp.DialectName(p.dialect))
	}
	return p, "", nil
}

// referred looks at the form of a referral: dialects 9.4.
func (o *oldClient) referred(p *peer, xfr said) error {
	if words := map[int]int{2: 3, 3: 4, 7: 5}[since(p.dialect, 2, 3, 7)]; len(xfr.args) != words {
		return fmt.Errorf("XFR is %q, which is not what %s has", xfr, msnp.DialectName(p.dialect))
	}
	return nil
}

// since is the last of some dialects, in order, that is not newer than one.
func since(dialect int, from ...int) int {
	last := from[0]
	for _, d := range from {
		if d <= dialect {
			last = d
		}
	}
	return last
}

// xpTLS is what Windows XP speaks: TLS 1.0 and the ciphers of its time, without the name of the host. Who vouches for the
// certificate is looked at later. dialects 3.5
func (o *oldClient) xpTLS() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10, InsecureSkipVerify: true,
		CipherSuites: []uint16{tls.TLS_RSA_WITH_RC4_128_SHA, tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA},
		VerifyConnection: func(s tls.ConnectionState) error {
			o.shown = s.PeerCertificates
			return nil
		},
	}
}

// errNoTicket: name or password are wrong, says the service.
var errNoTicket = errors.New("the login by HTTPS was refused")

// ticket gets one, as the version does: dialects 3.3, 3.4. A login that is wrong is errNoTicket.
func (o *oldClient) ticket(ctx context.Context, who player, password credential.Secret, policy string) (string, error) {
	if o.passport == "" {
		return "", errors.New("the login goes on by HTTPS, for which there is no listener: --listen passport://:443")
	}
	if o.Login == clients.SOAP {
		return o.soapTicket(ctx, who, password, policy)
	}
	return o.headerTicket(ctx, who, password, policy)
}

// https says a request as it stands and gives the answer, also as it came.
func (o *oldClient) https(ctx context.Context, host, request string) (*http.Response, string, error) {
	if !slices.Contains(o.hosts, host) {
		o.hosts = append(o.hosts, host)
	}
	ctx, cancel := context.WithTimeout(ctx, peerPatience)
	defer cancel()
	plain, err := new(net.Dialer).DialContext(ctx, "tcp", o.passport)
	if err != nil {
		return nil, "", fmt.Errorf("HTTPS: nobody answers at %s: %w", o.passport, err)
	}
	defer plain.Close()
	plain.SetDeadline(time.Now().Add(peerPatience))
	c := tls.Client(plain, o.xpTLS())
	if err := c.HandshakeContext(ctx); err != nil {
		return nil, "", fmt.Errorf("HTTPS: the TLS of Windows XP and the listener at %s do not fit: %w", o.passport, err)
	}
	if _, err := io.WriteString(c, request); err != nil {
		return nil, "", fmt.Errorf("HTTPS: %w", err)
	}
	b, err := io.ReadAll(io.LimitReader(c, peerPayload))
	if err != nil {
		return nil, "", fmt.Errorf("HTTPS: %w", err)
	}
	r, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(b)), nil)
	if err != nil {
		return nil, "", fmt.Errorf("HTTPS: the answer cannot be read: %w", err)
	}
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	return r, string(b), err
}

// headerTicket asks where to log in, and does it: dialects 3.3.
func (o *oldClient) headerTicket(ctx context.Context, who player, password credential.Secret, policy string) (string, error) {
	nexus := passport.Names[0]
	_, raw, err := o.https(ctx, nexus, "GET /rdr/pprdr.asp HTTP/1.0\r\nUser-Agent: MSMSGS\r\nHost: "+nexus+"\r\n\r\n")
	if err != nil {
		return "", err
	}
	_, urls, ok := strings.Cut(raw, "\r\nPassportURLs: ") // letter by letter, as clients read it
	if !ok {
		return "", fmt.Errorf("https://%s/rdr/pprdr.asp: the header PassportURLs is missing, in just this spelling: does a proxy in front change it?", nexus)
	}
	_, at, ok := strings.Cut(strings.SplitN(urls, "\r\n", 2)[0], "DALogin=")
	at, _, _ = strings.Cut(at, ",")
	host, path, slash := strings.Cut(strings.TrimPrefix(at, "https://"), "/")
	if !ok || !slash || host == "" {
		return "", fmt.Errorf("PassportURLs names no place to log in: %q", at)
	}
	name, _, _ := strings.Cut(host, ":")
	r, _, err := o.https(ctx, name, "GET /"+path+" HTTP/1.1\r\nAuthorization: Passport1.4 OrgVerb=GET,OrgURL=http%3A%2F%2Fmessenger%2Emsn%2Ecom,sign-in="+
		escape(who.address)+",pwd="+escape(password.Reveal())+","+policy+"\r\nUser-Agent: MSMSGS\r\nHost: "+host+"\r\nConnection: close\r\n\r\n")
	switch {
	case err != nil:
		return "", err
	case r.StatusCode == http.StatusUnauthorized:
		return "", errNoTicket
	case r.StatusCode != http.StatusOK || r.Header.Get("Content-Type") != "text/html":
		return "", fmt.Errorf("https://%s is answered with %s and %q: the client wants 200 and text/html", at, r.Status, r.Header.Get("Content-Type"))
	}
	_, ticket, ok := strings.Cut(r.Header.Get("Authentication-Info"), "da-status=success")
	_, ticket, ok2 := strings.Cut(ticket, "from-PP='")
	ticket, _, ok3 := strings.Cut(ticket, "'")
	if !ok || !ok2 || !ok3 {
		return "", fmt.Errorf("https://%s: there is no ticket in Authentication-Info", at)
	}
	return ticket, nil
}

// escape encodes a value of the header as clients do.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// The spaces of a request for tickets: dialects 3.4.
const (
	spaceEnvelope = "http://schemas.xmlsoap.org/soap/envelope/"
	spaceSecurity = "http://schemas.xmlsoap.org/ws/2003/06/secext"
	spaceTrust    = "http://schemas.xmlsoap.org/ws/2004/04/trust"
	spacePolicy   = "http://schemas.xmlsoap.org/ws/2002/12/policy"
	spaceAddress  = "http://schemas.xmlsoap.org/ws/2004/03/addressing"
	spaceTickets  = "http://schemas.microsoft.com/Passport/SoapServices/PPCRL"
)

// soapTicket asks for tickets with a document: dialects 3.4.
func (o *oldClient) soapTicket(ctx context.Context, who player, password credential.Secret, policy string) (string, error) {
	policy, err := url.PathUnescape(policy)
	if err != nil {
		return "", fmt.Errorf("USR S: what is to be told when asking for a ticket cannot be read: %w", err)
	}
	b := xmltext.Build([]byte(`<?xml version="1.0" encoding="UTF-8"?>`))
	b.Start("Envelope").Attr("xmlns", spaceEnvelope).Attr("xmlns:wsse", spaceSecurity).Attr("xmlns:wst", spaceTrust).Attr("xmlns:wsp", spacePolicy).
		Attr("xmlns:wsa", spaceAddress).Attr("xmlns:ps", spaceTickets)
	b.Start("Header").Start("wsse:Security").Start("wsse:UsernameToken").Attr("Id", "user")
	b.Start("wsse:Username").Text(who.address).End().Start("wsse:Password").Text(password.Reveal()).End()
	b.End().End().End()
	b.Start("Body").Start("ps:RequestMultipleSecurityTokens").Attr("Id", "RSTS")
	for i, address := range []string{"http://Passport.NET/tb", "messenger.msn.com"} {
		b.Start("wst:RequestSecurityToken").Attr("Id", "RST"+strconv.Itoa(i))
		b.Start("wst:RequestType").Text("http://schemas.xmlsoap.org/ws/2004/04/security/trust/Issue").End()
		b.Start("wsp:AppliesTo").Start("wsa:EndpointReference").Start("wsa:Address").Text(address).End().End().End()
		if i == 1 {
			b.Start("wsse:PolicyReference").Attr("URI", "?"+strings.ReplaceAll(policy, ",", "&")).End()
		}
		b.End()
	}
	body := string(b.Bytes())
	host := passport.Names[1]
	r, _, err := o.https(ctx, host, "POST /RST.srf HTTP/1.1\r\nAccept: text/*\r\nHost: "+host+"\r\nContent-Length: "+strconv.Itoa(len(body))+
		"\r\nConnection: close\r\n\r\n"+body)
	if err != nil {
		return "", err
	}
	answer, err := io.ReadAll(r.Body)
	if err == nil && r.StatusCode != http.StatusOK {
		err = fmt.Errorf("https://%s/RST.srf is answered with %s", host, r.Status)
	}
	if err != nil {
		return "", err
	}
	doc, err := xmltext.Parse(answer, xmltext.Limits{Bytes: peerPayload, Depth: 24, Attrs: 32, Nodes: 1024, Name: 128})
	if err != nil {
		return "", fmt.Errorf("https://%s/RST.srf: %w", host, err)
	}
	ticket, refused := "", false
	var walk func(xmltext.Node)
	walk = func(n xmltext.Node) {
		for c := range n.Children() {
			id, _ := c.Attr("", "Id")
			switch {
			case string(c.Local()) == "BinarySecurityToken" && string(id) == "Compact1":
				ticket = string(c.Text())
			case string(c.Local()) == "faultcode":
				refused = strings.HasSuffix(string(c.Text()), ":FailedAuthentication")
			}
			walk(c)
		}
	}
	walk(doc.Root())
	switch {
	case refused:
		return "", errNoTicket
	case ticket == "":
		return "", fmt.Errorf("https://%s/RST.srf: there is no ticket in the answer", host)
	}
	return ticket, nil
}
