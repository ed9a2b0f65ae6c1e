package clients

import (
	"fmt"
	"strings"

	"parley/msnp/passport"
)

// The hosts that versions have built in, besides those of passport.Names: dialects 2.1, 3.5, 9.6.
const (
	MessengerHost = "messenger.hotmail.com"
	gatewayHost   = "gateway.messenger.hotmail.com"
	pageHost      = "config.messenger.msn.com"
)

// The ports on which they ask there.
const (
	MessengerPort = 1863
	passportPort  = 443
	gatewayPort   = 80
)

// Host is a name that a version has built in and asks for.
type Host struct {
	Name     string
	Port     int
	For      string // what it wants there
	Listener string // the scheme of the listener that serves it
	Optional bool   // the version works without it
}

// Hosts are the names that have to lead to the service, or may: dialects 3.5.
func (c *Client) Hosts() []Host {
	l := []Host{{MessengerHost, MessengerPort, "everything", "msnp", false}}
	switch c.Login {
	case Header:
		l = append(l, Host{passport.Names[0], passportPort, "where to log in", "passport", false})
	case SOAP:
		for _, name := range passport.Names[1:] {
			l = append(l, Host{name, passportPort, "the login", "passport", false})
		}
	}
	if c.Gateway {
		l = append(l, Host{gatewayHost, gatewayPort, "all of it by HTTP, where nothing else gets through", "msnp-http", true})
	}
	if c.Page {
		l = append(l, Host{pageHost, gatewayPort, "what there is besides the conversation", "msnp-http", true})
	}
	return l
}

// Place is where a service is, as clients see it. The zero Place is one of the documents.
type Place struct {
	Host        string // its address
	Messenger   int    // the port of the listener for MSNP
	Passport    int    // the port of the one for logins by HTTPS; 0: there is none
	HTTP        int    // the port of the one for HTTP; 0: there is none
	Certificate string // the file of the certificate that the passport listener shows; empty: one that Windows trusts already
}

// Examples is the place that the documents speak of: the usual ports, and a certificate that the service made.
var Examples = Place{Host: "ADDRESS", Messenger: MessengerPort, Passport: passportPort, HTTP: gatewayPort, Certificate: "passport.crt"}

// Step is something that somebody has to do where a client is installed, or in front of the service.
type Step struct {
	Kind string // one word: "name", "port", "registry", "certificate", "tls", "patch", "system", "login", "remark", "extra"
	Text string // a sentence, or two
}

// Steps is what has to be done so that a client of this version finds a service, and gets in: dialects 3.5.
func (c *Client) Steps(p Place) (l []Step) {
	step := func(kind, format string, args ...any) { l = append(l, Step{kind, fmt.Sprintf(format, args...)}) }
	ports := map[string]int{"msnp": p.Messenger, "passport": p.Passport, "msnp-http": p.HTTP}
	var names, extra []string
	for _, h := range c.Hosts() {
		switch {
		case !h.Optional:
			names = append(names, h.Name)
		case ports[h.Listener] != 0:
			extra = append(extra, h.Name)
		}
	}
	step("name", "%s must lead to %s where the client is: by a line in its file %s, \"%s %s\", or by your name server.", and(names), p.Host, c.hostsFile(), p.Host,
		strings.Join(names, " "))
	led := map[string]bool{}
	for _, h := range c.Hosts() {
		at := ports[h.Listener]
		if at == 0 || at == h.Port || led[h.Listener] {
			continue
		}
		led[h.Listener] = true
		more := ""
		if c.Registry != "" && h.Listener == "msnp" {
			more = " The value in the registry can name any port."
		}
		step("port", "The client asks port %d of %s, while the service listens on port %d: have that port led to it, or serve %s://:%d.%s", h.Port, h.Name, at,
			h.Listener, h.Port, more)
	}
	if c.Registry != "" {
		step("registry", "The value Server below HKEY_CURRENT_USER\\%s keeps where the client was last: delete it, or set it to \"%s:%d\", which goes without a name for %s.",
			c.Registry, p.Host, p.Messenger, MessengerHost)
	}
	if c.Login != MD5 {
		if p.Certificate != "" {
			step("certificate", "The client takes the certificate of the service only if Windows does: import %s among the trusted root authorities "+
				"of the machine (on Windows XP: mmc, snap-in Certificates, computer account).", p.Certificate)
		}
		step("tls", "\"Use TLS 1.0\" must be ticked in the advanced internet options of Windows. Windows XP can do it as it is, from Service Pack 3 on with "+
			"certificates that are signed with SHA-256.")
	}
	switch c.Login {
	case MD5:
		step("patch", "The program itself needs no patch.")
	case Header:
		step("patch", "The program itself needs no patch, while the names lead here and the certificate is trusted. One in which %s was replaced by another host asks that one: "+
			"then the certificate has to name it.", passport.Names[0])
	case SOAP:
		step("patch", "The program itself needs no patch, while the names lead here and the certificate is trusted. A patched msidcrl.dll that asks for /NotRST.srf is answered, too.")
	}
	if c.Login == Header {
		step("system", "On Windows 98, ME and 2000 TLS 1.0 may be off, or missing: then a proxy that still speaks SSL 3 has to stand in front (msnp.passport_proxies), "+
			"or 4.6 is the version to take.")
	}
	step("login", "Sign in with the whole address of the account, and its password.")
	if c.Remark != "" {
		step("remark", "%s", c.Remark)
	}
	if len(extra) > 0 {
		what := "for clients behind a proxy that lets nothing but HTTP through"
		if c.Page {
			what += "; and for the page that takes the place of MSN Today"
		}
		step("extra", "%s may lead to %s, too, %s.", and(extra), p.Host, what)
	}
	return l
}

// hostsFile is where Windows looks for names before it asks.
func (c *Client) hostsFile() string {
	if strings.HasPrefix(c.Windows, "9") {
		return `C:\WINDOWS\system32\drivers\etc\hosts (C:\WINDOWS\hosts on Windows 95, 98 and ME)`
	}
	return `C:\WINDOWS\system32\drivers\etc\hosts`
}

// and lists names as a sentence does.
func and(l []string) string {
	if len(l) < 2 {
		return strings.Join(l, "")
	}
	return strings.Join(l[:len(l)-1], ", ") + " and " + l[len(l)-1]
}
