package main

import (
	"context"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"parley/im"
)

// importPage is how many accounts are made with one request.
const importPage = 500

// line is a line of the file with what stands in it, or what is wrong with it.
type line struct {
	number int
	row    importRow
	err    error
}

func setupAccountImport(fs *flag.FlagSet) runner {
	var s settings
	s.placeFlags(fs)
	return func(ctx context.Context, e *env, args []string) error {
		in := e.in
		if args[0] != "-" {
			f, err := os.Open(args[0])
			if err != nil {
				return err
			}
			defer f.Close()
			in = f
		}
		lines, err := readLines(in)
		if err != nil {
			return fmt.Errorf("read %s: %w", args[0], err)
		}
		d, err := openDesk(ctx, e, &s, domainsOf(lines)...)
		if err != nil {
			return err
		}
		noteGuests(e, d)
		made, err := importLines(ctx, e, d, lines)
		if closed := d.Close(); err == nil {
			err = closed
		}
		failed := 0
		for _, l := range lines {
			if l.err != nil {
				failed++
				fmt.Fprintf(e.err, "line %d: %v\n", l.number, l.err)
			}
		}
		fmt.Fprintf(e.out, "%d accounts imported, %d lines failed\n", made, failed)
		if err == nil && failed > 0 {
			return saidError{}
		}
		return err
	}
}

// readLines reads all of the file. A line that is no row is a line with an error; the
// others count all the same.
func readLines(r io.Reader) ([]*line, error) {
	c := csv.NewReader(r)
	c.FieldsPerRecord = -1
	c.ReuseRecord = true
	var lines []*line
	where := map[string]int{} // the line of each address
	for first := true; ; first = false {
		fields, err := c.Read()
		var bad *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			return lines, nil
		case errors.As(err, &bad):
			lines = append(lines, &line{number: bad.StartLine, err: fmt.Errorf("it is not CSV: %w", bad.Err)})
			continue
		case err != nil:
			return nil, err
		}
		n, _ := c.FieldPos(0)
		l := &line{number: n}
		address := strings.TrimSpace(strings.TrimPrefix(fields[0], "\ufeff"))
		switch {
		case first && len(fields) == 2 && strings.EqualFold(address, "address"):
			continue
		case len(fields) != 2:
			l.err = fmt.Errorf("it has %d columns, not the two address,password", len(fields))
		default:
			l.row = importRow{strings.Clone(address), strings.Clone(fields[1])}
			if who, err := im.ParseAddress(l.row.Address); err == nil {
				address = who.String()
			}
			if at := where[address]; at > 0 {
				l.err = fmt.Errorf("%s stands in line %d already", address, at)
			} else {
				where[strings.Clone(address)] = n
			}
		}
		lines = append(lines, l)
	}
}

func domainsOf(lines []*line) (domains []string) {
	for _, l := range lines {
		if who, err := im.ParseAddress(l.row.Address); l.err == nil && err == nil && !who.IsDomain() && !slices.Contains(domains, who.Domain()) {
			domains = append(domains, who.Domain())
		}
	}
	return domains
}

// importLines makes the accounts, a page at a time, and keeps in each line what went wrong.
func importLines(ctx context.Context, e *env, d desk, lines []*line) (made int, err error) {
	bar := progressbar.DefaultSilent(0)
	if f, ok := e.err.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		bar = progressbar.NewOptions(len(lines), progressbar.OptionSetWriter(f), progressbar.OptionSetDescription("import"),
			progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish())
	}
	defer bar.Finish()
	for page := range slices.Chunk(lines, importPage) {
		r := request{Act: "import"}
		var sent []*line
		for _, l := range page {
			if l.err == nil {
				r.Rows = append(r.Rows, l.row)
				sent = append(sent, l)
			}
		}
		a, err := d.do(ctx, r)
		if err != nil {
			return made, fmt.Errorf("stopped after %d accounts: %w", made, err)
		}
		for i, l := range sent {
			if i < len(a.Failed) && a.Failed[i] != "" {
				l.err = errors.New(a.Failed[i])
				continue
			}
			made++
		}
		bar.Add(len(page))
	}
	return made, nil
}
