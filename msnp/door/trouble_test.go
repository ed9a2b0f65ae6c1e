package door_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"parley/exchange"
	"parley/im"
	"parley/msnp/plays"
	"parley/transcript"
)

// playWith plays a script that needs more than a play can ask for.
func playWith(t *testing.T, script string, directives map[string]func(*house) error) {
	t.Helper()
	keys()
	scripts, err := transcript.Parse(t.Name(), script)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range scripts {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse(t)
			o := plays.Options(h, true)
			for name, f := range directives {
				o.Directives[name] = func([]string) error { return f(h) }
			}
			transcript.Play(t, s, plays.Dial(h), o)
		})
	}
}

// TestFindTooMany: dialects 9.5, 10.
func TestFindTooMany(t *testing.T) {
	const most = 100
	var all strings.Builder
	for i := range most {
		fmt.Fprintf(&all, "alice S: FND 1 %d %d fname=Eve lname=Smith city= state= country=\n", i+1, most)
	}
	crowd := func(n int) func(h *house) error {
		return func(h *house) error {
			for i := range n {
				a := im.Account{Address: im.MustAddress(fmt.Sprintf("eve%d.%d@%s", n, i, plays.Domain)),
					Profile: im.Profile{Listed: true, First: "Eve", Last: "Smith"}}
				if err := h.exchange.CreateAccount(h.ctx, a); err != nil {
					return err
				}
			}
			return nil
		}
	}
	playWith(t, `# More people than can be shown. Spec: dialects 9.5, 10
@open alice in
@crowd
alice C: FND 1 fname=* lname=Smith city=* state=* country=*
`+all.String()+`@another
alice C: FND 2 fname=* lname=Smith city=* state=* country=*
alice S: 301 2
`, map[string]func(*house) error{"crowd": crowd(most), "another": crowd(1)})
}

// TestMailFails: the program that sends mail ends with an error. dialects 9.5, 10
func TestMailFails(t *testing.T) {
	playWith(t, `# The mail program fails, and there is none of that name. Spec: dialects 9.5, 10
@config msnp.sendmail=false
@open alice in
alice C: SND 1 friend@elsewhere.example
alice S: 503 1

# There is no such mail program. Spec: dialects 9.5, 10
@config msnp.sendmail=/nowhere/sendmail
@open alice in
alice C: SND 1 friend@elsewhere.example
alice S: 503 1
`, nil)
}

// TestLoginWhileGoingDown: whoever has not logged in when the others are told to go, cannot. dialects 10
func TestLoginWhileGoingDown(t *testing.T) {
	playWith(t, `# A login while the service goes down. Spec: draft 7.10, 7.11; dialects 10
@open alice NLN
bob C: VER 1 MSNP2
bob S: VER 1 MSNP2
bob C: USR 2 MD5 I bob@example.com
bob S: USR 2 MD5 S ${challenge}
@ending
alice S: OUT SSD
@closed alice
bob C: USR 3 MD5 S ${md5 challenge}
bob S: 604 3
`, map[string]func(*house) error{"ending": func(h *house) error {
		h.exchange.EndAll(exchange.Shutdown)
		return nil
	}})
}

// TestStoreFails: what the store cannot do is told, and the connection goes on. dialects 10
func TestStoreFails(t *testing.T) {
	playWith(t, `# The store is closed under a session. Spec: draft 7.11; dialects 10
@open alice NLN
alice C: ADD 1 FL bob@example.com Bob
alice S: ADD 1 FL ${*} bob@example.com Bob
@break
alice C: ADD 2 FL carol@example.com Carol
alice S: 604 2
alice C: LST 3 FL
alice S: LST 3 FL ${*} 1 1 bob@example.com Bob
`, map[string]func(*house) error{"break": func(h *house) error { return h.store.Close() }})
}
