package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "parley.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDefaultIsValid(t *testing.T) {
	c := Default()
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
	if loaded, err := Load(""); err != nil || !reflect.DeepEqual(loaded, c) {
		t.Errorf("Load of no file = %+v, %v", loaded, err)
	}
	Default().Listen[0] = "changed"
	if Default().Listen[0] == "changed" {
		t.Error("two defaults share a list")
	}
}

func TestLoad(t *testing.T) {
	c, err := Load(write(t, `
domain = "example.com"   # a comment
domains = ["example.org"]
listen = ["msnp://:1863",
          "http://[::1]"]
limits.line = 4096
[log]
level = "debug"
[msnp]
ring = "45s"
find = false
[removal]
hold = "30d"
`))
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Domain, want.Domains = "example.com", []string{"example.org"}
	want.Listen = []string{"msnp://:1863", "http://[::1]"}
	want.Limits.Line = 4096
	want.Log.Level = "debug"
	want.MSNP.Ring, want.MSNP.Find = Duration(45*time.Second), false
	want.Removal.Hold = Duration(720 * time.Hour)
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got  %+v\nwant %+v", c, want)
	}
	if got := c.AllDomains(); !reflect.DeepEqual(got, []string{"example.com", "example.org"}) {
		t.Errorf("AllDomains = %q", got)
	}
}

