package passport

import (
	"strings"
	"testing"
)

// params is what USR S tells a client, which sends it along: dialects 3.2.
const params = "lc=1033,id=507,tw=40,fs=1,ru=http%3A%2F%2Fmessenger%2Emsn%2Ecom,ct=1073355862,kpp=1,kv=5,ver=2.1.0173.1,tpf=ed1c2f217a21c191c61251eb8b73bb60"

// dialects 3.3
func TestAuthorization(t *testing.T) {
	const front = "Passport1.4 OrgVerb=GET,OrgURL=http%3A%2F%2Fmessenger%2Emsn%2Ecom,"
	for _, c := range []struct{ name, header, handle, password string }{
		{"as clients send it", front + "sign-in=alice%40example.com,pwd=secret," + params, "alice@example.com", "secret"},
		{"not encoded", front + "sign-in=alice@example.com,pwd=secret," + params, "alice@example.com", "secret"},
		{"signs that separate", front + "sign-in=alice%40example.com,pwd=a%2Cb%3Dc%25%20%2B+," + params, "alice@example.com", "a,b=c% ++"},
		{"equal signs", front + "sign-in=alice%40example.com,pwd=a=b", "alice@example.com", "a=b"},
		{"UTF-8", front + "sign-in=alice%40example.com,pwd=p%C3%A4ss", "alice@example.com", "päss"},
		{"blanks behind commas", "Passport1.4 OrgVerb=GET, sign-in=alice%40example.com, pwd=secret, lc=1033", "alice@example.com", "secret"},
		{"another order", "passport1.4 pwd=secret,sign-in=alice%40example.com", "alice@example.com", "secret"},
		{"line ends are the address's fault", front + "sign-in=alice%0D%0A%40example.com,pwd=x", "alice\r\n@example.com", "x"},
	} {
		got, err := parseAuthorization(c.header)
		if err != nil || got.handle != c.handle || got.password.Reveal() != c.password {
			t.Errorf("%s: %q %q, %v", c.name, got.handle, got.password.Reveal(), err)
		}
	}
	for name, header := range map[string]string{
		"nothing":          "",
		"the word alone":   "Passport1.4",
		"another scheme":   "Basic sign-in=alice%40example.com,pwd=secret",
		"another version":  "Passport1.5 sign-in=alice%40example.com,pwd=secret",
		"no name":          front + "pwd=secret",
		"no password":      front + "sign-in=alice%40example.com",
		"empty password":   front + "sign-in=alice%40example.com,pwd=",
		"empty name":       front + "sign-in=,pwd=secret",
		"two names":        front + "sign-in=alice%40example.com,sign-in=bob%40example.com,pwd=secret",
		"two passwords":    front + "sign-in=alice%40example.com,pwd=secret,PWD=other",
		"broken encoding":  front + "sign-in=alice%40example.com,pwd=100%",
		"too long":         front + "sign-in=alice%40example.com,pwd=" + strings.Repeat("x", maxHeader),
		"too many fields":  front + "sign-in=alice%40example.com,pwd=secret" + strings.Repeat(",x=y", maxFields),
		"only fields":      "sign-in=alice%40example.com,pwd=secret",
		"an empty message": " ",
	} {
		if got, err := parseAuthorization(header); err != errHeader || got.handle != "" {
			t.Errorf("%s: %q, %v", name, got.handle, err)
		}
	}
}

func FuzzPassportHeader(f *testing.F) {
	f.Add("Passport1.4 OrgVerb=GET,OrgURL=http%3A%2F%2Fmessenger%2Emsn%2Ecom,sign-in=alice%40example.com,pwd=secret," + params)
	f.Add("Passport1.4 sign-in=%,pwd=%zz")
	f.Add("passport1.4  pwd = a , sign-in = b@c ")
	f.Add("Passport1.4 ,,,===")
	f.Fuzz(func(t *testing.T, h string) {
		c, err := parseAuthorization(h)
		if err != nil {
			if c.handle != "" {
				t.Errorf("%q goes with an error", c.handle)
			}
			return
		}
		if !isLogin(h) || len(h) > maxHeader {
			t.Errorf("%q is taken for a login", h)
		}
		if p := c.password.Reveal(); c.handle == "" || p == "" || len(c.handle)+len(p) > len(h) {
			t.Errorf("%q and %q out of %q", c.handle, p, h)
		}
	})
}
