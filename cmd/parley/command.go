package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"slices"
	"strings"
)

// command is one row of the table of commands, from which help, docs/commands.md and the
// completions of the shells are made.
type command struct {
	name  string // "serve", "account add"
	args  string // "ADDRESS", "FILE|-", "[KEY=VALUE]...": a word in brackets may be missing, dots mean any number
	short string // one line, no period
	long  string // some paragraphs; may be empty
	// setup declares the flags on a set of its own and returns what runs when they are parsed.
	setup func(*flag.FlagSet) runner
	words func() []string // what completion offers for the arguments; may be nil
}

// runner runs a command with the arguments that are not flags.
type runner func(ctx context.Context, e *env, args []string) error

// find takes the name of a command off the arguments. Without a command it is nil, with
// flag.ErrHelp when help was asked for, and a usageError otherwise.
func find(table []*command, args []string) (*command, []string, error) {
	if len(args) == 0 {
		return nil, nil, usagef("a command is missing: parley help lists them, parley quickstart starts a service to try out")
	}
	switch args[0] {
	case "-h", "-help", "--help":
		return nil, nil, flag.ErrHelp
	case "-v", "-version", "--version":
		args = append([]string{"version"}, args[1:]...)
	}
	var group []string
	for _, c := range table {
		noun, verb, two := strings.Cut(c.name, " ")
		switch {
		case noun != args[0]:
		case !two:
			return c, args[1:], nil
		default:
			group = append(group, verb)
			if len(args) > 1 && args[1] == verb {
				return c, args[2:], nil
			}
		}
	}
	if group != nil {
		if len(args) > 1 && slices.Contains([]string{"-h", "-help", "--help"}, args[1]) {
			return nil, nil, flag.ErrHelp
		}
		list := strings.Join(group, ", ")
		if len(args) == 1 {
			return nil, nil, usagef("parley %s what? There is %s", args[0], list)
		}
		return nil, nil, usagef("parley %s has no command %q: there is %s", args[0], args[1], list)
	}
	var nouns []string
	for _, c := range table {
		noun, _, _ := strings.Cut(c.name, " ")
		if !slices.Contains(nouns, noun) {
			nouns = append(nouns, noun)
		}
	}
	return nil, nil, usagef("there is no command %q: there is %s", args[0], strings.Join(nouns, ", "))
}

// flagSet is the command's flags, declared, and its runner.
func (c *command) flagSet() (*flag.FlagSet, runner) {
	fs := flag.NewFlagSet("parley "+c.name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}
	return fs, c.setup(fs)
}

// start parses the arguments and runs the command.
func (c *command) start(ctx context.Context, e *env, args []string) error {
	fs, run := c.flagSet()
	rest, err := parseMixed(fs, args)
	if errors.Is(err, flag.ErrHelp) {
		return err
	}
	if err != nil {
		text := strings.Replace(err.Error(), "flag provided but not defined: ", "unknown flag -", 1)
		return usagef("%s: see parley help %s", text, c.name)
	}
	if err := c.count(rest); err != nil {
		return err
	}
	return run(ctx, e, rest)
}

// parseMixed parses flags that may stand before, between and after the arguments, which it
// returns. After "--" everything is an argument.
func parseMixed(fs *flag.FlagSet, args []string) ([]string, error) {
	var plain []string
	for {
		if err := fs.Parse(args); err != nil {
			return nil, err
		}
		left := fs.Args()
		if read := len(args) - len(left); read > 0 && args[read-1] == "--" {
			return append(plain, left...), nil
		}
		if len(left) == 0 {
			return plain, nil
		}
		plain, args = append(plain, left[0]), left[1:]
	}
}

// count compares the number of arguments with the words of c.args.
func (c *command) count(args []string) error {
	words := strings.Fields(c.args)
	least, most := 0, len(words)
	for _, w := range words {
		if !strings.HasPrefix(w, "[") {
			least++
		}
		if strings.HasSuffix(w, "...") {
			most = len(args)
		}
	}
	switch {
	case len(args) < least:
		return usagef("%s is missing: parley %s %s", strings.Join(words[len(args):least], " "), c.name, c.args)
	case len(args) > most && most == 0:
		return usagef("parley %s takes no arguments, only flags: %q is one too many", c.name, args[0])
	case len(args) > most:
		return usagef("%q is one too many: parley %s %s", args[most], c.name, c.args)
	}
	return nil
}

// list is a flag that may stand several times.
type list []string

func (l *list) String() string     { return strings.Join(*l, ",") }
func (l *list) Set(s string) error { *l = append(*l, s); return nil }
