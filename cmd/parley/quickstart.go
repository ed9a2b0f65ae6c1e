package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"parley/config"
	"parley/credential"
	"parley/im"
	"parley/store"
)

// demoNames are the accounts that quickstart makes, at the domain of its configuration.
var demoNames = []string{"alice", "bob", "carol"}

// demoKey is where the store keeps that the demo accounts were made: one that its owner
// removed is not made again.
const demoKey = "demo"

func setupQuickstart(fs *flag.FlagSet) runner {
	var s settings
	fs.StringVar(&s.data, "data", config.Default().Data, "the data folder is `DIR`")
	s.listenFlags(fs)
	return func(ctx context.Context, e *env, _ []string) error {
		if err := prepareFolder(s.data); err != nil {
			return err
		}
		cfg, file, err := s.load()
		if err != nil {
			return err
		}
		return serve(ctx, e, cfg, file, func(run *service) error {
			demo, err := demoAccounts(ctx, run)
			if err != nil {
				return err
			}
			greet(e, run, demo)
			return nil
		})
	}
}

// prepareFolder makes the folder and its configuration of three lines, unless they are there.
func prepareFolder(dir string) error {
	if err := makeFolder(dir); err != nil {
		return err
	}
	cfg := config.Default()
	abs, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	cfg.Data = abs
	if err := cfg.WriteThree(filepath.Join(dir, configFile)); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// demo is a demo account.
type demo struct {
	who      im.Address
	password credential.Secret
	changed  bool // the password is not the one in the file any more
	removed  bool
}

// demoAccounts makes the demo accounts the first time. Their passwords are written down
// before they are set, so that a kill in between loses none.
func demoAccounts(ctx context.Context, s *service) ([]demo, error) {
	path := filepath.Join(s.cfg.Data, demoFile)
	list, err := readDemo(path)
	if errors.Is(err, fs.ErrNotExist) {
		list, err = writeDemo(path, s.cfg.Domain)
	}
	if err != nil {
		return nil, fmt.Errorf("the demo accounts' file %s: %w", path, err)
	}
	var made bool
	err = s.store.View(ctx, "demo", func(tx *store.Tx) error {
		b, err := tx.Meta(demoKey)
		made = len(b) > 0
		return err
	})
	if err != nil {
		return nil, err
	}
	for i := range list {
		d := &list[i]
		if !made {
			k, err := s.vault.Set(d.who.String(), d.password, s.cfg.Credential.KeepPassword)
			if err != nil {
				return nil, err
			}
			err = s.exchange.CreateAccount(ctx, im.Account{Address: d.who, Keys: k.Marshal()})
			if err != nil && !errors.Is(err, im.ErrAlready) && !errors.Is(err, im.ErrHeld) {
				return nil, fmt.Errorf("make the account %s: %w", d.who, err)
			}
		}
		var account im.Account
		err := s.store.View(ctx, "demo", func(tx *store.Tx) (err error) {
			account, err = tx.Account(d.who)
			return err
		})
		switch keys, bad := credential.UnmarshalKeys(account.Keys); {
		case errors.Is(err, im.ErrUnknownUser):
			d.removed = true
		case err != nil:
			return nil, err
		default:
			d.changed = bad != nil || !s.vault.CheckPassword(d.who.String(), keys, d.password)
		}
	}
	if made {
		return list, nil
	}
	return list, s.store.Update(ctx, "demo", func(tx *store.Tx) error { return tx.PutMeta(demoKey, []byte("made")) }, nil)
}

// readDemo reads the file: an address and a password on each line.
func readDemo(path string) ([]demo, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var list []demo
	for text := range strings.Lines(string(b)) {
		f := strings.Fields(text)
		if len(f) == 0 || strings.HasPrefix(f[0], "#") {
			continue
		}
		who, err := im.ParseAddress(f[0])
		if err != nil || len(f) != 2 {
			return nil, errors.New("a line is not an address and a password: mend it, or remove the file and the demo accounts")
		}
		list = append(list, demo{who: who, password: credential.NewSecret(f[1])})
	}
	return list, nil
}

// writeDemo makes passwords and the file with them, for its owner alone, on disk at return.
func writeDemo(path, domain string) ([]demo, error) {
	text := bytes.NewBufferString("# Accounts to try Parley out with: address and password.\n")
	var list []demo
	for _, name := range demoNames {
		who, err := im.ParseAddress(name + "@" + domain)
		if err != nil {
			return nil, err
		}
		d := demo{who: who, password: credential.RandomPassword()}
		fmt.Fprintf(text, "%s %s\n", d.who, d.password.Reveal())
		list = append(list, d)
	}
	return list, writePrivate(path, text.Bytes())
}

// writePrivate makes a file that only its owner can read, whole or not at all, and does not
// write over another.
func writePrivate(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".parley-*") // of mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if _, err := os.Lstat(path); err == nil {
		return &fs.PathError{Op: "write", Path: path, Err: fs.ErrExist}
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder waits until names in the folder are on disk, where a system can tell.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	d.Sync() // some file systems cannot, and need not
	return d.Close()
}

