package listen

import (
	"strings"
	"testing"
)

func TestParseURL(t *testing.T) {
	for _, c := range []struct {
		in     string
		want   URL
		string string
	}{
		{"msnp://127.0.0.1:1863", URL{"msnp", "127.0.0.1", 1863, ""}, "msnp://127.0.0.1:1863"},
		{"msnp://127.0.0.1", URL{"msnp", "127.0.0.1", 1863, ""}, "msnp://127.0.0.1:1863"},
		{"msnp://", URL{"msnp", "", 1863, ""}, "msnp://:1863"},
		{"msnp://:0", URL{"msnp", "", 0, ""}, "msnp://:0"},
		{"msnp-dispatch://:1864/", URL{"msnp-dispatch", "", 1864, ""}, "msnp-dispatch://:1864"},
		{"msnp-notification://[::1]", URL{"msnp-notification", "::1", 1863, ""}, "msnp-notification://[::1]:1863"},
		{"msnp-switchboard://[::]:5?advertise=[2001:DB8::1]:6", URL{"msnp-switchboard", "::", 5, "[2001:db8::1]:6"}, "msnp-switchboard://[::]:5?advertise=[2001:db8::1]:6"},
		{"msnp://[fe80::1%eth0]:1", URL{"msnp", "fe80::1%eth0", 1, ""}, "msnp://[fe80::1%eth0]:1"},
		{"msnp://localhost:65535?advertise=chat.example.com:1863", URL{"msnp", "localhost", 65535, "chat.example.com:1863"}, "msnp://localhost:65535?advertise=chat.example.com:1863"},
		{"xmpp://", URL{"xmpp", "", 5222, ""}, "xmpp://:5222"},
		{"xmpps://[::1]", URL{"xmpps", "::1", 5223, ""}, "xmpps://[::1]:5223"},
		{"ssp://", URL{"ssp", "", 8420, ""}, "ssp://:8420"},
		{"ssps://im.example.com/", URL{"ssps", "im.example.com", 8421, ""}, "ssps://im.example.com:8421"},
		{"http://127.0.0.1", URL{"http", "127.0.0.1", 9280, ""}, "http://127.0.0.1:9280"},
	} {
		u, err := ParseURL(c.in)
		if err != nil || u != c.want {
			t.Errorf("ParseURL(%q) = %+v, %v; want %+v", c.in, u, err, c.want)
		}
		if s := u.String(); s != c.string {
			t.Errorf("ParseURL(%q).String() = %q, want %q", c.in, s, c.string)
		}
	}
}

func TestParseURLSaysWhatIsWrong(t *testing.T) {
	for in, say := range map[string]string{
		"":                                       "no scheme",
		"127.0.0.1:1863":                         "msnp://127.0.0.1:1863",
		"icq://:5190":                            `unknown scheme "icq": there is msnp, msnp-dispatch`,
		"msnp://x:":                              "listen: msnp://x:: no port",
		"msnp://x:65536":                         `port "65536"`,
		"msnp://x:-1":                            `port "-1"`,
		"msnp://x:+1":                            `port "+1"`,
		"msnp://::1:1863":                        "brackets",
		"msnp://[127.0.0.1]:1":                   "no IPv6 address",
		"msnp://[::1":                            "stands in brackets",
		"msnp://[::1]x":                          "only :PORT",
		"msnp://*:1863":                          "leave the host empty",
		"msnp://a b:1":                           "neither an address nor a name",
		"msnp://me@x:1":                          "only a host and a port",
		"msnp://x:1/path":                        "only a host and a port",
		"msnp://x:1#f":                           "only a host and a port",
		"msnp://x:1?advertize=y:1":               `unknown option "advertize"`,
		"msnp://x:1?advertise=y":                 "both are needed",
		"msnp://x:1?advertise=:1":                "both are needed",
		"msnp://x:1?advertise=y:0":               "1 to 65535",
		"msnp://x:1?advertise=":                  "both are needed",
		"msnp://x:1?advertise=y:1&":              `unknown option ""`,
		"msnp://x:1?advertise=y:1&advertise=z:1": "twice",
		"http://x:1?advertise=y:1":               "means nothing to http",
		"xmpp://x:1?advertise=y:1":               "means nothing to xmpp",
		"ssps://x:1?advertise=y:1":               "means nothing to ssps",
	} {
		u, err := ParseURL(in)
		if err == nil {
			t.Errorf("ParseURL(%q) = %+v, want an error", in, u)
			continue
		}
		if !strings.Contains(err.Error(), say) || !strings.HasPrefix(err.Error(), "listen: "+in) {
			t.Errorf("ParseURL(%q): %v; want %q in it", in, err, say)
		}
		if u != (URL{}) {
			t.Errorf("ParseURL(%q) = %+v with an error", in, u)
		}
	}
}

func FuzzParseURL(f *testing.F) {
	for _, s := range []string{
		"msnp://127.0.0.1:1863", "msnp://", "msnp://[::1]:0?advertise=[::1]:1", "msnp://[fe80::1%25eth0]",
		"http://a:1?x=y", "msnp-dispatch://:1864/", "msnp://x:1?advertise=y:2&advertise=z:3",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := ParseURL(s)
		if err != nil {
			return
		}
		again, err := ParseURL(u.String())
		if err != nil || again != u {
			t.Fatalf("%q is %+v, written %q, read again %+v, %v", s, u, u, again, err)
		}
	})
}
