// Command conformance reads which sections of the specifications the comments of the code and the plays cite,
// fails on a section that does not exist, and writes docs/conformance.md: from each section to who answers it, and
// to the plays that show it.
//
//	go run ./tools/conformance             write docs/conformance.md
//	go run ./tools/conformance -check      fail when the committed page is another
//	go run ./tools/conformance -strict     fail as well when a section that must be served has no code or no play
//
// Of SSP it shows besides, from the tables of ssp/wire, each transaction in both roles and each primitive; -strict fails on
// one that no code has or no play shows.
//
// The sections that exist are listed in testdata/sections, one file a specification.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(1)
	}
}

func run(args []string, stdout, stderr io.Writer) error {
	fs := flag.NewFlagSet("conformance", flag.ContinueOnError)
	fs.SetOutput(stderr)
	root := fs.String("root", ".", "top folder of the repository")
	out := fs.String("o", "", "file to write, - for standard output (default docs/conformance.md below the top)")
	check := fs.Bool("check", false, "write nothing; fail when the file is not what would be written")
	strict := fs.Bool("strict", false, "fail when a section with a rule for the service has no code or no play")
	if err := fs.Parse(args); err != nil {
		return err
	}
	page, problems, err := generate(*root, *strict)
	if err != nil {
		return err
	}
	for _, p := range problems {
		fmt.Fprintln(stderr, p)
	}
	if len(problems) > 0 {
		return fmt.Errorf("%d problems", len(problems))
	}
	file := *out
	if file == "" {
		file = filepath.Join(*root, "docs", "conformance.md")
	}
	switch {
	case *check:
		old, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("%w; make it with `make docs`", err)
		}
		if string(old) != page {
			return fmt.Errorf("%s is not up to date; make it anew with `make docs`", file)
		}
		return nil
	case file == "-":
		_, err := io.WriteString(stdout, page)
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(page), 0o644)
}

// generate makes the page from what stands below root. The problems are citations of what does not exist, files
// that cannot be read and, if strict, sections without code or play.
func generate(root string, strict bool) (page string, problems []string, err error) {
	specs, err := readSections(filepath.Join(root, "testdata", "sections"))
	if err != nil {
		return "", nil, err
	}
	found, problems, err := scan(root, specs)
	if err != nil {
		return "", nil, err
	}
	for _, u := range found.uses {
		if why := specs.judge(u.citation); why != "" {
			problems = append(problems, u.at+": "+why)
		}
	}
	free, wrong, err := readExempt(filepath.Join(root, "testdata", "norule.txt"), specs)
	if err != nil {
		return "", nil, err
	}
	problems = append(problems, wrong...)
	t := newTable(specs, found, free)
	if t.ssp, err = readSSP(root); err != nil {
		return "", nil, err
	}
	if strict {
		problems = append(problems, t.empty()...)
		if t.ssp != nil {
			problems = append(problems, t.ssp.empty()...)
		}
	}
	return t.page(), problems, nil
}