func TestLoadSaysWhatIsWrong(t *testing.T) {
	for text, say := range map[string]string{
		"domain = \"a\"\n\n[limits]\nlines = 1\n":       "parley.toml:4: unknown key limits.lines: did you mean limits.line?",
		"[limit]\nline = 1\n":                           "parley.toml:2: unknown key limit.line: did you mean limits.line?",
		"[[limits]]\nline = 1\n":                        "parley.toml:1: limits is a table of keys",
		"limits = 5\n":                                  "parley.toml:1: limits is a table of keys",
		"[nothing]\n":                                   "parley.toml:1: unknown key nothing",
		"domian = \"a\"":                                "parley.toml:1: unknown key domian: did you mean domain?",
		"Domain = \"a\"":                                "did you mean domain?",
		"domain = 5":                                    `parley.toml:1: domain: this key takes a value of type string, like "parley.test"`,
		"domain = \"a\"\n[msnp]\nring = 90\n":           `parley.toml:3: msnp.ring: 90 needs a unit: write it like "90s"`,
		"[msnp]\nring = \"soon\"\n":                     `msnp.ring: "soon" is no length of time`,
		"[msnp]\nfind = \"true\"\n":                     "msnp.find: this key takes a value of type boolean, like true",
		"limits.queue = -1":                             `limits.queue: "-1" is no number of bytes`,
		"listen = \"msnp://\"":                          "listen: this key takes a value of type list",
		"listen = [1]":                                  "put each value in quotes",
		"listen = [\"icq://:5190\"]":                    `listen: listen: icq://:5190: unknown scheme`,
		"a = 1\nb = \"\n":                               "parley.toml:2: ",
		"log.level = \"loud\"":                          `log.level: "loud" is not one of debug, info, warn, error`,
		"data = \"x\"\ntls = \"acme\"\ndomain = \"\"\n": `tls: "acme" is not known`,
	} {
		c, err := Load(write(t, text))
		if err == nil || !strings.Contains(err.Error(), say) {
			t.Errorf("%q: %v\nwant %s", text, err, say)
		}
		if !reflect.DeepEqual(c, Default()) {
			t.Errorf("%q: an error came with changed values", text)
		}
	}
	_, err := Load(write(t, "domian = 1\nlogs = 2\n"))
	if err == nil || !strings.Contains(err.Error(), "domian") || !strings.Contains(err.Error(), "logs") {
		t.Errorf("of two bad keys: %v", err)
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none.toml")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

func TestSet(t *testing.T) {
	c := Default()
	for key, value := range map[string]string{
		"domain": "x.example", "limits.contacts": "7", "limits.queue": "64KiB", "limits.line": "1000",
		"msnp.ring": "1m30s", "offline.store": "false", "msnp.dialects": "MSNP2, MSNP3", "domains": "",
	} {
		if err := c.Set(key, value); err != nil {
			t.Error(err)
		}
	}
	if c.Domain != "x.example" || c.Limits.Contacts != 7 || c.Limits.Queue != 64*KiB || c.Limits.Line != 1000 ||
		c.MSNP.Ring.Std() != 90*time.Second || c.Offline.Store || len(c.Domains) != 0 ||
		!reflect.DeepEqual(c.MSNP.Dialects, []string{"MSNP2", "MSNP3"}) {
		t.Errorf("%+v", c)
	}
	for _, bad := range []struct{ key, value, say string }{
		{"limits.lin", "1", "unknown key limits.lin: did you mean limits.line?"},
		{"line", "1", "did you mean limits.line?"},
		{"log_level", "info", "did you mean log.level?"},
		{"limits.loginfailures", "1", "did you mean limits.login_failures?"},
		{"msnp", "1", "msnp is a table of keys"},
		{"limits.contacts", "many", `limits.contacts: "many" is no whole number`},
		{"limits.queue", "4MB", "is no number of bytes"},
		{"msnp.find", "yes", "neither true nor false"},
		{"msnp.idle", "30", `"30" is no length of time`},
	} {
		before := c
		if err := c.Set(bad.key, bad.value); err == nil || !strings.Contains(err.Error(), bad.say) {
			t.Errorf("Set(%q, %q) = %v, want %s", bad.key, bad.value, err, bad.say)
		}
		if !reflect.DeepEqual(before, c) {
			t.Errorf("Set(%q, %q) failed and changed something", bad.key, bad.value)
		}
	}
}

func TestValidate(t *testing.T) {
	for _, bad := range []struct{ key, value, say string }{
		{"domain", "a b", "domain: "},
		{"domains", "ok.example,a@b", "domains: "},
		{"data", " ", "data: name a folder"},
		{"listen", "", "listen: name at least one"},
		{"limits.line", "100", "limits.line: 100 is too little: 512 to 1MiB"},
		{"limits.payload", "2MiB", `limits.payload: "2MiB" is too much`},
		{"limits.presence_queue", "5MiB", "more than limits.queue, 4MiB"},
		{"limits.login_time", "0s", "limits.login_time: \"0s\" is too little"},
		{"limits.contacts", "-1", "limits.contacts: -1 is too little"},
		{"limits.rooms", "0", "limits.rooms: 0 is too little"},
		{"limits.room_users", "0", "limits.room_users: 0 is too little"},
		{"msnp.dialects", "", "msnp.dialects: "},
		{"msnp.public_url", "example.com", "msnp.public_url: "},
		{"tls", "files:cert.pem", "tls: "},
		{"xmpp.plain", "always", `xmpp.plain: "always" is not known: write "loopback"`},
		{"xmpp.contact", "mailto:a@b.example,admin@b.example", `xmpp.contact: "admin@b.example" is no URI`},
		{"xmpp.conference", "a b", "xmpp.conference: "},
		{"xmpp.conference", "parley.test", "xmpp.conference: parley.test is a domain of accounts"},
		{"xmpp.idle", "1s", "xmpp.idle: \"1s\" is too little"},
		{"xmpp.registrations_per_network", "0", "xmpp.registrations_per_network: 0 is too little"},
		{"limits.stanza", "9999", "limits.stanza: 9999 is too little: 10000 to 16MiB"}, // RFC 6120 13.12
		{"limits.stanza_depth", "2", "limits.stanza_depth: 2 is too little"},
		{"limits.sessions", "0", "limits.sessions: 0 is too little"},
		{"ssp.public", "im.parley.test:8421", `ssp.public: "im.parley.test:8421" is no URL of a domain: write it like https://im.parley.test:8421/`},
		{"ssp.public", "https://im.parley.test/?a=b", "ssp.public: "},
		{"ssp.connections", "0", "ssp.connections: 0 is too little: 1 to 64"},
		{"ssp.connections", "65", "ssp.connections: 65 is too much"},
		{"ssp.requests_per_second", "-1", "ssp.requests_per_second: -1 is too little"},
		{"ssp.body", "4095", "ssp.body: 4095 is too little: 4KiB to 64MiB"},
		{"ssp.recipients", "0", "ssp.recipients: 0 is too little"},
		{"ssp.keep_alive", "0s", `ssp.keep_alive: "0s" is too little`},
		{"ssp.back_off_max", "0s", `ssp.back_off_max: "0s" is too little`},
		{"ssp.users", "0", "ssp.users: 0 is too little"},
		{"ssp.queue", "0", "ssp.queue: 0 is too little"},
		{"offline.peer_age", "59s", `offline.peer_age: "59s" is too little: 1m or more`},
	} {
		c := Default()
		if err := c.Set(bad.key, bad.value); err != nil {
			t.Error(err)
			continue
		}
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), bad.say) {
			t.Errorf("%s=%q: %v, want %s", bad.key, bad.value, err, bad.say)
		}
	}
	c := Default()
	c.Domain, c.Data = "", ""
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "domain: ") || !strings.Contains(err.Error(), "data: ") {
		t.Errorf("of two bad values: %v", err)
	}
}