// greet tells how to log in.
func greet(e *env, s *service, list []demo) {
	fmt.Fprintf(e.out, "\nParley runs. Its data are in %s.\n\n", s.cfg.Data)
	var first []string
	for _, d := range list {
		switch {
		case d.removed:
			fmt.Fprintf(e.out, "    %-24s (removed)\n", d.who)
			continue
		case d.changed:
			fmt.Fprintf(e.out, "    %-24s (its password was changed)\n", d.who)
		default:
			fmt.Fprintf(e.out, "    %-24s %s\n", d.who, d.password.Reveal())
		}
		first = append(first, d.who.String())
	}
	msnp, xmpp := s.clientAddress("msnp"), s.clientAddress("xmpp")
	var chats []string // what makes a chat speak each protocol that is here
	if msnp != "" {
		chats = append(chats, flagged(msnp, "127.0.0.1:1863", " --server "))
	}
	if xmpp != "" {
		chats = append(chats, " --protocol xmpp"+flagged(xmpp, "127.0.0.1:5222", " --server ")+flagged(filepath.Clean(s.cfg.Data), home(s.cfg.Data), " --data "))
	}
	if len(chats) == 0 {
		return
	}
	if len(first) >= 2 {
		io.WriteString(e.out, "\nTwo people talk, whichever protocol each of them speaks: in two other terminals, with the passwords above,\n\n")
		for i, who := range first[:2] {
			fmt.Fprintf(e.out, "    %s chat %s%s\n", program(), who, chats[i%len(chats)])
		}
	}
	io.WriteString(e.out, "\nOr with clients of your own:\n\n")
	if msnp != "" {
		fmt.Fprintf(e.out, "    MSN Messenger 1.0-4.7    server %s, name: the whole address\n", msnp)
	}
	if xmpp != "" {
		fmt.Fprintf(e.out, "    any XMPP client          server %s, user: the address%s\n", xmpp, certificateHint(s))
	}
	fmt.Fprintf(e.out, "\nCtrl-C ends the service; %s quickstart starts it again, with everything kept.\n\n", program())
}

// flagged is a flag with its value, unless the value is what holds without it.
func flagged(value, usual, flag string) string {
	if value == usual {
		return ""
	}
	return flag + value
}

// home is the data folder where commands look for it, written as the given one is: from here or from the top.
func home(like string) string {
	dir := filepath.Clean(config.Default().Data)
	if abs, err := filepath.Abs(dir); err == nil && filepath.IsAbs(like) {
		return abs
	}
	return dir
}

// certificateHint says which certificate a client will ask about.
func certificateHint(s *service) string {
	if s.cfg.TLS != "self" {
		return ""
	}
	return "; it will ask about the certificate, which is " + filepath.Join(s.cfg.Data, selfCertificate)
}

// program is how this program was called, for lines to be copied.
func program() string {
	if name := os.Args[0]; strings.ContainsRune(name, filepath.Separator) && !strings.ContainsAny(name, " \t'\"\\$&") {
		return name
	}
	return "parley"
}
