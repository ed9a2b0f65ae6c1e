package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
)

// shells are those that completion knows.
var shells = []string{"bash", "zsh", "fish"}

func setupCompletion(*flag.FlagSet) runner {
	return func(_ context.Context, e *env, args []string) error {
		table := commands()
		switch args[0] {
		case "bash":
			writeBash(e.out, table)
		case "zsh":
			// zsh runs completions of bash when told so, which keeps the two alike.
			io.WriteString(e.out, "autoload -U +X bashcompinit && bashcompinit\n")
			writeBash(e.out, table)
		case "fish":
			writeFish(e.out, table)
		default:
			return usagef("no completion for %q: there is %s", args[0], strings.Join(shells, ", "))
		}
		return nil
	}
}

// next lists what may follow the words so far: "" is the beginning of the line.
func next(table []*command) (order []string, after map[string][]string) {
	after = map[string][]string{}
	add := func(key, word string) {
		if _, ok := after[key]; !ok {
			order = append(order, key)
		}
		if slices.Contains(after[key], word) {
			return
		}
		after[key] = append(after[key], word)
	}
	for _, c := range table {
		noun, verb, two := strings.Cut(c.name, " ")
		add("", noun)
		if two {
			add(noun, verb)
		}
		if c.words != nil {
			for _, w := range c.words() {
				add(c.name, w)
			}
		}
		fs, _ := c.flagSet()
		fs.VisitAll(func(f *flag.Flag) { add(c.name, "--"+f.Name) })
	}
	return order, after
}

func writeBash(w io.Writer, table []*command) {
	io.WriteString(w, `# completion of parley for bash: source <(parley completion bash)
_parley() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} key= words=
    case $prev in
    --data) COMPREPLY=($(compgen -d -- "$cur")); return ;;
    --config) COMPREPLY=($(compgen -f -- "$cur")); return ;;
    esac
    [ "$COMP_CWORD" -gt 1 ] && key=${COMP_WORDS[1]}
    case "$key ${COMP_WORDS[2]}" in
`)
	order, after := next(table)
	for _, c := range table {
		if strings.Contains(c.name, " ") {
			fmt.Fprintf(w, "    '%s') [ \"$COMP_CWORD\" -gt 2 ] && key='%s' ;;\n", c.name, c.name)
		}
	}
	io.WriteString(w, "    esac\n    case $key in\n")
	for _, key := range order {
		fmt.Fprintf(w, "    '%s') words='%s' ;;\n", key, strings.Join(after[key], " "))
	}
	io.WriteString(w, `    esac
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
    case "$key:$cur" in *:-*) ;; ?*:*) COMPREPLY+=($(compgen -f -- "$cur")) ;; esac
}
complete -F _parley parley ./parley
`)
}

func writeFish(w io.Writer, table []*command) {
	io.WriteString(w, "# completion of parley for fish: parley completion fish | source\n")
	quote := func(s string) string { return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'" }
	seen := map[string]bool{}
	for _, c := range table {
		noun, verb, two := strings.Cut(c.name, " ")
		in := "__fish_seen_subcommand_from " + noun
		if !seen[noun] {
			seen[noun] = true
			short := c.short
			if two {
				short = "commands about " + noun + "s"
			}
			fmt.Fprintf(w, "complete -c parley -n __fish_use_subcommand -f -a %s -d %s\n", noun, quote(short))
		}
		if two {
			var verbs []string
			for _, o := range below(table, noun) {
				verbs = append(verbs, strings.TrimPrefix(o.name, noun+" "))
			}
			fmt.Fprintf(w, "complete -c parley -n %s -f -a %s -d %s\n",
				quote(in+"; and not __fish_seen_subcommand_from "+strings.Join(verbs, " ")), verb, quote(c.short))
			in += "; and __fish_seen_subcommand_from " + verb
		}
		if c.words != nil {
			fmt.Fprintf(w, "complete -c parley -n %s -f -a %s\n", quote(in), quote(strings.Join(c.words(), " ")))
		}
		fs, _ := c.flagSet()
		fs.VisitAll(func(f *flag.Flag) {
			value, text := flag.UnquoteUsage(f)
			takes := ""
			if value != "" {
				takes = " -r"
			}
			fmt.Fprintf(w, "complete -c parley -n %s -l %s%s -d %s\n", quote(in), f.Name, takes, quote(text))
		})
	}
}
