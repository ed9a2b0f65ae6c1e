package main

import (
	"archive/tar"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"parley/store"
)

// A backup is a tar of these files, in this order. The configuration may be missing.
var backupFiles = []string{storeFile, keyFile, configFile}

func setupBackup(fs *flag.FlagSet) runner {
	var s settings
	s.placeFlags(fs)
	return func(ctx context.Context, e *env, args []string) error {
		size, err := backup(ctx, &s, args[0])
		return done(e, err, "%s: %d bytes, with the key file: whoever has it has every kept password", args[0], size)
	}
}

// backup writes the tar. It reads the database beside a service that may run, so it asks
// nobody.
func backup(ctx context.Context, s *settings, path string) (size int64, err error) {
	cfg, file, err := s.load()
	if err != nil {
		return 0, err
	}
	if _, err := os.Lstat(path); err == nil {
		return 0, fmt.Errorf("%s exists already and is not written over: name another file, or move it away", path)
	}
	from := filepath.Join(cfg.Data, storeFile)
	if _, err := os.Stat(from); err != nil {
		return 0, fmt.Errorf("there is no database in %s: name the data folder with --data DIR", cfg.Data)
	}
	// The copy of the database lies where the backup will, which has room for it or not.
	dir, err := os.MkdirTemp(filepath.Dir(path), ".parley-backup-*")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	copied := filepath.Join(dir, storeFile)
	if err := store.BackupOf(ctx, from, copied); err != nil {
		return 0, err
	}
	members := map[string]string{storeFile: copied, keyFile: filepath.Join(cfg.Data, keyFile), configFile: file}
	whole := filepath.Join(dir, "whole.tar")
	if err := writeTar(ctx, whole, members); err != nil {
		return 0, fmt.Errorf("write the backup: %w", err)
	}
	// A link takes no other file's place, as a rename would.
	if err := os.Link(whole, path); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return 0, err
		}
		if err := os.Rename(whole, path); err != nil { // a file system without links
			return 0, err
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return info.Size(), syncFolder(filepath.Dir(path))
}

func writeTar(ctx context.Context, path string, members map[string]string) (err error) {
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	t := tar.NewWriter(out)
	for _, name := range backupFiles {
		if members[name] == "" {
			continue
		}
		if err := addMember(ctx, t, name, members[name]); err != nil {
			return err
		}
	}
	return errors.Join(t.Close(), out.Sync())
}

func addMember(ctx context.Context, t *tar.Writer, name, path string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := t.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: info.Size(), ModTime: info.ModTime(), Format: tar.FormatPAX}); err != nil {
		return err
	}
	_, err = io.Copy(t, f)
	return err
}
