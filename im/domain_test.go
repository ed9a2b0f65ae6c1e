package im

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
)

const hash = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// SSP 6; ssp-syntax 1.6.
func TestDomainHasOneForm(t *testing.T) {
	for _, c := range []struct{ in, want Domain }{
		{Domain{Name: "B.Example."}, Domain{Name: "b.example", Service: "wv:@b.example", Digest: "md5", Dialect: "wv10", TLS: "verify"}},
		{Domain{Name: "b.example", URL: "HTTPS://IM.b.example:8421", Service: "WV:@Other.Example", Digest: "sha", TLS: "pin:" + strings.ToUpper(hash), Connections: 64},
			Domain{Name: "b.example", URL: "https://im.b.example:8421/", Service: "wv:@other.example", Digest: "sha", Dialect: "wv10", TLS: "pin:" + hash, Connections: 64}},
		{Domain{Name: "b.example", URL: "http://127.0.0.1:8420/x"},
			Domain{Name: "b.example", URL: "http://127.0.0.1:8420/x", Service: "wv:@b.example", Digest: "md5", Dialect: "wv10", TLS: "off"}},
		{Domain{Name: "b.example", URL: "http://[::1]:8420"},
			Domain{Name: "b.example", URL: "http://[::1]:8420/", Service: "wv:@b.example", Digest: "md5", Dialect: "wv10", TLS: "off"}},
		{Domain{Name: "b.example", URL: "http://b.example", TLS: "off"},
			Domain{Name: "b.example", URL: "http://b.example/", Service: "wv:@b.example", Digest: "md5", Dialect: "wv10", TLS: "off"}},
		{Domain{Name: "b.example", Dialect: "oma13", Offers: []string{"IMFeature/PushMsg", "IMFeature", "IMFeature"}, Wants: []string{}, Secret: []byte{1}, Keep: true},
			Domain{Name: "b.example", Service: "wv:@b.example", Digest: "md5", Dialect: "oma13", TLS: "verify", Offers: []string{"IMFeature", "IMFeature/PushMsg"}, Wants: []string{}, Secret: []byte{1}, Keep: true}},
		{Domain{Name: "c.example", Route: "B.example", Keep: true}, Domain{Name: "c.example", Route: "b.example", Service: "wv:@c.example", Keep: true}},
	} {
		got, err := c.in.Normal()
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%+v\n got %+v, %v\nwant %+v", c.in, got, err, c.want)
		}
		if again, err := got.Normal(); err != nil || !reflect.DeepEqual(again, got) {
			t.Errorf("%+v is not its own normal form: %+v, %v", got, again, err)
		}
	}
}

func TestDomainSaysWhatIsWrong(t *testing.T) {
	name := func(d Domain) Domain { d.Name = "b.example"; return d }
	for _, c := range []struct {
		d   Domain
		say string
	}{
		{Domain{Name: "a b"}, "not an address"},
		{name(Domain{URL: "b.example:8420"}), "is no URL of a domain: write it like https://im.b.example:8421/"},
		{name(Domain{URL: "ftp://b.example/"}), "is no URL"},
		{name(Domain{URL: "https://:8421/"}), "is no URL"},
		{name(Domain{URL: "https://b.example/" + strings.Repeat("x", 1000)}), "is no URL"},
		{name(Domain{URL: "https://me:you@b.example/"}), "and nothing else"},
		{name(Domain{URL: "https://b.example/?a=b"}), "and nothing else"},
		{name(Domain{Service: "b.example"}), "write it like wv:@b.example"},
		{name(Domain{Service: "wv:@b example"}), "write it like wv:@b.example"},
		{name(Domain{Digest: "sha256"}), `the digest "sha256" is not known: write md5 or sha`},
		{name(Domain{Dialect: "oma12"}), "write wv10 or oma13"},
		{name(Domain{TLS: "maybe"}), "write verify, pin:HEX or off"},
		{name(Domain{TLS: "pin:0123"}), "64 hexadecimal digits"},
		{name(Domain{URL: "http://b.example/"}), "write https://, or TLS off"},
		{name(Domain{URL: "http://127.0.0.1/", TLS: "verify"}), "write https://, or TLS off"},
		{name(Domain{URL: "https://b.example/", TLS: "off"}), "write verify or pin:HEX"},
		{name(Domain{Dialect: "oma13", TLS: "off"}), "proves no password"},
		{name(Domain{Dialect: "oma13", URL: "http://127.0.0.1/"}), "proves no password"},
		{name(Domain{Connections: 65}), "write 1 to 64"},
		{name(Domain{Connections: -1}), "write 1 to 64"},
		{name(Domain{Offers: []string{"IM Feature"}}), "is no service"},
		{name(Domain{Wants: []string{strings.Repeat("é", 100)}}), "is no service"},
		{name(Domain{Wants: strings.Split(strings.Repeat("a", 101), "")}), ""},
		{name(Domain{Route: "b.example"}), "leads to the domain itself"},
		{name(Domain{Route: "a b"}), "not an address"},
		{name(Domain{Route: "c.example", URL: "https://b.example/"}), "nothing else to say"},
		{name(Domain{Route: "c.example", Secret: []byte{1}}), "those of c.example"},
	} {
		_, err := c.d.Normal()
		if (err == nil) != (c.say == "") || err != nil && !strings.Contains(err.Error(), c.say) {
			t.Errorf("%+v: %v, want %q", c.d, err, c.say)
		}
	}
}

func TestDomainPin(t *testing.T) {
	if got := (Domain{TLS: "pin:" + hash}).Pin(); len(got) != 32 || !bytes.HasPrefix(got, []byte{1, 0x23}) {
		t.Errorf("%x", got)
	}
	if got := (Domain{TLS: "verify"}).Pin(); got != nil {
		t.Errorf("%x", got)
	}
}

// The normal form of whatever is taken is its own.
func FuzzDomain(f *testing.F) {
	f.Add("b.example", "https://b.example/", "wv:@b.example", "pin:"+hash, "IMFeature", "")
	f.Add("b.example", "http://localhost", "", "", "", "")
	f.Add("b.example", "", "", "", "", "c.example")
	f.Fuzz(func(t *testing.T, name, url, service, tls, offer, route string) {
		d := Domain{Name: name, URL: url, Service: service, TLS: tls, Offers: []string{offer}, Route: route}
		n, err := d.Normal()
		if err != nil {
			return
		}
		if again, err := n.Normal(); err != nil || !reflect.DeepEqual(n, again) {
			t.Fatalf("%+v is not its own normal form: %+v, %v", n, again, err)
		}
	})
}
