package passport

import (
	"errors"
	"unicode/utf8"

	"parley/credential"
	"parley/xmltext"
)

// maxBody bounds a request, in bytes: one of MSN Messenger 7.5 has about 3,000.
const maxBody = 64 << 10

// Bounds of what is in a request for tickets.
const (
	maxTokens  = 16  // asked for at once
	maxAddress = 256 // bytes of the name of a service
)

var soapLimits = xmltext.Limits{Bytes: maxBody, Depth: 24, Attrs: 32, Nodes: 1024, Name: 128}

// tokenBase is the service whose ticket is an encrypted blob; those of all others are compact: dialects 3.4.
const tokenBase = "http://Passport.NET/tb"

// soapRequest is a request for tickets.
type soapRequest struct {
	credentials
	addresses []string // the services that the tickets are for, in order
}

var (
	errSOAP    = errors.New("the body is not a request for tickets")
	errNoToken = errors.New("the request asks for no ticket")
)

// within finds an element by the names that lead to it. Names of spaces are not looked at.
//
// COMPAT MSN 7.5: builds of msidcrl.dll differ in the spaces they declare, and mean the same elements by them.
func within(n xmltext.Node, path ...string) xmltext.Node {
	for _, name := range path {
		c := n.FirstChild()
		for c.Ok() && string(c.Local()) != name {
			c = c.Next()
		}
		n = c
	}
	return n
}

// parseSOAP reads a request for tickets, RequestMultipleSecurityTokens or just one RequestSecurityToken. Nothing in it
// points into body. The error says nothing of what was read. dialects 3.4.
func parseSOAP(body []byte) (r soapRequest, err error) {
	doc, err := xmltext.Parse(body, soapLimits)
	if err != nil {
		return r, err // says where, and nothing of the text
	}
	root := doc.Root()
	if string(root.Local()) != "Envelope" {
		return r, errSOAP
	}
	user := within(root, "Header", "Security", "UsernameToken")
	handle, password := within(user, "Username").Text(), within(user, "Password").Text()
	if len(handle) == 0 || len(password) == 0 || !utf8.Valid(handle) {
		return r, errSOAP
	}
	all := within(root, "Body", "RequestMultipleSecurityTokens")
	if !all.Ok() {
		all = within(root, "Body")
	}
	for c := range all.Children() {
		if string(c.Local()) != "RequestSecurityToken" {
			continue
		}
		address := within(c, "AppliesTo", "EndpointReference", "Address").Text()
		if len(address) == 0 || len(address) > maxAddress || len(r.addresses) == maxTokens {
			return soapRequest{}, errSOAP
		}
		r.addresses = append(r.addresses, string(address))
	}
	if len(r.addresses) == 0 {
		return soapRequest{}, errNoToken
	}
	r.credentials = credentials{string(handle), credential.NewSecret(string(password))}
	return r, nil
}
