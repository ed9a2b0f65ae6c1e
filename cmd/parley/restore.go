package main

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"parley/credential"
	"parley/store"
)

func setupRestore(fs *flag.FlagSet) runner {
	var s settings
	s.placeFlags(fs)
	return func(ctx context.Context, e *env, args []string) error {
		dir, notes, err := restore(ctx, &s, args[0])
		for _, n := range notes {
			fmt.Fprintln(e.out, n)
		}
		return done(e, err, "%s is restored in %s; start it with parley serve --data %s", args[0], dir, dir)
	}
}

// restore puts a backup into the data folder. All of it is looked at before anything there
// changes; a kill in between leaves a wrong key file, which the start names, and the restore
// can be run again.
func restore(ctx context.Context, s *settings, path string) (dir string, notes []string, err error) {
	cfg, _, err := s.load()
	if err != nil {
		return "", nil, err
	}
	dir = cfg.Data
	if r, err := dialControl(ctx, dir); err != nil || r != nil {
		return dir, nil, errors.Join(err, fmt.Errorf("the service of %s runs: stop it first", dir))
	}
	if err := makeFolder(dir); err != nil {
		return dir, nil, err
	}
	temp, err := os.MkdirTemp(dir, ".parley-restore-*")
	if err != nil {
		return dir, nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	if err := readTar(path, temp); err != nil {
		return dir, nil, fmt.Errorf("%s is no backup of parley's, or not whole: %w", path, err)
	}
	if err := fits(ctx, temp); err != nil {
		return dir, nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := store.Restore(ctx, filepath.Join(temp, storeFile), filepath.Join(dir, storeFile)); err != nil {
		return dir, nil, err
	}
	before := ".before" + time.Now().UTC().Format("20060102T150405.000")
	if err := replaceKey(filepath.Join(temp, keyFile), filepath.Join(dir, keyFile), before); err != nil {
		return dir, nil, err
	}
	if old, err := filepath.Glob(filepath.Join(dir, "*.before*")); err == nil && len(old) > 0 {
		notes = append(notes, "what was there before is kept in "+dir+", with .before in its name; remove it when all is well")
	}
	note, err := restoreConfig(filepath.Join(temp, configFile), filepath.Join(dir, configFile))
	if note != "" {
		notes = append(notes, note)
	}
	return dir, notes, errors.Join(err, syncFolder(dir))
}

// readTar unpacks a backup into a folder: the files that it may hold, and no others.
func readTar(path, dir string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	t := tar.NewReader(f)
	var have []string
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if !slices.Contains(backupFiles, h.Name) || slices.Contains(have, h.Name) || h.Typeflag != tar.TypeReg {
			return fmt.Errorf("%q has no place in it", h.Name)
		}
		have = append(have, h.Name)
		if err := unpack(filepath.Join(dir, h.Name), t); err != nil {
			return err
		}
	}
	for _, name := range []string{storeFile, keyFile} {
		if !slices.Contains(have, name) {
			return fmt.Errorf("it has no %s", name)
		}
	}
	return nil
}

func unpack(path string, r io.Reader) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Sync(), f.Close())
}

// fits checks that the key file of a backup is the one of its database.
func fits(ctx context.Context, dir string) (err error) {
	v, err := credential.Open(filepath.Join(dir, keyFile))
	if err != nil {
		return err
	}
	// On a copy: what is opened may be brought to newer tables, and is locked.
	copied := filepath.Join(dir, "copy.db")
	if err := store.BackupOf(ctx, filepath.Join(dir, storeFile), copied); err != nil {
		return err
	}
	st, err := store.Open(ctx, store.Options{Path: copied})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	return st.View(ctx, "vault", func(tx *store.Tx) error {
		id, err := tx.Meta(vaultKey)
		if err == nil && len(id) > 0 && string(id) != v.ID() {
			err = errors.New("its key file is not the one of its database: nothing was restored")
		}
		return err
	})
}

// replaceKey puts the key file in its place; another one that was there gets a name of its own.
func replaceKey(from, to, before string) error {
	a, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	b, err := os.ReadFile(to)
	switch {
	case err == nil && bytes.Equal(a, b):
		return nil
	case err == nil:
		if err := os.Rename(to, to+before); err != nil {
			return err
		}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return os.Rename(from, to)
}

// restoreConfig brings the configuration back where there is none.
func restoreConfig(from, to string) (note string, err error) {
	a, err := os.ReadFile(from)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	b, err := os.ReadFile(to)
	switch {
	case err == nil && bytes.Equal(a, b):
		return "", nil
	case err == nil:
		return "the configuration " + to + " was there and is kept; the backup has another one", nil
	case !errors.Is(err, fs.ErrNotExist):
		return "", err
	}
	return "", os.Rename(from, to)
}
