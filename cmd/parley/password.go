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

	"golang.org/x/term"

	"parley/credential"
)

func passwordFlag(fs *flag.FlagSet) *bool {
	return fs.Bool("password-stdin", false, "take the password from the first line of the standard input")
}

// readPassword asks for a password, twice, or takes it from the standard input. It judges it
// before anything else is done.
func readPassword(ctx context.Context, e *env, who string, stdin bool) (string, error) {
	var password string
	var err error
	if stdin {
		password, err = firstLine(e.in)
	} else {
		password, err = askTwice(ctx, e, who)
	}
	if err != nil {
		return "", err
	}
	return password, credential.Check(credential.NewSecret(password))
}

func firstLine(r io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(r, 64<<10)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the password: %w", err)
	}
	return strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"), nil
}

func askTwice(ctx context.Context, e *env, who string) (string, error) {
	f, ok := e.in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return "", usagef("there is no terminal to ask for the password: use --password-stdin")
	}
	// An interrupt while the terminal shows nothing must not leave it so.
	if state, err := term.GetState(int(f.Fd())); err == nil {
		defer term.Restore(int(f.Fd()), state)
	}
	type line struct {
		b   []byte
		err error
	}
	var said [2]string
	for i, prompt := range []string{"Password for " + who + ": ", "Once more: "} {
		fmt.Fprint(e.err, prompt)
		read := make(chan line, 1) // never closed
		go func() {                // ends with the line, or with the process
			b, err := term.ReadPassword(int(f.Fd()))
			read <- line{b, err}
		}()
		select {
		case l := <-read:
			fmt.Fprintln(e.err)
			if l.err != nil {
				return "", fmt.Errorf("read the password: %w", l.err)
			}
			said[i] = string(l.b)
		case <-ctx.Done():
			fmt.Fprintln(e.err)
			return "", ctx.Err()
		}
	}
	if said[0] != said[1] {
		return "", errors.New("the two passwords are not the same: nothing was changed")
	}
	return said[0], nil
}
