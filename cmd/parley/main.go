// Command parley is the whole service in one program: it serves, keeps accounts, backs up,
// restores and checks itself. This is where everything meets: each command puts together
// the packages it needs, and nothing else knows of all of them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// version is put in by the linker: -ldflags "-X main.version=1.2.3".
var version string

// The exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// env is what a command gets from the world.
type env struct {
	in       io.Reader
	out, err io.Writer
}

func main() { os.Exit(realMain()) }

// realMain is main without its os.Exit, which would run no deferred call.
func realMain() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The first signal ends things in order; a second one at once.
	defer context.AfterFunc(ctx, stop)()
	return run(ctx, &env{os.Stdin, os.Stdout, os.Stderr}, os.Args[1:])
}

// run runs one command line and returns the exit code.
func run(ctx context.Context, e *env, args []string) int {
	cmd, rest, err := find(commands(), args)
	if err == nil {
		err = cmd.start(ctx, e, rest)
	}
	var usage usageError
	var said saidError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, flag.ErrHelp):
		switch group := below(commands(), args[0]); {
		case cmd != nil:
			writeHelp(e.out, cmd)
		case group != nil:
			writeList(e.out, group)
		default:
			writeOverview(e.out, commands())
		}
		return exitOK
	case errors.As(err, &usage):
		fmt.Fprintf(e.err, "parley: %v\n", err)
		return exitUsage
	case errors.As(err, &said):
		return exitFailed
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		fmt.Fprintln(e.err, "parley: stopped")
		return exitFailed
	}
	fmt.Fprintf(e.err, "parley: %v\n", err)
	return exitFailed
}

// usageError is a command line that cannot be meant: exit code 2.
type usageError struct{ text string }

func (u usageError) Error() string { return u.text }

func usagef(format string, args ...any) error { return usageError{fmt.Sprintf(format, args...)} }

// saidError is a failure that the command has reported itself, line by line.
type saidError struct{}

func (saidError) Error() string { return "failed" }
