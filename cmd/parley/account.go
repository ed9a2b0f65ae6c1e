package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/im"
)

// withDesk runs an act of the account commands.
func withDesk(ctx context.Context, e *env, s *settings, r request) (a answer, err error) {
	var domains []string
	if who, err := im.ParseAddress(r.Address); err == nil && !who.IsDomain() {
		domains = append(domains, who.Domain())
	}
	d, err := openDesk(ctx, e, s, domains...)
	if err != nil {
		return a, err
	}
	a, err = d.do(ctx, r)
	if err == nil && r.Act == "add" {
		noteGuests(e, d)
	}
	if closed := d.Close(); err == nil {
		err = closed
	}
	return a, err
}

func setupAccountAdd(fs *flag.FlagSet) runner {
	var s settings
	s.placeFlags(fs)
	stdin := passwordFlag(fs)
	name := fs.String("name", "", "the display name is `NAME`, until its owner changes it")
	return func(ctx context.Context, e *env, args []string) error {
		password, err := readPassword(ctx, e, args[0], *stdin)
		if err != nil {
			return err
		}
		_, err = withDesk(ctx, e, &s, request{Act: "add", Address: args[0], Password: password, Name: *name})
		return done(e, err, "%s can log in", args[0])
	}
}

// done prints a line for people when there was no error.
func done(e *env, err error, format string, args ...any) error {
	if err == nil {
		fmt.Fprintf(e.out, format+"\n", args...)
	}
	return err
}

func setupAccountRemove(fs *flag.FlagSet) runner {
	var s settings
	s.placeFlags(fs)
	return func(ctx context.Context, e *env, args []string) error {
		_, err := withDesk(ctx, e, &s, request{Act: "remove", Address: args[0]})
		return done(e, err, "%s is removed", args[0])
	}
}

func setupAccountPassword(fs *flag.FlagSet) runner {
	var s settings
	s.placeFlags(fs)
	stdin := passwordFlag(fs)
	return func(ctx context.Context, e *env, args []string) error {
		password, err := readPassword(ctx, e, args[0], *stdin)
		if err != nil {
			return err
		}
		_, err = withDesk(ctx, e, &s, request{Act: "password", Address: args[0], Password: password})
		return done(e, err, "%s has a new password", args[0])
	}
}

func setupAccountDisable(fs *flag.FlagSet) runner {
	return setupAble(fs, "disable", "%s cannot log in any more")
}

func setupAccountEnable(fs *flag.FlagSet) runner {
	return setupAble(fs, "enable", "%s can log in again")
}

func setupAble(fs *flag.FlagSet, act, said string) runner {
	var s settings
	s.placeFlags(fs)
	return func(ctx context.Context, e *env, args []string) error {
		a, err := withDesk(ctx, e, &s, request{Act: act, Address: args[0]})
		if a.Note != "" {
			return done(e, err, "%s: %s", args[0], a.Note)
		}
		return done(e, err, said, args[0])
	}
}

func setupAccountList(fs *flag.FlagSet) runner {
	var s settings
	s.placeFlags(fs)
	asJSON := jsonFlag(fs)
	return func(ctx context.Context, e *env, _ []string) (err error) {
		d, err := openDesk(ctx, e, &s)
		if err != nil {
			return err
		}
		defer d.Close()
		all := []accountInfo{}
		for r := (request{Act: "list"}); ; {
			a, err := d.do(ctx, r)
			if err != nil {
				return err
			}
			all = append(all, a.Accounts...)
			if a.Next == "" {
				break
			}
			r.After = a.Next
		}
		slices.SortFunc(all, func(a, b accountInfo) int { return strings.Compare(a.Address, b.Address) })
		if *asJSON {
			return printJSON(e.out, all)
		}
		for _, a := range all {
			fmt.Fprintln(e.out, strings.TrimRight(fmt.Sprintf("%-40s %s", a.Address, a.remark()), " "))
		}
		return nil
	}
}

func jsonFlag(fs *flag.FlagSet) *bool { return fs.Bool("json", false, "print JSON") }

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

func (a accountInfo) remark() string {
	switch {
	case a.Disabled:
		return "disabled"
	case a.LastSeen == nil:
		return ""
	}
	return "last seen " + moment(*a.LastSeen)
}

// moment is a time for people.
func moment(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05") }

func setupAccountShow(fs *flag.FlagSet) runner {
	var s settings
	s.placeFlags(fs)
	asJSON := jsonFlag(fs)
	return func(ctx context.Context, e *env, args []string) error {
		a, err := withDesk(ctx, e, &s, request{Act: "show", Address: args[0]})
		if err != nil {
			return err
		}
		if *asJSON {
			return printJSON(e.out, a.Detail)
		}
		a.Detail.write(e.out)
		return nil
	}
}

func (d *detail) write(w io.Writer) {
	line := func(what, format string, args ...any) {
		fmt.Fprintf(w, "%-12s %s\n", what, fmt.Sprintf(format, args...))
	}
	line("address", "%s", d.Address)
	if d.Name != "" {
		line("name", "%s", d.Name)
	}
	if d.Disabled {
		line("disabled", "it cannot log in: parley account enable %s", d.Address)
	}
	if !d.KeepsKey {
		line("password", "not kept: MSNP clients cannot log in (key credential.keep_password); set it again to keep it")
	}
	line("created", "%s", moment(d.Created))
	if d.LastSeen != nil {
		line("last seen", "%s", moment(*d.LastSeen))
	}
	line("lists", "%d contacts, %d allowed, %d blocked, %d watchers (%d of them ask to be)",
		d.Contacts, d.Allowed, d.Blocked, d.Watchers, d.Requests)
	line("serial", "%d", d.Serial)
	line("waiting", "%d messages, %d bytes", d.Waiting, d.WaitingBytes)
	d.Profile.write(w)
	for _, s := range d.Sessions {
		line("session", "%s as %s, %s, from %s since %s", s.Door, strconv.Quote(s.Slot), s.Presence, s.Remote, moment(s.Since))
	}
	if len(d.Sessions) == 0 {
		line("sessions", "none")
	}
}

func (p profileInfo) write(w io.Writer) {
	listed := "not listed in the user directory"
	if p.Listed {
		listed = "listed in the user directory"
	}
	var values []string
	for _, v := range [][2]string{{"first", p.First}, {"last", p.Last}, {"city", p.City}, {"state", p.State}, {"country", p.Country}} {
		if v[1] != "" {
			values = append(values, v[0]+"="+v[1])
		}
	}
	fmt.Fprintf(w, "%-12s %s\n", "profile", strings.Join(append([]string{listed}, values...), ", "))
}

func setupAccountProfile(fs *flag.FlagSet) runner {
	var s settings
	s.placeFlags(fs)
	asJSON := jsonFlag(fs)
	return func(ctx context.Context, e *env, args []string) error {
		values := map[string]string{}
		for _, kv := range args[1:] {
			key, value, ok := strings.Cut(kv, "=")
			if !ok {
				return usagef("%q: write it like city=Oslo", kv)
			}
			values[key] = value
		}
		if err := editProfile(&im.Profile{}, values); err != nil {
			return usageError{err.Error()}
		}
		a, err := withDesk(ctx, e, &s, request{Act: "profile", Address: args[0], Profile: values})
		switch {
		case err != nil:
			return err
		case *asJSON:
			return printJSON(e.out, a.Detail.Profile)
		}
		a.Detail.Profile.write(e.out)
		return nil
	}
}