func TestParseTLS(t *testing.T) {
	c := Config{TLS: "files:/etc/cert.pem, /etc/key.pem"}
	if got, err := c.ParseTLS(); err != nil || got != (TLS{Cert: "/etc/cert.pem", Key: "/etc/key.pem"}) {
		t.Errorf("%+v, %v", got, err)
	}
	c.TLS = "off"
	if got, err := c.ParseTLS(); err != nil || got != (TLS{}) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestCertificateNames(t *testing.T) {
	c := Default()
	c.Domain, c.Domains = "example.com", []string{"example.org", "example.com"}
	if got, want := c.CertificateNames(), []string{"example.com", "example.org", "conversation.example.com", "conversation.example.org"}; !reflect.DeepEqual(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	c.XMPP.Conference = "rooms.example.com"
	if got, want := c.CertificateNames(), []string{"example.com", "example.org", "rooms.example.com"}; !reflect.DeepEqual(got, want) {
		t.Errorf("with xmpp.conference: %q, want %q", got, want)
	}
	for key, value := range map[string]string{"ssp.public": "https://im.example.com/ssp", "listen": "ssp://127.0.0.1,ssps://", "xmpp.plain": "loopback", "xmpp.contact": "mailto:a@b.example, xmpp:a@b.example,https://b.example/help"} {
		if err := c.Set(key, value); err != nil {
			t.Error(err)
		}
	}
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
}

func TestPublicURL(t *testing.T) {
	c := Default()
	if got := c.PublicURL(); got != "http://parley.test/" {
		t.Error(got)
	}
	c.MSNP.PublicURL = "https://www.example.com/im/"
	if got := c.PublicURL(); got != c.MSNP.PublicURL {
		t.Error(got)
	}
}

func TestWriteThreeIsReadAgain(t *testing.T) {
	c := Default()
	c.Domain, c.Data = "example.com", `C:\data "x"`
	path := filepath.Join(t.TempDir(), "parley.toml")
	if err := c.WriteThree(path); err != nil {
		t.Fatal(err)
	}
	if got, err := Load(path); err != nil || !reflect.DeepEqual(got, c) {
		t.Errorf("%+v, %v", got, err)
	}
	if err := Default().WriteThree(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over a file that is there: %v", err)
	}
	// What the comment shows must be good when somebody uncomments it.
	text := strings.Replace(strings.Replace(c.Text(), "# listen", "listen", 1), "     the default", "", 1)
	if got, err := Load(write(t, text)); err != nil || !reflect.DeepEqual(got, c) {
		t.Errorf("uncommented: %+v, %v", got, err)
	}
}

func TestKeysAreWhatFilesAndFlagsTake(t *testing.T) {
	for _, k := range Keys() {
		if k.Doc == "" || k.Default == "" || k.Type == "" {
			t.Errorf("%+v lacks something", k)
		}
		table, key, nested := strings.Cut(k.Name, ".")
		text := k.Name + " = " + k.Default
		if nested {
			text = "[" + table + "]\n" + key + " = " + k.Default
		}
		c, err := Load(write(t, text))
		if err != nil {
			t.Errorf("%s: its default does not load: %v", k.Name, err)
		}
		// DeepEqual tells an empty list from none, which nobody else does.
		if c.Domains != nil && len(c.Domains) == 0 {
			c.Domains = nil
		}
		if c.XMPP.Contact != nil && len(c.XMPP.Contact) == 0 {
			c.XMPP.Contact = nil
		}
		if c.MSNP.PassportProxies != nil && len(c.MSNP.PassportProxies) == 0 {
			c.MSNP.PassportProxies = nil
		}
		if c.SSP.Elements != nil && len(c.SSP.Elements) == 0 {
			c.SSP.Elements = nil
		}
		if !reflect.DeepEqual(c, Default()) {
			t.Errorf("%s: its default is %s, which loads as something else", k.Name, k.Default)
		}
	}
}

func TestValues(t *testing.T) {
	for in, want := range map[string]Duration{"90s": 90e9, "90d": 2160 * 3600e9, "1h30m": 5400e9, "0s": 0} {
		if d, err := ParseDuration(in); err != nil || d != want {
			t.Errorf("ParseDuration(%q) = %v, %v", in, d, err)
		}
	}
	for _, in := range []string{"", "90", "-1s", "d", "-1d", "1.5d", "999999999d", "s"} {
		if d, err := ParseDuration(in); err == nil {
			t.Errorf("ParseDuration(%q) = %v", in, d)
		}
	}
	for in, want := range map[string]string{"90s": "1m30s", "60s": "1m", "2160h": "2160h", "1h0m5s": "1h0m5s", "10m": "10m", "100ms": "100ms", "0s": "0s"} {
		d, err := ParseDuration(in)
		if err != nil || d.String() != want {
			t.Errorf("%s is written %s, want %s", in, d, want)
		}
		if again, err := ParseDuration(d.String()); err != nil || again != d {
			t.Errorf("%s read again: %v, %v", d, again, err)
		}
	}
	for in, want := range map[string]Size{"0": 0, "8192": 8 * KiB, "64KiB": 64 * KiB, "4 MiB": 4 * MiB, "1GiB": GiB, "12B": 12} {
		if s, err := ParseSize(in); err != nil || s != want {
			t.Errorf("ParseSize(%q) = %v, %v", in, s, err)
		}
	}
	for _, in := range []string{"", "B", "-1", "1.5MiB", "64K", "9999999999GiB", "KiB"} {
		if s, err := ParseSize(in); err == nil {
			t.Errorf("ParseSize(%q) = %v", in, s)
		}
	}
	for s, want := range map[Size]string{0: "0", 1664: "1664", 8192: "8KiB", 3 * GiB: "3GiB", 1025 * KiB: "1025KiB"} {
		if s.String() != want {
			t.Errorf("%d is written %s, want %s", int64(s), s, want)
		}
	}
}

func FuzzSet(f *testing.F) {
	for _, k := range Keys() {
		f.Add(k.Name, strings.Trim(k.Default, `"`))
	}
	f.Add("limits.", "1")
	f.Add("", "")
	f.Add("limits.queue", "9223372036854775807KiB")
	f.Fuzz(func(t *testing.T, key, value string) {
		c := Default()
		if err := c.Set(key, value); err != nil {
			if !reflect.DeepEqual(c, Default()) {
				t.Fatalf("Set(%q, %q) failed and changed something", key, value)
			}
			return
		}
		// Set takes what Keys writes: the value again gives the same configuration.
		got := lookup(&c, key)
		text := strings.Trim(got.text(), `"`)
		switch got.kind() {
		case "string":
			text = value
		case "list":
			text = strings.Join(got.value.Interface().([]string), ",")
		}
		again := Default()
		if err := again.Set(key, text); err != nil || !reflect.DeepEqual(c, again) {
			t.Fatalf("%s: %q is written %q, which reads as something else: %v", key, value, text, err)
		}
		c.Validate() // must not panic, whatever the value
	})
}

func TestPassportKeys(t *testing.T) {
	c := Default()
	c.MSNP.PassportProxies = []string{"192.0.2.7", "2001:db8::/32"}
	l, err := c.MSNP.Proxies()
	if err != nil || len(l) != 2 || l[0].String() != "192.0.2.7/32" || l[1].String() != "2001:db8::/32" {
		t.Errorf("%v, %v", l, err)
	}
	for key, value := range map[string]string{"msnp.passport_proxies": "proxy.example.com", "msnp.passport_tls": "off", "msnp.passport_host": "login@example.com"} {
		c := Default()
		if err := c.Set(key, value); err != nil {
			t.Fatal(err)
		}
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s = %q: %v", key, value, err)
		}
	}
}
