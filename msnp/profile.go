package msnp

import (
	"math/bits"
	"net/netip"
	"strconv"
	"time"
)

// SystemSender is who server messages come from, as handle and as name: dialects 3.6.
const SystemSender = "Hotmail"

// Profile is what a client is told of its account after the login: dialects 3.6.
type Profile struct {
	Login  time.Time
	Member int64          // the account's number
	Handle string         // the address
	Auth   string         // for pages of the service: opaque, without line ends
	Client netip.AddrPort // where the client's connection comes from; port 0: nowhere that a peer could connect to
}

// profileFields are the lines of the message, and since which dialect a client gets them: dialects 3.6.
var profileFields = []struct {
	since int
	name  string
	value func(p *Profile) string
}{
	{2, "LoginTime", func(p *Profile) string { return strconv.FormatInt(p.Login.Unix(), 10) }},
	{3, "EmailEnabled", says("0")},
	{3, "MemberIdHigh", func(p *Profile) string { return strconv.Itoa(int(int32(p.Member >> 32))) }},
	{3, "MemberIdLow", func(p *Profile) string { return strconv.Itoa(int(int32(p.Member))) }},
	{3, "lang_preference", says("1033")},
	{3, "preferredEmail", func(p *Profile) string { return p.Handle }},
	{3, "country", says("")},
	{3, "PostalCode", says("")},
	{3, "Gender", says("")},
	{3, "Kid", says("0")},
	{3, "Age", says("")},
	{3, "BDayPre", says("")},
	{3, "Birthday", says("")},
	{3, "Wallet", says("")},
	{4, "Flags", says("1027")}, // COMPAT MSN 2.1, 2.2: whether MSNP4 has it is not known; a client passes by fields that it does not know
	{3, "sid", says("507")},
	{3, "kv", says("11")},
	{3, "MSPAuth", func(p *Profile) string { return p.Auth }},
	{8, "ClientIP", func(p *Profile) string { return p.ip() }},
	{8, "ClientPort", func(p *Profile) string { return strconv.Itoa(int(bits.ReverseBytes16(p.Client.Port()))) }},
	{10, "ABCHMigrated", says("1")},
}

// ip is the address of the client. COMPAT MSN 5.0 to 7.5: they know four numbers only; one that came another way is told
// none of its own addresses, as one behind a translation of addresses is.
func (p *Profile) ip() string {
	if a := p.Client.Addr().Unmap(); a.Is4() {
		return a.String()
	}
	return "0.0.0.0"
}

func says(s string) func(*Profile) string { return func(*Profile) string { return s } }

// ProfilePayload makes the message that follows a login, in the form of a dialect: dialects 3.6.
func ProfilePayload(dialect int, p Profile) []byte {
	b := make([]byte, 0, 512)
	b = append(b, "MIME-Version: 1.0\r\nContent-Type: text/x-msmsgsprofile; charset=UTF-8\r\n"...)
	for _, f := range profileFields {
		if dialect >= f.since {
			b = append(append(append(b, f.name...), ": "...), f.value(&p)...)
			b = append(b, "\r\n"...)
		}
	}
	return append(b, "\r\n"...)
}

// ShutdownPayload makes the system message that announces that the service goes down in so many minutes, rounded up:
// dialects 3.7.
func ShutdownPayload(in time.Duration) []byte {
	b := []byte("MIME-Version: 1.0\r\nContent-Type: application/x-msmsgssystemmessage\r\n\r\nType: 1\r\nArg1: ")
	b = strconv.AppendInt(b, int64((max(in, 0)+time.Minute-1)/time.Minute), 10)
	return append(b, "\r\n"...)
}

// NoMailPayload makes the message from MSNP11 on that says that there is no mail: dialects 3.7, 13.7.
func NoMailPayload() []byte {
	return []byte("MIME-Version: 1.0\r\nContent-Type: text/x-msmsgsinitialmdatanotification; charset=UTF-8\r\n\r\n" +
		"Mail-Data: <MD><E><I>0</I><IU>0</IU><O>0</O><OU>0</OU></E><Q><QTM>409600</QTM><QNM>204800</QNM></Q></MD>\r\n")
}
