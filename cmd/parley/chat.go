package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"

	"parley/credential"
	"parley/im"
	"parley/listen"
)

// chatHelp is the long help of the command.
const chatHelp = `What you type goes to whom you talk with; lines that begin with a slash are commands, and /help
lists them. The password is asked for, unless --password-stdin (the first line of the standard
input) or --password-file says it.

It also takes its lines from a pipe; then it prints one event a line, ends with its input, and the
exit code is 1 when anything failed:

  printf '/msg bob@parley.test hello\n' | parley chat alice@parley.test --password-file FILE

/wait makes such a script wait: /wait message bob@parley.test 10

It speaks MSNP, or XMPP with --protocol xmpp, or with a --server like xmpp://chat.example.com. XMPP goes over TLS, and
the certificate must be good for the domain of the address: vouched for by somebody whom this machine trusts, or the
one that a service made for itself in its data folder, which --data names. For a server on this machine the folder
is ./parley-data if not said otherwise.`

// chatFlags are the flags of parley chat.
type chatFlags struct {
	protocol, server string
	data             string // a folder whose service's own certificate is trusted
	insecure         bool
	stdin            bool
	file             string
	join             time.Duration // 0: joinTime
}

// joinTime is how long somebody invited is waited for before the words go: then they are stored for them.
const joinTime = 10 * time.Second

func setupChat(fs *flag.FlagSet) runner {
	var o chatFlags
	fs.StringVar(&o.protocol, "protocol", "", "speak `NAME`: msnp or xmpp (default: what --server says, or msnp)")
	fs.StringVar(&o.server, "server", "", "log in at `HOST:PORT`, or at a URL like xmpp://HOST:PORT, xmpps:// or msnp:// (default: 127.0.0.1)")
	fs.StringVar(&o.data, "data", "", "trust the certificate that the service of the data folder `DIR` made for itself (default on this machine: ./parley-data)")
	fs.BoolVar(&o.insecure, "insecure", false, "trust any certificate: whoever is on the way can read along and be anybody")
	fs.BoolVar(&o.stdin, "password-stdin", false, "take the password from the first line of the standard input")
	fs.StringVar(&o.file, "password-file", "", "take the password from the first line of `FILE`")
	return func(ctx context.Context, e *env, args []string) error { return runChat(ctx, e, args[0], o) }
}

// chatServer is what scheme to speak with which server, HOST:PORT. A port that is one protocol's alone says it, too.
func (o *chatFlags) chatServer() (scheme, server string, err error) {
	server = o.server
	scheme, rest, ok := strings.Cut(server, "://")
	if ok {
		server = rest
	} else {
		scheme = o.protocol
		if _, port, err := net.SplitHostPort(server); err == nil && (port == "5222" || port == "5223") && scheme != "msnp" {
			scheme = map[string]string{"5222": "xmpp", "5223": "xmpps"}[port]
		}
	}
	if scheme == "" {
		scheme = "msnp"
	}
	switch {
	case !slices.Contains([]string{"msnp", "xmpp", "xmpps"}, scheme):
		return "", "", usagef("%q is no protocol to chat with: it is msnp or xmpp", scheme)
	case o.protocol != "" && o.protocol != strings.TrimSuffix(scheme, "s"):
		return "", "", usagef("--protocol %s and --server %s do not go together", o.protocol, o.server)
	case server == "":
		server = "127.0.0.1"
	}
	u, err := listen.ParseURL(scheme + "://" + server)
	if err != nil || u.Advertise != "" {
		return "", "", usagef("--server %s: write it like chat.example.com:5222, or like xmpp://chat.example.com", o.server)
	}
	return scheme, u.Addr(), nil
}

// runChat logs in and chats until the user, the input or the service ends it.
func runChat(ctx context.Context, e *env, address string, o chatFlags) error {
	who, err := im.ParseAddress(address)
	if err != nil || who.IsDomain() {
		return usagef("%s is no address: write it like alice@parley.test", address)
	}
	scheme, server, err := o.chatServer()
	if err != nil {
		return err
	}
	in := bufio.NewReader(e.in)
	password, err := chatPassword(ctx, e, in, who.String(), o)
	if err != nil {
		return err
	}
	c := newChat(e, who)
	if o.join > 0 {
		c.joinTime = o.join
	}
	if scheme == "msnp" {
		c.m, err = loginMSNP(ctx, who.String(), server, password)
	} else {
		c.m, err = loginXMPP(ctx, who, server, scheme == "xmpps", password, &o)
	}
	if err != nil {
		return err
	}
	defer c.m.close()
	return c.run(ctx, in)
}

// chatTimeout is how long the service may take for an answer.
const chatTimeout = 20 * time.Second

// chatPassword gets the password; in stays at the line behind it.
func chatPassword(ctx context.Context, e *env, in *bufio.Reader, who string, o chatFlags) (credential.Secret, error) {
	switch {
	case o.stdin && o.file != "":
		return credential.Secret{}, usagef("--password-stdin and --password-file exclude each other")
	case o.stdin:
		return passwordLine(in, "the standard input")
	case o.file != "":
		f, err := os.Open(o.file)
		if err != nil {
			return credential.Secret{}, fmt.Errorf("read the password: %w", err)
		}
		defer f.Close()
		return passwordLine(bufio.NewReader(f), o.file)
	}
	f, ok := terminal(e.in)
	if !ok {
		return credential.Secret{}, usagef("there is no terminal to ask for the password: use --password-file FILE, or --password-stdin")
	}
	return askPassword(ctx, f, e.err, "Password for "+who+": ")
}

func passwordLine(r *bufio.Reader, from string) (credential.Secret, error) {
	line, err := r.ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return credential.Secret{}, fmt.Errorf("read the password: %w", err)
	}
	line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
	if line == "" {
		return credential.Secret{}, fmt.Errorf("%s has no password in its first line", from)
	}
	return credential.NewSecret(line), nil
}

// askPassword asks on a terminal, which shows nothing of it.
func askPassword(ctx context.Context, f *os.File, out io.Writer, prompt string) (credential.Secret, error) {
	// An interrupt while the terminal shows nothing must not leave it so.
	if state, err := term.GetState(int(f.Fd())); err == nil {
		defer term.Restore(int(f.Fd()), state)
	}
	fmt.Fprint(out, prompt)
	defer fmt.Fprintln(out)
	type line struct {
		b   []byte
		err error
	}
	read := make(chan line, 1) // never closed
	go func() {                // ends with the line, or with the process
		b, err := term.ReadPassword(int(f.Fd()))
		read <- line{b, err}
	}()
	select {
	case l := <-read:
		if l.err != nil {
			return credential.Secret{}, fmt.Errorf("read the password: %w", l.err)
		}
		return credential.NewSecret(string(l.b)), nil
	case <-ctx.Done():
		return credential.Secret{}, ctx.Err()
	}
}

// terminal is what a reader or writer is when it is one.
func terminal(x any) (*os.File, bool) {
	f, ok := x.(*os.File)
	return f, ok && term.IsTerminal(int(f.Fd()))
}

// notLetIn is the error of a login with a wrong password, or to no account.
func notLetIn(who string) error {
	return fmt.Errorf("%s is not let in: the password is wrong, or there is no such account (parley account list shows those there are)", who)
}

// nobodyAt is the error of a server that cannot be reached.
func nobodyAt(server string, err error) error {
	return fmt.Errorf("nobody answers at %s: %w: parley quickstart starts a service, --server HOST:PORT names another", server, err)
}
