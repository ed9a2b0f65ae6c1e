package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"parley/credential"
	"parley/im"
	"parley/msnp"
	"parley/msnp/client"
)

// chatHelp is the long help of the command.
const chatHelp = `What you type goes to whom you talk with; lines that begin with a slash are commands, and /help
lists them. The password is asked for, unless --password-stdin (the first line of the standard
input) or --password-file says it.

It also takes its lines from a pipe; then it prints one event a line, ends with its input, and the
exit code is 1 when anything failed:

  printf '/msg bob@parley.test hello\n' | parley chat alice@parley.test --password-file FILE

/wait makes such a script wait: /wait message bob@parley.test 10`

// chatFlags are the flags of parley chat.
type chatFlags struct {
	server string
	stdin  bool
	file   string
	join   time.Duration // 0: joinTime
}

// joinTime is how long somebody invited is waited for before the words go: then they are stored for them.
const joinTime = 10 * time.Second

func setupChat(fs *flag.FlagSet) runner {
	var o chatFlags
	fs.StringVar(&o.server, "server", "127.0.0.1:1863", "log in at `HOST:PORT`")
	fs.BoolVar(&o.stdin, "password-stdin", false, "take the password from the first line of the standard input")
	fs.StringVar(&o.file, "password-file", "", "take the password from the first line of `FILE`")
	return func(ctx context.Context, e *env, args []string) error { return runChat(ctx, e, args[0], o) }
}

// runChat logs in and chats until the user, the input or the service ends it.
func runChat(ctx context.Context, e *env, address string, o chatFlags) error {
	who, err := im.ParseAddress(address)
	if err != nil || who.IsDomain() {
		return usagef("%s is no address: write it like alice@parley.test", address)
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
	c.client, err = client.Connect(ctx, client.Config{
		Address: o.server, Handle: who.String(), Password: password, Answer: true, Event: c.inbox.Put, Timeout: chatTimeout,
	})
	if err != nil {
		return loginError(err, who.String(), o.server)
	}
	defer c.client.Close()
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

// loginError says what to do about a login that failed.
func loginError(err error, who, server string) error {
	var step *client.StepError
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, msnp.ErrAuthenticationFailed):
		return fmt.Errorf("%s is not let in: the password is wrong, or there is no such account (parley account list shows those there are)", who)
	case errors.As(err, &step) && step.Step == "connect" && step.Address == server:
		return fmt.Errorf("nobody answers at %s: %w: parley quickstart starts a service, --server HOST:PORT names another", server, step.Err)
	case errors.As(err, &step) && step.Step == "connect":
		return fmt.Errorf("%s sends us to %s, where nobody answers: %w: its operator may need ?advertise=HOST:PORT on that listener", server, step.Address, step.Err)
	}
	return fmt.Errorf("log in: %w", err)
}
